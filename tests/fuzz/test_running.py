"""Whatever `fit`, `evaluate`, `sample` and `export` get: done, or told what is wrong.

A refused call leaves the model as it was: no step is counted, no weight is moved.
"""

import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import keras_gamegan as kgg
from tests import memory
from tests.fuzz import networks, outcomes, values

_ROWS = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
_CLASSES = np.arange(6) % 3


class _Batches(keras.utils.PyDataset):
    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return (self.rows[3 * index : 3 * index + 3],)


def _generator(rows):
    yield from (rows[:3], rows[3:])


def _with(place, value):
    rows = _ROWS.copy()
    rows[place] = value
    return rows


ARRAYS = {
    "rows": lambda: _ROWS,
    "float64": lambda: _ROWS.astype("float64"),
    "float16": lambda: _ROWS.astype("float16"),
    "integers": lambda: _ROWS.astype("int64"),
    "bytes": lambda: _ROWS.astype("uint8"),
    "bools": lambda: _ROWS > 0,
    "complex": lambda: _ROWS.astype("complex64"),
    "text": lambda: _ROWS.astype("str"),
    "objects": lambda: _ROWS.astype("object"),
    "dates": lambda: _ROWS.astype("int64").astype("datetime64[s]"),
    "none": lambda: _ROWS[:0],
    "one row": lambda: _ROWS[0],
    "one number": lambda: np.float32(1.0),
    "array of one number": lambda: np.array(1.0),
    "three columns": lambda: np.ones((6, 3), "float32"),
    "images": lambda: np.ones((6, 4, 4, 1), "float32"),
    "high rank": lambda: np.ones((1,) * 20, "float32"),
    "no columns": lambda: np.ones((6, 0), "float32"),
    "nan": lambda: _with((0, 0), np.nan),
    "infinite": lambda: _with((5, 1), np.inf),
    "large": lambda: _with((2, 1), 1e30),
    "tensor": lambda: tf.constant(_ROWS),
    "variable": lambda: tf.Variable(_ROWS),
    "sparse": lambda: tf.sparse.from_dense(_ROWS),
    "ragged": lambda: tf.ragged.constant([[1.0], [1.0, 2.0]]),
    "lists": lambda: _ROWS.tolist(),
    "uneven lists": lambda: [[1.0], [1.0, 2.0]],
}
SETS = {
    "batches": lambda: _set(_ROWS).batch(3),
    "unknown length": lambda: _set(_ROWS).batch(3).filter(lambda x: True),
    "no batches": lambda: _set(_ROWS).batch(7, drop_remainder=True),
    "filtered out": lambda: _set(_ROWS).batch(3).filter(lambda x: False),
    "not batched": lambda: _set(_ROWS),
    "batched twice": lambda: _set(_ROWS).batch(2).batch(2),
    "repeated": lambda: _set(_ROWS).batch(3).repeat(2),
    "pairs": lambda: _set((_ROWS, _CLASSES)).batch(3),
    "triples": lambda: _set((_ROWS, _CLASSES, _ROWS)).batch(3),
    "dictionary": lambda: _set({"image": _ROWS, "label": _CLASSES}).batch(3),
    "dictionary of inputs": lambda: _set({"data": _ROWS, "labels": _CLASSES}).batch(3),
    "set of bytes": lambda: _set(_ROWS.astype("uint8")).batch(3),
    "set of text": lambda: _set(_ROWS.astype("str")).batch(3),
    "set of complex": lambda: _set(_ROWS.astype("complex64")).batch(3),
    "set of nan": lambda: _set(_with((4, 0), np.nan)).batch(3),
    "set of numbers": lambda: tf.data.Dataset.range(5),
    "stream": lambda: kgg.datasets.ShuffledStream(_ROWS, batch_size=3, seed=0),
    "points": lambda: kgg.datasets.gaussian_ring().batches(3).take(2),
    "generator": lambda: _generator(_ROWS),
    "generator of nothing": lambda: iter(()),
    "generator of text": lambda: (text for text in ("a", "b")),
    "generator of None": lambda: (None for _ in range(2)),
    "PyDataset": lambda: _Batches(_ROWS),
    "PyDataset of text": lambda: _Batches(["a"] * 6),
    "iterator": lambda: iter(_set(_ROWS).batch(3)),
    "list of arrays": lambda: [_ROWS, _ROWS],
    "tuple of array": lambda: (_ROWS,),
    "pair in a list": lambda: [_ROWS, _CLASSES],
    "named": lambda: {"data": _ROWS, "labels": _CLASSES},
    "misnamed": lambda: {"image": _ROWS},
    "empty list": lambda: [],
    "empty dictionary": lambda: {},
}
LABELS = {
    "classes": lambda: _CLASSES,
    "column": lambda: _CLASSES[:, None],
    "floats": lambda: _CLASSES.astype("float32"),
    "one-hot": lambda: np.eye(3)[_CLASSES],
    "halves": lambda: _CLASSES + 0.5,
    "too few": lambda: _CLASSES[:2],
    "too large": lambda: _CLASSES + 1,
    "negative": lambda: _CLASSES - 1,
    "texts": lambda: np.array(["a"] * 6),
    "nothing": lambda: None,
    "listed": lambda: _CLASSES.tolist(),
}


