"""Resuming under other settings, and from a session that went on without."""

import json

import keras
import pytest

import keras_gamegan as kgg
from keras_gamegan.callbacks import run_settings
from tests.callbacks.tiny_runs import (
    DATA,
    HISTORY,
    Interrupt,
    everything,
    fit,
    make,
    rates,
    same,
)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"loss": "hinge"}, "loss from 'NonSaturating' to 'Hinge'"),
        ({}, {"penalty": "r1"}, "penalty from None to 'R1'"),
        (
            {"penalty": kgg.penalties.R1(2.0)},
            {"penalty": kgg.penalties.R1(3.0)},
            r"penalty \w+ from 2 to 3",
        ),
        (
            {},
            {"activation": "tanh"},
            r"discriminator layers\[1\] activation from 'relu' to 'tanh'",
        ),
        (
            {"kind": kgg.FictitiousGAN, "history": HISTORY},
            {
                "kind": kgg.FictitiousGAN,
                "history": kgg.History(capacity=2, interval=3, retention="fifo"),
                "mixture": "full",
            },
            r"history interval from 2 to 3, model history retention from 'geometric' to"
            " 'fifo', model mixture from 'sampled' to 'full'",
        ),
        ({}, {"average_decay": 0.5}, "model average_decay from 0.999 to 0.5"),
        (
            {},
            {
                "optimizers": (
                    keras.optimizers.Adam(1e-3, beta_1=0.5),
                    keras.optimizers.Adam(2e-3),
                )
            },
            "discriminator's optimizer beta_1 from 0.9 to 0.5",
        ),
        (
            {},
            {"data": {"batch_size": 4, "unknown before": 16}},
            "batch_size from 8 to 4",
        ),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:24],
)
def test_what_changed_is_told_in_one_sentence(before, after, told, tmp_path):
    after = dict(after)
    other = after.pop("data", None)
    fit(make(**before), tmp_path)
    gan, checkpoint = make(**after), kgg.callbacks.Checkpoint(tmp_path)
    checkpoint.data_specification = other
    match = rf"goes on from step 2 with other settings.*this script: [^.]*{told}\."
    with pytest.warns(UserWarning, match=match) as warned:
        assert checkpoint.resume(gan) == (1, 0, 2)
    assert len(warned) == 1 and gan.num_steps == 2


def test_the_same_settings_are_not_told(tmp_path):
    fit(make(), tmp_path)
    make()  # Keras counts the names of layers up.
    gan = make()
    fit(gan, tmp_path, epochs=2)
    assert gan.num_steps == 4


@keras.saving.register_keras_serializable()
class Secret(keras.layers.Layer):
    """A layer that cannot be described."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


@pytest.mark.parametrize(
    "layer", [lambda: Secret(2.0), lambda: keras.layers.Lambda(lambda x: 2 * x)]
)
def test_what_cannot_be_described_is_not_compared(layer):
    def build(activation):
        discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        generator = keras.Sequential(
            [keras.Input((4,)), layer(), keras.layers.Dense(2, activation)]
        )
        gan = kgg.GAN(discriminator, generator, seed=3)
        gan.compile("sgd", "sgd")
        return gan

    one, other = (run_settings.record(build(each)) for each in (None, "tanh"))
    assert json.loads(json.dumps(one)) == one
    found = run_settings.changes(one, other)
    # Of a network with a layer without get_config, nothing is known.
    assert {what for what, _, _ in found} <= {"generator layers[2] activation"}
    assert run_settings.changes(one, run_settings.record(build(None))) == []
    assert run_settings.changes({}, one) == [] and run_settings.changes(None, one) == []


class Halve(keras.callbacks.Callback):
    """A schedule of the user's."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = (
            float(self.model.optimizer.learning_rate) / 2
        )


def test_a_rate_that_a_schedule_moved_comes_back(tmp_path):
    gan = make()
    fit(gan, tmp_path, Halve(), epochs=2)
    assert rates(gan) == [0.00025, 0.0005]
    again = make()
    kgg.callbacks.Checkpoint(tmp_path).resume(again)
    assert rates(again) == [0.00025, 0.0005]
    # In the same session, too: what was compiled is still what it was.
    fit(gan, tmp_path, Halve(), epochs=3)
    assert rates(gan) == [0.000125, 0.00025]


