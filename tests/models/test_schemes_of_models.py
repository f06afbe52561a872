"""Every scheme trains a model as it solves a game: the same steps, and nothing else."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes
from tests import strategies

# Keras keeps a learning rate in float32, which holds this one exactly.
RATE, STEPS = 0.0625, 12
GAMES = {
    "bilinear": kgg.games.bilinear,
    "dirac_gan": kgg.games.dirac_gan,
    "g1": kgg.games.g1,
    "g2": kgg.games.g2,
    "e3": kgg.games.e3,
    "e4": kgg.games.e4,
}


def _response(*args, **kwargs):
    return kgg.BestResponse(*args, **kwargs)


SCHEMES = {
    **{name: schemes.get(name) for name in schemes.NAMES},
    "alternating twice": schemes.Alternating(2, 3),
    "extragradient of its own": schemes.Extragradient(0.02),
    "lookahead simultaneous": schemes.Lookahead(3, 0.25, "simultaneous"),
    "lookahead extragradient": schemes.Lookahead(4, 0.75, "extragradient"),
    "unrolled momentum": schemes.Unrolled(3, "momentum", 0.01),
    "duality gap": schemes.DualityGap(_response(3, "sgd", 0.05)),
    "duality gap unrolled": schemes.DualityGap(
        _response(3, "sgd", 0.05, through_gradient=True)
    ),
    "duality gap persistent": schemes.DualityGap(
        _response(2, "adam", 0.05, start="persistent", pull=0.2)
    ),
    "duality gap of one side": schemes.DualityGap(
        _response(2, "sgd", 0.05, side="generator")
    ),
    "duality gap perturbed": schemes.DualityGap(
        _response(2, "sgd", 0.05, start="perturbed", perturbation=0.1), seed=3
    ),
}


class Play(keras.layers.Layer):
    """One weight w: what a game has of one player, x -> function(x, w)."""

    def __init__(self, function, start):
        super().__init__(dtype="float64")
        self.function = function
        initial = keras.initializers.Constant(start)
        self.weight = self.add_weight(shape=(), initializer=initial, name="weight")

    def call(self, x):
        return self.function(x, tf.convert_to_tensor(self.weight))


class Said(kgg.Payoff):
    """The value is what the discriminator says of what is generated."""

    def real_term(self, logits):
        return tf.zeros_like(logits)

    def fake_term(self, logits):
        return logits

    def generator_term(self, logits):
        return logits


class Trajectory(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.visited = []

    def on_train_begin(self, logs=None):
        self.on_train_batch_end(0)

    def on_train_batch_end(self, batch, logs=None):
        networks = self.model.generator, self.model.discriminator
        weights = (tf.convert_to_tensor(network.weights[0]) for network in networks)
        self.visited.append([float(weight) for weight in weights])


def model_of(game, updates):
    u, v = game.start
    inputs = keras.Input((1,), dtype="float64")
    generator = keras.Sequential([inputs, Play(lambda x, w: 0.0 * x + w, u)])
    discriminator = keras.Sequential([inputs, Play(game._value_fn, v)])
    gan = kgg.GAN(discriminator, generator, updates=updates, seed=3)
    optimizers = (keras.optimizers.SGD(RATE) for _ in range(2))
    gan.compile(*optimizers, loss=Said())
    return gan


def trained(game, updates, steps=STEPS):
    """Returns the trajectory of `fit` (steps + 1, 2)."""
    callback = Trajectory()
    data = tf.data.Dataset.from_tensor_slices(np.zeros((4 * steps, 1))).batch(4)
    model_of(game, updates).fit(data, callbacks=[callback], verbose=0)
    return np.array(callback.visited)


def solved(game, scheme, steps=STEPS):
    result = kgg.games.solve(
        game, scheme=scheme, step_size=RATE, max_iterations=steps, tolerance_decimals=14
    )
    assert result.iterations == steps
    return np.stack(result.trajectory, axis=1)


# Each scheme plays one game by default, and another one that moves on with the scheme.
OTHERS = [name for name in GAMES if name not in ("dirac_gan", "e4")]
CELLS = [
    pytest.param(game, scheme, marks=marks, id=f"{scheme}-{game}")
    for index, scheme in enumerate(SCHEMES)
    for game, marks in (
        (("dirac_gan", "e4")[index % 2], []),
        (OTHERS[index % len(OTHERS)], [pytest.mark.slow]),
    )
]


@pytest.mark.parametrize("game, scheme", CELLS)
def test_fit_follows_solve(game, scheme):
    game, scheme = GAMES[game](), SCHEMES[scheme]
    expected = solved(game, scheme)
    found = trained(game, scheme)
    assert np.all(found[-1] != found[0])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fit_on_two_replicas_follows_solve(scheme):
    game, scheme = kgg.games.g2(), SCHEMES[scheme]
    with strategies.mirrored().scope():
        found = trained(game, scheme)
    np.testing.assert_allclose(found, solved(game, scheme), rtol=1e-12, atol=1e-12)


class FrozenMaximizer(schemes.Simultaneous):
    def step(self, game, u, v, state, stepper, batch_fn=None):
        taken = super().step(game, u, v, state, stepper, batch_fn)
        return taken._replace(v=v)


@pytest.mark.parametrize("replicas", [1, 2])
def test_what_a_step_returns_is_what_the_model_becomes(replicas):
    game, scheme = kgg.games.g2(), FrozenMaximizer()
    if replicas == 1:
        found = trained(game, scheme)
    else:
        with strategies.mirrored().scope():
            found = trained(game, scheme)
    assert np.all(found[:, 1] == found[0, 1]) and found[-1, 0] != found[0, 0]
    np.testing.assert_allclose(found, solved(game, scheme), rtol=1e-12, atol=1e-12)


def pair():
    return kgg.networks.mlp_pair(2, latent_dim=3, width=4, seed=0)


def compiled(updates, **arguments):
    gan = kgg.GAN(*pair(), updates=updates, seed=3)
    optimizers = (keras.optimizers.Adam(0.01) for _ in range(2))
    gan.compile(*optimizers, penalty="r1", **arguments)
    return gan


def points(steps):
    return np.random.default_rng(0).normal(size=(8 * steps, 2)).astype("float32")


def arrays(gan):
    return {
        f"{index} {variable.path}": np.array(variable)
        for index, variable in enumerate(gan.variables)
    }


KEEPING = ["optimistic", "lookahead", "extragradient", "consensus", "unrolled"]


@pytest.mark.parametrize("name", KEEPING)
def test_a_file_holds_the_scheme_and_its_state(name, tmp_path):
    gan = compiled(name)
    gan.fit(points(7), batch_size=8, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert again.scheme == gan.scheme and again.updates == name
    for each in (gan, again):
        each.fit(points(4), batch_size=8, shuffle=False, verbose=0)
    for (name, expected), found in zip(
        arrays(gan).items(), arrays(again).values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_an_object_is_saved_too(tmp_path):
    response = kgg.BestResponse(2, start="persistent", pull=0.5)
    for made in (
        schemes.Lookahead(7, 0.25, "extragradient"),
        schemes.DualityGap(response, seed=5),
    ):
        gan = compiled(made)
        gan.save(tmp_path / "gan.keras")
        again = keras.saving.load_model(tmp_path / "gan.keras")
        assert again.updates == made and again.scheme == made


def test_duality_gap_gan_is_a_gan_with_that_scheme():
    response = kgg.BestResponse(2, start="persistent", pull=0.5)
    gan = compiled(schemes.DualityGap(response, seed=3))
    thin = kgg.DualityGapGAN(*pair(), best_response=response, seed=3)
    thin.compile(*(keras.optimizers.Adam(0.01) for _ in range(2)), penalty="r1")
    logs = [g.fit(points(4), batch_size=8, verbose=0).history for g in (gan, thin)]
    assert logs[0] == logs[1] and "duality_gap" in logs[0]
    for expected, found in zip(
        arrays(thin).values(), arrays(gan).values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", ["optimistic", "lookahead"])
def test_a_nan_leaves_the_state_as_after_the_last_good_step(name, jit_compile, player):
    gan = compiled(name, jit_compile=jit_compile)
    gan.fit(points(3), batch_size=8, verbose=0)
    network = getattr(gan, player)
    kept = [v for v in gan.variables if v.path.startswith("scheme_state")]
    assert kept
    before = [np.array(v) for v in kept], gan.num_steps
    good = network.get_weights()
    network.set_weights([np.full_like(weight, np.nan) for weight in good])
    with pytest.raises(kgg.NonFiniteError):
        gan.fit(points(2), batch_size=8, verbose=0)
    assert gan.num_steps == before[1]
    for variable, expected in zip(kept, before[0], strict=True):
        np.testing.assert_array_equal(np.array(variable), expected)


class Broken(schemes.Simultaneous):
    """Returns weights that are no numbers, from gradients that are."""

    def step(self, game, u, v, state, stepper, batch_fn=None):
        taken = super().step(game, u, v, state, stepper, batch_fn)
        wrong = [weight * np.nan for weight in taken.v.weights]
        return taken._replace(v=taken.v._replace(weights=wrong))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_scheme_that_returns_nan_writes_none(jit_compile):
    gan = compiled(Broken(), jit_compile=jit_compile)
    with pytest.raises(kgg.NonFiniteError, match="discriminator"):
        gan.fit(points(2), batch_size=8, verbose=0)
    assert gan.num_steps == 0
    assert all(np.isfinite(np.array(v)).all() for v in gan.variables)


@pytest.mark.parametrize("name", schemes.NAMES)
def test_loss_scaling_changes_no_step(name):
    # A scale is a power of two: it leaves no trace in float32.
    runs = []
    for scaled in (False, True):
        gan = kgg.GAN(*pair(), updates=name, seed=3)
        optimizers = [keras.optimizers.SGD(0.05) for _ in range(2)]
        if scaled:
            optimizers = [
                keras.optimizers.LossScaleOptimizer(each, initial_scale=2.0**power)
                for each, power in zip(optimizers, (10, 4), strict=True)
            ]
        gan.compile(*optimizers, loss="minimax")
        gan.fit(points(6), batch_size=8, shuffle=False, verbose=0)
        runs.append(gan.discriminator.get_weights() + gan.generator.get_weights())
    for plain, found in zip(*runs, strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-5, atol=1e-6)


def test_a_step_that_overflows_is_left_out():
    gan = kgg.GAN(*pair(), updates="optimistic", seed=3)
    optimizers = [
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.05), initial_scale=2.0**127
        )
        for _ in range(2)
    ]
    gan.compile(*optimizers)
    gan.fit(points(1) * 1e3, batch_size=8, verbose=0)
    state = gan.scheme_store.read(1)
    # The first step overflowed: the next one is the first again.
    assert not bool(state.own["started"])
    assert all(float(tf.norm(gradient)) == 0.0 for gradient in state.v["gradient"])


class Listing(schemes.Simultaneous):
    def initial_state(self, u, v):
        return [1.0]


@pytest.mark.parametrize(
    ("updates", "arguments", "error", "message"),
    [
        ("newton", {}, ValueError, "`updates` must be one of.*'newton'.*Scheme"),
        (7, {}, ValueError, "`updates` must be one of.*Received: updates=7"),
        ("lookahead", {"generator_steps": 2}, ValueError, "how often each.*_steps=2"),
        (
            schemes.Alternating(),
            {"discriminator_steps": 2},
            ValueError,
            "how often each player moves",
        ),
        (Listing(), {}, TypeError, r"must return a kgg.games.schemes.State.*\[1.0\]"),
        (
            schemes.FictitiousPlay(lambda u, v: (None, None)),
            {},
            TypeError,
            r"must be a kgg\.History",
        ),
    ],
)
def test_errors(updates, arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.GAN(*pair(), updates=updates, **arguments)


class Forgetful(schemes.Optimistic):
    def step(self, game, u, v, state, stepper, batch_fn=None):
        taken = super().step(game, u, v, state, stepper, batch_fn)
        return taken._replace(state=taken.state._replace(v={}))


def test_a_state_of_another_make_is_refused():
    gan = compiled(Forgetful())
    with pytest.raises(TypeError, match=r"made up as the one of `initial_state`.*Forg"):
        gan.fit(points(1), batch_size=8, verbose=0)


class Wrong(schemes.Simultaneous):
    """Returns something else, or asks for one player's gradient."""

    def __init__(self, how):
        self.how = how

    def step(self, game, u, v, state, stepper, batch_fn=None):
        if self.how == "tuple":
            return u, v
        if self.how in ("few", "numpy"):
            few = u.weights[1:] if self.how == "few" else [np.zeros(3)] * 9
            taken = super().step(game, u, v, state, stepper, batch_fn)
            return taken._replace(u=u._replace(weights=few))
        if self.how == "report":
            return schemes.Step(u, v, state, {})
        both = schemes.simultaneous_gradients(game, u, v, stepper, batch_fn(0))
        return getattr(stepper, self.how)(both[0][1])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("few", r"returns of the generator must be tensors of the shapes.*Received"),
        ("numpy", r"Received: \['float64 \(3,\)', .*instead of"),
        ("report", r"Received: one of Wrong without \['maximizer_loss'"),
        (
            "tuple",
            r"must return a kgg.games.schemes.Step.*\(of type tuple\) from Wrong",
        ),
        ("exact", r"`stepper.exact` takes the gradients of both players.*Received"),
        ("handed", r"stepper.handed\(\(of_u, of_v\)\). Received"),
    ],
)
def test_what_a_scheme_got_wrong_is_said(how, message):
    gan = compiled(Wrong(how))
    with pytest.raises((TypeError, ValueError), match=message):
        gan.fit(points(1), batch_size=8, verbose=0)


def test_solve_asks_for_a_step_too():
    with pytest.raises(TypeError, match=r"must return a kgg.games.schemes.Step"):
        kgg.games.solve(kgg.games.e4(), scheme=Wrong("tuple"))
