"""The checkpoints on disk: which are valid, which are kept, what is never touched."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

from keras_gamegan import files, version
from keras_gamegan.callbacks import checkpoint_description, checkpoint_store

DamagedError = checkpoint_store.DamagedError


def description(step, **fields):
    """What a callback says of a checkpoint."""
    return {
        "model": "GAN",
        "seed": 0,
        "shapes": [[], [2, 3]],
        "optimizer slots": [[[2, 3]], []],
        "step": step,
        "epoch": 1,
        "batch": 0,
        "data_step": step,
        "metrics": [[1.5, 2.0, float("inf")]],
        "metric names": ["a/0", "a/1", "b/0"],
        "settings": {},
        "data": None,
        "callbacks": [],
        **fields,
    }


CALLBACKS = [{"class": "Keeper", "state": {"n": {"value": 3}, "list": {"arrays": 1}}}]
ARRAYS = {"0/list/0": np.arange(2), "0/array": np.ones(3)}


def save(store, *steps):
    """Saves checkpoints with callbacks."""
    for step in steps:
        weights = f"weights of {step}".encode()
        store.save(description(step, callbacks=CALLBACKS), weights, ARRAYS)


@pytest.fixture(params=["local", "ram"])
def directory(request, tmp_path):
    """An empty folder, here or in TensorFlow's memory."""
    path = tmp_path if request.param == "local" else f"ram://{tmp_path.name}/run"
    place = files.locate("directory", path)
    files.make_folder(place)
    return place


def make(directory, keep=2):
    """A store that knows nothing of what others wrote."""
    return checkpoint_store.CheckpointStore(directory, keep)


def path_of(directory, step, kind="json"):
    """The path of a checkpoint's file."""
    return directory / f"step-{step:012d}.{kind}"


def damage(path, at=0.5):
    """Flips a bit."""
    content = bytearray(files.read_bytes(path))
    content[int(at * len(content))] ^= 1
    files.write_bytes(path, bytes(content))


def edit(path, **fields):
    """Changes fields of a description as another program would: no new checksum."""
    found = json.loads(files.read_bytes(path))
    files.write_bytes(path, json.dumps({**found, **fields}).encode())


def test_what_was_written_comes_back(directory):
    store = make(directory)
    save(store, 3, 12)
    stored = make(directory).newest()
    assert stored.weights == b"weights of 12"
    assert stored.description["step"] == 12
    assert stored.description["metrics"] == [[1.5, 2.0, float("inf")]]
    assert stored.description["format"] == 2
    [(name, state)] = stored.states
    assert name == "Keeper" and state["n"] == 3
    np.testing.assert_array_equal(state["list"][0], [0, 1])
    np.testing.assert_array_equal(state["array"], [1, 1, 1])


def test_so_many_are_kept(directory):
    store = make(directory)
    save(store, 1, 2, 3, 4)
    assert store.steps() == [4, 3]
    assert len(files.names(directory)) == 6
    save(make(directory, keep=1), 5)
    assert store.steps() == [5]
    assert len(files.names(directory)) == 3


def test_names_that_are_nobodys_business(directory):
    mine = [
        "step-notes.json",
        "step-0.json",
        "step-00000000001.json",
        "step-0000000000001.json",
        f"step-{chr(0x661) * 12}.json",
        "step-000000000001.json.bak",
        "my-step-000000000001.json",
        "step-000000000001.weights.h5",
        "damaged-step-000000000001.json",
    ]
    for name in mine:
        files.write_bytes(directory / name, b"precious")
    store = make(directory, keep=1)
    assert store.steps() == [] and store.newest(set_aside=True) is None
    save(store, 2, 3)
    assert store.steps() == [3]
    for name in mine:
        assert files.read_bytes(directory / name) == b"precious"


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        (damage, "json"),
        (damage, "weights.h5"),
        (damage, "callbacks.npz"),
        (files.remove, "weights.h5"),
        (files.remove, "callbacks.npz"),
    ],
)
def test_damaged_ones_do_not_count(how, kind, directory):
    # keep=1, the newest damaged, a restart: the good one must not go before its time.
    save(make(directory), 1, 2)
    how(path_of(directory, 2, kind))
    store = make(directory, keep=1)
    with pytest.warns(UserWarning, match="step-000000000002.json is damaged.*left out"):
        assert store.newest().description["step"] == 1
    with pytest.warns(UserWarning, match="set aside as damaged-step-000000000002.json"):
        assert store.newest(set_aside=True).description["step"] == 1
    assert store.steps() == [1]
    assert "damaged-step-000000000002.json" in files.names(directory)
    assert store.newest().weights == b"weights of 1"
    save(store, 2)
    assert store.steps() == [2]


def test_both_damaged(directory):
    save(make(directory), 1, 2)
    for step in (1, 2):
        damage(path_of(directory, step, "weights.h5"))
    store = make(directory)
    with pytest.warns(UserWarning) as told:
        assert store.newest(set_aside=True) is None
    assert len(told) == 2
    save(store, 1, 2)
    assert store.steps() == [2, 1]
    assert make(directory).newest().weights == b"weights of 2"


def test_retention_sets_older_damaged_ones_aside(directory):
    save(make(directory, keep=3), 1, 2, 3)
    damage(path_of(directory, 2, "weights.h5"))
    with pytest.warns(UserWarning, match="step-000000000002.json is damaged"):
        save(make(directory, keep=3), 4)
    assert make(directory).steps() == [4, 3, 1]


