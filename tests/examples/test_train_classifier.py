"""The classifier: its file is an extractor and a classifier, and it learns."""

import re

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

import keras_gamegan as kgg
from tests import scripts


@pytest.fixture(scope="module", name="script")
def fixture_script():
    """The example as a module; its flags are gone afterwards."""
    with scripts.loaded("train_classifier", define_flags=True) as script:
        yield script


def test_one_file_is_classifier_and_extractor(script, tmp_path, capfd):
    path = tmp_path / "new" / "digits.keras"
    arguments = ("--dataset=mnist", "--epochs=1", "--batch_size=20", f"--output={path}")
    with tfds.testing.mock_data(num_examples=200):
        scripts.run(script, *arguments)
    said = capfd.readouterr().out
    accuracy = float(re.search(r"Test accuracy: (\d\.\d+) after 1 epochs", said)[1])
    assert 0.0 <= accuracy <= 1.0
    assert list(path.parent.iterdir()) == [path]

    classifier = keras.models.load_model(path)
    assert classifier.name == "mnist_classifier" and not classifier.compiled
    images = np.random.default_rng(0).uniform(-1, 1, (90, 28, 28, 1)).astype("float32")
    extractor = kgg.metrics.penultimate_features(classifier)
    assert extractor.output_shape == (None, script.NUM_FEATURES)
    distance = kgg.metrics.FrechetDistance(extractor)
    distance.update_state(images, images[::-1])
    assert float(distance.result()) < 1e-3
    score = kgg.metrics.ClassifierScore(classifier)
    score.update_state(images)
    assert 1.0 <= float(score.result()) <= 10.0
    # What it prints to be copied is what works.
    shown: dict = {}
    exec("\n".join(line.strip() for line in said.splitlines()[-5:]), shown)
    assert shown["fid"].name == "classifier_fid" and shown["score"].num_classes == 10


def test_the_seed_decides(script):
    with tfds.testing.mock_data(num_examples=100):
        trained = [
            script.train("mnist", epochs=1, batch_size=20, seed=seed, verbose=0)[0]
            for seed in (0, 0, 1)
        ]
    same, again, other = (model.get_weights()[0] for model in trained)
    np.testing.assert_array_equal(same, again)
    assert not np.array_equal(same, other)


def test_bad_flags(script, tmp_path):
    with pytest.raises(SystemExit, match=r"ends in \.keras.*Use --output="):
        scripts.run(script, f"--output={tmp_path / 'digits.h5'}")
    with pytest.raises(SystemExit, match=r"Did you mean 'mnist'"):
        scripts.run(script, "--dataset=mnits", f"--output={tmp_path / 'digits.keras'}")
    with pytest.raises(SystemExit, match=r"(?s)download.*data_dir"):
        scripts.run(script, "--nodownload", f"--data_dir={tmp_path}")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_reaches_its_accuracy_real_data(script, data_dir):
    _, accuracy = script.train("fashion_mnist", data_dir, download=False, verbose=0)
    assert accuracy >= 0.90
