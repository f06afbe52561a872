import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.models.step import step_metrics


def test_means_are_weighted_by_the_batch():
    kept = step_metrics.Trackers(("d_loss", "value"))
    for size, number in ((8, 1.0), (2, 6.0)):
        logs = kept.update(
            {"d_loss": tf.constant(number), "value": tf.constant(-number)},
            replicas.Share(size, 0, size),
        )
    assert float(logs["d_loss"]) == pytest.approx(2.0)
    assert float(logs["value"]) == pytest.approx(-2.0)
    for metric in kept.metrics:
        metric.reset_state()
    logs = kept.update({"d_loss": tf.constant(5.0)}, replicas.Share(3, 0, 3))
    assert {name: float(value) for name, value in logs.items()} == {"d_loss": 5.0}


def test_data_range():
    kept = step_metrics.DataRange()
    kept.update_state(tf.constant([[2.0, 7.0]]))
    np.testing.assert_array_equal(kept.result(), [2.0, 7.0])
    kept.update_state(tf.constant([3, 9]))
    np.testing.assert_array_equal(kept.result(), [2.0, 9.0])
    kept.reset_state()
    kept.update_state(tf.constant([-1.0]))
    np.testing.assert_array_equal(kept.result(), [-1.0, -1.0])


def test_step_counter():
    counter = step_metrics.StepCounter()
    assert [int(counter.next_step()) for _ in range(3)] == [0, 1, 2]
    counter.update_state()
    assert int(counter.result()) == 4
    counter.reset_state()
    assert int(counter.next_step()) == 0


def test_the_first_failure_stays():
    failure = step_metrics.FirstFailure()
    for finite, what, step in ((True, 2, 5), (False, 1, 6), (False, 0, 7)):
        failure.update_state(tf.constant(finite), what, tf.constant(step, tf.int64))
        assert failure.read() == (None if finite else (1, 6))
    failure.reset_state()
    assert failure.read() is None
