"""The table of models that every conformance property runs through."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from tests.conformance import networks


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        model: Function (discriminator, generator) -> model.
        networks: Kind of networks, a key of `networks.NETWORKS`.
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
    gan = case.model(*networks.pair(case.networks, dtype))
    optimizer = optimizer or (lambda: keras.optimizers.SGD(0.05))
    gan.compile(optimizer(), optimizer(), **case.compile, **compile_arguments)
    return gan


def arrays(name, dtype="float32", num_examples=45):
    """Returns (points, labels) of a row; labels are None for plain networks."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(num_examples, 2)).astype(
        networks.input_dtype(dtype)
    )
    if not CASES[name].conditional:
        return points, None
    return points, generator.integers(0, networks.NUM_CLASSES, num_examples).astype(
        "int32"
    )


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
