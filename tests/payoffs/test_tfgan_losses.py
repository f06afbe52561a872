import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import compat
from keras_gamegan.payoffs import tfgan

REAL, FAKE = (
    tf.constant(np.random.default_rng(seed).normal(size=6), tf.float32)
    for seed in (0, 1)
)


@pytest.mark.parametrize("name", tfgan.NAMES)
def test_value_and_generators_loss_are_tfgans(name):
    losses = compat.import_tensorflow_gan().losses.wargs
    loss = kgg.payoffs.from_tfgan(name)
    value = loss.real_term(REAL) + loss.fake_term(FAKE)
    expected = getattr(losses, f"{name}_discriminator_loss")(REAL, FAKE)
    assert float(tf.reduce_mean(value)) == pytest.approx(-float(expected), rel=1e-5)
    expected = getattr(losses, f"{name}_generator_loss")(FAKE)
    found = float(tf.reduce_mean(loss.generator_term(FAKE)))
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_it_trains_and_is_saved(tmp_path):
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, 3, width=4), seed=0)
    loss = kgg.payoffs.from_tfgan("modified", label_smoothing=0.0)
    gan.compile(loss=loss)
    gan.fit(np.zeros((8, 2), "float32"), verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.payoff.get_config() == loss.get_config()


def test_unknown_losses():
    with pytest.raises(ValueError, match=r"`name` must be.*Received: name='hinge'"):
        kgg.payoffs.from_tfgan("hinge")
