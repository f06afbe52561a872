"""Files hold everything, exactly, and load without a warning."""

import json
import re
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import version
from keras_gamegan.games import retention
from keras_gamegan.models import serialization


@keras.saving.register_keras_serializable(package="test_serialization")
class Tilted(kgg.payoffs.Hinge):
    def __init__(self, tilt):
        self.tilt = tilt

    def generator_term(self, logits):
        return -self.tilt * logits

    def get_config(self):
        return {"tilt": self.tilt}


@keras.saving.register_keras_serializable(package="test_serialization")
class Small(kgg.penalties.Penalty):
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, logits_fn, real, fake, uniform):
        return self.weight * tf.square(logits_fn(real))

    def get_config(self):
        return {"weight": self.weight}


@keras.saving.register_keras_serializable(package="test_serialization")
class FirstFrozen(retention.Retention):
    def occupied_slot(self, ordinals, head, count, uniform_number):
        return tf.constant(1, tf.int64)


MODELS = {
    "alternating": {"kind": "modes"},
    "duality_gap": {
        "kind": "mlp",
        "best_response": kgg.BestResponse(2, "rmsprop", 0.01, batches="shared"),
    },
    "fictitious": {
        "kind": "modes",
        "history": kgg.History(3, 1, FirstFrozen(), None, "both"),
    },
}
CUSTOM = {"loss": Tilted(2.0), "penalty": Small(0.1)}


@pytest.fixture(scope="module", params=MODELS)
def trained(request, make, points):
    """A model after two steps, Adam on both sides."""
    arguments = dict(MODELS[request.param])
    kind = arguments.pop("kind")
    compile = {"d_optimizer": keras.optimizers.Adam(0.01), **CUSTOM}
    gan = make(request.param, kind, compile=compile, **arguments)
    gan.fit(points[:16], batch_size=8, shuffle=False, verbose=0)
    return gan


def test_keras_file(trained, tmp_path, points, state, assert_same):
    path = tmp_path / "gan.keras"
    trained.save(path)
    loaded = keras.models.load_model(path)
    assert type(loaded) is type(trained)
    assert_same(state(loaded), state(trained))
    assert loaded.num_steps == trained.num_steps == 2
    configs = [model.get_config() for model in (loaded, trained)]
    for config in configs:  # Keras describes a loaded network in other words.
        del config["discriminator"], config["generator"]
    assert configs[0] == configs[1]
    assert loaded.get_compile_config() == trained.get_compile_config()
    for source in ("current", "average"):
        np.testing.assert_array_equal(
            loaded.sample(5, seed=1, source=source),
            trained.sample(5, seed=1, source=source),
        )
    # What follows is the same run.
    rest = {"x": points[16:], "batch_size": 8, "shuffle": False, "verbose": 0}
    logs, again = trained.fit(**rest).history, loaded.fit(**rest).history
    assert logs == again
    assert_same(state(loaded), state(trained))


def test_weights_file(trained, tmp_path, state, assert_same):
    path = tmp_path / "gan.weights.h5"
    trained.save_weights(path)
    fresh = type(trained).from_config(trained.get_config())
    fresh.compile_from_config(trained.get_compile_config())
    assert any(
        np.any(a != b)
        for a, b in zip(state(fresh).values(), state(trained).values(), strict=True)
    )
    fresh.load_weights(path)
    assert_same(state(fresh), state(trained))
    bank = trained.generator_bank
    if bank is not None:
        restored = fresh.generator_bank
        assert restored.size == bank.size > 1
        np.testing.assert_array_equal(restored.member_steps, bank.member_steps)
        np.testing.assert_array_equal(
            fresh.sample(9, seed=2, source="mixture"),
            trained.sample(9, seed=2, source="mixture"),
        )


