"""Checkpoints that survive a crash at any instant, and the way back from them."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras

from keras_gamegan import files, validation
from keras_gamegan.callbacks import (
    checkpoint_store,
    companions,
    folder_lock,
    model_state,
    run_settings,
    same_run,
    schedule,
)
from keras_gamegan.distribution import workers
from keras_gamegan.typing import Config, Logs, PathLike


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
    with `get_state` and `set_state`, as `MetricEarlyStopping`).

    Files are written beside their place, flushed, renamed, read back, and carry
    checksums: on a local disk there is at every instant a valid checkpoint, and a
    damaged one is noticed, set aside as `damaged-...`, and the one before it used. Only
    valid ones count for `keep`, and only files with a checkpoint's exact name are ever
    touched. What is not finite is not written. On object stores (`gs://bucket/run`) an
    object appears whole, and the description that makes a checkpoint valid is written
    last; `keras_gamegan.files` says what other file systems promise.

    `fit` resumes by itself: a second `fit` with the same arguments restores the newest
    valid checkpoint and goes on. Everything is read and checked before anything of the
    model is overwritten. Inside an epoch that needs data that can be entered anywhere
    (`kgg.datasets`). What cannot be the same run (another class, seed or shape; inside
    an epoch, another batch size) is refused. What you may change (loss, penalty,
    optimizer settings, networks of equal shapes) is told in one warning; a learning
    rate that this script compiles with another value than the run did is this script's,
    else it is the checkpoint's, which a schedule may have moved.

    One training at a time owns a local folder: the system's lock is released when its
    process ends, however. The weights pass through memory on their way to the disk.

    With several workers the chief writes and all of them resume: the folder must be
    one that all of them see.

    Args:
        directory: Folder of the checkpoints, local or of any file system that
            `tf.io.gfile` knows; made if it is missing.
        every: "epoch", or a number of train steps. Default: "epoch".
        keep: Number of valid checkpoints kept, >= 1. Default: 2.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `every` or `keep` is out of range. By `fit`: if the folder cannot
            be written to or belongs to a training that runs, the checkpoints are of
            another run or a newer version, or the model has trained on without them.
        NonFiniteError: By `fit`, if the state to save is not finite.
        OSError: By `fit`, if a checkpoint cannot be written; the last one is intact.

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

    # Workers exchange what only each of them knows.
    on_all_workers = True

    def __init__(
        self, directory: PathLike, every: str | int = "epoch", keep: int = 2
    ) -> None:
        super().__init__()
        self.directory = files.locate("directory", directory)
        self.schedule = schedule.Schedule(every)
        self.keep = validation.check_integer("keep", keep)
        self._store = checkpoint_store.CheckpointStore(self.directory, self.keep)
        self._lock = folder_lock.FolderLock(self.directory)
        self._position: Position | None = None
        # Names of the running means' variables, and a row of them for each replica.
        self._pending_metrics: tuple[Any, Any] | None = None
        self._first_step = 0
        self._was_stopped = self._held = self._asked = False
        # `fit` lists here all its callbacks, this one among them.
        self.companions: Sequence[keras.callbacks.Callback] = ()
        # What `fit` knows of its data, a dictionary of JSON; None is not compared.
        self.data_specification: dict[str, Any] | None = None

    def resume(self, model: keras.Model) -> Position | None:
        """Restores the newest valid checkpoint; returns its `Position`, or None.

        Within `fit` damaged ones are set aside. Outside it, nothing is written.
        """
        companions.check_order(list(self.companions), self)
        self._position = self._pending_metrics = None
        in_fit = any(callback is self for callback in self.companions)
        chief = workers.is_chief(model.distribute_strategy)
        try:
            if in_fit:
                same_run.check_alone(self.directory, self._others())
            if in_fit and chief:
                self._lock.check()
            stored = self._store.newest(set_aside=in_fit and chief)
        except OSError as error:
            if files.is_remote(self.directory) or isinstance(error, PermissionError):
                raise
            raise files.unusable("directory", self.directory, error) from error
        if stored is None:
            if in_fit:
                same_run.warn_of_lost_beginning(self.directory, model)
            return None
        description, settings = stored.description, run_settings.record(model)
        of_data = run_settings.changes(description["data"], self.data_specification)
        same_run.check(self.directory, description, model, of_data)
        going_back = in_fit and same_run.goes_back(
            self.directory, description["step"], model
        )
        changed = run_settings.changes(description["settings"], settings) + of_data
        model_state.restore(model, stored.weights)
        run_settings.restore_rates(model, description["settings"], settings)
        companions.restore(self.companions, stored.states)
        self._tell(description["step"], changed, going_back)
        position = Position(
            description["epoch"], description["batch"], description["data_step"]
        )
        for callback in (self, *self._others()):
            callback._take_position(position, description)
        return self._position

    def save_soon(self) -> None:
        """Saves when the train step that is under way is done.

        For a run that is about to be interrupted. After an epoch's last step its end
        is waited for. Inside an epoch that is resumed exactly by data that can be
        entered anywhere (`kgg.datasets`, arrays).
        """
        self._asked = True

    @property
    def is_saved(self) -> bool:
        """Whether what `save_soon` asked for is done."""
        return not self._asked

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        self._asked = False
        if workers.is_chief(self.model.distribute_strategy):
            files.check_writable("directory", self.directory)
            self._lock.acquire()
            files.sweep(self.directory)
        self._infinite = model_state.infinite_by_design(self.model)
        self._settings = run_settings.record(self.model)
        step = self.model.num_steps
        done = self._position.data_step if self._position else 0
        self._first_step = step - done
        self.schedule.start(step)
        self._epoch = self._position.epoch if self._position else 0
        same_run.begin(self.directory, self.model)
        same_run.warn_of_adaptation(self.model)
        self._tell_finished()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras before every epoch."""
        self._epoch = epoch
        position, pending = self._position, self._pending_metrics
        self._epoch_start = self.model.num_steps
        if position is None or pending is None:
            return
        if position.batch and epoch == position.epoch:
            # Keras has just reset them; the epoch goes on where it was.
            model_state.restore_metrics(self.model, *pending)
            self._epoch_start -= position.batch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras after every batch."""
        step = self.model.num_steps
        same_run.step_taken(self.model, step)
        if self.schedule.due_after_batch(step) or self._asked:
            done = step - self._epoch_start
            # After an epoch's last batch its end is still to come, and to be resumed.
            self._held = done == self.params.get("steps")
            if not self._held:
                self._save(self._epoch, done)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        if self._held or self._asked or self.schedule.due_after_epoch():
            self._held = False
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Logs = None) -> None:
        """Ends a run; called by Keras."""
        self._position = None
        self.release()

    def release(self) -> None:
        """Gives the folder free for other processes; also after a failed `fit`."""
        self._lock.release()
        # A later `resume` is the user's own.
        self.companions = ()

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "directory": str(self.directory),
            "every": self.schedule.every,
            "keep": self.keep,
        }

    @classmethod
    def from_config(cls, config: Config) -> "Checkpoint":
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _save(self, epoch: int, batch: int) -> None:
        self._asked = False
        step, strategy = self.model.num_steps, self.model.distribute_strategy
        # Workers exchange these, so all of them come here.
        variables = model_state.metric_variables(self.model)
        metrics = workers.replica_values(strategy, list(variables.values()))
        if not workers.is_chief(strategy):
            return
        states, arrays = companions.pack(self.companions)
        description = {
            **same_run.identity(self.model),
            "step": step,
            "epoch": epoch,
            "batch": batch,
            "data_step": step - self._first_step,
            "metrics": metrics,
            "metric names": list(variables),
            "settings": self._settings,
            "data": self.data_specification,
            "callbacks": states,
        }
        try:
            self._check_finite()
            weights = model_state.to_bytes(self.model)
            self._store.save(description, weights, arrays)
        except OSError as error:
            self.release()
            raise OSError(
                f"The checkpoint of step {step} could not be written to "
                f"{str(self.directory)!r}: {error}. The one before it is intact. Make "
                "room, or check the permissions, and run the same command again."
            ) from error
        except BaseException:
            self.release()
            raise

    def _check_finite(self) -> None:
        kept = self._store.steps()[:1]
        told = f"The checkpoint of step {kept[0]} is kept." if kept else ""
        model_state.check_finite(self.model, self._infinite, told)

    def _take_position(
        self, position: Position, description: Mapping[str, Any]
    ) -> None:
        self._position = position
        # Before training begins: then they begin to watch anew.
        self._was_stopped = any(
            getattr(each, "has_stopped", False) for each in self.companions
        )
        self._pending_metrics = description["metric names"], description["metrics"]

    def _others(self) -> list["Checkpoint"]:
        return [
            callback
            for callback in self.companions
            if isinstance(callback, Checkpoint) and callback is not self
        ]

    def _tell(
        self, step: int, changed: list[run_settings.Change], going_back: bool
    ) -> None:
        """Warns, in a sentence each, of what the user may not expect."""
        if going_back:
            warnings.warn(
                f"The model goes back to its checkpoint of step {step}: the training "
                "after it was interrupted, and is taken up there.",
                UserWarning,
                stacklevel=3,
            )
        if changed:
            warnings.warn(
                f"The run in {str(self.directory)!r} goes on from step {step} with "
                f"other settings than before, those of this script: "
                f"{run_settings.sentence(changed)}.",
                UserWarning,
                stacklevel=3,
            )

    def _tell_finished(self) -> None:
        """Warns if nothing is left to train."""
        epochs = (self.params or {}).get("epochs")
        if self._position is None or epochs is None or self._was_stopped:
            return
        if self._position.epoch >= epochs:
            warnings.warn(
                f"The run in {str(self.directory)!r} was already trained for "
                f"{self._position.epoch} of {epochs} epochs, so nothing is done; pass "
                "a larger `epochs` to go on.",
                UserWarning,
                stacklevel=2,
            )
