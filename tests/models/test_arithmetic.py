"""Whole train steps against NumPy, on a linear generator and a linear discriminator.

With latents z (n, 3), generator x = z A + a, discriminator l = x w + c, payoff terms
f0, f1 and the generator's term g, every gradient is written down by hand below.
"""

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data

SEED, STEPS, SIZE = 3, 4, 8
D_RATE, G_RATE = 0.3, 0.2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


# Name -> (f0, f0', f1, f1', g, g').
TERMS = {
    "minimax": (
        lambda x: -0.5 * softplus(-x),
        lambda x: 0.5 * sigmoid(-x),
        lambda x: -0.5 * softplus(x),
        lambda x: -0.5 * sigmoid(x),
        lambda x: -0.5 * softplus(x),
        lambda x: -0.5 * sigmoid(x),
    ),
    "non_saturating": (
        lambda x: -0.5 * softplus(-x),
        lambda x: 0.5 * sigmoid(-x),
        lambda x: -0.5 * softplus(x),
        lambda x: -0.5 * sigmoid(x),
        lambda x: 0.5 * softplus(-x),
        lambda x: -0.5 * sigmoid(-x),
    ),
    "wasserstein": (
        lambda x: x,
        np.ones_like,
        lambda x: -x,
        lambda x: -np.ones_like(x),
        lambda x: -x,
        lambda x: -np.ones_like(x),
    ),
    "hinge": (
        lambda x: np.minimum(0, x - 1),
        lambda x: 1.0 * (x < 1),
        lambda x: np.minimum(0, -x - 1),
        lambda x: -1.0 * (x > -1),
        lambda x: -x,
        lambda x: -np.ones_like(x),
    ),
    "least_squares": (
        lambda x: -0.5 * (x - 1) ** 2,
        lambda x: 1 - x,
        lambda x: -0.5 * x**2,
        lambda x: -x,
        lambda x: 0.5 * (x - 1) ** 2,
        lambda x: x - 1,
    ),
}


class Oracle:
    """The two players as NumPy arrays, and the arithmetic of one loss."""

    def __init__(self, gan, loss):
        self.v = [np.array(v) for v in gan.discriminator.weights]
        self.u = [np.array(v) for v in gan.generator.weights]
        self.f0, self.df0, self.f1, self.df1, self.g, self.dg = TERMS[loss]

    def value(self, u, v, real, latents):
        fake = latents @ u[0] + u[1]
        return np.mean(self.f0(real @ v[0] + v[1])) + np.mean(
            self.f1(fake @ v[0] + v[1])
        )

    def g_loss(self, u, v, latents):
        return np.mean(self.g((latents @ u[0] + u[1]) @ v[0] + v[1]))

    def slope_of_v(self, u, v, real, latents):
        """The gradient of V in the discriminator, which ascends it."""
        n, fake = len(real), latents @ u[0] + u[1]
        on_real = self.df0(real @ v[0] + v[1]) / n
        on_fake = self.df1(fake @ v[0] + v[1]) / n
        return [
            real.T @ on_real + fake.T @ on_fake,
            on_real.sum(axis=0) + on_fake.sum(axis=0),
        ]

    def slope_of_u(self, u, v, latents):
        """The gradient of the generator's loss, which it descends."""
        logits = (latents @ u[0] + u[1]) @ v[0] + v[1]
        on_fake = self.dg(logits) / len(latents) @ v[0].T
        return [latents.T @ on_fake, on_fake.sum(axis=0)]


def move(player, rate, slope):
    return [x + rate * s for x, s in zip(player, slope, strict=True)]


def mean(slopes, shares):
    return [
        sum(p * s[i] for p, s in zip(shares, slopes, strict=True)) for i in range(2)
    ]


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(0).normal(size=(STEPS * SIZE, 2)) + 1.0


