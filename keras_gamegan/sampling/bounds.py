"""What a served sampler refuses, checked inside its graph.

A request beyond a bound is refused rather than clipped: a client that asked for 5000
samples and silently got 4096, or class 9 in the place of class 12, would go on with
wrong data. The refusal is the status INVALID_ARGUMENT (HTTP 400), and its text names
the bound.

XLA leaves assertions out of what it compiles. It cannot compile `as_string`, which
every text here holds, and that is on purpose: a signature compiled as a whole is an
error rather than one without its bounds, and where a server lets TensorFlow choose what
is compiled (clusters), the checks stay outside.
"""

from collections.abc import Sequence

import tensorflow as tf

MAX_SAMPLES = 4096


def check_number(num_samples: tf.Tensor) -> list[tf.Operation]:
    """Returns the operations that refuse a number of samples out of bounds."""
    return [
        tf.debugging.Assert(
            (num_samples >= 0) & (num_samples <= MAX_SAMPLES),
            [
                f"`num_samples` must be from 0 to {MAX_SAMPLES}, so that one request "
                "cannot exhaust the server. Received: num_samples=",
                tf.strings.as_string(num_samples),
                "Ask for more in several requests, each with a seed of its own.",
            ],
        )
    ]


def check_seed(seed: tf.Tensor) -> list[tf.Operation]:
    """Returns the operations that refuse a negative seed, as `GAN.sample` does."""
    return [
        tf.debugging.Assert(
            seed >= 0,
            ["`seed` must be at least 0. Received: seed=", tf.strings.as_string(seed)],
        )
    ]


def check_labels(
    labels: tf.Tensor | None, number: tf.Tensor, what: str, classes: int | None
) -> list[tf.Operation]:
    """Returns the operations that refuse labels of a wrong number or range.

    Args:
        labels: Labels (n, ...), or None: nothing is checked.
        number: The n that is right, an integer scalar.
        what: What there is one label for, in words.
        classes: Number of classes, or None if it is not known.
    """
    if labels is None:
        return []
    given = tf.shape(labels)[0]
    checks = [
        tf.debugging.Assert(
            tf.equal(given, number),
            [
                f"`labels` must have one entry for each {what}. Received (labels, "
                f"number of entries wanted):",
                tf.strings.as_string(given),
                tf.strings.as_string(number),
            ],
        )
    ]
    if classes is not None:
        inside = tf.reduce_all((labels >= 0) & (labels < classes))
        checks.append(
            tf.debugging.Assert(
                inside,
                [
                    f"`labels` must be from 0 to {classes - 1}. Received (smallest, "
                    "largest):",
                    tf.strings.as_string(tf.reduce_min(labels)),
                    tf.strings.as_string(tf.reduce_max(labels)),
                ],
            )
        )
    return checks


def after(checks: Sequence[tf.Operation], value: tf.Tensor | None) -> tf.Tensor | None:
    """Returns ``value``, to be had only once the checks have passed.

    Without the dependency the graph might draw 2^31 latents while it learns that it
    should not.
    """
    if value is None:
        return None
    with tf.control_dependencies(checks):
        return tf.identity(value)
