"""The image example: what it writes, that it resumes, that it refuses nonsense."""

import gc
import json
import re
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import keras_gamegan as kgg
from tests import scripts

# Two steps an epoch: 40 mocked images in batches of 16.
QUICK = ("--batch_size=16", "--latent_dim=4", "--epochs=2")


@pytest.fixture(scope="module", name="script")
def fixture_script():
    """The example as a module; its flags are gone afterwards."""
    with scripts.loaded("train_images") as script:
        yield script


@pytest.fixture(name="run")
def fixture_run(script):
    """Runs the example with arguments; returns its exit status."""

    def run(*arguments):
        keras.backend.clear_session()
        return script.main(list(arguments))

    with tfds.testing.mock_data(num_examples=40):
        yield run


def _weights(folder):
    model = keras.models.load_model(folder / "model.keras")
    return [np.array(variable) for variable in model.weights]


def test_writes_everything_and_a_finished_run_goes_on(run, tmp_path, capfd):
    output = f"--output_dir={tmp_path}"
    quick = *QUICK, "--base_filters=2", output
    assert run(*quick) == 0
    assert [row["epoch"] for row in scripts.history(tmp_path)] == ["0", "1"]
    assert all(np.isfinite(float(row["d_loss"])) for row in scripts.history(tmp_path))
    pictures = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert pictures == ["epoch_001.png", "epoch_002.png", "samples.gif"]
    grid = tf.io.decode_png((tmp_path / "samples" / pictures[0]).read_bytes())
    assert grid.shape == (291, 291, 1)
    tags = _tensorboard_tags(tmp_path / "logs")
    assert {"epoch_d_loss", "epoch_g_loss", "epoch_value", "samples"} <= tags
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["latent_dim"] == 4
    # Neither where the run is, nor what another method would have made of it.
    assert not {"output_dir", "epochs", "history_capacity"} & set(settings)

    model = keras.models.load_model(tmp_path / "model.keras")
    assert model.num_steps == 4
    sampler = tf.saved_model.load(str(tmp_path / "sampler" / "1"))
    np.testing.assert_allclose(
        sampler.sample(num_samples=3, seed=5)["samples"],
        model.sample(3, seed=5, source="average"),
        atol=1e-5,
    )
    said = capfd.readouterr().out
    assert "Epoch 2/2" in said and "d_loss" in said  # Keras' progress bar.
    shown = {}
    exec(_printed_code(said), shown)
    assert shown["images"].shape == (16, 28, 28, 1)

    # The same command again trains nothing and leaves everything in its place.
    with pytest.warns(UserWarning, match="already trained for 2 of 2 epochs"):
        assert run(*quick) == 0
    assert "Nothing to train: epochs done already: 2" in capfd.readouterr().out
    assert [row["epoch"] for row in scripts.history(tmp_path)] == ["0", "1"]
    # More epochs go on, and the sampler is that of the longer run.
    assert run(*quick, "--epochs=3", "--source=current") == 0
    assert [row["epoch"] for row in scripts.history(tmp_path)] == ["0", "1", "2"]
    longer = keras.models.load_model(tmp_path / "model.keras")
    sampler = tf.saved_model.load(str(tmp_path / "sampler" / "1"))
    np.testing.assert_allclose(
        sampler.sample(num_samples=3, seed=5)["samples"],
        longer.sample(3, seed=5),
        atol=1e-5,
    )
    assert longer.num_steps == 6


def _printed_code(said):
    """Returns the lines that the example prints to be copied."""
    return textwrap.dedent(said[said.index("    import tensorflow") :])