def latents_of(step, draw, data):
    stream = randomness.fold(randomness.root(SEED), step)
    source = labelled_data.source_of(data[:SIZE] + 0.0, None, stream, (3,))
    return source(draw).examples.latents.numpy()


@pytest.fixture
def train(make, data):
    """Function (method, loss, **constructor) -> (oracle, trained model, history)."""

    def run(method, loss="non_saturating", **arguments):
        keras.config.set_floatx("float64")
        gan = make(
            method,
            "linear",
            "float64",
            compile={
                "d_optimizer": keras.optimizers.SGD(D_RATE),
                "g_optimizer": keras.optimizers.SGD(G_RATE),
                "loss": loss,
                # Tracing takes longer than training; graphs have tests of their own.
                "run_eagerly": loss != "minimax",
            },
            seed=SEED,
            **arguments,
        )
        oracle = Oracle(gan, loss)
        history = gan.fit(data, batch_size=SIZE, shuffle=False, verbose=0).history
        return oracle, gan, history

    return run


def batches_of(data):
    for step in range(STEPS):
        yield step, data[step * SIZE : (step + 1) * SIZE]


def check(gan, oracle, history, **logs):
    for network, player in ((gan.generator, oracle.u), (gan.discriminator, oracle.v)):
        for variable, expected in zip(network.weights, player, strict=True):
            assert variable.dtype == "float64"
            np.testing.assert_allclose(variable, expected, rtol=1e-12, atol=1e-13)
    for name, values in logs.items():
        np.testing.assert_allclose(history[name], [np.mean(values)], rtol=1e-5)


@pytest.mark.parametrize("loss", TERMS)
def test_alternating(train, data, loss):
    oracle, gan, history = train("alternating", loss, discriminator_steps=2)
    logs = {"d_loss": [], "g_loss": [], "value": []}
    for step, real in batches_of(data):
        for draw in range(2):
            latents = latents_of(step, draw, data)
            value = oracle.value(oracle.u, oracle.v, real, latents)
            slope = oracle.slope_of_v(oracle.u, oracle.v, real, latents)
            oracle.v = move(oracle.v, D_RATE, slope)
        latents = latents_of(step, 2, data)
        logs["value"].append(value)
        logs["d_loss"].append(-value)
        logs["g_loss"].append(oracle.g_loss(oracle.u, oracle.v, latents))
        slope = oracle.slope_of_u(oracle.u, oracle.v, latents)
        oracle.u = move(oracle.u, -G_RATE, slope)
    check(gan, oracle, history, **logs)


def test_alternating_with_more_steps_of_the_generator(train, data):
    oracle, gan, history = train("alternating", generator_steps=2)
    for step, real in batches_of(data):
        slope = oracle.slope_of_v(oracle.u, oracle.v, real, latents_of(step, 0, data))
        oracle.v = move(oracle.v, D_RATE, slope)
        for draw in (1, 2):
            slope = oracle.slope_of_u(oracle.u, oracle.v, latents_of(step, draw, data))
            oracle.u = move(oracle.u, -G_RATE, slope)
    check(gan, oracle, history)


def test_simultaneous(train, data):
    oracle, gan, history = train("simultaneous")
    logs = {"value": [], "g_loss": []}
    for step, real in batches_of(data):
        latents = latents_of(step, 0, data)
        logs["value"].append(oracle.value(oracle.u, oracle.v, real, latents))
        logs["g_loss"].append(oracle.g_loss(oracle.u, oracle.v, latents))
        of_u = oracle.slope_of_u(oracle.u, oracle.v, latents)
        of_v = oracle.slope_of_v(oracle.u, oracle.v, real, latents)
        oracle.u, oracle.v = move(oracle.u, -G_RATE, of_u), move(oracle.v, D_RATE, of_v)
    check(gan, oracle, history, **logs)


