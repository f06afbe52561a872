"""Layers frozen and unfrozen: variables are known by what they are, not by place."""

import copy

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg

METHODS = ["alternating", "simultaneous", "duality_gap", "persistent", "fictitious"]


@pytest.fixture(scope="module")
def build(make):
    """Function (method, **arguments) -> compiled model, "persistent" among them."""

    def made(method, **arguments):
        if method == "persistent":
            response = kgg.BestResponse(1, "adam", 0.01, start="persistent")
            return make("duality_gap", best_response=response, **arguments)
        return make(method, **arguments)

    return made


def values(network):
    return [np.array(variable) for variable in network.weights]


def moved(before, network):
    """Which weights of a network are no longer what they were."""
    return [
        bool(np.any(old != new))
        for old, new in zip(before, values(network), strict=True)
    ]


def freeze_first(gan):
    gan.discriminator.layers[0].trainable = False


def freeze_last(gan):
    gan.discriminator.layers[-1].trainable = False


def freeze_all(gan):
    gan.discriminator.trainable = False


def swap(gan):
    gan.discriminator.layers[0].trainable = True
    gan.discriminator.layers[-1].trainable = False


def unfreeze(gan):
    gan.discriminator.trainable = True
    for layer in gan.discriminator.layers:
        layer.trainable = True


# What is done before each compile, and which of kernel, bias, kernel, bias then move.
ORDERS = {
    "before the constructor": ([freeze_first], [False, False, True, True]),
    "before compile": ([None, freeze_last], [True, True, False, False]),
    "after fit": ([None, freeze_first], [False, False, True, True]),
    "another one": ([freeze_first, swap], [True, True, False, False]),
    "unfrozen": ([freeze_first, unfreeze], [True, True, True, True]),
    "the whole player": ([None, freeze_all], [False] * 4),
    "and back": ([freeze_all, unfreeze], [True] * 4),
}


# All orders eagerly, and in a graph the one that exchanges layers of one shape.
CASES = [("alternating", order, True) for order in ORDERS]
CASES += [(method, "another one", False) for method in METHODS]


@pytest.mark.parametrize(("method", "order", "eager"), CASES)
def test_compile_reads_what_is_trainable(build, points, method, order, eager):
    changes, expected = ORDERS[order]
    gan = build(method)
    for change in changes:
        if change is not None:
            change(gan)
        gan.compile(d_optimizer="adam", g_optimizer="sgd", run_eagerly=eager)
        before = values(gan.discriminator)
        gan.fit(points, verbose=0)
    assert moved(before, gan.discriminator) == expected
    # What is kept beside the networks is still there, finite and of the right shape.
    sources = ["average", *(["mixture"] if method == "fictitious" else [])]
    for source in sources:
        assert np.isfinite(gan.sample(4, seed=0, source=source)).all()


@pytest.mark.parametrize(
    ("method", "player"),
    [
        ("alternating", "discriminator"),
        ("duality_gap", "discriminator"),
        ("persistent", "generator"),
        ("fictitious", "generator"),
    ],
)
def test_a_frozen_player_is_a_legal_game(build, points, method, player):
    gan = build(method, kind="modes")
    getattr(gan, player).trainable = False
    gan.compile(d_optimizer="adam", g_optimizer="adam")
    pair = gan.discriminator, gan.generator
    before = [values(network) for network in pair]
    monitor = kgg.callbacks.DualityGapMonitor(
        points[:16], points[16:], num_steps=1, batch_size=16
    )
    logs = gan.fit(points, batch_size=16, verbose=0, callbacks=[monitor]).history
    assert np.isfinite([log[-1] for log in logs.values()]).all()
    stays = [not any(moved(old, net)) for old, net in zip(before, pair, strict=True)]
    assert stays == [player == "discriminator", player == "generator"]


def test_freezing_after_compile_needs_another_compile(build, points):
    gan = build("alternating")
    gan.generator.trainable = False
    with pytest.raises(ValueError, match=r"Received: a generator with 0 trainable.*4"):
        gan.fit(points, verbose=0)
    assert gan.num_steps == 0
    gan.generator.trainable = True
    gan.fit(points, verbose=0)
    assert gan.num_steps == 1


