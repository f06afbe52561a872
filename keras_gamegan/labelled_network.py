"""A network of a GAN as a player: data or latents, and labels if it takes any."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import labelling, stateless_network


class LabelledNetwork(stateless_network.StatelessNetwork):
    """A `StatelessNetwork` that tells its labels from its other input.

    Args:
        model: A built Keras model of one input, or of two, one of which are labels,
            and of one output.
        label_index: Position of the labels in `model.inputs`, if there are two.
            Default: 1.
    """

    def __init__(self, model: keras.Model, label_index: int = 1) -> None:
        inputs = list(model.inputs)
        self.label_input: Any = inputs.pop(label_index) if len(inputs) > 1 else None
        self.main_input = inputs[0]
        self._label_index = label_index
        super().__init__(model)
        # Data or latents, then labels if there are any.
        self.inputs = [self.main_input, self.label_input][: len(model.inputs)]

    def apply(self, *arguments: Any, **keywords: Any) -> tuple:
        """Runs the network; its one output is a tensor, however the model packs it."""
        outputs, *rest = super().apply(*arguments, **keywords)
        return (tf.nest.flatten(outputs)[0], *rest)

    def arranged(self, inputs: Any) -> Any:
        """Returns a tensor, or a tensor and labels, as the model takes them."""
        if self.label_input is None:
            flat = [inputs[0] if isinstance(inputs, (list, tuple)) else inputs]
        else:
            main, labels = inputs
            flat = [main, labels] if self._label_index else [labels, main]
        return super().from_list(flat)

    def from_list(self, tensors: list) -> Any:
        """Returns data or latents, or a list of them and labels."""
        return tensors if len(tensors) > 1 else tensors[0]

    def as_labels(self, labels: Any) -> Any:
        """Returns labels in the shape the network takes: (n,) for (n, 1), or reverse.

        Args:
            labels: Array or tensor (n, ...).

        Raises:
            ValueError: If they have another shape: class numbers where one-hot vectors
                are taken, or the reverse.
        """
        expected = tuple(self.label_input.shape)
        # Retraced for data of another rank, a step does not know the rank.
        unknown = tf.is_tensor(labels) and labels.shape.rank is None
        if not unknown:
            labelling.check_shape(tuple(labels.shape), expected)
            if len(labels.shape) == len(expected):
                return labels
        reshape = np.reshape if isinstance(labels, np.ndarray) else tf.reshape
        return reshape(labels, (-1, *expected[1:]))

    @property
    def num_classes(self) -> int | None:
        """Number of classes that the network knows; None if that cannot be told."""
        return labelling.num_classes(self.model, self._label_index)
