"""Pictures of samples during training."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import activations, files, notebooks, optional, validation
from keras_gamegan.callbacks import animation, messages, schedule
from keras_gamegan.distribution import workers
from keras_gamegan.sampling import pictures
from keras_gamegan.typing import Config, Logs, PathLike


@keras.saving.register_keras_serializable(package="keras_gamegan")
class SampleGrid(keras.callbacks.Callback):
    """Writes a picture of generated samples as PNG, always from the same latents.

    With several workers the chief draws. What is drawn follows from the shape of a
    sample:

    *   Images in a square grid: (height, width), or with a last or first axis of
        channels, of which 1 are grey, 3 colours, 4 colours over white by the fourth,
        and others grey images side by side.
    *   Series (length, channels) as lines, one cell a sample: up to four channels, or
        four times as long as wide.
    *   Volumes (depth, height, width, channels) as rows of slices.
    *   Points as a scatter plot of their first two coordinates, single numbers as a
        histogram.

    All but images need matplotlib. That everything can be drawn is tried out when
    training begins. When it ends, the pictures of the folder, those of the run that
    this one resumed included, become an animation, `samples.gif`, where there are two
    and Pillow is installed (matplotlib brings it).

    Args:
        directory: Folder of the pictures, local or of any file system that
            `tf.io.gfile` knows; made if it is missing. They are called `epoch_NNN.png`,
            or `step_NNNNNNNN.png`, and appear whole.
        every: "epoch", or a number of train steps. Default: "epoch".
        num_samples: Samples in a picture, >= 1. Default: 64.
        seed: Seed of the latents. Default: 0.
        source: "current", "average" or "mixture". Default: "current".
        labels: Labels (num_samples, ...) for class-conditional networks.
        value_range: Pair: the values drawn as black and as white. Default: None, the
            range of the generator's last activation, such as (-1, 1) of tanh and (0, 1)
            of sigmoid; or, where that has none, of the samples in the picture.
        tensorboard: Whether to show the pictures in TensorBoard too, as "samples" at
            the train step: True writes the events into `directory`, a path into that
            folder. Default: False.
        show: Whether to show the newest picture in the notebook too, in the place of
            the one before. Outside a notebook it does nothing. Default: False.

    Raises:
        ValueError: If a number is out of range; when training begins, if the model does
            not keep the source, labels are too few or too many, the samples have more
            axes than can be drawn, or the folder cannot be written to.
        ImportError: If a package is missing that a picture or TensorBoard needs.

    Example:
        >>> import pathlib, tempfile, numpy as np, keras_gamegan as kgg
        >>> pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=4, base_filters=4)
        >>> gan = kgg.GAN(*pair, seed=0)
        >>> gan.compile()
        >>> folder = tempfile.mkdtemp()
        >>> grid = kgg.callbacks.SampleGrid(folder, num_samples=4)
        >>> data = np.zeros((8, 28, 28, 1), "float32")
        >>> _ = gan.fit(data, verbose=0, callbacks=[grid])
        >>> [path.name for path in pathlib.Path(folder).iterdir()]
        ['epoch_001.png']
    """

    def __init__(
        self,
        directory: PathLike,
        every: str | int = "epoch",
        num_samples: int = 64,
        seed: int = 0,
        source: str = "current",
        labels: Sequence[Any] | np.ndarray | None = None,
        value_range: tuple[float, float] | None = None,
        tensorboard: bool | PathLike = False,
        show: bool = False,
    ) -> None:
        super().__init__()
        self.directory = files.locate("directory", directory)
        self.schedule = schedule.Schedule(every)
        self.num_samples = validation.check_integer("num_samples", num_samples)
        self.seed = validation.check_seed("seed", seed)
        self.source = source
        self.labels = labels
        self.value_range = _check_range(value_range)
        if tensorboard is not False and tensorboard is not True:
            tensorboard = files.locate("tensorboard", tensorboard)
        self.tensorboard = tensorboard
        self.show = validation.check_flag("show", show)
        self._events = self._shown = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        messages.check_samples(self)
        number = None if self.labels is None else len(self.labels)
        if number not in (None, self.num_samples):
            raise ValueError(
                "`labels` must be one for each of `num_samples` samples. Received: "
                f"{number} labels for num_samples={self.num_samples}. Repeat them: "
                f"np.resize(labels, {self.num_samples}), or pass num_samples={number}."
            )
        # What cannot be drawn should fail now, not after an epoch.
        self._picture()
        if workers.is_chief(self.model.distribute_strategy):
            files.check_writable("directory", self.directory)
            if self.tensorboard:
                self._events = _open_events(
                    self.directory if self.tensorboard is True else self.tensorboard
                )
        self._shown = None
        self.schedule.start(self.model.num_steps)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras after every batch."""
        step = self.model.num_steps
        if self.schedule.due_after_batch(step):
            self._draw(f"step_{step:08d}.png")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        if self.schedule.due_after_epoch():
            self._draw(f"epoch_{epoch + 1:03d}.png")

    def on_train_end(self, logs: Logs = None) -> None:
        """Ends a run; called by Keras."""
        if self._events is not None:
            self._events.close()
            self._events = None
        if workers.is_chief(self.model.distribute_strategy):
            kind = "epoch" if self.schedule.every == "epoch" else "step"
            animation.write(self.directory, rf"{kind}_([0-9]+)\.png")

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "directory": str(self.directory),
            "every": self.schedule.every,
            "num_samples": self.num_samples,
            "seed": self.seed,
            "source": self.source,
            "labels": None if self.labels is None else np.asarray(self.labels).tolist(),
            "value_range": self.value_range and list(self.value_range),
            "tensorboard": (
                self.tensorboard
                if isinstance(self.tensorboard, bool)
                else str(self.tensorboard)
            ),
            "show": self.show,
        }

    @classmethod
    def from_config(cls, config: Config) -> "SampleGrid":
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _draw(self, name: str) -> None:
        if not workers.is_chief(self.model.distribute_strategy):
            return
        files.make_folder(self.directory)
        content = tf.io.encode_png(self._picture()).numpy()
        files.write_bytes(self.directory / name, content)
        if self._events is not None:
            with self._events.as_default(step=self.model.num_steps):
                tf.summary.image("samples", tf.io.decode_png(content)[tf.newaxis])
            self._events.flush()
        if self.show:
            self._shown = notebooks.show(content, self._shown)

    def _picture(self) -> np.ndarray:
        """Returns the picture of the model as it is now, a uint8 array."""
        samples = self.model.sample(
            self.num_samples, seed=self.seed, source=self.source, labels=self.labels
        )
        value_range = self.value_range or activations.finite_range(self.model.generator)
        return pictures.image(samples, value_range)


def _open_events(folder: files.Located) -> Any:
    optional.load("tensorboard", "examples", "SampleGrid(tensorboard=...)")
    return tf.summary.create_file_writer(str(folder))


def _check_range(value_range: Any) -> tuple[float, float] | None:
    if value_range is None:
        return None
    pair = tuple(value_range) if isinstance(value_range, (tuple, list)) else ()
    numbers = [validation.check_number("value_range", v, -math.inf) for v in pair]
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise ValueError(
            "`value_range` must be a pair, the value drawn as black and the higher one "
            f"drawn as white. Received: value_range={value_range!r}. Images in [-1, 1] "
            "take (-1, 1); None finds it out."
        )
    return pair
