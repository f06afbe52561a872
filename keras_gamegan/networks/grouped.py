"""A convolution in groups of channels that also trains on a processor."""

from typing import Any

import keras

from keras_gamegan import validation


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GroupedConvolution(keras.layers.Layer):
    """A convolution with bias, size kept, of each group of channels on its own.

    `keras.layers.Conv2D(groups=...)` computes the same, but its gradient on a CPU took
    20 times as long as one convolution for each group, which this is.

    Args:
        filters: Channels that go in and come out.
        group_size: Channels of a group, a divisor of `filters`.
        kernel_size: Side of the kernel.
        kernel_initializer: As in Keras' layers.
        **options: Further arguments of `keras.layers.Layer`.

    Example:
        >>> import keras
        >>> from keras_gamegan.networks import grouped
        >>> layer = grouped.GroupedConvolution(8, group_size=4, kernel_size=3)
        >>> tuple(layer(keras.ops.zeros((2, 5, 5, 8))).shape)
        (2, 5, 5, 8)
    """

    def __init__(
        self,
        filters: int,
        group_size: int,
        kernel_size: int,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters = validation.check_integer("filters", filters)
        self.group_size = validation.check_integer("group_size", group_size)
        if self.filters % self.group_size:
            raise ValueError(
                "`group_size` must divide `filters`. Received: group_size="
                f"{group_size}, filters={filters}. Use math.gcd of both."
            )
        self.kernel_size = validation.check_integer("kernel_size", kernel_size)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """Makes the weights; called by Keras."""
        side = self.kernel_size
        self.kernel = self.add_weight(
            shape=(side, side, self.group_size, self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.filters,), initializer="zeros", name="bias"
        )

    def call(self, inputs: Any) -> Any:
        """Returns the convolved images, (batch, height, width, filters)."""
        number = self.filters // self.group_size
        parts = keras.ops.split(inputs, number, axis=-1)
        kernels = keras.ops.split(self.kernel, number, axis=-1)
        convolved = [
            keras.ops.conv(part, kernel, padding="same", data_format="channels_last")
            for part, kernel in zip(parts, kernels, strict=True)
        ]
        return keras.ops.concatenate(convolved, axis=-1) + self.bias

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape that went in."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as a dictionary."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "group_size": self.group_size,
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
