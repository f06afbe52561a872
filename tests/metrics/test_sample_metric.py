"""What every metric has to do: stream, merge, distribute, save, configure."""

import warnings

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import metrics
from tests import strategies

NUM_FEATURES = 3
CENTERS = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]

FACTORIES = {
    "frechet": lambda **kwargs: metrics.FrechetDistance(**kwargs),
    "kernel": lambda **kwargs: metrics.KernelDistance(max_samples=120, **kwargs),
    "precision_recall": lambda **kwargs: metrics.PrecisionRecall(
        max_samples=120, **kwargs
    ),
    "density_coverage": lambda **kwargs: metrics.DensityCoverage(
        max_samples=120, **kwargs
    ),
    "classifier": lambda **kwargs: metrics.ClassifierScore(
        **{key.replace("features", "classes"): value for key, value in kwargs.items()}
    ),
    "classes": lambda **kwargs: metrics.ClassCoverage(
        **{key.replace("features", "classes"): value for key, value in kwargs.items()}
    ),
    "modes": lambda dtype=None, **_: metrics.ModeCoverage(CENTERS, 0.5, dtype=dtype),
}
# Buffers hold the metric's dtype: float64 keeps float64 samples exactly.
EXACT = {"dtype": "float64"}


def make_samples(num_real=60, num_fake=48):
    rng = np.random.default_rng(1)
    real = rng.normal(size=(num_real, NUM_FEATURES))
    fake = rng.normal(size=(num_fake, NUM_FEATURES)) * 1.3 + 0.4
    return real, fake


def feed(metric, real, fake):
    if metric.needs_real:
        metric.update_real(real)
    metric.update_fake(fake)


def numbers(result):
    return [float(value) for value in tf.nest.flatten(result)]


def all_at_once(name, **kwargs):
    metric = FACTORIES[name](**EXACT, **kwargs)
    feed(metric, *make_samples())
    return metric


@pytest.fixture(params=FACTORIES)
def name(request):
    return request.param


@pytest.mark.parametrize("name", FACTORIES)
@hypothesis.given(cuts=st.lists(st.integers(0, 48), max_size=3).map(sorted))
@hypothesis.settings(max_examples=3)
def test_any_split_into_batches_is_all_at_once(name, cuts):
    real, fake = make_samples()
    metric = FACTORIES[name](**EXACT)
    for real_part, fake_part in zip(
        np.split(real, cuts), np.split(fake, cuts), strict=True
    ):
        feed(metric, real_part, fake_part)
    expected = numbers(all_at_once(name).result())
    np.testing.assert_allclose(numbers(metric.result()), expected, rtol=1e-9)


@pytest.mark.parametrize("name", FACTORIES)
@hypothesis.given(cut=st.integers(0, 48))
@hypothesis.settings(max_examples=3)
def test_merged_parts_are_all_at_once(name, cut):
    real, fake = make_samples()
    first, second, never_used = (FACTORIES[name](**EXACT) for _ in range(3))
    feed(first, real[:cut], fake[:cut])
    feed(second, real[cut:], fake[cut:])
    merged = FACTORIES[name](**EXACT)
    merged.merge_state([first, never_used, second])
    expected = numbers(all_at_once(name).result())
    np.testing.assert_allclose(numbers(merged.result()), expected, rtol=1e-9)


def test_merging_refuses_other_features(name):
    metric = all_at_once(name)
    if name == "modes":
        other = metrics.ModeCoverage(CENTERS[:2], 0.5)
    else:
        other = FACTORIES[name](num_features=NUM_FEATURES + 1)
    with pytest.raises(ValueError, match=r"must have the same .*Received"):
        metric.merge_state([other])
    with pytest.raises(ValueError, match="Merge metrics of one class only"):
        metric.merge_state([keras.metrics.Mean()])


@pytest.mark.parametrize("num_replicas", [2, 3])
def test_replicas_together_are_one(name, num_replicas):
    strategy = strategies.mirrored(num_replicas)
    real, fake = make_samples()
    with strategy.scope():
        metric = FACTORIES[name](num_features=NUM_FEATURES, **EXACT)

    @tf.function
    def update(real, fake):
        strategy.run(lambda *batch: feed(metric, *batch), args=(real, fake))

    def share(array):
        parts = np.array_split(array, num_replicas)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    # Batches of uneven replicas, then some from outside the replicas, then again.
    update(share(real[:25]), share(fake[:25]))
    feed(metric, real[25:30], fake[25:30])
    update(share(real[30:]), share(fake[30:]))
    expected = numbers(all_at_once(name).result())
    np.testing.assert_allclose(numbers(metric.result()), expected, rtol=1e-9)
    assert metric.details()["n_fake"] == 48

    metric.reset_state()
    assert not any(np.any(value) for value in metric.get_state().values())