@pytest.mark.parametrize("way", ["file", "copy", "weights"])
@pytest.mark.parametrize("method", ["fictitious", "persistent"])
def test_what_is_kept_follows_its_variable(build, points, tmp_path, method, way):
    gan = build(method, kind="batchnorm")
    gan.fit(points, batch_size=8, verbose=0)
    sources = ["current", "average", *(["mixture"] if method == "fictitious" else [])]
    expected = {source: gan.sample(5, seed=1, source=source) for source in sources}
    worst = gan.worst_players if method == "persistent" else None
    # A trained model whose layers are frozen, as for fine-tuning.
    gan.generator.layers[0].trainable = False
    gan.discriminator.layers[1].trainable = False
    gan.compile(d_optimizer="sgd", g_optimizer="sgd")
    if way == "file":
        gan.save(tmp_path / "gan.keras")
        other = keras.models.load_model(tmp_path / "gan.keras")
    elif way == "copy":
        other = copy.deepcopy(gan)
    else:
        gan.save_weights(tmp_path / "gan.weights.h5")
        other = build(method, kind="batchnorm")  # Nothing is frozen here.
        other.compile(d_optimizer="sgd", g_optimizer="sgd")
        other.load_weights(tmp_path / "gan.weights.h5")
    for source, samples in expected.items():
        np.testing.assert_array_equal(other.sample(5, seed=1, source=source), samples)
    if worst is not None:
        for mine, theirs, network in zip(
            worst,
            other.worst_players,
            (other.generator_network, other.discriminator_network),
            strict=True,
        ):
            found = network.unpack(theirs)
            listed = [found[id(v)] for v in network.stored_variables]
            told = [*mine.weights, *mine.state]
            for a, b in zip(listed, told, strict=True):
                np.testing.assert_array_equal(a, b)


def test_slots_follow_their_variable(build, points):
    """Freezing the first layer leaves the moments of the last one where they were."""
    optimizer = keras.optimizers.Adam(0.01)
    plain = build("alternating", compile={"d_optimizer": optimizer})
    plain.fit(points, batch_size=8, verbose=0)
    moments = [np.array(v) for v in optimizer.variables[-4:]]
    freeze_first(plain)
    plain.compile(d_optimizer=optimizer, g_optimizer="sgd")
    steps = int(optimizer.iterations)
    for before, after in zip(moments, optimizer.variables[-4:], strict=True):
        np.testing.assert_array_equal(before, after)
    plain.fit(points, batch_size=32, verbose=0)
    assert int(optimizer.iterations) == steps + 1
    assert all(
        np.any(before != np.array(after))
        for before, after in zip(moments, optimizer.variables[-4:], strict=True)
    )


@pytest.mark.parametrize("recompiled", [True, False])
def test_slots_follow_their_variable_into_a_file(make, points, tmp_path, recompiled):
    optimizer = keras.optimizers.Adam(0.01)
    gan = make(compile={"d_optimizer": optimizer})
    gan.fit(points, batch_size=8, verbose=0)
    freeze_first(gan)
    if recompiled:
        gan.compile(d_optimizer=optimizer, g_optimizer="sgd")
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert len(loaded.discriminator_network.weight_variables) == 2
    for mine, kept in zip(
        loaded.d_optimizer.variables, optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine, kept)
    # Unfrozen, it goes on with the moments it had.
    loaded.discriminator.layers[0].trainable = True
    loaded.compile(d_optimizer=loaded.d_optimizer, g_optimizer="sgd")
    before = values(loaded.discriminator)
    loaded.fit(points, verbose=0)
    assert all(moved(before, loaded.discriminator))


def test_low_rank_adaptation_may_come_after_the_constructor(make, points, tmp_path):
    gan = make("fictitious")
    gan.fit(points, batch_size=16, verbose=0)
    samples = gan.sample(3, seed=0, source="mixture")
    layer = gan.generator.layers[0]
    layer.enable_lora(2)
    gan.compile(d_optimizer="sgd", g_optimizer="adam")
    # The new matrices are as good as zero, in the stored models too.
    np.testing.assert_array_equal(gan.sample(3, seed=0, source="mixture"), samples)
    kernel = np.array(layer._kernel)
    adapted = [np.array(layer.lora_kernel_a), np.array(layer.lora_kernel_b)]
    gan.fit(points, batch_size=16, verbose=0)
    np.testing.assert_array_equal(layer._kernel, kernel)
    assert np.any(adapted[1] != np.array(layer.lora_kernel_b))
    assert gan.sample(3, source="average").shape == (3, 2)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for source in ("average", "mixture"):
        np.testing.assert_allclose(
            loaded.sample(3, seed=0, source=source),
            gan.sample(3, seed=0, source=source),
            atol=1e-6,
        )


