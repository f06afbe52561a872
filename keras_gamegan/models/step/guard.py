"""Stops a run at its first NaN, before anything good is overwritten.

Inside the step nothing is written once a number is not finite. Between steps a
callback, `models.run.training_guard`, looks at what the step could not raise (XLA drops
assertions, loss scaling forgives overflows), before any other callback can save. Both
end in one error that names the player and the step.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import structures
from keras_gamegan.games.structures import Player
from keras_gamegan.models.roles import GAN, Roles
from keras_gamegan.models.step.step_metrics import FirstFailure

_MARK = "keras_gamegan guard"
DATA = "the training data"
EVALUATED = "the evaluation data"
LABELS = "the labels"


def _watched(roles: Roles) -> tuple[str, ...]:
    """Returns what may fail in a step, by its number."""
    gradients, updates = (
        [f"the {what} of the {each}" for each in reversed(roles.names)]
        for what in ("gradient", "update")
    )
    return (DATA, *gradients, EVALUATED, LABELS, *updates)


class NonFiniteError(ValueError, ArithmeticError):
    """A gradient, an update or the data became NaN or infinite during training.

    Every variable is as after the last good step, the step is not counted, and no
    callback has been called since. A loss that is NaN while its gradient is not has
    the step counted.

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
        rate: tf.Tensor | None = None,
    ) -> Player:
        """Returns the player to write, once it and the gradient are known to be finite.

        Args:
            name: The player, as the model calls it.
            gradient: List of tensors.
            player: The `Player` that the forward pass moved.
            before: The `Player` before it; tensors that are still the same objects
                come back as they are.
            scaled: Whether dynamic loss scaling is on, whose overflows are no error.
            rate: The learning rate of an optimizer by which a finite gradient and a
                rate of less than 1e10 make finite weights. Default: None, another.

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
        self._watch_all(
            {
                f"the gradient of the {name}": [] if scaled else sums,
                f"the update of the {name}": [] if rate is None else [rate * 1e28],
            }
        )
        left = iter([self._held_back(*pair) for pair in moved])
        new = [
            prior if value is prior else next(left)
            for prior, value in zip(old, new, strict=True)
        ]
        number = len(player.weights)
        return structures.Player(new[:number], new[number:])

    def check_updates(self, players: dict[str, Player]) -> None:
        """Looks at weights that were written; players: name -> `Player`, read back.

        A finite gradient can make weights that are not: by an Adam whose epsilon is 0.
        """
        self._watch_all(
            {
                f"the update of the {name}": [
                    _finite_sum(each)
                    for each in player.weights
                    if each.dtype.is_floating
                ]
                for name, player in players.items()
            }
        )

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
        self._watch_all({what: sums})

    def _watch_all(self, found: dict[str, list[tf.Tensor]]) -> None:
        """Goes on only if all is finite; found: what it is of -> its sums."""
        finite = {what: _all_finite(sums) for what, sums in found.items() if sums}
        if not finite:
            return
        good = tf.reduce_all(list(finite.values()))
        if self._kept:
            good = replicas.assign_unless(good, list(self._kept.values()))
        *_, last = finite
        for what, flag in finite.items():
            # The last name is also that of another replica's failure.
            self._go_on_if(good if what == last else tf.logical_or(flag, good), what)

    def _go_on_if(self, good: tf.Tensor, what: str) -> None:
        if self._failure is not None:
            self._failure.note(good, self._numbers[what], self._step)
            self._fine = tf.logical_and(self._fine, good)
            return
        # One after the other: the first failure has the name.
        with tf.control_dependencies(self._checks):
            check = tf.debugging.Assert(good, [f"{_MARK}: {what} at step", self._step])
        if check is not None:
            self._checks.append(check)

    def _held_back(self, prior: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        if self._failure is not None:
            return tf.where(self._fine, value, prior)
        with tf.control_dependencies(self._checks):
            return tf.identity(value)


def _all_finite(sums: list[tf.Tensor]) -> tf.Tensor:
    if len({each.dtype for each in sums}) > 1:
        sums = [tf.cast(each, tf.float64) for each in sums]
    return tf.reduce_all(tf.math.is_finite(tf.stack(sums)))


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
    return error_of(what, step)


def error_of(what: str, step: int | str) -> ValueError:
    """Returns the error that says what was not finite, when, and what to do."""
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
        raise error_of(_watched(model._roles)[failure[0]], failure[1])
