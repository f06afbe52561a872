"""Arrays as a shuffled stream that can be entered at any step."""

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gamegan import validation
from keras_gamegan.datasets import arrays, permutation, seekable
from keras_gamegan.typing import Structure


class ShuffledStream:
    r"""Batches of arrays in a shuffled order that is a pure function of the step.

    `tf.data.Dataset.shuffle` has a state: to go on at step s one has to replay s steps.
    Here every epoch has a permutation $\pi_{seed,\,epoch}$ that is evaluated index by
    index, without ever being written down. With N examples, batch size B and S steps an
    epoch, element i of the batch of global step s is example

    $$ \pi_{seed,\,\lfloor s / S \rfloor}\bigl(B\,(s \bmod S) + i\bigr). $$

    So `endless(start_step=s)` starts at step s at once, and a run resumed there sees
    exactly the batches that it would have seen.

    The arrays are held in memory, float64 as float32; images of type uint8 are scaled
    from [0, 255] to float32 in [-1, 1] batch by batch, so a data set costs one byte a
    pixel.

    Args:
        images: Array of shape (num_examples, ...): uint8 images, or data of a floating
            type, which are cast to float32 and otherwise passed on as they are.
        labels: Array of integers of shape (num_examples,) or (num_examples, 1), or
            None. With labels, the elements are (images, labels).
        batch_size: Number of examples in a batch, the global one under a strategy.
        shuffle: Whether to shuffle; if not, every epoch has the order of the arrays.
        drop_remainder: Whether to leave out the last, smaller batch of an epoch. Which
            examples are left out differs from epoch to epoch.
        seed: Non-negative integer; each gives another order.
        class_names: Names of the classes that the labels number from 0, or None.

    Attributes:
        class_names: The names, or None.
        num_examples: Number of examples.
        example_shape: Shape of an example.
        batch_size: Number of examples in a batch.
        steps_per_epoch: Number of batches of an epoch.
        seed: The seed.

    Raises:
        ValueError: If the arrays do not fit together, or hold too little for a batch.
        TypeError: If an array or a number has the wrong type.

    Example:
        >>> import numpy as np
        >>> import keras_gamegan as kgg
        >>> images = np.zeros((100, 28, 28, 1), np.uint8)
        >>> stream = kgg.datasets.ShuffledStream(images, batch_size=32)
        >>> stream.steps_per_epoch
        3
        >>> len(stream.epochs()), stream.endless(start_step=7).element_spec.dtype
        (3, tf.float32)
    """

    def __init__(
        self,
        images: ArrayLike,
        labels: ArrayLike | None = None,
        batch_size: int = 64,
        *,
        shuffle: bool = True,
        drop_remainder: bool = True,
        seed: int = 0,
        class_names: Iterable[str] | None = None,
    ) -> None:
        """See the class."""
        if not isinstance(images, np.memmap):  # A file that is mapped stays one.
            images = arrays.as_array("`images`", images)
        if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
            raise TypeError(
                "`images` must be an array of uint8 in [0, 255] or of a floating type. "
                f"Received: an array of {images.dtype}. Convert it with `.astype`."
            )
        if images.ndim < 2 or not len(images):
            raise ValueError(
                "`images` must be an array of shape (num_examples, ...) with at least "
                f"one example. Received: shape {images.shape}. Add a leading axis."
            )
        self.num_examples = len(images)
        self.example_shape = images.shape[1:]
        self.batch_size = validation.check_integer("batch_size", batch_size)
        self.shuffle = validation.check_flag("shuffle", shuffle)
        self.drop_remainder = validation.check_flag("drop_remainder", drop_remainder)
        self.seed = validation.check_seed("seed", seed)
        if self.drop_remainder and self.num_examples < self.batch_size:
            raise ValueError(
                "`batch_size` must not exceed the number of examples while "
                f"drop_remainder=True. Received: batch_size={batch_size} for "
                f"{self.num_examples} examples. Use a smaller batch_size, or pass "
                "drop_remainder=False."
            )
        full, rest = divmod(self.num_examples, self.batch_size)
        self.steps_per_epoch = full + bool(rest and not self.drop_remainder)
        labels = None if labels is None else self._check_labels(labels)
        self.class_names = _check_names(class_names, labels)
        # Input pipelines run on the CPU; elsewhere each batch would be copied back.
        with tf.device("CPU:0"):
            self._take = _rows_of(images)
            self._labels = None if labels is None else tf.constant(labels)

    def _check_labels(self, labels: ArrayLike) -> np.ndarray:
        labels = arrays.as_array("`labels`", labels)
        if not np.issubdtype(labels.dtype, np.integer):
            raise TypeError(
                "`labels` must be an array of integers. Received: an array of "
                f"{labels.dtype}. Convert it with `.astype`."
            )
        if labels.shape == (self.num_examples, 1):
            labels = labels[:, 0]
        if labels.shape != (self.num_examples,):
            raise ValueError(
                f"`labels` must have the shape ({self.num_examples},), one label an "
                f"image. Received: shape {labels.shape}. Pass class numbers, not "
                "one-hot vectors."
            )
        if labels.size and not -(2**31) <= labels.min() <= labels.max() < 2**31:
            raise ValueError(
                "`labels` must be class numbers that an int32 holds. "
                f"Received: labels from {labels.min()} to {labels.max()}. Number the "
                "classes anew."
            )
        return labels.astype(np.int32)

    def indices(self, step: int | tf.Tensor) -> tf.Tensor:
        """Returns which examples make up the batch of a global step.

        Args:
            step: Integer, or scalar integer tensor, from 0.

        Returns:
            An int64 tensor of shape (batch_size,), or shorter at the end of an epoch if
            the remainder is kept: positions in the arrays.
        """
        step = _as_step(step)
        epoch = step // self.steps_per_epoch
        start = step % self.steps_per_epoch * self.batch_size
        if self.drop_remainder:
            positions = start + tf.range(self.batch_size, dtype=tf.int64)
        else:
            stop = tf.minimum(start + self.batch_size, self.num_examples)
            positions = tf.range(start, stop)
        if not self.shuffle:
            return positions
        key = tf.stack([tf.constant(self.seed, tf.int64), epoch])
        return permutation.permuted(positions, key, self.num_examples)

    def examples(self, number: int | None = None) -> Structure:
        """Returns the first examples, in the order of the arrays.

        Args:
            number: How many, >= 1; all if there are fewer. Default: None, all of them.

        Returns:
            Like `batch`, as NumPy arrays.
        """
        if number is None:
            number = self.num_examples
        number = min(validation.check_integer("number", number), self.num_examples)
        found = self._at(tf.range(number, dtype=tf.int64))
        return tf.nest.map_structure(lambda part: part.numpy(), found)

    def batch(self, step: int | tf.Tensor) -> Structure:
        """Returns the batch of a global step.

        Args:
            step: Integer, or scalar integer tensor, from 0.

        Returns:
            A float32 tensor of shape (batch_size, ...), or a tuple of it and int32
            labels of shape (batch_size,).
        """
        return self._at(self.indices(step))

    def _at(self, indices: tf.Tensor) -> Structure:
        images = self._take(indices)
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 127.5 - 1.0
        else:
            images = tf.cast(images, tf.float32)
        if self._labels is None:
            return images
        return images, tf.gather(self._labels, indices)

    def endless(self, start_step: int = 0) -> tf.data.Dataset:
        """Streams batches without end, from any step on.

        Args:
            start_step: The global step of the first batch.

        Returns:
            A `tf.data.Dataset`; use it with `fit`'s ``steps_per_epoch``.
        """
        return seekable.stream(self.batch, start_step=start_step)

    def epochs(self, start_epoch: int = 0) -> tf.data.Dataset:
        """Gives one epoch for each iteration, each in another order.

        Args:
            start_epoch: The epoch of the first iteration; the next iteration gives the
                one after it, and so on.

        Returns:
            A `tf.data.Dataset` of ``steps_per_epoch`` batches, for `fit` to iterate
            over once an epoch.
        """
        start_epoch = validation.check_integer("start_epoch", start_epoch, minimum=0)
        start_step = start_epoch * self.steps_per_epoch
        return seekable.stream(self.batch, self.steps_per_epoch, start_step)


