"""Two sides of a metric in different units: refused, or said, whichever comes first."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import metrics

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1)).astype("uint8")
MADE = np.random.default_rng(1).integers(0, 256, (40, 4, 4, 1)).astype("uint8")


def pooled(images):
    return tf.reduce_mean(tf.cast(images, tf.float32), axis=1)[..., 0]


def to_units(images):
    if images.dtype == tf.uint8:
        images = tf.cast(images, tf.float32) / 127.5 - 1
    return images


def scaled(images, dtype="float32"):
    return (images / 127.5 - 1).astype(dtype)


FACTORIES = {
    "frechet": lambda **kwargs: metrics.FrechetDistance(
        pooled, allow_singular=True, **kwargs
    ),
    "kernel": lambda **kwargs: metrics.KernelDistance(pooled, max_samples=90, **kwargs),
    "precision_recall": lambda **kwargs: metrics.PrecisionRecall(
        pooled, max_samples=90, **kwargs
    ),
    "density_coverage": lambda **kwargs: metrics.DensityCoverage(
        pooled, max_samples=90, **kwargs
    ),
}


def test_every_metric_of_two_sides_is_in_the_table():
    concrete = {type(make()) for make in FACTORIES.values()}
    public = {v for v in vars(metrics).values() if isinstance(v, type)}
    bases = {metrics.SampleMetric, metrics.PairMetric}
    assert concrete == {
        kind for kind in public - bases if issubclass(kind, metrics.PairMetric)
    }


@pytest.fixture(params=FACTORIES)
def name(request):
    return request.param


def numbers(metric):
    return [float(value) for value in tf.nest.flatten(metric.result())]


GOOD = {
    "uint8 and uint8": (IMAGES, MADE),
    "float32 and float32": (scaled(IMAGES), scaled(MADE)),
    "float64 and float16": (scaled(IMAGES, "float64"), scaled(MADE, "float16")),
    "int64 and bool": (IMAGES.astype("int64") // 128, MADE > 127),
    "[0, 1] and [-1, 1]": (scaled(IMAGES) / 2 + 0.5, scaled(MADE)),
    "a generator that has not begun": (scaled(IMAGES), scaled(MADE) * 1e-3),
    "a collapsed generator": (scaled(IMAGES), np.full_like(scaled(MADE), 0.3)),
}


@pytest.mark.parametrize("case", GOOD)
def test_sides_that_go_together(name, case):
    # Warnings are errors.
    metric = FACTORIES[name]()
    real, fake = GOOD[case]
    metric.update_real(real)
    metric.update_fake(fake)
    assert np.isfinite(numbers(metric)).all()


MIXED = {
    "uint8 and float32": (IMAGES, scaled(MADE)),
    "float32 and uint8": (scaled(IMAGES), MADE),
    "int64 and float64": (IMAGES.astype("int64"), MADE.astype("float64")),
    "float16 and bool": (scaled(IMAGES, "float16"), MADE > 127),
}


@pytest.mark.parametrize("case", MIXED)
def test_integers_against_numbers_are_refused_whichever_comes_first(name, case):
    real, fake = MIXED[case]
    message = r"same units\. Received: integers as `\w+`.*images / 127\.5 - 1"

    def begun(side, samples):
        metric = FACTORIES[name]()
        getattr(metric, f"update_{side}")(samples)
        return metric

    metric = begun("real", real)
    with pytest.raises(ValueError, match=message):
        metric.update_fake(fake)
    with pytest.raises(ValueError, match=message):
        begun("fake", fake).update_real(real)
    with pytest.raises(ValueError, match=message):
        begun("real", real).update_real(fake)
    with pytest.raises(ValueError, match=message):
        FACTORIES[name]().update_state(real, fake)
    # What was refused is not counted; and the metric can be used again.
    assert metric.num_samples("fake") == 0
    metric.reset_state()
    metric.update_state(fake, fake)
    assert np.isfinite(numbers(metric)).all()

    other = begun("fake", fake)
    metric = begun("real", real)
    with pytest.raises(ValueError, match=r"`fake` of metrics\[0\]"):
        metric.merge_state([other])
    state = {k: v for k, v in other.get_state().items() if k.startswith("fake_")}
    with pytest.raises(ValueError, match=message):
        metric.set_state(state)
    # A state of 0.1.0 does not say what it holds.
    del state["fake_units"]
    metric.set_state(state)
    assert metric.num_samples("fake") == 40 and np.isfinite(numbers(metric)).all()


def test_in_a_graph_they_are_nan_and_told_afterwards(name):
    metric = FACTORIES[name](num_features=4)

    @tf.function
    def evaluate(real, fake):
        metric.update_state(real, fake)
        return metric.result()

    results = evaluate(tf.constant(IMAGES), tf.constant(scaled(MADE)))
    assert np.isnan([float(value) for value in tf.nest.flatten(results)]).all()
    for ask in (metric.result, metric.details):
        with pytest.raises(ValueError, match="integers as `real`, floating-point"):
            ask()


def test_units_are_those_that_reach_the_network():
    def make(preprocess):
        metric = metrics.FrechetDistance(pooled, preprocess, allow_singular=True)
        metric.update_real(IMAGES)
        metric.update_fake(scaled(IMAGES))
        return metric

    assert numbers(make(to_units)) == pytest.approx([0.0], abs=1e-5)
    with pytest.warns(UserWarning, match="standard deviation of 7.*with one of 0.5"):
        numbers(make(lambda images: tf.cast(images, tf.float32)))


GROSS = {
    "[0, 255] and [-1, 1]": (IMAGES.astype("float32"), scaled(MADE)),
    "[-1, 1] and [0, 255]": (scaled(IMAGES), MADE.astype("float32")),
}


@pytest.mark.parametrize("case", GROSS)
def test_ranges_that_differ_grossly_give_one_warning(name, case):
    real, fake = GROSS[case]
    metric = FACTORIES[name](keep_real=True)
    metric.update_real(real[:7])
    metric.update_real(real[7:])
    metric.update_fake(fake)
    with pytest.warns(UserWarning, match="should be in the same units") as found:
        for _ in range(2):
            metric.result()
            metric.details()
    # AutoGraph of TensorFlow 2.20 on Python 3.13 warns as well, of itself.
    assert [each.category for each in found].count(UserWarning) == 1
    copy = FACTORIES[name]()
    copy.set_state(metric.get_state())
    with pytest.warns(UserWarning, match=r"`real` with a standard deviation of"):
        copy.details()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tf.function(FACTORIES[name](num_features=4).result)()


def test_a_data_set_is_no_batch(name):
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES).batch(8)
    with pytest.raises(ValueError, match=r"one batch.*update_real\(batch\)"):
        FACTORIES[name]().update_real(dataset)


def test_a_metric_of_ones_own():
    """The base classes are public: a state and four methods are all there is to it."""

    class MeanDifference(metrics.PairMetric):
        def __init__(self):
            super().__init__(metrics.FeatureExtractor(None), name="mean")

        def _state_shapes(self, num_features):
            return {"count": ((), "float64"), "sum": ((num_features,), "float64")}

        def _accumulate(self, side, features):
            self._add(side, "count", tf.cast(tf.shape(features)[0], tf.float64))
            self._add(side, "sum", tf.reduce_sum(features, axis=0))

        def _requirement(self, counts):
            return 1, "a mean takes one."

        def _compute(self):
            self._enough()
            real, fake = (
                self._value(side, "sum") / self._value(side, "count")
                for side in self.sides
            )
            return tf.norm(real - fake)

    metric = MeanDifference()
    metric.update_state([[3.0, 0.0]], [[0.0, 4.0], [0.0, 4.0]])
    assert float(metric.result()) == 5.0
    assert isinstance(metric, keras.metrics.Metric)
    with pytest.raises(ValueError, match="same units"):
        metric.update_fake(IMAGES[:, 0, :2, 0])
