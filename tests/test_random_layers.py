"""Layers that draw random numbers, however their generator is owned."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.games import randomness

ELSEWHERE = keras.random.SeedGenerator(7)


class Unseeded(layers.Layer):
    """Noise as in the guides: from Keras' global generator."""

    def call(self, inputs):
        return inputs + keras.random.normal(keras.ops.shape(inputs))


class Foreign(layers.Layer):
    """Noise of a generator that no layer owns."""

    def call(self, inputs):
        shape = keras.ops.shape(inputs)
        return inputs + keras.random.normal(shape, seed=ELSEWHERE)


class Owned(layers.Layer):
    """Noise of the layer's own generator."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs):
        shape = keras.ops.shape(inputs)
        return inputs + keras.random.normal(shape, seed=self.seed_generator)


class Gumbel(layers.Layer):
    """Two draws in one pass."""

    def call(self, inputs):
        shape = keras.ops.shape(inputs)
        first = keras.random.uniform(shape, 1e-6, 1.0)
        second = keras.random.uniform(shape, 1e-6, 1.0)
        return inputs + keras.ops.log(first) - keras.ops.log(second)


class TrainingOnly(layers.Layer):
    """A Dropout of one's own."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs + keras.random.normal(keras.ops.shape(inputs))


class Hidden(layers.Layer):
    """Noise of TensorFlow's own, hidden state."""

    def call(self, inputs):
        return inputs + tf.random.normal(tf.shape(inputs))


DRAWING = [Unseeded, Foreign, Owned, Gumbel]


def network(layer, width=3, units=2):
    return keras.Sequential([keras.Input((width,)), layer(), layers.Dense(units)])


def build(layer, method="GAN", **compile_arguments):
    keras.utils.set_random_seed(0)
    history = (
        {"history": kgg.History(3, 1, "fifo")} if method == "FictitiousGAN" else {}
    )
    gan = getattr(kgg, method)(
        network(layer, 2, 1), network(layer), seed=5, average_decay=None, **history
    )
    gan.compile(**compile_arguments)
    return gan


@pytest.mark.parametrize("layer", DRAWING)
def test_draws_follow_the_stream(layer):
    model = keras.Sequential([keras.Input((3,)), layer(), layer()])
    player = stateless_network.StatelessNetwork(model)
    zeros = tf.zeros((4, 3))

    @tf.function
    def draw(stream):
        return player.apply(player.player(), zeros, False, stream)[0]

    streams = [randomness.root(seed) for seed in range(8)]
    drawn = np.stack([draw(stream).numpy() for stream in streams])
    # Another draw for another stream, in the same graph, and the same for the same.
    assert len(np.unique(drawn.round(5))) == drawn.size
    np.testing.assert_array_equal(drawn[3], draw(streams[3]))
    eager = player.apply(player.player(), zeros, False, streams[3])[0]
    np.testing.assert_allclose(drawn[3], eager, rtol=1e-6)
    # Two layers of one pass do not draw the same.
    alone = keras.Sequential([keras.Input((3,)), layer()])
    single = stateless_network.StatelessNetwork(alone)
    first = single.apply(single.player(), zeros, False, streams[3])[0]
    assert np.abs(drawn[3] - 2 * first).max() > 0.1
    # The generators themselves stay where they are: nothing but the stream counts.
    assert int(ELSEWHERE.state[1]) == 0


def test_modes_differ_where_only_training_draws():
    player = stateless_network.StatelessNetwork(network(TrainingOnly))
    assert not player.draws()
    player.apply(player.player(), tf.zeros((1, 3)), True, randomness.root(0))
    assert player.has_modes


@pytest.mark.parametrize("layer", [*DRAWING, TrainingOnly])
def test_a_run_with_random_layers_is_a_function_of_its_seed(layer):
    data = np.zeros((24, 2), "float32")
    runs = []
    for _ in range(2):
        gan = build(layer)
        keras.random.normal((3,))  # Somebody else draws meanwhile.
        gan.fit(data, batch_size=4, verbose=0)
        runs.append(gan.get_weights())
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layer", DRAWING)
def test_every_step_draws_anew(layer):
    """With a rate of 0 and one batch of zeros only the draws differ."""
    zero = {"d_optimizer": keras.optimizers.SGD(0.0), "loss": "wasserstein"}
    gan = build(layer, **zero, g_optimizer=keras.optimizers.SGD(0.0))
    losses = [
        gan.train_on_batch(np.zeros((4, 2), "float32"), return_dict=True)["d_loss"]
        for _ in range(4)
    ]
    # Running means of the steps' losses.
    means = np.array(losses) * np.arange(1, 5)
    assert len(np.unique(np.diff(means, prepend=0).round(6))) == 4


