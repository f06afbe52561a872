"""Real data and labels that `Evaluate` measures by, in every form."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests.callbacks.evaluating import REAL, batches, distance, evaluator, make


def test_labels_are_drawn_as_often_as_the_real_data_has_them():
    drawn = []
    gan = make(num_classes=3)
    sample = gan.sample

    def remember(num_samples, seed, source, labels):
        drawn.append(labels)
        return sample(num_samples, seed, source, labels)

    gan.sample = remember
    labels = np.repeat([0, 2], [240, 60])  # No example of class 1.
    real = tf.data.Dataset.from_tensor_slices((REAL, labels)).batch(64)
    evaluate = evaluator(num_samples=1000, real_data=real, batch_size=300)
    data = tf.data.Dataset.from_tensor_slices((REAL, labels)).batch(100)
    gan.fit(data, verbose=0, callbacks=[evaluate])
    shares = np.bincount(np.concatenate(drawn[1:]), minlength=3) / 1000
    # Four standard deviations of a share of 0.8 among 1,000.
    np.testing.assert_allclose(shares, [0.8, 0.0, 0.2], atol=0.05)
    assert evaluate.evaluations[0][1]["current"]["distance"]["n_real"] == 300
    for missing in (REAL, None):
        with pytest.raises(ValueError, match=r"`real_data`.*pair \(data, labels\)"):
            gan.fit(data, verbose=0, callbacks=[evaluator(real_data=missing)])


class OneBatch(keras.utils.PyDataset):
    """The ring as a single batch."""

    num_batches = 1

    def __getitem__(self, index):
        return REAL, np.zeros(300)


def test_other_forms_of_real_data_give_the_same_numbers():
    gan = make()
    gan.compile(*(keras.optimizers.SGD(0.0) for _ in range(2)))
    (name,) = (each.name for each in gan.discriminator.inputs)
    found = []
    for real in (
        REAL,
        tf.data.Dataset.from_tensor_slices({name: REAL}).batch(64),
        OneBatch(),
        (REAL[i : i + 75] for i in range(0, 300, 75)),
        kgg.datasets.ShuffledStream(REAL, batch_size=50),
        kgg.datasets.ShuffledStream(REAL, batch_size=50).epochs(),
    ):
        evaluate = evaluator(real_data=real)
        gan.step.assign(0)
        gan.fit(batches(1), verbose=0, callbacks=[evaluate])
        details = evaluate.evaluations[0][1]["current"]["distance"]
        assert details["n_real"] == 300
        found.append(details["value"])
    np.testing.assert_allclose(found, found[0], rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_labels_in_the_shape_that_the_networks_take(shape):
    def embedded(labels):
        embedding = keras.layers.Embedding(3, 4)(labels)
        return keras.layers.Flatten()(embedding) if shape else embedding

    def network(size, out):
        inputs = keras.Input((size,)), keras.Input(shape, dtype="int32")
        joined = keras.layers.Concatenate()([inputs[0], embedded(inputs[1])])
        return keras.Model(inputs, keras.layers.Dense(out)(joined))

    gan = kgg.GAN(network(2, 1), network(4, 2), seed=0)
    gan.compile()
    labels = np.arange(300) % 3
    data = REAL, labels.reshape(300, *shape)
    for given in (labels, labels[:, None]):
        evaluate = evaluator(real_data=(REAL, given))
        gan.fit(*data, verbose=0, callbacks=[evaluate])
        assert np.isfinite(evaluate.evaluations[0][1]["current"]["distance"]["value"])


def test_real_data_is_measured_once_and_can_come_from_elsewhere():
    class Counting(kgg.metrics.FrechetDistance):
        updates = 0

        def update_real(self, samples):
            self.updates += 1
            super().update_real(samples)

    metric = Counting(name="distance")
    evaluate = evaluator(metric, batch_size=100)
    gan = make()
    for _ in range(2):
        gan.fit(batches(), verbose=0, callbacks=[evaluate])
    assert metric.updates == 3 and metric.num_samples("real") == 300
    metric.reset_state()
    gan.fit(batches(), verbose=0, callbacks=[evaluate])
    assert metric.updates == 6 and metric.num_samples("real") == 300

    stored = distance()
    stored.set_state({k: v for k, v in metric.get_state().items() if "real" in k})
    after = evaluator(stored, real_data=None)
    gan.fit(batches(), verbose=0, callbacks=[after])
    assert after.evaluations[0][1]["current"]["distance"]["n_real"] == 300
