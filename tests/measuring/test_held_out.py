"""Data that cannot be measured on, and a bar that changes nothing."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.measuring import progress
from tests.measuring import known_games

DATA = np.random.default_rng(0).normal(size=(512, 1))


def measure(finding, scoring, gan=None, **arguments):
    gan = gan or known_games.line_gan(0.5, 1.0)
    defaults = {"num_steps": 1, "batch_size": 32, "seed": 0}
    return kgg.duality_gap(gan, finding, scoring, **{**defaults, **arguments})


def test_shared_examples_are_counted_and_named():
    scoring = DATA[256:].copy()
    scoring[[3, 9]] = DATA[[250, 7]]
    words = (
        r"2 example\(s\) that stand in both: finding_data\[7\] = scoring_data\[9\], "
        r"finding_data\[250\] = scoring_data\[3\]\. "
    )
    # So few may be chance, in one dimension.
    with pytest.warns(UserWarning, match=f"{words}So few may be chance"):
        assert np.isfinite(measure(DATA[:256], scoring).gap)
    scoring[100:130] = DATA[:30]
    with pytest.raises(ValueError, match=r"32 example\(s\) .*, \.\.\.\. Drop them"):
        measure(DATA[:256], scoring)


def test_draws_that_coincide_by_chance_are_measured_on():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(40_000, 1)).astype("float32")
    assert len(np.unique(draws)) < len(draws)
    assert np.isfinite(measure(draws[:20_000], draws[20_000:]).gap)


def test_many_shared_examples_are_not_all_named():
    with pytest.raises(ValueError, match=r"100 example.*, \.\.\.\. Drop"):
        measure(DATA[:300], DATA[200:].copy())


def test_the_same_data_set_twice():
    dataset = tf.data.Dataset.from_tensor_slices(DATA).batch(64)
    with pytest.raises(ValueError, match="disjoint"):
        measure(dataset, dataset)
    # Another object of the same examples is seen by its rows.
    with pytest.raises(ValueError, match=r"192 example\(s\)"):
        measure(dataset.take(4), dataset.skip(1))


def test_zero_is_zero_whatever_its_sign_and_discrete_data_may_repeat():
    finding, scoring = DATA[:256].copy(), DATA[256:].copy()
    finding[0], scoring[0] = 0.0, -0.0
    with pytest.warns(UserWarning, match=r"1 example\(s\)"):
        measure(finding, scoring)
    assert np.isfinite(measure(np.ones((64, 1)), np.ones((64, 1))).gap)


@pytest.mark.parametrize(
    ("finding", "message"),
    [
        (DATA[:256, 0], r"batches of shape \(None, 1\).*shape \(256,\)"),
        (np.where(DATA[:256] > 2, np.nan, DATA[:256]), "`finding_data` must be finite"),
        (np.where(DATA[:256] > 2, np.inf, DATA[:256]), "`finding_data` must be finite"),
        (DATA[:31], "at least one batch of 32 examples. Received: 31"),
        (DATA[:0], "Received: 0"),
    ],
)
def test_bad_finding_data(finding, message):
    with pytest.raises(ValueError, match=message):
        measure(finding, DATA[256:])


def test_as_many_labels_as_examples():
    pair = kgg.networks.mlp_pair(1, latent_dim=4, width=8, num_classes=3, seed=1)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    labels = np.arange(255) % 3
    with pytest.raises(ValueError, match="256 examples and 255 labels"):
        measure((DATA[:256], labels), (DATA[256:], np.arange(256) % 3), gan)


def test_bar_shows_and_changes_nothing(capsys):
    arguments = {"num_steps": 120, "learning_rate": 0.01}
    silent = measure(DATA[:256], DATA[256:], verbose=0, **arguments)
    assert capsys.readouterr().out == ""
    shown = measure(DATA[:256], DATA[256:], verbose=1, **arguments)
    out = capsys.readouterr().out
    assert "50/120" in out and "100/120" in out and "120/120" in out
    assert shown[:6] == silent[:6]
    np.testing.assert_array_equal(shown.curves, silent.curves)
    # Nobody looks on here.
    measure(DATA[:256], DATA[256:], verbose="auto", **arguments)
    assert capsys.readouterr().out == ""


def test_when_a_bar_is_shown(monkeypatch):
    assert not progress.is_shown(1, 0)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert progress.is_shown("auto", 100) and not progress.is_shown("auto", 99)
    with pytest.raises(ValueError, match="`verbose` must be 0, 1"):
        measure(DATA[:256], DATA[256:], verbose=2)
