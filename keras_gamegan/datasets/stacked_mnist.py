"""Stacked MNIST: three digits in the colours of one image, a thousand modes."""

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import images, seekable
from keras_gamegan.typing import PathLike, Structure

_SIDE = 28  # Of MNIST's own images, in pixels.
_DIGITS = 10
_CHANNELS = 3


def stacked_mnist(
    image_size: int = _SIDE,
    batch_size: int = 64,
    seed: int = 0,
    *,
    split: str = "train",
    data_dir: PathLike | None = None,
    with_labels: bool = False,
    download: bool = True,
) -> tf.data.Dataset:
    r"""Streams Stacked MNIST, images of which the 1,000 modes are known.

    The usual test for missing modes on images: three digits a, b and c are drawn
    independently, and their images are the red, green and blue channel of one. The mode
    of an image is the number $100a + 10b + c$. `kgg.metrics.ClassCoverage` with
    `kgg.metrics.stacked_classifier` counts the modes that a generator covers.

    Each digit is uniform over 0 to 9, and its image uniform over the images of that
    digit in the split; so all modes have probability exactly 1/1000. (Those who draw
    among all images of MNIST instead get modes between 0.0007 and 0.0014.) The batch of
    step s is a pure function of (seed, s): `fit` resumes in the middle of a run.

    Args:
        image_size: Side in pixels. A divisor of 28 of at least 7 gives means of square
            blocks: 14 is a quick form with the same modes. Other sizes, >= 7, are
            resized as `load_images` does. Default: 28.
        batch_size: Images in a batch, the global one under a strategy. Default: 64.
        seed: Non-negative integer; each gives other images. Default: 0.
        split: Split of TFDS's "mnist" that the digits are taken from. Default: "train".
        data_dir: Folder of prepared TFDS data sets; None for TFDS's own default.
        with_labels: Whether the elements are (images, modes).
        download: Whether TFDS may download MNIST. Default: True.

    Returns:
        A `tf.data.Dataset` of float32 images of shape (batch_size, image_size,
        image_size, 3) in [-1, 1], or of tuples of them and int32 modes of shape
        (batch_size,). An epoch has as many images as the split, whole batches only;
        each iteration over it is the next epoch, of new images.

    Raises:
        ValueError: If an argument is out of range, the split lacks a digit, or has
            fewer images than a batch.
        TypeError: If an argument has the wrong type.
        FileNotFoundError: If MNIST is not in ``data_dir`` and ``download`` is False.
        RuntimeError: If TFDS could not download it.

    Example:
        >>> import keras_gamegan as kgg
        >>> import tensorflow_datasets as tfds
        >>> with tfds.testing.mock_data(num_examples=256):
        ...     data = kgg.datasets.stacked_mnist(image_size=14, with_labels=True)
        >>> [tuple(part.shape) for part in data.element_spec], len(data)
        ([(64, 14, 14, 3), (64,)], 4)

    References:
        L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein: Unrolled generative adversarial
        networks. 2017.
        A. Srivastava, L. Valkov, C. Russell, M. Gutmann, C. Sutton: VEEGAN: Reducing
        mode collapse in GANs using implicit variational learning. 2017.
    """
    # Checked before the data set is read, which takes a while.
    validation.check_integer("batch_size", batch_size)
    validation.check_seed("seed", seed)
    validation.check_integer(
        "image_size", image_size, 7, hint="Smaller digits cannot be read."
    )
    in_blocks = _SIDE % image_size == 0
    digits, labels = images.load_arrays(
        "mnist",
        split,
        None if in_blocks else image_size,
        data_dir,
        with_labels=True,
        download=download,
    )
    counts = np.bincount(labels, minlength=_DIGITS)
    _check_split(split, counts, batch_size)
    if in_blocks:
        digits = _block_means(digits, _SIDE // image_size)
    by_digit = digits[np.argsort(labels, kind="stable"), ..., 0]
    starts = np.cumsum(counts) - counts
    # Input pipelines run on the CPU; elsewhere each batch would be copied back.
    with tf.device("CPU:0"):
        held = tf.constant(by_digit)

    def batch_at(step: tf.Tensor) -> Structure:
        key = tf.stack([tf.constant(seed, tf.int64), step])
        # One seed an operation, or the digit and its image would be dependent.
        seeds = tf.random.split(key, 2, alg="philox")
        shape = (batch_size, _CHANNELS)
        drawn = tf.random.stateless_uniform(
            shape, seeds[0], 0, _DIGITS, tf.int32, alg="philox"
        )
        uniform = tf.random.stateless_uniform(
            shape, seeds[1], dtype=tf.float64, alg="philox"
        )
        number = tf.gather(tf.constant(counts, tf.float64), drawn)
        within = tf.cast(tf.floor(uniform * number), tf.int64)
        taken = tf.gather(held, tf.gather(tf.constant(starts), drawn) + within)
        stacked = tf.transpose(taken, (0, 2, 3, 1))
        scaled = tf.cast(stacked, tf.float32) / 127.5 - 1.0
        modes = tf.linalg.matvec(drawn, tf.constant([100, 10, 1]))
        return (scaled, modes) if with_labels else scaled

    return seekable.stream(batch_at, len(labels) // batch_size)


def _check_split(split: str, counts: np.ndarray, batch_size: int) -> None:
    missing = np.flatnonzero(counts == 0).tolist()
    if missing:
        raise ValueError(
            "`split` must hold images of all ten digits. Received: "
            f"split={split!r}, which lacks {missing}. Take a larger part of it, such "
            "as split='train'."
        )
    if counts.sum() < batch_size:
        raise ValueError(
            "`batch_size` must not exceed the number of images of the split. "
            f"Received: batch_size={batch_size} for {counts.sum()} images in "
            f"split={split!r}. Use a smaller batch_size."
        )


def _block_means(digits: np.ndarray, side: int) -> np.ndarray:
    """Returns uint8 images (n, 28, 28, 1) as means of blocks of so many pixels."""
    small = _SIDE // side
    blocks = digits.reshape(-1, small, side, small, side, 1)
    return np.round(blocks.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8)
