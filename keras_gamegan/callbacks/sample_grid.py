"""Pictures of samples during training."""

import io
import math

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import files, validation
from keras_gamegan.callbacks import schedule
from keras_gamegan.distribution import workers


@keras.saving.register_keras_serializable(package="keras_gamegan")
class SampleGrid(keras.callbacks.Callback):
    """Writes a grid of generated images as PNG, always from the same latents.

    With several workers the chief draws.

    Images (height, width, 1 or 3) are laid out in a square grid; two-dimensional points
    are drawn as a scatter plot, which needs matplotlib.

    Args:
        directory: Folder of the pictures, local or of any file system that
            `tf.io.gfile` knows; made if it is missing. They are called `epoch_NNN.png`,
            or `step_NNNNNNNN.png`, and appear whole.
        every: "epoch", or a number of train steps. Default: "epoch".
        num_samples: Samples in a picture, >= 1. Default: 64.
        seed: Seed of the latents. Default: 0.
        source: "current", "average" or "mixture". Default: "current".
        labels: Labels (num_samples, ...) for class-conditional networks.
        value_range: Pair: the values drawn as black and as white. Default: (-1, 1).

    Raises:
        ValueError: If a number is out of range; by `fit`, if the folder cannot be
            written to.

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
        directory,
        every="epoch",
        num_samples=64,
        seed=0,
        source="current",
        labels=None,
        value_range=(-1.0, 1.0),
    ):
        super().__init__()
        self.directory = files.locate("directory", directory)
        self.schedule = schedule.Schedule(every)
        self.num_samples = validation.check_integer("num_samples", num_samples)
        self.seed = validation.check_integer("seed", seed, 0)
        self.source = source
        self.labels = labels
        self.value_range = tuple(value_range)

    def on_train_begin(self, logs=None):
        """Prepares for a run; called by Keras."""
        # A source that is not kept should fail now, not after an epoch.
        labels = None if self.labels is None else self.labels[:1]
        self.model.sample(1, seed=0, source=self.source, labels=labels)
        if workers.is_chief(self.model.distribute_strategy):
            files.check_writable("directory", self.directory)
        self.schedule.start(self.model.num_steps)

    def on_train_batch_end(self, batch, logs=None):
        """Called by Keras after every batch."""
        step = self.model.num_steps
        if self.schedule.due_after_batch(step):
            self._draw(f"step_{step:08d}.png")

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        if self.schedule.due_after_epoch():
            self._draw(f"epoch_{epoch + 1:03d}.png")

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return {
            "directory": str(self.directory),
            "every": self.schedule.every,
            "num_samples": self.num_samples,
            "seed": self.seed,
            "source": self.source,
            "labels": None if self.labels is None else np.asarray(self.labels).tolist(),
            "value_range": list(self.value_range),
        }

    @classmethod
    def from_config(cls, config):
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _draw(self, name):
        if not workers.is_chief(self.model.distribute_strategy):
            return
        files.make_folder(self.directory)
        samples = self.model.sample(
            self.num_samples, seed=self.seed, source=self.source, labels=self.labels
        )
        if samples.ndim == 4:
            picture = image_grid(samples, self.value_range)
            content = tf.io.encode_png(picture).numpy()
        else:
            content = _scatter(samples)
        files.write_bytes(self.directory / name, content)


def image_grid(images, value_range=(-1.0, 1.0)):
    """Lays images out in a square grid with a thin border.

    Args:
        images: Array (n, height, width, 1 or 3).
        value_range: Pair: the values drawn as black and as white.

    Returns:
        uint8 array (rows * (height + 1) + 1, columns * (width + 1) + 1, channels).

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> kgg.callbacks.image_grid(np.zeros((5, 4, 4, 1))).shape
        (11, 16, 1)
    """
    images = np.asarray(images, np.float64)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (n, height, width, 1 or 3). "
            f"Received: shape {images.shape}."
        )
    number, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(number))
    rows = math.ceil(number / columns)
    low, high = value_range
    pixels = np.clip(np.rint((images - low) / (high - low) * 255.0), 0, 255)
    grid = np.full(
        (rows * (height + 1) + 1, columns * (width + 1) + 1, channels), 128, np.uint8
    )
    for index, image in enumerate(pixels.astype(np.uint8)):
        top = (index // columns) * (height + 1) + 1
        left = (index % columns) * (width + 1) + 1
        grid[top : top + height, left : left + width] = image
    return grid


def _scatter(points):
    """Returns the PNG of a scatter plot, bytes."""
    # Not pyplot: a callback must not touch the user's figures.
    from matplotlib.backends import backend_agg
    from matplotlib.figure import Figure

    points = points.reshape(len(points), -1)
    figure = Figure(figsize=(4, 4))
    backend_agg.FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.scatter(points[:, 0], points[:, 1] if points.shape[1] > 1 else 0 * points, s=4)
    axes.set_aspect("equal", "datalim")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return content.getvalue()
