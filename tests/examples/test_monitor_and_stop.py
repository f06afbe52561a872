"""The stopping example: it stops, restores, draws, says why, and can be resumed."""

import functools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import flags

from tests import scripts

QUICK = (
    "--steps_per_epoch=2",
    "--batch_size=8",
    "--base_filters=2",
    "--gap_steps=2",
    "--num_held_out=100",
    "--num_samples=70",
    "--classifier_epochs=1",
    # Nothing improves by so much: the first epoch stays the best.
    "--min_delta=1000",
    "--patience=2",
    "--monitor=val_duality_gap",
)


@pytest.fixture(scope="module", name="script")
def fixture_script():
    """The example as a module; its flags are gone afterwards."""
    with scripts.loaded("monitor_and_stop", define_flags=True) as script:
        yield script


@pytest.fixture(name="run")
def fixture_run(script):
    """Runs the example with arguments, as the command line would."""
    with tfds.testing.mock_data(num_examples=400):
        yield functools.partial(scripts.run, script)


def _generator(folder):
    model = keras.models.load_model(folder / "model.keras")
    return [np.array(weight) for weight in model.generator.weights]


@pytest.mark.slow
def test_stops_restores_draws_and_says_why(run, tmp_path, capfd):
    pytest.importorskip("matplotlib")
    classifier = f"--classifier={tmp_path / 'classifier.keras'}"
    stopped = tmp_path / "stopped"
    run(*QUICK, classifier, f"--output_dir={stopped}")
    said = capfd.readouterr().out
    assert "Training the classifier" in said and "test accuracy" in said
    assert "Stopped after epoch 3: the smoothed val_duality_gap has not" in said
    assert "Restored: the weights of epoch 1 of 3" in said
    rows = scripts.history(stopped)
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for name in ("val_duality_gap", "val_minimax", "average_classifier_fid"):
        assert all(np.isfinite(float(row[name])) for row in rows)
    gap = float(rows[0]["val_duality_gap"])
    assert f"(gap {gap:.4f}, minimax value" in said
    assert re.search(r"restored generators: current \d+\.\d+; average \d+\.\d+", said)
    pictures = sorted(path.suffix for path in (stopped / "samples").iterdir())
    assert pictures == [".gif", ".png", ".png", ".png"]
    picture = tf.io.decode_png((stopped / "monitor.png").read_bytes()).numpy()
    assert picture.shape[0] > 400 and len(np.unique(picture)) > 2
    assert tf.io.decode_png((stopped / "final.png").read_bytes()).shape == (291, 291, 1)

    # Its weights are those of a run that ends after the best epoch.
    short = tmp_path / "short"
    run(*QUICK, classifier, "--epochs=1", f"--output_dir={short}")
    said = capfd.readouterr().out
    assert "Training the classifier" not in said
    assert "--epochs=1 ended the run before val_duality_gap had gone 2 epochs" in said
    for one, other in zip(_generator(stopped), _generator(short), strict=True):
        np.testing.assert_array_equal(one, other)

    # And a run that was cut off goes on, and stops where it would have.
    run(*QUICK, classifier, f"--output_dir={short}")
    assert "Stopped after epoch 3" in capfd.readouterr().out
    assert scripts.history(short) == rows
    # What has stopped stays so.
    run(*QUICK, classifier, f"--output_dir={short}")
    assert "Restored: the weights of epoch 1 of 3" in capfd.readouterr().out
    assert scripts.history(short) == rows
    for one, other in zip(_generator(stopped), _generator(short), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", ["duality_gap", "fictitious"])
def test_other_methods(script, method):
    scripts.parse(script, f"--method={method}", "--base_filters=2")
    names = {"duality_gap": "DualityGapGAN", "fictitious": "FictitiousGAN"}
    assert type(script.build((28, 28, 1))).__name__ == names[method]


def test_bad_flags(run, tmp_path):
    output = f"--output_dir={tmp_path / 'run'}"
    with pytest.raises(SystemExit, match=r"at most a third.*=200 of 400\. Use fewer"):
        run(*QUICK, "--num_held_out=200", output)
    with pytest.raises(flags.IllegalFlagValueError, match="num_samples"):
        run(*QUICK, "--num_samples=64", output)
    assert not (tmp_path / "run").exists()
