"""An exponential moving average of the generator, the cheap historical mixture."""

import keras
import tensorflow as tf

from keras_gamegan import stateless_network, variable_store
from keras_gamegan.games import structures

_KEY = "average"


@keras.saving.register_keras_serializable(package="keras_gamegan")
class AverageWeights(variable_store.VariableStore):
    """Keeps an exponential moving average of a network's weights and state.

    Mathematics: a <- a + (1 - d_t) (w - a) with d_t = min(decay, (1 + t) / (10 + t)):
    the first steps, far from the later ones, are forgotten fast.

    Args:
        network: The `StatelessNetwork` to average.
        decay: d, in [0, 1).
        name: Layer name.

    References:
        Yazici, Foo, Winkler, Yap, Piliouras, Chandrasekhar: "The Unusual Effectiveness
        of Averaging in GAN Training", 2019.
    """

    def __init__(
        self,
        network: stateless_network.StatelessNetwork,
        decay: float,
        name: str = "generator_average",
    ) -> None:
        super().__init__(name=name)
        self.decay = decay
        self._network = network
        self.refresh()
        self.built = True

    def refresh(self) -> None:
        """Begins to average weights that the network has got since."""
        for variable in self._network.stored_variables:
            if self.kept(_KEY, variable) is None:
                average = self.keep(
                    _KEY, variable.shape, variable.dtype, self._network, variable
                )
                average.assign(variable)

    def file_layout(self) -> list[keras.Variable]:
        """Returns the averages in the order of the files of version 0.1."""
        return [self.kept(_KEY, variable) for variable in self._network.variables]

    def player(self) -> structures.Player:
        """Returns the averaged network as a `Player`."""
        network = self._network
        return network.pack(
            {
                id(variable): tf.convert_to_tensor(self.kept(_KEY, variable))
                for variable in network.variables
            }
        )

    def update(self, player: structures.Player, step: tf.Tensor) -> None:
        """Moves the average towards ``player``, after ``step`` steps (int64 scalar)."""
        done = tf.cast(step, tf.float32)
        decay = tf.minimum(self.decay, (1.0 + done) / (10.0 + done))
        values = self._network.unpack(player)
        for variable in self._network.variables:
            average, value = self.kept(_KEY, variable), values[id(variable)]
            if value.dtype.is_floating:
                rate = tf.cast(1.0 - decay, value.dtype)
                old = tf.convert_to_tensor(average)
                average.value.assign_sub(rate * (old - value))
            else:
                average.assign(value)