def test_nothing_is_dropped_before_the_new_one_reads_back(directory, monkeypatch):
    store = make(directory, keep=1)
    save(store, 1)
    write = files.write_bytes

    def torn(path, content):
        write(path, content[:-1] if path.name.endswith("h5") else content)

    monkeypatch.setattr(files, "write_bytes", torn)
    with pytest.raises(OSError, match="reads back as another"):
        save(store, 2)
    monkeypatch.undo()
    assert store.steps() == [1] and len(files.names(directory)) == 3
    assert store.newest().weights == b"weights of 1"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_writer_that_dies_at_any_file(number, directory, monkeypatch):
    # Also what an object store shows after a kill: files, but no description.
    store = make(directory)
    save(store, 1)
    write, written = files.write_bytes, []

    def dying(path, content):
        if len(written) == number:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(files, "write_bytes", dying)
    with pytest.raises(KeyboardInterrupt):
        save(store, 2)
    monkeypatch.undo()
    fresh = make(directory)
    assert fresh.newest(set_aside=True).description["step"] == 1
    save(fresh, 2, 3)
    assert fresh.steps() == [3, 2] and len(files.names(directory)) == 6


def test_a_folder_that_becomes_read_only(tmp_path, monkeypatch):
    store = make(tmp_path, keep=1)
    save(store, 1)

    def refused(*arguments, **keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    monkeypatch.setattr(pathlib.Path, "unlink", refused)
    with pytest.raises(PermissionError, match="Permission denied"):
        save(store, 2)
    monkeypatch.undo()
    assert make(tmp_path).newest().weights == b"weights of 1"
    # Written, but the old one cannot go: nothing is lost, so nothing fails.
    monkeypatch.setattr(files, "remove", refused)
    with pytest.warns(UserWarning, match="000001.json could not be removed"):
        save(store, 2)
    monkeypatch.undo()
    assert store.steps() == [2, 1]


def test_a_full_disk(tmp_path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        store = make(tmp_path)
        save(store, 1)
        with pytest.raises(OSError, match="No space left on device"):
            store.save(description(2), b"x" * 300_000, {})
        assert store.steps() == [1] and len(files.names(tmp_path)) == 3
        save(store, 2)
        assert make(tmp_path).newest().weights == b"weights of 2"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_what_cannot_be_read_now_is_no_damage(tmp_path, monkeypatch):
    save(make(tmp_path), 1, 2)

    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "read_bytes", refused)
    with pytest.raises(OSError, match=r"could not be read: Permission denied\. Try"):
        make(tmp_path).newest(set_aside=True)
    monkeypatch.undo()
    assert make(tmp_path).steps() == [2, 1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b"{}",
        b'{"step":',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"format": "2"}',
        b'{"format": true}',
        b'{"format": 2}',
        b'{"format": 1, "keras_gamegan_version": "x"}',
        b'{"format": 1, "keras_gamegan_version": 1}',
        b'{"format": 1, "keras_gamegan_version": "0.1.0"}',
        b"9" * 5000,
    ],
    ids=lambda content: content[:20].decode("latin-1"),
)
def test_what_is_no_description(content):
    with pytest.raises(DamagedError):
        checkpoint_description.read(content, 1)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("model", [3, None]),
        ("seed", [-1, 1.5, "0", True]),
        ("shapes", [3, [3], [[-1]], [["x"]], {}]),
        ("optimizer slots", [[[3]], None]),
        ("step", [6, -1, "5", 5.0, None]),
        ("epoch", [-1, 2.5, [1]]),
        ("batch", [-1, 6, None]),
        ("data_step", [-1, 6, "x"]),
        ("metrics", [[], 3, [[1.0], []], [["x"]], [[None]], [[1.0, 2.0]]]),
        ("sha256", ["", "z" * 64, 3]),
        ("callbacks", [3, [3], [{"class": "A"}], [{"class": "A", "state": {"a": 1}}]]),
        ("callbacks_sha256", ["x", 3]),
        ("metric names", [3, [3], ["a"]]),
        ("settings", [None, []]),
        ("data", [3, []]),
    ],
)
def test_impossible_fields(field, values):
    good = {**description(5), "sha256": "a" * 64}
    assert checkpoint_description.read(checkpoint_description.write(good), 5)
    for value in values:
        bad = checkpoint_description.write({**good, field: value})
        with pytest.raises(DamagedError):
            checkpoint_description.read(bad, 5)
    missing = {name: value for name, value in good.items() if name != field}
    if field in ("callbacks", "callbacks_sha256", "metric names", "settings", "data"):
        assert checkpoint_description.read(checkpoint_description.write(missing), 5)
    else:
        with pytest.raises(DamagedError, match=f"it has no '{field}'"):
            checkpoint_description.read(checkpoint_description.write(missing), 5)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": 3},
        {"format": 99},
        {"keras_gamegan_version": "99.0.0"},
        {"format": 1, "keras_gamegan_version": "99.0.0"},
    ],
)
def test_newer_ones_are_refused_and_stay(fields, directory):
    save(make(directory), 1, 2)
    edit(path_of(directory, 2), **fields)
    store = make(directory, keep=1)
    with pytest.raises(
        ValueError,
        match=rf"keras_gamegan {version.__version__}, which.*Received.*Upgrade: pip",
    ):
        store.newest(set_aside=True)
    save(store, 3)
    assert store.steps() == [3, 2]


def test_callbacks_whose_arrays_are_missing(directory):
    store = make(directory)
    store.save(description(1), b"weights", {})
    with pytest.raises(OSError, match="callbacks without arrays"):
        store.save(description(2, callbacks=CALLBACKS), b"weights", {})
    assert store.steps() == [1]
    # Whatever the arrays are, nothing in them is run.
    packed = {"0/list/0": np.array([print], object)}
    with pytest.raises(OSError, match="its arrays"):
        store.save(description(2, callbacks=CALLBACKS), b"weights", packed)
    assert store.steps() == [1]
