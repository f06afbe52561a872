"""What a `FictitiousGAN` remembers."""

from typing import Any

import keras

from keras_gamegan import representation, validation
from keras_gamegan.games import retention as retention_rules
from keras_gamegan.games import sides, tensor_history
from keras_gamegan.games.structures import Player
from keras_gamegan.history import intervals
from keras_gamegan.typing import Config

WEIGHTS = ("uniform", "geometric", "nash")
DTYPES = ("float32", "bfloat16", "float16")
# Each is a whole model, and what samples their mixture has a branch for each.
MAX_CAPACITY = 2**16


class History:
    """How historical models are kept, and how much they count.

    Args:
        capacity: Models kept of a player, the live one included, from 1 to 65,536 and
            to what fits into memory. With 1 the method is the base GAN. Default: 5.
        interval: Training steps between snapshots, >= 1; a `kgg.history.Interval`, for
            instance `kgg.history.GrowingInterval(10)`; or None, snapshots are taken by
            `bank.push()` alone. Default: 100.
        retention: Which model gives way to a new one: "fifo", "geometric", "thinned",
            "reservoir", or a `kgg.games.retention.Retention`. Default: "geometric".
        current_weight: Probability of the live opponent once there are stored ones, in
            [0, 1]; the stored ones share the rest. None: it counts as the newest of
            them, with "uniform" weights fictitious play's uniform mixture.
            Default: 0.5.
        side: Whose history is used: "both"; "discriminator", the generator faces old
            discriminators; or "generator", the discriminator faces old generators.
            Default: "both".
        answered: Which of these the opponent answers: "both"; "discriminator", the
            generator answers old discriminators, and the discriminator the live
            generator alone; "generator"; or "none". A history that is not answered is
            kept to be sampled, saved and served, as `source="mixture"`, and changes
            nothing else: with "none" the run is that of `GAN`. Where data shift, that
            and `retention="thinned"` remember best (`docs/results/theory.md`).
            Default: "both".
        weights: How the stored models share their part: "uniform", equally;
            "geometric", each one `decay` times as much as the next newer one; "nash",
            as `bank.assign_probabilities` last said, of all members and the live one
            (`current_weight` does not count then), uniformly before that.
            Default: "uniform".
        decay: Ratio of the "geometric" weights, in (0, 1]. Default: 0.9.
        slices: Members that one batch is split over with `mixture="sliced"`, >= 1; a
            divisor of the batch size of every replica. Default: 4.
        dtype: Dtype that floating weights and state are stored in: "float32",
            "bfloat16", "float16", or None, that of the network. Half the width halves
            the memory and rounds: by at most 2^-11 ("float16") or 2^-8 ("bfloat16") of
            the number; in float16, numbers below 2^-14 in size by at most 2^-14. A
            number too large for the dtype (65504 in float16) is stored as the largest
            one, not as infinity. The live model trains and is played with its exact
            weights. Default: None.

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.History(capacity=8, interval=50).capacity
        8

    References:
        Ge, Xia, Chen, Berry, Wu: "Fictitious GAN: Training GANs with Historical
        Models", 2018.
    """

    def __init__(
        self,
        capacity: int = 5,
        interval: int | intervals.Interval | None = 100,
        retention: str | retention_rules.Retention = "geometric",
        current_weight: float | None = 0.5,
        side: str = "both",
        *,
        weights: str = "uniform",
        decay: float = 0.9,
        slices: int = 4,
        dtype: str | None = None,
        answered: str = "both",
    ) -> None:
        self.capacity = validation.check_integer(
            "capacity",
            capacity,
            1,
            "1 keeps the live model alone; each is a whole model.",
            MAX_CAPACITY,
        )
        intervals.get(interval)
        self.interval = interval
        self.retention = retention_rules.get(retention)
        self.current_weight = current_weight
        if current_weight is not None:
            self.current_weight = validation.check_number(
                "current_weight", current_weight, 0.0, 1.0, hint="None: all equally."
            )
        self.side = sides.check_side(side)
        names = (*sides.NAMES, "none")
        self.answered = validation.check_choice("answered", answered, names)
        if answered != "none" and not any(self.answered_sides):
            raise ValueError(
                "What is answered must be kept, or the players play without a history. "
                f"Received: answered={answered!r} with side={side!r}. Pass "
                "side='both', or answered='none'."
            )
        self.weights = validation.check_choice("weights", weights, WEIGHTS)
        self.decay = validation.check_number(
            "decay", decay, 0.0, 1.0, exclusive=True, hint="1: all stored ones equally."
        )
        self.slices = validation.check_integer(
            "slices", slices, 1, "1: one member for the whole batch."
        )
        self.dtype = dtype
        if dtype is not None:
            validation.check_choice(
                "dtype", dtype, DTYPES, "None: the dtype of the network."
            )

    @property
    def sides(self) -> tuple[bool, bool]:
        """Whether the minimiser's and the maximiser's past are kept."""
        return sides.chosen(self.side)

    @property
    def answered_sides(self) -> tuple[bool, bool]:
        """Whether the minimiser's past is answered, and the maximiser's."""
        of_u, of_v = (
            is_kept and is_answered
            for is_kept, is_answered in zip(
                self.sides, sides.chosen(self.answered), strict=True
            )
        )
        return of_u, of_v

    @property
    def fading(self) -> float | None:
        """Factor from one model's weight to the next older one's; None: all alike."""
        return self.decay if self.weights == "geometric" else None

    def begin(
        self, u: Player, v: Player, mixture: str, seed: int
    ) -> tuple[
        tensor_history.TensorHistory | None, tensor_history.TensorHistory | None
    ]:
        """Returns the histories of both players, as immutable tensors.

        Args:
            u: The minimising `Player`, with which its history begins.
            v: The maximising `Player`, likewise.
            mixture: "sampled", "sliced" or "full", as in `FictitiousGAN`.
            seed: Integer seed of retention and of the draws.

        Returns:
            A pair of `games.tensor_history.TensorHistory`; None for a side without one.

        Raises:
            ValueError: If the weights are "nash", which a callback sets in a model.

        Example:
            >>> import keras_gamegan as kgg
            >>> settings = kgg.History(capacity=3, interval=1)
            >>> players = kgg.games.schemes.players(1.0, 2.0)
            >>> [each.capacity for each in settings.begin(*players, "full", 0)]
            [3, 3]
        """
        if self.weights == "nash":
            raise ValueError(
                "Weights of an equilibrium are set by the callback NashMixture, in the "
                "banks of a model. Received: weights='nash' outside of one. Use "
                "'uniform' or 'geometric'."
            )
        return tuple(  # type: ignore[return-value]
            tensor_history.TensorHistory(
                player,
                self.capacity,
                interval=intervals.get(self.interval),
                retention_rule=self.retention,
                current_weight=self.current_weight,
                mixture=mixture,
                seed=side_seed(seed, index),
                decay=self.fading,
                slices=self.slices,
            )
            if is_kept
            else None
            for index, (is_kept, player) in enumerate(
                zip(self.sides, (u, v), strict=True)
            )
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        rule = self.retention
        named = rule.name in retention_rules.NAMES and type(rule) is type(
            retention_rules.get(rule.name)
        )
        return {
            "capacity": self.capacity,
            "interval": self.interval,
            "retention": rule.name if named else rule,
            "current_weight": self.current_weight,
            "side": self.side,
            "weights": self.weights,
            "decay": self.decay,
            "slices": self.slices,
            "dtype": self.dtype,
            "answered": self.answered,
        }

    @classmethod
    def from_config(cls, config: Config) -> "History":
        """Returns the object that `get_config` described."""
        config = dict(config)
        for name in ("retention", "interval"):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return False
        mine, theirs = (_plain(each) for each in (self, other))
        return mine == theirs

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return representation.short(self)


def _plain(settings: "History") -> dict[str, Any]:
    """Returns the configuration, objects in it described as Keras describes them."""
    return {
        name: keras.saving.serialize_keras_object(value)
        for name, value in settings.get_config().items()
    }


def side_seed(seed: int, side: int) -> int:
    """Returns the seed of one side's history: 0 the minimiser's, 1 the maximiser's.

    The two draw independently; what an int64 cannot hold wraps around.
    """
    return (2 * seed + side) % 2**63
