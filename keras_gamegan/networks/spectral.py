"""Spectral normalization that is the same in training and in inference."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gamegan import validation
from keras_gamegan.typing import Config


@keras.saving.register_keras_serializable(package="keras_gamegan")
class SpectralNormalization(keras.layers.Wrapper):
    r"""Divides the kernel of a layer by its largest singular value.

    A discriminator of such layers has a bounded Lipschitz constant. The singular value
    is found by power iteration on the kernel W, written as a matrix with one column an
    output channel, from a vector u that is kept between steps:

    $$ v = \frac{W u}{\|W u\|},\quad u' = \frac{W^\top v}{\|W^\top v\|},\quad
    \sigma = v^\top W u', \quad \bar W = W / \sigma. $$

    `keras.layers.SpectralNormalization` overwrites the kernel while training, and uses
    it as it stands otherwise. A player that is held fixed while the other moves runs in
    inference mode, and under `Model.stateless_call` that overwriting is lost, so it
    would be another function than the one trained. Here the kernel is left alone, every
    call uses $\bar W$, and training alone moves u.

    Args:
        layer: A Keras layer with a ``kernel``, such as Dense or Conv2D.
        power_iterations: Number of iterations a call.
        seed: Seed of the first u; None for one drawn by Keras.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If ``power_iterations`` is below 1, or the layer has no kernel.

    Example:
        >>> import keras
        >>> import keras_gamegan as kgg
        >>> layer = kgg.networks.SpectralNormalization(keras.layers.Dense(4), seed=0)
        >>> layer(keras.ops.ones((2, 3))).shape
        TensorShape([2, 4])

    References:
        T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida: Spectral normalization for
        generative adversarial networks. 2018.
    """

    def __init__(
        self,
        layer: keras.Layer,
        power_iterations: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """See the class."""
        super().__init__(layer, **kwargs)
        self.power_iterations = validation.check_integer(
            "power_iterations", power_iterations
        )
        self.seed = seed

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds the layer within, and the vector u."""
        super().build(input_shape)
        if not hasattr(self.layer, "kernel"):
            raise ValueError(
                "`layer` must have a `kernel`. Received: a "
                f"{type(self.layer).__name__}. Wrap a layer such as Dense or Conv2D."
            )
        kernel = self.layer.kernel
        self.vector_u = self.add_weight(
            shape=(kernel.shape[-1], 1),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed),
            trainable=False,
            # Replicas hold the same kernel, hence compute the same vector.
            aggregation="only_first_replica",
            dtype=kernel.dtype,
            name="vector_u",
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Calls the layer with its kernel divided by the singular value."""
        # In the variables' own precision, also where the layers compute in half of it.
        kernel = ops.cast(self.layer.kernel, self.variable_dtype)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        vector_u = ops.cast(self.vector_u, self.variable_dtype)
        for _ in range(self.power_iterations):
            vector_v = _unit(ops.matmul(matrix, vector_u))
            vector_u = _unit(ops.matmul(ops.transpose(matrix), vector_v))
        # The derivative of the singular value is that with its vectors held fixed.
        vector_u = ops.stop_gradient(vector_u)
        vector_v = ops.stop_gradient(vector_v)
        sigma = ops.sum(vector_v * ops.matmul(matrix, vector_u))
        if training:
            self.vector_u.assign(vector_u)

        normalized = kernel / ops.maximum(sigma, keras.config.epsilon())

        def values(variables: Sequence[keras.Variable]) -> list[tf.Tensor]:
            return [
                normalized if variable is self.layer.kernel else variable.value
                for variable in variables
            ]

        outputs, _ = self.layer.stateless_call(
            values(self.layer.trainable_variables),
            values(self.layer.non_trainable_variables),
            inputs,
        )
        return outputs

    def compute_output_shape(
        self, input_shape: Sequence[int | None]
    ) -> tuple[int | None, ...]:
        """Returns the shape that the layer returns."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> Config:
        """Returns the arguments of the layer."""
        config = {"power_iterations": self.power_iterations, "seed": self.seed}
        return {**super().get_config(), **config}


def _unit(vector: tf.Tensor) -> tf.Tensor:
    length = ops.sqrt(ops.sum(ops.square(vector)))
    return vector / ops.maximum(length, keras.config.epsilon())
