"""Files and folders, on this machine or wherever `tf.io.gfile` reaches.

A path is a str or an `os.PathLike`. With a scheme (`gs://`, `hdfs://`, `ram://`, and
what packages such as tensorflow-io add) it goes through TensorFlow; every other path is
local. All errors are `OSError`.

What is promised of `write_bytes`:

- Local: a reader sees the file that was there before or the whole new one, whatever
  kills the process; it is flushed, so this also holds after a power cut, as far as disk
  and operating system keep their word. A network folder (NFS, SMB) keeps the first half
  of this only.
- Object stores (`gs://`, `s3://`): an object appears whole once it is closed, so it is
  written in place. There is no rename of several: who needs several files writes last
  the one that makes the others valid, with their checksums.
- Other remote file systems (`hdfs://`): a killed writer may leave a torn file.
"""

import contextlib
import errno
import os
import pathlib
import platform
import re
import time
import uuid
from collections.abc import Iterator
from typing import TypeAlias

import tensorflow as tf

# Two letters at least: C:/ is a drive. `pathlib` makes one slash of two.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
# As this version writes them, and as 0.1.0 did, which named no host.
_TEMPORARY = (
    re.compile(r"\.writing-(?P<host>.*)-(?P<pid>[0-9]+)-[0-9a-f]{8}"),
    re.compile(r"\.writing-(?P<pid>[0-9]+)\.(weights\.h5|json|npz|probe)"),
)
# Seconds after which a temporary file of another host is nobody's.
_ABANDONED = 24 * 3600.0


class RemotePath(os.PathLike[str]):
    """A path that only `tf.io.gfile` knows, with what is used of `pathlib` here.

    Args:
        text: The path, `scheme://...`.
    """

    def __init__(self, text: str) -> None:
        self._text = text.rstrip("/")

    @property
    def name(self) -> str:
        """The last part."""
        return self._text.rpartition("/")[2]

    @property
    def parent(self) -> "RemotePath":
        """The folder it stands in."""
        return RemotePath(self._text.rpartition("/")[0])

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self._text}/{name}")

    def __str__(self) -> str:
        return self._text

    def __fspath__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"RemotePath({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and self._text == str(other)

    def __hash__(self) -> int:
        return hash(self._text)


# What `locate` returns.
Located: TypeAlias = pathlib.Path | RemotePath


def locate(name: str, path: str | os.PathLike[str]) -> Located:
    """Returns a path as a `pathlib.Path`, or as a `RemotePath` if it has a scheme.

    Args:
        name: The argument's name, for the message.
        path: What the caller passed.

    Raises:
        TypeError: If it is no path.
        ValueError: If it is empty, or no file system is known by its scheme.
    """
    text: str | None
    try:
        text = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise TypeError(
            f"`{name}` must be a str or a pathlib.Path. Received: {name}={path!r} (of "
            f"type {type(path).__name__})."
        )
    if not text or "\0" in text:
        raise ValueError(
            f"`{name}` must be a path. Received: {name}={path!r}. Pass the name of a "
            "folder or file, such as 'runs/mine', without null characters."
        )
    found = _SCHEME.fullmatch(text)
    if found is None:
        return pathlib.Path(text)
    scheme, rest = found[1].lower(), found[2]
    if scheme == "file":
        return pathlib.Path(f"/{rest}")
    known = sorted(filter(None, tf.io.gfile.get_registered_schemes()))
    if scheme not in known:
        listed = ", ".join(f"{each}://" for each in known)
        raise ValueError(
            f"`{name}` must be a local path, or begin with one of {listed}, the file "
            f"systems that TensorFlow knows here. Received: {name}={str(path)!r}. "
            "Import the package that registers the scheme (tensorflow_io for s3://) "
            "first, or write to a local folder."
        )
    return RemotePath(f"{scheme}://{rest}")


def is_remote(path: object) -> bool:
    """Returns whether a located path is one that only TensorFlow knows."""
    return isinstance(path, RemotePath)


def exists(path: Located) -> bool:
    """Returns whether there is something at a path; a dangling link is something."""
    if isinstance(path, RemotePath):
        with _errors_of_the_system():
            return tf.io.gfile.exists(str(path))
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def is_file(path: Located) -> bool:
    """Returns whether there is a file at a path."""
    if not isinstance(path, RemotePath):
        return path.is_file()
    with _errors_of_the_system():
        return exists(path) and not tf.io.gfile.isdir(str(path))


def names(folder: Located) -> list[str]:
    """Returns the sorted names in a folder; none if there is no such folder."""
    try:
        if not isinstance(folder, RemotePath):
            return sorted(os.listdir(folder))
        with _errors_of_the_system():
            listed = tf.io.gfile.listdir(str(folder))
        # Object stores mark what stands for a folder.
        return sorted({name.rstrip("/") for name in listed} - {""})
    except (FileNotFoundError, NotADirectoryError):
        return []


def make_folder(folder: Located) -> None:
    """Makes a folder and those above it, unless they are there."""
    if isinstance(folder, RemotePath):
        with _errors_of_the_system():
            tf.io.gfile.makedirs(str(folder))
    else:
        folder.mkdir(parents=True, exist_ok=True)


