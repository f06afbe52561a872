"""When a run stops, what it says, and what it leaves alone."""

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from tests.measuring import known_games

DATA = np.random.default_rng(0).normal(size=(64, 1))


class Logs(keras.callbacks.Callback):
    """Gives the logs scripted values, and remembers the weights."""

    def __init__(self, values):
        super().__init__()
        self.values = values
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        logs["val_duality_gap"] = self.values[epoch]
        self.weights.append(self.model.get_weights())


def run(values, gan=None, **arguments):
    stop = kgg.callbacks.GapEarlyStopping(**arguments)
    script = Logs(values)
    gan = gan or known_games.line_gan(0.5, 1.0)
    gan.fit(DATA, epochs=len(values), verbose=0, callbacks=[script, stop])
    return gan, stop, script


def test_says_why_it_stopped(capsys):
    run([0.5, 0.25, 0.375, 0.5, 0.0], patience=2, min_delta=0.125)
    assert capsys.readouterr().out == (
        "Stopped after epoch 4: val_duality_gap has not improved by more than 0.125 "
        "for 2 epoch(s); it is 0.5000, the best was 0.2500 at epoch 2. That epoch's "
        "weights are back; stored histories are as they were.\n"
    )


def test_says_nothing_unless_it_stops_or_when_asked_not_to(capsys):
    run([0.5, 0.4, 0.3], patience=1)
    run([0.5, 0.6], patience=1, verbose=0)
    assert capsys.readouterr().out == ""


def test_banks_are_left_alone_bitwise():
    history = kgg.History(3, interval=2)
    gan = known_games.line_gan(0.5, 1.0, kgg.FictitiousGAN, history=history)
    gan, stop, script = run([0.1, 0.2, 0.3, 0.4], gan, patience=2, verbose=0)
    assert (stop.best_epoch, stop.stopped_epoch) == (0, 2)
    best, last = script.weights[0], script.weights[2]
    restored = [
        *gan.discriminator.weights,
        *gan.generator.weights,
        *gan.generator_average.weights,
    ]
    for variable, then, at_end in zip(gan.weights, best, last, strict=True):
        goes_back = any(variable is other for other in restored)
        np.testing.assert_array_equal(np.array(variable), then if goes_back else at_end)
    banks = [*gan.generator_bank.weights, *gan.discriminator_bank.weights]
    assert not any(other is variable for other in restored for variable in banks)
    assert gan.num_steps == 6
    assert any((one != other).any() for one, other in zip(best, last, strict=True))


def test_weights_may_stay_as_they_are():
    gan, stop, script = run([0.1, 0.2], patience=1, restore_best_weights=False)
    assert stop.stopped_epoch == 1
    for now, last in zip(gan.get_weights(), script.weights[-1], strict=True):
        np.testing.assert_array_equal(now, last)


@pytest.mark.parametrize(
    ("values", "arguments", "stopped", "best"),
    [
        # Improves all the time, but never below the baseline.
        ([0.9, 0.8, 0.7, 0.6], {"patience": 2, "baseline": 0.5}, 1, 0.8),
        ([0.9, 0.4, 0.5, 0.6], {"patience": 2, "baseline": 0.5}, 3, 0.4),
        # Nothing before the third epoch counts, not even the best value.
        ([0.1, 0.2, 0.9, 1.0], {"patience": 1, "start_from_epoch": 2}, 3, 0.9),
        # Values that are no numbers do not spoil the average.
        ([0.4, float("nan"), 0.2, 0.1], {"patience": 3, "smoothing": 0.5}, None, 0.2),
    ],
)
@pytest.mark.filterwarnings("ignore:.*not finite:UserWarning")
def test_what_counts(values, arguments, stopped, best):
    _, stop, _ = run(values, verbose=0, **arguments)
    assert stop.stopped_epoch == stopped
    assert stop.best == pytest.approx(best)


def test_reasons_of_other_kinds(capsys):
    run([0.9, 0.8], patience=2, baseline=0.5)
    assert "has not come below the baseline 0.5000 in 2 epoch(s)" in (
        capsys.readouterr().out
    )
    with pytest.warns(UserWarning, match="not finite"):
        run([float("nan")] * 2, patience=2)
    assert "has not been finite for 2 epoch(s)." in capsys.readouterr().out


def test_used_again_it_begins_afresh():
    stop = kgg.callbacks.GapEarlyStopping(patience=1, verbose=0)
    gan = known_games.line_gan(0.5, 1.0)
    for values in ([0.1, 0.2], [0.9, 0.95]):
        gan.fit(DATA, epochs=2, verbose=0, callbacks=[Logs(values), stop])
        assert (stop.best, stop.stopped_epoch) == (values[0], 1)


@pytest.mark.parametrize(
    "arguments", [{"start_from_epoch": -1}, {"baseline": np.inf}, {"verbose": 2}]
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        kgg.callbacks.GapEarlyStopping(**arguments)
