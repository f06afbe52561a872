"""Mixtures over slices of the batch: unbiased, exact on replicas, at any network."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.distribution import replicas
from keras_gamegan.games import bookkeeping, gradients, randomness, structures
from keras_gamegan.models.step import adversarial_game, labelled_data
from keras_gamegan.models.step import batch as batches
from tests.conformance import outcomes, run_cases
from tests.conformance.networks import pair

SHARES = np.array([0.5, 0.0, 0.2, 0.3])


def law(slices, shares):
    """All draws of a systematic sample: list of (slots, probability)."""
    edges = np.cumsum(shares)
    # Between two of these numbers no point crosses an edge, the end of [0, 1) among
    # them.
    cuts = (edges[:, None] - np.arange(slices) / slices) % 1
    cuts = np.unique(np.concatenate([[0.0, 1.0], cuts.ravel()]))
    middles = (cuts[1:] + cuts[:-1]) / 2
    tensor = tf.constant(shares, tf.float64)
    return [
        (bookkeeping.systematic_slots(middle, slices, tensor).numpy(), width)
        for middle, width in zip(middles, np.diff(cuts), strict=True)
        if width > 1e-12
    ]


@pytest.mark.parametrize("slices", [1, 2, 3, 4, 8, 10])
def test_systematic_sample(slices):
    expected = np.zeros((slices, 4))
    for slots, probability in law(slices, SHARES):
        counts = np.bincount(slots, minlength=4)
        assert np.all(counts >= np.floor(slices * SHARES - 1e-9))
        assert np.all(counts <= np.ceil(slices * SHARES + 1e-9))
        expected[np.arange(slices), slots] += probability
    # Every slice by itself follows the probabilities.
    np.testing.assert_allclose(expected, np.tile(SHARES, (slices, 1)), atol=1e-12)


def test_systematic_sample_of_float32_never_leaves_the_bank():
    last = np.nextafter(np.float32(1), np.float32(0))
    for slices in (1, 3, 7, 64):
        slots = bookkeeping.systematic_slots(
            last, slices, tf.constant(SHARES, tf.float32)
        )
        assert slots.dtype == tf.int64 and slots.shape == (slices,)
        assert not np.any(np.isin(slots, [1])) and np.max(slots) <= 3


def _setting(kind, payoff, penalty=None):
    """A float64 game, its batch, and four players of each side."""
    discriminator, generator = pair(kind, "float64")
    gan = kgg.GAN(discriminator, generator, seed=0)
    gan.compile("sgd", "sgd", loss=payoff, penalty=penalty)
    rng = np.random.default_rng(0)
    labels = tf.constant(rng.integers(0, 4, 24), tf.int32)
    source = labelled_data.source_of(
        tf.constant(rng.normal(size=(24, 2))),
        labels if kind == "conditional" else None,
        randomness.root(1),
        gan.latent_shape,
    )

    def players(network):
        live = network.player()
        return [
            live._replace(
                weights=[w + 0.5 * rng.standard_normal(w.shape) for w in live.weights]
            )
            for _ in SHARES
        ]

    return (
        gan,
        source(0),
        players(gan.generator_network),
        players(gan.discriminator_network),
    )


def _gradient(objective, player):
    outcome, gradient = gradients.loss_and_gradient(objective, player)
    return [x.numpy() for x in map(tf.convert_to_tensor, (outcome.loss, *gradient))]


def _expected(draws, objective_of, player):
    """The mean of (loss, gradient) over draws [(mixture, probability)]."""
    found = [
        [probability * part for part in _gradient(objective_of(mixture), player)]
        for mixture, probability in draws
    ]
    return [sum(parts) for parts in zip(*found, strict=True)]


def _mixtures(kind, players):
    if kind == "sampled":
        return [
            (structures.pure(player), share)
            for player, share in zip(players, SHARES, strict=True)
        ]
    slices = 4
    return [
        (
            structures.Mixture(
                tuple(players[slot] for slot in slots),
                tf.fill([slices], 1 / slices),
                sliced=True,
            ),
            probability,
        )
        for slots, probability in law(slices, SHARES)
    ]


def _full(players):
    return structures.Mixture(tuple(players), tf.constant(SHARES))


@pytest.mark.parametrize("kind", ["sampled", "sliced"])
@pytest.mark.parametrize(
    ("networks", "payoff", "penalty"),
    [
        ("mlp", "minimax", None),
        ("mlp", "non_saturating", "r1"),
        ("mlp", "hinge", kgg.penalties.R1(every=3)),
        ("conditional", "least_squares", "r1"),
        ("regularized", "wasserstein", None),
        ("spectral", "minimax", None),
    ],
)
def test_draws_are_unbiased_estimates_of_the_full_mixture(
    kind, networks, payoff, penalty
):
    gan, batch, generators, discriminators = _setting(networks, payoff, penalty)
    game = gan.game
    pairs = (
        (
            lambda mixture: game.maximizer_objective(mixture, batch),
            generators,
            gan.discriminator_network.player(),
        ),
        (
            lambda mixture: game.minimizer_objective(mixture, batch),
            discriminators,
            gan.generator_network.player(),
        ),
    )
    for objective_of, opponents, player in pairs:
        full = _gradient(objective_of(_full(opponents)), player)
        mean = _expected(_mixtures(kind, opponents), objective_of, player)
        for found, expected in zip(mean, full, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
        # A single draw is another number: there is something to average.
        one = _gradient(objective_of(_mixtures(kind, opponents)[0][0]), player)
        assert np.abs(one[1] - full[1]).max() > 1e-4


@pytest.mark.parametrize("kind", ["sampled", "sliced"])
def test_gradient_penalty_is_unbiased(kind):
    # The full mixture draws a generator for each example: its mean over that draw is
    # the mean of the penalties on all data of each generator.
    gan, batch, generators, _ = _setting("mlp", "wasserstein", "gradient_penalty")
    v = gan.discriminator_network.player()
    objective_of = gan.game.maximizer_objective
    exact = _expected(
        [(structures.pure(u), p) for u, p in zip(generators, SHARES, strict=True)],
        lambda mixture: objective_of(mixture, batch),
        v,
    )
    mean = _expected(
        _mixtures(kind, generators), lambda mixture: objective_of(mixture, batch), v
    )
    for found, expected in zip(mean, exact, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_value_of_a_sliced_mixture_is_unbiased():
    gan, batch, _, discriminators = _setting("mlp", "minimax")
    u = gan.generator_network.player()

    def value(mixture):
        return float(gan.game.minimizer_objective(mixture, batch, True)(u).value)

    mean = sum(p * value(mixture) for mixture, p in _mixtures("sliced", discriminators))
    assert mean == pytest.approx(value(_full(discriminators)), rel=1e-12)


def test_an_example_meets_the_member_of_its_global_index():
    gan, batch, generators, discriminators = _setting("conditional", "minimax")
    chosen = [2, 0, 3]
    mixture = structures.Mixture(
        tuple(generators[i] for i in chosen), tf.fill([3], 1 / 3), sliced=True
    )
    (fake,), shares = gan.game._fakes(mixture, batch)
    every = [gan.game.generate(u, batch, False)[0] for u in generators]
    assert shares is None
    for index in range(24):
        np.testing.assert_allclose(fake[index], every[chosen[index % 3]][index])
    mixture = mixture._replace(members=tuple(discriminators[i] for i in chosen))
    (logits,), _ = gan.game._answers(mixture, fake, batch)
    for index in range(24):
        v = discriminators[chosen[index % 3]]
        expected = gan.game.logits(v, fake, batch.examples.labels, batch, False)[0]
        np.testing.assert_allclose(logits[index], expected[index])


def test_bank_draws_the_systematic_sample_of_its_clock():
    discriminator, _ = pair("mlp")
    bank = kgg.WeightBank(
        discriminator, 4, interval=None, retention="fifo", mixture="sliced", seed=3
    )
    for _ in range(3):
        bank.push()
        discriminator.set_weights([w + 1 for w in discriminator.get_weights()])
    live = bank._network.player()
    drawn = set()
    for _ in range(8):
        mixture = bank.mixture(live)
        number = randomness.uniform(
            bank._stream(randomness.Purpose.OPPONENT, bank.slots().clock)
        )
        slots = bookkeeping.systematic_slots(number, 4, bank.probabilities()).numpy()
        drawn.add(tuple(slots))
        assert mixture.sliced and len(mixture.members) == 4
        for player, slot in zip(mixture.members, slots, strict=True):
            expected = live if slot == int(bank.slots().head) else bank.member(slot)
            np.testing.assert_array_equal(player.weights[0], expected.weights[0])
        bank.record(live)
    assert len(drawn) > 2


ROWS = {
    "r1": ("mlp", {"penalty": "r1"}, {}),
    "gradient penalty": (
        "mlp",
        {"loss": "wasserstein", "penalty": "gradient_penalty"},
        {"weights": "geometric"},
    ),
    "conditional": ("conditional", {"penalty": kgg.penalties.R1(every=3)}, {}),
    "synchronized": ("synchronized", {"loss": "hinge"}, {"weights": "nash"}),
}


def _train(row, num_replicas=1, batch=24, steps=6, push=False, **options):
    networks, compile_arguments, settings = ROWS[row]
    strategy = run_cases.strategy_for(num_replicas)
    settings = {"capacity": 3, "interval": 1, "slices": 3, **settings}
    with strategy.scope() if strategy else contextlib.nullcontext():
        gan = kgg.FictitiousGAN(
            *pair(networks, "float64"),
            history=kgg.History(**settings),
            mixture="sliced",
            discriminator_steps=2,
            seed=3,
        )
        gan.compile(
            keras.optimizers.SGD(0.05),
            keras.optimizers.SGD(0.05),
            **compile_arguments,
            **options,
        )
    rng = np.random.default_rng(0)
    number = batch * steps
    data = rng.normal(size=(number, 2))
    if gan.conditional:
        data = (data, rng.integers(0, 4, number).astype("int32"))
    data = tf.data.Dataset.from_tensor_slices(data).batch(batch)
    logs = dict(gan.fit(data, verbose=0).history)
    if push:
        gan.generator_bank.push()
        gan.discriminator_bank.push()
        for variable in gan.generator_bank.weights:
            for value in replicas.local_values(variable):
                np.testing.assert_array_equal(value, np.array(variable))
        gan.fit(data, verbose=0)
    return outcomes.outcome(gan, logs)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=[] if row == "conditional" else [pytest.mark.slow])
        for row in ROWS
    ],
)
def test_replicas_take_the_same_steps(row):
    one, two = _train(row), _train(row, num_replicas=2)
    logs = {name for name in one if name.startswith("log")}
    weights = [
        {name: value for name, value in run.items() if name not in logs}
        for run in (one, two)
    ]
    assert outcomes.difference(*weights)[0] <= 1e-10
    assert outcomes.difference(one, two)[0] <= 1e-6  # Logs are float32.


@pytest.mark.slow
def test_push_outside_of_replicas():
    one = _train("r1", push=True)
    two = _train("r1", num_replicas=2, push=True)
    assert outcomes.difference(one, two)[0] <= 1e-6


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
        {"run_eagerly": True},
    ],
)
def test_compiled_and_eager_steps(options):
    assert outcomes.difference(_train("r1"), _train("r1", **options))[0] <= 1e-6


def test_one_slice_is_the_sampled_mixture(make, points, state, assert_same):
    found = []
    for mixture in ("sliced", "sampled"):
        settings = kgg.History(capacity=3, interval=1, slices=1)
        gan = make("fictitious", history=settings, mixture=mixture)
        gan.fit(points, batch_size=8, epochs=2, shuffle=False, verbose=0)
        found.append(state(gan))
    assert_same(*found, tolerance=1e-6)


def test_a_bank_of_one_is_the_base_gan(make, points, networks_state, assert_same):
    settings = kgg.History(capacity=1)
    sliced = make("fictitious", history=settings, mixture="sliced")
    plain = make("alternating")
    for gan in (sliced, plain):
        # 5 divides by no number of slices: one model needs no division.
        gan.fit(points[:20], batch_size=5, epochs=2, shuffle=False, verbose=0)
    assert_same(networks_state(sliced), networks_state(plain))


def test_mixed_precision(make, points):
    settings = kgg.History(capacity=3, interval=1, dtype="float16")
    gan = make("fictitious", "mlp", "mixed_float16", history=settings, mixture="sliced")
    logs = gan.fit(points, batch_size=8, epochs=2, verbose=0).history
    assert np.all(np.isfinite(logs["d_loss"])) and gan.generator_bank.size == 3


@pytest.mark.parametrize(("static", "size"), [(True, 10), (False, 6)])
def test_slices_that_do_not_fit(make, points, static, size):
    gan = make("fictitious", mixture="sliced")
    data = tf.data.Dataset.from_tensor_slices(points[: 10 if static else 14])
    data = data.batch(10 if static else 8, drop_remainder=static)
    expected = (
        r'mixture="sliced" splits each batch over History\(slices=4\).*multiple of 4.*'
        rf"drop_remainder=True.*of size {size}"
    )
    with pytest.raises(ValueError, match=expected):
        gan.fit(data, verbose=0)


def test_saved_models_keep_the_mixture(make, points, tmp_path, state, assert_same):
    gan = make("fictitious", mixture="sliced", history=kgg.History(3, 1, slices=2))
    gan.fit(points, batch_size=8, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.mixture == "sliced" and loaded.history_config.slices == 2
    for each in (gan, loaded):
        each.fit(points, batch_size=8, shuffle=False, verbose=0)
    assert_same(state(gan), state(loaded))


def test_slices_of_a_batch():
    examples = adversarial_game.Examples(tf.range(6), None, 10 * tf.range(6))
    parts = batches.Batch(examples, None, replicas.Share(6, 0, 6), 1).slices(3)
    assert [part.examples.real.numpy().tolist() for part in parts] == [
        [0, 3],
        [1, 4],
        [2, 5],
    ]
    assert parts[1].examples.latents.numpy().tolist() == [10, 40]
    assert parts[0].examples.labels is None and parts[0].share == (6, 0, 6)