def _check_names(
    class_names: Iterable[str] | None, labels: np.ndarray | None
) -> list[str] | None:
    if class_names is None:
        return None
    names = [] if isinstance(class_names, str) else list(class_names)
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError(
            "`class_names` must be a list of strings. "
            f"Received: class_names={class_names!r}. Pass the name of class 0 first."
        )
    if labels is not None and not 0 <= labels.min() <= labels.max() < len(names):
        raise ValueError(
            "`class_names` must name every class, the labels being their numbers from "
            f"0. Received: {len(names)} names for labels from {labels.min()} to "
            f"{labels.max()}. Add the names, or number the labels from 0."
        )
    return names


def _as_step(step: int | tf.Tensor) -> tf.Tensor:
    hint = "Count training steps from 0."
    if isinstance(step, (int, float, np.generic)):
        return tf.constant(validation.check_integer("step", step, 0, hint), tf.int64)
    step = tf.convert_to_tensor(step)
    if not step.dtype.is_integer or step.shape.rank not in (0, None):
        raise TypeError(
            "`step` must be an integer of at least 0, or a scalar integer tensor. "
            f"Received: {step!r}. {hint}"
        )
    known = tf.get_static_value(step)  # None while a function is traced.
    if known is not None:
        validation.check_integer("step", known[()], 0, hint)
    return tf.cast(step, tf.int64)


def _rows_of(images: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns the function (indices) -> rows; of a mapped file it reads them alone."""
    if not isinstance(images, np.memmap):
        held = tf.constant(_narrowed(images))
        return lambda indices: tf.gather(held, indices)

    def read(indices: np.ndarray) -> np.ndarray:
        return _narrowed(np.asarray(images[indices]))

    kind = _narrowed(np.empty(0, images.dtype)).dtype

    def take(indices: tf.Tensor) -> tf.Tensor:
        rows = tf.numpy_function(read, [indices], kind, stateful=False)
        return tf.ensure_shape(rows, (indices.shape[0], *images.shape[1:]))

    return take


def _narrowed(images: np.ndarray) -> np.ndarray:
    """Returns the array, as float32 where its type is a wider one."""
    if images.dtype.itemsize <= 4:
        return images
    try:
        with np.errstate(over="raise"):
            return images.astype(np.float32)
    except FloatingPointError as error:
        raise ValueError(
            "`images` must be numbers that a float32 holds, up to 3.4e38. "
            f"Received: {images.dtype} numbers beyond, which would become infinite. "
            "Scale the data, for instance to [-1, 1]."
        ) from error
