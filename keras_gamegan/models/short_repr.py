"""What a model says of itself in one line."""

from typing import Any

import tensorflow as tf


class ShortRepr:
    """Gives a model a representation of one line: method, payoff, sizes, progress."""

    def __repr__(self) -> str:
        model: Any = self
        # Errors name models that their constructor has not finished.
        if getattr(model, "_trackers", None) is None:
            return f"<{type(self).__name__}, not built>"
        parts = [str(model.updates), "not compiled"]
        if model.compiled:
            parts[1] = " + ".join(
                repr(each).removesuffix("()")
                for each in model._played().values()
                if each is not None
            )
        parts = [part for part in parts if part]
        sizes = [
            _number(network.count_params())
            for network in (model.maximizer, model.minimizer)
        ]
        parts.append(f"{' + '.join(sizes)} parameters")
        # While a graph is built there is no number of steps.
        if tf.executing_eagerly():
            parts.append(f"step {model.num_steps}")
        return f"<{type(self).__name__} {', '.join(parts)}>"


def _number(count: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return str(count)
