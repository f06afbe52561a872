"""The payoff matrix against Keras' own forward passes, one pair at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.population import payoff_table
from tests import strategies

DATA = np.random.default_rng(0).normal(size=(300, 2)).astype("float32")
LABELS = np.arange(300) % 3


def networks(num_classes=None, modes=False, seed=1):
    """A small pair; with ``modes`` one whose training mode differs."""
    if not modes:
        return kgg.networks.mlp_pair(
            2, latent_dim=4, width=8, num_classes=num_classes, seed=seed
        )
    keras.utils.set_random_seed(seed)
    layers = keras.layers

    def model(inputs, outputs):
        return keras.Sequential(
            [
                keras.Input((inputs,)),
                layers.Dense(6, activation="tanh"),
                layers.BatchNormalization(momentum=0.5),
                layers.Dropout(0.3),
                layers.Dense(outputs),
            ]
        )

    return model(2, 1), model(4, 2)


def trained(capacity=3, steps=5, loss="minimax", labels=None, side="both", **pair):
    """A model with a history of different members."""
    gan = kgg.FictitiousGAN(
        *networks(**pair),
        history=kgg.History(capacity, interval=1, retention="fifo", side=side),
        seed=0,
    )
    gan.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01), loss=loss)
    batch = 32
    rows = steps * batch
    labels = None if labels is None else labels[:rows]
    gan.fit(DATA[:rows], labels, batch_size=batch, shuffle=False, verbose=0)
    return gan


@pytest.fixture(scope="module")
def gan():
    """A trained model that no test changes."""
    return trained()


def latents(number, seed=0):
    """The latents of a measurement."""
    stream = randomness.fold(randomness.root(seed), randomness.Purpose.EVALUATION, 0)
    stream = randomness.fold(stream, randomness.Purpose.LATENTS)
    return randomness.normal(stream, [number, 4]).numpy()


def oracle(gan, data, labels=None):
    """Values and standard errors by `set_weights` and calls of the networks."""
    points = latents(len(data))
    live = gan.generator.get_weights(), gan.discriminator.get_weights()

    def weights(bank, number):
        return [live[number]] if bank is None else bank.member_weights

    def call(network, inputs):
        given = inputs if labels is None else [inputs, labels]
        return np.array(network(given, training=False), np.float64)

    values, errors = [], []
    for u in weights(gan.generator_bank, 0):
        gan.generator.set_weights(u)
        fake = call(gan.generator, points)
        for v in weights(gan.discriminator_bank, 1):
            gan.discriminator.set_weights(v)
            terms = [call(gan.discriminator, x)[:, 0] for x in (data, fake)]
            if isinstance(gan.payoff, kgg.payoffs.Wasserstein):
                each = terms[0] - terms[1]
            else:  # 1/2 log sigmoid(l) + 1/2 log(1 - sigmoid(l))
                each = -0.5 * np.log1p(np.exp(-terms[0]))
                each -= 0.5 * np.log1p(np.exp(terms[1]))
            values.append(each.mean())
            errors.append(each.std(ddof=1) / np.sqrt(len(each)))
    gan.generator.set_weights(live[0])
    gan.discriminator.set_weights(live[1])
    shape = len(weights(gan.generator_bank, 0)), -1
    return np.reshape(values, shape), np.reshape(errors, shape)


@pytest.mark.parametrize(
    ("loss", "modes"),
    [("minimax", False), ("non_saturating", True), ("wasserstein", True)],
)
def test_every_pair_against_its_own_forward_passes(loss, modes):
    gan = trained(loss=loss, modes=modes)
    # 300 = 2 * 128 + 44: the last batch is smaller.
    table = kgg.payoff_matrix(gan, DATA)
    values, errors = oracle(gan, DATA)
    np.testing.assert_allclose(table.values, values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(table.standard_errors, errors, rtol=1e-4)
    assert table.values.dtype == table.standard_errors.dtype == np.float64
    assert table.num_examples == 300
    np.testing.assert_array_equal(table.generator_steps, [3, 4, 5])
    np.testing.assert_array_equal(table.discriminator_steps, [3, 4, 5])
    assert len(np.unique(table.values)) == 9


def test_class_conditional():
    gan = trained(num_classes=3, labels=LABELS)
    table = kgg.payoff_matrix(gan, (DATA, LABELS), batch_size=100)
    values, _ = oracle(gan, DATA, LABELS)
    np.testing.assert_allclose(table.values, values, rtol=1e-5, atol=1e-6)
    dataset = tf.data.Dataset.from_tensor_slices((DATA, LABELS)).batch(64)
    again = kgg.payoff_matrix(gan, dataset, batch_size=100)
    np.testing.assert_array_equal(again.values, table.values)


@pytest.mark.parametrize(
    ("side", "shape"), [("generator", (3, 1)), ("discriminator", (1, 3))]
)
def test_a_side_without_history_plays_its_live_model(side, shape):
    gan = trained(side=side)
    table = kgg.payoff_matrix(gan, DATA)
    assert table.values.shape == shape
    np.testing.assert_allclose(table.values, oracle(gan, DATA)[0], rtol=1e-5)
    steps = {shape[0]: table.generator_steps, shape[1]: table.discriminator_steps}
    np.testing.assert_array_equal(steps[1], [5])
    np.testing.assert_array_equal(steps[3], [3, 4, 5])


def test_a_gan_without_history_is_one_pair():
    gan = kgg.GAN(*networks(), seed=0)
    gan.compile()
    table = kgg.payoff_matrix(gan, DATA)
    np.testing.assert_allclose(table.values, oracle(gan, DATA)[0], rtol=1e-5)
    p, q, value = table.equilibrium()
    assert (p.tolist(), q.tolist()) == ([1.0], [1.0])
    assert value == pytest.approx(table.values.item())


def test_the_batch_size_changes_no_result(gan):
    one, other = (kgg.payoff_matrix(gan, DATA, batch_size=b) for b in (300, 7))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-6)
    np.testing.assert_allclose(one.standard_errors, other.standard_errors, rtol=1e-5)


def test_num_batches_takes_the_first_ones(gan):
    part = kgg.payoff_matrix(gan, DATA, num_batches=2, batch_size=50)
    first = kgg.payoff_matrix(gan, DATA[:100], batch_size=50)
    assert part.num_examples == 100
    np.testing.assert_array_equal(part.values, first.values)


def test_the_seed_repeats_and_matters(gan):
    once, again, other = (kgg.payoff_matrix(gan, DATA, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(once.values, again.values)
    assert (once.values != other.values).any()


def test_equal_members_give_equal_entries():
    gan = kgg.FictitiousGAN(*networks(), history=kgg.History(3), seed=0)
    gan.compile()
    for bank in (gan.generator_bank, gan.discriminator_bank):
        bank.push()
        bank.push()
    # Common latents: bit-equal, not merely close.
    assert len(np.unique(kgg.payoff_matrix(gan, DATA).values)) == 1


def test_one_program_serves_a_growing_bank():
    gan = kgg.FictitiousGAN(*networks(), history=kgg.History(4, interval=1), seed=0)
    gan.compile()
    estimator = payoff_table.PayoffEstimator(gan, DATA, batch_size=64)
    for size in (1, 1, 2, 3):
        values = estimator(0).values
        assert values.shape == (size, size)
        np.testing.assert_allclose(values, oracle(gan, DATA)[0], rtol=1e-5)
        gan.fit(DATA[:32], verbose=0)


def test_model_is_untouched():
    gan = trained(modes=True)
    before = [np.array(variable) for variable in gan.variables]
    kgg.payoff_matrix(gan, DATA)
    for old, new in zip(before, gan.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(new))


def test_float16_networks_give_finite_values():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        pair = networks()
    finally:
        keras.config.set_dtype_policy("float32")
    gan = kgg.FictitiousGAN(*pair, history=kgg.History(2, interval=1), seed=0)
    gan.compile()
    gan.fit(DATA[:64], verbose=0)
    table = kgg.payoff_matrix(gan, DATA)
    np.testing.assert_allclose(table.values, oracle(gan, DATA)[0], rtol=0.01)


def test_under_two_replicas_the_same_numbers():
    strategy = strategies.mirrored()
    with strategy.scope():
        gan = kgg.FictitiousGAN(
            *networks(modes=True),
            history=kgg.History(3, interval=1, retention="fifo"),
            seed=0,
        )
        gan.compile("sgd", "sgd")
    gan.fit(DATA[:96], batch_size=32, shuffle=False, verbose=0)
    table = kgg.payoff_matrix(gan, DATA)
    alone = kgg.FictitiousGAN(
        *networks(modes=True),
        history=kgg.History(3, interval=1, retention="fifo"),
        seed=0,
    )
    alone.compile("sgd", "sgd")
    alone.set_weights(gan.get_weights())
    np.testing.assert_array_equal(table.values, kgg.payoff_matrix(alone, DATA).values)
    np.testing.assert_allclose(table.values, oracle(alone, DATA)[0], rtol=1e-5)


def test_not_finite_values_have_no_equilibrium():
    gan = kgg.GAN(*networks(), seed=0)
    gan.compile()
    gan.discriminator.layers[-1].bias.assign([np.nan])
    table = kgg.payoff_matrix(gan, DATA)
    assert np.isnan(table.values).all()
    with pytest.raises(ValueError, match="matrix of finite numbers"):
        table.equilibrium()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: kgg.payoff_matrix(g, DATA[:100]), ValueError, "one batch of 128"),
        (lambda g: kgg.payoff_matrix(g, DATA, num_batches=3), ValueError, "384 in all"),
        (lambda g: kgg.payoff_matrix(g, DATA, num_batches=0), ValueError, "num_batch"),
        (lambda g: kgg.payoff_matrix(g, DATA, batch_size=1.5), TypeError, "batch_size"),
        (lambda g: kgg.payoff_matrix(g, DATA, seed=-1), ValueError, "`seed`"),
        (lambda g: kgg.payoff_matrix(g, DATA * np.nan), ValueError, "must be finite"),
        (lambda g: kgg.payoff_matrix(g, DATA[:, :1]), ValueError, r"shape \(300, 1\)"),
    ],
)
def test_errors(gan, call, error, message):
    with pytest.raises(error, match=message):
        call(gan)


def test_labels_and_compiling_are_asked_for():
    gan = kgg.GAN(*networks(num_classes=3), seed=0)
    with pytest.raises(ValueError, match="must be compiled"):
        kgg.payoff_matrix(gan, (DATA, LABELS))
    gan.compile()
    with pytest.raises(ValueError, match="labels"):
        kgg.payoff_matrix(gan, DATA)
