"""`kgg evaluate`."""

import warnings

import keras
import numpy as np

from keras_gamegan import datasets, metrics
from keras_gamegan.command_line import options, remedies, run_folder


def run(arguments: list[str]) -> None:
    """Measures a run's samples against its data; writes evaluation.json.

    Args:
        arguments: Those after `kgg evaluate`.
    """
    given = options.Options(
        "kgg evaluate RUN [flags]",
        "Measures samples of the run in the folder RUN against the images it was "
        "trained on, in the features of a random network (kgg.metrics.random_features):"
        " to compare runs of the same images, not with the figures of papers.",
        ("RUN",),
    )
    flags = given.group("flags")
    flags.integer("num", 2000, "Samples, and real images, at most.", 10)
    flags.integer("seed", 0, "Of the latents.", 0)
    flags.text("source", None, "current, average or mixture; default: the run's.")
    flags.text("data_dir", None, "Folder of prepared TFDS data sets.")
    (path,) = given.parse(arguments)
    folder = run_folder.RunFolder(path)
    gan, settings = folder.load(), folder.settings()
    if "dataset" not in settings:
        raise ValueError(
            "RUN must be the folder of a run of kgg train, which notes its data in "
            f"settings.json. Received: {str(folder.path)!r}."
        )
    source = given.source or settings.get("source", "average")
    with remedies.in_flags(given, remedies.OF_SOURCES, {"num_samples": "--num"}):
        found = measure(gan, settings, source, given.num, given.seed, given.data_dir)
    folder.note_evaluation(found)
    for name, value in found.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        print(f"{name:20} {shown}")
    if found["n_real"] <= found["num_features"]:
        print(
            f"With no more images than features ({found['num_features']}) the Fréchet "
            "distance only compares with others of the same number."
        )


def measure(
    gan: keras.Model,
    settings: dict,
    source: str,
    number: int,
    seed: int,
    data_dir: str | None,
) -> dict:
    """Returns the numbers of a model's samples, by name."""
    conditional = bool(settings.get("conditional"))
    with warnings.catch_warnings():
        # The run was told, and its size stands.
        warnings.filterwarnings("ignore", ".* were enlarged")
        stream = datasets.load(
            settings["dataset"],
            settings.get("image_size"),
            1,
            with_labels=conditional,
            color_mode=settings.get("color_mode", "rgb"),
            split=settings.get("split", "train"),
            data_dir=data_dir,
            download=False,
        )
    real = stream.examples(number)
    images, labels = real if conditional else (real, None)
    number = len(images)
    samples = np.asarray(gan.sample(number, seed, source, labels), "float32")
    extractor = metrics.random_features(images.shape[1:])
    found: dict = {
        "source": source,
        "train_steps": gan.num_steps,
        "n_real": number,
        "n_fake": number,
        "num_features": extractor.output_shape[-1],
    }
    for metric in (
        metrics.FrechetDistance(
            extractor, name="frechet_distance", allow_singular=True
        ),
        metrics.PrecisionRecall(extractor, max_samples=number),
        metrics.DensityCoverage(extractor, max_samples=number),
    ):
        for start in range(0, number, 256):
            metric.update_state(
                images[start : start + 256], samples[start : start + 256]
            )
        result = metric.result()
        if not isinstance(result, dict):
            result = {metric.name: result}
        found |= {name: float(value) for name, value in result.items()}
    return found
