"""The lock on a folder: one training at a time, whatever ends it."""

import errno
import gc
import os
import platform
import re
import signal
import subprocess
import sys
import threading

import pytest

from keras_gamegan import files
from keras_gamegan.callbacks import folder_lock

fcntl = pytest.importorskip("fcntl")

# Takes the same lock in the same way, without waiting for TensorFlow's import.
HOLDER = """
import fcntl, os, platform, sys, time
file = open(sys.argv[1], "a+b")
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
file.truncate(0)
file.write(f"process {os.getpid()} on {platform.node()}".encode())
file.flush()
print("held", flush=True)
time.sleep(60)
"""


def make(folder):
    """A lock on a folder."""
    return folder_lock.FolderLock(files.locate("directory", folder))


def test_a_killed_process_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-S", "-c", HOLDER, str(tmp_path / ".lock")],
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        lock = make(tmp_path)
        who = f"process {holder.pid} on {re.escape(platform.node())}"
        for attempt in (lock.acquire, lock.check):
            with pytest.raises(ValueError, match=rf"one training.*{who} is training"):
                attempt()
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)
    assert (tmp_path / ".lock").exists()
    lock.acquire()
    assert f"process {os.getpid()} on" in (tmp_path / ".lock").read_text()
    lock.release()
    lock.release()
    assert files.names(tmp_path) == []


def test_this_process_holds_it_against_others(tmp_path):
    lock = make(tmp_path)
    lock.acquire()
    lock.acquire()
    code = HOLDER + "raise SystemExit"
    found = subprocess.run(
        [sys.executable, "-S", "-c", code, str(tmp_path / ".lock")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert found.returncode == 1 and "BlockingIOError" in found.stderr
    lock.release()


def test_checking_changes_nothing(tmp_path):
    make(tmp_path / "none").check()
    lock = make(tmp_path)
    lock.check()
    assert files.names(tmp_path) == []
    lock.acquire()
    lock.check()
    assert files.names(tmp_path) == [".lock"]
    lock.release()


def test_the_same_thread_takes_it_over(tmp_path):
    first, second = make(tmp_path), make(tmp_path / ".." / tmp_path.name)
    first.acquire()
    second.acquire()
    first.release()  # It has nothing to give back any more.
    assert files.names(tmp_path) == [".lock"]
    second.release()
    assert files.names(tmp_path) == []


def test_another_thread_does_not(tmp_path):
    first, found = make(tmp_path), []
    first.acquire()

    def other():
        try:
            make(tmp_path).acquire()
        except ValueError as error:
            found.append(str(error))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(60)
    assert "another thread of this process" in found[0]
    # Of a thread that has ended, nothing is held.
    held = make(tmp_path / "new")
    (tmp_path / "new").mkdir()
    thread = threading.Thread(target=held.acquire)
    thread.start()
    thread.join(60)
    make(tmp_path / "new").acquire()


def test_a_forgotten_lock_is_free(tmp_path):
    make(tmp_path).acquire()
    gc.collect()
    assert files.names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_nothing_can_be_locked_training_goes_on(number, tmp_path, monkeypatch):
    def refusing(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refusing)
    lock = make(tmp_path)
    lock.acquire()
    lock.release()
    assert files.names(tmp_path) == []


def test_object_stores_have_no_lock(tmp_path):
    lock = make(f"ram://{tmp_path.name}/run")
    lock.acquire()
    lock.check()
    lock.release()
    assert files.names(files.locate("directory", f"ram://{tmp_path.name}/run")) == []


def test_another_users_lock_is_told(tmp_path, monkeypatch):
    def refused(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(folder_lock, "open", refused, raising=False)
    with pytest.raises(ValueError, match=r"\.lock' \(Permission denied\)\. Choose"):
        make(tmp_path).acquire()
