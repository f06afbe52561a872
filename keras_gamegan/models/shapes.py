"""The shape of the data a GAN takes, and what is wrong with data of another."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def data_shape(model: Any) -> tuple[int | None, ...]:
    """Returns the shape of the data both networks agree on, None where it is open.

    A discriminator of open size takes any image; but real ones are concatenated with
    generated ones, so what the generator makes holds for both.

    Args:
        model: A `GAN`.
    """
    judged = model.discriminator_network.main_input.shape
    made = model.generator_network.output.shape
    sizes = zip(judged[1:], made[1:], strict=True)
    return (None, *(b if a is None else a for a, b in sizes))


def compatible(shape: Sequence[int | None], expected: Sequence[int | None]) -> bool:
    """Returns whether two shapes may be the same, None being any size."""
    return len(shape) == len(expected) and all(
        a is None or b is None or a == b for a, b in zip(shape, expected, strict=True)
    )


def check(shape: tf.TensorShape, model: Any) -> None:
    """Raises unless batches of a shape can be trained on.

    Args:
        shape: `tf.TensorShape` of the real data, with the batch's axis.
        model: A `GAN`.

    Raises:
        ValueError: If the shape does not fit, with the hint that fits the difference.
    """
    expected = data_shape(model)
    if shape.rank is None or compatible(tuple(shape), expected):
        return
    whose = "the discriminator takes it"
    if compatible(tuple(shape), model.discriminator_network.main_input.shape):
        whose = "the generator makes it (the discriminator takes any size)"
    raise ValueError(
        f"The data must come in batches of shape {expected}, as {whose}. "
        f"Received: shape {tuple(shape)}. {hint(tuple(shape), expected)}"
    )


def hint(shape: Sequence[int | None], expected: Sequence[int | None]) -> str:
    """Returns how to mend data of one shape for networks of another.

    Args:
        shape: Shape of the data, with the batch's axis.
        expected: Shape that is wanted, likewise.
    """
    missing = len(expected) - len(shape)
    if missing == 1:
        found = _one_axis_less(shape, expected[1:])
    elif missing == 0:
        found = _other_sizes(shape[1:], expected[1:])
    elif missing == -1:
        found = _one_axis_more(shape, expected[1:])
    else:
        found = None
    return (
        found
        or _flattened(shape[1:], expected[1:])
        or "Give the data that shape, or build the networks for this one."
    )


def _one_axis_less(
    shape: Sequence[int | None], wanted: Sequence[int | None]
) -> str | None:
    if compatible(shape, wanted):
        return "Batch the data set: dataset.batch(32). One array: array[None]."
    if len(wanted) > 1 and compatible(shape[1:], wanted[:-1]):
        if wanted[-1] == 1:
            return "Add a channel axis to grey images: images[..., None]."
        return (
            "The images are grey and have no channel axis: "
            f"np.repeat(images[..., None], {wanted[-1]}, axis=-1), or build the "
            "networks for one channel."
        )
    return None


def _one_axis_more(
    shape: Sequence[int | None], wanted: Sequence[int | None]
) -> str | None:
    if shape[-1] == 1 and compatible(shape[1:-1], wanted):
        return "Drop the last axis: np.squeeze(data, axis=-1)."
    if shape[1] == 1 and compatible(shape[2:], wanted):
        return "Drop the second axis: np.squeeze(data, axis=1)."
    if compatible(shape[2:], wanted):
        return "The data seems to be batched twice: leave out one `.batch(...)`."
    return None


def _other_sizes(
    given: Sequence[int | None], wanted: Sequence[int | None]
) -> str | None:
    if len(wanted) == 1:
        return (
            f"The data has {given[0]} coordinates: build the networks for them, for "
            f"instance kgg.networks.mlp_pair(data_dim={given[0]})."
        )
    if compatible((*given[1:], given[0]), wanted):
        return "The channels come first: np.moveaxis(images, 1, -1)."
    if compatible((given[-1], *given[:-1]), wanted):
        return "The networks take the channels first: np.moveaxis(images, -1, 1)."
    if not compatible(given[:-1], wanted[:-1]):
        return (
            "The images have another size: resize them, for instance with "
            f"keras.ops.image.resize(images, {tuple(wanted[:-1])}), or build the "
            "networks for this one."
        )
    return _CHANNELS.get((given[-1], wanted[-1]))


# (Channels of the data, channels wanted) -> what to do.
_CHANNELS: dict[tuple[int | None, int | None], str] = {
    (4, 3): "Images of 4 channels are RGBA as a rule: drop alpha, images[..., :3].",
    (1, 3): (
        "The images are grey: np.repeat(images, 3, axis=-1), or build the networks for "
        "1 channel."
    ),
    (3, 1): (
        "The images are in colour: images.mean(axis=-1, keepdims=True), or build the "
        "networks for 3 channels."
    ),
    (4, 1): "The images are RGBA: images[..., :3].mean(axis=-1, keepdims=True).",
    (2, 1): "The images are grey with alpha: drop that, images[..., :1].",
}


def _flattened(given: Sequence[Any], wanted: Sequence[Any]) -> str | None:
    if None in given or None in wanted or math.prod(given) != math.prod(wanted):
        return None
    return f"The sizes agree: data.reshape({(-1, *wanted)})."
