"""What optimizers write is finite, or nothing is written."""

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from tests import strategies
from tests.models.bombs import Bomb, NaNAt, stopped_run


def moves_nothing(gan, points, state, what):
    good, saved, message = stopped_run(gan, points, state)
    assert f"the {what} became NaN or infinite" in message
    assert "at training step 2." in message and saved == [0, 1]
    assert gan.num_steps == 2
    for name, array in state(gan).items():
        np.testing.assert_array_equal(array, good[name], err_msg=name)


OUTCOMES = [
    ("alternating", "generator", "graph"),
    ("alternating", "generator", "eager"),
    ("alternating", "generator", "XLA"),
    ("simultaneous", "discriminator", "XLA"),
    ("simultaneous", "generator", "graph"),
    ("fictitious", "generator", "graph"),
    ("fictitious", "generator", "XLA"),
    ("duality_gap", "generator", "graph"),
]


@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.AdamW])
@pytest.mark.parametrize(("method", "player", "compiled"), OUTCOMES)
def test_an_optimizer_that_writes_nan_moves_nothing(
    make, points, state, method, player, compiled, kind
):
    """Of a plain Adam the rate is looked at, of any other what it wrote."""
    options = {"run_eagerly": compiled == "eager", "jit_compile": compiled == "XLA"}
    options[f"{player[0]}_optimizer"] = kind(NaNAt())
    gan = make(method, "modes", compile={"loss": Bomb(None), **options})
    moves_nothing(gan, points, state, f"update of the {player}")


def test_the_first_player_to_move_is_put_back_too(make, points, state):
    """The generator is the first to see what the discriminator became."""
    optimizer = keras.optimizers.AdamW(NaNAt())
    options = {"d_optimizer": optimizer, "loss": Bomb(None)}
    gan = make("alternating", "modes", compile=options)
    moves_nothing(gan, points, state, "gradient of the generator")


@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_what_a_replica_cannot_write_no_replica_writes(make, points, state, kind):
    with strategies.mirrored().scope():
        options = {"g_optimizer": kind(NaNAt()), "loss": Bomb(None)}
        gan = make("alternating", "modes", compile=options)
    moves_nothing(gan, points, state, "update of the generator")


@pytest.mark.parametrize(
    "change", [{"epsilon": 0.0}, {"beta_1": 1.0}, {"learning_rate": 1e38}]
)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_numbers_that_no_adam_should_have(jit_compile, change):
    """A unit that is dead has a gradient of 0, and 0 / 0 is none."""

    def network():
        dead = keras.initializers.Constant([-50.0, 0.0, 0.0, 0.0])
        hidden = keras.layers.Dense(4, "relu", bias_initializer=dead)
        return keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dense(1)])

    def value(u, v, batch):
        a, c = u(batch)[:, 0], v(batch)[:, 0]
        return a * c - c**2 / 2

    model = kgg.TwoPlayerModel(network(), network(), value, seed=0)
    model.compile(keras.optimizers.Adam(**change), "adam", jit_compile=jit_compile)
    before = [weight.copy() for weight in model.get_weights()]
    data = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    with pytest.raises(kgg.NonFiniteError, match="update of the minimizer"):
        model.fit(data, batch_size=8, verbose=0)
    for now, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, old)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_statistics_of_a_failed_step_are_put_back(jit_compile):
    """The second of two updates fails, when the first has moved a mean."""

    def network():
        layers = keras.layers.BatchNormalization(), keras.layers.Dense(1)
        return keras.Sequential([keras.Input((3,)), *layers])

    def value(u, v, batch):
        a, c = u(batch)[:, 0], v(batch)[:, 0]
        return a * c - c**2 / 2

    updates = kgg.games.schemes.Alternating(maximizer_steps=2)
    model = kgg.TwoPlayerModel(network(), network(), value, updates=updates, seed=0)
    model.compile(
        "sgd", keras.optimizers.SGD(1e30, weight_decay=1e-9), jit_compile=jit_compile
    )
    data = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    before = [weight.copy() for weight in model.get_weights()]
    # The remedy is one that this game has.
    with pytest.raises(kgg.NonFiniteError, match="rates, or clip"):
        model.fit(data, batch_size=8, verbose=0)
    for now, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, old)
