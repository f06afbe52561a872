"""A folder of images from `kgg train` to the report."""

import json
import os
import shutil
import signal
import threading

import keras
import numpy as np
import PIL.Image
import pytest

import keras_gamegan as kgg
from keras_gamegan.callbacks import folder_lock
from keras_gamegan.command_line import report_page, run_folder, train
from tests import scripts
from tests.command_line.commands import QUICK, run


@pytest.fixture(name="trained", scope="module")
def fixture_trained(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "x"
    status = run(
        "train",
        images,
        *QUICK,
        "--conditional",
        "--evaluate=8",
        f"--output_dir={folder}",
    )
    assert status == 0
    return folder


def size(path):
    with PIL.Image.open(path) as picture:
        return picture.size


def test_everything_is_written(trained, images):
    names = {path.name for path in trained.iterdir()}
    assert names >= {"checkpoints", "history.csv", "logs", "model.keras", "sampler"}
    assert size(trained / "samples" / "epoch_002.png") == (91, 91)
    settings = json.loads((trained / "settings.json").read_text())
    assert settings["dataset"] == str(images) and settings["penalty"] == "r1"
    rows = scripts.history(trained)
    assert len(rows) == 2
    assert not [name for name in rows[0] if name.startswith("val_")]
    for name in ("d_loss", "frechet_distance", "density", "coverage", "d_real"):
        assert all(np.isfinite(float(row[name])) for row in rows)


def test_the_model_is_that_of_the_best_epoch(trained):
    rows = [float(row["frechet_distance"]) for row in scripts.history(trained)]
    gan = keras.models.load_model(trained / "model.keras")
    real = kgg.datasets.load(
        json.loads((trained / "settings.json").read_text())["dataset"],
        8,
        4,
        with_labels=True,
    )
    assert gan.num_steps == 6 and real.class_names == ["a", "b"]
    assert min(rows) <= rows[-1]


def test_samples(trained, capsys, tmp_path):
    assert run("sample", trained, "--num=6", "--seed=3") == 0
    assert size(trained / "samples.png") == (28, 19)
    assert "6 samples, source=average, seed=3" in capsys.readouterr().out
    arrays = tmp_path / "a.npz"
    options = ("--num=4", "--seed=3", "--labels=1", "--source=current")
    assert run("sample", trained, *options, f"--output={arrays}") == 0
    gan = keras.models.load_model(trained / "model.keras")
    with np.load(arrays) as content:
        expected = gan.sample(4, seed=3, labels=1)
        np.testing.assert_allclose(content["samples"], expected, atol=1e-6)
    files = tmp_path / "files"
    path = ("--interpolate", "--num=3", "--labels=0")
    assert run("sample", trained, *path, f"--output={files}") == 0
    assert [each.name for each in sorted(files.iterdir())] == [
        "00000.png",
        "00001.png",
        "00002.png",
    ]
    assert size(files / "00000.png") == (8, 8)
    assert run("sample", trained, "--labels=cat") == 2
    assert run("sample", trained, "--labels=7") == 1
    said = capsys.readouterr().err
    assert "--labels=cat" in said and "from 0 to 1" in said


def test_evaluate_and_report(trained, tmp_path, capsys):
    assert run("evaluate", trained, "--num=12") == 0
    found = json.loads((trained / "evaluation.json").read_text())
    assert found["n_real"] == found["n_fake"] == 12 and found["train_steps"] == 6
    for name in ("precision", "recall", "density", "coverage", "frechet_distance"):
        assert np.isfinite(found[name])
    assert found["num_features"] > 12
    assert "compares with others of the same number" in capsys.readouterr().out
    page = tmp_path / "report.html"
    assert run("report", trained, trained, f"--output={page}") == 0
    text = page.read_text(encoding="utf-8")
    assert "after train step 6." in text and text.count("<figure>") == 2
    assert "Fréchet distance" in text
    for name in ("base_filters", "coverage", "<h2>Curves</h2>"):
        assert name in text
    # It needs no other file, and no network.
    assert "http" not in text and 'src="data:image/gif' in text
    assert f"Wrote {page}" in capsys.readouterr().out


def measured(name, **changed):
    """A run as the report reads it, measured alike but for what is changed."""
    settings = {"dataset": "pngs", "image_size": 8, "evaluate": 0}
    evaluation = {"frechet_distance": 2.0, "n_real": 12}
    run = report_page.Run(name, settings, {}, evaluation, None, None)
    for key, value in changed.items():
        if key in settings:
            run = run._replace(settings={**settings, key: value})
        elif key in evaluation:
            run = run._replace(evaluation={**evaluation, key: value})
        else:
            run = run._replace(**{key: value})
    return run


def test_runs_measured_alike_are_compared():
    found = report_page.verdict([measured("a"), measured("b", frechet_distance=1.5)])
    assert found.startswith("b is better by the Fréchet distance: 1.5 against 2")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dataset": "others"}, "dataset (pngs, others)"),
        ({"image_size": 16}, "image_size (8, 16)"),
        ({"n_real": 100}, "images (12, 100)"),
        ({"is_stale": True}, "when (at its end, before it went on)"),
        (
            {"evaluation": {}, "logs": {"frechet_distance": [3.0, 1.0]}},
            "measured by (kgg evaluate, kgg train)",
        ),
    ],
)
def test_runs_measured_otherwise_are_not_compared(changed, told):
    found = report_page.verdict([measured("a"), measured("b", **changed)])
    assert found.startswith("These runs cannot be compared") and told in found
    assert "better" not in found