def _set(rows):
    return tf.data.Dataset.from_tensor_slices(rows)


_NAMED = {**ARRAYS, **SETS}
_ANY_DATA = values.mostly(
    st.one_of(
        st.sampled_from(["rows", "batches", "pairs"]), st.sampled_from(sorted(_NAMED))
    ),
    values.nonsense(),
    8,
)
_ANY_LABELS = values.mostly(
    st.sampled_from(["nothing", "nothing", "classes"]),
    st.one_of(st.sampled_from(sorted(LABELS)), values.nonsense()),
)


# (Conditional, data, labels) that go together.
_RIGHT = (
    *((False, name, "nothing") for name in ("rows", "float64", "float16", "integers")),
    *((False, name, "nothing") for name in ("bytes", "bools", "tensor", "repeated")),
    *((False, name, "nothing") for name in ("batches", "unknown length", "PyDataset")),
    *((False, name, "nothing") for name in ("stream", "pairs", "set of bytes")),
    *((False, name, "nothing") for name in ("generator", "points", "tuple of array")),
    *((True, "rows", name) for name in ("classes", "column", "floats", "listed")),
    *((True, name, "nothing") for name in ("pairs", "pair in a list", "named")),
    *((True, name, "nothing") for name in ("dictionary of inputs",)),
)
_ANYTHING = values.mostly(
    st.sampled_from(_RIGHT), st.tuples(st.booleans(), _ANY_DATA, _ANY_LABELS), 2
)


def _data(drawn):
    return _NAMED[drawn]() if isinstance(drawn, str) else values.plain(drawn)


def _labels(drawn):
    return LABELS[drawn]() if isinstance(drawn, str) else values.plain(drawn)


class _Stops(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


_CALLBACKS = {
    "none": lambda: [],
    "stops": lambda: [_Stops()],
    "one": lambda: _Stops(),
    "a class": lambda: [_Stops],
    "a list": lambda: keras.callbacks.CallbackList([]),
    "terminate": lambda: (keras.callbacks.TerminateOnNaN(),),
}
# Right numbers that would take for ever.
_ENDLESS = ("10**9", "2**40")
_FIT = values.options(
    epochs=[1, 2],
    batch_size=[1, 3, 100, None],
    steps_per_epoch=[1, 2, None],
    initial_epoch=[0, 1],
    validation_split=[0.0, 0.5],
    verbose=[0, "auto", 1, 2],
    shuffle=[True, False],
    validation_freq=[1, 2, [1]],
    validation_steps=[1, None],
    validation_batch_size=[2, None],
    class_weight=[],
    sample_weight=[],
    workers=[],
)
_EVALUATE = values.options(
    batch_size=[1, 3, None],
    verbose=[0, "auto"],
    steps=[1, 2, None],
    return_dict=[True, False],
    sample_weight=[],
    workers=[],
)
# Of Keras: what a name is not known to, and data that end before the epoch does.
_KERAS = (r"^Arguments not recognized: ", r"ran out of data", r"Unrecognized data type")


def _model(conditional):
    pair = networks.conditional_pair() if conditional else networks.pair()
    gan = kgg.GAN(*pair, seed=0)
    gan.compile(keras.optimizers.SGD(0.01), "sgd", run_eagerly=True)
    return gan


def _is_endless(drawn):
    return any(
        isinstance(value, values.Named) and value.name in _ENDLESS
        for name, value in drawn.items()
        if name in ("epochs", "steps_per_epoch")
    )


def _plain(drawn):
    return {name: values.plain(value) for name, value in drawn.items()}


def _check_fit(data, validation, callbacks, arguments):
    conditional, x, y = data
    gan = _model(conditional)
    given = _plain(arguments)
    if _is_endless(arguments):
        given["epochs"] = 1
        given["steps_per_epoch"] = None
    given.setdefault("verbose", 0)
    if validation is not None:
        data, labels = _data(validation[1]), _labels(validation[2])
        given["validation_data"] = data if labels is None else (data, labels)
    made = _CALLBACKS.get(callbacks, lambda: values.plain(callbacks))()
    before = [each.numpy() for each in gan.weights]
    history, error = outcomes.outcome(
        lambda: gan.fit(_data(x), _labels(y), callbacks=made, **given),
        of_others=_KERAS,
    )
    if error is None:
        assert isinstance(history, keras.callbacks.History)
    elif not isinstance(error, kgg.NonFiniteError) and gan.num_steps == 0:
        for variable, value in zip(gan.weights, before, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)
    assert values.is_finite(gan.weights)
    memory.forget()


test_a_few_fits, test_many_fits = outcomes.quick_and_thorough(
    data=_ANYTHING,
    validation=values.mostly(st.none(), _ANYTHING),
    callbacks=values.mostly(
        st.sampled_from(["none", "none", "stops", "one", "terminate"]),
        st.one_of(st.sampled_from(sorted(_CALLBACKS)), values.nonsense()),
        8,
    ),
    arguments=_FIT,
)(_check_fit)


def _check_evaluate(data, arguments):
    conditional, x, y = data
    gan = _model(conditional)
    before = [each.numpy() for each in gan.weights]
    given = {"verbose": 0, **_plain(arguments)}
    outcomes.outcome(
        lambda: gan.evaluate(_data(x), _labels(y), **given), of_others=_KERAS
    )
    for variable, value in zip(gan.weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    memory.forget()


test_a_few_evaluations, test_many_evaluations = outcomes.quick_and_thorough(
    data=_ANYTHING, arguments=_EVALUATE
)(_check_evaluate)

_MODELS = {}


def _sampled(conditional):
    """A model of each kind, made once: sampling changes nothing."""
    if conditional not in _MODELS:
        pair = networks.conditional_pair() if conditional else networks.pair()
        _MODELS[conditional] = kgg.FictitiousGAN(
            *pair, history=kgg.History(capacity=2), seed=0
        )
    return _MODELS[conditional]


def _check_sample(conditional, number, labels, arguments):
    gan = _sampled(conditional)
    given = _plain(arguments)
    samples, error = outcomes.outcome(
        lambda: gan.sample(values.plain(number), labels=_labels(labels), **given)
    )
    if error is None:
        assert samples.shape == (values.plain(number), 2)
        assert np.isfinite(samples).all()


test_a_few_samples, test_many_samples = outcomes.quick_and_thorough(
    conditional=st.booleans(),
    number=values.mostly(st.sampled_from([0, 1, 2, 6, 1025]), values.nonsense()),
    labels=_ANY_LABELS,
    arguments=values.options(
        seed=[None, 0, 2**63 - 1], source=["current", "average", "mixture"]
    ),
)(_check_sample)


def _check_export(place, arguments):
    gan = _sampled(False)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / place if isinstance(place, str) else place
        (pathlib.Path(folder) / "file").touch()
        given = _plain(arguments)
        _, error = outcomes.outcome(
            lambda: gan.export(values.plain(path), **given),
            (ValueError, TypeError, ImportError),
            # What `format="onnx"` needs may be missing.
            of_others=("Install what it needs: pip install",),
        )
        found = sorted(each.name for each in pathlib.Path(folder).rglob("*"))
        assert (error is None) == (found != ["file"]), found


test_a_few_exports, test_many_exports = outcomes.quick_and_thorough(
    quick=8,
    place=values.mostly(
        st.sampled_from(["new", "deep/below"]),
        st.one_of(
            st.sampled_from(["file", "x" * 300, "file/below"]),
            values.nonsense().filter(
                lambda each: not isinstance(values.plain(each), (str, bytes))
            ),
        ),
    ),
    arguments=values.options(
        source=["current", "average", "mixture"],
        format=["tf_saved_model", "onnx"],
        score=[True, False],
        version=[None, 1, "next"],
        warmup=[None, False],
        verbose=[False],
    ),
)(_check_export)
