"""From the names of penalties, and lists of them, to the objects."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.payoffs.penalties.penalty import Penalty
from keras_gamegan.payoffs.penalties.slopes import R1, R2, GradientPenalty
from keras_gamegan.typing import Config

_PENALTIES: dict[str, Callable[[], Penalty]] = {
    "r1": R1,
    "r2": R2,
    "gradient_penalty": GradientPenalty,
}
NAMES = tuple(_PENALTIES)


def get(penalty: str | Penalty | None) -> Penalty | None:
    """Returns a `Penalty`, or None, from a name, an object or None.

    Args:
        penalty: None, "r1", "r2", "gradient_penalty", a `Penalty` object, or a list of
            such: their sum.

    Returns:
        A `Penalty` or None.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.penalties.get("r1").weight
        1.0
    """
    if penalty is None or isinstance(penalty, Penalty):
        return penalty
    if isinstance(penalty, (list, tuple)):
        return Sum(penalty)
    validation.check_choice(
        "penalty", penalty, NAMES, "None and kgg.penalties.Penalty objects work too."
    )
    return _PENALTIES[penalty]()


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Sum(Penalty):
    """The sum of several penalties; `compile` takes a list of them for it.

    Args:
        penalties: List of names or `Penalty` objects, at least one, with one `every`.

    Raises:
        ValueError: If there is none, or they are taken on different examples.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.penalties.get(["r1", kgg.penalties.R2(0.5)])
        Sum(penalties=[R1(), R2(weight=0.5)])
    """

    def __init__(self, penalties: Sequence[str | Penalty]) -> None:
        self.penalties: list[Any] = [get(each) for each in penalties]
        found = {each.every for each in self.penalties if each is not None}
        if None in self.penalties or len(found) != 1:
            raise ValueError(
                "A sum of penalties must have some, all taken on the same examples. "
                f"Received: penalties={self.penalties}. Give all the same `every`."
            )
        (self.every,) = found

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: Any,
    ) -> tf.Tensor:
        """Returns the sum of each example; see `Penalty`."""
        return tf.add_n(
            [each(logits_fn, real, fake, uniform) for each in self.penalties]
        )

    def at(self, step: Any) -> "Sum":
        """Returns the sum of the penalties as they are at a train step."""
        return Sum([each.at(step) for each in self.penalties])

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"penalties": self.penalties}

    @classmethod
    def from_config(cls, config: Config) -> "Sum":
        """Returns the penalty that `get_config` described."""
        deserialize = keras.saving.deserialize_keras_object
        return cls(
            [
                deserialize(each) if isinstance(each, dict) else each
                for each in config["penalties"]
            ]
        )
