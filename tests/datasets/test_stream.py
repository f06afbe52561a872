"""The order of a stream, checked index by index."""

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

import keras_gamegan.datasets as datasets


def numbered(count, **arguments):
    """A stream whose example i is the number i."""
    values = np.arange(count, dtype=np.float32)[:, None]
    return datasets.ShuffledStream(values, **arguments)


def flatten(dataset):
    return np.concatenate([batch.numpy()[:, 0] for batch in dataset]).astype(int)


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(
    count=st.integers(1, 60), batch_size=st.integers(1, 9), seed=st.integers(0, 2**31)
)
def test_every_epoch_is_a_permutation(count, batch_size, seed):
    data = numbered(count, batch_size=batch_size, drop_remainder=False, seed=seed)
    assert data.steps_per_epoch == -(-count // batch_size)
    epochs = data.epochs()
    for _ in range(2):
        np.testing.assert_array_equal(np.sort(flatten(epochs)), np.arange(count))


def test_order_is_a_function_of_seed_and_epoch_alone():
    first = numbered(200, batch_size=20, seed=3).epochs()
    second = numbered(200, batch_size=20, seed=3).epochs()
    orders = [flatten(first) for _ in range(3)]
    for order in orders:
        np.testing.assert_array_equal(flatten(second), order)
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[1], orders[2])
    other = flatten(numbered(200, batch_size=20, seed=4).epochs())
    assert not np.array_equal(other, orders[0])


def test_the_order_does_not_depend_on_the_batch_size():
    small = flatten(numbered(120, batch_size=10, seed=1).epochs())
    large = flatten(numbered(120, batch_size=40, seed=1).epochs())
    np.testing.assert_array_equal(small, large)


def test_shuffling_is_close_to_uniform():
    # Over many epochs every example visits every position about equally often: with
    # 12 of them in 600 epochs, 50 times each; the chi-square statistic of the 144
    # counts has mean 121 and standard deviation about 16.
    count, epochs = 12, 600
    data = numbered(count, batch_size=count)
    visits = np.zeros((count, count))
    for epoch in range(epochs):
        visits[np.arange(count), data.indices(epoch).numpy()] += 1
    expected = epochs / count
    chi_square = np.sum((visits - expected) ** 2) / expected
    assert chi_square < 121 + 5 * 16


def test_a_stream_entered_at_a_step_is_the_tail_of_the_stream():
    data = numbered(50, batch_size=8, seed=5)
    whole = [batch.numpy() for batch in data.endless().take(20)]
    for start in (1, 6, 13):
        tail = [batch.numpy() for batch in data.endless(start).take(20 - start)]
        np.testing.assert_array_equal(tail, whole[start:])
    # Six steps an epoch; epoch 2 starts at step 12.
    np.testing.assert_array_equal(list(data.epochs(start_epoch=2)), whole[12:18])
    np.testing.assert_array_equal(data.batch(9), whole[9])


def test_streams_are_not_tuned_and_shared_by_steps():
    data = numbered(50, batch_size=8)
    for dataset in (data.endless(), data.epochs(), data.endless(3)):
        options = dataset.options()
        assert options.autotune.enabled is False
        policy = options.experimental_distribute.auto_shard_policy
        assert policy == tf.data.experimental.AutoShardPolicy.DATA


def test_a_step_beyond_int32_is_reached_at_once():
    data = numbered(50, batch_size=8)
    start = 2**40
    batch = next(iter(data.endless(start)))
    np.testing.assert_array_equal(batch, data.batch(start))


def test_endless_says_so():
    assert numbered(10, batch_size=5).endless().cardinality() == (
        tf.data.INFINITE_CARDINALITY
    )


def test_remainder():
    assert numbered(10, batch_size=4).steps_per_epoch == 2
    kept = numbered(10, batch_size=4, drop_remainder=False)
    assert [len(batch) for batch in kept.epochs()] == [4, 4, 2]
    assert len(kept.epochs()) == 3


def test_static_shapes_where_the_remainder_is_dropped():
    data = datasets.ShuffledStream(np.zeros((9, 4, 5, 3), np.uint8), batch_size=2)
    assert data.epochs().element_spec == tf.TensorSpec((2, 4, 5, 3), tf.float32)
    assert data.endless().element_spec == tf.TensorSpec((2, 4, 5, 3), tf.float32)


def test_without_shuffling_the_order_is_that_of_the_arrays():
    data = numbered(10, batch_size=5, shuffle=False).epochs()
    for _ in range(2):
        np.testing.assert_array_equal(flatten(data), np.arange(10))


def test_bytes_are_scaled_and_labels_stay_with_their_images():
    images = np.arange(256, dtype=np.uint8)[:, None]
    labels = np.arange(256, dtype=np.int64)
    data = datasets.ShuffledStream(images, labels, batch_size=256)
    batch, batch_labels = next(iter(data.epochs()))
    assert batch.dtype == tf.float32 and batch_labels.dtype == tf.int32
    expected = batch_labels.numpy().astype(np.float64) * 2.0 / 255.0 - 1.0
    np.testing.assert_allclose(batch[:, 0], expected, atol=1e-6)
    assert batch.numpy().min() == -1.0 and batch.numpy().max() == 1.0


