"""GANs of so few numbers that their gaps are known."""

import keras

import keras_gamegan as kgg


class Shift(keras.layers.Layer):
    """Adds one trained number to its input, or puts it in its place."""

    def __init__(self, offset, scale=1.0, **arguments):
        super().__init__(**arguments)
        self.scale = scale
        self.offset = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(offset)
        )
        self.built = True

    def call(self, inputs):
        return self.scale * inputs + self.offset


def line_gan(offset, slope, make=kgg.GAN, loss="wasserstein", **arguments):
    """G(z) = offset whatever z, against D(x) = slope x: V = slope (mean x - offset)."""
    data, latents = (keras.Input((1,), dtype="float64") for _ in range(2))
    critic = keras.layers.Dense(
        1,
        use_bias=False,
        kernel_initializer=keras.initializers.Constant(slope),
        dtype="float64",
    )
    gan = make(
        keras.Model(data, critic(data)),
        keras.Model(latents, Shift(offset, 0.0, dtype="float64")(latents)),
        seed=0,
        **arguments,
    )
    gan.compile("sgd", "sgd", loss=loss)
    return gan


def gaussian_gan(offset, slope=0.0, bias=0.0, loss="minimax"):
    """G = N(offset, 1) against a logistic regression D(x) = slope x + bias."""
    data, latents = (keras.Input((1,), dtype="float64") for _ in range(2))
    regression = keras.layers.Dense(
        1,
        kernel_initializer=keras.initializers.Constant(slope),
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float64",
    )
    gan = kgg.GAN(
        keras.Model(data, regression(data)),
        keras.Model(latents, Shift(offset, dtype="float64")(latents)),
        seed=0,
    )
    gan.compile(loss=loss)
    return gan
