"""The builders of TensorFlow Datasets: finding one by its name, and preparing it."""

import difflib
import os
import socket
from typing import Any

from keras_gamegan import optional, validation
from keras_gamegan.typing import PathLike

# Where most data sets come from; and what says that a proxy is asked instead.
_HOST = "storage.googleapis.com"
_PROXIES = frozenset({"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"})


def find(name: str, data_dir: PathLike | None = None) -> Any:
    """Returns the TFDS builder of a name.

    Raises:
        ValueError: If there is no such data set, with the names that are close.
    """
    tfds = optional.load("tensorflow_datasets", "datasets", "Loading a TFDS data set")
    if not hasattr(tfds, "builder"):
        raise ImportError(
            "tensorflow_datasets imports only in part: most often tensorflow-metadata "
            "is newer than the protobuf that this TensorFlow takes. Received: a module "
            "without `builder`. Run: pip install 'tensorflow-metadata<1.18'.",
            name="tensorflow_datasets",
        )
    if not isinstance(name, str):
        raise TypeError(
            "`name` must be the name of a TFDS data set. "
            f"Received: name={name!r}. Pass a string such as 'fashion_mnist'."
        )
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        close = difflib.get_close_matches(name, tfds.list_builders(), n=3)
        hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ValueError(
            "`name` must be the name of a TFDS data set. "
            f"Received: name={name!r} with data_dir={data_dir!r}. {hint} "
            "`tensorflow_datasets.list_builders()` lists the names."
        ) from error


def prepared(name: str, data_dir: PathLike | None, download: bool) -> Any:
    """Returns the TFDS builder of a data set whose files are there."""
    validation.check_flag("download", download)
    builder = find(name, data_dir)
    if builder.is_prepared():
        return builder
    if not download:
        raise FileNotFoundError(
            f"`data_dir` must hold the prepared data set {name!r} while "
            f"download=False. Received: data_dir={data_dir!r}, and there is nothing at "
            f"{str(builder.data_path)!r}. Pass download=True, or the folder in which "
            f"`tfds.load({name!r}, data_dir=...)` prepared it on a machine with a "
            "network."
        )
    _check_network(builder, name, data_dir)
    try:
        builder.download_and_prepare()
    except Exception as error:  # Network, checksum, disk, licence to accept: all alike.
        raise RuntimeError(
            f"TensorFlow Datasets could not prepare {name!r} under data_dir="
            f"{data_dir!r}: {error} Without a network, prepare it elsewhere with "
            f"`tfds.load({name!r}, data_dir=...)`, copy that folder here and pass it "
            "as `data_dir`."
        ) from error
    return builder


def _check_network(builder: Any, name: str, data_dir: PathLike | None) -> None:
    """Raises at once without a network, where TFDS would try for minutes."""
    by_hand = builder.MANUAL_DOWNLOAD_INSTRUCTIONS is not None
    mocked = "testing" in type(builder).download_and_prepare.__module__
    # Through a proxy names are resolved elsewhere.
    if by_hand or mocked or os.environ.keys() & _PROXIES:
        return
    try:
        socket.getaddrinfo(_HOST, 443)
    except OSError as error:
        raise RuntimeError(
            f"TensorFlow Datasets must download {name!r}, which is not under data_dir="
            f"{data_dir!r}, and there is no network ({error}). Prepare it where there "
            f"is one, `tfds.load({name!r}, data_dir='prepared')`, copy that folder "
            "here and pass data_dir='prepared'."
        ) from error


def class_names(name: str, data_dir: PathLike | None = None) -> list[str]:
    """Returns the names of the classes of a TFDS data set's feature "label"."""
    return find(name, data_dir).info.features["label"].names
