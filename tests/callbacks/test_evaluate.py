"""Metrics in the logs: which numbers, of which samples, and what is refused."""

import contextlib
import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import strategies

RING = kgg.datasets.gaussian_ring(seed=0)
REAL = RING.sample(300, seed=1)


def make(num_classes=None, history=None, **arguments):
    """A small compiled GAN."""
    pair = kgg.networks.mlp_pair(
        2, latent_dim=4, width=8, num_classes=num_classes, seed=1
    )
    if history is None:
        gan = kgg.GAN(*pair, seed=3, **arguments)
    else:
        gan = kgg.FictitiousGAN(*pair, history=history, seed=3, **arguments)
    gan.compile()
    return gan


def distance(**arguments):
    """The Fréchet distance of the points themselves."""
    return kgg.metrics.FrechetDistance(name="distance", **arguments)


def evaluator(metrics=None, num_samples=50, **arguments):
    """A quick callback; several batches a measurement, the last one smaller."""
    arguments = {"real_data": REAL, "batch_size": 20, **arguments}
    return kgg.callbacks.Evaluate(metrics or distance(), num_samples, **arguments)


def batches(steps=3):
    """A finite data set of the ring."""
    return RING.batches(16, steps_per_epoch=steps)


class Recorder(keras.metrics.Metric):
    """Not one of this library's metrics."""


class Remembering(kgg.metrics.ModeCoverage):
    """A metric that keeps the samples it was given."""

    def __init__(self):
        super().__init__(RING.centers, RING.standard_deviation)
        self.seen = []

    def update_fake(self, samples):
        self.seen.append(np.array(samples))
        super().update_fake(samples)


def test_logs_what_the_metrics_say_of_the_same_samples():
    remembering = Remembering()
    kernel = kgg.metrics.KernelDistance(max_samples=100, dtype="float64")
    evaluate = evaluator([distance(), kernel, remembering])
    gan = make()
    history = gan.fit(batches(), epochs=2, verbose=0, callbacks=[evaluate]).history

    # One sample beforehand, then two measurements in batches of 20, 20 and 10.
    assert [len(part) for part in remembering.seen] == [1, 20, 20, 10, 20, 20, 10]
    samples = np.concatenate(remembering.seen[-3:])
    assert len(np.unique(samples, axis=0)) == 50
    for metric in (
        distance(),
        kgg.metrics.KernelDistance(max_samples=100, dtype="float64"),
        kgg.metrics.ModeCoverage(RING.centers, RING.standard_deviation),
    ):
        if metric.needs_real:
            metric.update_real(REAL)
        metric.update_fake(samples)
        result = metric.result()
        result = result if isinstance(result, dict) else {metric.name: result}
        for name, value in result.items():
            assert history[name][-1] == pytest.approx(float(value), rel=1e-5), name
    step, report = evaluate.evaluations[-1]
    details = report["current"]["distance"]
    assert (step, details["n_real"], details["n_fake"]) == (6, 300, 50)
    assert details["extractor"] == "identity"
    assert details["value"] == history["distance"][-1] != history["distance"][0]
    assert np.isfinite(report["current"]["kernel_distance"]["value"])


def test_samples_follow_the_step_and_the_seed():
    def seen(**arguments):
        remembering = Remembering()
        gan = make()
        # The same generator at every step.
        gan.compile(*(keras.optimizers.SGD(0.0) for _ in range(2)))
        evaluate = evaluator(remembering, num_samples=5, **arguments)
        gan.fit(batches(), epochs=2, verbose=0, callbacks=[evaluate])
        return remembering.seen[1:]

    first, second = seen()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(seen(), [first, second])
    assert not np.array_equal(seen(seed=4), [first, second])


