"""Ways to fail: constructed, and one that really happens."""

import math
import re

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.callbacks import detectors


def run(epochs, loss="minimax", **arguments):
    """Feeds a detector the logs of some epochs, without training."""
    gan = kgg.GAN(*kgg.networks.mlp_pair(1, latent_dim=1, width=2, seed=0), seed=0)
    gan.compile(loss=loss)
    detector = kgg.callbacks.FailureDetector(**arguments)
    detector.set_model(gan)
    detector.set_params({"verbose": 0})
    detector.on_train_begin()
    for epoch, (gap, minimax, value, *accuracy) in enumerate(epochs):
        logs = {"val_duality_gap": gap, "val_minimax": minimax, "value": value}
        if accuracy:
            logs["d_accuracy"] = accuracy[0]
        detector.on_epoch_end(epoch, logs)
    return detector


def kinds(detector):
    return [(epoch, kind) for epoch, kind, _ in detector.events]


GOOD, BAD, SURE = (0.2, -0.65, -0.66), (0.01, -0.1, -0.5), (0.01, -0.01, -0.001)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("minimax", (-math.log(2), 0.0, True)),
        ("non_saturating", (-math.log(2), 0.0, False)),
        ("wasserstein", (0.0, None, False)),
        ("hinge", (-2.0, 0.0, False)),
        ("least_squares", (-0.25, 0.0, False)),
    ],
)
def test_yardsticks(loss, expected):
    assert detectors.scale_of(kgg.payoffs.get(loss)) == pytest.approx(expected)


def test_collapse_is_told_once_with_its_numbers(capsys):
    detector = run([GOOD, BAD, BAD, BAD, BAD])
    assert kinds(detector) == [(2, "collapse")]
    told = capsys.readouterr().out
    assert told.count("Collapse") == 1
    assert "Epoch 3: Collapse: the duality gap is 0.0100" in told
    assert "minimax value is -0.1000 where -0.6931 is the best" in told


def test_an_event_that_ended_may_happen_again():
    assert kinds(run([BAD, BAD, GOOD, BAD, BAD], verbose=0)) == [
        (1, "collapse"),
        (4, "collapse"),
    ]
    assert kinds(run([BAD, GOOD, BAD, GOOD], verbose=0)) == []


@pytest.mark.parametrize(
    ("accuracy", "told"),
    [
        (0.4, "40% of the pairs, worse than by chance.*Raise its learning rate"),
        (0.95, "95% of the pairs: the generator does not keep up. Raise its"),
    ],
)
@pytest.mark.parametrize("loss", ["non_saturating", "wasserstein"])
def test_imbalance(loss, accuracy, told):
    fine = (*GOOD, 0.65)
    detector = run([fine, fine, (*GOOD, accuracy), (*GOOD, accuracy)], loss, verbose=0)
    assert kinds(detector) == [(3, "imbalance")]
    assert not run([(*GOOD, 0.499)] * 3, loss, verbose=0).events
    assert re.search(told, detector.events[0][2])
    assert not run([(*GOOD, accuracy)] * 3, loss, accuracies=(0, 1), verbose=0).events


@pytest.mark.parametrize("band", [(0.9, 0.5), (0.5, 1.5), (0.5,), 0.5])
def test_bands_that_are_none(band):
    with pytest.raises(ValueError, match=r"`accuracies` must be.*Received: acc"):
        kgg.callbacks.FailureDetector(accuracies=band)


@pytest.mark.parametrize(
    ("loss", "advice"), [("minimax", "vanishes"), ("hinge", "learns little")]
)
def test_saturation(loss, advice, capsys):
    detector = run([(0.5, -0.4, -0.001)] * 3, loss, patience=3)
    assert kinds(detector) == [(2, "saturation")]
    told = capsys.readouterr().out
    assert "the value is -0.0010, and no discriminator can exceed 0.0000" in told
    assert advice in told


def test_a_discriminator_that_wins_for_sure_is_both():
    assert kinds(run([SURE, SURE], verbose=0)) == [(1, "collapse"), (1, "saturation")]


def test_divergence_by_growth_and_by_numbers_that_are_none():
    usual = [(0.2, -0.6, -0.6), (0.3, -0.6, -0.6), (0.25, -0.6, -0.6)]
    grown = run([*usual, (50.0, -0.6, -0.6), (60.0, -0.6, -0.6)], verbose=0)
    assert kinds(grown) == [(3, "divergence")]
    assert "has grown to 50, 10 times and more its usual size" in grown.events[0][2]
    # The first epochs have nothing to be compared with.
    assert kinds(run([(50.0, -0.6, -0.6)] * 5, verbose=0)) == []
    broken = run([(math.nan, -0.6, -0.6), (math.inf, -0.6, -0.6)], verbose=0)
    assert kinds(broken) == [(0, "divergence")]
    assert "val_duality_gap is nan" in broken.events[0][2]


def test_without_a_bound_only_divergence_is_watched_for():
    epochs = [(0.0, 5.0, 5.0)] * 4 + [(0.0, 5.0, 500.0)]
    assert kinds(run(epochs, "wasserstein", verbose=0)) == [(4, "divergence")]


def test_state_goes_on_where_it_was():
    first = run([GOOD, GOOD, GOOD, BAD], verbose=0)
    second = kgg.callbacks.FailureDetector(verbose=0)
    second.set_state(first.get_state())
    second.set_model(first.model)
    second.set_params({"verbose": 0})
    second.on_train_begin()
    names = ("val_duality_gap", "val_minimax", "value")
    second.on_epoch_end(4, dict(zip(names, BAD, strict=True)))
    assert kinds(second) == [(4, "collapse")]
    # Used for another run, it begins afresh.
    second.on_train_begin()
    assert second.events == []


def test_a_run_that_really_collapses():
    """A fast discriminator against the saturating loss wins at once."""
    ring = kgg.datasets.gaussian_ring(seed=0)
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=32, seed=1)
    gan = kgg.GAN(*pair, seed=0, discriminator_steps=3)
    adam = keras.optimizers.Adam
    gan.compile(adam(3e-2), adam(1e-3), loss="minimax")
    # The generator starts far away, where everything is easily told apart.
    bias = gan.generator.layers[-1].bias
    bias.assign(bias + 6.0)
    data = ring.sample(1024)
    monitor = kgg.callbacks.DualityGapMonitor(
        data[:512], data[512:], num_steps=20, learning_rate=1e-4, batch_size=128
    )
    detector = kgg.callbacks.FailureDetector(verbose=0)
    batches = ring.batches(64, steps_per_epoch=20)
    history = gan.fit(batches, epochs=4, verbose=0, callbacks=[monitor, detector])
    assert {"collapse", "saturation"} <= {kind for _, kind, _ in detector.events}
    # What the gap alone would have said.
    assert abs(history.history["val_duality_gap"][-1]) < 0.05
    assert history.history["val_minimax"][-1] > -0.2


def test_configuration_and_bad_arguments():
    detector = kgg.callbacks.FailureDetector(patience=4, growth=3.0)
    twin = kgg.callbacks.FailureDetector.from_config(detector.get_config())
    assert twin.get_config() == detector.get_config()
    for arguments in ({"patience": 0}, {"growth": 1.0}, {"gap_share": 1.5}):
        with pytest.raises(ValueError, match="must be"):
            kgg.callbacks.FailureDetector(**arguments)
    with pytest.raises(ValueError, match="`verbose` must be 0 or 1"):
        kgg.callbacks.FailureDetector(verbose=2)
    assert np.isfinite(detector.get_config()["minimax_share"])
