"""One step of training and one of evaluation, as `fit` and `evaluate` call them."""

from typing import Any

import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.games.schemes import scheme
from keras_gamegan.models.step import batch, guard, optimizer_stepper
from keras_gamegan.typing import Structure


def train_step(model: Any, data: Structure) -> dict[str, Any]:
    """Takes one step of the model's scheme.

    Args:
        model: A `TwoPlayerModel`.
        data: What the data set yields.

    Returns:
        Dictionary of scalars, the logs: means over the epoch so far.
    """
    step = tf.convert_to_tensor(model.step)
    watch = _guard(model, step)
    source = batch.BatchSource(
        model._data_form.checked(data, watch),
        randomness.fold(randomness.root(model.seed), step),
        model._data_form.drawn,
        model.scheme.num_shares,
    )
    networks = model.minimizer_network, model.maximizer_network
    players = tuple(network.player() for network in networks)
    stepper = optimizer_stepper.OptimizerStepper(
        model._roles.names,
        networks,
        (model.minimizer_optimizer, model.maximizer_optimizer),
        players,
        watch,
        source.share,
    )
    taken = model.scheme.step(
        model._training_game, *players, model.scheme_store.read(step), stepper, source
    )
    scheme.check_step(model.scheme, taken)
    players = stepper.settle(taken.u, taken.v)
    # Outside the guard, which may branch: replicas meet here.
    write_more = model._prepare_writing(taken.report, source.share)

    # A step that fails is not counted.
    def count() -> None:
        model.step.assign_add(1)
        model.scheme_store.write(taken.state, source.share, stepper.forgiving)
        write_more(players, step)

    watch.run(count, after=tf.nest.flatten(players))
    return _logs(model, {**taken.report, **model._more_logs()}, source.share)


def test_step(model: Any, data: Structure) -> dict[str, Any]:
    """Scores one batch, both players in inference mode.

    Args:
        model: A `TwoPlayerModel`.
        data: What the data set yields.

    Returns:
        Dictionary of scalars, the logs: means over the evaluation so far.
    """
    step = model._trackers.evaluation_step.next_step()
    watch = _guard(model, step)
    stream = randomness.fold(
        randomness.root(model.seed), randomness.Purpose.EVALUATION, step
    )
    examples = model._data_form.evaluated(data, watch)
    source = batch.BatchSource(examples, stream, model._data_form.drawn)
    players = model.minimizer_network.player(), model.maximizer_network.player()
    return _logs(model, model.game.losses(*players, source(0)), source.share)


def _logs(
    model: Any, report: dict[str, tf.Tensor], share: replicas.Share
) -> dict[str, Any]:
    """Returns the logs of a report: this replica's parts of them are added."""
    names = model._roles.losses
    told = {log: names.get(log, log) for log in model.log_names}
    logs = {log: report[name] for log, name in told.items() if name in report}
    return model._trackers.update(logs, share)


def _guard(model: Any, step: tf.Tensor) -> guard.StepGuard:
    if not model.jit_compile or tf.executing_eagerly():
        return guard.StepGuard(step, model._roles)
    return guard.StepGuard(
        step,
        model._roles,
        model._trackers.first_failure,
        branch=replicas.num_replicas() == 1,
    )
