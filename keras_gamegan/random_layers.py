"""Random layers whose draws follow the random stream of a step.

Keras keeps the state of a generator of random numbers in a variable: the layer's own,
one that somebody else owns, or the one behind `keras.random.normal(shape)`. In a
forward pass without variables each of them gets a seed of the step's stream instead,
so a draw depends on (seed, step) in training and on (seed, index) in sampling.
"""

import warnings
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.games import randomness

# Operations of `tf.random` that draw from TensorFlow's own, hidden state.
_HIDDEN = {
    "Multinomial",
    "ParameterizedTruncatedNormal",
    "RandomGamma",
    "RandomPoissonV2",
    "RandomShuffle",
    "RandomStandardNormal",
    "RandomUniform",
    "RandomUniformInt",
    "TruncatedNormal",
}


# What Keras calls the state of a generator of random numbers.
_STATE = "seed_generator_state"


class Noise:
    """The generators of random numbers of one model.

    Args:
        model: A built Keras model.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._owned: list[keras.Variable] = []
        self._foreign = False
        self._warned = self._warned_of_loop = False
        self.drawn = False

    def refresh(self) -> None:
        """Reads anew which generators the model's layers own."""
        weights = {id(variable) for variable in self._model.weights}
        self._owned = [
            variable
            for variable in self._model.non_trainable_variables
            if id(variable) not in weights and _is_state(variable)
        ]

    @property
    def may_draw(self) -> bool:
        """Whether a forward pass may draw, as far as was seen."""
        return bool(self._owned) or self._foreign

    def scope(self, pairs: list[tuple[Any, Any]], stream: tf.Tensor) -> "_Scope":
        """Returns the `keras.StatelessScope` of one forward pass.

        Args:
            pairs: Pairs (variable, tensor) that stand for the model's weights.
            stream: Random stream, int64 (2,).
        """
        return _Scope(self, pairs, stream)


class _Scope(keras.StatelessScope):
    """A scope in which every generator of random numbers follows one stream."""

    def __init__(self, noise: Noise, pairs: list, stream: tf.Tensor) -> None:
        super().__init__(state_mapping=pairs, collect_losses=True)
        self._noise = noise
        self._stream = stream
        self._places = {id(v): index for index, v in enumerate(noise._owned)}
        self._graph: Any = None
        self._operations = 0

    def __enter__(self) -> "_Scope":
        self._graph = _graph()
        self._operations = len(_operations())
        super().__enter__()
        return self

    def __exit__(self, *args: Any, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        if not self._noise._warned:
            self._warn_of_hidden_state(_operations()[self._operations :])

    def get_current_value(self, variable: keras.Variable) -> Any:
        """Returns what stands for a variable in this pass; called by Keras."""
        value = super().get_current_value(variable)
        if variable.name == _STATE and _graph() is not self._graph:
            self._warn_of_loop()
        if value is not None or not _is_state(variable):
            return value
        place = self._places.get(id(variable))
        if place is None:
            if variable.name != _STATE:
                return None
            place = self._places[id(variable)] = len(self._places)
            self._noise._foreign = True
        self._noise.drawn = True
        seed = tf.bitwise.bitwise_and(
            randomness.fold(self._stream, place), tf.constant(0x7FFFFFFF, tf.int64)
        )
        value = tf.cast(seed, variable.dtype)
        self.add_update((variable, value))
        return value

    def add_update(self, update: tuple) -> None:
        """Notes what a variable becomes; called by Keras."""
        # A tensor of a loop's body is not to be had outside of it.
        if _graph() is self._graph:
            super().add_update(update)

    def _warn_of_loop(self) -> None:
        if "while" not in _graph().name or self._noise._warned_of_loop:
            return
        self._noise._warned_of_loop = True
        warnings.warn(
            f"A layer of {self._noise._model.name!r} draws inside a loop of the graph: "
            "every turn of one pass gets the same numbers. Received: keras.random in "
            "the body of a while loop, such as an RNN cell. Draw before the loop, or "
            "write the loop out: RNN(..., unroll=True).",
            UserWarning,
            stacklevel=2,
        )

    def _warn_of_hidden_state(self, operations: list) -> None:
        found = sorted({op.type for op in operations} & _HIDDEN)
        if found:
            self._noise._warned = True
            warnings.warn(
                f"A layer of {self._noise._model.name!r} draws with tf.random, whose "
                "state is hidden: its draws depend neither on the model's seed nor on "
                "that of `sample`, and a resumed run gets others. Received: the "
                f"operation(s) {', '.join(found)}. Draw with keras.random (normal, "
                "uniform, ...), whose draws follow the seed.",
                UserWarning,
                stacklevel=2,
            )


def _graph() -> Any:
    """Returns the graph that is being built; None eagerly."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def _operations() -> list:
    """Returns the operations of the graph that is being built; none eagerly."""
    graph = _graph()
    return [] if graph is None else graph.get_operations()


def _is_state(variable: keras.Variable) -> bool:
    return "int" in variable.dtype and tuple(variable.shape) == (2,)
