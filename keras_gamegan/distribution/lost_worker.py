"""What is said of a worker that ended or does not answer."""

import re
from collections.abc import Sequence

import tensorflow as tf

from keras_gamegan.distribution import cluster

_ADVICE = (
    "Start all of them again with the same command; with kgg.callbacks.Checkpoint they "
    "go on from the last checkpoint."
)


class WorkerLostError(RuntimeError):
    """Another worker ended, or did not answer, while this one was waiting for it.

    Raised by `fit` under `MultiWorkerMirroredStrategy`, on the workers that go on to
    wait; the message names the other and, if that one could still tell it, the error
    that stopped it. Start all workers again with the same command; with
    `kgg.callbacks.Checkpoint` they go on from the last checkpoint, exactly.

    Example:
        >>> import keras_gamegan as kgg
        >>> try:
        ...     raise kgg.WorkerLostError("worker 1 of 2 workers ended")
        ... except kgg.WorkerLostError as error:
        ...     print(f"Restart me: {error}")
        Restart me: worker 1 of 2 workers ended
    """


def explain(
    error: Exception, strategy: tf.distribute.Strategy
) -> WorkerLostError | None:
    """Returns the `WorkerLostError` behind a TensorFlow error, or None.

    Args:
        error: A `tf.errors.OpError` raised in a step.
        strategy: The model's strategy.
    """
    lost = tf.errors.UnavailableError, tf.errors.AbortedError
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    resolver = strategy.cluster_resolver if several else None
    tasks = cluster.tasks(resolver)
    collective = "ollective" in str(error)
    if len(tasks) < 2 or not (isinstance(error, lost) or collective):
        return None
    own = cluster.own_name(resolver)
    return WorkerLostError(
        f"Expected all workers to go on, but {_named(error, own) or 'another one'} "
        "ended: lost, killed, or stopped by an error that stands in its own log. "
        f"Received: a broken connection on {own} of {len(tasks)} workers. {_ADVICE}"
    )


def stopped(
    name: str, reason: str, strategy: tf.distribute.Strategy
) -> WorkerLostError:
    """Returns the error of a worker that was told why another one stopped.

    Args:
        name: The other's name.
        reason: Its own error.
        strategy: The model's strategy.
    """
    return WorkerLostError(
        f"Expected all workers to go on, but {name} was stopped by an error. Received, "
        f"on {cluster.own_name(strategy.cluster_resolver)}, from {name}: {reason} "
        f"Mend that, then: {_ADVICE[0].lower()}{_ADVICE[1:]}"
    )


def not_answering(
    strategy: tf.distribute.Strategy, moment: str, seconds: float
) -> WorkerLostError:
    """Returns the error of a worker that has waited long enough.

    Args:
        strategy: The model's strategy.
        moment: What the others did not come to.
        seconds: How long it waited.
    """
    resolver = strategy.cluster_resolver
    own = cluster.own_name(resolver)
    others = [task for task in cluster.tasks(resolver) if task.name != own]
    silent = cluster.silent(others)
    if silent:
        found = f"nobody listens at the address of {_listed(silent)}"
    else:
        found = f"alive, but busy or stuck: {_listed(others)}"
        if len(others) > 1:
            found = f"alive, but some busy or stuck: {_listed(others)}"
    return WorkerLostError(
        f"Expected all workers to come to {moment} within {seconds:g} seconds. "
        f"Received: no answer on {own}; {found}. {_ADVICE} {cluster.TIMEOUT}=600 in "
        "the environment makes them wait for ten minutes."
    )


def _listed(tasks: Sequence[cluster.Task]) -> str:
    return ", ".join(f"{task.name} ({task.host}:{task.port})" for task in tasks)


def _named(error: Exception, own: str) -> str | None:
    """Returns the name of the first other task in TensorFlow's message, or None."""
    pattern = r"/job:(\w+)/(?:replica:\d+/)?task:(\d+)"
    names = [f"{job} {int(task)}" for job, task in re.findall(pattern, str(error))]
    return next((name for name in names if name != own), None)
