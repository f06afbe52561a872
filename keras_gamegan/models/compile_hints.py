"""What `compile` takes, and what to pass instead of what it does not take."""

from typing import Any

from keras_gamegan import validation
from keras_gamegan.models.roles import Roles

_INSTEAD = {
    "optimizer": "A GAN has two optimizers: pass d_optimizer= and g_optimizer=.",
    "discriminator_optimizer": "Pass d_optimizer=.",
    "generator_optimizer": "Pass g_optimizer=.",
    "disc_optimizer": "Pass d_optimizer=.",
    "gen_optimizer": "Pass g_optimizer=.",
    "loss_fn": 'Pass loss=: loss="non_saturating" is binary cross-entropy on logits.',
    "d_loss_fn": "Pass loss=, a name or kgg.Payoff that has both players' terms.",
    "g_loss_fn": "Pass loss=, a name or kgg.Payoff that has both players' terms.",
    "loss_weights": "A GAN has one game: pass loss=, and penalty= with a weight.",
    "metrics": (
        "The losses and the value are logged; for more, pass the callback "
        "kgg.callbacks.Evaluate(metric) to fit, such as kgg.metrics.FrechetDistance."
    ),
    "weighted_metrics": "Pass the callback kgg.callbacks.Evaluate(metric) to fit.",
    "augment": "Augmentation belongs to the model: kgg.GAN(..., augment=...).",
    "updates": "A scheme belongs to the model: kgg.GAN(..., updates=...).",
    "average_decay": "The average belongs to the model: kgg.GAN(..., average_decay=).",
    "seed": "The seed belongs to the model: kgg.GAN(..., seed=0).",
}
_OF_ANY_GAME = {
    "optimizer": (
        "There are two optimizers: pass minimizer_optimizer= and maximizer_optimizer=."
    ),
    "d_optimizer": "Pass maximizer_optimizer=.",
    "g_optimizer": "Pass minimizer_optimizer=.",
    "loss": "The game says what each player descends: pass it to the constructor.",
    "penalty": "Subtract it from the game's value, or add it to the maximizer_loss.",
    "metrics": (
        "The losses and the value are logged; measure more with model.predict, or in "
        "a callback."
    ),
}
_OPTIONS = "run_eagerly, steps_per_execution, jit_compile, auto_scale_loss"


def check(unknown: Any, roles: Roles) -> None:
    """Raises if `compile` got an argument that it does not take.

    Args:
        unknown: Names of such arguments.
        roles: `roles.Roles` of the model.

    Raises:
        TypeError: If there are any; the message says what to pass instead.
    """
    if not unknown:
        return
    is_gan = roles.maximizer == "discriminator"
    instead = _INSTEAD if is_gan else _OF_ANY_GAME
    hints = " ".join(instead[name] for name in unknown if name in instead)
    names = [roles.maximizer_optimizer, roles.minimizer_optimizer]
    names += ["loss", "penalty"] if is_gan else []
    raise TypeError(
        f"compile() of a {'GAN' if is_gan else 'two-player model'} takes "
        f"{', '.join(names)}, {_OPTIONS}. "
        f"Received: {', '.join(f'{name}=' for name in unknown)}. "
        f"{hints or 'Check the spelling.'}"
    )


def check_options(
    run_eagerly: bool,
    steps_per_execution: int,
    jit_compile: bool | str,
    auto_scale_loss: bool,
) -> None:
    """Raises unless the options that `compile` hands on to Keras can be meant.

    Args:
        run_eagerly: As in `compile`.
        steps_per_execution: As in `compile`.
        jit_compile: As in `compile`.
        auto_scale_loss: As in `compile`.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If one is out of range.
    """
    validation.check_flag("run_eagerly", run_eagerly)
    validation.check_integer("steps_per_execution", steps_per_execution)
    validation.check_flag(
        "jit_compile",
        jit_compile,
        (True, False, "auto"),
        "True compiles the train step with XLA.",
    )
    validation.check_flag("auto_scale_loss", auto_scale_loss)
