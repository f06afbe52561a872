"""What any two-player model takes from a data set: structures of examples."""

from typing import Any

import tensorflow as tf

from keras_gamegan.datasets import arrays
from keras_gamegan.distribution import replicas
from keras_gamegan.models.step import batch, data_checks, guard
from keras_gamegan.typing import Structure


class StructuredData:
    """What a data set yields, as it is: ``x``, ``(x, y)``, or any other structure.

    The game says what it means. Floating numbers come in the dtype of the networks,
    others as they are.

    Args:
        dtype: Name of the networks' dtype.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    @property
    def reachable_range(self) -> tuple[float, float] | None:
        """Lowest and highest value that data can sensibly have; None: any."""
        return None

    def checked(self, data: Structure, watch: guard.StepGuard) -> Structure:
        """Returns a step's examples, seen while it is traced.

        Args:
            data: What the data set yields.
            watch: Holds back what is to be written until the data are known to be
                finite.
        """
        examples = self.cast(as_element(data))
        watch.check_data(_floating(examples))
        return examples

    def evaluated(self, data: Structure, watch: guard.StepGuard) -> Structure:
        """Returns the examples of a step of `evaluate`, as `checked`."""
        examples = self.cast(as_element(data))
        return batch.present(
            lambda leaf: watch.checked(leaf) if leaf.dtype.is_floating else leaf,
            examples,
        )

    def drawn(
        self, examples: Structure, stream: tf.Tensor, share: replicas.Share
    ) -> Structure:
        """Returns the examples with what each draw adds to them: here nothing."""
        del stream, share
        return examples

    def stored(self, arrays: Structure) -> Structure:
        """Returns examples of arrays, known to fit, as tensors."""
        return self.cast(arrays)

    def of_arrays(self, what: str, x: Structure, y: Any) -> tuple:
        """Returns what `fit` got as a tuple of structures of checked arrays.

        Args:
            what: What the data are, for messages.
            x: Structure of arrays (n, ...).
            y: Likewise, or None.

        Raises:
            TypeError: If an array holds anything but numbers.
            ValueError: If arrays are empty, not finite or of different lengths.
        """
        element = (x,) if y is None else (x, y)
        element = tf.nest.map_structure(
            lambda leaf: arrays.as_array(what, leaf), element
        )
        sizes = sorted({array.shape[:1] for array in tf.nest.flatten(element)})
        if len(sizes) != 1 or sizes[0] in ((), (0,)):
            found = ", ".join(str(size[0]) if size else "a scalar" for size in sizes)
            raise ValueError(
                f"{what} must be arrays with at least one example, and as many in each "
                f"(n, ...). Received: arrays of lengths {found}. Check the slices or "
                "filters that made them."
            )
        for array in tf.nest.flatten(element):
            data_checks.check_finite(what, array)
        return element

    def check_dataset(self, dataset: tf.data.Dataset) -> None:
        """Raises on a data set that cannot be trained on, where that can be seen.

        Raises:
            TypeError: If its elements are no dense tensors of numbers.
            ValueError: If it is empty or not batched.
        """
        data_checks.check_not_empty(dataset)
        for spec in tf.nest.flatten(as_element(dataset.element_spec)):
            data_checks.check_dense(spec)
            if spec.shape.rank == 0:
                raise ValueError(
                    "A data set must yield batches: tensors (n, ...). Received: "
                    "elements with a scalar in them. Batch it: dataset.batch(32)."
                )

    def cast(self, examples: Structure) -> Structure:
        """Returns examples whose floating numbers are in the networks' dtype."""

        def cast(leaf: Any) -> tf.Tensor:
            data_checks.check_dense(leaf)
            leaf = tf.convert_to_tensor(leaf)
            return tf.cast(leaf, self.dtype) if leaf.dtype.is_floating else leaf

        return batch.present(cast, examples)


def as_element(data: Structure) -> Structure:
    """Returns what a data set yields; Keras' (x,) and (x, None, None) as x.

    `train_on_batch` hands on (x, y, sample_weight), whatever of them there is.
    """
    if not isinstance(data, tuple):
        return data
    while len(data) > 1 and data[-1] is None:
        data = data[:-1]
    return data[0] if len(data) == 1 else data


def _floating(examples: Structure) -> list[tf.Tensor]:
    leaves = [leaf for leaf in tf.nest.flatten(examples) if leaf is not None]
    return [leaf for leaf in leaves if leaf.dtype.is_floating]
