"""Checkpoints: resuming gives, bit for bit, what an undisturbed run gives."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

STEPS_PER_EPOCH = 5
EPOCHS = 3
RING = kgg.datasets.gaussian_ring(seed=0)

MODELS = {
    "gan": lambda pair: kgg.GAN(*pair, seed=3),
    "duality_gap": lambda pair: kgg.DualityGapGAN(
        *pair, best_response=kgg.BestResponse(num_steps=2), seed=3
    ),
    "fictitious": lambda pair: kgg.FictitiousGAN(
        *pair, history=kgg.History(capacity=3, interval=2), seed=3
    ),
}


def make(kind="gan"):
    """A small compiled model with its optimizers' state to lose."""
    gan = MODELS[kind](kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1))
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(2e-3), penalty="r1")
    return gan


def fit(gan, directory, every="epoch", epochs=EPOCHS, stop_at=None, **arguments):
    """Trains with a checkpoint; ``stop_at`` interrupts as Ctrl-C would."""

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.num_steps == stop_at:
                raise KeyboardInterrupt

    checkpoint = kgg.callbacks.Checkpoint(directory, every=every)
    batches = RING.batches(16, steps_per_epoch=STEPS_PER_EPOCH)
    return gan.fit(
        batches,
        epochs=epochs,
        verbose=0,
        callbacks=[checkpoint, Interrupt()],
        **arguments,
    )


def everything(gan):
    """All that a run has: weights, banks, averages, step and optimizer slots."""
    slots = [*gan.d_optimizer.variables, *gan.g_optimizer.variables]
    return [*gan.get_weights(), *(np.array(slot.numpy()) for slot in slots)]


def assert_same(first, second):
    """Bitwise equality of two models."""
    for one, other in zip(everything(first), everything(second), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Models and logs of runs nobody interrupted, by kind."""
    runs = {}
    for kind in MODELS:
        gan = make(kind)
        history = fit(gan, tmp_path_factory.mktemp(kind)).history
        runs[kind] = gan, history
    return runs


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    ("every", "stop_at"),
    [pytest.param("epoch", 12, marks=pytest.mark.slow), (3, 8)],
)
def test_resumed_run_equals_undisturbed_run(
    kind, every, stop_at, undisturbed, tmp_path
):
    with pytest.raises(KeyboardInterrupt):
        fit(make(kind), tmp_path, every, stop_at=stop_at)
    resumed = make(kind)
    history = fit(resumed, tmp_path, every)
    expected, logs = undisturbed[kind]
    assert_same(resumed, expected)
    for name, values in history.history.items():
        assert values == logs[name][-len(values) :]
    np.testing.assert_array_equal(resumed.sample(5, seed=0), expected.sample(5, seed=0))


def test_finished_run_is_not_trained_again(undisturbed, tmp_path):
    fit(make(), tmp_path)
    again = make()
    with pytest.warns(UserWarning, match="already trained for 3 of 3 epochs.*larger"):
        fit(again, tmp_path)
    assert again.num_steps == STEPS_PER_EPOCH * EPOCHS
    assert_same(again, undisturbed["gan"][0])


def test_more_epochs_go_on_from_the_last(tmp_path):
    fit(make(), tmp_path / "one", epochs=2)
    longer = make()
    fit(longer, tmp_path / "one", epochs=3)
    straight = make()
    fit(straight, tmp_path / "two", epochs=3)
    assert_same(longer, straight)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "description"])
def test_damaged_checkpoint_is_noticed_and_the_one_before_used(damage, tmp_path):
    fit(make(), tmp_path)
    newest = max(tmp_path.glob("step-*.weights.h5"))
    if damage == "truncate":
        newest.write_bytes(newest.read_bytes()[:-100])
    elif damage == "flip":
        content = bytearray(newest.read_bytes())
        content[len(content) // 2] ^= 1
        newest.write_bytes(bytes(content))
    elif damage == "remove":
        newest.unlink()
    else:
        max(tmp_path.glob("step-*.json")).write_text('{"step":')
    gan = make()
    with pytest.warns(UserWarning, match="damaged or incomplete"):
        position = kgg.callbacks.Checkpoint(tmp_path).resume(gan)
    assert position == (EPOCHS - 1, 0, (EPOCHS - 1) * STEPS_PER_EPOCH)
    assert gan.num_steps == (EPOCHS - 1) * STEPS_PER_EPOCH


def test_keeps_so_many_and_leaves_nothing_half_written(tmp_path):
    fit(make(), tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "step-000000000010.json",
        "step-000000000010.weights.h5",
        "step-000000000015.json",
        "step-000000000015.weights.h5",
    ]


def test_another_class_is_refused(tmp_path):
    fit(make("gan"), tmp_path)
    with pytest.raises(ValueError, match="whose model is GAN, not DualityGapGAN"):
        fit(make("duality_gap"), tmp_path)


def fictitious(capacity, width=8, seed=3):
    """A fictitious GAN of another capacity, width or seed."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=width, seed=1)
    history = kgg.History(capacity=capacity, interval=2)
    gan = kgg.FictitiousGAN(*pair, history=history, seed=seed)
    gan.compile()
    return gan


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"capacity": 4}, r"shapes hold \[3, .* where this model has \[4, "),
        ({"capacity": 3, "width": 9}, r"shapes hold .*8.* where this model has .*9"),
        ({"capacity": 3, "seed": 4}, "seed is 3, not 4"),
    ],
)
def test_another_model_is_refused_and_untouched(other, message, tmp_path):
    fit(fictitious(3), tmp_path, epochs=1)
    gan = fictitious(**other)
    before = everything(gan)
    with pytest.raises(ValueError, match=message):
        fit(gan, tmp_path)
    for old, new in zip(before, everything(gan), strict=True):
        np.testing.assert_array_equal(old, new)


