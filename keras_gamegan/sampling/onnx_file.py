"""A generator as an ONNX file, through Keras' own export."""

import importlib.util
import pathlib
import warnings

import keras
import tensorflow as tf

from keras_gamegan import optional

_PACKAGES = ("tf2onnx", "onnx")


def check(
    model: keras.Model,
    source: str,
    score: bool,
    version: int | str | None,
    warmup: bool | None,
) -> None:
    """Raises unless the source can be written as ONNX here.

    Args:
        model: A `GAN`.
        source: "current", "average" or "mixture".
        score: As in `GAN.export`.
        version: As in `GAN.export`.
        warmup: As in `GAN.export`.

    Raises:
        ValueError: If it cannot, with the reason.
    """
    if source == "mixture":
        raise ValueError(
            'format="onnx" holds one generator. Received: source="mixture". Use '
            'source="average" or "current", or the SavedModel.'
        )
    for name, value in (("score", score), ("version", version), ("warmup", warmup)):
        if value:
            raise ValueError(
                f"`{name}` belongs to the SavedModel. Received: {name}={value!r} with "
                f'format="onnx". Leave {name} out.'
            )
    dtypes = {layer.compute_dtype for layer in model.generator.layers}
    dtypes.add(tf.as_dtype(model.generator_network.dtype).name)
    if dtypes != {"float32"}:
        raise ValueError(
            'format="onnx" needs a generator that computes in float32 (Keras\' '
            f"exporter asks for it). Received: {', '.join(sorted(dtypes))}. Export "
            "the SavedModel, or build the generator under the float32 policy."
        )
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise optional.missing(missing, "serving", '`export(format="onnx")`')


def write(
    model: keras.Model, path: pathlib.Path, source: str, verbose: bool = False
) -> None:
    """Writes the file: latents [, labels] -> samples, any number of them.

    Args:
        model: A `GAN`.
        path: `pathlib.Path` of the file.
        source: "current" or "average".
        verbose: Whether Keras says where it wrote.
    """
    network = model.generator_network
    # A copy: the live generator keeps its weights.
    copy = keras.models.clone_model(network.model)
    player = model.generator_average if source == "average" else network
    values = network.unpack(player.player())
    copy.set_weights(
        [values[id(variable)].numpy() for variable in network.model.weights]
    )
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for tensor, name in zip(copy.inputs, ("latents", "labels"), strict=False)
    ]
    signature = specs if len(specs) == 1 else [specs]
    with warnings.catch_warnings():
        # Keras asks NumPy for a name that tf2onnx wants and NumPy 2 lacks.
        warnings.filterwarnings("ignore", "In the future `np.", FutureWarning)
        copy.export(
            str(path), format="onnx", input_signature=signature, verbose=verbose
        )
