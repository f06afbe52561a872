import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_gamegan as kgg


def _softplus(x):
    return np.logaddexp(0.0, x)


# Name -> (real term, fake term, generator's term) in NumPy.
ORACLE = {
    "minimax": (
        lambda x: -0.5 * _softplus(-x),
        lambda x: -0.5 * _softplus(x),
        lambda x: -0.5 * _softplus(x),
    ),
    "non_saturating": (
        lambda x: -0.5 * _softplus(-x),
        lambda x: -0.5 * _softplus(x),
        lambda x: 0.5 * _softplus(-x),
    ),
    "wasserstein": (lambda x: x, lambda x: -x, lambda x: -x),
    "hinge": (
        lambda x: np.minimum(0.0, x - 1.0),
        lambda x: np.minimum(0.0, -x - 1.0),
        lambda x: -x,
    ),
    "least_squares": (
        lambda x: -0.5 * (x - 1.0) ** 2,
        lambda x: -0.5 * x**2,
        lambda x: 0.5 * (x - 1.0) ** 2,
    ),
}
TERMS = ("real_term", "fake_term", "generator_term")
LOGITS = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=8)


@pytest.mark.parametrize("name", ORACLE)
@given(LOGITS)
@settings(max_examples=10)
def test_terms(name, logits):
    payoff = kgg.payoffs.get(name)
    logits = np.array(logits)
    for term, oracle in zip(TERMS, ORACLE[name], strict=True):
        result = getattr(payoff, term)(tf.constant(logits))
        np.testing.assert_allclose(result, oracle(logits), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ORACLE)
@given(LOGITS)
@settings(max_examples=10)
def test_gradients_are_finite_differences(name, logits):
    # The hinge has no derivative at 1 and -1.
    logits = np.array([x for x in logits if abs(abs(x) - 1) > 1e-3] or [0.5])
    payoff, step = kgg.payoffs.get(name), 1e-5
    for term, oracle in zip(TERMS, ORACLE[name], strict=True):
        x = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(getattr(payoff, term)(x))
        slope = (oracle(logits + step) - oracle(logits - step)) / (2 * step)
        np.testing.assert_allclose(tape.gradient(total, x), slope, atol=1e-6)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("name", ORACLE)
def test_extreme_logits(name, dtype):
    payoff = kgg.payoffs.get(name)
    x = tf.constant([-1e4, -100.0, 100.0, 1e4], dtype)
    for term, oracle in zip(TERMS, ORACLE[name], strict=True):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = getattr(payoff, term)(x)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, oracle(x.numpy()), rtol=1e-6, atol=1e-30)
        assert np.isfinite(tape.gradient(result, x)).all()


@pytest.fixture(scope="module")
def tfgan_losses():
    return kgg.compat.import_tensorflow_gan().losses.wargs


# Ours, TF-GAN's two losses, and the factor of the discriminator's and generator's.
TFGAN = {
    "minimax": ("minimax_discriminator_loss", "minimax_generator_loss", 0.5, 0.5),
    "non_saturating": (
        "modified_discriminator_loss",
        "modified_generator_loss",
        0.5,
        0.5,
    ),
    "wasserstein": (
        "wasserstein_discriminator_loss",
        "wasserstein_generator_loss",
        1.0,
        1.0,
    ),
    "least_squares": (
        "least_squares_discriminator_loss",
        "least_squares_generator_loss",
        1.0,
        1.0,
    ),
}


