import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import payoffs, stateless_network
from keras_gamegan.games import gradients, randomness, structures
from keras_gamegan.models.step import adversarial_game, labelled_data


class Slopes(kgg.penalties.Penalty):
    """Hands back what it is given, to look at."""

    def __init__(self, every=1):
        self.every = every
        self.seen = None

    def __call__(self, logits_fn, real, fake, uniform):
        self.seen = real.numpy(), fake.numpy(), uniform.numpy()
        return logits_fn(real)


@pytest.fixture
def make_game(networks):
    def build(penalty=None, kind="mlp", loss="minimax"):
        discriminator, generator = networks(kind)
        return adversarial_game.AdversarialGame(
            stateless_network.StatelessNetwork(discriminator),
            stateless_network.StatelessNetwork(generator),
            kgg.payoffs.get(loss),
            penalty,
        )

    return build


@pytest.fixture
def batch(points):
    return labelled_data.source_of(
        tf.constant(points[:8]), None, randomness.root(0), (3,)
    )(0)


def _pure(game):
    return structures.pure(game.generator.player()), game.discriminator.player()


@pytest.mark.parametrize("every", [1, 3])
def test_every(make_game, batch, every):
    penalty = Slopes(every)
    game, plain = make_game(penalty), make_game()
    opponent, v = _pure(game)
    loss = game.maximizer_objective(opponent, batch)(v)
    without = plain.maximizer_objective(opponent, batch)(v)
    logits = game.logits(v, batch.examples.real, None, batch, False)[0].numpy()
    np.testing.assert_allclose(
        loss.loss - without.loss, logits[::every].mean(), rtol=1e-4
    )
    # The value is the game's alone.
    np.testing.assert_array_equal(loss.value, without.value)
    real, fake, uniform = penalty.seen
    np.testing.assert_array_equal(real, batch.examples.real[::every])
    generated = game.generate(opponent.members[0], batch, False)[0]
    np.testing.assert_allclose(fake, generated[::every], rtol=1e-6)
    assert len(uniform) == len(real) and len(set(uniform)) == len(uniform)


def test_penalty_meets_the_whole_mixture(make_game, points):
    penalty = Slopes()
    game = make_game(penalty)
    u = game.generator.player()
    members = tuple(
        structures.Player([w * 0.0 + shift for w in u.weights], u.state)
        for shift in (0.0, 1.0, 2.0)
    )
    real = tf.constant(np.tile(points, (8, 1)))
    batch = labelled_data.source_of(real, None, randomness.root(0), (3,))(0)
    share = tf.constant([0.5, 0.5, 0.0])
    game.maximizer_objective(structures.Mixture(members, share), batch)(
        game.discriminator.player()
    )
    # The first generator returns 0 only, the third is never drawn.
    zeros = np.mean(penalty.seen[1][:, 0] == 0.0)
    assert abs(zeros - 0.5) < 4 * 0.5 / np.sqrt(256)
    generated = game.generate(members[1], batch, False)[0].numpy()
    drawn = penalty.seen[1][:, 0] != 0.0
    np.testing.assert_allclose(penalty.seen[1][drawn], generated[drawn], rtol=1e-6)


@pytest.mark.parametrize("loss", kgg.payoffs.lookup.NAMES)
def test_gradients_of_both_players_are_finite_differences(networks, loss):
    discriminator, generator = networks("mlp", "float64")
    game = adversarial_game.AdversarialGame(
        stateless_network.StatelessNetwork(discriminator),
        stateless_network.StatelessNetwork(generator),
        kgg.payoffs.get(loss),
        kgg.penalties.get("r1"),
    )
    real = tf.constant(np.random.default_rng(0).normal(size=(6, 2)))
    batch = labelled_data.source_of(real, None, randomness.root(0), (3,))(0)
    u, v = game.generator.player(), game.discriminator.player()
    for objective, player in (
        (game.minimizer_objective(structures.pure(v), batch), u),
        (game.maximizer_objective(structures.pure(u), batch), v),
    ):
        _, gradient = gradients.loss_and_gradient(objective, player)
        rng = np.random.default_rng(1)
        direction = [tf.constant(rng.normal(size=w.shape)) for w in player.weights]
        step = 1e-5
        ahead, behind = (
            objective(
                player._replace(
                    weights=structures.add_scaled(
                        player.weights, sign * step, direction
                    )
                )
            ).loss
            for sign in (1, -1)
        )
        slope = sum(np.sum(g * d) for g, d in zip(gradient, direction, strict=True))
        np.testing.assert_allclose((ahead - behind) / (2 * step), slope, rtol=1e-6)