def test_late_variables_under_a_strategy_say_what_to_do():
    strategy = strategies.mirrored(1)
    with strategy.scope():
        metric = metrics.FrechetDistance()
    batch = tf.zeros((4, 2))
    with pytest.raises(ValueError, match="Pass `num_features=2` to the metric"):
        strategy.run(metric.update_fake, args=(batch,))
    with strategy.scope():
        metric.build(2)
    strategy.run(metric.update_fake, args=(batch,))
    assert metric.get_state()["fake_count"] == 4


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graphs_give_the_eager_number(name, jit_compile):
    metric = FACTORIES[name](num_features=NUM_FEATURES, **EXACT)

    @tf.function(jit_compile=jit_compile)
    def evaluate(real, fake):
        feed(metric, real, fake)
        return metric.result()

    found = evaluate(*map(tf.constant, make_samples()))
    expected = numbers(all_at_once(name).result())
    np.testing.assert_allclose(numbers(found), expected, rtol=1e-7)


def test_too_few_samples_raise_eagerly_and_are_nan_in_graphs(name):
    metric = FACTORIES[name](num_features=NUM_FEATURES)
    with pytest.raises(ValueError, match=r"needs at least \d+ samples.*Received: 0"):
        metric.result()
    results = numbers(tf.function(metric.result)())
    if name == "modes":
        results = results[1:2]
    assert np.isnan(results).all()
    if name != "modes":
        with pytest.raises(ValueError, match="needs at least"):
            FACTORIES[name]().result()


def test_numbers_of_samples_can_be_checked_beforehand(name):
    metric = FACTORIES[name](num_features=NUM_FEATURES)
    real, _ = make_samples()
    needed = {
        "frechet": 4,
        "kernel": 2,
        "precision_recall": 4,
        "density_coverage": 4,
    }.get(name, 1)
    if metric.needs_real:
        with pytest.raises(ValueError, match="0 real and 48 fake"):
            metric.check_num_samples(48)
        metric.update_real(real)
        assert metric.num_samples("real") == 60
        with pytest.raises(ValueError, match=f"at least {needed} samples.* 1 real"):
            metric.check_num_samples(48, num_real=1)
    else:
        with pytest.raises(ValueError, match="`side` must be one of 'fake'"):
            metric.num_samples("real")
    metric.check_num_samples(needed)
    with pytest.raises(ValueError, match=rf"at least {needed} samples.* {needed - 1} "):
        metric.check_num_samples(needed - 1)
    # What passes the check gives a result, and nothing was counted for it.
    assert metric.num_samples() == 0
    metric.update_fake(make_samples()[1][:needed])
    assert not np.isnan(numbers(metric.result())).any()


def test_broken_samples_raise_eagerly(name):
    metric = FACTORIES[name]()
    broken = np.zeros((2, NUM_FEATURES))
    broken[1, 0] = np.nan
    with pytest.raises(ValueError, match=r"features of `fake` must be finite.* 1 NaN"):
        metric.update_fake(broken)
    feed(metric, *make_samples())
    with pytest.raises(ValueError, match=r"3 features.*Received: 4 features"):
        metric.update_fake(np.zeros((2, NUM_FEATURES + 1)))


def test_broken_samples_do_not_stop_a_graph(name):
    metric = FACTORIES[name](num_features=NUM_FEATURES)

    @tf.function
    def evaluate(real, fake):
        feed(metric, real, fake)
        return metric.result()

    real, fake = make_samples()
    fake[0] = np.nan
    results = evaluate(real, fake)
    if name == "modes":
        assert float(results["high_quality"]) < 1.0
        assert metric.details()["n_fake"] == 48
    else:
        assert np.isnan(numbers(results)).all()


