"""One step of training and one of evaluation, as `fit` and `evaluate` call them."""

import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.models import batches, checks, elements, guard, stepping


def train_step(model, data):
    """Takes one step of the model's scheme.

    Args:
        model: A `GAN`.
        data: What the data set yields.

    Returns:
        Dictionary of scalars, the logs: means over the epoch so far.
    """
    step = tf.convert_to_tensor(model.step)
    watch = _guard(model, step)
    real, labels = _unpack(model, data, watch)
    watch.check_data(real)
    watch.run(lambda: model.trackers.data_range.update_state(real))
    source = batches.BatchSource(
        real,
        labels,
        randomness.fold(randomness.root(model.seed), step),
        model.latent_shape,
        model.scheme.num_shares,
    )
    generator, discriminator = model.generator_network, model.discriminator_network
    players = generator.player(), discriminator.player()
    stepper = stepping.OptimizerStepper(
        generator,
        discriminator,
        model.g_optimizer,
        model.d_optimizer,
        players,
        watch,
        source.share,
    )
    taken = model.scheme.step(
        model.training_game, *players, model.scheme_store.read(step), stepper, source
    )
    players = stepper.settle(taken.u, taken.v)
    sign = None
    if model.augment is not None:
        # Outside the guard, which may branch: replicas meet here.
        (sign,) = replicas.sum_over_replicas([taken.report["real_sign"]])

    # A step that fails is not counted.
    def count():
        model.step.assign_add(1)
        model.scheme_store.write(taken.state, source.share, stepper.forgiving)
        if model.generator_average is not None:
            model.generator_average.update(players[0], step)
        if model.augment is not None:
            model.augment.adapt(sign, source.share, step)

    watch.run(count, after=tf.nest.flatten(players))
    names = {"d_loss": "maximizer_loss", "g_loss": "minimizer_loss"}
    told = taken.report
    if model.augment is not None:
        number = replicas.num_replicas()
        logged = model.augment.logs().items()
        told = {**told, **{name: value / number for name, value in logged}}
    logs = {name: told[names.get(name, name)] for name in model.log_names}
    return model.trackers.update(logs, source.share)


def test_step(model, data):
    """Scores one batch, both players in inference mode.

    Args:
        model: A `GAN`.
        data: What the data set yields.

    Returns:
        Dictionary of scalars, the logs: means over the evaluation so far.
    """
    step = model.trackers.evaluation_step.next_step()
    watch = _guard(model, step)
    real, labels = _unpack(model, data, watch)
    real = watch.checked(real)
    stream = randomness.fold(
        randomness.root(model.seed), randomness.Purpose.EVALUATION, step
    )
    source = batches.BatchSource(real, labels, stream, model.latent_shape)
    players = model.generator_network.player(), model.discriminator_network.player()
    return model.trackers.update(model.game.losses(*players, source(0)), source.share)


def _guard(model, step):
    if not model.jit_compile or tf.executing_eagerly():
        return guard.StepGuard(step)
    return guard.StepGuard(
        step, model.trackers.first_failure, branch=replicas.num_replicas() == 1
    )


def _unpack(model, data, watch):
    """Returns (real data in the networks' dtype, labels or None)."""
    network = model.discriminator_network
    real, labels = elements.data_and_labels(data, network)
    real = tf.convert_to_tensor(real)
    if labels is not None:
        labels = tf.convert_to_tensor(labels)
    checks.check_batch(real, labels, model)
    if labels is not None:
        labels = network.as_labels(labels)
        if labels.dtype == tf.bool:
            labels = tf.cast(labels, network.label_input.dtype)
        labels = watch.labels(labels, model.num_classes)
    return tf.cast(real, model.generator_network.dtype), labels