def test_values_agree_however_they_are_computed(make_game, batch):
    game = make_game(loss="least_squares")
    opponent, v = _pure(game)
    (u,) = opponent.members
    assert game.exact_minimizer_value and game.exact_maximizer_value
    value = game.value(u, v, batch)
    np.testing.assert_allclose(
        game.maximizer_objective(opponent, batch)(v).value, value, rtol=1e-5
    )
    outcome = game.minimizer_objective(structures.pure(v), batch, with_value=True)(u)
    np.testing.assert_allclose(outcome.value, value, rtol=1e-5)
    assert game.minimizer_objective(structures.pure(v), batch)(u).value is None
    losses = game.losses(u, v, batch)
    np.testing.assert_allclose(losses["maximizer_loss"], -value, rtol=1e-6)
    np.testing.assert_allclose(losses["minimizer_loss"], outcome.loss, rtol=1e-5)
    both = make_game(kind="modes")
    assert not (both.exact_minimizer_value or both.exact_maximizer_value)


@pytest.mark.parametrize("modes", ["discriminator", "generator"])
def test_modes_of_one_player_leave_the_others_value_exact(networks, batch, modes):
    pairs = dict(zip(("discriminator", "generator"), networks("mlp"), strict=True))
    place = ("discriminator", "generator").index(modes)
    pairs[modes] = networks("modes")[place]
    game = adversarial_game.AdversarialGame(
        *(stateless_network.StatelessNetwork(each) for each in pairs.values()),
        payoffs.get("minimax"),
    )
    u, v = game.generator.player(), game.discriminator.player()
    value = game.value(u, v, batch)
    of_u = game.minimizer_objective(structures.pure(v), batch, with_value=True)(u)
    of_v = game.maximizer_objective(structures.pure(u), batch)(v)
    exact = {"discriminator": of_v.value, "generator": of_u.value}
    flags = {
        "discriminator": game.exact_maximizer_value,
        "generator": game.exact_minimizer_value,
    }
    for player, found in exact.items():
        assert flags[player] == (player != modes)
        assert bool(np.isclose(found, value, rtol=1e-5)) == flags[player]


def test_labels_reach_both_networks(networks):
    discriminator, generator = networks("conditional")
    game = adversarial_game.AdversarialGame(
        stateless_network.StatelessNetwork(discriminator),
        stateless_network.StatelessNetwork(generator),
        kgg.payoffs.get("minimax"),
        kgg.penalties.R1(every=2),
    )
    real = tf.constant(np.random.default_rng(0).normal(size=(4, 2)), tf.float32)
    losses = []
    for labels in ([0, 1, 2, 3], [3, 3, 3, 3]):
        source = labelled_data.source_of(
            real, tf.constant(labels), randomness.root(0), (3,)
        )
        opponent, v = _pure(game)
        losses.append(float(game.maximizer_objective(opponent, source(0))(v).loss))
    assert losses[0] != losses[1] and np.isfinite(losses).all()


def test_a_discriminator_may_return_a_vector(networks):
    inputs = keras.Input((2,))
    logits = keras.layers.Reshape(())(keras.layers.Dense(1)(inputs))
    gan = kgg.GAN(keras.Model(inputs, logits), networks()[1], seed=0)
    gan.compile(run_eagerly=True)
    logs = gan.fit(np.zeros((4, 2), "float32"), verbose=0).history
    assert np.isfinite(logs["value"]).all()


