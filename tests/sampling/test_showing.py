"""What `show` shows, in a notebook and elsewhere."""

import sys
import types

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.sampling import pictures


@pytest.fixture
def pyplot():
    from matplotlib import pyplot

    # At its first figure it looks for IPython, of which a test has a stand-in.
    pyplot.switch_backend("agg")
    pyplot.figure()
    pyplot.close("all")

    yield pyplot
    pyplot.close("all")


def test_a_figure_of_images(pyplot):
    pair = kgg.networks.dcgan_pair((8, 8, 1), 3, base_filters=2, num_classes=3)
    gan = kgg.GAN(*pair, seed=0)
    pyplot.close("all")
    figure = gan.show(4, seed=5, source="average")
    assert pyplot.get_fignums() == [figure.number]
    (shown,) = figure.axes[0].images
    # Each class in turn, over the range of tanh.
    samples = gan.sample(seed=5, source="average", labels=[0, 1, 2, 0])
    expected = pictures.image_grid(samples, (-1, 1))
    np.testing.assert_array_equal(shown.get_array(), np.tile(expected, 3))


def test_a_figure_of_points(gan, pyplot):
    (shown,) = gan.show(seed=0).axes[0].images
    assert shown.get_array().shape == (400, 400, 3)
    assert len(np.unique(shown.get_array())) > 2


def test_inline_in_a_notebook(gan, pyplot, monkeypatch):
    shown = []
    module = types.ModuleType("IPython")
    module.display = types.ModuleType("IPython.display")
    module.display.Image = lambda data: data
    module.display.display = lambda picture, display_id: shown.append(picture)
    module.get_ipython = lambda: types.SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", module.display)
    pair = kgg.networks.dcgan_pair((8, 8, 3), 3, base_filters=2)
    assert kgg.GAN(*pair, seed=0).show(4) is None
    picture = tf.io.decode_png(shown[0]).numpy()
    # A grid of 19 x 19, each pixel enlarged to a square.
    assert picture.shape == (25 * 19, 25 * 19, 3)
    # In a console of IPython there is no kernel.
    module.get_ipython = lambda: types.SimpleNamespace()
    assert type(gan.show(4)).__name__ == "Figure"


def test_bad_arguments(gan, conditional_gan, monkeypatch):
    with pytest.raises(ValueError, match="`num_samples` must be an integer of at leas"):
        gan.show(0)
    with pytest.raises(ValueError, match="labels from 0 to 3"):
        conditional_gan.show(labels=[0, 3], num_samples=2)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    pair = kgg.networks.dcgan_pair((8, 8, 3), 3, base_filters=2)
    with pytest.raises(ImportError, match=r"keras-gamegan\[examples\]"):
        kgg.GAN(*pair, seed=0).show(4)
