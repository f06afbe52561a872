"""What a model says of itself in one line."""

from typing import Any


class ShortRepr:
    """Gives a `GAN` a representation of one line: method, payoff, sizes, progress."""

    def __repr__(self) -> str:
        model: Any = self
        parts = [model.updates, "not compiled"]
        if model.compiled:
            parts[1] = " + ".join(
                repr(each).removesuffix("()")
                for each in (model.payoff, model.penalty)
                if each is not None
            )
        sizes = [
            _number(network.count_params())
            for network in (model.discriminator, model.generator)
        ]
        parts.append(f"{' + '.join(sizes)} parameters")
        return f"<{type(self).__name__} {', '.join(parts)}, step {model.num_steps}>"


def _number(count: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return str(count)