@pytest.mark.parametrize("num_steps", [1, 2])
def test_duality_gap(train, data, num_steps):
    response = kgg.BestResponse(num_steps, optimizer="sgd", learning_rate=0.5)
    oracle, gan, history = train("duality_gap", best_response=response)
    logs = {"value": [], "g_loss": [], "duality_gap": []}
    for step, real in batches_of(data):
        latents = latents_of(step, 0, data)
        u, v = oracle.u, oracle.v
        worst_u, worst_v = u, v
        for _ in range(num_steps):
            worst_u = move(worst_u, -0.5, oracle.slope_of_u(worst_u, v, latents))
            worst_v = move(worst_v, 0.5, oracle.slope_of_v(u, worst_v, real, latents))
        minimum = oracle.value(worst_u, v, real, latents)
        maximum = oracle.value(u, worst_v, real, latents)
        logs["value"].append(minimum)
        logs["duality_gap"].append(maximum - minimum)
        logs["g_loss"].append(oracle.g_loss(u, worst_v, latents))
        oracle.u = move(u, -G_RATE, oracle.slope_of_u(u, worst_v, latents))
        oracle.v = move(v, D_RATE, oracle.slope_of_v(worst_u, v, real, latents))
    check(gan, oracle, history, **logs)
    assert np.mean(logs["duality_gap"]) > 0.01


def test_duality_gap_with_fresh_batches(train, data):
    # Eight examples in four shares: the i-th draw gets those of index i modulo 4.
    response = kgg.BestResponse(3, "sgd", 0.5, batches="fresh")
    oracle, gan, history = train("duality_gap", best_response=response)
    for step, real in batches_of(data):
        shares = [real[draw::4] for draw in range(4)]
        noise = [latents_of(step, draw, data)[:2] for draw in range(4)]
        u, v = oracle.u, oracle.v
        worst_u, worst_v = u, v
        for draw in (1, 2, 3):
            of_u = oracle.slope_of_u(worst_u, v, noise[draw])
            of_v = oracle.slope_of_v(u, worst_v, shares[draw], noise[draw])
            worst_u, worst_v = move(worst_u, -0.5, of_u), move(worst_v, 0.5, of_v)
        of_u = oracle.slope_of_u(u, worst_v, noise[0])
        of_v = oracle.slope_of_v(worst_u, v, shares[0], noise[0])
        oracle.u, oracle.v = move(u, -G_RATE, of_u), move(v, D_RATE, of_v)
    check(gan, oracle, history)


@pytest.mark.parametrize("side", ["both", "generator", "discriminator"])
def test_fictitious_full(train, data, side):
    settings = kgg.History(2, 1, "fifo", None, side)
    oracle, gan, history = train("full", history=settings)
    after, value = [], []
    for step, real in batches_of(data):
        # With an interval of 1 a model is frozen when the next one is recorded: a bank
        # of two holds, beside the live model, the one of the step before the last.
        past = after[step - 2] if step >= 2 else (None, None)
        latents = latents_of(step, 0, data)
        members, shares = mixture(oracle.u, past[0], side != "discriminator")
        value.append(
            sum(
                p * oracle.value(u, oracle.v, real, latents)
                for p, u in zip(shares, members, strict=True)
            )
        )
        slopes = [oracle.slope_of_v(u, oracle.v, real, latents) for u in members]
        oracle.v = move(oracle.v, D_RATE, mean(slopes, shares))
        latents = latents_of(step, 1, data)
        members, shares = mixture(oracle.v, past[1], side != "generator")
        slopes = [oracle.slope_of_u(oracle.u, v, latents) for v in members]
        oracle.u = move(oracle.u, -G_RATE, mean(slopes, shares))
        after.append((oracle.u, oracle.v))
    check(gan, oracle, history, value=value)
    assert (gan.generator_bank is None) == (side == "discriminator")
    assert (gan.discriminator_bank is None) == (side == "generator")


def mixture(live, past, used):
    if past is None or not used:
        return [live], [1.0]
    return [past, live], [0.5, 0.5]
