import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import keras_gamegan as kgg
from keras_gamegan.games import retention

BERNOULLI, START = [0.75, 0.25], [0.9, 0.1]


def distributions(size):
    numbers = st.lists(st.floats(0.01, 1), min_size=size, max_size=size)
    return numbers.map(lambda values: np.array(values) / np.sum(values))


def entropy(p):
    return -np.sum(p * np.log(p))


def numpy_fictitious_play(data, start, num_rounds, kind, keep=None):
    """The distances of plain fictitious play, or of one over the last `keep` plays."""
    keep = keep or num_rounds + 1
    generators, discriminators, distances = [np.array(start)], [], []
    for _ in range(num_rounds):
        mean = np.mean(generators[-keep:], axis=0)
        output = data / (data + mean) if kind == "jsd" else (data > mean) * 1.0
        loss = np.log(np.maximum(1 - output, 2.0**-52)) if kind == "jsd" else -output
        discriminators.append(loss)
        point = np.argmin(np.sum(discriminators[-keep:], axis=0))
        generators.append(np.eye(len(data))[point])
        mean = np.mean(generators[-keep:], axis=0)
        distances.append(0.5 * np.abs(mean - data).sum())
    return np.array(distances)


@pytest.fixture(scope="module")
def bernoulli():
    """Ten thousand rounds of each kind."""
    return {
        kind: kgg.games.FiniteGAN(BERNOULLI, kind).fictitious_play(START, 10_000)
        for kind in ("jsd", "wasserstein")
    }


@pytest.mark.parametrize("kind", ["jsd", "wasserstein"])
def test_alternating_best_response_cycles(kind):
    game = kgg.games.FiniteGAN(BERNOULLI, kind)
    points = game.alternating_best_response(START, 20)
    assert points.tolist() == [1, 0] * 10


@pytest.mark.parametrize(
    ("kind", "rounds", "distance"),
    [
        ("jsd", 10, 0.0591),
        ("jsd", 100, 0.0183),
        ("jsd", 1000, 0.0061),
        ("jsd", 10_000, 0.0013),
        ("wasserstein", 10, 0.0318),
        ("wasserstein", 100, 0.0015),
        ("wasserstein", 1000, 0.0001),
        ("wasserstein", 10_000, 0.0000),
    ],
)
def test_fictitious_play_converges(bernoulli, kind, rounds, distance):
    assert round(float(bernoulli[kind].total_variation[rounds]), 4) == distance


def test_discriminators(bernoulli):
    jsd, wasserstein = bernoulli["jsd"], bernoulli["wasserstein"]
    np.testing.assert_allclose(jsd.discriminator_plays[-1], 0.5, atol=2e-3)
    np.testing.assert_allclose(jsd.average_discriminator, 0.5, atol=1e-3)
    # Only the average: each single one is 0 or 1.
    assert set(np.unique(wasserstein.discriminator_plays)) == {0.0, 1.0}
    np.testing.assert_allclose(wasserstein.average_discriminator, 0.5, atol=1e-3)


@pytest.mark.parametrize("kind", ["jsd", "wasserstein"])
def test_result_fits_together(bernoulli, kind):
    result, game = bernoulli[kind], kgg.games.FiniteGAN(BERNOULLI, kind)
    assert result.total_variation.shape == (10_001,)
    assert result.generator_plays.shape == (10_001, 2)
    assert result.discriminator_plays.shape == (10_000, 2)
    np.testing.assert_array_equal(result.generator_plays[0], START)
    np.testing.assert_allclose(
        result.generator_plays.mean(axis=0), result.average_generator, rtol=1e-10
    )
    np.testing.assert_allclose(
        result.discriminator_plays.mean(axis=0),
        result.average_discriminator,
        rtol=1e-10,
    )
    assert result.total_variation[0] == pytest.approx(0.15)
    assert result.total_variation[-1] == pytest.approx(
        game.total_variation(result.average_generator)
    )
    gap = game.duality_gap(result.average_generator, result.average_discriminator)
    assert 0 <= gap < 1e-4


@pytest.mark.parametrize("kind", ["jsd", "wasserstein"])
@pytest.mark.parametrize("keep", [None, 5])
def test_same_as_numpy(kind, keep):
    # Dyadic numbers, so that the two programs' ties are the same ties.
    data, start = np.array([5, 1, 3, 4, 2, 1]) / 16, np.array([1, 1, 1, 1, 4, 8]) / 16
    options = {} if keep is None else {"retention": "fifo", "capacity": keep}
    result = kgg.games.FiniteGAN(data, kind).fictitious_play(start, 60, **options)
    expected = numpy_fictitious_play(data, start, 60, kind, keep)
    np.testing.assert_allclose(result.total_variation[1:], expected, atol=1e-9)