@pytest.mark.parametrize("source", ["current", "mixture"])
@pytest.mark.parametrize("layer", [Unseeded, Owned])
def test_samples_follow_seed_and_index(layer, source, tmp_path):
    gan = build(layer, "FictitiousGAN" if source == "mixture" else "GAN")
    gan.fit(np.zeros((12, 2), "float32"), batch_size=4, verbose=0)
    samples = gan.sample(2500, seed=1, source=source)
    np.testing.assert_array_equal(samples, gan.sample(2500, seed=1, source=source))
    np.testing.assert_allclose(samples[:40], gan.sample(40, seed=1, source=source))
    # The exported sampler draws what `sample` draws, beyond a chunk of it too.
    gan.export(tmp_path / "sampler", source)
    exported = tf.saved_model.load(str(tmp_path / "sampler")).signatures
    made = exported["sample"](
        num_samples=tf.constant(2500), seed=tf.constant(1, tf.int64)
    )["samples"]
    np.testing.assert_allclose(made, gan.sample(2500, seed=1, source=source), atol=1e-5)
    # Of latents, noise is a function: the same again, another for others.
    serve = exported["serving_default"]
    given = tf.constant(np.random.default_rng(0).normal(size=(5, 3)), tf.float32)
    once, again = (serve(latents=given)["samples"].numpy() for _ in range(2))
    np.testing.assert_array_equal(once, again)
    shifted = tf.concat([given[:4], given[4:] + 1.0], axis=0)
    assert np.any(once[0] != serve(latents=shifted)["samples"].numpy()[0])


def test_different_seeds_give_different_noise():
    model = network(Unseeded)
    model.layers[-1].kernel.assign(np.eye(3, 2))
    gan = kgg.GAN(network(Unseeded, 2, 1), model, seed=0)
    noise = {}
    for seed in (1, 2):
        samples = gan.sample(3000, seed=seed)
        latents = kgg.sampling.generation.latents(seed, 3000, (3,), "float32")
        noise[seed] = samples - latents.numpy()[:, :2]
    # Standard normal, another for each seed, and no 1024 rows the same as the next.
    for drawn in noise.values():
        assert abs(drawn.mean()) < 0.05 and abs(drawn.std() - 1) < 0.05
        assert np.abs(drawn[:1024] - drawn[1024:2048]).max() > 1
    correlation = np.corrcoef(noise[1].ravel(), noise[2].ravel())[0, 1]
    assert abs(correlation) < 0.05


class NoisyCell(layers.Layer):
    """Draws at every time step."""

    state_size = output_size = 2

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs, states):
        noise = keras.random.normal((1, 2), seed=self.seed_generator)
        return inputs + noise, states


def test_draws_in_a_loop_of_the_graph_are_told_of():
    def made(unroll):
        rnn = layers.RNN(NoisyCell(), return_sequences=True, unroll=unroll)
        generator = keras.Sequential(
            [keras.Input((4,)), layers.RepeatVector(5), layers.Dense(2), rnn]
        )
        shape = [keras.Input((5, 2)), layers.Flatten(), layers.Dense(1)]
        return kgg.GAN(keras.Sequential(shape), generator, seed=0)

    with pytest.warns(UserWarning, match=r"inside a loop of the graph.*unroll=True"):
        made(unroll=False).sample(1, seed=1)
    steps = np.diff(made(unroll=True).sample(1, seed=1)[0], axis=0)
    assert len(np.unique(steps.round(5))) == steps.size


def test_hidden_state_is_told_of_once():
    gan = build(Hidden)
    with pytest.warns(UserWarning, match=r"tf\.random.*RandomStandardNormal.*keras"):
        gan.fit(np.zeros((8, 2), "float32"), batch_size=4, verbose=0)
    gan.fit(np.zeros((8, 2), "float32"), batch_size=4, verbose=0)


def test_set_random_seed_fixes_a_seed_that_is_not_given():
    drawn = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        drawn.append(kgg.GAN(*kgg.networks.mlp_pair(2, width=4)).seed)
    assert drawn[0] == drawn[1] != drawn[2]