@pytest.mark.parametrize("name", TFGAN)
def test_against_tfgan(name, tfgan_losses):
    discriminator_loss, generator_loss, d_factor, g_factor = TFGAN[name]
    rng = np.random.default_rng(0)
    real, fake = (tf.constant(rng.normal(size=(6, 1)), tf.float32) for _ in range(2))
    # TF-GAN smooths labels unless told not to.
    smooth = {"label_smoothing": 0.0} if "mi" in name or "non" in name else {}
    theirs = getattr(tfgan_losses, discriminator_loss)(real, fake, **smooth)
    payoff = kgg.payoffs.get(name)
    value = tf.reduce_mean(payoff.real_term(real)) + tf.reduce_mean(
        payoff.fake_term(fake)
    )
    np.testing.assert_allclose(-value, d_factor * theirs, rtol=1e-6)
    # TF-GAN's minimax generator loss carries a constant: the slopes must agree.
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        ours = tf.reduce_mean(payoff.generator_term(fake))
        theirs = g_factor * getattr(tfgan_losses, generator_loss)(fake)
    np.testing.assert_allclose(
        tape.gradient(ours, fake), tape.gradient(theirs, fake), rtol=1e-5
    )
    if name != "minimax":
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", ORACLE)
def test_optimum(name):
    # At equilibrium both densities agree, so the best logit maximises f0 + f1.
    real, fake, _ = ORACLE[name]
    logits = np.linspace(-3, 3, 60_001)
    best = np.max(real(logits) + fake(logits))
    assert kgg.payoffs.get(name).optimum == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("name", ORACLE)
def test_round_trip(name):
    payoff = kgg.payoffs.get(name)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(payoff)
    )
    assert type(copy) is type(payoff) and copy.get_config() == payoff.get_config()


def test_get():
    payoff = kgg.payoffs.Hinge()
    assert kgg.payoffs.get(payoff) is payoff
    with pytest.raises(ValueError, match=r"'minimax', 'non_saturating'.*loss='gan'"):
        kgg.payoffs.get("gan")
    with pytest.raises(ValueError, match=r"Received.*Pass an object: Hinge\(\)"):
        kgg.payoffs.get(kgg.payoffs.Hinge)


@pytest.mark.parametrize("term", TERMS)
def test_a_payoff_must_be_defined(term):
    class Unfinished(kgg.Payoff):
        pass

    with pytest.raises(TypeError, match="Unfinished is not a payoff yet"):
        getattr(Unfinished(), term)(tf.zeros(3))
    assert Unfinished.from_config({}).optimum is None


@pytest.mark.parametrize("smoothing", [0.1, 0.4])
def test_label_smoothing_is_cross_entropy_with_a_softer_label(smoothing):
    logits = np.linspace(-5, 5, 11)
    probability = 1 / (1 + np.exp(-logits))
    real = 1.0 - smoothing
    expected = real * np.log(probability) + smoothing * np.log(1 - probability)
    for name in ("minimax", "non_saturating"):
        payoff = kgg.payoffs.get(name, label_smoothing=smoothing)
        found = payoff.real_term(tf.constant(logits))
        np.testing.assert_allclose(found, 0.5 * expected, rtol=1e-10)
        # One side only.
        for term in TERMS[1:]:
            found = getattr(payoff, term)(tf.constant(logits))
            np.testing.assert_array_equal(
                found, getattr(kgg.payoffs.get(name), term)(tf.constant(logits))
            )
    payoff = kgg.payoffs.get("least_squares", label_smoothing=smoothing)
    found = payoff.real_term(tf.constant(logits))
    np.testing.assert_allclose(found, -0.5 * (logits - real) ** 2, rtol=1e-12)


@pytest.mark.parametrize("name", ["minimax", "non_saturating", "least_squares"])
def test_optimum_with_label_smoothing(name):
    payoff = kgg.payoffs.get(name, label_smoothing=0.2, label_noise=0.1)
    logits = tf.constant(np.linspace(-3, 3, 60_001))
    best = np.max(payoff.real_term(logits) + payoff.fake_term(logits))
    assert payoff.optimum == pytest.approx(best, abs=1e-6)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(payoff)
    )
    assert repr(copy) == repr(payoff)
    assert repr(payoff).endswith("(label_smoothing=0.2, label_noise=0.1)")
    # Files of older versions know of none.
    assert type(payoff)().get_config() == {} and payoff.label_noise == 0.1
