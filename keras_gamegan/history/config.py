"""What a `FictitiousGAN` remembers."""

import keras

from keras_gamegan import validation
from keras_gamegan.games import retention as retention_rules

SIDES = ("both", "discriminator", "generator")


class History:
    """How historical models are kept, and how much they count.

    Args:
        capacity: Models kept of a player, the live one included, >= 1. With 1 the
            method is the base GAN. Default: 5.
        interval: Training steps between snapshots, >= 1. Default: 100.
        retention: Which model gives way to a new one: "fifo", "geometric", "thinned",
            "reservoir", or a `kgg.games.retention.Retention`. Default: "geometric".
        current_weight: Probability of the live opponent once there are stored ones, in
            [0, 1]; the stored ones share the rest equally. None: every member equally,
            fictitious play's uniform mixture. Default: 0.5.
        side: Whose history is used: "both"; "discriminator", the generator faces old
            discriminators; or "generator", the discriminator faces old generators.
            Default: "both".

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
        capacity=5,
        interval=100,
        retention="geometric",
        current_weight=0.5,
        side="both",
    ):
        self.capacity = validation.check_integer(
            "capacity", capacity, 1, "1 keeps the live model alone."
        )
        self.interval = validation.check_integer("interval", interval)
        self.retention = retention_rules.get(retention)
        self.current_weight = current_weight
        if current_weight is not None:
            self.current_weight = validation.check_number(
                "current_weight", current_weight, 0.0, 1.0, hint="None: all equally."
            )
        self.side = validation.check_choice("side", side, SIDES)

    def get_config(self):
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
        }

    @classmethod
    def from_config(cls, config):
        """Returns the object that `get_config` described."""
        config = dict(config)
        if isinstance(config.get("retention"), dict):
            config["retention"] = keras.saving.deserialize_keras_object(
                config["retention"]
            )
        return cls(**config)

    def __repr__(self):
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"History({arguments})"
