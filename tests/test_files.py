"""Files: local and remote paths alike, whole or not at all, errors of one kind."""

import errno
import os
import pathlib
import platform
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from keras_gamegan import files


@pytest.fixture(params=["local", "ram"])
def folder(request, tmp_path):
    """A folder that is not made yet, here or in TensorFlow's memory."""
    if request.param == "local":
        return files.locate("folder", tmp_path / "new")
    return files.locate("folder", f"ram://{tmp_path.name}/new")


@pytest.mark.parametrize(
    ("given", "text", "remote"),
    [
        ("runs/x", os.path.join("runs", "x"), False),
        (pathlib.Path("runs/x"), os.path.join("runs", "x"), False),
        ("file:///tmp/x", os.path.join(os.sep, "tmp", "x"), False),
        # No schemes: a drive, and a name with a colon.
        ("C:/x", "C:/x", False),
        ("a:b/c", "a:b/c", False),
        ("gs://bucket/x", "gs://bucket/x", True),
        ("gs://bucket/x/", "gs://bucket/x", True),
        ("ram://x", "ram://x", True),
        # What `pathlib` makes of them.
        (pathlib.PurePosixPath("gs://bucket/x"), "gs://bucket/x", True),
        ("gs:/bucket/x", "gs://bucket/x", True),
    ],
)
def test_locate(given, text, remote):
    place = files.locate("path", given)
    assert (str(place), files.is_remote(place)) == (text, remote)
    assert os.fspath(place) == text
    assert files.locate("path", place) == place
    inside = place / "y"
    assert (inside.name, inside.parent) == ("y", place)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        (None, TypeError, "`where` must be a str or a pathlib.Path. Received: where=N"),
        (3, TypeError, r"Received: where=3 \(of type int\)"),
        (b"x", TypeError, r"of type bytes"),
        ("", ValueError, "`where` must be a path. Received: where=''"),
        ("a\0b", ValueError, "without null characters"),
        ("s4://b/x", ValueError, r"one of .*gs://.*ram://.*Received: where='s4://b/x'"),
        (pathlib.PurePosixPath("s4://b"), ValueError, "Received: where='s4:/b'"),
    ],
)
def test_what_is_no_path(given, error, match):
    with pytest.raises(error, match=match):
        files.locate("where", given)


def test_files_and_folders(folder):
    path = folder / "one.bin"
    assert files.names(folder) == [] and not files.exists(path)
    with pytest.raises(FileNotFoundError):
        files.read_bytes(path)
    files.remove(path)
    files.move(path, folder / "two.bin")
    files.make_folder(folder)
    files.make_folder(folder)
    files.write_bytes(path, b"a\0b")
    files.write_bytes(path, b"other")
    assert files.read_bytes(path) == b"other"
    assert files.names(folder) == ["one.bin"]
    assert files.is_file(path) and not files.is_file(folder)
    assert not files.is_file(folder / "none")
    files.move(path, folder / "two.bin")
    assert files.names(folder) == ["two.bin"] and not files.exists(path)
    files.check_writable("directory", folder)
    files.sweep(folder)
    assert files.names(folder) == ["two.bin"]
    files.remove(folder / "two.bin")
    assert files.names(folder) == []


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("taken", r"`directory` must be a place that can be.*\(File exists\)\. Choose"),
        ("taken/below", r"\(Not a directory\)"),
        ("x" * 300, r"Received: directory='.{80}\.\.\.x{20}' .File name too long"),
    ],
)
def test_a_folder_that_cannot_be_written(name, match, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ValueError, match=match):
        files.check_writable("directory", tmp_path / name)
    assert (tmp_path / "taken").read_text() == "mine"


