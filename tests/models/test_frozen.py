"""What is frozen is really frozen: opponents, live or stored, are fixed functions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness, structures
from keras_gamegan.models.step import (
    adversarial_game,
    guard,
    labelled_data,
    optimizer_stepper,
)


def _arrays(model):
    return [np.array(variable) for variable in model.weights]


def _moved(before, model):
    """Names of the weights that differ from what they were."""
    return {
        variable.path.split("/")[-1]
        for old, variable in zip(before, model.weights, strict=True)
        if np.any(old != np.array(variable))
    }


@pytest.fixture
def play(make, points):
    """Function (player) -> sets of what moved in (discriminator, generator)."""

    def update(method, player, **arguments):
        gan = make(method, "modes", compile={"g_optimizer": "sgd"}, **arguments)
        players = gan.generator_network.player(), gan.discriminator_network.player()
        step = tf.constant(0, tf.int64)
        stepper = optimizer_stepper.OptimizerStepper(
            gan._roles.names,
            (gan.generator_network, gan.discriminator_network),
            (gan.g_optimizer, gan.d_optimizer),
            players,
            guard.StepGuard(step, gan._roles),
            replicas.Share(len(points), 0, len(points)),
        )

        class OneSided:
            """Lets one player move and leaves the other where it is."""

            minimizer_scale = maximizer_scale = None
            minimizer_missing = maximizer_missing = None
            search_options = stepper.search_options

            def minimizer(self, moved, gradient):
                if player == "generator":
                    return stepper.minimizer(moved, gradient)
                return players[0]

            def maximizer(self, moved, gradient):
                if player == "discriminator":
                    return stepper.maximizer(moved, gradient)
                return players[1]

        source = labelled_data.source_of(
            tf.constant(points[:8]), None, randomness.root(0), (3,)
        )
        before = _arrays(gan.discriminator), _arrays(gan.generator)
        state = gan.scheme_store.read(tf.constant(0, tf.int64))
        gan.scheme.step(gan.game, *players, state, OneSided(), source)
        return _moved(before[0], gan.discriminator), _moved(before[1], gan.generator)

    return update


EVERYTHING = {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}


@pytest.mark.parametrize(
    "method", ["alternating", "simultaneous", "duality_gap", "fictitious", "full"]
)
def test_an_update_moves_one_player_alone(play, method):
    assert play(method, "discriminator") == (EVERYTHING, set())
    assert play(method, "generator") == (set(), EVERYTHING)


@pytest.fixture
def game(networks):
    """A game of networks with BatchNorm and Dropout."""
    discriminator, generator = networks("modes")
    built = adversarial_game.AdversarialGame(
        kgg.stateless_network.StatelessNetwork(discriminator),
        kgg.stateless_network.StatelessNetwork(generator),
        kgg.payoffs.get("non_saturating"),
    )
    return built


@pytest.fixture
def batch(points):
    source = labelled_data.source_of(
        tf.constant(points[:8]), None, randomness.root(0), (3,)
    )
    return source(0)


def _variants(network):
    """Three players of a network: other weights and other statistics each."""
    player = network.player()
    return tuple(
        structures.Player(
            [weight + shift for weight in player.weights],
            [statistic + 2.0 * shift for statistic in player.state],
        )
        for shift in (0.0, 0.3, 0.6)
    )


def _run(network, player, inputs):
    """A network's inference, through its variables."""
    network.assign(player)
    return network.model(inputs, training=False).numpy()


def _softplus(x):
    return np.logaddexp(0, x)


def test_stored_discriminators_use_their_own_statistics(game, batch):
    members = _variants(game.discriminator)
    share = tf.constant([0.2, 0.3, 0.5])
    u = game.generator.player()
    objective = game.minimizer_objective(structures.Mixture(members, share), batch)
    outcome = objective(u)
    # The generator is the one that trains: its outputs in training mode.
    fake, moved, _ = game.generate(u, batch, True)
    losses = [
        0.5 * _softplus(-_run(game.discriminator, member, fake)).mean()
        for member in members
    ]
    assert len({round(float(loss), 4) for loss in losses}) == 3
    np.testing.assert_allclose(outcome.loss, np.dot(share, losses), rtol=1e-5)
    assert any(
        np.any(a != b) for a, b in zip(outcome.player.state, u.state, strict=True)
    )
    for left, right in zip(outcome.player.state, moved.state, strict=True):
        np.testing.assert_array_equal(left, right)


def test_stored_generators_use_their_own_statistics(game, batch):
    members = _variants(game.generator)
    share = tf.constant([0.2, 0.3, 0.5])
    v = game.discriminator.player()
    outcome = game.maximizer_objective(structures.Mixture(members, share), batch)(v)
    fakes = [_run(game.generator, member, batch.examples.latents) for member in members]
    logits, _, _ = game.logits(
        v, tf.concat([batch.examples.real, *fakes], 0), None, batch, True
    )
    real, *fake = np.split(logits.numpy(), 4)
    value = -0.5 * _softplus(-real).mean() - 0.5 * np.dot(
        share, [_softplus(part).mean() for part in fake]
    )
    np.testing.assert_allclose(outcome.value, value, rtol=1e-5)
    np.testing.assert_allclose(outcome.loss, -value, rtol=1e-5)


def test_dropout_is_off_in_frozen_opponents(game, points):
    # Two streams draw two masks in the player that trains and none in the other.
    u, v = game.generator.player(), game.discriminator.player()
    outputs = []
    for seed in (0, 1):
        real = tf.constant(points[:8])
        batch = labelled_data.source_of(real, None, randomness.root(seed), (3,))(0)
        latents = tf.reshape(tf.range(24.0), (8, 3)) / 24
        batch = batch._replace(examples=batch.examples._replace(latents=latents))
        outputs.append(
            {
                "frozen generator": game.generate(u, batch, False)[0],
                "frozen discriminator": game.logits(v, real, None, batch, False)[0],
                "training generator": game.generate(u, batch, True)[0],
                "training discriminator": game.logits(v, real, None, batch, True)[0],
            }
        )
    for name, first in outputs[0].items():
        same = np.array_equal(first, outputs[1][name])
        assert same == name.startswith("frozen"), name


@pytest.mark.parametrize("method", ["fictitious", "full"])
def test_members_stay_as_they_were(make, points, method):
    settings = kgg.History(capacity=3, interval=1, retention="fifo")
    gan = make(method, "modes", history=settings, compile={"run_eagerly": True})
    seen = {}

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for bank in (gan.generator_bank, gan.discriminator_bank):
                live = bank.member_steps[-1]
                for step, weights in zip(
                    bank.member_steps, bank.member_weights, strict=True
                ):
                    first = seen.setdefault((bank.name, int(step)), weights)
                    for old, new in zip(first, weights, strict=True):
                        np.testing.assert_array_equal(old, new)
                network = gan.generator
                if bank is gan.discriminator_bank:
                    network = gan.discriminator
                for old, new in zip(
                    seen[bank.name, int(live)], network.get_weights(), strict=True
                ):
                    np.testing.assert_array_equal(old, new)

    gan.fit(points, batch_size=8, verbose=0, callbacks=[Watch()])
    # Four steps of both players were stored, statistics and all; no two are equal.
    assert len(seen) == 8
    means = {float(np.ravel(weights[4])[0]) for weights in seen.values()}
    assert len(means) == 8
