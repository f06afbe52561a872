"""Stored models as candidates for the worst player: no search, only a choice."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from keras_gamegan.games.structures import Player
from keras_gamegan.history import WeightBank
from keras_gamegan.stateless_network import StatelessNetwork

# What `check` returns.
Snapshots: TypeAlias = str | list[Any]


def check(gan: Any, snapshots: Any) -> Snapshots:
    """Returns `snapshots` as "bank" or a list, or raises if it can be neither.

    Args:
        gan: A `GAN`.
        snapshots: As in `kgg.duality_gap`, not None.

    Raises:
        ValueError: If the model keeps no history, or the weights do not fit it.
    """
    if snapshots is True or (isinstance(snapshots, str) and snapshots == "bank"):
        if gan.minimizer_bank is None and gan.maximizer_bank is None:
            raise ValueError(
                'snapshots="bank" chooses among the models that a history keeps. '
                f"Received: a {type(gan).__name__} without one. Use "
                "kgg.FictitiousGAN(..., history=kgg.History(capacity=...)), or pass "
                "snapshots=[(discriminator.get_weights(), generator.get_weights()), "
                "...]."
            )
        return "bank"
    if not isinstance(snapshots, (list, tuple)) or not snapshots:
        raise ValueError(
            '`snapshots` must be None, True, "bank" or a list of pairs (discriminator '
            f"weights, generator weights). Received: snapshots={snapshots!r}."
        )
    for index, snapshot in enumerate(snapshots):
        if not isinstance(snapshot, (list, tuple)) or len(snapshot) != 2:
            raise ValueError(
                "`snapshots` must hold pairs (discriminator weights, generator "
                f"weights). Received: something else at index {index}. Pass "
                "(discriminator.get_weights(), generator.get_weights())."
            )
        for model, weights in zip(
            (gan.maximizer, gan.minimizer), snapshot, strict=True
        ):
            expected = [tuple(variable.shape) for variable in model.weights]
            found = [np.shape(weight) for weight in weights]
            if found != expected:
                raise ValueError(
                    "A snapshot's weights must be those of get_weights() of the same "
                    f"network. Received: for {model.name!r}, at index {index}, arrays "
                    f"of shapes {found}, not {expected}."
                )
    return list(snapshots)


def candidates(gan: Any, snapshots: Snapshots) -> list[Player]:
    """Returns two stacked `Player`s, minimisers and maximisers, the live one last.

    Args:
        gan: A `GAN`.
        snapshots: What `check` returned.
    """
    sides = []
    for index, name in ((1, "minimizer"), (0, "maximizer")):
        network = getattr(gan, f"{name}_network")
        if snapshots == "bank":
            bank = getattr(gan, f"{name}_bank")
            stored = None if bank is None else _members(bank)
        else:
            stored = _stacked(network, [pair[index] for pair in snapshots])
        live = tf.nest.map_structure(lambda leaf: leaf[tf.newaxis], network.player())
        if stored is not None:
            live = tf.nest.map_structure(
                lambda *leaves: tf.concat(leaves, axis=0), stored, live
            )
        sides.append(live)
    return sides


def worst(candidates: Player, value_fn: Callable[[Player], tf.Tensor]) -> Player:
    """Returns the `Player` of the largest value among stacked candidates.

    Args:
        candidates: A `Player` whose leaves have a leading axis.
        value_fn: Function ``Player -> scalar``.
    """
    leaf = tf.nest.flatten(candidates)[0]
    values = tf.map_fn(value_fn, candidates, fn_output_signature=leaf.dtype)
    index = tf.argmax(values)
    return tf.nest.map_structure(lambda leaf: tf.gather(leaf, index), candidates)


def specification(network: StatelessNetwork) -> Player:
    """Returns the `Player` of tensor specifications of stacked candidates."""
    return tf.nest.map_structure(
        lambda leaf: tf.TensorSpec([None, *leaf.shape], leaf.dtype), network.player()
    )


def _members(bank: WeightBank) -> Player:
    """Returns the models of a bank, stacked."""
    filled = np.flatnonzero(np.array(bank.slots().ordinals) >= 0)
    return bank.member(tf.constant(filled, tf.int64))


def _stacked(network: StatelessNetwork, snapshots: Sequence[Any]) -> Player:
    """Returns lists of weights in the order of `get_weights` as a stacked `Player`."""
    return network.pack(
        {
            id(variable): tf.constant(
                np.stack([np.asarray(weights[place]) for weights in snapshots]),
                variable.dtype,
            )
            for place, variable in enumerate(network.model.weights)
        }
    )
