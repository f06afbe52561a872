"""What `fit` does around Keras' own: checks, guards, resuming."""

import keras
import tensorflow as tf

from keras_gamegan import version
from keras_gamegan.distribution import agreement, execution, placement, workers
from keras_gamegan.models import checks, guard, resuming, serialization


def fit(model, keras_fit, x, y, epochs, verbose, callbacks, arguments):
    """Trains a GAN with Keras' `fit`, and explains what goes wrong.

    Args:
        model: A `GAN`.
        keras_fit: `keras.Model.fit` of the model.
        x: Data, as in `GAN.fit`.
        y: Labels or None.
        epochs: As in `GAN.fit`.
        verbose: As in `GAN.fit`.
        callbacks: As in `GAN.fit`.
        arguments: Dictionary of further arguments of Keras' `fit`.

    Returns:
        Keras' `History`.

    Raises:
        ValueError: As in `GAN.fit`.
    """
    if not model.compiled:
        raise ValueError(
            "compile() must be called before fit(). Received: a GAN without "
            "optimizers. Call gan.compile(d_optimizer='adam', g_optimizer='adam')."
        )
    checks.check_data(x, model, y)
    arguments = dict(arguments)
    _check_strategy(model, x, arguments)
    execution.check_steps_per_execution(
        model.distribute_strategy, model.steps_per_execution
    )
    if isinstance(x, tf.data.Dataset):
        # Keras shuffles arrays only, and warns if a data set leaves it the default.
        arguments.setdefault("shuffle", False)
    # First in the list, so that nothing is saved that it would have refused.
    callbacks = [
        guard.TrainingGuard(checks.reachable_range(model.generator)),
        *_as_list(callbacks),
    ]
    stages = resuming.plan(
        model,
        x,
        callbacks,
        epochs,
        arguments.pop("initial_epoch", 0),
        arguments.pop("steps_per_epoch", None),
    )
    strategy = model.distribute_strategy
    agreement.check(strategy, _what_must_agree(model, stages))
    callbacks = workers.callbacks_of_worker(strategy, callbacks)

    def run_stage(stage, callbacks):
        return keras_fit(
            x=stage.x,
            y=y,
            epochs=stage.epochs,
            verbose=verbose,
            callbacks=callbacks,
            initial_epoch=stage.initial_epoch,
            steps_per_epoch=stage.steps_per_epoch,
            **arguments,
        )

    try:
        result = resuming.run(model, run_stage, stages, callbacks, verbose, epochs)
    except tf.errors.OpError as error:
        explained = guard.explain(error) or workers.explain(error, strategy)
        if explained is None:
            raise
        raise explained from None
    for optimizer, network in (
        (model.d_optimizer, model.discriminator),
        (model.g_optimizer, model.generator),
    ):
        optimizer.finalize_variable_values(network.trainable_variables)
    return result


def _check_strategy(model, x, arguments):
    """Raises if the model cannot train under its strategy, or not on such batches."""
    owned = {
        "discriminator": model.discriminator.variables,
        "generator": model.generator.variables,
        "discriminator's optimizer": model.d_optimizer.variables,
        "generator's optimizer": model.g_optimizer.variables,
    }
    placement.check(model, owned)
    _check_local_search(model)
    size = None
    if isinstance(x, tf.data.Dataset):
        parts = tf.nest.flatten(x.element_spec)
        size = parts[0].shape[0] if parts and parts[0].shape.rank else None
    elif hasattr(x, "shape"):
        size = min(arguments.get("batch_size", 32), x.shape[0])
    placement.check_batch_size(model, size)


def _check_local_search(model):
    """Raises if a search without communication meets a layer that communicates."""
    response = getattr(model, "best_response", None)
    several = model.distribute_strategy.num_replicas_in_sync > 1
    if not several or response is None or response.sync != "local":
        return
    layers = [*model.discriminator.layers, *model.generator.layers]
    for layer in layers:
        if getattr(layer, "synchronized", False):
            raise ValueError(
                'BestResponse(sync="local") searches without communication between '
                f"replicas. Received: the layer {layer.name!r}, which is synchronized. "
                'Use sync="global", or BatchNormalization(synchronized=False).'
            )


def _what_must_agree(model, stages):
    """Returns what has to be the same on all workers, by what it is called."""
    config = model.get_config()
    seed = config.pop("seed")
    del config["keras_gamegan_version"]
    return {
        "versions of keras_gamegan, Keras or TensorFlow": [
            version.__version__,
            keras.__version__,
            tf.__version__,
        ],
        "seed": seed,
        "model": [type(model).__name__, config],
        "optimizers, loss or penalty": serialization.compile_config(model),
        "step to go on from": [
            model.num_steps,
            [(s.initial_epoch, s.epochs, s.steps_per_epoch) for s in stages],
        ],
    }


def _as_list(callbacks):
    if isinstance(callbacks, keras.callbacks.CallbackList):
        raise TypeError(
            "`callbacks` must be a list of Keras callbacks. Received: a CallbackList. "
            "Pass the list itself; Keras' own (History, progress bar) are added."
        )
    if not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    return [callback for callback in callbacks if callback is not None]