@pytest.fixture(params=[(2, 2, 2), (1, 4, 1)], ids=["four patches", "four in a row"])
def patches(request, networks):
    """A discriminator with four logits for an example."""
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(math.prod(request.param), activation="tanh"),
            keras.layers.Reshape(request.param),
            keras.layers.Conv2D(1, 1),
        ]
    )
    return discriminator, networks("mlp")[1]


@pytest.mark.parametrize("loss", kgg.payoffs.lookup.NAMES)
def test_losses_of_patches_are_means_over_them(patches, loss, batch):
    penalty = Slopes()
    game = adversarial_game.AdversarialGame(
        *(stateless_network.StatelessNetwork(network) for network in patches),
        kgg.payoffs.get(loss),
        penalty,
    )
    discriminator, generator = patches
    real = discriminator(batch.examples.real).numpy().reshape(8, -1)
    fake = discriminator(generator(batch.examples.latents)).numpy().reshape(8, -1)
    assert real.shape == (8, 4)
    payoff = game.payoff
    value = np.mean(payoff.pair_term(real, fake))
    descended = np.mean(payoff.generator_pair_term(real, fake))
    found = game.losses(game.generator.player(), game.discriminator.player(), batch)
    probability = lambda logits: np.mean(1.0 / (1.0 + np.exp(-logits)))  # noqa: E731
    expected = {
        **{"maximizer_loss": -value, "minimizer_loss": descended, "value": value},
        **{"d_real": probability(real), "d_fake": probability(fake)},
        "d_accuracy": np.mean(real > fake),
    }
    assert found.keys() == expected.keys()
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, 1e-5, 1e-8, err_msg=name)
    opponent, v = _pure(game)
    out = game.maximizer_objective(opponent, batch)(v)
    np.testing.assert_allclose(out.value, value, rtol=1e-5)
    # A penalty sees one logit for each example, the mean of its patches.
    np.testing.assert_allclose(out.loss, real.mean() - value, rtol=1e-4)
    np.testing.assert_allclose(out.details["d_fake"], expected["d_fake"], rtol=1e-5)
    opponent, u = structures.pure(v), opponent.members[0]
    out = game.minimizer_objective(opponent, batch, with_value=True)(u)
    np.testing.assert_allclose([out.loss, out.value], [descended, value], 1e-5, 1e-8)


def test_noisy_labels_change_what_d_descends_and_nothing_else(networks, points):
    real = tf.constant(np.tile(points, (16, 1)))
    batch = labelled_data.source_of(real, None, randomness.root(0), (3,))(0)
    found = {}
    for noise in (0.0, 0.25, 0.5):
        game = adversarial_game.AdversarialGame(
            *(
                stateless_network.StatelessNetwork(network)
                for network in networks("mlp")
            ),
            kgg.payoffs.get("non_saturating", label_noise=noise),
        )
        opponent, v = _pure(game)
        objective = game.maximizer_objective(opponent, batch)
        found[noise] = objective(v)
        assert float(objective(v).loss) == float(found[noise].loss)
        np.testing.assert_array_equal(found[noise].value, found[0.0].value)
    losses = {noise: float(out.loss) for noise, out in found.items()}
    assert losses[0.0] == -float(found[0.0].value)
    # With as many wrong labels as right ones both losses are taken of both data: on
    # average, half of each.
    both = [
        np.logaddexp(0.0, sign * np.array(game.logits(v, data, None, batch, False)[0]))
        for sign in (-1.0, 1.0)
        for data in (
            batch.examples.real,
            game.generate(opponent.members[0], batch, False)[0],
        )
    ]
    right, wrong = 0.5 * (both[0] + both[3]), 0.5 * (both[1] + both[2])
    error = 4 * 0.5 * np.std(np.abs(right - wrong) + 1.0) / np.sqrt(512) + 0.02
    for noise, loss in losses.items():
        expected = np.mean((1 - noise) * right + noise * wrong)
        assert loss == pytest.approx(expected, abs=error if noise else 1e-5)
    assert len(set(losses.values())) == 3
