"""The models a side of a GAN has stored, or its live one where it stores none."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Member:
    """One stored model; its weights stay where they are until they are asked for.

    Attributes:
        side: "generator" or "discriminator".
        step: Training step of its weights, an int.
        age: Training steps since then, an int; 0 for the live model.
        probability: Its probability in the mixture, a float.

    Example:
        >>> import keras_gamegan as kgg
        >>> pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
        >>> gan = kgg.FictitiousGAN(*pair, seed=0)
        >>> live = kgg.Population(gan).generators[-1]
        >>> live.side, live.step, live.age, live.probability
        ('generator', 0, 0, 1.0)
    """

    side: str
    step: int
    age: int
    probability: float
    # What reads the weights as a `Player`, and the `StatelessNetwork` they belong to.
    _read: Any = dataclasses.field(repr=False, compare=False)
    _network: Any = dataclasses.field(repr=False, compare=False)

    @property
    def weights(self) -> list[np.ndarray]:
        """Weights as NumPy arrays, in the order of the network's `get_weights()`.

        Raises:
            RuntimeError: If training has meanwhile put another model in its place.
        """
        values = self._network.unpack(self._read())
        return [np.array(values[id(v)]) for v in self._network.model.weights]


class Side:
    """One side of a GAN: the members of its bank, or the live model alone.

    Args:
        gan: A `GAN`.
        name: "generator" or "discriminator".
    """

    def __init__(self, gan: keras.Model, name: str) -> None:
        self.name = name
        side = gan._roles.names.index(name)
        self.network = (gan.minimizer_network, gan.maximizer_network)[side]
        self.bank = (gan.minimizer_bank, gan.maximizer_bank)[side]
        self._gan = gan

    def order(self) -> np.ndarray:
        """Returns the slots in use, oldest model first: int64 array."""
        if self.bank is None:
            return np.zeros(1, np.int64)
        ordinals = np.array(self.bank.slots().ordinals)
        filled = np.flatnonzero(ordinals >= 0)
        return filled[np.argsort(ordinals[filled])]

    def steps(self) -> np.ndarray:
        """Returns the training step of each model, oldest first: int64 array."""
        if self.bank is None:
            return np.array([self._gan.num_steps], np.int64)
        return self.bank.member_steps

    def player(self, slot: int | tf.Tensor) -> Any:
        """Returns the `Player` in a slot; ``slot`` is an int or an integer tensor."""
        return self.network.player() if self.bank is None else self.bank.member(slot)

    def members(self) -> list[Member]:
        """Returns the list of `Member`, oldest first, the live model last."""
        steps = self.steps()
        probabilities = (
            np.ones(1) if self.bank is None else self.bank.member_probabilities
        )
        return [
            Member(
                self.name,
                int(step),
                int(steps[-1] - step),
                float(probability),
                self._reader(int(slot)),
                self.network,
            )
            for slot, step, probability in zip(
                self.order(), steps, probabilities, strict=True
            )
        ]

    def _reader(self, slot: int) -> Callable[[], Any]:
        if self.bank is None:
            return self.network.player
        bank = self.bank
        ordinal = int(bank.slots().ordinals[slot])

        def read() -> Any:
            if int(tf.gather(bank.slots().ordinals, slot)) != ordinal:
                raise RuntimeError(
                    "A Member reads its weights where they are stored, and training "
                    "has put another model there. Received: a Member of before. Ask "
                    "the Population for its members again, or keep `member.weights`."
                )
            return bank.member(slot)

        return read