def fail(number):
    """A function that fails as the system does."""

    def failing(*arguments, **keywords):
        raise OSError(number, os.strerror(number))

    return failing


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("can_remove", [True, False])
def test_what_was_there_stays_if_writing_fails(step, can_remove, tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_bytes(path, b"before")
    monkeypatch.setattr(os, step, fail(errno.ENOSPC))
    if not can_remove:  # The folder has become read-only.
        monkeypatch.setattr(pathlib.Path, "unlink", fail(errno.EROFS))
    with pytest.raises(OSError, match="No space left on device"):
        files.write_bytes(path, b"after")
    monkeypatch.undo()
    assert path.read_bytes() == b"before"
    assert len(files.names(tmp_path)) == (1 if can_remove else 2)


def test_a_full_disk_raises(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        files.write_bytes(tmp_path / "file", b"before")
        with pytest.raises(OSError, match="No space left"):
            files.write_bytes(tmp_path / "file", b"x" * 100_000)
        assert files.names(tmp_path) == ["file"]
        assert (tmp_path / "file").read_bytes() == b"before"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_folders_are_flushed_where_that_is_possible(tmp_path, monkeypatch):
    flushed = []
    fsync = os.fsync

    def noting(descriptor):
        flushed.append(os.fstat(descriptor).st_mode & 0o040000 != 0)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    files.write_bytes(tmp_path / "one", b"1")
    assert flushed == [False, True]
    # As on Windows, which cannot open folders.
    monkeypatch.delattr(os, "O_DIRECTORY")
    files.write_bytes(tmp_path / "two", b"2")
    assert flushed == [False, True, False]


@pytest.mark.parametrize(
    ("number", "raises"), [(errno.EINVAL, False), (errno.EIO, True)]
)
def test_a_folder_that_cannot_be_flushed(number, raises, tmp_path, monkeypatch):
    fsync = os.fsync

    def refusing(descriptor):
        if os.fstat(descriptor).st_mode & 0o040000:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    if raises:
        with pytest.raises(OSError, match="Input/output error"):
            files.write_bytes(tmp_path / "file", b"1")
    else:
        files.write_bytes(tmp_path / "file", b"1")
    assert (tmp_path / "file").read_bytes() == b"1"


def ended_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait(60)
    return process.pid


def test_only_what_dead_processes_left_is_swept(tmp_path):
    dead, here, live = ended_process(), platform.node(), os.getppid()
    swept = [
        f".writing-{here}-{dead}-0123abcd",
        f".writing-{here}-{os.getpid()}-0123abcd",
        f".writing-elsewhere-{live}-aaaaaaaa",
        # As 0.1.0 called them.
        f".writing-{dead}.weights.h5",
        f".writing-{dead}.json",
    ]
    kept = [
        f".writing-{here}-{live}-0123abcd",
        f".writing-elsewhere-{dead}-0123abcd",
        f".writing-{live}.weights.h5",
        f".writing-{here}-{dead}-notes",
        f"writing-{here}-{dead}-0123abcd",
        f".writing-{dead}.txt",
        "step-notes.json",
    ]
    for name in swept + kept:
        (tmp_path / name).touch()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(tmp_path / swept[2], (two_days_ago, two_days_ago))
    files.sweep(tmp_path)
    assert files.names(tmp_path) == sorted(kept)


def test_what_makes_an_upload_valid_is_written_last(tmp_path, monkeypatch):
    source = tmp_path / "source"
    (source / "variables").mkdir(parents=True)
    for name in ("a.pb", "saved_model.pb", "variables/data", "zebra"):
        (source / name).write_text(name)
    place = files.locate("path", f"ram://{tmp_path.name}/sampler")
    copied = []
    copy = tf.io.gfile.copy

    def noting(one, other, overwrite):
        copied.append(os.path.basename(other))
        if copied[3:] == ["zebra"]:
            raise tf.errors.UnavailableError(None, None, "no network")
        copy(one, other, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", noting)
    files.upload(source, place, last="saved_model.pb")
    assert copied == ["a.pb", "data", "zebra", "saved_model.pb"]
    assert files.names(place) == ["a.pb", "saved_model.pb", "variables", "zebra"]
    assert files.read_bytes(place / "variables" / "data") == b"variables/data"
    # Of one that fails, nothing is left.
    other = files.locate("path", f"ram://{tmp_path.name}/other")
    copied[:] = ["before"]
    with pytest.raises(OSError, match="no network"):
        files.upload(source, other, last="saved_model.pb")
    assert files.names(other) == []


@pytest.mark.parametrize(
    ("error", "kind", "number"),
    [
        (tf.errors.NotFoundError, FileNotFoundError, errno.ENOENT),
        (tf.errors.PermissionDeniedError, PermissionError, errno.EACCES),
        (tf.errors.UnauthenticatedError, PermissionError, errno.EACCES),
        (tf.errors.ResourceExhaustedError, OSError, errno.ENOSPC),
        (tf.errors.UnavailableError, OSError, errno.EIO),
    ],
)
def test_remote_errors_are_those_of_files(error, kind, number, monkeypatch):
    def failing(path):
        raise error(None, None, "the\n reason")

    monkeypatch.setattr(tf.io.gfile, "remove", failing)
    path = files.locate("path", "ram://somewhere/file")
    if kind is FileNotFoundError:
        files.remove(path)  # It is not there, as asked for.
        return
    with pytest.raises(kind, match="the reason") as caught:
        files.remove(path)
    assert caught.value.errno == number
