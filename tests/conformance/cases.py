"""The table of models that every conformance property runs through."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg

LATENT_DIM = 3
NUM_CLASSES = 4
LOGS = 1e-5


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        model: Function (discriminator, generator) -> model.
        networks: Kind of networks, a key of `NETWORKS`.
        compile: Arguments of `compile` besides the optimizers.
        exact: Whether a run on replicas equals the run on one; if not, `why`.
        why: The reason, as the documentation words it.
        sizes: Global batch size and number of examples. By default no batch divides by
            2, 3 or 4, and the last has one example: all replicas but one get none.
    """

    model: Callable
    networks: str = "mlp"
    compile: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    exact: bool = True
    why: str = ""
    sizes: tuple = (11, 45)

    @property
    def conditional(self):
        """Whether the networks take labels."""
        return self.networks == "conditional"


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


def networks(kind, dtype="float32"):
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


def _gan(**arguments):
    return lambda d, g: kgg.GAN(d, g, seed=3, **arguments)


def _duality_gap(*args, **kwargs):
    response = kgg.BestResponse(*args, **kwargs)
    return lambda d, g: kgg.DualityGapGAN(d, g, best_response=response, seed=3)


def _fictitious(mixture="sampled", **settings):
    settings = {"capacity": 3, "interval": 2, **settings}
    return lambda d, g: kgg.FictitiousGAN(
        d, g, history=kgg.History(**settings), mixture=mixture, seed=3
    )


_R1 = {"penalty": "r1"}
# The row whose history is rounded: two runs that agree to float32's precision may store
# numbers that differ by that of float16.
ROUNDED = "FictitiousGAN float16 bank"
_LOCAL_STATISTICS = (
    "plain BatchNorm normalises over a replica's own share; "
    "`BatchNormalization(synchronized=True)` is exact"
)
_LOCAL_SEARCH = "each replica searches for worst opponents on its own share"
_LOCAL_MASKS = "Dropout draws its masks by the shape of a replica's share"

CASES = {
    "GAN alternating": Case(_gan(), compile=_R1),
    "GAN simultaneous": Case(
        _gan(updates="simultaneous"),
        compile={"loss": "minimax", "penalty": "gradient_penalty"},
    ),
    "GAN discriminator_steps=2": Case(
        _gan(discriminator_steps=2),
        compile={"loss": "hinge", "penalty": kgg.penalties.R1(every=3)},
    ),
    "GAN conditional": Case(
        _gan(), "conditional", {"loss": "least_squares", "penalty": "r1"}
    ),
    "GAN spectral normalisation": Case(_gan(), "spectral", {"loss": "wasserstein"}),
    "GAN regularised": Case(_gan(average_decay=None), "regularized"),
    "GAN synchronized BatchNorm": Case(_gan(), "synchronized", _R1),
    "GAN patches, noisy labels": Case(
        _gan(),
        "patches",
        {
            "loss": kgg.payoffs.get(
                "non_saturating", label_smoothing=0.1, label_noise=0.2
            ),
            "penalty": "gradient_penalty",
        },
    ),
    "GAN BatchNorm": Case(_gan(), "batchnorm", _R1, False, _LOCAL_STATISTICS),
    "GAN Dropout": Case(_gan(), "dropout", _R1, False, _LOCAL_MASKS),
    "DualityGapGAN sgd": Case(
        _duality_gap(2, optimizer="sgd", learning_rate=0.05), compile=_R1
    ),
    "DualityGapGAN adam": Case(
        _duality_gap(3, learning_rate=0.01),
        compile={"loss": "wasserstein", "penalty": "gradient_penalty"},
    ),
    "DualityGapGAN through_gradient": Case(
        _duality_gap(2, "sgd", 0.05, through_gradient=True), compile={"loss": "minimax"}
    ),
    "DualityGapGAN fresh": Case(
        _duality_gap(2, "rmsprop", 0.01, batches="fresh"),
        compile=_R1,
        # Every share must be a multiple of 3.
        sizes=(36, 180),
    ),
    "DualityGapGAN conditional": Case(
        _duality_gap(2, "momentum", 0.01), "conditional", {"loss": "hinge"}
    ),
    "DualityGapGAN synchronized BatchNorm": Case(
        _duality_gap(2, "sgd", 0.05), "synchronized"
    ),
    "DualityGapGAN persistent": Case(
        _duality_gap(2, "adam", 0.01, start="persistent", pull=0.2), compile=_R1
    ),
    "DualityGapGAN persistent synchronized BatchNorm": Case(
        _duality_gap(1, "momentum", 0.01, start="persistent"), "synchronized"
    ),
    "DualityGapGAN persistent BatchNorm": Case(
        _duality_gap(1, "sgd", 0.05, start="persistent"),
        "batchnorm",
        {},
        False,
        _LOCAL_STATISTICS,
    ),
    "DualityGapGAN perturbed": Case(
        _duality_gap(2, "sgd", 0.05, start="perturbed", perturbation=0.1),
        compile={"loss": "minimax"},
    ),
    "DualityGapGAN sync=local": Case(
        _duality_gap(2, "sgd", 0.05, sync="local"),
        compile=_R1,
        exact=False,
        why=_LOCAL_SEARCH,
    ),
    "DualityGapGAN BatchNorm": Case(
        _duality_gap(2, "sgd", 0.05), "batchnorm", {}, False, _LOCAL_STATISTICS
    ),
    "FictitiousGAN sampled": Case(_fictitious(), compile=_R1),
    "FictitiousGAN full": Case(
        _fictitious("full"), compile={"loss": "minimax", "penalty": "gradient_penalty"}
    ),
    "FictitiousGAN side=generator": Case(
        _fictitious(side="generator", retention="reservoir"), compile={"loss": "hinge"}
    ),
    "FictitiousGAN side=discriminator": Case(
        _fictitious("full", side="discriminator", retention="fifo"),
        compile={"loss": "least_squares"},
    ),
    "FictitiousGAN sliced": Case(
        _fictitious("sliced", slices=3, weights="geometric"),
        compile={"loss": "wasserstein", "penalty": "gradient_penalty"},
        # Every share must be a multiple of 3.
        sizes=(36, 180),
    ),
    ROUNDED: Case(
        _fictitious(
            dtype="float16", interval=kgg.history.GrowingInterval(2), weights="nash"
        ),
        compile=_R1,
    ),
    "FictitiousGAN conditional": Case(_fictitious(), "conditional", _R1),
    "FictitiousGAN synchronized BatchNorm": Case(_fictitious(), "synchronized"),
    "FictitiousGAN BatchNorm": Case(
        _fictitious(), "batchnorm", {}, False, _LOCAL_STATISTICS
    ),
    "GAN extragradient": Case(_gan(updates="extragradient"), compile=_R1),
    "GAN optimistic": Case(
        _gan(updates="optimistic"), "conditional", {"loss": "minimax"}
    ),
    "GAN consensus": Case(_gan(updates="consensus"), compile={"loss": "minimax"}),
    "GAN lookahead": Case(
        _gan(updates=kgg.games.schemes.Lookahead(3)), "synchronized", _R1
    ),
    "GAN unrolled": Case(_gan(updates="unrolled"), compile={"loss": "minimax"}),
    "GAN scheduled penalty": Case(
        _gan(),
        compile={
            "penalty": kgg.penalties.Scheduled(
                kgg.penalties.R1(every=2),
                keras.optimizers.schedules.PolynomialDecay(1.0, 8, 0.25),
            )
        },
    ),
}
EXACT = [name for name, case in CASES.items() if case.exact]
EXACT_FLOAT32 = [name for name in EXACT if name != ROUNDED]
INEXACT = [name for name, case in CASES.items() if not case.exact]


