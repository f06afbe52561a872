"""The table of a run's logs, a line for each epoch."""

import csv
import pathlib

import keras

from keras_gamegan.typing import Logs


class HistoryFile(keras.callbacks.Callback):
    """Adds a line to a run's history.csv at the end of every epoch.

    Unlike Keras' `CSVLogger` it makes no columns `val_...` of logs that a run without
    validation never has, and a file that is there keeps its columns: each value stands
    under its name, whatever the version that began the file.

    Args:
        path: The file.
    """

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras."""
        with self._path.open("a+", encoding="utf-8", newline="") as file:
            file.seek(0)
            header = next(csv.reader(file), None)
            names = header or ["epoch", *sorted(logs or {})]
            table = csv.DictWriter(file, names, restval="NA", extrasaction="ignore")
            if header is None:
                table.writeheader()
            table.writerow({"epoch": epoch, **(logs or {})})
