"""What Keras 3 needs to `fit` on several workers (keras#20585).

Keras reduces the logs of a step over replicas along axis 0, which scalars do not have;
single-process strategies take another path. Logs of rank 1 pass. The tests say when
Keras has learnt it.
"""

import tensorflow as tf


def has_several_workers() -> bool:
    """Returns whether the current strategy spans several processes."""
    return isinstance(
        tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy
    )


def logs_for_keras(logs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns a step's logs in the shape that Keras can reduce over replicas.

    Args:
        logs: Dictionary of scalar tensors.

    Returns:
        The same under one process; tensors of shape (1,) under several.
    """
    if not has_several_workers():
        return logs
    return {name: tf.reshape(value, [1]) for name, value in logs.items()}
