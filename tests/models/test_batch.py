import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data


def _source(size=8, stream=0, labels=None, **arguments):
    real = tf.reshape(tf.range(2.0 * size), (size, 2))
    return labelled_data.source_of(
        real, labels, randomness.root(stream), (3,), **arguments
    )


def test_a_draw_has_all_the_data_and_latents_of_its_own():
    source = _source()
    first, second = source(0), source(1)
    np.testing.assert_array_equal(first.examples.real, second.examples.real)
    assert first.examples.labels is None and first.examples.latents.shape == (8, 3)
    assert np.all(first.examples.latents.numpy() != second.examples.latents.numpy())
    np.testing.assert_array_equal(
        first.examples.latents, source(tf.constant(0)).examples.latents
    )
    assert np.any(first.examples.latents != _source(stream=1)(0).examples.latents)


@pytest.mark.parametrize("size", [1, 5, 8])
def test_a_latent_depends_on_the_index_of_its_example_alone(size):
    long = _source(64)(2).examples.latents
    np.testing.assert_array_equal(_source(size)(2).examples.latents, long[:size])


def test_latents_have_the_datas_dtype():
    real = tf.zeros((4, 2), tf.float64)
    source = labelled_data.source_of(real, None, randomness.root(0), (2, 2))
    assert source(0).examples.latents.dtype == tf.float64
    assert source(0).examples.latents.shape == (4, 2, 2)


def test_dealing_out():
    labels = tf.range(8)
    source = _source(8, labels=labels, slices=4)
    draws = [source(index) for index in range(4)]
    for index, draw in enumerate(draws):
        np.testing.assert_array_equal(draw.examples.labels, [index, index + 4])
        np.testing.assert_array_equal(
            draw.examples.real[:, 0], [2 * index, 2 * index + 8]
        )
        assert draw.examples.latents.shape == (2, 3)
        assert draw.share == source.share == (2, 0, 2)
    # Inside a loop of the graph the index is a tensor.
    np.testing.assert_array_equal(
        source(tf.constant(3)).examples.labels, draws[3].examples.labels
    )


def test_dealing_out_needs_a_multiple():
    with pytest.raises(ValueError, match=r"num_steps \+ 1 = 3 equal.*of size 8"):
        _source(8, slices=3)


def test_a_last_smaller_batch_that_cannot_be_dealt_out(make, points):
    response = kgg.BestResponse(3, "sgd", batches="fresh")
    gan = make("duality_gap", "linear", best_response=response)
    data = tf.data.Dataset.from_tensor_slices(points[:14]).batch(8)
    with pytest.raises(ValueError, match=r"drop_remainder=True.*of size 6"):
        gan.fit(data, verbose=0)


def test_mean_is_over_the_global_batch():
    batch = _source(4)(0)
    assert float(batch.mean(tf.constant([1.0, 2.0, 3.0, 4.0]))) == 2.5