def test_state_round_trips(name, tmp_path):
    metric = all_at_once(name)
    np.savez(tmp_path / "state.npz", **metric.get_state())
    restored = FACTORIES[name](**EXACT)
    with np.load(tmp_path / "state.npz") as state:
        restored.set_state(state)
    assert numbers(restored.result()) == numbers(metric.result())
    np.testing.assert_equal(restored.details(), metric.details())

    path = tf.train.Checkpoint(state=metric.variables).save(str(tmp_path / "check"))
    again = FACTORIES[name](num_features=NUM_FEATURES, **EXACT)
    tf.train.Checkpoint(state=again.variables).restore(path).assert_consumed()
    assert numbers(again.result()) == numbers(metric.result())


def test_wrong_states_are_refused(name):
    metric = all_at_once(name)
    with pytest.raises(ValueError, match=r"must hold arrays named .*Received: nothing"):
        metric.set_state({})
    with pytest.raises(ValueError, match=r"must hold arrays named .*Received: no_such"):
        metric.set_state({"no_such": np.zeros(2)})
    with pytest.raises(ValueError, match=r"must have shape \(\).*Received: shape \(2,"):
        metric.set_state({"fake_count": np.zeros(2)})


def test_config_round_trips(name):
    metric = all_at_once(name)
    config = keras.saving.serialize_keras_object(metric)
    restored = keras.saving.deserialize_keras_object(config)
    assert type(restored) is type(metric)
    assert restored.get_config() == metric.get_config()
    feed(restored, *make_samples())
    assert numbers(restored.result()) == numbers(metric.result())


def test_reset_forgets_everything(name):
    metric = all_at_once(name)
    expected = numbers(metric.result())
    metric.reset_state()
    feed(metric, *make_samples())
    assert numbers(metric.result()) == expected
    metric.reset_fake()
    _, fake = make_samples()
    metric.update_fake(fake)
    assert numbers(metric.result()) == expected


@pytest.mark.parametrize("name", ["frechet", "kernel", "density_coverage"])
def test_the_real_side_can_be_kept(name):
    metric = FACTORIES[name](keep_real=True)
    real, fake = make_samples()
    metric.update_real(real)
    metric.update_fake(fake)
    expected = numbers(metric.result())
    metric.reset_state()
    metric.update_fake(fake)
    assert numbers(metric.result()) == expected
    metric.reset_real()
    with pytest.raises(ValueError, match="Received: 0 real and 48 fake"):
        metric.result()


def test_stateless_calls_leave_the_metric_alone(name):
    metric = FACTORIES[name](num_features=NUM_FEATURES, **EXACT)
    batch = make_samples() if metric.needs_real else make_samples()[1:]
    start = metric.stateless_reset_state()
    after = metric.stateless_update_state(start, *batch)
    expected = numbers(all_at_once(name).result())
    found = numbers(metric.stateless_result(after))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert not any(np.any(value) for value in metric.get_state().values())


def test_result_has_the_metrics_dtype_and_sums_are_float64(name):
    metric = FACTORIES[name]()
    feed(metric, *(array.astype("float32") for array in make_samples()))
    assert {value.dtype for value in tf.nest.flatten(metric.result())} == {tf.float32}
    sums = [v for v in metric.variables if not v.name.endswith(("buffer", "filled"))]
    assert {v.dtype for v in sums} == {"float64"}


class Evaluated(keras.Model):
    """A model that evaluates samples it is given, with any metric."""

    def __init__(self, metric):
        super().__init__()
        self.metric = metric
        self.built = True

    def test_step(self, data):
        feed(self.metric, *data)
        return self.get_metrics_result()


def test_keras_evaluates_it(name):
    real, fake = make_samples(48, 48)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Evaluated(FACTORIES[name](num_features=NUM_FEATURES))
        model.compile(loss=None)
        data = tf.data.Dataset.from_tensor_slices((real, fake)).batch(16)
        logs = model.evaluate(data, return_dict=True, verbose=0)
    metric = FACTORIES[name]()
    feed(metric, real, fake)
    expected = metric.result()
    if not isinstance(expected, dict):
        expected = {metric.name: expected}
    assert set(logs) - {"loss"} == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(logs[key], float(value), rtol=1e-5)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="`num_features` must be an integer"):
        metrics.FrechetDistance(num_features=2.5)
    with pytest.raises(TypeError, match="`keep_real` must be True or False"):
        metrics.FrechetDistance(keep_real="yes")
    with pytest.raises(ValueError, match="`max_samples` must be an integer of at lea"):
        metrics.KernelDistance(max_samples=1)
