"""What to pass to `compile` instead of what a Keras model takes and a GAN does not."""

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
}
_TAKEN = (
    "d_optimizer, g_optimizer, loss, penalty, run_eagerly, steps_per_execution, "
    "jit_compile, auto_scale_loss"
)


def check(unknown):
    """Raises if `compile` got an argument that it does not take.

    Args:
        unknown: Names of such arguments.

    Raises:
        TypeError: If there are any; the message says what to pass instead.
    """
    if not unknown:
        return
    hints = " ".join(_INSTEAD[name] for name in unknown if name in _INSTEAD)
    raise TypeError(
        f"compile() of a GAN takes {_TAKEN}. "
        f"Received: {', '.join(f'{name}=' for name in unknown)}. "
        f"{hints or 'Check the spelling.'}"
    )
