"""Commands, help, and errors as one sentence with an exit status."""

import os
import pathlib
import subprocess
import sys

import pytest

from keras_gamegan import version
from keras_gamegan.command_line import main, options, train_options, usage


def test_help_lists_the_commands(capsys):
    assert main(["--help"]) == main([]) == 0
    said = capsys.readouterr().out
    for name in usage.COMMANDS:
        assert f"\n  {name} " in said
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"keras_gamegan {version.__version__}\n"


@pytest.mark.parametrize("name", usage.COMMANDS)
def test_each_command_has_a_short_help(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: kgg {name}")
    lines = said.splitlines()
    assert len(lines) < 40 and max(map(len, lines)) <= 80


def test_all_flags_are_in_the_full_help(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--helpfull"])
    said = capsys.readouterr().out
    own = set(train_options.make().values) - {"?", "help", "helpshort", "helpfull"}
    assert not {name for name in own if f"  --{name}" not in said}
    assert "--history_capacity" in said


@pytest.mark.parametrize(
    "arguments, status, text",
    [
        (
            ["train", "x", "--epoch=2"],
            2,
            "flag 'epoch'. Did you mean --epochs? See --help",
        ),
        (["trian"], 2, "no command 'trian'. Did you mean kgg train?"),
        (["x"], 2, "no command 'x'. See kgg --help"),
        (["train"], 2, "One SOURCE is needed"),
        (["train", "a", "b"], 2, "Received: a and b"),
        (["train", "a", "--epoch=3"], 2, "Unknown command line flag 'epoch'"),
        (["train", "a", "--epochs=0"], 2, "epochs=0"),
        (["train", "a", "--method=ga"], 2, "value should be one of <gan|duality_gap"),
        (["train", "nofolder"], 1, "SOURCE='nofolder', and there is no such folder"),
        (["train", "no/such/folder"], 1, "which does not exist"),
        (["sample"], 2, "Received: nothing. Usage: kgg sample RUN"),
        (["sample", "no/run"], 1, "there is no such folder"),
        (["sample", ".", "--output=a.jpg"], 2, "must end in .png or .npz"),
        (["sample", ".", "--num=2501"], 2, "2500 samples at most. Received: --num=25"),
        (["train", "."], 1, "--output_dir and SOURCE must lie apart"),
        (["train", "..", "--output_dir=../x"], 1, "Received: SOURCE=.., --output_dir"),
        (["evaluate", "."], 1, "no model.keras. Train one: kgg train"),
        (["report", "."], 1, "no settings.json"),
        (["serve", "."], 1, "Give the --output_dir of kgg train, which writes one."),
    ],
)
def test_errors(arguments, status, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == status
    said = capsys.readouterr().err
    assert text in said and "Traceback" not in said
    assert said.startswith("kgg") and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["--history_capacity=3"], "needs --method=fictitious.*--method=gan"),
        (["--network=mlp", "--base_filters=8"], "needs --network=dcgan or --netw"),
        (["--response_learning_rate=1"], "needs --method=duality_gap"),
        (["--penalty=none", "--penalty_weight=1"], "needs --penalty=r1 or"),
        (["--source=mixture"], "needs the history that --method=fictitious keeps"),
        (["--loss=wasserstein", "--penalty=none"], "needs a bound on the discr"),
        (["--checkpoint_every=often"], '"epoch" or a positive number'),
        (["--checkpoint_every=0"], "--checkpoint_every=0"),
        (
            ["--recipe=history", "--side=discriminator", "--source=mixture"],
            "needs a history of generators.*--side=discriminator",
        ),
    ],
)
def test_flags_that_contradict_each_other(arguments, text):
    given = train_options.make()
    given.parse(["a", *arguments])
    with pytest.raises(ValueError, match=text):
        train_options.recipe(given)
        train_options.checkpoint_every(given)


def test_a_recipe_is_changed_by_flags_alone():
    given = train_options.make()
    given.parse(["a", "--recipe=history", "--history_capacity=3", "--beta_1=0.9"])
    made = train_options.recipe(given)
    assert (made.method, made.history_capacity, made.beta_1) == ("fictitious", 3, 0.9)
    assert made.penalty == "r1"
    told = train_options.settings(given, made, "a")
    assert told["dataset"] == "a" and told["history_capacity"] == 3
    # Neither where the run is, nor what another method would have made of it.
    free = {"output_dir", "epochs", "num_response_steps", "mlp_width", "recipe"}
    assert not free & set(told)


def test_every_loss_setting_reaches_the_model():
    given = train_options.make()
    flags = ["--method=fictitious", "--current_weight=-1", "--retention=fifo"]
    flags += [
        "--side=generator",
        "--answered=generator",
        "--loss=hinge",
        "--penalty=r1",
    ]
    flags += ["--penalty_weight=0.25", "--d_learning_rate=0.001", "--beta_1=0.25"]
    given.parse(["a", "--recipe=usual", *flags, "--base_filters=2"])
    gan = train_options.recipe(given).build((28, 28, 1), seed=0)
    assert gan.history_config.current_weight is None
    assert gan.history_config.retention.name == "fifo"
    assert gan.discriminator_bank is None
    assert type(gan.payoff).__name__ == "Hinge"
    assert gan.penalty.get_config()["weight"] == 0.25
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(0.001)
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(2e-4)
    assert gan.d_optimizer.beta_1 == gan.g_optimizer.beta_1 == 0.25


def test_arguments_that_may_be_several():
    several = options.Options("kgg x RUN...", "Does x.", ("RUN", "RUN..."))
    assert several.parse(["a", "b", "c"]) == ["a", "b", "c"]
    assert several.parse(["a"]) == ["a"]
    with pytest.raises(options.UsageError, match="Received: nothing"):
        several.parse([])


@pytest.mark.parametrize(
    "arguments, status, text",
    [
        ([], 0, "\n  train "),
        (["--help"], 0, "\n  train "),
        (["--version"], 0, f"keras_gamegan {version.__version__}\n"),
        (["sampel"], 2, "Did you mean kgg sample? See kgg --help.\n"),
    ],
)
def test_what_needs_no_command_needs_no_tensorflow(arguments, status, text):
    command = pytest.importorskip("kgg_command")
    code = (
        "import sys; sys.modules.update(tensorflow=None, keras=None, numpy=None); "
        "import kgg_command; kgg_command.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(command.__file__).parent,
        check=False,
    )
    assert done.returncode == status
    said, other = (done.stderr, done.stdout)[:: 1 if status else -1]
    assert text in said and not other


@pytest.mark.slow
def test_python_m_is_the_same():
    command = [sys.executable, "-m", "keras_gamegan", "sampel"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("Did you mean kgg sample? See kgg --help.\n")