def test_floating_data_pass_unscaled():
    values = np.array([[-3.5], [7.25]])
    data = datasets.ShuffledStream(values, batch_size=2, shuffle=False)
    (batch,) = data.epochs()
    assert batch.dtype == tf.float32
    np.testing.assert_array_equal(batch, values)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"images": np.zeros((4, 2), np.int32)}, TypeError, r"array of int32.*astype"),
        ({"images": np.zeros(4)}, ValueError, r"shape \(4,\).*leading axis"),
        ({"images": np.zeros((0, 2))}, ValueError, r"shape \(0, 2\)"),
        ({"batch_size": 5}, ValueError, r"batch_size=5 for 4 examples"),
        ({"batch_size": 0}, ValueError, r"batch_size=0"),
        ({"labels": np.zeros(4)}, TypeError, r"array of float64"),
        ({"labels": np.zeros((4, 2), int)}, ValueError, r"\(4,\).*\(4, 2\).*one-hot"),
        ({"seed": -1}, ValueError, r"seed=-1"),
        ({"images": [[1.0], [1.0, 2.0]]}, TypeError, r"`images`.*one array.*np.stack"),
        ({"images": [["a"]] * 4}, TypeError, r"`images` must be real numbers"),
        ({"images": np.full((4, 2), 1e300)}, ValueError, r"a float32 holds.*float64"),
        ({"images": np.full((4, 2), -1e39)}, ValueError, r"a float32 holds.*Scale"),
        ({"labels": [[0], [1, 2], [3], [4]]}, TypeError, r"`labels`.*one array"),
        ({"labels": ["a"] * 4}, TypeError, r"`labels` must be real numbers"),
        ({"shuffle": "False"}, TypeError, r"shuffle='False'"),
        ({"shuffle": 0}, TypeError, r"shuffle=0"),
        ({"drop_remainder": "no"}, TypeError, r"drop_remainder='no'"),
        ({"class_names": "abcd"}, TypeError, r"class_names='abcd'.*class 0 first"),
        ({"class_names": [0, 1]}, TypeError, r"class_names=\[0, 1\]"),
        ({"class_names": []}, TypeError, r"class_names=\[\]"),
        (
            {"labels": [0, 1, 2, 2], "class_names": ["a", "b"]},
            ValueError,
            r"2 names for labels from 0 to 2",
        ),
        (
            {"labels": [-1, 0, 1, 1], "class_names": ["a", "b"]},
            ValueError,
            r"2 names for labels from -1 to 1",
        ),
    ],
)
def test_errors(arguments, error, match):
    arguments = {"images": np.zeros((4, 2)), "batch_size": 2, **arguments}
    with pytest.raises(error, match=match):
        datasets.ShuffledStream(**arguments)


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2", np.float32(2)])
def test_a_number_of_examples(number):
    with pytest.raises((TypeError, ValueError), match=r"`number` must be an integer"):
        numbered(4, batch_size=2).examples(number)
    assert len(numbered(4, batch_size=2).examples(np.int64(9))) == 4


@pytest.mark.parametrize(
    "step",
    [
        *(-1, 1.5, 2.0, True, np.float64(1), np.int64(-1), "1", [1, 2]),
        *(tf.constant(-1), tf.constant(1.0), tf.constant([1]), np.array(-3)),
    ],
)
def test_a_step(step):
    data = numbered(4, batch_size=2)
    for method in (data.indices, data.batch):
        with pytest.raises((TypeError, ValueError), match=r"`step` must be an integer"):
            method(step)


@pytest.mark.parametrize(
    "step",
    [
        *(3, np.int32(3), np.array(3), tf.constant(3), tf.Variable(3)),
        keras.Variable(3, dtype="int64"),
    ],
)
def test_steps_of_any_integer_type(step):
    data = numbered(4, batch_size=2)
    np.testing.assert_array_equal(data.indices(step), data.indices(3))
    np.testing.assert_array_equal(tf.function(data.indices)(step), data.indices(3))


def test_wide_numbers_are_checked_where_a_file_is_mapped_too(tmp_path):
    values = np.array([[0.1], [np.inf], [1e300]])
    np.save(tmp_path / "a.npy", values)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    data = datasets.ShuffledStream(mapped[:2], batch_size=2, shuffle=False)
    np.testing.assert_array_equal(data.batch(0), values[:2].astype(np.float32))
    data = datasets.ShuffledStream(mapped, batch_size=3)
    with pytest.raises(ValueError, match=r"a float32 holds"):
        data.batch(0)
    # What was infinite, or no number, stays so.
    data = datasets.ShuffledStream(values[:2], batch_size=2, shuffle=False)
    np.testing.assert_array_equal(data.batch(0), values[:2].astype(np.float32))