def test_another_optimizer_is_refused(tmp_path):
    fit(make(), tmp_path, epochs=1)
    gan = make()
    gan.compile("sgd", "sgd", penalty="r1")
    with pytest.raises(ValueError, match="optimizer slots"):
        fit(gan, tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").touch()
    gan = make()
    with pytest.raises(ValueError, match="can be written to"):
        fit(gan, tmp_path / "file")
    assert gan.num_steps == 0


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    fit(make(), tmp_path, epochs=1)

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    gan = make()
    monkeypatch.setattr(type(gan), "save_weights", full)
    with pytest.raises(OSError, match=r"step 10 could not be written.*before it is"):
        fit(gan, tmp_path, epochs=2)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000000005.json",
        "step-000000000005.weights.h5",
    ]
    assert kgg.callbacks.Checkpoint(tmp_path).resume(make()).epoch == 1


def test_inside_an_epoch_other_data_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(make(), tmp_path, every=3, stop_at=8)
    data = RING.sample(80)
    callbacks = [kgg.callbacks.Checkpoint(tmp_path, 3)]
    with pytest.raises(
        ValueError, match=r"batch_size is 16, not 32, .*inside an epoch"
    ):
        make().fit(data, verbose=0, epochs=3, callbacks=callbacks)
    pipeline = tf.data.Dataset.from_tensor_slices(data).batch(16, drop_remainder=True)
    pipeline = pipeline.filter(lambda x: True)  # Of unknown length.
    with (
        pytest.warns(UserWarning, match="cannot know where these data stood"),
        pytest.raises(ValueError, match="can be entered at any step"),
    ):
        make().fit(pipeline, verbose=0, epochs=3, callbacks=callbacks)


def test_description_says_where_the_run_was(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(make(), tmp_path, every=4, stop_at=9)
    description = json.loads(max(tmp_path.glob("step-*.json")).read_text())
    assert description["step"] == 8
    assert (description["epoch"], description["batch"]) == (1, 3)


def test_after_the_last_batch_of_an_epoch_its_end_comes_first(tmp_path):
    fit(make(), tmp_path, every=STEPS_PER_EPOCH, epochs=1)
    description = json.loads(max(tmp_path.glob("step-*.json")).read_text())
    assert description["step"] == STEPS_PER_EPOCH
    assert (description["epoch"], description["batch"]) == (1, 0)


def test_empty_directory_starts_from_nothing(tmp_path):
    assert kgg.callbacks.Checkpoint(tmp_path / "none").resume(make()) is None


def test_configuration_round_trip(tmp_path):
    checkpoint = kgg.callbacks.Checkpoint(tmp_path, every=7, keep=3)
    copy = kgg.callbacks.Checkpoint.from_config(checkpoint.get_config())
    assert copy.get_config() == checkpoint.get_config()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every": "step"}, ValueError, '"epoch" or a number of train steps'),
        ({"every": 0}, ValueError, "at least 1"),
        ({"keep": 0}, ValueError, "at least 1"),
        ({"every": 1.5}, TypeError, "integer"),
    ],
)
def test_bad_arguments(arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        kgg.callbacks.Checkpoint(tmp_path, **arguments)