def read_bytes(path: Located) -> bytes:
    """Returns what a file holds."""
    if not isinstance(path, RemotePath):
        return path.read_bytes()
    with _errors_of_the_system(), tf.io.gfile.GFile(str(path), "rb") as file:
        return file.read()


def write_bytes(path: Located, content: bytes) -> None:
    """Writes a file, over one that is there; whole or not at all, see above."""
    if isinstance(path, RemotePath):
        if str(path).startswith("ram://"):
            remove(path)  # TensorFlow's memory would add to what is there.
        with _errors_of_the_system(), tf.io.gfile.GFile(str(path), "wb") as file:
            file.write(content)
        return
    beside = path.with_name(_temporary_name())
    try:
        with open(beside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        # Why it failed is what counts, not that this cannot be removed either.
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    _flush_folder(path.parent)


def remove(path: Located) -> None:
    """Removes a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        if isinstance(path, RemotePath):
            with _errors_of_the_system():
                tf.io.gfile.remove(str(path))
        else:
            path.unlink()


def move(path: Located, new: Located) -> None:
    """Moves a file, over one that is there; does nothing if it is not there."""
    with contextlib.suppress(FileNotFoundError):
        if isinstance(path, RemotePath):
            with _errors_of_the_system():
                tf.io.gfile.rename(str(path), str(new), overwrite=True)
        else:
            os.replace(path, new)


def upload(source: pathlib.Path, path: Located, last: str | None = None) -> None:
    """Copies a finished local file or folder to a place where nothing is yet.

    Args:
        source: Local `pathlib.Path`.
        path: Where to, remote. If copying fails, nothing is left there.
        last: Name of the file that makes the others valid: it is written last.
    """
    copies = [(source, path)]
    if source.is_dir():
        inside = sorted(found for found in source.rglob("*") if found.is_file())
        copies = []
        for found in sorted(inside, key=lambda found: found.name == last):
            place = path
            for part in found.relative_to(source).parts:
                place = place / part
            copies.append((found, place))
    try:
        with _errors_of_the_system():
            for found, place in copies:
                tf.io.gfile.makedirs(str(place.parent))
                tf.io.gfile.copy(str(found), str(place), overwrite=True)
    except BaseException:
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(str(path))
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.remove(str(path))
        raise


def check_writable(name: str, folder: Located) -> None:
    """Makes a folder if it is missing, and raises now if nothing can be written there.

    Args:
        name: The argument's name, for the message.
        folder: A located path.

    Raises:
        ValueError: If so.
    """
    try:
        make_folder(folder)
        probe = folder / _temporary_name()
        write_bytes(probe, b"")
        remove(probe)
    except OSError as error:
        raise unusable(name, folder, error) from error


def unusable(name: str, path: Located, error: OSError) -> ValueError:
    """Returns the ValueError for a path at which the system refuses to work."""
    return ValueError(
        f"`{name}` must be a place that can be written to. Received: "
        f"{name}={_shortened(str(path))!r} ({error.strerror or error}). Choose another "
        "one, or change its permissions."
    )


def sweep(folder: Located) -> None:
    """Removes what killed processes left half-written in a local folder.

    That is the temporary files of processes of this host that have ended, and those of
    other hosts that nobody has touched for a day.
    """
    if isinstance(folder, RemotePath):
        return
    for name in names(folder):
        found = next(filter(None, (each.fullmatch(name) for each in _TEMPORARY)), None)
        if found is None:
            continue
        here = found.groupdict().get("host", _host()) == _host()
        with contextlib.suppress(OSError):
            age = time.time() - os.stat(folder / name).st_mtime
            ended = here and not _is_running(int(found["pid"]))
            if ended or age > _ABANDONED:
                os.unlink(folder / name)


def _is_running(pid: int) -> bool:
    # The number of this process may have been another's: between writes it has none.
    if pid == os.getpid():
        return False
    if os.name != "posix":
        return True  # Elsewhere a signal 0 would end it.
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _temporary_name() -> str:
    return f".writing-{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", platform.node())[:64]


def _flush_folder(folder: Located) -> None:
    """Waits until a folder's entries have reached the disk, where that can be asked."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows has no such thing.
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return  # May be written to, but not listed.
    try:
        os.fsync(descriptor)
    except OSError as error:
        # File systems that cannot.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:80]}...{text[-20:]}"


@contextlib.contextmanager
def _errors_of_the_system() -> Iterator[None]:
    """Turns TensorFlow's errors into those that Python has for files."""
    try:
        yield
    except tf.errors.OpError as error:
        kinds = {
            tf.errors.NotFoundError: (FileNotFoundError, errno.ENOENT),
            tf.errors.AlreadyExistsError: (FileExistsError, errno.EEXIST),
            tf.errors.PermissionDeniedError: (PermissionError, errno.EACCES),
            tf.errors.UnauthenticatedError: (PermissionError, errno.EACCES),
            tf.errors.ResourceExhaustedError: (OSError, errno.ENOSPC),
        }
        kind, number = kinds.get(type(error), (OSError, errno.EIO))
        message = " ".join(str(error.message).split())
        raise kind(number, message) from error
