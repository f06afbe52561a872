"""Strategies over the logical devices of the processor that tests/conftest.py makes."""

import tensorflow as tf


def mirrored(replicas=2):
    """Returns a MirroredStrategy over so many logical devices.

    Several groups of devices in one process confuse TensorFlow's collectives, and any
    test may share its process with any other: the sums are taken on one device.
    """
    return tf.distribute.MirroredStrategy(
        [f"CPU:{index}" for index in range(replicas)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )
