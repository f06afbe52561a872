"""What every row of the table must satisfy within one process.

A property trains a row in two ways and returns the largest relative difference of all
that the two runs leave: weights, optimizer slots, banks, averages, logs and samples.
"""

import dataclasses
import functools
import pathlib
import re
import tempfile
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from tests.conformance import cases, outcomes

NUM_STEPS = 10
# What a TPU cannot run, or would leave the device for.
OFF_DEVICE = ("infeed", "outfeed", "send(", "recv(", "host", "custom-call", "rng(")


@dataclasses.dataclass(frozen=True)
class Property:
    """A column of the table.

    Attributes:
        measure: Function (name of a row) -> largest relative difference; it raises if
            the property is one that either holds or does not.
        tolerance: The difference allowed; 0.0 means equal bit for bit.
        excluded: Rows, or kinds of networks, it does not hold for, with the reason.
    """

    measure: Callable
    tolerance: float = 0.0
    excluded: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def reason_against(self, name):
        """Returns why a row is left out, or None."""
        networks = self.excluded.get(cases.CASES[name].networks)
        return self.excluded.get(name, networks)


def batches(name, dtype="float32"):
    """Returns ten global batches of one size."""
    size = cases.CASES[name].sizes[0]
    return cases.data(name, dtype, (size, size * NUM_STEPS), drop_remainder=True)


def adam():
    """Returns an optimizer with slots to lose."""
    return keras.optimizers.Adam(0.01)


def finish(gan, data):
    """Trains on the data; returns the outcome."""
    return outcomes.outcome(gan, gan.fit(data, verbose=0).history)


@functools.lru_cache(maxsize=2)
def in_a_graph(name, dtype):
    """The outcome of an ordinary run, which several properties refer to."""
    return finish(cases.build(name, dtype), batches(name, dtype))


def in_another_mode(name, dtype="float64", **compile_arguments):
    """The same run, executed in another way."""
    gan = cases.build(name, dtype, **compile_arguments)
    found = finish(gan, batches(name, dtype))
    return outcomes.compare(in_a_graph(name, dtype), found)


def half_way(name):
    """A model after half of its batches, Adam on both sides, and the other half."""
    gan = cases.build(name, optimizer=adam)
    data = batches(name)
    gan.fit(data.take(NUM_STEPS // 2), verbose=0)
    return gan, data.skip(NUM_STEPS // 2)


def saved_and_loaded(name):
    """A `.keras` file: the model it gives goes on as the one that was saved."""
    gan, rest = half_way(name)
    with tempfile.TemporaryDirectory() as folder:
        gan.save(f"{folder}/gan.keras")
        loaded = keras.models.load_model(f"{folder}/gan.keras")
    assert type(loaded) is type(gan)
    return outcomes.difference(finish(gan, rest), finish(loaded, rest))[0]


def weights_loaded(name):
    """A `.weights.h5` file, loaded into a new model that has drawn other weights."""
    gan, rest = half_way(name)
    fresh = type(gan).from_config(gan.get_config())
    fresh.compile_from_config(gan.get_compile_config())
    with tempfile.TemporaryDirectory() as folder:
        gan.save_weights(f"{folder}/gan.weights.h5")
        fresh.load_weights(f"{folder}/gan.weights.h5")
    return outcomes.difference(finish(gan, rest), finish(fresh, rest))[0]


def copied(name):
    """A copy from `get_config`, given the same weights, trains alike."""
    gan = cases.build(name, optimizer=adam)
    copy = type(gan).from_config(gan.get_config())
    copy.compile_from_config(gan.get_compile_config())
    copy.set_weights(gan.get_weights())
    assert copy.generator is not gan.generator
    data = batches(name)
    return outcomes.difference(finish(gan, data), finish(copy, data))[0]


class Interrupt(keras.callbacks.Callback):
    """Stops a run as Ctrl-C would, in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.num_steps == 6:
            raise KeyboardInterrupt


def resumed(name):
    """Stopped at step 6, two steps after a checkpoint, and started again.

    A restarted process names its layers as the first one did. So must this: TensorFlow
    sorts sums by the names of their terms (dense_10 before dense_9).
    """
    found = []
    size = cases.CASES[name].sizes[0]
    arrays = cases.arrays(name, num_examples=size * NUM_STEPS)
    stream = kgg.datasets.ShuffledStream(*arrays, size)
    with tempfile.TemporaryDirectory() as folder:
        for run, callbacks in (("a", []), ("b", [Interrupt()]), ("b", [])):
            keras.backend.clear_session()
            gan = cases.build(name, optimizer=adam)
            keep = kgg.callbacks.Checkpoint(pathlib.Path(folder, run), every=4)
            try:
                history = gan.fit(
                    stream.epochs(), verbose=0, callbacks=[keep, *callbacks]
                )
            except KeyboardInterrupt:
                assert gan.num_steps == 6
            else:
                found.append(outcomes.outcome(gan, history.history))
    return outcomes.difference(*found)[0]


def in_half_precision(name, policy):
    """Trains without NaN, and keeps weights, slots and banks in float32.

    The policy is set as users set it: for everything.
    """
    keras.config.set_dtype_policy(policy)
    try:
        return _trained_in_half_precision(name, policy)
    finally:
        keras.config.set_dtype_policy("float32")


def _trained_in_half_precision(name, policy):
    gan = cases.build(name, dtype=None)
    scaled = isinstance(gan.d_optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    before = gan.get_weights()
    for key, value in finish(gan, batches(name)).items():
        assert np.all(np.isfinite(value)), f"{key} is not finite"
    changed = [np.any(a != b) for a, b in zip(before, gan.get_weights(), strict=True)]
    assert np.mean(changed) > 0.5
    asked_for = {
        id(variable)
        for bank in (gan.generator_bank, gan.discriminator_bank)
        if bank is not None and bank.settings.dtype is not None
        for variable in bank.variables
    }
    for variable in [*gan.weights, *gan.d_optimizer.variables]:
        if id(variable) in asked_for:
            continue
        assert variable.dtype not in ("float16", "bfloat16"), variable.path
    return 0.0


def one_program(name):
    """The whole train step is a single XLA program of static shapes on one device."""
    gan = cases.build(name, jit_compile=True)
    batch = next(iter(batches(name)))
    step = tf.function(gan.train_step, jit_compile=True)
    program = step.experimental_get_compiler_ir(batch)(stage="hlo")
    assert program.count("ENTRY ") == 1
    for word in OFF_DEVICE:
        assert word not in program.lower(), f"{word} in the program"
    # A dynamic dimension is written <=n.
    assert not re.search(r"\[[^\]]*<=", program)
    return 0.0


_MASKS = {
    "dropout": "XLA draws other Dropout masks than TensorFlow's kernels from one seed"
}
_ROUNDED = {
    cases.ROUNDED: "in float32, a last bit may tip a stored number to the next float16"
}
_HALF = {
    "spectral": "`keras.layers.SpectralNormalization` itself overflows float16; "
    "`kgg.networks.SpectralNormalization` does not"
}
PROPERTIES = {
    "eager": Property(lambda name: in_another_mode(name, run_eagerly=True), 1e-10),
    "XLA": Property(
        lambda name: in_another_mode(name, jit_compile=True), 1e-10, _MASKS
    ),
    "XLA, float32": Property(
        lambda name: in_another_mode(name, "float32", jit_compile=True),
        1e-5,
        _MASKS | _ROUNDED,
    ),
    "10 steps an execution": Property(
        lambda name: in_another_mode(name, steps_per_execution=10), 1e-12
    ),
    "`.keras`": Property(saved_and_loaded),
    "`.weights.h5`": Property(weights_loaded),
    "copy": Property(copied),
    "resumed": Property(resumed),
    "mixed_float16": Property(
        lambda name: in_half_precision(name, "mixed_float16"), excluded=_HALF
    ),
    "mixed_bfloat16": Property(lambda name: in_half_precision(name, "mixed_bfloat16")),
    "one XLA program": Property(one_program),
}
