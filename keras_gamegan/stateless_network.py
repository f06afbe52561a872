"""A Keras network as a player: its weights are tensors, its forward pass a function."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import random_layers
from keras_gamegan.distribution import keras_private
from keras_gamegan.games import structures


class StatelessNetwork:
    """Calls a built Keras model with weights handed in as tensors.

    The state of a player is what training does not differentiate: BatchNorm statistics,
    vectors of spectral normalisation, frozen weights. Seeds of Dropout are not state
    here: they follow from the random stream of the step, so that a resumed run draws
    the same masks.

    What is a weight and what is state is read when the object is made and when
    `refresh` is called, as Keras reads it in `compile`.

    Args:
        model: A built Keras model.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.inputs = list(model.inputs)
        self.output = model.outputs[0]
        self._noise = random_layers.Noise(model)
        self.weight_variables: list[keras.Variable] = []
        self.state_variables: list[keras.Variable] = []
        # Weights without a gradient that were told of.
        self.told: set[int] = set()
        self.refresh()

    def refresh(self) -> None:
        """Reads anew which weights are trainable."""
        self.weight_variables = list(self.model.trainable_variables)
        moving = {id(variable) for variable in self.weight_variables}
        self.state_variables = [
            variable for variable in self.model.weights if id(variable) not in moving
        ]
        self._noise.refresh()

    @property
    def is_current(self) -> bool:
        """Whether the trainable weights are still those of the last `refresh`."""
        now = self.model.trainable_variables
        return [id(v) for v in now] == [id(v) for v in self.weight_variables]

    @property
    def dtype(self) -> str:
        """Dtype of what `apply` returns: the wider of the weights' and the output's.

        So a mixed policy keeps what float32 weights can hold, and a float16 network
        that ends in float32, as a logit should, is not rounded back.
        """
        dtypes = [v.dtype for v in self.variables if tf.as_dtype(v.dtype).is_floating]
        dtype = dtypes[0] if dtypes else self.model.variable_dtype
        made = [output.dtype for output in self.model.outputs]
        made = [each for each in made if tf.as_dtype(each).is_floating]
        return keras.backend.result_type(dtype, *made)

    @property
    def has_modes(self) -> bool:
        """Whether training and inference mode may differ."""
        nature = {id(v) for v in keras_private.trainable_by_nature(self.model)}
        moves = any(id(variable) not in nature for variable in self.state_variables)
        return moves or self._noise.may_draw

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of a player, in the order of a flattened `Player`."""
        return self.weight_variables + self.state_variables

    @property
    def stored_variables(self) -> list[keras.Variable]:
        """The same variables in an order that freezing does not change."""
        first = keras_private.trainable_by_nature(self.model)
        known = {id(variable) for variable in first}
        return first + [v for v in self.model.weights if id(v) not in known]

    def fixed_variables(self) -> list[keras.Variable]:
        """Returns the weights that training leaves as they are: those of frozen layers.

        Keras' SpectralNormalization writes its kernel in a forward pass, frozen or not:
        such a weight is not among them.
        """
        nature = {id(v) for v in keras_private.trainable_by_nature(self.model)}
        # What Keras merges into a kernel when it saves is no longer what it was.
        nature -= {id(v) for v in keras_private.adapted_weights(self.model)}
        frozen = [v for v in self.state_variables if id(v) in nature]
        moved: dict[int, bool] = {}

        def run(inputs: Any) -> None:
            stream = tf.zeros([2], tf.int64)
            before = self.player()
            after = self.unpack(self.apply(before, inputs, True, stream)[1])
            for place, value in self.unpack(before).items():
                moved[place] = after[place] is not value

        if frozen:
            self._trace(run)
        return [variable for variable in frozen if not moved[id(variable)]]

    def pack(self, values: dict[int, Any]) -> structures.Player:
        """Returns the `Player` of values by the `id` of their variables."""
        return structures.Player(
            [values[id(variable)] for variable in self.weight_variables],
            [values[id(variable)] for variable in self.state_variables],
        )

    def unpack(self, player: structures.Player) -> dict[int, Any]:
        """Returns a player's values by the `id` of their variables."""
        values = list(player.weights) + list(player.state)
        return {
            id(variable): value
            for variable, value in zip(self.variables, values, strict=True)
        }

    def player(self) -> structures.Player:
        """Returns the network's current values as a `Player`, each read once."""
        return self.pack({id(v): tf.convert_to_tensor(v) for v in self.variables})

    def assign(
        self, player: structures.Player, before: structures.Player | None = None
    ) -> None:
        """Writes a player's values back into the network's variables.

        Args:
            player: `Player` to write.
            before: `Player` as it was read: tensors that are still the same objects
                are not written. Default: None, everything is.
        """
        old = {} if before is None else self.unpack(before)
        new = self.unpack(player)
        for variable in self.variables:
            if new[id(variable)] is not old.get(id(variable)):
                variable.assign(new[id(variable)])

    def constrained(self, player: structures.Player) -> structures.Player:
        """Returns the player projected by the weights' Keras constraints.

        Keras' optimizers project after every step; so does a search.
        """
        if all(variable.constraint is None for variable in self.weight_variables):
            return player
        weights = [
            value if variable.constraint is None else variable.constraint(value)
            for variable, value in zip(
                self.weight_variables, player.weights, strict=True
            )
        ]
        return player._replace(weights=weights)

    def apply(
        self, player: structures.Player, inputs: Any, training: bool, stream: tf.Tensor
    ) -> tuple[tf.Tensor, structures.Player, tf.Tensor | None]:
        """Runs the network without touching its variables.

        Args:
            player: `Player` whose weights and state are used.
            inputs: What the model takes.
            training: Whether in training mode.
            stream: Random stream for Dropout and the like, int64 (2,).

        Returns:
            A triple (outputs, floating ones in `dtype`; moved `Player`; sum of the
            network's own regularisation losses or None).
        """
        given = self.unpack(player)
        pairs = [(variable, given[id(variable)]) for variable in self.variables]
        with self._noise.scope(pairs, stream) as scope:
            outputs = self.model(self.arranged(inputs), training=training)
            losses = self.model.losses
        dtype = tf.as_dtype(self.dtype)
        outputs = tf.nest.map_structure(
            lambda leaf: tf.cast(leaf, dtype) if leaf.dtype.is_floating else leaf,
            outputs,
        )
        moved = self.pack({id(v): scope.get_current_value(v) for v in self.variables})
        regularization = None
        if losses:
            regularization = tf.add_n([tf.cast(loss, dtype) for loss in losses])
        return outputs, moved, regularization

    def weight_regularization(self, player: structures.Player) -> Any:
        """Returns the part of the regularisation that is of the weights alone."""
        return sum(
            variable.regularizer(value)
            for variable, value in zip(
                self.weight_variables, player.weights, strict=True
            )
            if variable.regularizer is not None
        )

    def arranged(self, inputs: Any) -> Any:
        """Returns the inputs of `apply` in the structure that the model takes."""
        return inputs

    def draws(self) -> bool:
        """Returns whether the network draws random numbers in inference mode."""
        before, self._noise.drawn = self._noise.drawn, False
        stream = tf.zeros([2], tf.int64)
        self._trace(lambda inputs: self.apply(self.player(), inputs, False, stream))
        found, self._noise.drawn = self._noise.drawn, before
        return found

    def _trace(self, function: Callable) -> None:
        """Traces a function of the inputs, for what can be seen on the way."""
        specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in self.inputs]

        def run(*inputs: tf.Tensor) -> None:
            function(self.from_list(list(inputs)))

        tf.function(run, input_signature=specs).get_concrete_function()

    def from_list(self, tensors: list) -> Any:
        """Returns tensors, in the order of `inputs`, as `apply` takes them."""
        if isinstance(self.model, keras.Sequential):
            return tensors[0]
        return keras.tree.pack_sequence_as(self.model.input, tensors)
