"""The image example: what it writes, that it resumes, that it refuses nonsense."""

import functools
import gc
import json
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import flags

from tests.examples import scripts

# Two steps an epoch: 40 mocked images in batches of 16.
QUICK = ("--batch_size=16", "--latent_dim=4", "--epochs=2")


@pytest.fixture(scope="module", name="script")
def fixture_script():
    """The example as a module; its flags are gone afterwards."""
    with scripts.loaded("train_images") as script:
        yield script


@pytest.fixture(name="run")
def fixture_run(script):
    """Runs the example with arguments, as the command line would."""
    with tfds.testing.mock_data(num_examples=40):
        yield functools.partial(scripts.run, script)


def _weights(folder):
    model = keras.models.load_model(folder / "model.keras")
    return [np.array(variable) for variable in model.weights]


def test_writes_everything_and_a_finished_run_goes_on(run, tmp_path, capfd):
    output = f"--output_dir={tmp_path}"
    quick = *QUICK, "--base_filters=2", output
    run(*quick)
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
        run(*quick)
    assert "Nothing to train: 2 epochs" in capfd.readouterr().out
    assert [row["epoch"] for row in scripts.history(tmp_path)] == ["0", "1"]
    # More epochs go on, and the sampler is that of the longer run.
    run(*quick, "--epochs=3", "--source=current")
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
def test_a_killed_run_ends_as_if_nothing_had_happened(
    run, script, tmp_path, monkeypatch
):
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
    checkpoint = script.kgg.callbacks.Checkpoint
    save = checkpoint.on_epoch_end

    def kill(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        save(self, epoch, logs)

    # The second epoch has its line in the history, but not its checkpoint.
    monkeypatch.setattr(checkpoint, "on_epoch_end", kill)
    with pytest.raises(KeyboardInterrupt):
        run(*arguments)
    monkeypatch.undo()
    # Its open file is found here, and not during somebody else's test.
    gc.collect()
    assert len(scripts.history(folder)) == 2
    run(*arguments)
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
    with pytest.raises(SystemExit, match=r"--batch_size=8 \(not 16\).*--seed=1"):
        run("--batch_size=8", "--seed=1", f"--output_dir={tmp_path}")
    assert len(scripts.history(tmp_path)) == 1


def test_every_loss_setting_reaches_the_model(run, script):
    scripts.parse(
        script,
        "--method=fictitious",
        "--current_weight=-1",
        "--retention=fifo",
        "--side=generator",
        "--loss=hinge",
        "--penalty=r1",
        "--penalty_weight=0.25",
        "--d_learning_rate=0.001",
        "--beta_1=0.25",
        "--base_filters=2",
    )
    gan = script.build((28, 28, 1), None)
    assert gan.history_config.current_weight is None
    assert gan.history_config.retention.name == "fifo"
    assert gan.discriminator_bank is None
    assert type(gan.payoff).__name__ == "Hinge"
    assert gan.penalty.get_config()["weight"] == 0.25
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(0.001)
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(2e-4)
    assert gan.d_optimizer.beta_1 == gan.g_optimizer.beta_1 == 0.25


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--history_capacity=3"], r"--history_capacity needs --method=fictitious"),
        (["--method=fictitious", "--num_response_steps=2"], r"--method=duality_gap"),
        (["--method=duality_gap", "--discriminator_steps=2"], r"=gan or --method=fic"),
        (["--penalty_weight=1"], r"needs --penalty=r1 or .*with --penalty=none"),
        (
            ["--network=mlp", "--base_filters=8"],
            r"--base_filters needs --network=dcgan",
        ),
        (["--source=mixture"], r"Received: --method=gan.*--source=average"),
        (
            ["--method=fictitious", "--source=mixture", "--side=discriminator"],
            r"history of generators.*--side=both",
        ),
        (["--checkpoint_every=often"], r'"epoch" or a positive number.*every=often'),
        (["--checkpoint_every=0"], r"--checkpoint_every=0"),
        (["--loss=wasserstein"], r"slope.*Add --penalty=gradient_penalty"),
        (["--image_size=30"], r"4, 5, 6 or 7 times a power"),
        (["--dataset=fashion_mnits"], r"Did you mean 'fashion_mnist'"),
        (["--batch_size=64"], r"batch_size=64 for 40 examples"),
        (
            ["--method=duality_gap", "--response_learning_rate=0"],
            r"`learning_rate` must be a number in \(0, ",
        ),
    ],
)
def test_bad_flags(run, tmp_path, arguments, match):
    with pytest.raises(SystemExit, match=match):
        run("--batch_size=16", *arguments, f"--output_dir={tmp_path / 'run'}")
    assert not (tmp_path / "run").exists()


def test_bad_values_are_told_by_absl(run):
    for argument in ("--method=wgan", "--epochs=0", "--steps_per_epoch=-1"):
        with pytest.raises(flags.IllegalFlagValueError, match=argument[2:8]):
            run(argument)


def test_missing_data_says_what_to_do(script, tmp_path):
    with pytest.raises(SystemExit, match=r"(?s)download.*data_dir"):
        scripts.run(
            script, "--nodownload", f"--data_dir={tmp_path}", f"--output_dir={tmp_path}"
        )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gan", "duality_gap", "fictitious"])
def test_learns_garments_real_data(script, data_dir, tmp_path, method):
    scripts.run(
        script,
        f"--method={method}",
        f"--data_dir={data_dir}",
        f"--output_dir={tmp_path}",
        "--nodownload",
        "--epochs=1",
        "--steps_per_epoch=400",
    )
    model = keras.models.load_model(tmp_path / "model.keras")
    made = model.sample(1000, seed=0, source="average")
    images = script.kgg.datasets.load_arrays(
        "fashion_mnist", "test", data_dir=data_dir, num_examples=1000
    )
    real = images / 127.5 - 1.0
    # The mean image, and how much images vary about it, are not those of noise.
    assert np.corrcoef(made.mean(axis=0).ravel(), real.mean(axis=0).ravel())[0, 1] > 0.8
    assert 0.5 < made.std(axis=0).mean() / real.std(axis=0).mean() < 1.5
