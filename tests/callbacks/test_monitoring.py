"""The gap in the logs, stopping on it, and pictures of samples."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

RING = kgg.datasets.gaussian_ring(seed=0)
DATA = RING.sample(256)


def make(**arguments):
    """A small compiled GAN."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    gan = kgg.GAN(*pair, seed=3, **arguments)
    gan.compile()
    return gan


def monitor(every="epoch"):
    """A quick gap monitor."""
    return kgg.callbacks.DualityGapMonitor(
        DATA[:128], DATA[128:], every=every, num_steps=3, batch_size=32
    )


class Logs(keras.callbacks.Callback):
    """Gives the logs scripted values, as a monitor would."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_duality_gap"] = self.values[epoch]


def batches(steps=3):
    """A finite data set of the ring."""
    return RING.batches(16, steps_per_epoch=steps)


def test_monitor_logs_what_duality_gap_returns():
    gan = make()
    watch = monitor()
    history = gan.fit(batches(), epochs=2, verbose=0, callbacks=[watch]).history
    assert len(history["val_duality_gap"]) == 2
    step, last = watch.estimates[-1]
    direct = kgg.duality_gap(
        gan, DATA[:128], DATA[128:], num_steps=3, batch_size=32, seed=gan.seed + step
    )
    assert direct.gap == pytest.approx(last.gap, abs=1e-6)
    assert history["val_minimax"][-1] == last.minimax
    assert 0.0 < watch.cost < 1.0


def test_monitor_changes_nothing_in_training():
    watched, alone = make(), make()
    watched.fit(batches(), epochs=2, verbose=0, callbacks=[monitor(every=2)])
    alone.fit(batches(), epochs=2, verbose=0)
    for one, other in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_monitor_every_so_many_steps():
    watch = monitor(every=4)
    make().fit(batches(5), epochs=2, verbose=0, callbacks=[watch])
    assert [step for step, _ in watch.estimates] == [4, 8]


def test_early_stopping_restores_the_best_epoch():
    seen = []

    class Weights(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.generator.get_weights())

    gan, weights = make(), Weights()
    stop = kgg.callbacks.GapEarlyStopping(patience=2)
    values = [0.5, 0.2, 0.3, 0.4, 0.1]
    gan.fit(batches(), epochs=5, verbose=0, callbacks=[Logs(values), weights, stop])
    assert (stop.best_epoch, stop.stopped_epoch, stop.best) == (1, 3, 0.2)
    for now, best in zip(gan.generator.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(now, best)


def mirrored(values):
    """The same story, told by a log of which more is better."""
    return [-value for value in values]


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
@pytest.mark.parametrize("baseline", [None, 0.15])
def test_more_is_better_mirrors_less_is_better(smoothing, baseline, capsys):
    values = [0.5, 0.2, 0.3, 0.4, 0.1]
    stops = []
    for mode, told in (("min", values), ("max", mirrored(values))):
        sign = 1.0 if mode == "min" else -1.0
        stop = kgg.callbacks.MetricEarlyStopping(
            "val_duality_gap",
            mode,
            patience=2,
            min_delta=0.05,
            smoothing=smoothing,
            baseline=None if baseline is None else sign * baseline,
        )
        make().fit(batches(), epochs=5, verbose=0, callbacks=[Logs(told), stop])
        stops.append((stop.best_epoch, stop.stopped_epoch, stop.wait, sign * stop.best))
    assert stops[0] == stops[1]
    reason = capsys.readouterr().out.splitlines()[-1]
    assert ("come above the baseline -0.15" in reason) == (baseline is not None)


def test_early_stopping_smooths():
    stop = kgg.callbacks.GapEarlyStopping(patience=5, smoothing=0.5)
    make().fit(batches(), epochs=3, verbose=0, callbacks=[Logs([1.0, 0.0, 0.0]), stop])
    assert stop.best == pytest.approx(0.25)


def test_early_stopping_leaves_histories_alone():
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    gan = kgg.FictitiousGAN(*pair, history=kgg.History(3, interval=2), seed=0)
    gan.compile()
    stop = kgg.callbacks.GapEarlyStopping(patience=1)
    gan.fit(batches(), epochs=3, verbose=0, callbacks=[Logs([0.1, 0.2, 0.3]), stop])
    assert stop.stopped_epoch == 1
    assert gan.generator_bank.member_steps[-1] == gan.num_steps


def test_early_stopping_names_the_logs_there_are():
    with pytest.raises(
        ValueError, match=r"only \['d_accuracy', 'd_fake', 'd_loss', 'd_r"
    ):
        make().fit(batches(), verbose=0, callbacks=[kgg.callbacks.GapEarlyStopping()])


def test_early_stopping_warns_of_nan():
    stop = kgg.callbacks.GapEarlyStopping(patience=1)
    with pytest.warns(UserWarning, match="not finite at epoch 1"):
        make().fit(batches(), verbose=0, callbacks=[Logs([float("nan")]), stop])


@pytest.mark.parametrize(
    "arguments", [{"patience": 0}, {"min_delta": -1.0}, {"smoothing": 1.0}]
)
def test_early_stopping_bad_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        kgg.callbacks.GapEarlyStopping(**arguments)


def test_early_stopping_needs_the_name_of_a_log():
    with pytest.raises(TypeError, match="`monitor` must be the name of a log"):
        kgg.callbacks.MetricEarlyStopping(kgg.metrics.FrechetDistance())
    with pytest.raises(ValueError, match=r"`mode` must be.*Received: mode='auto'"):
        kgg.callbacks.MetricEarlyStopping("coverage", "auto")


@pytest.mark.parametrize(
    "stop",
    [
        kgg.callbacks.GapEarlyStopping(patience=3, smoothing=0.2, min_delta=0.1),
        kgg.callbacks.MetricEarlyStopping("recall", "max", baseline=0.5),
    ],
)
def test_early_stopping_configuration_round_trip(stop):
    copy = type(stop).from_config(stop.get_config())
    assert copy.get_config() == stop.get_config()


def test_grid_shows_the_samples_of_its_seed(tmp_path):
    pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=4, base_filters=4, seed=0)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    grid = kgg.callbacks.SampleGrid(tmp_path, num_samples=5, seed=2)
    gan.fit(np.zeros((8, 28, 28, 1), "float32"), verbose=0, callbacks=[grid])
    picture = tf.io.decode_png((tmp_path / "epoch_001.png").read_bytes()).numpy()
    assert picture.shape == (2 * 29 + 1, 3 * 29 + 1, 1)
    first = gan.sample(5, seed=2)[0]
    expected = np.rint((first + 1.0) * 127.5)
    np.testing.assert_allclose(picture[1:29, 1:29], expected, atol=1)


def test_grid_of_points_and_steps(tmp_path):
    grid = kgg.callbacks.SampleGrid(tmp_path, every=2, num_samples=10)
    make().fit(batches(5), verbose=0, callbacks=[grid])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["samples.gif", "step_00000002.png", "step_00000004.png"]


def test_grid_in_a_remote_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = f"ram://{tmp_path.name}/grid"
    grid = kgg.callbacks.SampleGrid(folder, num_samples=4)
    make().fit(batches(1), verbose=0, callbacks=[grid])
    assert tf.io.gfile.listdir(folder) == ["epoch_001.png"]
    picture = tf.io.read_file(f"{folder}/epoch_001.png")
    assert tf.io.decode_png(picture).shape[:2] == (400, 400)
    assert grid.get_config()["directory"] == folder
    assert not list(tmp_path.iterdir())


def test_grid_refuses_a_source_that_is_not_kept_at_once(tmp_path):
    grid = kgg.callbacks.SampleGrid(tmp_path, source="mixture")
    with pytest.raises(ValueError, match="keeps none"):
        make().fit(batches(), verbose=0, callbacks=[grid])


def test_image_grid_layout_and_errors():
    images = np.stack([np.full((2, 3, 3), value) for value in (-1.0, 0.0, 1.0)])
    grid = kgg.callbacks.image_grid(images)
    assert grid.shape == (7, 9, 3)
    assert grid[1, 1, 0] == 0 and grid[1, 5, 0] == 128 and grid[4, 1, 0] == 255
    with pytest.raises(ValueError, match="shape"):
        kgg.callbacks.image_grid(np.zeros((2, 4, 4)))


def test_grid_configuration_round_trip(tmp_path):
    grid = kgg.callbacks.SampleGrid(tmp_path, labels=np.arange(4), num_samples=4)
    copy = kgg.callbacks.SampleGrid.from_config(grid.get_config())
    assert copy.get_config() == grid.get_config()
