"""Arrays handed to `fit`: a run is a function of its seed, however it is cut up."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

DATA = np.random.default_rng(0).normal(size=(22, 2)).astype("float32")


class Stop(keras.callbacks.Callback):
    """Ends the process, as far as a test can, after so many batches."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if not self.after:
            raise KeyboardInterrupt


def build():
    keras.utils.set_random_seed(4)
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, 4, width=4, seed=0), seed=0)
    gan.compile(run_eagerly=True)
    return gan


def run(gan, epochs, *callbacks, **arguments):
    gan.fit(
        DATA,
        epochs=epochs,
        verbose=0,
        callbacks=list(callbacks),
        **{"batch_size": 4, **arguments},
    )
    return gan


def assert_equal(one, other):
    assert one.num_steps == other.num_steps
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def whole():
    return run(build(), 3)


def test_the_same_call_twice_in_one_process(whole):
    np.random.random(3)  # Keras' order of arrays hangs on NumPy's global generator.
    assert_equal(run(build(), 3), whole)


def test_epochs_one_by_one(whole):
    gan = build()
    for _ in range(3):
        run(gan, 1)
    assert_equal(gan, whole)


@pytest.mark.parametrize(
    "after",
    [pytest.param(2, marks=pytest.mark.slow), 6, 9],
)
def test_killed_anywhere_and_resumed(whole, tmp_path, after):
    with pytest.raises(KeyboardInterrupt):
        run(build(), 3, Stop(after), kgg.callbacks.Checkpoint(tmp_path, every=1))
    resumed = run(build(), 3, kgg.callbacks.Checkpoint(tmp_path, every=1))
    assert_equal(resumed, whole)


def test_epochs_of_another_length_are_resumed(tmp_path):
    arguments = {"steps_per_epoch": 4}
    whole = run(build(), 4, **arguments)
    assert whole.num_steps == 16
    with pytest.raises(KeyboardInterrupt):
        run(
            build(),
            4,
            Stop(10),
            kgg.callbacks.Checkpoint(tmp_path, every=1),
            **arguments,
        )
    checkpoint = kgg.callbacks.Checkpoint(tmp_path, every=1)
    assert_equal(run(build(), 4, checkpoint, **arguments), whole)


@pytest.mark.parametrize("sizes", [(4, 5), (5, 4), (11, 3)])
def test_another_batch_size_from_an_epoch_on(tmp_path, sizes):
    first, then = sizes
    checkpoint = kgg.callbacks.Checkpoint
    run(build(), 1, checkpoint(tmp_path), batch_size=first)
    seen = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    with pytest.warns(UserWarning, match=f"batch_size from {first} to {then}"):
        run(build(), 3, Count(), checkpoint(tmp_path), batch_size=then)
    length = -(-len(DATA) // then)
    assert seen == [*range(length)] * 2


def test_interrupted_before_the_first_checkpoint(tmp_path):
    gan = build()
    with pytest.raises(KeyboardInterrupt):
        run(gan, 2, Stop(2), kgg.callbacks.Checkpoint(tmp_path))
    with pytest.warns(UserWarning, match="before its first checkpoint.*from step 2"):
        run(gan, 2, kgg.callbacks.Checkpoint(tmp_path))


def test_the_order_is_that_of_the_seed():
    orders = {}
    for seed in (0, 0, 1):
        gan = kgg.GAN(*kgg.networks.mlp_pair(2, 4, width=4, seed=0), seed=seed)
        gan.compile(run_eagerly=True, loss="wasserstein")
        gan.fit(DATA, batch_size=4, verbose=0)
        orders.setdefault(seed, []).append(gan.discriminator.get_weights()[0])
    np.testing.assert_array_equal(*orders[0])
    assert np.any(orders[0][0] != orders[1][0])


def test_a_foreign_pipeline_is_told_of_when_training_begins(tmp_path):
    data = tf.data.Dataset.from_tensor_slices(DATA).shuffle(22, seed=1).batch(4)
    with pytest.warns(UserWarning, match=r"cannot know where these data stood.*Arrays"):
        build().fit(
            data, verbose=0, callbacks=[kgg.callbacks.Checkpoint(tmp_path / "a")]
        )
    # Without a checkpoint nothing is promised, and nothing is said.
    build().fit(data, verbose=0)
    stream = kgg.datasets.ShuffledStream(DATA, batch_size=4)
    build().fit(stream, verbose=0, callbacks=[kgg.callbacks.Checkpoint(tmp_path / "b")])
