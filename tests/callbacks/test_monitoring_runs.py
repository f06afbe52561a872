"""Monitors and early stopping in whole runs: replicas, resuming, other callbacks."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import strategies
from tests.measuring import known_games

DATA = np.random.default_rng(0).normal(size=(512, 1))
STEPS_PER_EPOCH = 4


def make(make_gan=kgg.GAN, **arguments):
    """A model of three numbers, cheap to compile."""
    gan = known_games.line_gan(0.5, 1.0, make_gan, **arguments)
    gan.compile(keras.optimizers.SGD(0.05), keras.optimizers.Adam(0.1), loss="minimax")
    return gan


def monitor(every="epoch", **arguments):
    defaults = {"num_steps": 3, "learning_rate": 0.01, "batch_size": 64}
    return kgg.callbacks.DualityGapMonitor(
        DATA[:256], DATA[256:], every=every, **{**defaults, **arguments}
    )


def batches():
    stream = kgg.datasets.gaussian_ring(seed=0)
    return stream.batches(8, steps_per_epoch=STEPS_PER_EPOCH)


def make_2d():
    pair = kgg.networks.mlp_pair(2, latent_dim=2, width=4, seed=1)
    gan = kgg.GAN(*pair, seed=3)
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    return gan


def test_figures_of_a_step_stand_in_its_logs():
    seen = []

    class Reader(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs.get("val_duality_gap"))

    watch = monitor(every=3)
    logs = make().fit(
        DATA, batch_size=64, epochs=2, verbose=0, callbacks=[watch, Reader()]
    )
    # 8 steps an epoch.
    assert [step for step, _ in watch.estimates] == [3, 6, 9, 12, 15]
    gaps = [estimate.gap for _, estimate in watch.estimates]
    assert [seen[step - 1] for step in (3, 6, 9, 12, 15)] == gaps
    assert sum(value is not None for value in seen) == 5
    assert logs.history["val_duality_gap"] == [gaps[1], gaps[4]]


def test_first_epoch_has_figures_whatever_the_interval():
    watch = monitor(every=1000)
    history = make().fit(DATA, epochs=2, verbose=0, callbacks=[watch]).history
    assert [step for step, _ in watch.estimates] == [16]
    assert len(set(history["val_duality_gap"])) == 1


def test_several_measures_in_one_run(capsys):
    watches = [
        monitor(verbose=1),
        monitor(name="perturbed", perturbation=0.1),
        monitor(name="proximal", proximal=0.1),
        monitor(name="stored", snapshots="bank"),
    ]
    gan = make(kgg.FictitiousGAN, history=kgg.History(3, interval=2))
    history = gan.fit(DATA, epochs=2, verbose=0, callbacks=watches).history
    logged = [name for name in history if name.startswith("val_")]
    assert logged == [
        "val_duality_gap",
        "val_minimax",
        "val_perturbed_gap",
        "val_perturbed_minimax",
        "val_proximal_gap",
        "val_proximal_minimax",
        "val_stored_gap",
        "val_stored_minimax",
    ]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"Duality gap at step 16: {history[logged[0]][0]:.4f} ")
    assert "(at best -0.6931)" in lines[0]
    assert lines[2].startswith("Duality gap: 2 measurement(s) took ")
    assert lines[2].endswith("% of the training time.")


def test_cost_stands_still_after_the_run():
    watch = monitor()
    assert watch.cost == 0.0
    make().fit(DATA, verbose=0, callbacks=[watch])
    cost = watch.cost
    assert 0.0 < cost < 1.0 and watch.cost == cost


def test_two_replicas_measure_what_one_does():
    def run(strategy):
        with strategy.scope():
            gan = make()
        watches = [monitor()]
        return gan.fit(
            DATA, batch_size=64, epochs=2, shuffle=False, verbose=0, callbacks=watches
        ).history

    alone = run(tf.distribute.get_strategy())
    both = run(strategies.mirrored())
    for name in ("val_duality_gap", "val_minimax"):
        np.testing.assert_allclose(both[name], alone[name], rtol=1e-9)


class Interrupt(keras.callbacks.Callback):
    """Stops as Ctrl-C would."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.num_steps == self.step:
            raise KeyboardInterrupt


def points():
    """Points of the ring to find and to score with."""
    held_out = kgg.datasets.gaussian_ring(seed=0).sample(256, seed=5)
    return held_out[:128], held_out[128:]


