"""Samples of any shape as one picture."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_gamegan import optional
from keras_gamegan.typing import TensorLike

# Axes of so many channels are colours: grey, red-green-blue, and that with alpha.
_COLOURS = (1, 3, 4)
# Up to so many columns, a matrix is a series of that many channels.
_CHANNELS = 4


def draw(samples: TensorLike, value_range: tuple[float, float] | None = None) -> Any:
    """Returns the picture of some samples: an image, or a figure of matplotlib.

    The shape of one sample decides:

    *   (height, width), and (height, width, channels) with the channels last or first:
        a grid of images. One channel is grey, three are colours, four colours over
        white by the fourth; of another number, each channel is a grey image, side by
        side. Channels are the last axis if it has 1, 3 or 4 places, else the first one
        if it has, else the shorter of the two.
    *   (length, channels), longer than wide and with up to four channels, or four times
        as long as wide: lines. So (24, 3) is a series, (28, 28) an image.
    *   (depth, height, width, channels): a grid of rows of slices.
    *   (2,): a scatter plot; (n,): one of its first two coordinates, named; (1,) or (),
        a histogram.

    Args:
        samples: Array (n, ...). Values that are not finite are drawn as the lowest.
        value_range: Pair: the values drawn as black and as white, or as the bottom and
            the top of a series. Default: the samples' own lowest and highest.

    Returns:
        A uint8 array (height, width, 1 or 3), or a `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the samples have more than four axes.
    """
    samples = np.asarray(samples, np.float64)
    shape = samples.shape[1:]
    if len(shape) > 4:
        raise ValueError(
            "Samples that are drawn must be points, series, images or volumes. "
            f"Received: samples of shape {shape}. Leave SampleGrid out."
        )
    finite = samples[np.isfinite(samples)]
    if value_range is None:
        value_range = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    low, high = value_range
    samples = np.where(np.isfinite(samples), samples, low)
    if len(shape) < 2:
        return _points(samples.reshape(len(samples), -1))
    unit = np.clip((samples - low) / ((high - low) or 1.0), 0.0, 1.0)
    if is_series(shape):
        return _lines(unit, value_range)
    return image_grid(_images(unit), (0.0, 1.0))


def image(
    samples: TensorLike, value_range: tuple[float, float] | None = None
) -> np.ndarray:
    """Returns the picture of some samples as pixels, whatever `draw` draws.

    Args:
        samples: As in `draw`.
        value_range: As in `draw`.

    Returns:
        A uint8 array (height, width, 1 or 3).

    Raises:
        ValueError: As `draw`.

    Example:
        >>> import numpy as np
        >>> from keras_gamegan.sampling import pictures
        >>> pictures.image(np.zeros((4, 8, 8, 3)), (-1.0, 1.0)).shape
        (19, 19, 3)
    """
    picture = draw(samples, value_range)
    if isinstance(picture, np.ndarray):
        return picture
    picture.canvas.draw()
    return np.array(picture.canvas.buffer_rgba())[..., :3]


def is_series(shape: Sequence[int]) -> bool:
    """Whether a sample of this shape is a series (length, channels)."""
    if len(shape) != 2 or shape[0] <= shape[1]:
        return False
    return shape[1] <= _CHANNELS or shape[0] >= 4 * shape[1]


def image_grid(
    images: TensorLike, value_range: tuple[float, float] = (-1.0, 1.0)
) -> np.ndarray:
    """Lays images out in a square grid with a thin border.

    Args:
        images: Array (n, height, width, 1 or 3).
        value_range: Pair: the values drawn as black and as white.

    Returns:
        uint8 array (rows * (height + 1) + 1, columns * (width + 1) + 1, channels).

    Raises:
        ValueError: If the images have another shape.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> kgg.callbacks.image_grid(np.zeros((5, 4, 4, 1))).shape
        (11, 16, 1)
    """
    images = np.asarray(images, np.float64)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (n, height, width, 1 or 3). "
            f"Received: shape {images.shape}. Move the channels to the last axis, or "
            "add one to grey images: images[..., None]."
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


def _images(unit: np.ndarray) -> np.ndarray:
    """Turns values in [0, 1] of any shape of image into (n, height, width, 1 or 3)."""
    if unit.ndim == 3:
        return unit[..., None]
    first, last = unit.shape[1], unit.shape[-1]
    if last not in _COLOURS and (first in _COLOURS or first < last):
        unit = np.moveaxis(unit, 1, -1)
    if unit.shape[-1] == 4:
        alpha = unit[..., 3:]
        unit = unit[..., :3] * alpha + 1.0 - alpha
    if unit.shape[-1] not in _COLOURS:
        # A volume of such has the channels of each slice beside each other.
        unit = np.moveaxis(unit, -1, -3)[..., None]
        unit = unit.reshape(len(unit), -1, *unit.shape[-3:])
    if unit.ndim == 5:
        unit = _side_by_side(unit)
    return unit


def _side_by_side(tiles: np.ndarray) -> np.ndarray:
    """(n, tiles, height, width, c) -> (n, height, the widths and their borders, c)."""
    bordered = np.pad(
        tiles, ((0, 0), (0, 0), (0, 0), (0, 1), (0, 0)), constant_values=0.5
    )
    rows = np.moveaxis(bordered, 1, 2)
    rows = rows.reshape(*rows.shape[:2], -1, rows.shape[-1])
    return rows[:, :, :-1]


def import_matplotlib(module: str) -> Any:
    """Returns a module of matplotlib, which the package does not import by itself.

    Raises:
        ImportError: If it is not installed.
    """
    what = "A figure, or a picture of what is no image,"
    return optional.load(f"matplotlib.{module}", "examples", what)


def _figure(size: float) -> tuple[Any, Any]:
    # Not pyplot: a callback must not touch the user's figures.
    figure = import_matplotlib("figure").Figure(figsize=(size, size), dpi=100)
    import_matplotlib("backends.backend_agg").FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _points(points: np.ndarray) -> Any:
    number, dimension = points.shape
    figure, axes = _figure(4)
    if dimension == 1:
        axes.hist(points[:, 0], bins=min(math.ceil(math.sqrt(number)), 50))
        axes.set_xlabel("value")
        axes.set_ylabel("samples")
    else:
        axes.scatter(points[:, 0], points[:, 1], s=4)
        axes.set_aspect("equal", "datalim")
    if dimension > 2:
        axes.set_xlabel(f"coordinate 1 of {dimension}")
        axes.set_ylabel(f"coordinate 2 of {dimension}")
    figure.set_layout_engine("constrained")
    return figure


def _lines(unit: np.ndarray, value_range: tuple[float, float]) -> Any:
    """Draws each series in a cell of its own, all cells in the same range."""
    number, length, channels = unit.shape
    columns = math.ceil(math.sqrt(number))
    figure, axes = _figure(8)
    time = np.linspace(0.05, 0.95, length)
    for index, series in enumerate(unit):
        row, column = divmod(index, columns)
        for channel in range(channels):
            axes.plot(
                column + time,
                -row - 0.95 + 0.9 * series[:, channel],
                color=f"C{channel}",
                linewidth=1,
            )
    rows = math.ceil(number / columns)
    axes.hlines(range(-rows, 1), 0, columns, color="0.8", linewidth=0.5)
    axes.vlines(range(columns + 1), -rows, 0, color="0.8", linewidth=0.5)
    axes.set_axis_off()
    low, high = value_range
    axes.set_title(
        f"{length} steps of {channels} channel(s), each cell from {low:.3g} to "
        f"{high:.3g}",
        fontsize="small",
    )
    figure.set_layout_engine("constrained")
    return figure
