"""Arrays as `fit` gets them: batches in a seeded order that can be entered anywhere."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import permutation, seekable
from keras_gamegan.typing import Structure


class ArrayBatches:
    r"""Batches of arrays, each pass over them in an order of its own.

    Keras shuffles arrays with NumPy's global generator, which no seed of a model
    determines and no checkpoint restores. Here the order of a pass is a function of
    (seed, training step at which the pass begins). So `fit` for two epochs, `fit` twice
    for one, and `fit` killed and resumed in the middle see the same batches.

    Args:
        element: What a batch is to be, (x,) or (x, y): a structure of arrays (n, ...)
            of numbers, handed on as they are.
        batch_size: Examples in a batch, >= 1; the last batch of a pass may be smaller.
        shuffle: Whether to shuffle.
        seed: Integer, >= 0.

    Example:
        >>> import numpy as np
        >>> from keras_gamegan.datasets import arrays
        >>> batches = arrays.ArrayBatches((np.arange(5.0),), 2, False, seed=0)
        >>> [x.numpy().tolist() for (x,) in batches.from_step(0)]
        [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """

    def __init__(
        self, element: Structure, batch_size: int, shuffle: bool, seed: int
    ) -> None:
        self.num_examples = len(tf.nest.flatten(element)[0])
        self.batch_size = validation.check_integer("batch_size", batch_size)
        self.steps_per_epoch = -(-self.num_examples // self.batch_size)
        self.shuffle = shuffle
        self._seed = seed
        # Input pipelines run on the CPU; elsewhere each batch would be copied back.
        with tf.device("CPU:0"):
            self._arrays = tf.nest.map_structure(tf.constant, element)

    def from_step(
        self, first_step: int, steps_per_epoch: int | None = None
    ) -> tf.data.Dataset:
        """Returns the batches of a run that begins at a training step.

        Args:
            first_step: Training step at which the run begins.
            steps_per_epoch: Steps of an epoch that is not one pass over the arrays.
                Default: None, it is.

        Returns:
            A `tf.data.Dataset` of such elements, with the method
            `starting_at`, as `ShuffledStream.epochs`.
        """

        def batch_at(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
            indices = self._indices(step, first_step)
            return tf.nest.map_structure(
                lambda array: tf.gather(array, indices), self._arrays
            )

        whole = steps_per_epoch in (None, self.steps_per_epoch)
        return seekable.stream(batch_at, self.steps_per_epoch if whole else None)

    def _indices(self, step: tf.Tensor, first_step: int) -> tf.Tensor:
        number, place = step // self.steps_per_epoch, step % self.steps_per_epoch
        begin = place * self.batch_size
        if self.num_examples % self.batch_size:
            end = tf.minimum(begin + self.batch_size, self.num_examples)
            positions = tf.range(begin, end)
        else:
            positions = begin + tf.range(self.batch_size, dtype=tf.int64)
        if not self.shuffle:
            return positions
        key = tf.stack(
            [
                tf.constant(self._seed, tf.int64),
                first_step + number * self.steps_per_epoch,
            ]
        )
        return permutation.permuted(positions, key, self.num_examples)


def is_array(data: Any) -> bool:
    """Returns whether `fit` takes these data as an array: NumPy, TensorFlow, pandas."""
    if isinstance(data, np.ndarray) or tf.is_tensor(data):
        return True
    return hasattr(data, "__array__") and hasattr(data, "shape")


def as_array(name: str, data: Any) -> np.ndarray:
    """Returns an array of numbers.

    Args:
        name: What the data are, for the message.
        data: Array, tensor or data frame.

    Raises:
        TypeError: If it holds anything but real numbers, or is sparse or masked.
    """
    if isinstance(data, (tf.SparseTensor, tf.RaggedTensor)) or hasattr(data, "tocoo"):
        raise TypeError(
            f"{name} must be a dense array. Received: {type(data).__name__}. Convert "
            "it: .toarray(), tf.sparse.to_dense(...) or .to_tensor()."
        )
    check_unmasked(name, data)
    try:
        array = np.asarray(data)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be one array of numbers. Received: a {type(data).__name__} "
            f"of which NumPy makes none ({error}). Give all examples one shape: "
            "np.stack(examples)."
        ) from error
    # bfloat16 and the like are of kind "V" to NumPy.
    if array.dtype.kind not in "biuf" and not _is_float(array.dtype):
        raise TypeError(
            f"{name} must be real numbers. Received: an array of dtype {array.dtype}. "
            "Encode or drop what is not a number, for instance with .astype('float32')."
        )
    return plain(array)


def check_unmasked(name: str, data: Any) -> None:
    """Raises if some of the numbers of an array are masked."""
    if np.ma.is_masked(data):
        raise TypeError(
            f"{name} must be numbers that are all there. Received: a masked array "
            f"with {np.ma.count_masked(data)} masked ones, of which no network would "
            "know. Drop these examples, or choose what stands there: .filled(0)."
        )


def plain(array: np.ndarray) -> np.ndarray:
    """Returns an array of a dtype that TensorFlow has: extended precision is cut."""
    return array.astype("float64") if array.dtype == np.longdouble else array


def _is_float(dtype: np.dtype) -> bool:
    try:
        return tf.as_dtype(dtype).is_floating
    except TypeError:
        return False