def test_history_of_adapted_layers_survives_a_file(make, networks, points, tmp_path):
    """Keras merges the adaptation into the live kernel; stored models keep theirs."""

    def build():
        discriminator, generator = networks("mlp")
        generator.layers[0].enable_lora(2)
        history = kgg.History(3, 1, "fifo")
        gan = kgg.FictitiousGAN(discriminator, generator, history=history, seed=3)
        gan.compile(keras.optimizers.Adam(0.05), keras.optimizers.Adam(0.05))
        return gan

    gan, other = build(), build()
    gan.fit(points, batch_size=8, verbose=0)
    gan.save_weights(tmp_path / "gan.weights.h5")
    other.load_weights(tmp_path / "gan.weights.h5")
    for source in ("current", "average", "mixture"):
        np.testing.assert_allclose(
            other.sample(40, seed=1, source=source),
            gan.sample(40, seed=1, source=source),
            atol=1e-5,
        )
    with pytest.warns(UserWarning, match="merges a low-rank adaptation"):
        gan.fit(points, verbose=0, callbacks=[kgg.callbacks.Checkpoint(tmp_path / "c")])


def test_slots_of_other_weights_are_refused(networks, tmp_path):
    def build(frozen):
        _, generator = networks("mlp")
        units = (4, 4, 4, 1)
        discriminator = keras.Sequential(
            [keras.Input((2,)), *(layers.Dense(number) for number in units)]
        )
        discriminator.layers[frozen].trainable = False
        gan = kgg.GAN(discriminator, generator, seed=0)
        gan.compile("adam", "adam")
        return gan

    one, same, other = build(1), build(1), build(2)
    one.save_weights(tmp_path / "gan.weights.h5")
    same.load_weights(tmp_path / "gan.weights.h5")
    with pytest.raises(ValueError, match="slots belong to weights"):
        other.load_weights(tmp_path / "gan.weights.h5")
    data = np.zeros((4, 2), "float32")
    one.fit(data, verbose=0, callbacks=[kgg.callbacks.Checkpoint(tmp_path / "run")])
    with pytest.raises(ValueError, match="weights of the optimizers"):
        kgg.callbacks.Checkpoint(tmp_path / "run").resume(other)


def test_a_bank_keeps_a_frozen_backbone_once(networks, points):
    discriminator, generator = networks("mlp")
    backbone = generator.layers[0]
    backbone.trainable = False
    gan = kgg.FictitiousGAN(
        discriminator, generator, history=kgg.History(4, 1, "fifo"), seed=0
    )
    gan.compile()
    kernel = np.array(backbone.kernel)
    gan.fit(points, batch_size=4, verbose=0)
    kept = [v for v in gan.generator_bank.weights if v.name.startswith("members")]
    assert sorted(tuple(v.shape) for v in kept) == [(4, 2), (4, 4, 2)]
    members = gan.generator_bank.member_weights
    assert len(members) == 4
    for weights in members:
        np.testing.assert_array_equal(weights[0], kernel)
    assert np.any(members[0][2] != members[-1][2])
    # Unfrozen, the stored models keep the backbone that they were trained with.
    backbone.trainable = True
    gan.compile()
    gan.fit(points, batch_size=32, verbose=0)
    first, *_, last = gan.generator_bank.member_weights
    np.testing.assert_array_equal(first[0], kernel)
    assert np.any(last[0] != kernel)


def test_a_frozen_layer_that_rewrites_its_kernel_is_kept(networks):
    """Keras' spectral normalisation writes the kernel in every training pass."""
    discriminator, _ = networks("spectral")
    discriminator.layers[0].trainable = False
    bank = kgg.WeightBank(discriminator, 3)
    names = [v.name for v in bank.weights if v.name.startswith("members")]
    # All but the bias of the frozen layer, which nothing writes.
    assert len(names) == len(discriminator.weights) - 1


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_network_cannot_be_exchanged(make, networks, player):
    gan = make()
    other = getattr(make(), player)
    with pytest.raises(ValueError, match=rf"model\.{player}\.set_weights"):
        setattr(gan, player, other)
    assert getattr(gan, player) is not other
    assert isinstance(gan.generator.layers[0], layers.Dense)
