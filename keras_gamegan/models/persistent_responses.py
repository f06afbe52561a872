"""Worst players that live on from step to step, as non-trainable variables."""

import keras
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import best_response, structures


@keras.saving.register_keras_serializable(package="keras_gamegan")
class PersistentResponses(keras.layers.Layer):
    """Keeps u_w, v_w and the state of their optimizers between the steps of a model.

    What is computed with them is `games.best_response`; here they are only kept: in
    the dtype of the networks' variables, the same on every replica.

    Args:
        generator: `StatelessNetwork` of the minimiser.
        discriminator: `StatelessNetwork` of the maximiser.
        response: A `BestResponse` with `start="persistent"`.
        name: Layer name.
    """

    def __init__(self, generator, discriminator, response, name="persistent_responses"):
        super().__init__(name=name, trainable=False, dtype="float32")
        players = generator.player(), discriminator.player()
        _, *initial = best_response.initial_state(response, *players)
        values = tf.nest.flatten(initial)
        self._kept = [
            self.add_weight(
                shape=value.shape,
                dtype=value.dtype.name,
                initializer="zeros",
                trainable=False,
                name=f"kept_{index}",
                aggregation="only_first_replica",
            )
            for index, value in enumerate(values)
        ]
        for index, (variable, value) in enumerate(zip(self._kept, values, strict=True)):
            variable.assign(value)
            # tf.train.Checkpoint finds variables in attributes, not in lists of them.
            setattr(self, f"kept_{index}", variable)
        # In a function: Keras would look for variables in an attribute.
        template = tf.nest.map_structure(lambda value: None, initial)
        self._pack = lambda values: tf.nest.pack_sequence_as(template, values)
        self.built = True

    def read(self):
        """Returns [(u_w, v_w), (state of u_w's optimizer, state of v_w's)]."""
        return self._pack([tf.convert_to_tensor(variable) for variable in self._kept])

    def write(self, players, optimizer_states, share):
        """Writes players and optimizer states.

        Args:
            players: Pair (u_w, v_w) of `Player`.
            optimizer_states: Pair of the states of their optimizers.
            share: This replica's `distribution.replicas.Share` of the batch. What a
                forward pass moved on each replica (BatchNorm statistics) is averaged.
        """
        moved = tf.nest.flatten([player.state for player in players])
        means = tf.nest.pack_sequence_as(
            [player.state for player in players],
            replicas.mean_over_replicas(moved, share),
        )
        players = tuple(
            structures.Player(player.weights, state)
            for player, state in zip(players, means, strict=True)
        )
        values = tf.nest.flatten([players, optimizer_states])
        for variable, value in zip(self._kept, values, strict=True):
            variable.assign(value)