@pytest.mark.parametrize(
    "rule", ["fifo", "thinned", "reservoir", retention.Geometric()]
)
def test_a_bank_that_never_fills_is_full_history(rule):
    data = np.random.default_rng(1).dirichlet(np.ones(8))
    game, start = kgg.games.FiniteGAN(data), np.full(8, 1 / 8)
    full = game.fictitious_play(start, 60)
    bank = game.fictitious_play(start, 60, rule, capacity=80)
    np.testing.assert_allclose(bank.total_variation, full.total_variation, atol=1e-12)


@pytest.fixture(scope="module")
def distance_at_rest():
    """Function (rule, capacity, ...) -> TV over the last quarter of 5,000 rounds."""
    data = np.random.default_rng(0).dirichlet(np.ones(8))
    game, start = kgg.games.FiniteGAN(data), np.full(8, 1 / 8)

    def measure(rule, capacity=None, **options):
        result = game.fictitious_play(start, 5000, rule, capacity=capacity, **options)
        return result.total_variation[-1250:].mean()

    return measure


@pytest.mark.parametrize(
    ("capacity", "distance"), [(5, 0.25), (10, 0.13), (50, 0.04), (200, 0.01)]
)
def test_geometric_discount(distance_at_rest, capacity, distance):
    measured = distance_at_rest("geometric", capacity)
    assert measured == pytest.approx(distance, rel=0.15, abs=0.005)


def test_a_window_never_converges(distance_at_rest):
    distances = [distance_at_rest("fifo", capacity) for capacity in (5, 50, 200)]
    assert min(distances) > 0.35


@pytest.mark.parametrize(
    ("rule", "small", "large"),
    [
        ("thinned", 0.25, 0.06),
        ("reservoir", 0.2, 0.2),
        (retention.Geometric(), 0.3, 0.15),
    ],
)
def test_larger_banks_are_better(distance_at_rest, rule, small, large):
    assert distance_at_rest(rule, 5) > small
    assert distance_at_rest(rule, 200) < large


def test_full_history_is_best(distance_at_rest):
    assert distance_at_rest("all") < 0.01


def test_seed(distance_at_rest):
    game = kgg.games.FiniteGAN(BERNOULLI)

    def play(seed):
        rule = retention.Geometric()
        result = game.fictitious_play(START, 50, rule, capacity=4, seed=seed)
        return result.total_variation.tolist()

    assert play(1) == play(1) != play(2)


@given(distributions(4), distributions(4))
@settings(max_examples=25)
def test_best_discriminator_of_jsd(data, p):
    game = kgg.games.FiniteGAN(data)
    best = game.best_discriminator(p)
    np.testing.assert_allclose(best, data / (data + p), rtol=1e-12)
    # max_D M = JSD - log 2, with entropies as an independent formula.
    jsd = entropy((data + p) / 2) - (entropy(data) + entropy(p)) / 2
    assert float(game.value(p, best)) == pytest.approx(jsd - np.log(2), abs=1e-10)


@given(distributions(4), distributions(4))
@settings(max_examples=25)
def test_best_discriminator_of_wasserstein(data, p):
    game = kgg.games.FiniteGAN(data, "wasserstein")
    best = game.best_discriminator(p)
    np.testing.assert_array_equal(best, data > p)
    half_distance = 0.5 * game.total_variation(p)
    assert float(game.value(p, best)) == pytest.approx(half_distance, abs=1e-12)


@pytest.mark.parametrize("kind", ["jsd", "wasserstein"])
@given(st.data())
@settings(max_examples=25)
def test_nobody_does_better_than_the_best_response(kind, data):
    game = kgg.games.FiniteGAN(data.draw(distributions(3)), kind)
    p, other = data.draw(distributions(3)), data.draw(distributions(3))
    outputs = data.draw(st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3))
    outputs = np.array(outputs)
    tolerance = 1e-12
    best_p, best_d = game.best_generator(outputs), game.best_discriminator(p)
    assert sorted(best_p.tolist()) == [0.0, 0.0, 1.0]
    assert float(game.value(other, outputs) - game.value(best_p, outputs)) > -tolerance
    assert float(game.value(p, best_d) - game.value(p, outputs)) > -tolerance
    assert game.duality_gap(p, outputs) > -tolerance


@given(st.data())
@settings(max_examples=25)
def test_generator_answers_the_mean_of_losses(data):
    history = np.array(
        data.draw(
            st.lists(
                st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3), min_size=2
            )
        )
    )
    losses = np.log(1 - history).mean(axis=0)
    first, second = np.sort(losses)[:2]
    assume(second - first > 1e-9)
    best = kgg.games.FiniteGAN([0.2, 0.3, 0.5]).best_generator(history)
    assert np.argmax(best) == np.argmin(losses)


