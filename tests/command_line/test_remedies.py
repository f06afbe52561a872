"""What the library says comes in the words of the command line."""

import warnings

import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.command_line import remedies, train_options
from keras_gamegan.models.step import guard
from tests.command_line.commands import QUICK, run


def flags(*arguments):
    given = train_options.make()
    given.parse(["a", *arguments])
    return given


@pytest.mark.parametrize(
    "said, told",
    [
        ("Pass batch_size=4.", "Pass --batch_size=4."),
        ("`seed` must be odd.", "--seed must be odd."),
        ("Use a smaller batch_size.", "Use a smaller --batch_size."),
        ("Received: capacity=9", "Received: --history_capacity=9"),
        # Neither prose, nor what is no flag, nor calls, paths, comparisons or flags.
        ("The seed of the loss.", "The seed of the loss."),
        ("Pass num_steps=3.", "Pass num_steps=3."),
        ("`load(x, seed=3)`", "`load(x, seed=3)`"),
        ("Adam(beta_1=0.5)", "Adam(beta_1=0.5)"),
        ("'runs/batch_size'", "'runs/batch_size'"),
        ("Use --batch_size=4.", "Use --batch_size=4."),
    ],
)
def test_arguments_are_flags(said, told):
    names = {"capacity": "--history_capacity"}
    with (
        pytest.raises(ValueError) as caught,
        remedies.in_flags(flags(), {}, names),
    ):
        raise ValueError(said)
    assert str(caught.value) == told


def test_a_remedy_takes_the_place_of_the_one_in_python():
    with (
        pytest.raises(ValueError) as caught,
        remedies.in_flags(flags(), {"few": "Use --x."}),
    ):
        raise ValueError("Too few. Received: seed=1. Pass Python(things).")
    assert str(caught.value) == "Too few. Received: --seed=1. Use --x."


def test_a_nan_is_cured_by_flags():
    given = flags()
    with (
        pytest.raises(kgg.NonFiniteError) as caught,
        remedies.in_flags(given, remedies.of_training("a", given)),
    ):
        raise guard.error_of("the generator's gradient", 3)
    assert "the generator's gradient became NaN" in str(caught.value)
    assert "at training step 3. Lower --d_learning_rate and" in str(caught.value)
    assert "clipnorm" not in str(caught.value)


def test_warnings_name_flags_and_errors_of_the_system_stay(monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", lambda text, *_: text)
    with pytest.raises(OSError) as caught, remedies.in_flags(flags(), {}):
        shown = warnings.formatwarning(UserWarning("image_size=8"), UserWarning, "", 0)
        raise OSError(2, "No such file", "seed=3")
    assert shown == "--image_size=8"
    assert caught.value.errno == 2 and caught.value.filename == "seed=3"
    assert warnings.formatwarning("image_size=8", UserWarning, "", 0) == "image_size=8"


@pytest.mark.parametrize(
    "flag, told",
    [
        ("--cache=x", "--cache is an argument of a folder of images. Received: --ca"),
        ("--data_dir=x", "--data_dir='x' for 'x.npz', an array file. Leave it out."),
        ("--image_size=9", "(8, 8, 3). Leave --image_size out, or resize them before"),
        ("--conditional", 'the classes "labels", or leave --conditional out.'),
        ("--evaluate=1", "--evaluate must be an integer of at least 4. Received: --ev"),
        ("--latent_dim=0", "--latent_dim=0"),
        (
            "--average_decay=1",
            "--average_decay must be a number in [0, 1). Received: --average_decay=1",
        ),
    ],
)
def test_what_is_wrong_with_a_training(flag, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", images=np.zeros((20, 8, 8, 3), np.uint8))
    quick = [each for each in QUICK if "image_size" not in each]
    assert run("train", "x.npz", *quick, flag) in (1, 2)
    assert told in capsys.readouterr().err


def test_images_that_are_enlarged_are_told_in_one_line(images, tmp_path):
    command = [*QUICK, "--image_size=16", "--epochs=1", f"--output_dir={tmp_path}"]
    # Of 9 to 20 by 10 pixels.
    told = "12 of 12 images .* smaller than 16 x 16 .* has 9 x 10. Pass image_size=8"
    with pytest.warns(UserWarning, match=told) as caught:
        assert run("train", images, *command) == 0
    with remedies.in_flags(flags(), {}):
        line = warnings.formatwarning(caught[0].message, UserWarning, "", 0)
    assert "Pass --image_size=8, which enlarges none.\n" in line
    # Not again: the size of a run stands.
    assert run("evaluate", tmp_path, "--num=12") == 0


def test_arrays_are_resized_by_the_user(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((20, 9, 9, 3), np.uint8))
    command = (tmp_path / "x.npy", "--batch_size=4", f"--output_dir={tmp_path / 'run'}")
    assert run("train", *command) == 1
    said = capsys.readouterr().err
    assert said.rstrip().endswith("Resize the arrays before they are saved.")
    assert run("train", tmp_path / "y.npy", f"--output_dir={tmp_path / 'run'}") == 1
    assert "SOURCE must be a .npz or .npy file." in capsys.readouterr().err
