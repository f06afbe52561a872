"""Networks of width 4 of many kinds, right and wrong, for the fuzz tests."""

import keras
from keras import layers

WIDTH = 4


def _sequential(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


def _functional(shape, *stack):
    inputs = outputs = keras.Input(shape)
    for layer in stack:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


class Draws(layers.Layer):
    """Adds noise that no seed of its own determines, also in inference mode."""

    def call(self, inputs):
        return inputs + keras.random.normal(keras.ops.shape(inputs))


class _Subclassed(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)


def _frozen(network, layer=None):
    target = network if layer is None else network.layers[layer]
    target.trainable = False
    return network


def _wrapped(shape, units):
    inputs = keras.Input(shape)
    return keras.Model(inputs, _Subclassed(units)(inputs))


def _shared(shape, units):
    layer = layers.Dense(shape[-1], "tanh")
    return _sequential(shape, layer, layers.ReLU(), layer, layers.Dense(units))


# What stands between the input and the last layer of networks on points.
_BODIES = {
    "linear": lambda: [],
    "dense": lambda: [layers.Dense(WIDTH, "relu")],
    "batchnorm": lambda: [layers.Dense(WIDTH), layers.BatchNormalization()],
    "dropout": lambda: [layers.Dense(WIDTH), layers.Dropout(0.5)],
    "noise": lambda: [layers.GaussianNoise(0.1)],
    "draws": lambda: [Draws()],
    "norms": lambda: [layers.LayerNormalization(), layers.UnitNormalization()],
    "spectral": lambda: [layers.SpectralNormalization(layers.Dense(WIDTH))],
    "prelu": lambda: [layers.Dense(WIDTH), layers.PReLU()],
    "constrained": lambda: [layers.Dense(WIDTH, kernel_constraint="unit_norm")],
    "regularized": lambda: [layers.Dense(WIDTH, kernel_regularizer="l2")],
    "recurrent": lambda: [layers.Reshape((-1, 1)), layers.LSTM(WIDTH)],
    "convolution": lambda: [
        layers.Reshape((-1, 1)),
        layers.Conv1D(WIDTH, 2, padding="same"),
        layers.Flatten(),
    ],
    "float16": lambda: [layers.Dense(WIDTH, dtype="mixed_float16")],
    "nested": lambda: [_sequential((2,), layers.Dense(2, "tanh"))],
    "lambda": lambda: [layers.Lambda(lambda x: 2.0 * x)],
    "alpha dropout": lambda: [layers.AlphaDropout(0.2)],
}


def _points(units, shape=(2,)):
    found = {
        f"{name}, {maker.__name__.strip('_')}": (
            lambda body=body, maker=maker: maker(shape, *body(), layers.Dense(units))
        )
        for name, body in _BODIES.items()
        for maker in (_sequential, _functional)
    }
    return {
        **found,
        "frozen layer": lambda: _frozen(
            _sequential(shape, layers.Dense(WIDTH), layers.Dense(units)), 0
        ),
        "frozen": lambda: _frozen(_sequential(shape, layers.Dense(units))),
        "wrapped": lambda: _wrapped(shape, units),
        "shared layer": lambda: _shared(shape, units),
        "float64": lambda: _sequential(shape, layers.Dense(units, dtype="float64")),
        "sigmoid": lambda: _sequential(shape, layers.Dense(units, "sigmoid")),
    }


def _conditional(units, order, label_shape, label_dtype, as_dict=False):
    data, labels = (
        keras.Input((2,), name="data"),
        keras.Input(label_shape, dtype=label_dtype, name="labels"),
    )
    told = labels
    if label_dtype != "float32":
        told = layers.Flatten()(layers.Embedding(3, 2)(labels))
    elif not label_shape:
        told = layers.Reshape((1,))(labels)
    outputs = layers.Dense(units)(layers.Concatenate()([data, told]))
    inputs = [data, labels] if order else [labels, data]
    if as_dict:
        inputs = {tensor.name: tensor for tensor in inputs}
    return keras.Model(inputs, outputs)


def _labelled(units):
    return {
        f"labels {shape} {dtype}, {'last' if order else 'first'}"
        f"{', dict' if as_dict else ''}": (
            lambda order=order, shape=shape, dtype=dtype, as_dict=as_dict: _conditional(
                units, order, shape, dtype, as_dict
            )
        )
        for order in (True, False)
        for as_dict in (True, False)
        for shape, dtype in (
            ((), "int32"),
            ((1,), "int64"),
            ((), "float32"),
            ((3,), "float32"),
            ((2,), "float32"),
        )
    }


def _two(*shapes, outputs=1):
    inputs = [keras.Input(shape) for shape in shapes]
    joined = layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    made = [layers.Dense(2)(joined) for _ in range(outputs)]
    return keras.Model(inputs, made[0] if outputs == 1 else made)


# Networks that cannot be, or that fit nothing else here.
_WRONG = {
    "not built": lambda: keras.Sequential([layers.Dense(1)]),
    "empty": lambda: keras.Sequential(),
    "only an input": lambda: keras.Sequential([keras.Input((2,))]),
    "subclassed": lambda: _Subclassed(1),
    "three inputs": lambda: _two((2,), (2,), (2,)),
    "two outputs": lambda: _two((2,), outputs=2),
    "fixed batch": lambda: keras.Sequential(
        [keras.Input((2,), batch_size=3), layers.Dense(1)]
    ),
    "scalar input": lambda: _functional((), layers.Reshape((1,)), layers.Dense(1)),
    "open input": lambda: _functional((None,), layers.Embedding(3, 2)),
    "open sequence": lambda: _functional((None, 2), layers.LSTM(1)),
    "no units": lambda: _sequential((2,), layers.Dense(1), layers.Flatten()),
    "integers": lambda: _functional((2,), layers.Embedding(3, 1), layers.Flatten()),
    "integer output": lambda: _functional(
        (2,), layers.Dense(2), lambda x: keras.ops.cast(x, "int32")
    ),
    "hidden integer output": lambda: _functional(
        (2,), layers.Dense(2), layers.Lambda(lambda x: keras.ops.cast(x, "int32"))
    ),
    "text input": lambda: keras.Model(
        *(2 * [keras.Input((2,), dtype="string")])  # Given back as it is.
    ),
    "a layer": lambda: layers.Dense(1),
    "a class": lambda: keras.Model,
    "a function": lambda: len,
    "None": lambda: None,
    "text": lambda: "x",
    "images": lambda: _sequential(
        (4, 4, 1), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)
    ),
    "image maker": lambda: _sequential(
        (2,),
        layers.Dense(4),
        layers.Reshape((2, 2, 1)),
        layers.Conv2DTranspose(1, 2, 2),
    ),
}

DISCRIMINATORS = {**_points(1), **_labelled(1), **_WRONG}
GENERATORS = {
    **_points(2),
    **_labelled(2),
    **_WRONG,
    "deep latents": lambda: _functional((2, 2), layers.Flatten(), layers.Dense(2)),
    "wide": lambda: _sequential((2,), layers.Dense(3)),
}


def pair():
    """A small pair of plain networks, new at every call."""
    return (
        _sequential((2,), layers.Dense(WIDTH, "relu"), layers.Dense(1)),
        _sequential((3,), layers.Dense(2)),
    )


def conditional_pair():
    """A pair of networks that take class numbers from 0 to 2."""
    return _conditional(1, True, (), "int32"), _conditional(2, True, (), "int32")
