"""`kgg train`."""

import os
import pathlib
import shlex
import signal
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from keras_gamegan import callbacks, datasets, metrics, models
from keras_gamegan.command_line import (
    history_file,
    options,
    remedies,
    run_folder,
    train_options,
)

# Ten by ten: where there are ten classes, each has a column.
_NUM_SAMPLES = 100
# Train steps in an epoch at least, of data that are few.
_MIN_STEPS = 250
# Arguments of the library that are no flags of their name.
_NAMES = {
    "source": "SOURCE",
    "path": "SOURCE",
    "capacity": "--history_capacity",
    "max_samples": "--evaluate",
}


class _Interrupt(keras.callbacks.Callback):
    """Ends the run at Ctrl-C, once the checkpoint is written; at a second one, at once.

    Args:
        checkpoint: The `Checkpoint`, which stands before it.
    """

    def __init__(self, checkpoint: callbacks.Checkpoint) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._asked = False
        self._before: Any = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Called by Keras."""
        try:
            self._before = signal.signal(signal.SIGINT, self._ask)
        except ValueError:  # Not in the main thread, which alone gets signals.
            self._before = None

    def restore(self) -> None:
        """Gives the signal back."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _ask(self, number: int, frame: Any) -> None:
        print("\nSaving. Ctrl-C again ends at once.", flush=True)
        self.restore()
        self._asked = True
        self._checkpoint.save_soon()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called by Keras."""
        self._end()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Called by Keras."""
        self._end()

    def _end(self) -> None:
        if self._asked and self._checkpoint.is_saved:
            raise KeyboardInterrupt


def run(arguments: list[str]) -> None:
    """Trains, and writes the folder of the run; or goes on with it.

    Args:
        arguments: Those after `kgg train`.
    """
    given = train_options.make()
    found = given.parse(arguments)
    sources = [*found, *([given.dataset] if given.dataset else [])]
    if len(sources) != 1:
        raise options.UsageError(
            "One SOURCE is needed: a folder of images, a .npz file or a TFDS name. "
            f"Received: {' and '.join(sources) or 'none'}."
        )
    # An export has much to say.
    logging.set_verbosity(logging.WARNING)
    tf.get_logger().setLevel("WARNING")
    mended = remedies.of_training(sources[0], given)
    with remedies.in_flags(given, mended, _NAMES):
        _train(sources[0], given, arguments)


def _train(source: str, given: options.Options, arguments: list[str]) -> None:
    recipe = train_options.recipe(given)
    every = train_options.checkpoint_every(given)
    _check_output(source, given.output_dir)
    modes: dict[str, bool | str] = {"auto": "auto", "true": True, "false": False}
    stream = _load(source, given)
    num_classes = _num_classes(stream) if given.conditional else None
    gan = recipe.build(
        stream.example_shape, num_classes, given.seed, modes[given.jit_compile]
    )
    folder = run_folder.RunFolder(given.output_dir)
    named = source
    if os.path.exists(named):  # Found again from another folder.
        named = os.path.abspath(named)
    settings = train_options.settings(given, recipe, named)
    folder.claim(settings, {"source": given.source})
    folder.note_examples(stream.num_examples)
    called = _callbacks(stream, num_classes, folder, given, every)
    # The checkpoint, the last of them, keeps what the recipe's know.
    called = [*recipe.callbacks(), *called]
    _fit(gan, stream, folder, given, called, arguments)
    folder.save(gan, given.source)
    print(folder.summary(num_classes))


def _check_output(source: str, output: str) -> None:
    """Raises if a run would write its pictures among the images it learns from."""
    learned, folder = pathlib.Path(source).resolve(), pathlib.Path(output).resolve()
    written = run_folder.RunFolder(folder).written
    entered = [learned, *_linked(learned)] if learned.is_dir() else []
    inside = any(folder.is_relative_to(each) for each in entered)
    owned = [each.resolve() for each in written]
    if inside or any(
        each.is_relative_to(own) for each in [learned, *entered] for own in owned
    ):
        raise ValueError(
            "--output_dir and SOURCE must lie apart, or the run learns from its own "
            f"pictures. Received: SOURCE={source}, --output_dir={output}. Name another "
            "folder: --output_dir=../runs/images."
        )
    if os.path.isfile(output):
        raise ValueError(
            f"--output_dir must be a folder. Received: --output_dir={output}, a file."
        )


