"""One run in a folder at a time, also when the last one was killed."""

import contextlib
import os
import platform
import sys
import threading
import weakref
from typing import BinaryIO

from keras_gamegan import files

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# What this process holds, by folder.
_held: weakref.WeakValueDictionary[str, "FolderLock"] = weakref.WeakValueDictionary()


class FolderLock:
    """A lock on a folder that the system takes back when its process ends.

    It is a lock of the operating system on the file `.lock`, so kill -9 releases it;
    the file says which process holds it. What it promises:

    - On a local disk no two processes hold it.
    - On a network folder that holds across machines as far as the file system's locks
      do (NFS 4: yes). Where there are none, and on object stores, nothing is locked.
    - In one process the last to ask, in the same thread, gets it: a training that was
      interrupted and never came to its end must not block the next.

    Args:
        folder: A located path, see `files.locate`.
    """

    def __init__(self, folder: files.Located) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._thread: threading.Thread | None = None
        self._process: int | None = None

    def acquire(self) -> None:
        """Takes the lock, unless this object has it.

        Raises:
            ValueError: If a training that runs has it.
        """
        if self._file is not None or files.is_remote(self._folder):
            return
        key = os.path.realpath(self._folder)
        other = _held.get(key)
        if other is not None:
            if other.belongs_to_another_thread():
                raise self._taken(f"another thread of this process ({os.getpid()})")
            other.release()
        self._file = self._open()
        if self._file is not None:
            self._thread, self._process = threading.current_thread(), os.getpid()
            _held[key] = self

    def check(self) -> None:
        """Raises as `acquire` does, and leaves the lock as it was."""
        if self._file is None and files.exists(self._folder):
            with contextlib.suppress(OSError):  # A folder that can only be read.
                self.acquire()
                self.release()

    def release(self) -> None:
        """Gives the lock back, if this object has it."""
        file, self._file = self._file, None
        if file is None:
            return
        mine = self._process == os.getpid()  # Not a fork's copy.
        with contextlib.suppress(OSError):
            if mine and sys.platform != "win32":
                os.unlink(file.name)  # Before it is free: nobody else's file.
        file.close()
        with contextlib.suppress(OSError):
            if mine and sys.platform == "win32":
                os.unlink(file.name)  # Open files cannot be removed there.

    def __del__(self) -> None:
        self.release()

    def belongs_to_another_thread(self) -> bool:
        """Returns whether a thread that still runs, not this one, took the lock."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return False
        return thread.is_alive()

    def _open(self) -> BinaryIO | None:
        """Returns the locked file, or None where nothing can be locked."""
        path = self._folder / ".lock"
        while True:
            try:
                file = open(path, "a+b")  # noqa: SIM115
            except PermissionError as error:  # Another user's.
                raise files.unusable("directory", path, error) from error
            try:
                got = _lock(file)
            except OSError:
                file.close()
                with contextlib.suppress(OSError):
                    os.unlink(path)
                return None
            if not got:
                with file:
                    file.seek(0)
                    holder = file.read(200).decode("utf-8", "replace").strip()
                raise self._taken(holder or "another process")
            # The one before may have removed the file after it was opened here.
            if _is_at(file, path):
                break
            file.close()
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n".encode())
        file.flush()
        return file

    def _taken(self, holder: str) -> ValueError:
        return ValueError(
            "A folder of checkpoints must belong to one training at a time. Received: "
            f"directory={str(self._folder)!r}, in which {holder} is training. Wait "
            "until that has ended, stop it, or use another directory."
        )


def _is_at(file: BinaryIO, path: files.Located) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


if sys.platform == "win32":

    def _lock(file: BinaryIO) -> bool:
        """Returns whether the file could be locked; raises where that is unknown."""
        file.seek(1 << 20)  # Not what is to be read.
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:

    def _lock(file: BinaryIO) -> bool:
        """Returns whether the file could be locked; raises where that is unknown."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
