"""Checkpoints under attack: flipped bits, bad numbers, other models, remote folders."""

import os
import random
import shutil
import subprocess
import threading
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.callbacks import folder_lock, model_state
from tests.callbacks.tiny_runs import (
    DATA,
    HISTORY,
    Interrupt,
    everything,
    fit,
    make,
    same,
    variables,
)


@pytest.mark.parametrize("place", ["weight", "slot", "bank"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_not_saved(place, value, tmp_path):
    gan = make(kgg.FictitiousGAN, history=HISTORY)
    fit(gan, tmp_path)
    variable = {
        "weight": gan.generator.weights[-1],
        "slot": gan.d_optimizer.variables[-1],
        "bank": gan.generator_bank.weights[0],
    }[place]

    class Poison(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            variable.assign(tf.fill(variable.shape, tf.cast(value, variable.dtype)))

    with pytest.raises(kgg.NonFiniteError, match=r"Received: NaN.*step 2 is kept\."):
        fit(gan, tmp_path, Poison(), epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000000002.json",
        "step-000000000002.weights.h5",
    ]
    assert (
        kgg.callbacks.Checkpoint(tmp_path)
        .resume(make(kgg.FictitiousGAN, history=HISTORY))
        .epoch
        == 1
    )


class RunningMinimum(keras.layers.Layer):
    """Begins at infinity, as it must."""

    def build(self, shape):
        self.lowest = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(np.inf), trainable=False
        )

    def call(self, inputs):
        return inputs


def test_what_is_infinite_by_design_is_saved(tmp_path):
    discriminator = keras.Sequential(
        [keras.Input((2,)), RunningMinimum(), keras.layers.Dense(1)]
    )
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    gan = kgg.GAN(discriminator, generator, seed=0)
    gan.compile("sgd", "sgd", run_eagerly=True)
    fit(gan, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_other_layers_of_equal_shapes_are_refused_and_nothing_is_written(tmp_path):
    fit(make(), tmp_path)
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "relu")])
    deeper = keras.Sequential([discriminator, keras.layers.Dense(1)])
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    gan = kgg.GAN(deeper, generator, seed=3)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(2e-3))
    before = everything(gan)
    with pytest.raises(ValueError, match=r"the layers of this model\. Received: wei"):
        kgg.callbacks.Checkpoint(tmp_path).resume(gan)
    assert same(before, everything(gan))


def test_remote_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = f"ram://{tmp_path.name}/run"
    fit(make(), folder, Interrupt(5), epochs=3)
    # A writer that died before the description, which makes a checkpoint valid.
    with tf.io.gfile.GFile(f"{folder}/step-000000000006.weights.h5", "wb") as file:
        file.write(b"torn")
    resumed, straight = make(), make()
    fit(resumed, folder, epochs=4)
    fit(straight, tmp_path / "local", epochs=4)
    assert same(everything(resumed), everything(straight))
    names = sorted(tf.io.gfile.listdir(folder))
    assert names == sorted(path.name for path in (tmp_path / "local").iterdir())
    assert len(names) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["local"]
    configured = kgg.callbacks.Checkpoint(folder).get_config()["directory"]
    assert configured == folder


class Keeper(keras.callbacks.Callback):
    """A callback with state of every kind."""

    state = None

    def get_state(self):
        return {"number": 3.5, "array": np.arange(50.0), "list": [np.ones(3)]}

    def set_state(self, state):
        self.state = state