def test_a_run_that_was_trained_on_since_it_was_measured(trained):
    folder = run_folder.RunFolder(trained)
    (trained / "evaluation.json").write_text('{"frechet_distance": 1.0}')
    assert not report_page.read(folder).is_stale
    later = (trained / "evaluation.json").stat().st_mtime + 10
    os.utime(folder.model, (later, later))
    assert report_page.read(folder).is_stale


def test_data_that_changed_are_told_when_a_run_goes_on(images, tmp_path, capsys):
    copied = tmp_path / "images"
    shutil.copytree(images, copied)
    arguments = ("train", copied, *QUICK, f"--output_dir={tmp_path / 'run'}")
    assert run(*arguments) == 0
    told = capsys.readouterr().out
    assert "12 images of 8x8x3; 3 steps an epoch, each image 1 times." in told
    assert run(*arguments, "--epochs=3") == 0
    assert "have changed" not in capsys.readouterr().out
    next(copied.rglob("*.png")).unlink()
    assert run(*arguments, "--epochs=4") == 0
    told = capsys.readouterr().out
    assert "The data have changed: 11 images, 12 when the run began." in told


def test_remedies_are_flags(images, tmp_path, capsys):
    target = f"--output_dir={tmp_path / 'run'}"
    assert run("train", images, *QUICK, target, "--batch_size=13") == 1
    said = capsys.readouterr().err
    assert "13 for 12 examples. Use a smaller --batch_size" in said
    assert run("train", images / "a", *QUICK, target, "--conditional") == 1
    said = capsys.readouterr().err
    assert said.rstrip().endswith("or leave --conditional out.")
    assert "labels=None" not in said
    assert run("train", images, *QUICK, target, "--image_size=9") == 1
    said = capsys.readouterr().err
    assert said.rstrip().endswith("Use --image_size=8 or 10.")
    file = tmp_path / "file"
    file.touch()
    assert run("train", images, *QUICK, f"--output_dir={file}") == 1
    assert "--output_dir must be a folder" in capsys.readouterr().err


def test_a_folder_of_another_run_is_refused(trained, images, capsys):
    other = [each for each in QUICK if "latent" not in each]
    assert run("train", images, *other, f"--output_dir={trained}") == 1
    said = capsys.readouterr().err
    assert "--latent_dim=64 (not 3)" in said and "another --output_dir" in said