def _tensorboard_tags(folder):
    tags = set()
    for path in folder.rglob("events.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            tags.update(value.tag for value in event.summary.value)
    return tags


# A killed process closes no file; this one, being killed in jest, is told of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
def test_a_killed_run_ends_as_if_nothing_had_happened(run, tmp_path, monkeypatch):
    # Checkpoints fall into epochs, and epochs across the ends of the data.
    arguments = (
        *QUICK,
        "--method=fictitious",
        "--history_interval=1",
        "--network=mlp",
        "--mlp_width=8",
        "--epochs=3",
        "--steps_per_epoch=3",
        "--checkpoint_every=4",
    )
    run(*arguments, f"--output_dir={tmp_path / 'whole'}")

    folder = tmp_path / "killed"
    arguments = (*arguments, f"--output_dir={folder}")
    checkpoint = kgg.callbacks.Checkpoint
    save = checkpoint.on_epoch_end

    def kill(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        save(self, epoch, logs)

    # The second epoch has its line in the history, but not its checkpoint.
    monkeypatch.setattr(checkpoint, "on_epoch_end", kill)
    assert run(*arguments) == 130
    monkeypatch.undo()
    # Its open file is found here, and not during somebody else's test.
    gc.collect()
    assert len(scripts.history(folder)) == 2
    assert run(*arguments) == 0
    assert scripts.history(folder) == scripts.history(tmp_path / "whole")
    for killed, whole in zip(
        _weights(folder), _weights(tmp_path / "whole"), strict=True
    ):
        np.testing.assert_array_equal(killed, whole)


def test_class_conditional_networks_without_convolutions(run, tmp_path, capfd):
    run(
        *QUICK,
        "--method=duality_gap",
        "--num_response_steps=1",
        "--conditional",
        "--network=mlp",
        "--mlp_width=8",
        "--epochs=1",
        f"--output_dir={tmp_path}",
    )
    model = keras.models.load_model(tmp_path / "model.keras")
    assert model.conditional and model.best_response.num_steps == 1
    images = model.sample(10, seed=0, labels=np.arange(10))
    assert images.shape == (10, 28, 28, 1) and np.abs(images).max() <= 1.0
    assert "duality_gap" in scripts.history(tmp_path)[0]
    shown = {}
    exec(_printed_code(capfd.readouterr().out), shown)
    assert shown["images"].shape == (16, 28, 28, 1)
    # Another run does not go on in the same folder.
    assert run("--batch_size=8", "--seed=1", f"--output_dir={tmp_path}") == 1
    said = capfd.readouterr().err
    assert "--batch_size=8 (not 16)" in said and "--seed=1" in said
    assert len(scripts.history(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "match"),
    [
        (["--history_capacity=3"], 1, r"--history_capacity needs --method=fictitious"),
        (["--method=wgan"], 2, r"value should be one of"),
        (["--image_size=30"], 1, r"4, 5, 6 or 7 times a power"),
        (["--dataset=fashion_mnits"], 1, r"Did you mean 'fashion_mnist'"),
        (["--batch_size=64"], 1, r"batch_size=64 for 40 examples"),
        (
            ["--method=duality_gap", "--response_learning_rate=0"],
            1,
            r"--response_learning_rate must be a number in \(0, ",
        ),
    ],
)
def test_bad_flags(run, tmp_path, capfd, arguments, status, match):
    given = ("--batch_size=16", *arguments, f"--output_dir={tmp_path / 'run'}")
    assert run(*given) == status
    assert re.search(match, capfd.readouterr().err)
    assert not (tmp_path / "run").exists()


def test_missing_data_says_what_to_do(script, tmp_path, capfd):
    place = (f"--data_dir={tmp_path}", f"--output_dir={tmp_path}")
    assert script.main(["--nodownload", *place]) == 1
    assert re.search("(?s)download.*data_dir", capfd.readouterr().err)


@pytest.mark.slow
def test_learns_garments_real_data(script, data_dir, tmp_path):
    arguments = [
        f"--data_dir={data_dir}",
        f"--output_dir={tmp_path}",
        "--nodownload",
        "--base_filters=16",
        "--epochs=1",
        "--steps_per_epoch=400",
    ]
    assert script.main(arguments) == 0
    model = keras.models.load_model(tmp_path / "model.keras")
    made = model.sample(1000, seed=0, source="average")
    images = kgg.datasets.load_arrays(
        "fashion_mnist", "test", data_dir=data_dir, num_examples=1000
    )
    real = images / 127.5 - 1.0
    # The mean image, and how much images vary about it, are not those of noise.
    assert np.corrcoef(made.mean(axis=0).ravel(), real.mean(axis=0).ravel())[0, 1] > 0.8
    assert 0.5 < made.std(axis=0).mean() / real.std(axis=0).mean() < 1.5
