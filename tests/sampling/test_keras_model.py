"""A generator as a plain Keras model."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_gamegan as kgg

LATENTS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


@pytest.mark.parametrize("source", ["current", "average"])
def test_it_makes_what_the_source_makes(gan, source):
    generator = gan.make_generator(source=source)
    np.testing.assert_allclose(
        generator(LATENTS), gan.sample(latents=LATENTS, source=source), rtol=1e-6
    )
    # A copy: neither moves the other.
    assert not {id(v) for v in generator.weights} & {id(v) for v in gan.weights}


def test_a_member_of_the_mixture(gan):
    for member, bias in ((0, 100), (1, 200), (2, 300), (-1, 300)):
        generator = gan.make_generator(source="mixture", member=member)
        np.testing.assert_array_equal(generator.layers[-1].bias, [bias, bias])


@pytest.mark.slow
def test_a_conditional_one_with_statistics_loads_without_this_library(tmp_path):
    pair = kgg.networks.dcgan_pair((8, 8, 1), 3, base_filters=2, num_classes=3)
    generator = kgg.GAN(*pair, seed=0).make_generator(source="average")
    path = tmp_path / "generator.keras"
    generator.save(path)
    assert "gamegan" not in generator.to_json()
    code = f"""
import sys, keras, numpy as np
model = keras.models.load_model({str(path)!r})
latents = np.ones((2, 3), "float32")
np.save({str(tmp_path / "images.npy")!r}, model([latents, np.array([0, 2])]))
assert "keras_gamegan" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    expected = generator([np.ones((2, 3), "float32"), np.array([0, 2])])
    found = np.load(tmp_path / "images.npy")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class Unknown(keras.layers.Layer):
    """A layer whose configuration does not tell its argument."""

    def __init__(self, *numbers):
        super().__init__()
        self.numbers = numbers

    def call(self, inputs):
        return inputs + self.numbers[0]


def test_bad_arguments(gan, plain_gan):
    for arguments, error, text in (
        ({"source": "mixture"}, ValueError, r"member=0 \(the oldest\) to 2.*export\("),
        ({"source": "mixture", "member": 3}, ValueError, "holds 3 generators"),
        ({"source": "mixture", "member": 1.0}, TypeError, "`member` must be an int"),
        ({"member": 0}, ValueError, r'for source="mixture".*Leave it out'),
        ({"source": "best"}, ValueError, "'current', 'average', 'mixture'"),
    ):
        with pytest.raises(error, match=text):
            gan.make_generator(**arguments)
    with pytest.raises(ValueError, match=r"average_decay=0\.999"):
        plain_gan.make_generator("average")
    discriminator, generator = kgg.networks.mlp_pair(2, 3)
    inputs = keras.Input((3,))
    odd = keras.Model(inputs, Unknown(1.0)(generator(inputs)), name="odd")
    with pytest.raises(ValueError, match=r"'odd', whose copy failed.*get_config\(\)"):
        kgg.GAN(discriminator, odd).make_generator()
