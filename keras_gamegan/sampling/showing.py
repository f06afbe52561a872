"""Samples before one's eyes: in the notebook, or as a figure."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan import notebooks
from keras_gamegan.sampling import pictures

# Pixels of a side to which a small picture is enlarged.
_SIDE = 480


def show(samples: np.ndarray, value_range: tuple[float, float] | None) -> Any:
    """Shows samples inline in a notebook; elsewhere returns a figure of them.

    Args:
        samples: Array (n, ...).
        value_range: As in `pictures.draw`.

    Returns:
        None in a notebook, else a `matplotlib.figure.Figure` that
        `matplotlib.pyplot.show()` shows.

    Raises:
        ImportError: If matplotlib is missing where a figure is needed.
    """
    picture = pictures.image(samples, value_range)
    if notebooks.is_notebook():
        # Enlarged here: a browser would blur the pixels.
        factor = max(1, _SIDE // max(picture.shape[:2]))
        picture = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        notebooks.show(tf.io.encode_png(picture).numpy())
        return None
    pyplot = pictures.import_matplotlib("pyplot")
    height, width = picture.shape[:2]
    size = 5.0 / max(height, width)
    figure = pyplot.figure(figsize=(size * width, size * height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    rgb = np.broadcast_to(picture, (height, width, 3))
    axes.imshow(rgb, interpolation="nearest")
    return figure
