"""Checkpoints that survive a crash at any instant, and the way back from them."""

import hashlib
import json
import os
import pathlib
import warnings
from typing import NamedTuple

import keras
import numpy as np

from keras_gamegan import validation, version
from keras_gamegan.callbacks import companions, schedule
from keras_gamegan.distribution import workers

_FORMAT = 1


class Position(NamedTuple):
    """Where a run stopped.

    Attributes:
        epoch: Number of finished epochs.
        batch: Batches trained on since.
        data_step: Batches of the data used since the run began.
    """

    epoch: int
    batch: int
    data_step: int


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Checkpoint(keras.callbacks.Callback):
    """Saves everything, so that the same command goes on exactly where it was killed.

    A checkpoint holds the weights, both optimizers, histories, averages, the step, the
    epoch's running means and the state of the callbacks before it in the list (those
    with `get_state` and `set_state`, as `GapEarlyStopping`). Files are written beside
    their place, flushed, renamed, and carry a checksum: at every instant there is a
    valid checkpoint on disk, and a torn one is noticed and the one before it used.

    `fit` resumes by itself: a second `fit` with the same arguments restores the newest
    valid checkpoint and goes on. Inside an epoch that needs data that can be entered
    anywhere (`kgg.datasets`).

    With several workers the chief writes and all of them resume: the folder must be
    one that all of them see.

    Args:
        directory: Folder of the checkpoints; made if it is missing.
        every: "epoch", or a number of train steps. Default: "epoch".
        keep: Number of checkpoints kept, >= 1. Default: 2.

    Raises:
        ValueError: If `every` or `keep` is out of range.

    Example:
        >>> import tempfile, numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile()
        >>> data = np.zeros((64, 2), "float32")
        >>> checkpoint = kgg.callbacks.Checkpoint(tempfile.mkdtemp())
        >>> _ = gan.fit(data, epochs=1, verbose=0, callbacks=[checkpoint])
        >>> checkpoint.resume(gan).epoch
        1
    """

    def __init__(self, directory, every="epoch", keep=2):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.schedule = schedule.Schedule(every)
        self.keep = validation.check_integer("keep", keep)
        self._position = None
        self._pending_metrics = None
        self._first_step = None
        self._held = False
        # `fit` lists here all its callbacks, this one among them.
        self.companions = ()

    def resume(self, model):
        """Restores the newest valid checkpoint; returns its `Position`, or None."""
        companions.check_order(list(self.companions), self)
        self._position = self._pending_metrics = None
        for path in self._descriptions():
            description = self._read(path)
            if description is None:
                continue
            self._check_fits(description, model)
            model.load_weights(self._weights_path(description["step"]))
            self._pending_metrics = description["metrics"]
            self._restore_companions(description)
            self._position = Position(
                description["epoch"], description["batch"], description["data_step"]
            )
            break
        return self._position

    def on_train_begin(self, logs=None):
        """Prepares for a run; called by Keras."""
        if workers.is_chief(self.model.distribute_strategy):
            self._check_writable()
        done = self._position.data_step if self._position else 0
        self._first_step = self.model.num_steps - done
        self.schedule.start(self.model.num_steps)
        self._epoch = self._position.epoch if self._position else 0

    def on_epoch_begin(self, epoch, logs=None):
        """Called by Keras before every epoch."""
        self._epoch = epoch
        inside = self._position is not None and self._position.batch
        if inside and epoch == self._position.epoch:
            # Keras has just reset them; the epoch goes on where it was.
            workers.restore_replica_values(
                self.model.distribute_strategy,
                _metric_variables(self.model),
                self._pending_metrics,
            )
            self._epoch_start = self.model.num_steps - self._position.batch
        else:
            self._epoch_start = self.model.num_steps

    def on_train_batch_end(self, batch, logs=None):
        """Called by Keras after every batch."""
        step = self.model.num_steps
        if self.schedule.due_after_batch(step):
            done = step - self._epoch_start
            # After an epoch's last batch its end is still to come, and to be resumed.
            self._held = done == self.params.get("steps")
            if not self._held:
                self._save(self._epoch, done)

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        if self._held or self.schedule.due_after_epoch():
            self._held = False
            self._save(epoch + 1, 0)

    def on_train_end(self, logs=None):
        """Ends a run; called by Keras."""
        self._position = None

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return {
            "directory": str(self.directory),
            "every": self.schedule.every,
            "keep": self.keep,
        }

    @classmethod
    def from_config(cls, config):
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _save(self, epoch, batch):
        step, strategy = self.model.num_steps, self.model.distribute_strategy
        # Workers exchange these, so all of them come here.
        metrics = workers.replica_values(strategy, _metric_variables(self.model))
        if not workers.is_chief(strategy):
            return
        description = {
            "format": _FORMAT,
            "keras_gamegan_version": version.__version__,
            **_identity(self.model),
            "step": step,
            "epoch": epoch,
            "batch": batch,
            "data_step": step - self._first_step,
            "metrics": metrics,
        }
        description["callbacks"], arrays = companions.pack(self.companions)
        # Keras wants the ending; the dot keeps it out of the list of checkpoints.
        beside = self.directory / f".writing-{os.getpid()}.weights.h5"
        text = self.directory / f".writing-{os.getpid()}.json"
        packed = self.directory / f".writing-{os.getpid()}.npz"
        try:
            if arrays:
                np.savez(packed, **arrays)
            self._write(description, beside, text, packed)
        except OSError as error:
            for path in (beside, text, packed):
                path.unlink(missing_ok=True)
            raise OSError(
                f"The checkpoint of step {step} could not be written to "
                f"{str(self.directory)!r}: {error}. The one before it is intact. Make "
                "room, or check the permissions, and run the same command again."
            ) from error

    def _restore_companions(self, description):
        """Gives the callbacks the states they had."""
        arrays = {}
        if description.get("callbacks_sha256"):
            with np.load(self._arrays_path(description["step"])) as file:
                arrays = {name: file[name] for name in file.files}
        companions.restore(self.companions, description.get("callbacks", []), arrays)

    def _write(self, description, beside, text, packed):
        """Writes both files beside their places, renames them, drops old ones."""
        weights = self._weights_path(description["step"])
        self.model.save_weights(beside, overwrite=True)
        _flush(beside)
        description = {**description, "sha256": _digest(beside)}
        if packed.exists():
            _flush(packed)
            description["callbacks_sha256"] = _digest(packed)
            os.replace(packed, self._arrays_path(description["step"]))
        text.write_text(json.dumps(description, indent=1), encoding="utf-8")
        _flush(text)
        os.replace(beside, weights)
        os.replace(text, self.directory / f"step-{description['step']:012d}.json")
        _flush(self.directory)
        for old in self._descriptions()[self.keep :]:
            old.unlink()
            step = int(old.stem.split("-")[1])
            self._weights_path(step).unlink(missing_ok=True)
            self._arrays_path(step).unlink(missing_ok=True)

    def _check_writable(self):
        """Raises now, not after an epoch, if nothing can be written."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            probe = self.directory / f".writing-{os.getpid()}.probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ValueError(
                "`directory` must be a folder that can be written to. Received: "
                f"directory={str(self.directory)!r} ({error}). Choose another one."
            ) from error

    def _weights_path(self, step):
        return self.directory / f"step-{step:012d}.weights.h5"

    def _arrays_path(self, step):
        return self.directory / f"step-{step:012d}.callbacks.npz"

    def _descriptions(self):
        """Returns the checkpoints' descriptions, newest first."""
        return sorted(self.directory.glob("step-*.json"), reverse=True)

    def _read(self, path):
        """Returns a checkpoint's description, or None with a warning if it is torn."""
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
            step = description["step"]
            intact = _digest(self._weights_path(step)) == description["sha256"]
            arrays = description.get("callbacks_sha256")
            if arrays:
                intact = intact and _digest(self._arrays_path(step)) == arrays
        except (OSError, ValueError, KeyError):
            intact = False
        if intact:
            return description
        warnings.warn(
            f"The checkpoint {path.name} is damaged or incomplete and is left out; the "
            "one before it is used if there is one.",
            UserWarning,
            stacklevel=4,
        )
        return None

    def _check_fits(self, description, model):
        """Raises if a checkpoint belongs to another model than this one."""
        for field, mine in _identity(model).items():
            theirs = description.get(field, mine)
            if theirs != mine:
                raise ValueError(
                    f"The checkpoints in {str(self.directory)!r} must belong to this "
                    f"model. Received: one whose {field} {_difference(theirs, mine)}. "
                    "Use another directory for another run; nothing was restored."
                )


def _identity(model):
    """Returns what must be the same for a run to be taken up, as JSON has it."""
    optimizers = (model.d_optimizer, model.g_optimizer)
    return {
        "model": type(model).__name__,
        "seed": model.seed,
        "shapes": [list(variable.shape) for variable in model.weights],
        "optimizer slots": [
            [list(variable.shape) for variable in optimizer.variables]
            for optimizer in optimizers
        ],
    }


def _difference(theirs, mine):
    if not isinstance(mine, list):
        return f"is {theirs}, not {mine}"
    if len(theirs) != len(mine):
        return f"are {len(theirs)} arrays, not {len(mine)}"
    first = next(pair for pair in zip(theirs, mine, strict=True) if pair[0] != pair[1])
    return f"hold {first[0]} where this model has {first[1]}"


def _metric_variables(model):
    return [variable for metric in model.metrics for variable in metric.variables]


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path):
    """Waits until a file, or a folder's entries, have reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