def _linked(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns where links to folders lead to, and the links in those."""
    found: list[pathlib.Path] = []
    waiting = [folder]
    while waiting:
        for root, below, _ in os.walk(waiting.pop()):
            for name in below:
                path = pathlib.Path(root) / name
                if path.is_symlink() and path.resolve() not in found:
                    found.append(path.resolve())
                    waiting.append(path.resolve())
    return found


def _load(source: str, given: options.Options) -> datasets.ShuffledStream:
    return datasets.load(
        source,
        given.image_size,
        given.batch_size,
        given.seed,
        with_labels=given.conditional,
        color_mode=given.color_mode,
        split=given.split,
        data_dir=given.data_dir,
        download=given.download,
        cache=given.cache,
    )


def _num_classes(stream: datasets.ShuffledStream) -> int:
    if stream.class_names:
        return len(stream.class_names)
    _, labels = stream.examples()
    return int(np.max(labels)) + 1


def _callbacks(
    stream: datasets.ShuffledStream,
    num_classes: int | None,
    folder: run_folder.RunFolder,
    given: options.Options,
    every: str | int,
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks of `fit`, the checkpoint last.

    So an epoch that counts as done has its picture and its lines in the logs.
    """
    labels = None if num_classes is None else np.arange(_NUM_SAMPLES) % num_classes
    made: list[keras.callbacks.Callback] = []
    if given.evaluate:
        made += _measuring(stream, given)
    made.append(
        callbacks.SampleGrid(
            folder.samples,
            num_samples=_NUM_SAMPLES,
            source=given.source,
            labels=labels,
            tensorboard=folder.logs / "samples" if _has_tensorboard() else False,
            show=True,
        )
    )
    if _has_tensorboard():
        made.append(keras.callbacks.TensorBoard(str(folder.logs), write_graph=False))
    made.append(history_file.HistoryFile(folder.history))
    return [*made, callbacks.Checkpoint(folder.checkpoints, every=every)]


def _measuring(
    stream: datasets.ShuffledStream, given: options.Options
) -> list[keras.callbacks.Callback]:
    """Returns what measures after every epoch, and keeps the best weights."""
    extractor = metrics.random_features(stream.example_shape)
    number = min(given.evaluate, stream.num_examples)
    distance = metrics.FrechetDistance(
        extractor, name="frechet_distance", allow_singular=True
    )
    coverage = metrics.DensityCoverage(extractor, max_samples=number)
    evaluate = callbacks.Evaluate(
        [distance, coverage],
        num_samples=number,
        source=given.source,
        real_data=stream.examples(number),
        batch_size=256,
    )
    best = callbacks.MetricEarlyStopping(
        "frechet_distance", patience=10**9, restore_best_weights=True, verbose=0
    )
    return [evaluate, best]


def _has_tensorboard() -> bool:
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return False
    return True


def _fit(
    gan: models.GAN,
    stream: datasets.ShuffledStream,
    folder: run_folder.RunFolder,
    given: options.Options,
    called: list[Any],
    arguments: list[str],
) -> None:
    length = given.steps_per_epoch
    if length is None and stream.steps_per_epoch < _MIN_STEPS:
        length = _MIN_STEPS
    interrupt = _Interrupt(called[-1])
    # `fit` resumes by itself; this looks ahead, to say so and to mend the history.
    position = called[-1].resume(gan)
    done = 0
    if position is not None:
        done = position.epoch + position.batch // (length or stream.steps_per_epoch)
        print(f"Going on after train step {gan.num_steps}, in {folder.path}.")
    folder.trim_history(done)
    steps = length or stream.steps_per_epoch
    shown = steps * given.batch_size / stream.num_examples
    print(
        f"{stream.num_examples} images of {'x'.join(map(str, stream.example_shape))}; "
        f"{steps} steps an epoch, each image {shown:.3g} times."
    )
    try:
        gan.fit(
            stream.endless() if length else stream.epochs(),
            epochs=given.epochs,
            steps_per_epoch=length or None,
            callbacks=[*called, interrupt],
        )
    except KeyboardInterrupt as error:
        if not called[-1].is_saved:
            raise
        for each in called:  # They close their files; `fit` did not come to it.
            each.on_train_end()
        folder.save(gan, given.source)
        command = shlex.join(["kgg", "train", *arguments])
        raise KeyboardInterrupt(
            f"Saved after train step {gan.num_steps}, in {folder.path}. To go on: "
            f"{command}"
        ) from error
    finally:
        interrupt.restore()
    if done >= given.epochs:
        print(f"Nothing to train: epochs done already: {done}.")