def test_tensorflow_checkpoint_holds_every_weight(trained, tmp_path):
    path = tf.train.Checkpoint(model=trained).write(str(tmp_path / "checkpoint"))
    fresh = type(trained).from_config(trained.get_config())
    tf.train.Checkpoint(model=fresh).read(path).expect_partial()
    for found, expected in zip(fresh.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_summary_counts_networks_and_optimizers(trained):
    lines = []
    trained.summary(print_fn=lambda text, **_: lines.append(text))
    text = "\n".join(lines)
    assert trained.discriminator.name in text and trained.generator.name in text
    number = sum(
        int(np.prod(variable.shape))
        for optimizer in (trained.d_optimizer, trained.g_optimizer)
        for variable in optimizer.variables
    )
    assert re.search(rf"Optimizer params: {number:,} ", text)


def test_an_uncompiled_model(networks, tmp_path):
    gan = kgg.GAN(*networks("linear"), average_decay=None, seed=5)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert not loaded.compiled and loaded.seed == 5
    assert loaded.generator_average is None
    np.testing.assert_array_equal(loaded.sample(3, seed=0), gan.sample(3, seed=0))


def test_configurations_are_plain(trained):
    config = trained.get_config()
    text = json.dumps([config, trained.get_compile_config()])
    assert config["keras_gamegan_version"] == version.__version__
    assert "Tilted" in text and "Small" in text


def test_everything_set_by_hand_survives(networks):
    gan = kgg.FictitiousGAN(
        *networks("linear"),
        history=kgg.History(4, 7, "thinned", 0.25, "generator"),
        mixture="full",
        discriminator_steps=2,
        generator_steps=3,
        average_decay=0.5,
        seed=11,
        name="mine",
    )
    gan.compile(
        keras.optimizers.Adam(0.25),
        "sgd",
        loss="wasserstein",
        penalty=kgg.penalties.GradientPenalty(3.0, one_sided=True),
        run_eagerly=True,
        steps_per_execution=5,
        jit_compile=False,
        auto_scale_loss=False,
    )
    copy = kgg.FictitiousGAN.from_config(gan.get_config())
    copy.compile_from_config(gan.get_compile_config())
    assert copy.name == "mine" and copy.seed == 11
    assert (copy.discriminator_steps, copy.generator_steps) == (2, 3)
    assert copy.average_decay == 0.5 and copy.mixture == "full"
    assert repr(copy.history_config) == repr(gan.history_config)
    assert copy.discriminator_bank is None and copy.generator_bank.capacity == 4
    assert type(copy.payoff) is kgg.payoffs.Wasserstein
    assert copy.penalty.get_config() == gan.penalty.get_config()
    assert float(copy.d_optimizer.learning_rate) == 0.25
    assert copy.compile_options == gan.compile_options
    assert copy.compile_options["jit_compile"] is False
    # A copy has networks of its own.
    assert copy.generator is not gan.generator
    plain = kgg.GAN(*networks("linear"), updates="simultaneous")
    assert kgg.GAN.from_config(plain.get_config()).updates == "simultaneous"


def test_auto_stays_auto(make):
    # What "auto" means depends on the machine that loads the file.
    assert make().get_compile_config()["jit_compile"] == "auto"
    assert kgg.GAN.get_compile_config(make())["auto_scale_loss"] is True


@pytest.mark.parametrize(
    "thing",
    [
        kgg.BestResponse(3, "momentum", 0.5, through_gradient=True, batches="fresh"),
        kgg.History(2, 3, "reservoir", None, "discriminator"),
        Tilted(0.5),
        Small(2.0),
        FirstFrozen(),
    ],
)
def test_parts(thing):
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(thing)
    )
    assert type(copy) is type(thing) and copy.get_config() == thing.get_config()


def test_a_file_of_a_newer_major_version(networks, tmp_path):
    gan = kgg.GAN(*networks("linear"))
    gan.save(tmp_path / "gan.keras")
    with zipfile.ZipFile(tmp_path / "gan.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    newer = str(int(version.__version__.split(".")[0]) + 1) + ".0.0"
    config = json.loads(files["config.json"])
    config["config"]["keras_gamegan_version"] = newer
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "newer.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=f"made by version {newer}.*pip install --up"):
        keras.models.load_model(tmp_path / "newer.keras")


@pytest.mark.parametrize("made_by", ["0.0.1", version.__version__, "0.999.0"])
def test_older_and_equal_major_versions_load(made_by):
    serialization.check_version(made_by)
