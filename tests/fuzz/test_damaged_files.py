"""Whatever happens to a file: its exact state, an older one, or an error; no mixture.

A file may be cut, overwritten or changed on purpose. HDF5 and zip are read by Keras:
for its own `load_weights` and `load_model` only the kind of exception is looked at.
"""

import atexit
import functools
import json
import pathlib
import shutil
import tempfile
import warnings
import zipfile
import zlib

import keras
from hypothesis import strategies as st

import keras_gamegan as kgg
from keras_gamegan.callbacks import checkpoint_description
from tests.callbacks import tiny_runs
from tests.fuzz import outcomes, values

# What Keras, h5py and zipfile raise on files that are none of theirs.
_OF_READERS = (
    ValueError,
    TypeError,
    OSError,
    KeyError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


class Keeper(keras.callbacks.Callback):
    """A callback with state, for a file of arrays."""

    state = None

    def get_state(self):
        return {"number": 3.5, "list": list(tiny_runs.DATA)}

    def set_state(self, state):
        self.state = state


def _make():
    return tiny_runs.make(kgg.FictitiousGAN, history=tiny_runs.HISTORY)


@functools.cache
def _run():
    """A folder of two checkpoints and two model files, and the states by step."""
    folder = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    gan, states = _make(), {}

    class Remember(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            states[self.model.num_steps] = tiny_runs.everything(self.model)

    tiny_runs.fit(gan, folder, Remember(), Keeper(), epochs=2)
    gan.save(folder / "model.keras")
    gan.save_weights(folder / "model.weights.h5")
    return folder, states


@functools.cache
def _blank():
    """A model to be restored, and what it holds before."""
    gan = _make()
    return gan, tiny_runs.everything(gan)


_KINDS = ("4.json", "4.weights.h5", "4.callbacks.npz", "2.json", "2.weights.h5")
_BYTES = st.one_of(
    st.tuples(st.just("flip"), st.floats(0, 0.999999), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.floats(0, 0.999999)),
    st.tuples(st.just("insert"), st.floats(0, 0.999999), st.binary(max_size=9)),
    st.tuples(st.just("write over"), st.floats(0, 0.999999), st.binary(max_size=99)),
    st.tuples(st.just("all"), st.binary(max_size=99)),
    st.tuples(st.just("remove")),
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.just(2**70),
    st.floats(),
    st.text(max_size=5),
)
_FLAT = st.one_of(
    _LEAVES,
    st.lists(_LEAVES, max_size=3),
    st.dictionaries(st.text(max_size=3), _LEAVES, max_size=3),
)
_JSON = st.one_of(_FLAT, st.lists(_FLAT, max_size=3))
_FIELDS = (
    *("format", "keras_gamegan_version", "model", "seed", "shapes", "optimizer slots"),
    *("step", "epoch", "batch", "data_step", "metrics", "metric names", "settings"),
    *("data", "callbacks", "sha256", "callbacks_sha256", "unknown"),
)


def _damage(path, how):
    """Changes the bytes of a file."""
    if how[0] == "remove":
        path.unlink()
        return
    content = path.read_bytes()
    if how[0] == "all":
        path.write_bytes(how[1])
        return
    place = int(how[1] * len(content))
    if how[0] == "flip":
        changed = content[:place] + bytes([content[place] ^ how[2]])
        changed += content[place + 1 :]
    elif how[0] == "cut":
        changed = content[:place]
    elif how[0] == "insert":
        changed = content[:place] + how[2] + content[place:]
    else:
        changed = content[:place] + how[2] + content[place + len(how[2]) :]
    path.write_bytes(changed)


def _check_resume(kinds, edits):
    run, states = _run()
    gan, blank = _blank()
    for variable, value in zip(tiny_runs.variables(gan), blank, strict=True):
        variable.assign(value)
    with tempfile.TemporaryDirectory() as folder:
        attacked = pathlib.Path(folder)
        for path in run.glob("step-*"):
            shutil.copy(path, attacked)
        newest = attacked / f"step-{4:012d}.json"
        if edits:
            # With a right checksum: somebody wrote this.
            found = json.loads(newest.read_text())
            found.pop("description_sha256")
            newest.write_bytes(checkpoint_description.write({**found, **edits}))
        for kind, how in kinds.items():
            _damage(attacked / f"step-00000000000{kind}", how)
        keeper, checkpoint = Keeper(), kgg.callbacks.Checkpoint(attacked)
        checkpoint.companions = (keeper,)
        position, error = outcomes.outcome(
            lambda: checkpoint.resume(gan), (ValueError, OSError)
        )
    now = tiny_runs.everything(gan)
    if position is None:
        assert error is not None or len(kinds) > 1 or edits
        assert tiny_runs.same(blank, now) and keeper.state is None
        return
    assert any(tiny_runs.same(state, now) for state in states.values())
    if not edits:
        step = position.data_step
        assert position == (step // 2, 0, step)
        assert tiny_runs.same(states[step], now)
        assert keeper.state["number"] == 3.5


test_a_few_damages, test_many_damages = outcomes.quick_and_thorough(
    kinds=st.dictionaries(st.sampled_from(_KINDS), _BYTES, max_size=2),
    edits=values.mostly(
        st.just({}), st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=2), 2
    ),
)(_check_resume)


def _check_keras_files(name, how):
    run, _ = _run()
    gan, _ = _blank()
    with tempfile.TemporaryDirectory() as folder:
        attacked = pathlib.Path(folder) / name
        shutil.copy(run / name, attacked)
        _damage(attacked, how)
        with outcomes.watched(60.0), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if name.endswith(".keras"):
                    found = keras.saving.load_model(attacked)
                    assert isinstance(found, kgg.FictitiousGAN)
                else:
                    gan.load_weights(attacked)
            except _OF_READERS as error:
                assert str(error) or how[0] == "cut"


test_a_few_files_of_keras, test_many_files_of_keras = outcomes.quick_and_thorough(
    name=st.sampled_from(["model.keras", "model.weights.h5"]), how=_BYTES
)(_check_keras_files)
