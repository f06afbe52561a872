"""A Keras network as a player: its weights are tensors, its forward pass a function."""

import keras
import tensorflow as tf

from keras_gamegan.games import randomness, structures


class StatelessNetwork:
    """Calls a built Keras model with weights handed in as tensors.

    The state of a player is what a forward pass may move: BatchNorm statistics,
    vectors of spectral normalisation. Seeds of Dropout are not state here: they follow
    from the random stream of the step, so that a resumed run draws the same masks.

    Args:
        model: A built Keras model, or a `StatelessNetwork`, whose model is used.
    """

    def __init__(self, model):
        self.model = model = getattr(model, "model", model)
        self.weight_variables = list(model.trainable_variables)
        self.state_variables = [
            variable
            for variable in model.non_trainable_weights
            if not _contains(self.weight_variables, variable)
        ]
        self._seed_variables = [
            variable
            for variable in model.non_trainable_variables
            if not _contains(self.state_variables, variable) and _is_seed(variable)
        ]

    @property
    def dtype(self):
        """Dtype of what `apply` returns: the wider of the weights' and the output's.

        So a mixed policy keeps what float32 weights can hold, and a float16 network
        that ends in float32, as a logit should, is not rounded back.
        """
        dtype = self.model.variable_dtype
        if self.weight_variables:
            dtype = self.weight_variables[0].dtype
        return keras.backend.result_type(dtype, self.model.outputs[0].dtype)

    @property
    def has_modes(self):
        """Whether training and inference mode may differ."""
        return bool(self.state_variables or self._seed_variables)

    @property
    def variables(self):
        """The variables of a player, in the order of a flattened `Player`."""
        return self.weight_variables + self.state_variables

    def player(self):
        """Returns the network's current values as a `Player`, each read once."""
        return structures.Player(
            [tf.convert_to_tensor(variable) for variable in self.weight_variables],
            [tf.convert_to_tensor(variable) for variable in self.state_variables],
        )

    def assign(self, player, before=None):
        """Writes a player's values back into the network's variables.

        Args:
            player: `Player` to write.
            before: `Player` as it was read: tensors that are still the same objects
                are not written. Default: None, everything is.
        """
        new = player.weights + player.state
        old = before.weights + before.state if before is not None else [None] * len(new)
        for variable, value, previous in zip(self.variables, new, old, strict=True):
            if value is not previous:
                variable.assign(value)

    def apply(self, player, inputs, training, stream):
        """Runs the network without touching its variables.

        Args:
            player: `Player` whose weights and state are used.
            inputs: Tensor or list of tensors.
            training: Whether in training mode.
            stream: Random stream for Dropout and the like, int64 (2,).

        Returns:
            A triple (outputs in `dtype`, moved `Player`, sum of the
            network's own regularisation losses or None).
        """
        values = list(zip(self.variables, player.weights + player.state, strict=True))
        values += [
            (variable, _as_seed(randomness.fold(stream, index), variable.dtype))
            for index, variable in enumerate(self._seed_variables)
        ]
        with keras.StatelessScope(state_mapping=values, collect_losses=True) as scope:
            outputs = self.model(inputs, training=training)
            losses = self.model.losses
        outputs = tf.cast(outputs, self.dtype)
        moved = structures.Player(
            [scope.get_current_value(variable) for variable in self.weight_variables],
            [scope.get_current_value(variable) for variable in self.state_variables],
        )
        regularization = None
        if losses:
            regularization = tf.add_n([tf.cast(loss, outputs.dtype) for loss in losses])
        return outputs, moved, regularization


def _contains(variables, variable):
    # Keras variables overload ==, so `in` compares values.
    return any(other is variable for other in variables)


def _is_seed(variable):
    # Keras lists the states of its seed generators, a pair of integers each, among the
    # non-trainable variables but not among the weights.
    return "int" in variable.dtype and tuple(variable.shape) == (2,)


def _as_seed(stream, dtype):
    return tf.cast(tf.bitwise.bitwise_and(stream, 0x7FFFFFFF), dtype)