def test_a_rate_that_the_script_changed_is_the_scripts(tmp_path):
    fit(make(), tmp_path, Halve(), epochs=2)
    gan = make(optimizers=(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(5e-3)))
    told = "generator's optimizer learning_rate from 0.002 to 0.005"
    with pytest.warns(UserWarning, match=told):
        kgg.callbacks.Checkpoint(tmp_path).resume(gan)
    assert rates(gan) == [0.00025, 0.005]
    slots = gan.g_optimizer.variables[0]
    assert int(slots.numpy()) == 4


@pytest.mark.parametrize("name", ["batch_size", "steps_per_epoch"])
def test_inside_an_epoch_its_batches_are_those_that_they_were(name, tmp_path):
    fit(make(), tmp_path, every=1, epochs=1)
    # The last of the epoch is its end; the one before is inside.
    (tmp_path / "step-000000000002.json").unlink()
    gan, checkpoint = make(), kgg.callbacks.Checkpoint(tmp_path)
    was = {"batch_size": 8, "steps_per_epoch": 2}[name]
    checkpoint.data_specification = {name: 4}
    before = everything(gan)
    message = rf"{name} is {was}, not 4, .*epoch, at batch 1\."
    with pytest.raises(ValueError, match=message):
        checkpoint.resume(gan)
    assert same(before, everything(gan))
    checkpoint.data_specification = {name: was}
    assert checkpoint.resume(gan) == (0, 1, 1)


def test_steps_that_no_checkpoint_saw_are_not_thrown_away(tmp_path):
    gan = make()
    used = fit(gan, tmp_path)
    gan.fit(DATA, batch_size=8, epochs=3, verbose=0)
    before = everything(gan)
    with pytest.raises(ValueError, match=r"at step 8, .*of step 2: 6 steps would be"):
        fit(gan, tmp_path, epochs=2)
    assert same(before, everything(gan))
    # Elsewhere it goes on; and who asks for the checkpoint itself gets it.
    fit(gan, tmp_path / "other")
    assert gan.num_steps == 10
    assert used.resume(gan).epoch == 1
    assert gan.num_steps == 2


def test_an_interrupted_training_goes_back_and_says_so(tmp_path):
    gan, straight = make(), make()
    fit(gan, tmp_path / "a", Interrupt(3), epochs=2)
    assert gan.num_steps == 3
    with pytest.warns(UserWarning, match="goes back to its checkpoint of step 2"):
        fit(gan, tmp_path / "a", epochs=2)
    fit(straight, tmp_path / "b", epochs=2)
    assert same(everything(gan), everything(straight))
    # Interrupted, then trained on without: those steps are not this folder's.
    fit(gan, tmp_path / "a", Interrupt(5), epochs=3)
    gan.fit(DATA, batch_size=8, epochs=2, verbose=0)
    with pytest.raises(ValueError, match=r"at step 9, .*of step 4: 5 steps"):
        fit(gan, tmp_path / "a", epochs=3)


def test_a_finished_run_says_so(tmp_path):
    gan = make()
    fit(gan, tmp_path, epochs=2)
    with pytest.warns(UserWarning, match="already trained for 2 of 2 epochs, so noth"):
        fit(gan, tmp_path, epochs=2)
    with pytest.warns(UserWarning, match="already trained for 2 of 1 epochs"):
        fit(make(), tmp_path, epochs=1)
    assert gan.num_steps == 4


def test_two_in_one_fit(tmp_path):
    gan, folder = make(), tmp_path / "same"
    second = kgg.callbacks.Checkpoint(tmp_path / "other" / ".." / "same")
    (tmp_path / "other").mkdir()
    with pytest.raises(
        ValueError, match=r"must have a folder of its own\. Received: two"
    ):
        fit(gan, folder, second)
    # With folders of their own both know where the run is, whichever was found.
    fit(gan, folder)
    again = make()
    fit(again, folder, kgg.callbacks.Checkpoint(tmp_path / "new"), epochs=2)
    for each in ("same", "new"):
        found = json.loads((tmp_path / each / "step-000000000004.json").read_text())
        assert (found["epoch"], found["data_step"]) == (2, 4)
