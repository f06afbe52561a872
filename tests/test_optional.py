"""What is said where a package is missing that a part of the library needs."""

import sys

import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.sampling import pictures


def gan():
    model = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=3, width=4), seed=0)
    model.compile()
    return model


USES = {
    "datasets": ("tensorflow_datasets", lambda path: kgg.datasets.load_arrays("mnist")),
    "games": (
        "scipy.optimize",
        lambda path: kgg.games.MatrixGame([[0.0, 1.0], [1.0, 0.0]]).nash(),
    ),
    "tfgan": (
        "tensorflow_probability",
        lambda path: kgg.compat.import_tensorflow_gan(),
    ),
    "examples": (
        "matplotlib.figure",
        lambda path: pictures.draw(np.zeros((3, 2))),
    ),
    "serving": (
        "tf2onnx",
        lambda path: gan().export(path / "a.onnx", format="onnx"),
    ),
}


@pytest.mark.parametrize("extra", USES)
def test_the_command_is_named(extra, tmp_path, monkeypatch):
    module, use = USES[extra]
    for name in [each for each in sys.modules if each.startswith("tensorflow_gan")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"pip install 'keras-gamegan\[{extra}\]'"):
        use(tmp_path)


def test_figures_name_it_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-gamegan\[examples\]"):
        kgg.compare({"a": {"loss": [1.0]}}).figure()
