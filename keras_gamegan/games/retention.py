"""Which historical model gives way to a new one: the retention rules of a bank.

A bank has a fixed number of slots. One of them, the head, belongs to the live model;
the others hold models frozen at earlier pushes, numbered by their *ordinal* 0, 1, 2...
At a push the head is frozen and a rule picks the slot that the live model moves to;
picking the head itself drops the model that was just frozen.

The rules are pure functions of tensors, so that the finite-support game, a closed-form
game and a bank of network weights retain the same models.

References:
    Ge, Xia, Chen, Berry, Wu: "Fictitious GAN: Training GANs with Historical Models",
    2018 (a short window). Vitter: "Random Sampling with a Reservoir", 1985.
"""

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.typing import Config, TensorLike

_EMPTY = -1


class Retention:
    """A retention rule. Subclass it and define `occupied_slot` for one of your own.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> rule = kgg.games.retention.get("fifo")
        >>> ordinals = tf.constant([3, 1, 2], tf.int64)   # slot 0 is the head
        >>> int(rule.slot(ordinals, head=0, count=3, uniform_number=0.5))
        1
    """

    name: str | None = None

    def slot(
        self,
        ordinals: TensorLike,
        head: TensorLike,
        count: TensorLike,
        uniform_number: TensorLike,
    ) -> tf.Tensor:
        """Returns the slot the live model moves to at a push.

        Args:
            ordinals: int64 tensor (capacity,): ordinal of the model in each slot, -1
                where it is empty. The head's is the largest.
            head: int64 scalar, the live model's slot.
            count: int64 scalar, ordinal of the head: pushes so far.
            uniform_number: Scalar on [0, 1), this push's random number.

        Returns:
            int64 scalar in [0, capacity): the first empty slot while there is one, then
            what the rule says.
        """
        ordinals = tf.convert_to_tensor(ordinals)
        head = tf.cast(head, tf.int64)
        count = tf.cast(count, tf.int64)
        empty = tf.equal(ordinals, _EMPTY)
        return tf.where(
            tf.reduce_any(empty),
            tf.argmax(tf.cast(empty, tf.int32), output_type=tf.int64),
            self.occupied_slot(ordinals, head, count, uniform_number),
        )

    def occupied_slot(
        self,
        ordinals: tf.Tensor,
        head: tf.Tensor,
        count: tf.Tensor,
        uniform_number: TensorLike,
    ) -> tf.Tensor:
        """Returns the slot to give up when all are taken; arguments as in `slot`."""
        raise TypeError(
            f"{type(self).__name__} is not a rule yet: a subclass of Retention must "
            "define occupied_slot(ordinals, head, count, uniform_number)."
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "Retention":
        """Returns the rule that `get_config` described."""
        return cls(**config)


class Fifo(Retention):
    """The last `capacity` models: the oldest goes.

    Cheap, and good for a short-lag average; but no fictitious play: with best
    responses its mixture cycles at a period of about the capacity, however large.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> rule = kgg.games.retention.Fifo()
        >>> ordinals = tf.constant([3, 1, 2], tf.int64)   # slot 0 is the head
        >>> int(rule.slot(ordinals, head=0, count=3, uniform_number=0.5))
        1
    """

    name = "fifo"

    def occupied_slot(
        self,
        ordinals: tf.Tensor,
        head: tf.Tensor,
        count: tf.Tensor,
        uniform_number: TensorLike,
    ) -> tf.Tensor:
        """Returns the slot to give up, see `Retention.slot`."""
        return tf.argmin(ordinals, output_type=tf.int64)


class Geometric(Retention):
    """A slot drawn uniformly goes: ages are geometric at rate 1 / capacity.

    A frozen model survives a push with probability 1 - 1 / capacity, so old models
    fade evenly and none is kept, or dropped, for certain.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> rule = kgg.games.retention.Geometric()
        >>> ordinals = tf.constant([3, 1, 2], tf.int64)
        >>> [int(rule.slot(ordinals, 0, 3, number)) for number in (0.1, 0.5, 0.9)]
        [0, 1, 2]
    """

    name = "geometric"

    def occupied_slot(
        self,
        ordinals: tf.Tensor,
        head: tf.Tensor,
        count: tf.Tensor,
        uniform_number: TensorLike,
    ) -> tf.Tensor:
        """Returns the slot to give up, see `Retention.slot`."""
        capacity = tf.size(ordinals, tf.int64)
        number = tf.cast(uniform_number, tf.float64)
        drawn = tf.cast(number * tf.cast(capacity, tf.float64), tf.int64)
        return tf.minimum(drawn, capacity - 1)


class Thinned(Retention):
    """The whole history at an even spacing, which doubles when the bank is full.

    With spacing s the models of ordinal 0, s, 2s, ... stay; s is the smallest power of
    two for which they, up to the last push, leave the live model a slot.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> rule = kgg.games.retention.Thinned()
        >>> ordinals = tf.constant([0, 1, 2, 3], tf.int64)   # slot 3 is the head
        >>> int(rule.slot(ordinals, head=3, count=3, uniform_number=0.5))
        3
        >>> ordinals = tf.constant([0, 1, 2, 4], tf.int64)   # 4 is to stay, 1 goes
        >>> int(rule.slot(ordinals, head=3, count=4, uniform_number=0.5))
        1
    """

    name = "thinned"

    def occupied_slot(
        self,
        ordinals: tf.Tensor,
        head: tf.Tensor,
        count: tf.Tensor,
        uniform_number: TensorLike,
    ) -> tf.Tensor:
        """Returns the slot to give up, see `Retention.slot`."""
        kept_at_most = tf.maximum(tf.size(ordinals, tf.int64) - 1, 1)
        # Smallest power of two s with floor(count / s) + 1 <= kept_at_most, looked up
        # among all of them: no loop, no rounding.
        spacings = tf.constant([2**power for power in range(62)], tf.int64)
        fits = count // spacings + 1 <= kept_at_most
        spacing = tf.reduce_min(tf.where(fits, spacings, spacings[-1]))
        off_grid = tf.not_equal(ordinals % spacing, 0)
        youngest_off_grid = tf.argmax(
            tf.where(
                off_grid,
                ordinals,
                tf.fill(tf.shape(ordinals), tf.constant(-1, tf.int64)),
            ),
            output_type=tf.int64,
        )
        return tf.where(tf.reduce_any(off_grid), youngest_off_grid, head)


class Reservoir(Retention):
    """A uniform sample of the whole history: each frozen model is equally likely in it.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> rule = kgg.games.retention.Reservoir()
        >>> ordinals = tf.constant([9, 4, 7], tf.int64)   # 10 models, 2 frozen slots
        >>> [int(rule.slot(ordinals, 0, 9, number)) for number in (0.05, 0.15, 0.25)]
        [1, 2, 0]

    References:
        Vitter: "Random Sampling with a Reservoir", 1985 (algorithm R).
    """

    name = "reservoir"

    def occupied_slot(
        self,
        ordinals: tf.Tensor,
        head: tf.Tensor,
        count: tf.Tensor,
        uniform_number: TensorLike,
    ) -> tf.Tensor:
        """Returns the slot to give up, see `Retention.slot`."""
        # The frozen model, the count-th after the first, stays with probability
        # (slots for frozen models) / (frozen models so far); a frozen slot then goes.
        frozen_slots = tf.cast(tf.size(ordinals) - 1, tf.float64)
        frozen_models = tf.cast(count + 1, tf.float64)
        drawn = tf.cast(tf.cast(uniform_number, tf.float64) * frozen_models, tf.int64)
        stays = tf.cast(drawn, tf.float64) < frozen_slots
        # Frozen slots are all but the head: skip over it.
        victim = drawn + tf.cast(drawn >= head, tf.int64)
        return tf.where(stays, victim, head)


_RULES: dict[str, type[Retention]] = {
    "fifo": Fifo,
    "geometric": Geometric,
    "thinned": Thinned,
    "reservoir": Reservoir,
}
NAMES = tuple(_RULES)


def get(rule: str | Retention) -> Retention:
    """Returns a `Retention` from a name or a rule.

    Args:
        rule: "fifo", "geometric", "thinned", "reservoir", or a `Retention`.

    Returns:
        A `Retention`.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.retention.get("thinned").name
        'thinned'
    """
    if isinstance(rule, Retention):
        return rule
    validation.check_choice(
        "retention", rule, NAMES, "An instance of a Retention subclass works too."
    )
    return _RULES[rule]()