def test_changes_nothing_in_training():
    watched, alone = make(), make()
    evaluate = evaluator(every=2, source=["current", "average"])
    watched.fit(batches(), epochs=2, verbose=0, callbacks=[evaluate])
    alone.fit(batches(), epochs=2, verbose=0)
    for one, other in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_source_under_its_name_where_keras_callbacks_see_it(tmp_path):
    sources = ["current", "average", "mixture"]
    gan = make(history=kgg.History(3, interval=2))
    evaluate = evaluator(source=sources)
    csv_logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5",
        monitor="mixture_distance",
        mode="min",
        save_best_only=True,
        save_weights_only=True,
    )
    callbacks = [evaluate, csv_logger, best]
    gan.fit(batches(), epochs=2, verbose=0, callbacks=callbacks)
    with open(tmp_path / "log.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _, report = evaluate.evaluations[-1]
    values = [report[source]["distance"]["value"] for source in sources]
    assert len(set(values)) == 3
    for source, value in zip(sources, values, strict=True):
        assert float(rows[-1][f"{source}_distance"]) == value
    assert best.best == min(float(row["mixture_distance"]) for row in rows)
    assert (tmp_path / "best.weights.h5").exists()


def test_every_so_many_steps_and_the_end_of_the_first_epoch():
    evaluate = evaluator(every=4)
    steps = []

    class Steps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if "distance" in logs:
                steps.append((self.model.num_steps, logs["distance"]))

    history = make().fit(batches(3), epochs=4, verbose=0, callbacks=[evaluate, Steps()])
    found = {
        step: report["current"]["distance"]["value"]
        for step, report in evaluate.evaluations
    }
    assert list(found) == [3, 4, 8, 12]
    assert steps == [(step, found[step]) for step in (4, 8, 12)]
    assert history.history["distance"] == [found[step] for step in (3, 4, 8, 12)]


@pytest.mark.parametrize("every", [pytest.param("epoch", marks=pytest.mark.slow), 5])
def test_a_resumed_run_logs_the_same_numbers(tmp_path, every):
    def run(epochs, folder):
        checkpoint = kgg.callbacks.Checkpoint(folder)
        metrics = [distance(), Remembering()]
        evaluate = evaluator(metrics, every=every, source=["current", "average"])
        history = make().fit(
            batches(), epochs=epochs, verbose=0, callbacks=[evaluate, checkpoint]
        )
        return evaluate.evaluations, history.history

    reports, logs = run(4, tmp_path / "straight")
    run(2, tmp_path / "killed")
    resumed_reports, resumed_logs = run(4, tmp_path / "killed")
    np.testing.assert_equal(resumed_reports, reports[-len(resumed_reports) :])
    np.testing.assert_equal(
        resumed_logs, {name: values[2:] for name, values in logs.items()}
    )


@pytest.mark.parametrize(
    "metrics_in_scope", [pytest.param(False, marks=pytest.mark.slow), True]
)
def test_two_replicas_and_one(metrics_in_scope):
    strategy = strategies.mirrored()
    found = []
    for scope in (strategy.scope, contextlib.nullcontext):
        with scope():
            gan = make()
        with scope() if metrics_in_scope else contextlib.nullcontext():
            metrics = [distance(), kgg.metrics.PrecisionRecall(max_samples=50)]
        evaluate = evaluator(metrics)
        gan.fit(batches(), epochs=2, verbose=0, callbacks=[evaluate])
        found.append([report["current"] for _, report in evaluate.evaluations])
    for several, one in zip(*found, strict=True):
        assert several["distance"]["n_fake"] == one["distance"]["n_fake"] == 50
        for name, key in (("distance", "value"), ("precision_recall", "precision")):
            np.testing.assert_allclose(several[name][key], one[name][key], rtol=1e-4)
        assert several["precision_recall"]["n_fake"] in (25, 50)


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


def test_cost_is_a_share_of_the_time():
    evaluate = evaluator()
    assert evaluate.cost == 0.0
    make().fit(batches(), verbose=0, callbacks=[evaluate])
    assert 0.0 < evaluate.cost < 1.0


def test_too_few_samples_are_told_before_training_begins():
    gan = make()
    for num_samples, real, words in (
        (2, REAL, r"at least 3 samples of each side.*300 real and 2 fake"),
        (50, REAL[:2], r"at least 3 samples of each side.*2 real and 50 fake"),
    ):
        evaluate = evaluator(num_samples=num_samples, real_data=real)
        with pytest.raises(ValueError, match=rf"num_samples={num_samples}\).*{words}"):
            gan.fit(batches(), verbose=0, callbacks=[evaluate])
    few = kgg.metrics.PrecisionRecall(num_neighbors=5, max_samples=9)
    with pytest.raises(ValueError, match=r"at least 6 samples.*9 real and 4 fake"):
        gan.fit(batches(), verbose=0, callbacks=[evaluator(few, num_samples=4)])
    assert gan.num_steps == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "mixture"}, "keeps none"),
        ({"real_data": None}, r"needed by distance\. Received: real_data=None"),
        ({"real_data": REAL[:0]}, "at least one example"),
        ({"real_data": REAL[:, :1]}, r"shape \(None, 2\).*Received: shape \(20, 1\)"),
        ({"real_data": np.zeros((9, 2), "uint8")}, r"dtype uint8.*127\.5 - 1"),
        ({"real_data": np.full((9, 2), np.nan)}, r"features of `real` must be finite"),
        ({"real_data": (REAL, np.zeros(7))}, "300 examples and 7 labels"),
        ({"real_data": batches().repeat()}, r"must be finite.*endless"),
        ({"real_data": list(REAL)}, r"300 single examples.*np\.stack\(real_data\)"),
        (
            {"real_data": tf.data.Dataset.from_tensor_slices(REAL)},
            r"shape \(None, 2\).*Received: shape \(2,\)\. That is one example\. Batch",
        ),
        (
            {"real_data": tf.data.Dataset.from_tensors({"image": REAL, "label": 0})},
            r"Received: keys \['image', 'label'\]\. Map them: .*e\['image'\]",
        ),
    ],
)
def test_bad_input_is_told_when_training_begins(arguments, message):
    gan = make()
    with pytest.raises(ValueError, match=message):
        gan.fit(batches(), verbose=0, callbacks=[evaluator(**arguments)])
    assert gan.num_steps == 0


