"""What Keras cannot run under a strategy: several steps in one execution."""

import tensorflow as tf


def check_steps_per_execution(strategy, steps_per_execution):
    """Raises where Keras 3.15 would fail in the middle of a graph.

    Keras runs the steps inside a `tf.cond`, where an all-reduce of MirroredStrategy
    cannot stand: no model with `steps_per_execution` above 1 fits on two replicas. The
    tests say when Keras has learnt it. TPUStrategy, whose collectives can, is let pass.

    Args:
        strategy: The strategy the model was made under.
        steps_per_execution: As in `compile`.

    Raises:
        ValueError: If the two do not go together.
    """
    several = strategy.num_replicas_in_sync > 1
    on_tpu = isinstance(strategy, tf.distribute.TPUStrategy)
    if steps_per_execution > 1 and several and not on_tpu:
        raise ValueError(
            "`steps_per_execution` must be 1 under a strategy of several replicas: "
            "Keras cannot put their communication inside its loop of steps. "
            f"Received: steps_per_execution={steps_per_execution} on "
            f"{strategy.num_replicas_in_sync} replicas. Leave it out of compile()."
        )
