"""Any two networks and a value: what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes
from tests.models.two_players import (
    OwnLosses,
    assert_equal,
    compiled,
    doubted,
    network,
)


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


class Unregistered(OwnLosses):
    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


def unregistered(minimizer, maximizer, batch):
    return doubted(minimizer, maximizer, batch)


@pytest.mark.parametrize("game", [Unregistered(), unregistered])
def test_a_game_that_no_file_can_be_loaded_with_is_told(game, tmp_path):
    path = tmp_path / "model.keras"
    name = getattr(game, "__name__", "Unregistered")
    told = rf"game={name}. To load the file, decorate .*custom_objects={{'{name}': "
    with pytest.warns(UserWarning, match=told):
        compiled(game).save(path)
    with pytest.raises(TypeError, match="Could not locate"):
        keras.saving.load_model(path)
    objects = {name: game if callable(game) else type(game)}
    again = keras.saving.load_model(path, custom_objects=objects)
    with keras.saving.custom_object_scope(objects):
        again.save(path)
        keras.saving.load_model(path)


def test_a_payoff_that_no_file_can_be_loaded_with_is_told(tmp_path):
    class Mine(kgg.payoffs.Hinge):
        pass

    gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, width=4), seed=0)
    gan.compile(loss=Mine())
    with pytest.warns(UserWarning, match=r"`loss` is saved by its name.*loss=Mine"):
        gan.save(tmp_path / "gan.keras")
