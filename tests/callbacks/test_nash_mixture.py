"""Shares of stored models set to the equilibrium of their measured game."""

import contextlib

import numpy as np
import pytest

import keras_gamegan as kgg
from tests import strategies

RING = kgg.datasets.gaussian_ring(seed=0)
DATA = RING.sample(96)


def make(side="both", weights="nash", **history):
    """A small compiled FictitiousGAN."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    settings = kgg.History(
        4, interval=2, retention="fifo", side=side, weights=weights, **history
    )
    gan = kgg.FictitiousGAN(*pair, history=settings, seed=3)
    gan.compile()
    return gan


def batches(steps=6):
    """A finite data set of the ring."""
    return RING.batches(16, steps_per_epoch=steps)


def nash(every="epoch"):
    """A quick callback."""
    return kgg.callbacks.NashMixture(DATA, every=every, batch_size=32)


def test_shares_are_the_equilibrium_of_the_measured_matrix():
    gan, callback = make(), nash()
    logs = gan.fit(batches(9), epochs=2, verbose=0, callbacks=[callback]).history
    (first, *_), (step, table, (p, q, value)) = callback.measurements
    assert (first, step) == (9, 18)
    direct = kgg.payoff_matrix(gan, DATA, batch_size=32, seed=gan.seed + 18)
    np.testing.assert_array_equal(table.values, direct.values)
    assert direct.values.shape == (4, 4)
    assert direct.exploitability(p, q) <= 1e-8
    np.testing.assert_allclose(gan.generator_bank.member_probabilities, p)
    np.testing.assert_allclose(gan.discriminator_bank.member_probabilities, q)
    assert logs["nash_value"][-1] == value
    assert logs["nash_generators"][-1] == np.sum(p > 1e-9)
    assert logs["nash_discriminators"][-1] == np.sum(q > 1e-9)


def test_the_mixture_samples_with_these_shares():
    gan, callback = make(), nash()
    gan.fit(batches(9), verbose=0, callbacks=[callback])
    member = int(np.argmin(callback.measurements[-1][2].p))
    shares = np.eye(4)[member]
    gan.generator_bank.assign_probabilities(shares)
    mixed = gan.sample(20, seed=1, source="mixture")
    gan.generator.set_weights(gan.generator_bank.member_weights[member])
    np.testing.assert_allclose(mixed, gan.sample(20, seed=1), rtol=1e-6, atol=1e-6)


def test_every_so_many_steps():
    callback = nash(every=4)
    logs = make().fit(batches(), epochs=2, verbose=0, callbacks=[callback]).history
    assert [step for step, *_ in callback.measurements] == [4, 8, 12]
    values = [equilibrium.value for *_, equilibrium in callback.measurements]
    assert logs["nash_value"] == [values[0], values[2]]


@pytest.mark.parametrize("side", ["generator", "discriminator"])
def test_one_side_alone(side):
    gan, callback = make(side=side), nash()
    logs = gan.fit(batches(9), verbose=0, callbacks=[callback]).history
    _, table, (p, q, _) = callback.measurements[-1]
    bank = getattr(gan, f"{side}_bank")
    shares = p if side == "generator" else q
    np.testing.assert_allclose(bank.member_probabilities, shares)
    other = "discriminator" if side == "generator" else "generator"
    assert logs[f"nash_{other}s"] == [1]
    assert sorted(table.values.shape) == [1, 4]


@pytest.mark.parametrize("every", [pytest.param("epoch", marks=pytest.mark.slow), 4])
def test_a_resumed_run_gets_the_same_shares_and_weights(tmp_path, every):
    def run(epochs):
        gan, callback = make(), nash(every)
        checkpoint = kgg.callbacks.Checkpoint(tmp_path / f"{every}", every="epoch")
        callbacks = [callback, checkpoint]
        logs = gan.fit(batches(), epochs=epochs, verbose=0, callbacks=callbacks).history
        return gan, callback, logs

    straight, before = make(), nash(every)
    expected = straight.fit(batches(), epochs=3, verbose=0, callbacks=[before]).history
    run(2)
    resumed, after, logs = run(3)
    for name, values in logs.items():
        assert values == expected[name][2:], name
    assert {"nash_value", "nash_generators"} <= set(logs)
    assert after.measurements[-1][0] == before.measurements[-1][0]
    assert len(after.measurements) < len(before.measurements)
    for one, other in zip(straight.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))


def test_figures_that_were_not_measured_again_are_logged_after_a_resume(tmp_path):
    def run(epochs):
        callbacks = [nash(every=8), kgg.callbacks.Checkpoint(tmp_path, every="epoch")]
        logs = make().fit(batches(), epochs=epochs, verbose=0, callbacks=callbacks)
        return logs.history["nash_value"]

    before = run(2)
    # Four more steps, 13 to 16, would be measured at their end: three are not.
    late = nash(every=8)
    callbacks = [late, kgg.callbacks.Checkpoint(tmp_path, every="epoch")]
    with pytest.warns(UserWarning, match="steps_per_epoch from 6 to 3"):
        logs = make().fit(batches(3), epochs=3, verbose=0, callbacks=callbacks).history
    assert late.measurements == [] and logs["nash_value"] == before


def test_a_checkpoint_before_it_is_refused(tmp_path):
    callbacks = [kgg.callbacks.Checkpoint(tmp_path), nash()]
    with pytest.raises(ValueError, match=r"Received: NashMixture after it"):
        make().fit(batches(), verbose=0, callbacks=callbacks)


def test_two_replicas_and_one():
    strategy = strategies.mirrored()
    found = []
    for scope in (strategy.scope(), contextlib.nullcontext()):
        callback = nash()
        with scope:
            gan = make()
        gan.fit(batches(9), verbose=0, callbacks=[callback])
        table = callback.measurements[-1][1]
        shares = callback.measurements[-1][2].p
        np.testing.assert_allclose(gan.generator_bank.member_probabilities, shares)
        found.append(table.values)
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


def test_low_precision_storage():
    gan, callback = make(dtype="bfloat16"), nash()
    gan.fit(batches(9), verbose=0, callbacks=[callback])
    _, table, (p, q, _) = callback.measurements[-1]
    assert np.isfinite(table.values).all()
    np.testing.assert_allclose(gan.generator_bank.member_probabilities, p)
    assert table.exploitability(p, q) <= 1e-8


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            lambda: make(weights="uniform"),
            r"FictitiousGAN with History\(weights='uniform'\)\. Use",
        ),
        (
            lambda: kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=4, width=8)),
            "a GAN without a history",
        ),
    ],
)
def test_only_a_model_that_leaves_its_shares_to_be_set(model, message):
    gan = model()
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(batches(), verbose=0, callbacks=[nash()])


def test_bad_arguments():
    with pytest.raises(ValueError, match="`every`"):
        kgg.callbacks.NashMixture(DATA, every=0)
    short = kgg.callbacks.NashMixture(DATA, batch_size=200)
    with pytest.raises(ValueError, match="one batch of 200"):
        make().fit(batches(), verbose=0, callbacks=[short])