def test_flipped_bits_are_noticed_or_change_nothing(tmp_path):
    """Any file, anywhere: the newest, the one before, or an error; never another."""
    run, folder = tmp_path / "run", tmp_path / "attacked"
    gan = make(kgg.FictitiousGAN, history=HISTORY)
    states = {}

    class Remember(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            states[self.model.num_steps] = everything(self.model)

    fit(gan, run, Remember(), Keeper(), epochs=2)
    names = sorted(path.name for path in run.iterdir())
    assert len(names) == 6
    chance, model = random.Random(0), make(kgg.FictitiousGAN, history=HISTORY)
    blank, outcomes = everything(model), dict.fromkeys(("newest", "before", "error"), 0)
    for attempt in range(60):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run, folder)
        # The description, small and most delicate, as often as all others.
        newest = [name for name in names if name.endswith("4.json")]
        attacked = folder / chance.choice(names if attempt % 2 else newest)
        content = bytearray(attacked.read_bytes())
        for _ in range(chance.choice([1, 1, 1, 8])):
            place = chance.randrange(len(content))
            flip = 1 << chance.randrange(8) if attempt % 3 else chance.randrange(1, 256)
            content[place] ^= flip
        attacked.write_bytes(bytes(content))
        for variable, value in zip(variables(model), blank, strict=True):
            variable.assign(value)
        keeper, checkpoint = Keeper(), kgg.callbacks.Checkpoint(folder)
        checkpoint.companions = (keeper,)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                position = checkpoint.resume(model)
            except ValueError as error:
                assert "Received" in str(error)
                assert same(blank, everything(model)) and keeper.state is None
                outcomes["error"] += 1
                continue
        assert position is not None
        step = position.data_step
        assert position == (step // 2, 0, step)
        assert same(states[step], everything(model))
        assert keeper.state["number"] == 3.5
        np.testing.assert_array_equal(keeper.state["array"], np.arange(50.0))
        assert bool(told) == (step == 2)
        outcomes["newest" if step == 4 else "before"] += 1
    assert outcomes["before"] > 30 and outcomes["error"] < 10, outcomes


def test_a_full_disk_ends_a_run_with_a_sentence(tmp_path):
    # HDF5 itself would end the process here: it must not write to the disk.
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        fit(make(), tmp_path)
        kept = sorted(path.name for path in tmp_path.iterdir())
        free = shutil.disk_usage(tmp_path).free
        (tmp_path / "ballast").write_bytes(b"x" * (free - 8192))
        with pytest.raises(OSError, match=r"step 4 could not be.*No space.*is intact"):
            fit(make(), tmp_path, epochs=2)
        (tmp_path / "ballast").unlink()
        assert sorted(path.name for path in tmp_path.iterdir()) == kept
        resumed = make()
        fit(resumed, tmp_path, epochs=2)
        assert resumed.num_steps == 4
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_weights_in_memory_are_those_of_keras(tmp_path):
    # Keras takes a file object whose str() ends as a weights file does.
    gan, other = make(), make()
    fit(gan, tmp_path / "run")
    other.load_weights(tmp_path / "run" / "step-000000000002.weights.h5")
    assert same(everything(gan), everything(other))
    gan.save_weights(tmp_path / "keras.weights.h5")
    third = make()
    model_state.restore(third, (tmp_path / "keras.weights.h5").read_bytes())
    assert same(everything(gan), everything(third))


def test_a_folder_in_use_and_what_was_left_in_it(tmp_path):
    left = tmp_path / f".writing-{os.getpid()}.weights.h5"
    left.touch()
    gan, lock = make(), folder_lock.FolderLock(tmp_path)
    found = []

    def train():
        try:
            fit(gan, tmp_path)
        except ValueError as error:
            found.append(str(error))

    lock.acquire()
    thread = threading.Thread(target=train)
    thread.start()
    thread.join(60)
    assert "must belong to one training at a time" in found[0]
    assert gan.num_steps == 0 and left.exists()
    lock.release()
    fit(gan, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000000002.json",
        "step-000000000002.weights.h5",
    ]


@pytest.mark.parametrize("name", ["x" * 300, "file", "file/below"])
def test_folders_that_cannot_be(name, tmp_path):
    (tmp_path / "file").write_text("mine")
    gan = make()
    for callback in (kgg.callbacks.Checkpoint, kgg.callbacks.SampleGrid):
        with pytest.raises(ValueError, match="`directory` must be a place that can be"):
            gan.fit(DATA, verbose=0, callbacks=[callback(tmp_path / name)])
    assert gan.num_steps == 0
