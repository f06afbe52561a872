"""Metrics in the logs: which numbers, and of which samples."""

import contextlib
import csv

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from tests import strategies
from tests.callbacks.evaluating import (
    REAL,
    RING,
    Remembering,
    batches,
    distance,
    evaluator,
    make,
)


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


def test_cost_is_a_share_of_the_time():
    evaluate = evaluator()
    assert evaluate.cost == 0.0
    make().fit(batches(), verbose=0, callbacks=[evaluate])
    assert 0.0 < evaluate.cost < 1.0


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
