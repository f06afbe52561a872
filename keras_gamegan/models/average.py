"""An exponential moving average of the generator, the cheap historical mixture."""

import keras
import tensorflow as tf

from keras_gamegan.games import structures


@keras.saving.register_keras_serializable(package="keras_gamegan")
class AverageWeights(keras.layers.Layer):
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

    def __init__(self, network, decay, name="generator_average"):
        super().__init__(name=name, trainable=False, dtype="float32")
        self.decay = decay
        self._network = network
        self._averages = [
            self.add_weight(
                shape=variable.shape,
                dtype=variable.dtype,
                initializer="zeros",
                trainable=False,
                name=f"average_{index}",
                aggregation="only_first_replica",
            )
            for index, variable in enumerate(network.variables)
        ]
        for index, variable in enumerate(network.variables):
            self._averages[index].assign(variable)
            # tf.train.Checkpoint finds variables in attributes, not in lists of them.
            setattr(self, f"average_{index}", self._averages[index])
        self.built = True

    def player(self):
        """Returns the averaged network as a `Player`."""
        values = [tf.convert_to_tensor(average) for average in self._averages]
        number = len(self._network.weight_variables)
        return structures.Player(values[:number], values[number:])

    def update(self, player, step):
        """Moves the average towards ``player``, after ``step`` steps (int64 scalar)."""
        done = tf.cast(step, tf.float32)
        decay = tf.minimum(self.decay, (1.0 + done) / (10.0 + done))
        values = player.weights + player.state
        for average, value in zip(self._averages, values, strict=True):
            if value.dtype.is_floating:
                rate = tf.cast(1.0 - decay, value.dtype)
                old = tf.convert_to_tensor(average)
                average.value.assign_sub(rate * (old - value))
            else:
                average.assign(value)
