"""Streams in which a batch is a pure function of the number of its step.

Nothing is drawn from a generator with a state, so a run that stopped at step s goes on
at step s without replaying the steps before it.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import TypeAlias

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.typing import Structure

# From a step, an int64 scalar, to its batch.
BatchAt: TypeAlias = Callable[[tf.Tensor], Structure]


def stream(
    batch_at: BatchAt, steps_per_epoch: int | None = None, start_step: int = 0
) -> tf.data.Dataset:
    """Builds a `tf.data.Dataset` from the function that gives the batch of a step.

    Args:
        batch_at: Function of a scalar int64 tensor, the global step, that returns a
            batch: a tensor or a tuple of tensors.
        steps_per_epoch: None for an endless stream; or the number of steps of an epoch,
            for a dataset of that length that starts at ``start_step`` the first time it
            is iterated over, and afterwards where the previous iteration ended.
        start_step: The first step, from 0.

    Returns:
        A `tf.data.Dataset` of batches, prefetched, in the order of the steps.
    """
    start_step = validation.check_integer("start_step", start_step, minimum=0)
    if steps_per_epoch is None:
        steps = tf.data.Dataset.counter(start_step, dtype=tf.int64)
        dataset = _finished(steps.map(batch_at, num_parallel_calls=tf.data.AUTOTUNE))
        return _seekable(dataset, batch_at, None, start_step)

    steps_per_epoch = validation.check_integer("steps_per_epoch", steps_per_epoch)
    # The number of the epoch is the one thing that has to be remembered between two
    # iterations. It is a Python counter, read once an epoch: a `tf.Variable` would
    # become one per replica under a strategy's scope, or land on an accelerator.
    # Entered in the middle of an epoch, the first iteration is what is left of it.
    epoch_starts = itertools.count(
        start_step - start_step % steps_per_epoch, steps_per_epoch
    )
    first_steps = (max(start, start_step) for start in epoch_starts)

    def next_first_step() -> Iterator[int]:
        yield next(first_steps)

    dataset = tf.data.Dataset.from_generator(
        next_first_step, output_signature=tf.TensorSpec((), tf.int64)
    )
    dataset = dataset.flat_map(
        lambda first: tf.data.Dataset.range(
            first, first - first % steps_per_epoch + steps_per_epoch
        )
    )
    dataset = dataset.map(batch_at, num_parallel_calls=tf.data.AUTOTUNE)
    if start_step % steps_per_epoch == 0:
        cardinality = tf.data.experimental.assert_cardinality(steps_per_epoch)
        dataset = dataset.apply(cardinality)
    return _seekable(_finished(dataset), batch_at, steps_per_epoch, start_step)


def _seekable(
    dataset: tf.data.Dataset,
    batch_at: BatchAt,
    steps_per_epoch: int | None,
    start_step: int,
) -> tf.data.Dataset:
    """Gives the dataset the method by which `fit` resumes: `starting_at(step)`."""

    def starting_at(step: int) -> tf.data.Dataset:
        return stream(batch_at, steps_per_epoch, start_step + step)

    dataset.starting_at = starting_at
    dataset.steps_per_epoch = steps_per_epoch
    return dataset


def _finished(dataset: tf.data.Dataset) -> tf.data.Dataset:
    # Steps, not files, are what several workers share.
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    # Where a step takes a millisecond, tuning takes another one of the same cores;
    # without it AUTOTUNE means as many calls in parallel as there are cores.
    options.autotune.enabled = False
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)
