"""Arrays in the order in which `fit` shows them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.datasets import arrays

DATA = np.arange(10, dtype="float64")


def batches(data=DATA, labels=None, size=4, shuffle=True, seed=0):
    element = (data,) if labels is None else (data, labels)
    return arrays.ArrayBatches(element, size, shuffle, seed)


def epochs(dataset, number):
    """Returns the examples of so many epochs, a list of arrays."""
    return [np.concatenate([x.numpy() for x, *_ in dataset]) for _ in range(number)]


def test_every_pass_is_a_permutation_of_its_own():
    found = epochs(batches().from_step(0), 6)
    for order in found:
        np.testing.assert_array_equal(np.sort(order), DATA)
    assert len({tuple(order) for order in found}) == 6
    assert tuple(epochs(batches(seed=1).from_step(0), 1)[0]) != tuple(found[0])


def test_the_order_is_that_of_the_step_at_which_a_pass_begins():
    whole = epochs(batches().from_step(0), 4)
    # 3 batches a pass: a run of two passes, and then another of two.
    np.testing.assert_array_equal(whole[2:], epochs(batches().from_step(6), 2))
    # A run that is entered in the middle of a pass.
    entered = batches().from_step(0).starting_at(4)
    rest = np.concatenate([x.numpy() for (x,) in entered])
    np.testing.assert_array_equal(rest, whole[1][4:])
    np.testing.assert_array_equal(epochs(entered, 1)[0], whole[2])


def test_epochs_of_another_length_go_on_through_the_passes():
    whole = np.concatenate(epochs(batches().from_step(0), 3))
    endless = batches().from_step(0, steps_per_epoch=2)
    shown = [x.numpy() for (x,) in endless.take(7)]
    np.testing.assert_array_equal(np.concatenate(shown), whole[: sum(map(len, shown))])
    later = [x.numpy() for (x,) in endless.starting_at(3).take(2)]
    np.testing.assert_array_equal(np.concatenate(later), whole[10:18])


def test_data_and_labels_stay_together_and_as_they_are():
    labels = np.arange(10)[:, None].astype("int32")
    dataset = batches(DATA.astype("uint8"), labels).from_step(0)
    assert [spec.dtype for spec in dataset.element_spec] == [tf.uint8, tf.int32]
    for data, label in dataset:
        np.testing.assert_array_equal(data, label[:, 0])
    assert len(dataset) == batches().steps_per_epoch == 3


def test_whole_batches_have_a_static_size():
    dataset = batches(size=5).from_step(0)
    assert dataset.element_spec[0].shape == (5,)
    assert batches(size=4).from_step(0).element_spec[0].shape.as_list() == [None]
    plain = epochs(batches(size=5, shuffle=False).from_step(0), 2)
    np.testing.assert_array_equal(plain, [DATA, DATA])


class Frame:
    """As a data frame is to NumPy."""

    shape = (2, 1)

    def __array__(self, dtype=None, copy=None):
        return np.ones((2, 1), dtype or "float32")


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.ones((2, 1), "float16"), "float16"),
        (tf.ones((2, 1), tf.bfloat16), "bfloat16"),
        (np.ones((2, 1), bool), "bool"),
        (Frame(), "float32"),
    ],
)
def test_what_is_an_array(given, dtype):
    assert arrays.is_array(given)
    assert arrays.as_array("The data", given).dtype.name == dtype


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.array([["a"]]), "real numbers.*dtype <U1"),
        (np.ones((2, 1), "complex64"), "real numbers.*complex64"),
        (np.array([[object()]]), "real numbers.*object"),
        (np.ma.masked_less([[0.0], [2.0]], 1.0), "masked array with 1 masked"),
        (tf.sparse.from_dense(tf.ones((2, 1))), "dense array.*SparseTensor"),
        (tf.ragged.constant([[1.0], []]), "dense array.*RaggedTensor"),
    ],
)
def test_what_is_none(given, message):
    with pytest.raises(TypeError, match=message):
        arrays.as_array("The data", given)
