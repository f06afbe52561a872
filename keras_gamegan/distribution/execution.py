"""What Keras cannot run under a strategy: several steps in one execution, or XLA."""

import tensorflow as tf


def check_steps_per_execution(
    strategy: tf.distribute.Strategy, steps_per_execution: int
) -> None:
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


def check_jit_compile(
    strategy: tf.distribute.Strategy, jit_compile: bool | str
) -> None:
    """Raises where XLA would fail on variables that another device holds.

    Keras compiles the step of all replicas as one: `jit_compile=True` fits no model
    under a MirroredStrategy of several devices. The tests say when it has learnt it.

    Args:
        strategy: The strategy the model was made under.
        jit_compile: As in `compile`.

    Raises:
        ValueError: If the two do not go together.
    """
    several = strategy.num_replicas_in_sync > 1
    on_tpu = isinstance(strategy, tf.distribute.TPUStrategy)
    if jit_compile is not True or not several or on_tpu:
        return
    devices = strategy.extended.worker_devices
    if len(devices) > 1:
        raise ValueError(
            '`jit_compile` must be False or "auto" under a strategy of several '
            "devices: Keras compiles the step of all of them as one, which XLA cannot. "
            f"Received: jit_compile=True on {len(devices)} devices. Leave it out of "
            "compile()."
        )
