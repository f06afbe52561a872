"""Stops a run at its first NaN, before anything good is overwritten.

Inside the step nothing is written once a number is not finite. Between steps a callback
looks at what the step could not raise (XLA drops assertions, loss scaling forgives
overflows), before any other callback can save. Both end in one error that names the
player and the step.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan.distribution import placement, replicas
from keras_gamegan.games import structures
from keras_gamegan.games.structures import Player
from keras_gamegan.models.roles import GAN, Roles
from keras_gamegan.models.step.step_metrics import FirstFailure
from keras_gamegan.typing import Logs

_MARK = "keras_gamegan guard"
DATA = "the training data"
EVALUATED = "the evaluation data"
LABELS = "the labels"


def _watched(roles: Roles) -> tuple[str, ...]:
    """Returns what may fail in a step, by its number."""
    gradients = (f"the gradient of the {each}" for each in reversed(roles.names))
    return (DATA, *gradients, EVALUATED, LABELS)


class NonFiniteError(ValueError, ArithmeticError):
    """A loss, a gradient or the data became NaN or infinite during training.

    Every variable is as after the last good step, the step is not counted, and no
    callback has been called since.

    Example:
        >>> import keras_gamegan as kgg
        >>> issubclass(kgg.NonFiniteError, ValueError)
        True
    """


class StepGuard:
    """Watches one train step: nothing is written after the first NaN.

    In a graph, what is written stands behind assertions. XLA drops those: there, a
    failure is noted in a metric, and what follows is written under a condition. Eagerly
    an assertion raises at once. What an earlier update of the same step has written is
    put back first.

    Args:
        step: int64 scalar, the number of the step.
        roles: `roles.Roles`: what the players are called.
        failure: `step_metrics.FirstFailure` to note failures in, under XLA; else None.
        branch: Whether conditions may be used; a collective, as an optimizer has under
            several replicas, cannot stand in one. Default: True.
    """

    def __init__(
        self,
        step: tf.Tensor,
        roles: Roles,
        failure: FirstFailure | None = None,
        branch: bool = True,
    ) -> None:
        self._step = step
        self._numbers = {what: i for i, what in enumerate(_watched(roles))}
        self._failure = failure
        self._branch = branch
        self._checks: list[tf.Operation] = []
        # Variables that this step has written, and what they were before.
        self._kept: dict[int, tuple[keras.Variable, tf.Tensor]] = {}
        # Several steps of one execution: after a failure none of them is taken.
        self._fine = tf.constant(True) if failure is None else failure.is_clear()

    def check_data(self, tensors: list[tf.Tensor]) -> None:
        """Holds back all that is to be written until the data are known to be finite.

        Args:
            tensors: List of floating tensors.
        """
        self._watch([_finite_sum(each) for each in tensors], DATA)

    def labels(self, labels: tf.Tensor, classes: int | None) -> tf.Tensor:
        """Returns class numbers, once they are known to be below ``classes``.

        Args:
            labels: Integer tensor.
            classes: Number of classes that the networks know, or None: of any.
        """
        if classes is None:
            return labels
        low, high = tf.reduce_min(labels), tf.reduce_max(labels)
        inside = tf.logical_and(low >= 0, high < classes)
        if self._failure is not None:
            self._failure.note(inside, self._numbers[LABELS], self._step)
            self._fine = tf.logical_and(self._fine, inside)
            return labels
        message = (
            f"Labels must be from 0 to {classes - 1}, the classes that the networks "
            "know. Count classes from 0. Received: a label of"
        )
        wrong = tf.where(low < 0, low, high)
        with tf.control_dependencies([require(inside, message, wrong)]):
            return tf.identity(labels)

    def checked(self, real: tf.Tensor) -> tf.Tensor:
        """Returns data for evaluation, to be had once they are known to be finite."""
        self._watch([_finite_sum(real)], EVALUATED)
        return self._held_back(tf.zeros_like(real), real)

    def check_update(
        self,
        name: str,
        gradient: Sequence[tf.Tensor],
        player: Player,
        before: Player,
        scaled: bool,
    ) -> Player:
        """Returns the player to write, once it and the gradient are known to be finite.

        Args:
            name: The player, as the model calls it.
            gradient: List of tensors.
            player: The `Player` that the forward pass moved.
            before: The `Player` before it; tensors that are still the same objects
                come back as they are.
            scaled: Whether dynamic loss scaling is on, whose overflows are no error.

        Returns:
            The player; where something was not finite, it is ``before``, and `run` does
            nothing.
        """
        old = before.weights + before.state
        new = player.weights + player.state
        moved = [
            (prior, value)
            for prior, value in zip(old, new, strict=True)
            if value is not prior
        ]
        sums = [_finite_norm(each) for each in gradient]
        sums += [_finite_sum(value) for _, value in moved if value.dtype.is_floating]
        self._watch([] if scaled else sums, f"the gradient of the {name}")
        left = iter([self._held_back(*pair) for pair in moved])
        new = [
            prior if value is prior else next(left)
            for prior, value in zip(old, new, strict=True)
        ]
        number = len(player.weights)
        return structures.Player(new[:number], new[number:])

    def keep(self, variables: Iterable[tuple[keras.Variable, tf.Tensor]]) -> None:
        """Remembers what is about to be written, to put it back after a later NaN.

        Args:
            variables: Pairs (variable, its value).
        """
        if not self._branch:
            return
        for variable, value in variables:
            self._kept.setdefault(id(variable), (variable, value))

    def run(self, write: Callable[[], object], after: Sequence[tf.Tensor] = ()) -> None:
        """Calls ``write()``, unless something was not finite.

        Args:
            write: Function that writes variables.
            after: Tensors that must be there first. A replica whose own part is fine
                does not know of another's, but it waits for the weights of both.
        """
        if self._failure is None:
            with tf.control_dependencies([*self._checks, *after]):
                write()
        elif self._branch:

            def written() -> tf.Tensor:
                write()
                return tf.constant(True)

            tf.cond(self._fine, written, lambda: tf.constant(False))
        else:
            write()

    def _watch(self, sums: list[tf.Tensor], what: str) -> None:
        if not sums:
            return
        if len({each.dtype for each in sums}) > 1:
            sums = [tf.cast(each, tf.float64) for each in sums]
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(sums)))
        if self._kept:
            finite = replicas.assign_unless(finite, list(self._kept.values()))
        if self._failure is not None:
            self._failure.note(finite, self._numbers[what], self._step)
            self._fine = tf.logical_and(self._fine, finite)
            return
        message = f"{_MARK}: {what} at step"
        check = tf.debugging.Assert(finite, [message, self._step])
        if check is not None:
            self._checks.append(check)

    def _held_back(self, prior: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        if self._failure is not None:
            return tf.where(self._fine, value, prior)
        with tf.control_dependencies(self._checks):
            return tf.identity(value)


def _finite_sum(tensor: tf.Tensor) -> tf.Tensor:
    # A sum is NaN or infinite as soon as one term is.
    return tf.reduce_sum(_wide(tensor))


def _finite_norm(tensor: tf.Tensor) -> tf.Tensor:
    # Optimizers square gradients: one whose square overflows would make their state,
    # and then the weights, infinite.
    return tf.reduce_sum(tf.square(_wide(tensor)))


def _wide(tensor: tf.Tensor) -> tf.Tensor:
    return tf.cast(tensor, tf.float64 if tensor.dtype == tf.float64 else tf.float32)


def require(condition: tf.Tensor, message: str, number: int | tf.Tensor) -> tf.Tensor:
    """Returns the number; at run time raises ``message`` unless ``condition``."""
    check = tf.debugging.Assert(condition, [f"{_MARK}: {message} |", number])
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(number)


def explain(error: Exception) -> Exception | None:
    """Returns the error of ours behind a TensorFlow error, or None."""
    found = re.search(rf"{_MARK}: ([a-z ]+) at step\D*(\d+)", str(error))
    if found is None:
        found = re.search(rf"{_MARK}: (.+?) \|[^\d-]*(-?\d+)", str(error))
        if found is None:
            return None
        message, number = found.groups()
        # TensorFlow escapes the quotes of what it prints.
        return ValueError(f"{message} {number}.".replace("\\", ""))
    what, step = found.groups()
    return _error(what, step)


def _error(what: str, step: int | str) -> ValueError:
    if what == LABELS:
        return ValueError(
            "Labels must be classes that the networks know. Received: "
            f"others, at step {step}. Count classes from 0."
        )
    kind = "evaluation" if what == EVALUATED else "training"
    if what in (DATA, EVALUATED):
        advice = (
            "Clean the data set: drop or replace the NaN and infinite values, for "
            "instance with dataset.filter or np.nan_to_num."
        )
    else:
        # Other games have no penalty.
        bound = 'add penalty="r1", ' if any(name in what for name in GAN.names) else ""
        advice = (
            f"Lower the learning rates, {bound}or clip the gradients (clipnorm=1.0 in "
            "the optimizer)."
        )
    return NonFiniteError(
        f"Expected finite numbers, but {what} became NaN or infinite. "
        f"Received: non-finite values at {kind} step {step}. {advice}"
    )


def raise_noted(model: Any) -> None:
    """Raises if a compiled step, which cannot raise, has noted a failure."""
    if not model.jit_compile:
        return
    tracker = model._trackers.first_failure
    failure = tracker.read()
    if failure is not None:
        tracker.reset_state()
        raise _error(_watched(model._roles)[failure[0]], failure[1])


class TrainingGuard(keras.callbacks.Callback):
    """Runs before every other callback of `fit`: non-finite logs, empty or odd data.

    Args:
        data_range: Pair (lowest, highest) value the generator can reach, or None.
    """

    def __init__(self, data_range: tuple[float, float] | None = None) -> None:
        super().__init__()
        self._data_range = data_range
        self._first_step = None
        self._has_checked_size = False

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        self._first_step = self.model.num_steps

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras after every batch."""
        if self._data_range is not None:
            warn_of_range(self.model.data_range, self._data_range)
            self._data_range = None
        if not self._has_checked_size:
            # Data of unknown batch size: seen after the first step, before any save.
            self._has_checked_size = True
            replicas = self.model.distribute_strategy.num_replicas_in_sync
            steps = max(self.model.num_steps - self._first_step, 1)
            examples = self.model._trackers.examples * replicas
            placement.check_batch_size(self.model, examples / steps)
        raise_noted(self.model)
        roles = self.model._roles
        for player, log in (
            (roles.maximizer, roles.maximizer_loss),
            (roles.minimizer, roles.minimizer_loss),
        ):
            if not np.isfinite((logs or {}).get(log, 0.0)).all():
                raise _error(f"the loss of the {player}", self.model.num_steps - 1)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        if self.model.num_steps == self._first_step:
            raise ValueError(
                "The data set must have at least one batch. Received: a data set that "
                "yielded none. Check its filters, and that drop_remainder=True leaves "
                "a batch: the batch size may exceed the number of examples."
            )


def warn_of_range(found: Iterable[float], reachable: tuple[float, float]) -> None:
    """Warns once if real data lie outside what the generator can produce."""
    lowest, highest = (float(number) for number in found)
    low, high = reachable
    slack = 1e-3 * (high - low) if math.isfinite(high - low) else 1e-3
    if lowest < low - slack or highest > high + slack:
        warnings.warn(
            f"The real data range over [{lowest:g}, {highest:g}], but the generator's "
            f"last activation only reaches [{low:g}, {high:g}]: the discriminator can "
            "tell them apart by that alone. Rescale the data (images: x / 127.5 - 1 "
            "for tanh), or change the activation.",
            UserWarning,
            stacklevel=2,
        )
    elif low == -1.0 and high == 1.0 and 0.0 <= lowest < highest:
        warnings.warn(
            f"The real data range over [{lowest:g}, {highest:g}], half of the [-1, 1] "
            "that the generator's last activation reaches. Scale the data to all of it "
            "(images: x / 127.5 - 1), or let the generator end in a sigmoid.",
            UserWarning,
            stacklevel=2,
        )