def callbacks(folder, stop_at=None, patience=2, every=3):
    watch = kgg.callbacks.DualityGapMonitor(
        *points(), every=3, num_steps=2, learning_rate=1e-3, batch_size=64
    )
    # Nothing improves by so much, after the first: it waits and then stops.
    stop = kgg.callbacks.GapEarlyStopping(
        patience=patience, min_delta=10.0, smoothing=0.3, verbose=0
    )
    detector = kgg.callbacks.FailureDetector(verbose=0)
    checkpoint = kgg.callbacks.Checkpoint(folder, every=every)
    return [watch, stop, detector, checkpoint, Interrupt(stop_at)]


def fit(gan, used, epochs=6):
    return gan.fit(batches(), epochs=epochs, verbose=0, callbacks=used).history


@pytest.mark.parametrize(
    ("every", "stop_at"),
    [(3, 11), pytest.param("epoch", 10, marks=pytest.mark.slow)],
)
def test_resumed_run_measures_waits_and_stops_as_an_undisturbed_one(
    every, stop_at, tmp_path
):
    whole = callbacks(tmp_path / "whole", patience=3, every=every)
    undisturbed = make_2d()
    logs = fit(undisturbed, whole)
    with pytest.raises(KeyboardInterrupt):
        fit(make_2d(), callbacks(tmp_path / "cut", stop_at, patience=3, every=every))
    rest = callbacks(tmp_path / "cut", patience=3, every=every)
    resumed = make_2d()
    after = fit(resumed, rest)
    figures = dict(whole[0].estimates)
    assert rest[0].estimates
    for step, estimate in rest[0].estimates:
        assert estimate[:6] == figures[step][:6]
    number = len(after["val_duality_gap"])
    assert after["val_duality_gap"] == logs["val_duality_gap"][-number:]
    assert whole[1].stopped_epoch == rest[1].stopped_epoch == 3
    assert (rest[1].best, rest[1].best_epoch) == (whole[1].best, 0)
    # The best weights were found before the interruption.
    for one, other in zip(
        resumed.get_weights(), undisturbed.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_run_that_was_stopped_stays_stopped(tmp_path):
    first, again, patient = make_2d(), make_2d(), make_2d()
    fit(first, callbacks(tmp_path, every="epoch"))
    used = callbacks(tmp_path, every="epoch")
    fit(again, used)
    assert used[1].stopped_epoch == 2 and not used[0].estimates
    for one, other in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    longer = callbacks(tmp_path, patience=4, every="epoch")
    fit(patient, longer)
    assert longer[1].stopped_epoch == 4


def test_what_a_checkpoint_keeps_of_callbacks(tmp_path):
    used = callbacks(tmp_path, every="epoch")
    fit(make_2d(), used, epochs=2)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 6 and names[0] == "step-000000000004.callbacks.npz"
    newest = json.loads((tmp_path / "step-000000000008.json").read_text())
    assert [each["class"] for each in newest["callbacks"]] == [
        "DualityGapMonitor",
        "GapEarlyStopping",
        "FailureDetector",
    ]
    (tmp_path / "step-000000000008.callbacks.npz").write_bytes(b"torn")
    with pytest.warns(UserWarning, match="damaged or incomplete"):
        position = kgg.callbacks.Checkpoint(tmp_path).resume(make_2d())
    assert position.epoch == 1


def test_checkpoint_comes_last(tmp_path):
    used = callbacks(tmp_path)
    with pytest.raises(ValueError, match="GapEarlyStopping, FailureDetector after it"):
        fit(make_2d(), [used[0], used[3], used[1], used[2]])


def test_keras_callbacks_see_the_figures(tmp_path):
    best = tmp_path / "best.weights.h5"
    used = [
        monitor(),
        kgg.callbacks.GapEarlyStopping(patience=1, min_delta=10.0, verbose=0),
        keras.callbacks.ModelCheckpoint(
            best,
            monitor="val_duality_gap",
            mode="min",
            save_best_only=True,
            save_weights_only=True,
        ),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ReduceLROnPlateau("val_minimax", mode="min"),
        keras.callbacks.EarlyStopping("val_duality_gap", mode="min", patience=9),
    ]
    gan = make()
    history = gan.fit(DATA, epochs=3, verbose=0, callbacks=used)
    assert len(history.epoch) == 2 and best.exists()
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert "val_duality_gap" in header and "val_minimax" in header


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "a b"}, "`name` becomes part"),
        ({"name": 3}, "`name` becomes part"),
        ({"verbose": 2}, "`verbose` must be 0 or 1"),
        ({"every": "batch"}, '`every` must be "epoch"'),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        monitor(**arguments)
