"""The networks of the table of models, the same weights at every call."""

import keras

import keras_gamegan as kgg

LATENT_DIM = 3
NUM_CLASSES = 4


def _mlp(layers):
    return (
        [layers.Dense(8, activation="tanh"), layers.Dense(1)],
        [layers.Dense(8, activation="tanh"), layers.Dense(2)],
    )


def _regularized(layers):
    squares = keras.regularizers.L2(0.1)
    return (
        [
            layers.Dense(8, activation="tanh", kernel_regularizer=squares),
            layers.LayerNormalization(),
            layers.Dense(1),
        ],
        [layers.Dense(2, kernel_regularizer=squares)],
    )


def _spectral(layers):
    ours = kgg.networks.SpectralNormalization
    theirs = keras.layers.SpectralNormalization
    # A wrapper of float32 would round a float64 network's data.
    dtype = layers.dtype
    return (
        [
            ours(layers.Dense(8, activation="tanh"), dtype=dtype),
            theirs(layers.Dense(1), dtype=dtype),
        ],
        [layers.Dense(8, activation="tanh"), layers.Dense(2)],
    )


def _batchnorm(synchronized):
    def build(layers):
        return (
            [
                layers.Dense(8, activation="tanh"),
                layers.BatchNormalization(synchronized=synchronized),
                layers.Dense(1),
            ],
            [
                layers.Dense(8, activation="tanh"),
                layers.BatchNormalization(synchronized=synchronized),
                layers.Dense(2),
            ],
        )

    return build


def _dropout(layers):
    return (
        [layers.Dense(8, activation="tanh"), layers.Dropout(0.3), layers.Dense(1)],
        [layers.Dense(8, activation="tanh"), layers.Dense(2)],
    )


def _patches(layers):
    """A discriminator with four logits for an example, as if of patches."""
    discriminator, generator = _mlp(layers)
    patches = [layers.Reshape((2, 2, 2)), layers.Conv2D(1, 1)]
    return [discriminator[0], *patches], generator


def _conditional(layers):
    def network(size, units):
        inputs = [
            keras.Input((size,), dtype=input_dtype(layers.dtype)),
            keras.Input((), dtype="int32"),
        ]
        embedded = layers.Embedding(NUM_CLASSES, 2)(inputs[1])
        hidden = layers.Concatenate()([inputs[0], embedded])
        hidden = layers.Dense(8, activation="tanh")(hidden)
        return keras.Model(inputs, layers.Dense(units)(hidden))

    return network(2, 1), network(LATENT_DIM, 2)


NETWORKS = {
    "mlp": _mlp,
    "regularized": _regularized,
    "spectral": _spectral,
    "batchnorm": _batchnorm(synchronized=False),
    "synchronized": _batchnorm(synchronized=True),
    "dropout": _dropout,
    "patches": _patches,
    "conditional": _conditional,
}


def input_dtype(dtype):
    """Returns the dtype of the data of networks of that dtype or policy."""
    return "float64" if dtype == "float64" else "float32"


class _Layers:
    """`keras.layers` with a dtype filled in."""

    def __init__(self, dtype):
        self.dtype = dtype

    def __getattr__(self, name):
        layer = getattr(keras.layers, name)
        return lambda *args, **kwargs: layer(*args, dtype=self.dtype, **kwargs)


def pair(kind, dtype="float32"):
    """Returns (discriminator, generator), the same weights at every call."""
    keras.utils.set_random_seed(1)
    made = NETWORKS[kind](_Layers(dtype))
    if kind == "conditional":
        return made
    discriminator, generator = made
    inputs = input_dtype(dtype)
    return (
        keras.Sequential([keras.Input((2,), dtype=inputs), *discriminator]),
        keras.Sequential([keras.Input((LATENT_DIM,), dtype=inputs), *generator]),
    )
