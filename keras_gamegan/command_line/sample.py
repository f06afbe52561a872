"""`kgg sample`."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import activations
from keras_gamegan.command_line import options, remedies, run_folder
from keras_gamegan.sampling import pictures

# More of them are no picture that anyone looks at.
_MOST_IN_PICTURE = 2500


def run(arguments: list[str]) -> None:
    """Writes samples of a trained run as pictures.

    Args:
        arguments: Those after `kgg sample`.
    """
    given = options.Options(
        "kgg sample RUN [flags]",
        "Writes samples of the run in the folder RUN: one picture of them all, a PNG "
        "file each, or the arrays.",
        ("RUN",),
    )
    flags = given.group("flags")
    flags.integer("num", 64, "Number of samples.")
    flags.integer("seed", 0, "Of the latents.", 0)
    flags.text("source", None, "current, average or mixture; default: the run's.")
    flags.text("labels", None, "Classes of a conditional run, such as 3 or 0,1,2.")
    flags.switch("interpolate", False, "A path from --seed to the seed after it.")
    flags.text("output", None, "x.png, x.npz, or a folder; default: RUN/samples.png.")
    (path,) = given.parse(arguments)
    folder = run_folder.RunFolder(path)
    output = pathlib.Path(given.output or folder.path / "samples.png")
    kind = _kind(output)
    _check_free(output, kind)
    if given.interpolate and given.num < 2:
        raise options.UsageError(
            "--interpolate needs a --num of at least 2, the two ends. Received: "
            f"--num={given.num}."
        )
    if kind == ".png" and given.num > _MOST_IN_PICTURE:
        raise options.UsageError(
            f"One picture holds {_MOST_IN_PICTURE} samples at most. Received: "
            f"--num={given.num}. Use --output=samples.npz, or --output=FOLDER."
        )
    gan = folder.load()
    source = given.source or folder.settings().get("source", "average")
    labels = _labels(given.labels, given.num, gan)
    names = {"num_steps": "--num", "num_samples": "--num"}
    with remedies.in_flags(given, remedies.OF_SOURCES, names):
        if given.interpolate:
            ends = (given.seed, given.seed + 1)
            samples = gan.interpolate(given.num, ends, source, labels)
        else:
            samples = gan.sample(given.num, given.seed, source, labels)
    value_range = activations.finite_range(gan.generator)
    _write(np.asarray(samples), output, kind, value_range)
    print(f"{output}: {given.num} samples, source={source}, seed={given.seed}")


def _labels(text: str | None, number: int, gan: keras.Model) -> np.ndarray | None:
    if text is None:
        classes = gan.generator_network.num_classes
        return None if classes is None else np.arange(number) % classes
    try:
        # Wider than any class, so that the model says which there are.
        classes = np.array([int(part) for part in text.split(",")], np.int64)
    except (OverflowError, ValueError) as error:
        raise options.UsageError(
            "--labels must be numbers of classes, such as 3 or 0,1,2. Received: "
            f"--labels={text}."
        ) from error
    return np.resize(classes, number)


def _kind(output: pathlib.Path) -> str:
    """Returns ".png", ".npz", or "" of a folder."""
    kind = output.suffix.lower()
    if kind in (".png", ".npz"):
        return kind
    if output.name in (".png", ".npz"):
        raise options.UsageError(
            f"--output must have a name. Received: --output={output}. Use "
            f"--output={output.with_name(f'samples{output.name}')}."
        )
    if kind and not output.is_dir():
        raise options.UsageError(
            "--output must end in .png or .npz, or be a folder: one that is there, or "
            f"a name without a dot. Received: --output={output}."
        )
    return ""


def _check_free(output: pathlib.Path, kind: str) -> None:
    """Raises if samples would fall among other files, or where no file can stand."""
    if kind:
        if output.is_dir():
            raise options.UsageError(
                f"--output={output} must be a file. Received: the path of a folder."
            )
    elif output.is_file():
        raise options.UsageError(
            f"--output without .png or .npz is a folder. Received: --output={output}, "
            "a file."
        )
    elif output.is_dir() and any(output.iterdir()):
        raise options.UsageError(
            "--output must be a new folder, or an empty one. Received: "
            f"--output={output}, which holds files. Name another."
        )


def _write(
    samples: np.ndarray,
    output: pathlib.Path,
    kind: str,
    value_range: tuple[float, float] | None,
) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".npz":
        np.savez_compressed(output, samples=samples)
    elif kind == ".png":
        picture = pictures.image(samples, value_range)
        output.write_bytes(tf.io.encode_png(picture).numpy())
    else:
        output.mkdir(exist_ok=True)
        for index, sample in enumerate(samples):
            # Without the border that a grid has.
            picture = pictures.image(sample[None], value_range)[1:-1, 1:-1]
            path = output / f"{index:05d}.png"
            path.write_bytes(tf.io.encode_png(picture).numpy())
