"""The folder of a training run: one run each, nothing half-written, nothing twice."""

import json
import math
import os
import pathlib
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_gamegan.callbacks import folder_lock
from keras_gamegan.typing import PathLike

# Settings that every run notes: by them its settings.json is known.
_MARKS = {"batch_size", "method", "seed"}


class RunFolder:
    """Where a run writes, and what is done so that it can be killed and started again.

    Args:
        path: The folder; made if it is missing.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = pathlib.Path(path)
        self.samples = self.path / "samples"
        self.logs = self.path / "logs"
        self.checkpoints = self.path / "checkpoints"
        self.history = self.path / "history.csv"
        self.model = self.path / "model.keras"
        self.sampler = self.path / "sampler" / "1"
        self._settings = self.path / "settings.json"
        self._data = self.path / "data.json"
        self.evaluation_file = self.path / "evaluation.json"
        self._lock = folder_lock.FolderLock(self.checkpoints)

    @property
    def written(self) -> tuple[pathlib.Path, ...]:
        """The files and folders that `kgg train` writes."""
        files = (self._settings, self._data, self.history, self.model)
        return (*files, self.samples, self.logs, self.checkpoints, self.sampler.parent)

    def claim(
        self, settings: Mapping[str, Any], notes: Mapping[str, Any] | None = None
    ) -> None:
        """Makes the folder that of a run with these settings, and of no other process.

        Args:
            settings: Dictionary of whatever makes the run what it is.
            notes: What else is noted, free to change from time to time. Default: None.

        Raises:
            ValueError: If it is the folder of a run with other settings, or of one that
                is running, or holds what something else wrote under the names that a
                run writes.
        """
        taken = [path.name for path in self.written if path.exists()]
        if taken and not self.is_run:
            raise ValueError(
                "--output_dir must be a new folder, or that of a run of kgg train. "
                f"Received: {str(self.path)!r}, where {', '.join(taken)} would be "
                "overwritten and no settings.json of a run stands. Choose another "
                "--output_dir."
            )
        # Before anything is written; the checkpoint of the run takes it over.
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        if any(self.checkpoints.glob("*.json")):
            old = self.settings()
            changed = [
                f"--{name}={value} (not {old[name]})"
                if value is not None
                else f"no --{name} (not {old[name]})"
                for name, value in settings.items()
                if name in old and old[name] != value
            ]
            if changed:
                raise ValueError(
                    f"The run in {str(self.path)!r} goes on with the settings it began "
                    f"with. Received: {', '.join(changed)}. Choose another "
                    "--output_dir, or remove this one."
                )
            settings = old
        _write_json(self._settings, {**settings, **(notes or {})})

    def note_examples(self, number: int) -> None:
        """Notes how many images the run learns from; says so if it began with others.

        Args:
            number: Number of examples.
        """
        if self._data.is_file():
            what = "what the run learns from"
            before = _read_json(self._data, what, "Remove it.").get("examples")
            if before != number:
                print(
                    f"The data have changed: {number} images, {before} when the run "
                    "began. It goes on, but is not the run that an unchanged folder "
                    "gives."
                )
            return
        _write_json(self._data, {"examples": number})

    def note_evaluation(self, found: Mapping[str, Any]) -> None:
        """Keeps what was measured of the run.

        Args:
            found: The numbers, by name.
        """
        _write_json(self.evaluation_file, found)

    def evaluation(self) -> dict[str, Any]:
        """Returns what was measured of the run; nothing if it was not."""
        what = "what kgg evaluate measured"
        return _read_json(self.evaluation_file, what, "Run kgg evaluate again.")

    def settings(self) -> dict[str, Any]:
        """Returns what the run was begun with; nothing of another program's folder."""
        remedy = "Put a copy of it in its place, or train in another folder."
        return _read_json(self._settings, "the run's settings", remedy)

    @property
    def is_run(self) -> bool:
        """Whether settings.json is that of a run."""
        return set(self.settings()) >= _MARKS

    def load(self) -> keras.Model:
        """Returns the trained model.

        Raises:
            FileNotFoundError: If there is none, with what to do.
        """
        if not self.path.is_dir():
            raise FileNotFoundError(
                "RUN must be the folder of a run, the --output_dir of kgg train. "
                f"Received: {str(self.path)!r}, and there is no such folder."
            )
        if not self.model.is_file():
            begun = any(self.checkpoints.glob("*.json"))
            advice = (
                "It was killed before it ended: run its kgg train command again; "
                "Ctrl-C writes the model too."
                if begun
                else "Train one: kgg train my_pngs --output_dir=..."
            )
            raise FileNotFoundError(
                "RUN must be the folder of a run with a trained model. Received: "
                f"{str(self.path)!r}, which has no model.keras. {advice}"
            )
        try:
            return keras.models.load_model(self.model)
        except Exception as error:  # Whatever Keras, HDF5 and zip say of damage.
            raise ValueError(
                f"{str(self.model)!r} cannot be read ({type(error).__name__}: "
                f"{error}). Run the kgg train command of the run again: it writes the "
                "model anew from the last checkpoint."
            ) from error

    def trim_history(self, num_epochs: int) -> None:
        """Drops the lines of epochs that will be trained again, or were torn.

        A run killed after it wrote an epoch's line but before it saved its checkpoint
        trains that epoch again, and would write it twice.

        Args:
            num_epochs: Number of epochs that are done and will not be repeated.
        """
        if not self.history.exists():
            return
        if self.history.is_dir():
            raise ValueError(
                f"{str(self.history)!r} must be a file. Received: a folder. Move it "
                "away: the run goes on without it."
            )
        header, *lines = _lines(self.history) or [""]
        if header and not header.startswith("epoch,"):
            raise ValueError(
                f"{str(self.history)!r} must begin with the column epoch. Received: "
                f"{header.strip()!r}. Move it away: the run goes on without it."
            )
        kept = [line for line in lines if _epoch(line) < num_epochs]
        text = "".join([header, *kept]) if kept else ""

        def write(beside: pathlib.Path) -> None:
            beside.write_text(text, encoding="utf-8", newline="")

        _replace(self.history, write)

    def save(self, gan: keras.Model, source: str) -> None:
        """Writes the whole model and the sampler, over those of an earlier run."""
        _replace(self.model, gan.save)
        _replace(self.sampler, lambda beside: gan.export(beside, source=source))

    def summary(self, num_classes: int | None = None) -> str:
        """Returns what the folder holds, and how to sample from it, for people.

        Args:
            num_classes: Number of classes if the sampler takes labels.
        """
        labels = f", labels=tf.range(16) % {num_classes}" if num_classes else ""
        number = len(list(self.samples.glob("*.png")))
        logged = f"  logs/         tensorboard --logdir={self.logs}"
        return "\n".join(
            [
                f"{self.path} holds",
                f"  samples/      {number} picture{'' if number == 1 else 's'}",
                *([logged] if self.logs.is_dir() else []),
                "  history.csv   losses, a line for each epoch, from 0",
                "  checkpoints/  the same command with more --epochs goes on",
                "  model.keras   import keras_gamegan, keras.models.load_model",
                f"                kgg sample {self.path}, kgg report {self.path}",
                "  sampler/1/    samples without this library:",
                "",
                "    import tensorflow as tf",
                f'    sampler = tf.saved_model.load("{self.sampler}")',
                f"    made = sampler.sample(num_samples=16, seed=0{labels})",
                '    images = made["samples"]  # (16, height, width, channels)',
            ]
        )


def _read_json(path: pathlib.Path, what: str, remedy: str) -> dict[str, Any]:
    """Returns the dictionary in a file; an empty one if there is no file."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        found, reason = None, f"a damaged file ({error})"
    else:
        reason = f"a {type(found).__name__}"
    if not isinstance(found, dict):
        raise ValueError(
            f"{str(path)!r} must hold {what}, a JSON object. Received: {reason}. "
            f"{remedy}"
        )
    return found


def _write_json(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1) + "\n"
    _replace(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def _lines(path: pathlib.Path) -> list[str]:
    # What was torn need not be text.
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return file.readlines()


def _epoch(line: str) -> float:
    """Returns the epoch of a line of the history; infinity of a torn one."""
    number = line.split(",")[0]
    return int(number) if line.endswith("\n") and number.isdecimal() else math.inf


def _replace(path: pathlib.Path, write: Callable[[pathlib.Path], object]) -> None:
    """Writes a file or folder beside its place, then moves it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras wants the ending to be the last part of the name.
    beside = path.with_name(f".new-{path.name}")
    _remove(beside)
    write(beside)
    if path.is_dir():
        _remove(path)
    os.replace(beside, path)


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
