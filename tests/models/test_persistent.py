"""Worst players that live on from step to step, inside a model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data

SIZE, SEED, PULL = 8, 3, 0.25


def response(*args, **kwargs):
    return kgg.BestResponse(*args, **{"start": "persistent", **kwargs})


@pytest.fixture
def build(make):
    """Function (response, ...) -> compiled model."""

    def run(best_response, *args, **kwargs):
        return make("duality_gap", *args, best_response=best_response, **kwargs)

    return run


def kept(gan):
    """What persists, as arrays."""
    return [np.array(v) for v in tf.nest.flatten(gan.scheme_store.read(0)[1:])]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slope_of_u(u, v, latents):
    """The gradient of mean softplus(-D(G(z))) / 2 in the linear generator."""
    logits = (latents @ u[0] + u[1]) @ v[0] + v[1]
    on_fake = -0.5 * sigmoid(-logits) / len(latents) @ v[0].T
    return [latents.T @ on_fake, on_fake.sum(axis=0)]


def slope_of_v(u, v, real, latents):
    """The gradient of -V in the linear discriminator."""
    fake = latents @ u[0] + u[1]
    on_real = -0.5 * sigmoid(-(real @ v[0] + v[1])) / len(real)
    on_fake = 0.5 * sigmoid(fake @ v[0] + v[1]) / len(real)
    return [
        real.T @ on_real + fake.T @ on_fake,
        on_real.sum(axis=0) + on_fake.sum(axis=0),
    ]


def descend(player, rate, slope):
    return [x - rate * s for x, s in zip(player, slope, strict=True)]


def pulled(player, current):
    return [x + PULL * (c - x) for x, c in zip(player, current, strict=True)]


@pytest.mark.parametrize("num_steps", [1, 2])
def test_steps_against_numpy(build, num_steps):
    keras.config.set_floatx("float64")
    rates = {"outer": 0.3, "inner": 0.5}
    sgds = {f"{p}_optimizer": keras.optimizers.SGD(rates["outer"]) for p in "dg"}
    gan = build(
        response(num_steps, "sgd", rates["inner"], pull=PULL),
        "linear",
        "float64",
        compile={**sgds, "loss": "non_saturating"},
    )
    data = np.random.default_rng(0).normal(size=(4 * SIZE, 2)) + 1.0
    u = [np.array(v) for v in gan.generator.weights]
    v = [np.array(v) for v in gan.discriminator.weights]
    worst_u, worst_v = u, v
    for step in range(4):
        real = data[step * SIZE : (step + 1) * SIZE]
        stream = randomness.fold(randomness.root(SEED), step)
        latents = labelled_data.source_of(real, None, stream, (3,))(
            0
        ).examples.latents.numpy()
        worst_u, worst_v = pulled(worst_u, u), pulled(worst_v, v)
        for _ in range(num_steps):
            of_u = slope_of_u(worst_u, v, latents)
            of_v = slope_of_v(u, worst_v, real, latents)
            worst_u = descend(worst_u, rates["inner"], of_u)
            worst_v = descend(worst_v, rates["inner"], of_v)
        of_u, of_v = (
            slope_of_u(u, worst_v, latents),
            slope_of_v(worst_u, v, real, latents),
        )
        u, v = descend(u, rates["outer"], of_u), descend(v, rates["outer"], of_v)
    gan.fit(data, batch_size=SIZE, shuffle=False, verbose=0)
    found = [gan.generator.weights, gan.discriminator.weights]
    found += [player.weights for player in gan.worst_players]
    for player, expected in zip(found, (u, v, worst_u, worst_v), strict=True):
        for variable, value in zip(player, expected, strict=True):
            np.testing.assert_allclose(variable, value, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "rule, kind", [("sgd", "mlp"), ("sgd", "batchnorm"), ("adam", "mlp")]
)
def test_a_full_pull_is_a_fresh_start_but_for_the_slots(
    build, networks_state, assert_same, points, rule, kind
):
    found = []
    for best_response in (
        response(2, rule, 0.1, pull=1.0),
        kgg.BestResponse(2, rule, 0.1),
    ):
        gan = build(best_response, kind)
        gan.fit(points, batch_size=8, shuffle=False, verbose=0)
        found.append(networks_state(gan))
    if rule == "sgd":
        assert_same(*found)
    else:
        with pytest.raises(AssertionError):
            assert_same(*found)


def test_what_is_kept(build, points):
    gan = build(response(1, "adam", 0.1), "batchnorm")
    for player, network in zip(
        gan.worst_players, (gan.generator, gan.discriminator), strict=True
    ):
        assert len(player.state) == 2
        for value, variable in zip(
            [*player.weights, *player.state],
            [*network.trainable_variables, *network.non_trainable_variables],
            strict=False,
        ):
            np.testing.assert_array_equal(value, variable)
    before = kept(gan)
    gan.fit(points, batch_size=8, verbose=0)
    # Weights, statistics, both moments and the count of steps all moved.
    moved = [np.any(a != b) for a, b in zip(before, kept(gan), strict=True)]
    assert np.mean(moved) > 0.9
    carried = gan.scheme_store.read(4)
    assert [float(side["optimizer"][0]) for side in (carried.u, carried.v)] == [4, 4]


def test_nothing_persists_by_default(build):
    for best_response in (kgg.BestResponse(2), kgg.BestResponse(2, start="perturbed")):
        assert build(best_response).worst_players is None
    plain, other = build(kgg.BestResponse(2)), build(response(2, "sgd"))
    extra = len(other.weights) - len(plain.weights)
    assert extra == len(plain.generator.weights) + len(plain.discriminator.weights)


def test_the_first_step_starts_from_the_weights_of_that_moment(
    build, assert_same, points
):
    # Weights that were loaded into a network after the model was made.
    late, early = build(response(1, "sgd", 0.1)), build(response(1, "sgd", 0.1))
    for gan in (late, early):
        for network in (gan.generator, gan.discriminator):
            network.set_weights([w + 0.5 for w in network.get_weights()])
    players = early.generator_network.player(), early.discriminator_network.player()
    sides = ({"player": player, "optimizer": ()} for player in players)
    early.scheme_store.write(kgg.games.schemes.State(0, (), *sides), None)
    for gan in (late, early):
        gan.fit(points[:8], batch_size=8, verbose=0)
    assert_same(kept(late), kept(early), 1e-6)


@pytest.mark.slow
def test_resumed_bit_for_bit(build, state, assert_same, points, tmp_path):
    arguments = {"batch_size": 8, "shuffle": False, "verbose": 0}
    best_response = response(2, "adam", 0.05, pull=0.1)
    whole = build(best_response, "batchnorm")
    whole.fit(points, epochs=2, **arguments)
    half = build(best_response, "batchnorm")
    half.fit(points, **arguments)
    half.save(tmp_path / "gan.keras")
    half.save_weights(tmp_path / "gan.weights.h5")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.best_response == best_response
    fresh = build(best_response, "batchnorm", seed=SEED)
    fresh.load_weights(tmp_path / "gan.weights.h5")
    for gan in (half, loaded, fresh):
        gan.fit(points, **arguments)
        assert_same(state(gan), state(whole))
        assert_same(kept(gan), kept(whole))


def test_a_tensorflow_checkpoint_holds_them(build, assert_same, points, tmp_path):
    best_response = response(1, "adam", 0.05)
    trained, fresh = build(best_response), build(best_response)
    trained.fit(points, batch_size=8, verbose=0)
    path = tf.train.Checkpoint(model=trained).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(model=fresh).read(path)
    assert_same(kept(fresh), kept(trained))


def test_half_precision_keeps_float32(build, points):
    gan = build(response(1, "adam", 0.01), "mlp", "mixed_float16")
    before = kept(gan)
    gan.fit(points, batch_size=8, verbose=0)
    after = kept(gan)
    assert {value.dtype.name for value in after} == {"float32"}
    assert any(np.any(a != b) for a, b in zip(before, after, strict=True))
    assert all(np.all(np.isfinite(value)) for value in after)


@pytest.mark.parametrize(
    "run", ["graph", "eager", pytest.param("XLA", marks=pytest.mark.slow)]
)
def test_a_step_that_fails_writes_nothing(build, points, run):
    modes = {"graph": {}, "eager": {"run_eagerly": True}, "XLA": {"jit_compile": True}}
    gan = build(response(1, "adam", 0.01), compile=modes[run])
    gan.fit(points[:16], batch_size=8, verbose=0)
    before = kept(gan)
    # Behind a data set, where it is not seen in advance.
    spoiled = tf.data.Dataset.from_tensors(np.full_like(points[:8], np.nan))
    with pytest.raises(kgg.NonFiniteError, match="the training data"):
        gan.fit(spoiled, verbose=0)
    assert gan.num_steps == 2
    for value, expected in zip(kept(gan), before, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.slow
def test_noise_follows_seed_and_step(build, networks_state, points):
    perturbed = kgg.BestResponse(1, "sgd", 0.1, start="perturbed", perturbation=0.5)

    def run(seed, best_response=perturbed):
        gan = build(best_response, seed=seed)
        gan.fit(points, batch_size=8, shuffle=False, verbose=0)
        return networks_state(gan)

    def equal(left, right):
        return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))

    first = run(0)
    assert equal(first, run(0))
    assert not equal(first, run(1))
    assert not equal(first, run(0, kgg.BestResponse(1, "sgd", 0.1)))
    # No noise is no perturbation.
    silent = kgg.BestResponse(1, "sgd", 0.1, start="perturbed", perturbation=0.0)
    assert equal(run(0, silent), run(0, kgg.BestResponse(1, "sgd", 0.1)))
