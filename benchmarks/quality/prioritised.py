"""Prioritised fictitious play: strong opponents of the past are answered more often."""

import copy

import tensorflow as tf

from keras_gamegan.games import schemes, structures
from keras_gamegan.games.schemes import scheme


class Prioritised(schemes.FictitiousPlay):
    """Fictitious play in which u answers a stored v_j the likelier, the stronger it is.

    At every step one v_j is drawn, the live one among them, in proportion to
    exp(M(u, v_j) / temperature): at temperature 0 the strongest, the maximum over the
    bank. v answers as in `FictitiousPlay`. A step looks at the value of all members.

    Args:
        history: A `kgg.History`.
        temperature: In nats, >= 0.

    References:
        Vinyals et al.: "Grandmaster level in StarCraft II using multi-agent
        reinforcement learning", 2019 (prioritised opponents of a league).
    """

    def __init__(self, history, temperature):
        # The mixture of all members, of which one is answered then.
        super().__init__(history, mixture="full")
        self.temperature = temperature
        self._value = None

    def step(self, game, u, v, state, stepper, batch_fn=None):
        """Updates both players once; see `Scheme.step`."""
        played = copy.copy(self)
        batch = scheme.draw(batch_fn, 0)
        played._value = lambda member: game.value(u, member, batch)
        return super(Prioritised, played).step(game, u, v, state, stepper, batch_fn)

    def opponents_of_minimizer(self, v, state):
        """Returns the one historical maximiser that is answered, a `Mixture`."""
        members, stored, _ = super().opponents_of_minimizer(v, state)
        values = tf.stack([self._value(member) for member in members])
        which = chosen(values, stored, self.temperature)
        return structures.pure(
            tf.nest.map_structure(lambda *each: tf.stack(each)[which], *members)
        )


def chosen(values, stored, temperature):
    """Returns the index of the member that is answered.

    Args:
        values: Tensor (members,), what each holds against the player.
        stored: Tensor (members,), 0 where a slot of the bank is empty.
        temperature: In the unit of values; 0: the strongest.
    """
    values = tf.where(stored > 0, values, values.dtype.min)
    if temperature == 0:
        return tf.argmax(values)
    # Seeded by the run's global seed.
    return tf.random.categorical(values[None] / temperature, 1)[0, 0]
