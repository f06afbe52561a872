"""Any two networks and a value: what is played, what is refused, what is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes
from tests import strategies

# Keras keeps a learning rate in float32, which holds this one exactly.
RATE, STEPS = 0.0625, 12
GAMES = ("bilinear", "dirac_gan", "e3", "e4", "exponential", "g1", "g2", "g3")
# Its own start is a critical point.
STARTS = {"exponential": (-1.0, 0.5)}


def _history(**arguments):
    return kgg.History(3, interval=2, retention="fifo", **arguments)


SCHEMES = {
    **{name: schemes.get(name) for name in schemes.NAMES},
    "duality gap": schemes.DualityGap(kgg.BestResponse(3, "sgd", 0.05)),
    "duality gap own rule": schemes.DualityGap(kgg.BestResponse(2, "player")),
    "duality gap unrolled": schemes.DualityGap(
        kgg.BestResponse(2, "sgd", 0.05, through_gradient=True)
    ),
    "duality gap persistent": schemes.DualityGap(
        kgg.BestResponse(2, "adam", 0.05, start="persistent")
    ),
    **{
        f"fictitious play {mixture}": schemes.FictitiousPlay(
            _history(), mixture=mixture, seed=5
        )
        for mixture in ("sampled", "full")
    },
    "fictitious play geometric": schemes.FictitiousPlay(
        kgg.History(3, 1, weights="geometric"), 2, mixture="full"
    ),
    "fictitious maximizers": schemes.FictitiousPlay(_history(side="maximizer")),
    "maximizers answered": schemes.FictitiousPlay(_history(answered="maximizer")),
    "duality gap against a history": schemes.DualityGap(
        kgg.BestResponse(2, "adam", 0.05, start="persistent"),
        seed=7,
        history=_history(),
        mixture="full",
    ),
    "duality gap against a draw": schemes.DualityGap(
        kgg.BestResponse(3, "sgd", 0.05), history=_history()
    ),
}


EXACT = {"rtol": 1e-12, "atol": 1e-12}
# A bank's probabilities are float32: powers of 0.9 are not exact in it.
TOLERANCES = {SCHEMES["fictitious play geometric"]: {"rtol": 1e-6, "atol": 1e-6}}


class Weight(keras.layers.Layer):
    """One weight w, for each example: what a game has of one player."""

    def __init__(self, start):
        super().__init__(dtype="float64")
        initial = keras.initializers.Constant(start)
        self.weight = self.add_weight(shape=(), initializer=initial, name="weight")

    def call(self, x):
        return 0.0 * x + tf.convert_to_tensor(self.weight)


class Trajectory(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.visited = []
        self.on_train_batch_end(0)

    def on_train_batch_end(self, batch, logs=None):
        networks = self.model.minimizer, self.model.maximizer
        weights = (tf.convert_to_tensor(network.weights[0]) for network in networks)
        self.visited.append([float(weight) for weight in weights])


def start_of(game):
    return STARTS.get(game.name, game.start)


def trained(game, updates, size):
    """Returns the trajectory of `fit` with batches of a size (steps + 1, 2)."""

    def value(minimizer, maximizer, batch):
        u, v = minimizer(batch)[:, 0], maximizer(batch)[:, 0]
        return tf.map_fn(lambda pair: game.value(*pair), (u, v), u.dtype)

    networks = (
        keras.Sequential([keras.Input((1,), dtype="float64"), Weight(start)])
        for start in start_of(game)
    )
    model = kgg.TwoPlayerModel(*networks, value, updates=updates, seed=3)
    model.compile(*(keras.optimizers.SGD(RATE) for _ in range(2)))
    callback = Trajectory()
    data = tf.data.Dataset.from_tensor_slices(np.zeros((size * STEPS, 1)))
    model.fit(data.batch(size), callbacks=[callback], verbose=0)
    return np.array(callback.visited)


def solved(game, scheme):
    result = kgg.games.solve(
        game,
        start_of(game),
        scheme=scheme,
        step_size=RATE,
        max_iterations=STEPS,
        tolerance_decimals=14,
    )
    return np.stack(result.trajectory, axis=1)


# Each scheme plays one game by default, and another one when there is time.
CELLS = [
    pytest.param(GAMES[(index + shift) % len(GAMES)], scheme, marks=marks)
    for index, scheme in enumerate(SCHEMES)
    for shift, marks in ((0, []), (3, [pytest.mark.slow]))
]


@pytest.mark.parametrize("game, scheme", CELLS)
def test_fit_follows_solve(game, scheme):
    game, scheme = getattr(kgg.games, game)(), SCHEMES[scheme]
    expected = solved(game, scheme)
    found = trained(game, scheme, 1)
    assert np.all(found[-1] != found[0])
    np.testing.assert_allclose(found, expected, **TOLERANCES.get(scheme, EXACT))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fit_on_two_replicas_follows_solve(scheme):
    game, scheme = kgg.games.g1(), SCHEMES[scheme]
    with strategies.mirrored().scope():
        found = trained(game, scheme, 2)
    np.testing.assert_allclose(
        found, solved(game, scheme), **TOLERANCES.get(scheme, EXACT)
    )


def network(outputs=1, width=4, **arguments):
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(width, "tanh", **arguments),
            keras.layers.Dense(outputs),
        ]
    )


@keras.saving.register_keras_serializable(package="tests")
def doubted(minimizer, maximizer, batch):
    """A regression whose error the maximiser finds."""
    x, y = batch
    error, doubt = minimizer(x)[:, 0] - y, maximizer(x)[:, 0]
    return error * doubt - tf.square(doubt) / 2


@pytest.fixture
def xy():
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    return x, x.sum(axis=1)


def compiled(game=doubted, updates="alternating", **arguments):
    keras.utils.set_random_seed(1)
    model = kgg.TwoPlayerModel(network(), network(), game, updates=updates, seed=0)
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02), **arguments)
    return model


def weights(model):
    return [np.array(variable) for variable in model.weights]


def assert_equal(found, expected, **tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


def test_it_solves_a_regression(xy):
    model = compiled()
    model.compile(keras.optimizers.Adam(0.03), keras.optimizers.Adam(0.1))
    x, y = xy
    before = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
    logs = model.fit(x, y, epochs=200, verbose=0).history
    after = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
    assert after < 0.1 * before
    assert sorted(logs) == ["maximizer_loss", "minimizer_loss", "value"]


def test_a_step_is_two_gradient_steps_by_hand(xy):
    model = compiled()
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
    u, v = (
        keras.models.clone_model(each) for each in (model.minimizer, model.maximizer)
    )
    u.set_weights(model.minimizer.get_weights())
    v.set_weights(model.maximizer.get_weights())
    model.fit(*xy, batch_size=64, shuffle=False, verbose=0)
    for player, sign, rate in ((v, 1, 0.2), (u, -1, 0.1)):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(doubted(u, v, xy))
        slopes = tape.gradient(value, player.trainable_variables)
        for variable, slope in zip(player.trainable_variables, slopes, strict=True):
            variable.assign_add(sign * rate * slope)
    assert_equal(model.minimizer.get_weights(), u.get_weights(), rtol=1e-5, atol=1e-7)
    assert_equal(model.maximizer.get_weights(), v.get_weights(), rtol=1e-5, atol=1e-7)


class OwnLosses:
    """A game in which both descend something else than the value."""

    def value(self, minimizer, maximizer, batch):
        return doubted(minimizer, maximizer, batch)

    def minimizer_loss(self, minimizer, maximizer, batch):
        return 3.0 * doubted(minimizer, maximizer, batch)

    def maximizer_loss(self, minimizer, maximizer, batch):
        return -2.0 * doubted(minimizer, maximizer, batch)


def test_losses_of_their_own(xy):
    """Multiples of the value: what SGD does with rates that are so many times."""
    models = compiled(OwnLosses()), compiled(doubted)
    models[0].compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.02))
    models[1].compile(keras.optimizers.SGD(0.03), keras.optimizers.SGD(0.04))
    own, plain = (
        model.fit(*xy, batch_size=64, epochs=2, verbose=0).history for model in models
    )
    assert_equal(weights(models[0]), weights(models[1]), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(own["value"], plain["value"], rtol=1e-5)
    for name, factor in (("maximizer_loss", -2.0), ("minimizer_loss", 3.0)):
        values = np.multiply(abs(factor), plain[name])
        np.testing.assert_allclose(own[name], values, rtol=1e-5, err_msg=name)


def test_scores_are_those_of_the_functions(xy):
    model = compiled(OwnLosses())
    found = model.evaluate(*xy, batch_size=16, return_dict=True, verbose=0)
    value = np.mean(doubted(model.minimizer, model.maximizer, xy))
    expected = {
        "value": value,
        "minimizer_loss": 3 * value,
        "maximizer_loss": -2 * value,
    }
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, rtol=1e-5)


def test_a_file_holds_all_and_goes_on(xy, tmp_path):
    updates = SCHEMES["duality gap against a history"]
    model = compiled(updates=updates)
    model.fit(*xy, batch_size=16, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.scheme == updates and again.minimizer_bank.size == 2
    for each in (model, again):
        each.fit(*xy, batch_size=16, verbose=0, epochs=2)
    assert_equal(weights(again), weights(model), rtol=0)


def test_a_run_resumes_exactly(xy, tmp_path):
    whole = compiled(updates=SCHEMES["fictitious play sampled"])
    whole.fit(*xy, batch_size=16, epochs=3, verbose=0)
    for epochs in (1, 3):
        checkpoint = kgg.callbacks.Checkpoint(tmp_path)
        resumed = compiled(updates=SCHEMES["fictitious play sampled"])
        resumed.fit(
            *xy, batch_size=16, epochs=epochs, callbacks=[checkpoint], verbose=0
        )
    assert_equal(weights(resumed), weights(whole), rtol=0)


@pytest.mark.parametrize("updates", ["alternating", "fictitious play full"])
def test_replicas_take_the_same_steps(xy, updates):
    one = compiled(updates=SCHEMES[updates])
    with strategies.mirrored().scope():
        two = compiled(updates=SCHEMES[updates])
    for model in (one, two):
        model.fit(*xy, batch_size=20, epochs=2, verbose=0)  # A last batch of 4.
    assert_equal(weights(two), weights(one), rtol=1e-4, atol=1e-6)


def test_xla_takes_the_same_steps(xy):
    models = [compiled(jit_compile=jit_compile) for jit_compile in (False, True)]
    for model in models:
        model.fit(*xy, batch_size=16, verbose=0)
    assert_equal(weights(models[1]), weights(models[0]), rtol=1e-4, atol=1e-6)


def test_networks_of_several_inputs_and_outputs():
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Dense(3)(keras.layers.Concatenate()([left, right]))
    minimizer = keras.Model(
        {"left": left, "right": right},
        {"guess": keras.layers.Dense(1)(both), "code": both},
    )
    maximizer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

    def value(minimizer, maximizer, batch):
        made = minimizer({"left": batch["left"], "right": batch["right"]})
        error = tf.square(made["guess"][:, 0] - batch["target"])
        return error - 0.1 * tf.square(maximizer(made["code"])[:, 0])

    rows = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
    data = {"left": rows, "right": rows[::-1].copy(), "target": rows[:, 0]}
    model = kgg.TwoPlayerModel(minimizer, maximizer, value, seed=0)
    model.compile()
    before = weights(model)
    model.fit(data, batch_size=8, epochs=2, verbose=0)
    moved = [np.any(a != b) for a, b in zip(before, weights(model), strict=True)]
    assert (
        sum(moved) >= 6
        and np.isfinite(np.concatenate([w.ravel() for w in weights(model)])).all()
    )
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(8)
    assert np.isfinite(model.evaluate(dataset, verbose=0)).all()


def test_only_the_updated_player_is_in_training_mode(xy):
    """Each call of a player moves its BatchNorm once, from where the last one left."""

    def normalised():
        return keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.BatchNormalization(momentum=0.5),
                keras.layers.Dense(1),
            ]
        )

    def value(minimizer, maximizer, x):
        twice = minimizer(x)[:, 0] + minimizer(2.0 * x)[:, 0]
        return twice * maximizer(x)[:, 0]

    model = kgg.TwoPlayerModel(normalised(), normalised(), value, seed=0)
    model.compile()
    x = xy[0]
    model.fit(x, batch_size=64, verbose=0)
    mean = x.mean(axis=0)
    of_minimizer, of_maximizer = (
        np.array(each.layers[0].moving_mean)
        for each in (model.minimizer, model.maximizer)
    )
    np.testing.assert_allclose(of_maximizer, 0.5 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        of_minimizer, 0.5 * (0.5 * mean) + 0.5 * 2 * mean, rtol=1e-4, atol=1e-6
    )


def test_weights_are_regularised_once_however_often_they_are_used(xy):
    regularizer = keras.regularizers.L2(0.1)

    def value(minimizer, maximizer, x):
        return minimizer(x)[:, 0] + minimizer(-x)[:, 0] + 0.0 * maximizer(x)[:, 0]

    model = kgg.TwoPlayerModel(
        network(kernel_regularizer=regularizer),
        network(),
        value,
        updates="simultaneous",
    )
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    logs = model.fit(xy[0], batch_size=64, verbose=0).history
    expected = float(regularizer(model.minimizer.layers[0].kernel))
    np.testing.assert_allclose(
        logs["minimizer_loss"][0] - logs["value"][0], expected, rtol=1e-5
    )


def test_the_gap_and_the_matrix_are_those_of_the_value(xy):
    model = compiled(updates=SCHEMES["fictitious play sampled"])
    model.fit(*xy, batch_size=16, epochs=2, verbose=0)
    x, y = xy
    table = kgg.payoff_matrix(model, (x, y), batch_size=24)
    assert table.values.shape == (3, 3)
    values = np.array(doubted(model.minimizer, model.maximizer, xy), "float64")
    np.testing.assert_allclose(table.values[-1, -1], values.mean(), rtol=1e-5)
    np.testing.assert_allclose(
        table.standard_errors[-1, -1], values.std(ddof=1) / 8, rtol=1e-4
    )
    gap = kgg.duality_gap(
        model, (x[:32], y[:32]), (x[32:], y[32:]), 0, batch_size=32, seed=0
    )
    assert gap.gap == 0
    values = doubted(model.minimizer, model.maximizer, (x[32:], y[32:]))
    np.testing.assert_allclose(gap.minimax, np.mean(values), rtol=1e-5)
    near = x[:32] + np.float32(1e-3)
    searched = kgg.duality_gap(
        model, (x[:32], y[:32]), (near, y[:32]), 50, 0.01, seed=0, batch_size=32
    )
    assert searched.gap > 0


def test_the_monitor_and_the_nash_mixture_work_on_it(xy):
    history = kgg.History(3, 2, retention="fifo", weights="nash")
    model = compiled(updates=schemes.FictitiousPlay(history))
    x, y = xy
    held_out = {"finding_data": (x[:16], y[:16]), "scoring_data": (x[16:32], y[16:32])}
    monitor = kgg.callbacks.DualityGapMonitor(
        **held_out, num_steps=2, batch_size=16, every="epoch"
    )
    nash = kgg.callbacks.NashMixture((x[32:48], y[32:48]), every=2, batch_size=16)
    logs = model.fit(
        x, y, batch_size=16, epochs=2, verbose=0, callbacks=[monitor, nash]
    ).history
    assert len(logs["val_duality_gap"]) == 2 and len(nash.measurements) == 4
    assert np.isclose(model.minimizer_bank.member_probabilities.sum(), 1)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_nan_is_told_by_player_and_step(xy, jit_compile):
    def value(minimizer, maximizer, x):
        return tf.sqrt(0.0 * minimizer(x)[:, 0]) + maximizer(x)[:, 0]

    model = compiled(value, jit_compile=jit_compile)
    before = model.minimizer.get_weights()
    with pytest.raises(kgg.NonFiniteError, match=r"the minimizer.*step 0"):
        model.fit(xy[0], batch_size=16, verbose=0)
    assert model.num_steps == 0
    assert_equal(model.minimizer.get_weights(), before, rtol=0)


@pytest.mark.parametrize(
    "returned, error, text",
    [
        (
            lambda m, x: tf.reduce_mean(m(x)),
            ValueError,
            r"shape \(\).*Leave out the mean",
        ),
        (lambda m, x: m(x), ValueError, r"shape \(.*1\).*other axes"),
        (lambda m, x: m(x)[:3, 0], ValueError, "3 numbers for a batch of 16"),
        (lambda m, x: tf.cast(m(x)[:, 0], tf.int32), TypeError, "dtype int32"),
        (lambda m, x: None, TypeError, r"Received: None .*Return it\."),
        (lambda m, x: {"value": m(x)}, TypeError, r"type dict.*Return one tensor"),
        (lambda m, x: (m(x), m(x)[:, 0]), TypeError, r"type tuple.*one tensor"),
    ],
)
def test_a_value_that_is_none(xy, returned, error, text):
    model = compiled(lambda minimizer, maximizer, x: returned(minimizer, x))
    with pytest.raises(error, match=text):
        model.fit(xy[0], batch_size=16, verbose=0)


def test_networks_and_games_that_cannot_be_played():
    shared = network()
    with pytest.raises(ValueError, match="must not share layers"):
        kgg.TwoPlayerModel(shared, shared, doubted)
    with pytest.raises(TypeError, match=r"`minimizer` must be a keras\.Model"):
        kgg.TwoPlayerModel(3, network(), doubted)
    open_network = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="The inputs of `maximizer` must be known"):
        kgg.TwoPlayerModel(network(), open_network, doubted)
    for game in (3, OwnLosses, "value"):
        with pytest.raises(TypeError, match="`game` must be a function value"):
            kgg.TwoPlayerModel(network(), network(), game)
    function = schemes.FictitiousPlay(lambda u, v: (None, None))
    with pytest.raises(TypeError, match=r"must be a kgg\.History"):
        kgg.TwoPlayerModel(network(), network(), doubted, updates=function)


def test_arguments_that_compile_does_not_take(xy):
    model = compiled()
    for name, hint in (
        ("optimizer", "two optimizers"),
        ("loss", "The game says"),
        ("metrics", "model.predict"),
        ("g_optimizer", "Pass minimizer_optimizer"),
    ):
        with pytest.raises(TypeError, match=hint):
            model.compile(**{name: "adam"})
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="`maximizer_optimizer` and `minimizer_opt"):
        model.compile(adam, adam)
    with pytest.raises(ValueError, match="The minimizer of a model is fixed"):
        model.minimizer = network()


@pytest.mark.parametrize(
    "x, y, text",
    [
        (np.zeros((0, 3), "float32"), None, "at least one example"),
        (np.zeros((8, 3), "float32"), np.zeros(7), "lengths 7, 8"),
        (np.full((8, 3), np.nan, "float32"), None, "must be finite"),
        ({"x": np.zeros((8, 3)), "n": np.zeros(())}, None, "a scalar"),
    ],
)
def test_arrays_that_are_refused(x, y, text):
    with pytest.raises(ValueError, match=text):
        compiled().fit(x, y, verbose=0)


def test_data_sets_that_are_refused():
    model = compiled()
    scalars = tf.data.Dataset.from_tensor_slices(np.zeros(8))
    with pytest.raises(ValueError, match=r"must yield batches.*batch"):
        model.fit(scalars, verbose=0)
    texts = tf.data.Dataset.from_tensor_slices(["a", "b"]).batch(2)
    with pytest.raises(TypeError, match="real numbers"):
        model.fit(texts, verbose=0)
    with pytest.raises(ValueError, match="at least one batch"):
        model.fit(scalars.batch(2).take(0), verbose=0)


def test_one_batch_is_a_step_of_fit(xy):
    models = compiled(), compiled()
    models[0].train_on_batch(*xy)
    models[1].fit(*xy, batch_size=64, shuffle=False, verbose=0)
    assert_equal(weights(models[0]), weights(models[1]), rtol=1e-6)
    # Some versions of Keras go on with the means of the batch before.
    models[0].reset_metrics()
    value = models[0].test_on_batch(*xy, return_dict=True)["value"]
    assert value == pytest.approx(
        models[1].evaluate(*xy, 64, 0, return_dict=True)["value"]
    )


@pytest.mark.parametrize(
    "callback",
    [
        lambda folder: kgg.callbacks.SampleGrid(folder),
        lambda folder: kgg.callbacks.FailureDetector(),
    ],
)
def test_callbacks_that_look_at_samples(xy, callback, tmp_path):
    with pytest.raises(TypeError, match="looks at what a GAN samples"):
        compiled().fit(*xy, verbose=0, callbacks=[callback(tmp_path)])