def test_not_the_loss_of_the_mean():
    # Mean outputs .5 and .55, but mean losses log(.1 * .9)/2 < log(.45): Jensen.
    best = kgg.games.FiniteGAN([0.5, 0.5]).best_generator([[0.9, 0.55], [0.1, 0.55]])
    assert best.tolist() == [1.0, 0.0]


def test_ties_go_to_the_first_point():
    for kind in ("jsd", "wasserstein"):
        game = kgg.games.FiniteGAN([0.5, 0.5], kind)
        assert game.best_generator([0.3, 0.3]).tolist() == [1.0, 0.0]
    assert game.best_discriminator([0.5, 0.5]).tolist() == [0.0, 0.0]


def test_points_without_data():
    game = kgg.games.FiniteGAN([0.5, 0.5, 0.0])
    assert game.best_discriminator([1, 0, 0]).tolist() == [1 / 3, 1.0, 0.5]
    result = game.fictitious_play([0, 0, 1], 2000)
    assert result.total_variation[-1] < 0.03


@pytest.mark.parametrize("kind", ["jsd", "wasserstein"])
def test_equilibrium(kind):
    game = kgg.games.FiniteGAN(BERNOULLI, kind)
    assert game.duality_gap(*game.equilibrium) == pytest.approx(0, abs=1e-15)
    value = {"jsd": -np.log(2), "wasserstein": 0.0}[kind]
    assert float(game.value(*game.equilibrium)) == pytest.approx(value)
    assert game.duality_gap(*game.start) > 0.01
    assert game.name == f"finite_gan_{kind}"


@pytest.mark.parametrize("kind", ["jsd", "wasserstein"])
def test_in_logits(kind):
    game = kgg.games.FiniteGAN([0.6, 0.3, 0.1], kind)
    logits = game.in_logits()
    u, v = np.array([0.3, -1.0, 2.0]), np.array([1.0, -2.0, 0.5])
    p, outputs = np.exp(u) / np.exp(u).sum(), 1 / (1 + np.exp(-v))
    expected = float(game.value(p, outputs))
    assert float(logits.value(u, v)) == pytest.approx(expected)
    at_equilibrium = float(logits.value(*logits.equilibrium))
    assert at_equilibrium == pytest.approx(float(game.value(*game.equilibrium)))
    # Far out, logits lose nothing to rounding.
    u, v = np.zeros(3), np.array([800.0, -800.0, 0.0])
    assert np.isfinite(float(logits.value(u, v)))


def test_gradient_play_in_logits():
    game = kgg.games.FiniteGAN([0.6, 0.3, 0.1])
    result = kgg.games.solve(
        game.in_logits(), scheme="alternating", step_size=1.0, max_iterations=3000
    )
    assert game.total_variation(tf.nn.softmax(result.solution[0]).numpy()) < 1e-3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: kgg.games.FiniteGAN([1.0]), ValueError, "at least 2 points"),
        (
            lambda g: kgg.games.FiniteGAN([1, 2]),
            ValueError,
            "`data_prob.*Divide counts",
        ),
        (
            lambda g: kgg.games.FiniteGAN(BERNOULLI, "hinge"),
            ValueError,
            "`kind` must be one of 'jsd', 'wasserstein'. Received: kind='hinge'",
        ),
        (lambda g: g.total_variation([0.5]), ValueError, "`generator`.*of 2 points"),
        (lambda g: g.best_generator([2.0, 0.0]), ValueError, r"in \[0, 1\].*Received"),
        (lambda g: g.best_generator([0.5] * 3), ValueError, r"\(2,\) or \(m, 2\)"),
        (lambda g: g.fictitious_play([2, 0], 5), ValueError, "`start` must be prob"),
        (lambda g: g.fictitious_play(START, 0), ValueError, "`num_rounds`.*at least 1"),
        (
            lambda g: g.fictitious_play(START, 5, "lru"),
            ValueError,
            "`retention` must be one of 'all', 'fifo'.*'lru'.*instance",
        ),
        (
            lambda g: g.fictitious_play(START, 5, "fifo"),
            TypeError,
            "`capacity`.*Received: capacity=None.*Pass capacity=",
        ),
        (
            lambda g: g.fictitious_play(START, 5, capacity=3),
            ValueError,
            '`capacity` must be None with retention="all"',
        ),
        (
            lambda g: g.fictitious_play(START, 5, current_weight=0.5),
            ValueError,
            "`current_weight` needs a bank.*retention='all'",
        ),
        (
            lambda g: g.fictitious_play(START, 5, "fifo", capacity=3, current_weight=2),
            ValueError,
            r"`current_weight`.*\[0, 1\].*Or pass None or",
        ),
        (lambda g: g.alternating_best_response(START, 2.0), TypeError, "`num_rounds`"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(kgg.games.FiniteGAN(BERNOULLI))