def build(name, dtype="float32", optimizer=None, **compile_arguments):
    """Returns the compiled model of a row; call it under the strategy's scope."""
    case = CASES[name]
    gan = case.model(*networks(case.networks, dtype))
    optimizer = optimizer or (lambda: keras.optimizers.SGD(0.05))
    gan.compile(optimizer(), optimizer(), **case.compile, **compile_arguments)
    return gan


def arrays(name, dtype="float32", num_examples=45):
    """Returns (points, labels) of a row; labels are None for plain networks."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(num_examples, 2)).astype(input_dtype(dtype))
    if not CASES[name].conditional:
        return points, None
    return points, generator.integers(0, NUM_CLASSES, num_examples).astype("int32")


def data(name, dtype="float32", sizes=None, drop_remainder=False):
    """Returns a data set of five global batches."""
    batch_size, num_examples = sizes or CASES[name].sizes
    points, labels = arrays(name, dtype, num_examples)
    elements = points if labels is None else (points, labels)
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    batches = tf.data.Dataset.from_tensor_slices(elements)
    return batches.batch(batch_size, drop_remainder).with_options(options)


def samples(gan, source="current"):
    """Returns samples of a model from a fixed seed."""
    labels = np.arange(5) % NUM_CLASSES if gan.conditional else None
    return gan.sample(5, seed=7, source=source, labels=labels)


def outcome(gan, logs):
    """Returns {name: array} of what a run leaves: weights, slots, logs, samples."""
    variables = {f"{i} {v.path}": v for i, v in enumerate(gan.weights)}
    for player in ("d", "g"):
        optimizer = getattr(gan, f"{player}_optimizer")
        for index, variable in enumerate(optimizer.variables):
            variables[f"{player} {index} {variable.path}"] = variable
    found = {name: np.array(variable) for name, variable in variables.items()}
    for name, array in found.items():
        # NumPy's files know no bfloat16; float32 holds its numbers exactly.
        if array.dtype.isbuiltin != 1:
            found[name] = array.astype("float32")
    for log, values in logs.items():
        found[f"log {log}"] = np.array(values, "float64")
    for source in ("current", "average", "mixture"):
        kept = {
            "average": gan.generator_average,
            "mixture": gan.generator_bank,
        }.get(source, gan)
        if kept is not None:
            found[f"samples {source}"] = samples(gan, source)
    return found


def difference(left, right):
    """Returns the largest relative difference of two outcomes, and where it is.

    Each array is compared in the maximum norm, relative to its own largest entry, or
    to 0.01 if that is smaller: a bias that is almost 0 is a sum that almost cancels.
    """
    assert len(left) == len(right) > 0
    worst, where = 0.0, ""
    for (name, a), b in zip(left.items(), right.values(), strict=True):
        assert a.shape == b.shape, name
        if not a.size:
            continue
        gap = np.max(np.abs(a.astype("float64") - b.astype("float64")))
        gap = gap / max(np.max(np.abs(a)), 1e-2)
        if not gap <= worst:
            worst, where = gap, name
    return float(worst), where


def compare(expected, found):
    """Returns the largest relative difference of two outcomes, logs apart.

    Logs are means that Keras keeps in float32, whatever the networks compute in: they
    must agree to that precision.
    """
    left, right = (
        {key: value for key, value in run.items() if key.startswith("log")}
        for run in (expected, found)
    )
    gap, where = difference(left, right)
    assert gap <= LOGS, (where, gap)
    left, right = (
        {key: value for key, value in run.items() if not key.startswith("log")}
        for run in (expected, found)
    )
    return difference(left, right)[0]
