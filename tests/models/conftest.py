"""Small networks, small data and whole models, for the tests of the trainers."""

import keras
import numpy as np
import pytest

import keras_gamegan as kgg

LATENT_DIM = 3


def _linear(layers):
    """A discriminator and a generator on points that a reader can differentiate."""
    return [layers.Dense(1)], [layers.Dense(2)]


def _mlp(layers):
    return (
        [layers.Dense(4, activation="tanh"), layers.Dense(1)],
        [layers.Dense(4, activation="tanh"), layers.Dense(2)],
    )


def _modes(layers):
    """Networks for which training and inference mode differ."""
    return (
        [
            layers.Dense(4, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1),
        ],
        [
            layers.Dense(4, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(2),
        ],
    )


def _batchnorm(layers):
    discriminator, generator = _modes(layers)
    return [*discriminator[:2], discriminator[3]], [*generator[:2], generator[3]]


def _regularized(layers):
    squares = keras.regularizers.L2(0.1)
    return (
        [
            layers.Dense(4, activation="tanh", kernel_regularizer=squares),
            layers.LayerNormalization(),
            layers.Dense(1),
        ],
        [layers.Dense(2, kernel_regularizer=squares)],
    )


def _spectral(layers):
    normalized = keras.layers.SpectralNormalization
    return (
        [
            normalized(layers.Dense(4, activation="tanh")),
            kgg.networks.SpectralNormalization(layers.Dense(4)),
            layers.Dense(1),
        ],
        [layers.Dense(4, activation="tanh"), layers.Dense(2)],
    )


def _images(layers):
    """8x8 grey images."""
    return (
        [
            layers.Conv2D(3, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(1),
        ],
        [
            layers.Dense(2 * 2 * 2),
            layers.Reshape((2, 2, 2)),
            layers.BatchNormalization(),
            layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(1, 3, 2, padding="same", activation="tanh"),
        ],
    )


_KINDS = {
    "linear": _linear,
    "mlp": _mlp,
    "modes": _modes,
    "batchnorm": _batchnorm,
    "regularized": _regularized,
    "spectral": _spectral,
    "images": _images,
}


class _Layers:
    """`keras.layers` with a dtype policy filled in."""

    def __init__(self, dtype):
        self._dtype = dtype

    def __getattr__(self, name):
        layer = getattr(keras.layers, name)
        return lambda *args, **kwargs: layer(*args, dtype=self._dtype, **kwargs)


def _conditional(layers):
    """Functional networks of points in four classes."""

    def network(size, units):
        inputs = [keras.Input((size,)), keras.Input((), dtype="int32")]
        embedded = layers.Embedding(4, 2)(inputs[1])
        hidden = layers.Concatenate()([inputs[0], embedded])
        hidden = layers.Dense(4, activation="tanh")(hidden)
        return keras.Model(inputs, layers.Dense(units)(hidden))

    return network(2, 1), network(LATENT_DIM, 2)


@pytest.fixture(scope="session")
def networks():
    """Function (kind, dtype) -> (discriminator, generator), always the same ones."""

    def build(kind="mlp", dtype=None):
        keras.utils.set_random_seed(1)
        layers = _Layers(dtype)
        if kind == "conditional":
            return _conditional(layers)
        data_shape = (8, 8, 1) if kind == "images" else (2,)
        discriminator, generator = _KINDS[kind](layers)
        input_dtype = dtype if dtype == "float64" else None
        return (
            keras.Sequential(
                [keras.Input(data_shape, dtype=input_dtype), *discriminator]
            ),
            keras.Sequential(
                [keras.Input((LATENT_DIM,), dtype=input_dtype), *generator]
            ),
        )

    return build


_MODELS = {
    "alternating": lambda d, g, **kw: kgg.GAN(d, g, **kw),
    "simultaneous": lambda d, g, **kw: kgg.GAN(d, g, updates="simultaneous", **kw),
    "duality_gap": lambda d, g, **kw: kgg.DualityGapGAN(
        d,
        g,
        **{"best_response": kgg.BestResponse(2, learning_rate=0.01), **kw},
    ),
    "fictitious": lambda d, g, **kw: kgg.FictitiousGAN(
        d, g, **{"history": kgg.History(capacity=3, interval=1), **kw}
    ),
    "full": lambda d, g, **kw: kgg.FictitiousGAN(
        d,
        g,
        mixture="full",
        **{"history": kgg.History(capacity=3, interval=1), **kw},
    ),
}


@pytest.fixture(scope="session")
def make(networks):
    """Function (method, kind, dtype, compile=..., **constructor) -> compiled model."""

    def build(method="alternating", kind="mlp", dtype=None, compile=(), **arguments):
        arguments = {"seed": 3, **arguments}
        gan = _MODELS[method](*networks(kind, dtype), **arguments)
        gan.compile(**{"d_optimizer": "sgd", "g_optimizer": "adam", **dict(compile)})
        return gan

    return build


@pytest.fixture(scope="session")
def points():
    """32 points of the plane."""
    return np.random.default_rng(0).normal(size=(32, 2)).astype("float32")


@pytest.fixture(scope="session")
def images():
    """16 grey images of 8x8 in [-1, 1]."""
    return np.random.default_rng(1).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")


@pytest.fixture(scope="session")
def state():
    """Function model -> {name: array} of all that training changes."""

    def read(gan):
        variables = {f"{i} {v.path}": v for i, v in enumerate(gan.weights)}
        for player in ("d", "g"):
            optimizer = getattr(gan, f"{player}_optimizer")
            for index, variable in enumerate(optimizer.variables):
                variables[f"{player} {index} {variable.path}"] = variable
        return {name: np.array(v) for name, v in variables.items()}

    return read


@pytest.fixture(scope="session")
def networks_state():
    """Function model -> arrays of both networks, the same for models of any class."""
    return lambda gan: [
        np.array(v) for v in [*gan.discriminator.weights, *gan.generator.weights]
    ]


@pytest.fixture(scope="session")
def assert_same():
    """Function that holds two states against each other, bit for bit or nearly."""

    def check(left, right, tolerance=0.0):
        if not isinstance(left, dict):
            left, right = dict(enumerate(left)), dict(enumerate(right))
        assert len(left) == len(right) > 0
        for (name, a), b in zip(left.items(), right.values(), strict=True):
            if tolerance:
                np.testing.assert_allclose(
                    a, b, rtol=tolerance, atol=tolerance, err_msg=str(name)
                )
            else:
                np.testing.assert_array_equal(a, b, err_msg=str(name))

    return check


@pytest.fixture
def xy():
    """A regression: (64, 3) numbers and their sums."""
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    return x, x.sum(axis=1)