def test_samples_that_do_not_fit_the_extractor_are_told_when_training_begins():
    extractor = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=4, base_filters=2, seed=0)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (80, 28, 28, 1)).astype("float32")
    metric = kgg.metrics.FrechetDistance(extractor)
    evaluate = kgg.callbacks.Evaluate(metric, 80, real_data=images)
    with pytest.raises(ValueError, match=r"`real` must have .*Pass `resize=True`"):
        gan.fit(images, verbose=0, callbacks=[evaluate])
    metric = kgg.metrics.FrechetDistance(extractor, resize=True)
    evaluate = kgg.callbacks.Evaluate(metric, 80, real_data=images)
    history = gan.fit(images, verbose=0, callbacks=[evaluate]).history
    assert history["frechet_distance"][0] > 0.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metrics": [Recorder()]}, TypeError, "must be one of kgg.metrics"),
        ({"metrics": "fid"}, TypeError, "'fid' \\(of type str\\)"),
        (
            {"metrics": [distance(), distance()]},
            ValueError,
            r"Received: \['distance'\] more than once\. Give each its own",
        ),
        ({"source": "live"}, ValueError, "`source` must be one of 'current'"),
        ({"source": []}, ValueError, "or a list of different ones"),
        ({"source": ["average"] * 2}, ValueError, "or a list of different ones"),
        ({"num_samples": 0}, ValueError, "`num_samples` must be"),
        ({"every": "step"}, ValueError, "`every` must be"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be"),
        ({"seed": -1}, ValueError, "`seed` must be"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        evaluator(**arguments)
    with pytest.raises(ValueError, match="Received: none"):
        kgg.callbacks.Evaluate([], 10)


def test_early_stopping_by_a_metric_of_the_average():
    evaluate = evaluator(source=["current", "average"])
    stop = kgg.callbacks.GapEarlyStopping(
        "average_distance", patience=2, min_delta=1e6, verbose=0
    )
    logs = (
        make().fit(batches(), epochs=9, verbose=0, callbacks=[evaluate, stop]).history
    )
    assert len(logs["average_distance"]) == 3
    assert stop.stopped_epoch == 2
