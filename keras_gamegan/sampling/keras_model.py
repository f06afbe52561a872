"""One generator of a model as a plain Keras model with weights of its own."""

from typing import Any

import keras
import numpy as np

from keras_gamegan import validation


def make(model: Any, source: str, member: int | None) -> keras.Model:
    """Returns a copy of a generator; see `GAN.make_generator`.

    Args:
        model: A `GAN` that keeps the source.
        source: "current", "average" or "mixture".
        member: Place in the history, oldest first, negative from the end; None but for
            "mixture".
    """
    weights = _weights(model, source, member)
    original = model.generator
    try:
        copy = keras.models.clone_model(original)
        copy.set_weights(weights)
    except Exception as error:
        raise ValueError(
            "A generator is copied by the configurations of its layers. Received: "
            f"{original.name!r}, whose copy failed, as told above. Give layers and "
            "models of your own a get_config() of their constructor's arguments."
        ) from error
    return copy


def _weights(model: Any, source: str, member: int | None) -> list[np.ndarray]:
    if source != "mixture":
        if member is not None:
            raise ValueError(
                '`member` is for source="mixture". Received: '
                f"member={member!r} and source={source!r}. Leave it out."
            )
        network = model.generator_network
        average = source == "average"
        player = model.generator_average.player() if average else network.player()
        values = network.unpack(player)
        return [np.array(values[id(v)]) for v in model.generator.weights]
    members = model.generator_bank.member_weights
    if member is None:
        raise ValueError(
            "A Keras model holds one generator, and a mixture draws one for each "
            'sample. Received: source="mixture" and member=None. Pass the place '
            f"of one, member=0 (the oldest) to {len(members) - 1} (the live one); or "
            'write the whole mixture with export(path, source="mixture").'
        )
    place = validation.check_integer(
        "member",
        member,
        -len(members),
        f"The history holds {len(members)} generators.",
        len(members) - 1,
    )
    return members[place]