@pytest.mark.parametrize(
    "steps",
    [
        1,
        pytest.param(3, marks=pytest.mark.slow),
        pytest.param(4, marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_saves_and_the_same_command_ends_as_if_nothing_had_happened(
    steps, images, tmp_path, capsys, monkeypatch
):
    """In the middle of an epoch, after its last step, and in the next one."""
    whole, folder = tmp_path / "whole", tmp_path / "stopped"
    assert run("train", images, *QUICK, f"--output_dir={whole}") == 0
    ask = train._Interrupt.on_train_batch_end

    def press(self, batch, logs=None):
        if self.model.num_steps == steps and not self._asked:
            # Between two steps, as the system does it; the next step is taken.
            os.kill(os.getpid(), signal.SIGINT)
        ask(self, batch, logs)

    command = ("train", images, *QUICK, f"--output_dir={folder}")
    monkeypatch.setattr(train._Interrupt, "on_train_batch_end", press)
    before = signal.getsignal(signal.SIGINT)
    assert run(*command) == 130
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr()
    assert "Saving. Ctrl-C again ends at once." in said.out
    assert f"To go on: kgg train {images}" in said.err
    assert (folder / "model.keras").is_file()
    assert run(*command) == 0
    assert scripts.history(folder) == scripts.history(whole)
    one, other = (
        keras.models.load_model(each / "model.keras").get_weights()
        for each in (folder, whole)
    )
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_run_that_is_done_says_so(trained, images, capsys):
    arguments = (*QUICK, "--conditional", "--evaluate=8", f"--output_dir={trained}")
    with pytest.warns(UserWarning, match="already trained for 2 of 2 epochs"):
        assert run("train", images, *arguments) == 0
    assert "Nothing to train: epochs done already: 2." in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["settings.json", "history.csv", "model.keras", "data.json", "logs/events"]
)
def test_what_something_else_wrote_is_not_overwritten(name, images, tmp_path, capsys):
    folder = tmp_path / "run"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text('{"mine": 1}')
    assert run("train", images, *QUICK, f"--output_dir={folder}") == 1
    said = capsys.readouterr().err
    taken = name.partition("/")[0]
    assert f"where {taken} would be overwritten" in said
    assert "another --output_dir" in said
    assert (folder / name).read_text() == '{"mine": 1}'
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("source", ["samples", "logs", "sampler/1", "checkpoints"])
def test_images_are_not_what_the_run_writes(source, images, tmp_path, capsys):
    shutil.copytree(images, tmp_path / source)
    assert run("train", tmp_path / source, *QUICK, f"--output_dir={tmp_path}") == 1
    assert "SOURCE must lie apart" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["run/samples", "run"])
def test_links_to_what_the_run_writes_are_not_entered(target, images, tmp_path, capsys):
    source = tmp_path / "source"
    shutil.copytree(images, source)
    (tmp_path / "run" / "samples").mkdir(parents=True)
    # Through another folder that is linked, which links back to itself too.
    between = tmp_path / "between"
    between.mkdir()
    (between / "gen").symlink_to(tmp_path / target)
    (between / "again").symlink_to(between)
    (source / "a" / "more").symlink_to(between)
    output = f"--output_dir={tmp_path / 'run'}"
    assert run("train", source, *QUICK, output) == 1
    assert "SOURCE must lie apart" in capsys.readouterr().err


def test_a_folder_in_which_a_run_trains_is_left_as_it_is(trained, images, capsys):
    """As another process would hold it: another thread, which still runs."""
    lock = folder_lock.FolderLock(trained / "checkpoints")
    held, ended = threading.Event(), threading.Event()

    def train():
        lock.acquire()
        held.set()
        ended.wait()

    names = ("settings.json", "history.csv", "data.json")
    before = [(trained / name).read_bytes() for name in names]
    thread = threading.Thread(target=train)
    thread.start()
    held.wait()
    try:
        for extra in ((), ("--seed=7",)):
            command = (*QUICK, "--conditional", "--evaluate=8", *extra)
            assert run("train", images, *command, f"--output_dir={trained}") == 1
            assert "one training at a time" in capsys.readouterr().err
    finally:
        ended.set()
        thread.join()
        lock.release()
    assert [(trained / name).read_bytes() for name in names] == before


def test_the_run_notes_its_source(images, tmp_path, capsys):
    folder = tmp_path / "run"
    method = ("--method=fictitious", "--history_capacity=2", "--history_interval=1")
    command = ("train", images, *QUICK, *method, f"--output_dir={folder}")
    assert run(*command, "--source=mixture") == 0
    assert run("sample", folder, "--num=4") == 0
    assert "source=mixture" in capsys.readouterr().out
    # It is free to change.
    assert run(*command, "--source=current", "--epochs=3") == 0
    assert run("sample", folder, "--num=4") == 0
    assert "source=current" in capsys.readouterr().out


def test_what_is_no_run_is_not_reported(tmp_path, capsys):
    (tmp_path / "settings.json").write_text('{"name": "another program"}')
    (tmp_path / "report.html").write_text("mine")
    assert run("report", tmp_path) == 1
    assert "which has no settings.json of one" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "mine"


@pytest.mark.parametrize("score", [None, [1], "abc"])
def test_measures_that_are_no_numbers_are_none(score):
    found = report_page.verdict([measured("a"), measured("b", frechet_distance=score)])
    assert found.endswith("Not measured: b.")


def test_outputs_that_cannot_be(trained, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "x.png").mkdir()
    (tmp_path / ".samples").mkdir()
    (tmp_path / ".samples" / "mine").touch()
    for arguments, told in (
        (("sample", trained, "--output=a/.npz"), "Use --output=a/samples.npz."),
        (
            ("sample", trained, "--output=v1.2"),
            "without a dot. Received: --output=v1.2.",
        ),
        (("sample", trained, f"--output={tmp_path / '.samples'}"), "Name another."),
        (("report", trained, f"--output={tmp_path}"), "report.html."),
        (("sample", trained, f"--output={tmp_path / 'file'}"), "a file."),
        (("sample", trained, f"--output={tmp_path / 'x.png'}"), "of a folder."),
        (("sample", trained, f"--output={tmp_path}"), "Name another."),
        (("sample", trained, "--interpolate", "--num=1"), "Received: --num=1."),
        (("sample", trained, f"--labels={2**63}"), "--labels=9223372036854775808."),
    ):
        assert run(*arguments) == 2
        assert capsys.readouterr().err.rstrip().endswith(told)
    for name in ("sample", "evaluate"):
        assert run(name, trained, "--source=mixture") == 1
        told = capsys.readouterr().err
        assert '--source="mixture" needs a history' in told
        assert told.rstrip().endswith("Use --source=current or --source=average.")
    assert run("sample", trained, "--labels=99999999999") == 1
    assert "whole numbers that int32 holds" in capsys.readouterr().err


def test_places_where_nothing_can_be_written_are_told(trained, tmp_path, capsys):
    (tmp_path / "file").touch()
    told = f"'{tmp_path / 'file'}' cannot be read or written: "
    for command in (("sample", trained, "--num=1"), ("report", trained)):
        assert run(*command, f"--output={tmp_path / 'file' / 'x'}") == 1
        said = capsys.readouterr().err
        assert told in said and "Errno" not in said and "another path" in said


def test_samples_go_to_a_folder_that_is_there_whatever_its_name(trained, tmp_path):
    for name in (".hidden", "v1.2"):
        (tmp_path / name).mkdir()
        assert run("sample", trained, "--num=1", f"--output={tmp_path / name}") == 0
        assert [path.name for path in (tmp_path / name).iterdir()] == ["00000.png"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a torn file"])
def test_damaged_files_are_said(content, trained, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    (folder / "model.keras").write_bytes(content)
    assert run("sample", folder) == 1
    assert "writes the model anew from the last checkpoint" in capsys.readouterr().err
    (folder / "settings.json").write_text("{")
    assert run("report", folder) == 1
    assert "a damaged file" in capsys.readouterr().err
