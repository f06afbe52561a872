"""What every metric does with its network: check, prepare, call, name, serialise."""

import zlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.typing import Config, TensorLike


class FeatureExtractor:
    """Turns samples into rows of float64 features, and refuses what would be a lie.

    A plain object rather than a Keras layer, on purpose: a model that holds a metric
    must not save the metric's network among its own weights.

    Args:
        network: `None` (samples are flattened and are their own features), a Keras
            model or layer, or any callable from a batch to a (batch, features) tensor.
            Keras networks are called with `training=False`.
        preprocess: `None` or a callable applied to the samples first. Without it the
            network gets the samples exactly as they were given.
        resize: Whether images of another size may be resized (bilinear, antialiased) to
            the network's input size.
        argument: The metric's name for `network`, for messages and configurations.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If images are to be resized to a size that is not known.

    Example:
        >>> features = kgg.metrics.FeatureExtractor(None)
        >>> features(np.zeros((5, 2, 3)), "fake").shape.as_list()
        [5, 6]
    """

    def __init__(
        self,
        network: keras.Layer | Callable[..., Any] | None,
        preprocess: Callable[[Any], Any] | None = None,
        resize: bool = False,
        argument: str = "extractor",
    ) -> None:
        self.argument = argument
        if network is not None and not callable(network):
            raise TypeError(
                f"`{argument}` must be None, a Keras model or layer, or a callable "
                f"from a batch of samples to (batch, features). Received: {argument}="
                f"{network!r} (of type {type(network).__name__}). Pass a Keras model, "
                "or None to use flattened samples as features."
            )
        if preprocess is not None and not callable(preprocess):
            raise TypeError(
                "`preprocess` must be None or a callable from a batch to a batch. "
                f"Received: preprocess={preprocess!r} (of type "
                f"{type(preprocess).__name__}). Pass a function, for example "
                "`lambda x: tf.repeat(x, 3, axis=-1)` for grey images, or None."
            )
        if not isinstance(resize, bool):
            raise TypeError(
                f"`resize` must be True or False. Received: resize={resize!r}. The "
                f"size is taken from the input of `{argument}`."
            )
        self.network = network
        self.preprocess = preprocess
        self.resize = resize
        self._expected_fingerprint: str | None = None
        if resize and self._spatial_size() is None:
            raise ValueError(
                f"`resize=True` needs a Keras model as `{argument}` whose input has a "
                "fixed height and width, to resize to. Received: "
                f"{argument}={self.name} with input shape {self.input_shape}. Give the "
                "model a fixed input size, or resize in `preprocess`."
            )

    @property
    def name(self) -> str:
        """The network's name, to be stated beside every number it gave."""
        if self.network is None:
            return "identity"
        name = getattr(self.network, "name", None)
        return str(name or getattr(self.network, "__name__", repr(self.network)))

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """Shape of one batch the network takes, or None where it does not say."""
        return self._shape_of("inputs")

    @property
    def num_features(self) -> int | None:
        """Length of a feature row, or None where only a call can tell."""
        shape = self._shape_of("outputs")
        return shape[-1] if shape is not None and len(shape) == 2 else None

    def fingerprint(self) -> str:
        """CRC-32 of the network's weights in hexadecimal; "" if it has none.

        Two networks of one name but different weights give different numbers: this is
        what tells them apart in a report.
        """
        checksum = 0
        weights = getattr(self.network, "weights", None) or ()
        with tf.init_scope():
            for weight in weights:
                array = tf.convert_to_tensor(weight.value).numpy()
                checksum = zlib.crc32(array.tobytes(), checksum)
        return f"{checksum:08x}" if weights else ""

    def __call__(self, samples: TensorLike, role: str) -> tf.Tensor:
        """Returns the features of a batch: `prepare`, then `extract`."""
        return self.extract(self.prepare(samples, role), role)

    def prepare(self, samples: TensorLike, role: str) -> tf.Tensor:
        """Returns a batch as the network is to see it.

        Args:
            samples: A batch: array or tensor, first axis the batch.
            role: What the samples are ("real", "fake", ...), for messages.

        Returns:
            A tensor, preprocessed.

        Raises:
            ValueError: If it is no batch.
        """
        self._check_fingerprint()
        if isinstance(samples, tf.data.Dataset):
            raise ValueError(
                f"`{role}` must be one batch of samples, an array or tensor. Received: "
                "a tf.data.Dataset. Loop over it: for batch in dataset: "
                f"metric.update_{role}(batch)."
            )
        samples = tf.convert_to_tensor(samples)
        if samples.shape.rank == 0:
            raise ValueError(
                f"`{role}` must be a batch of samples: its first axis is the batch. "
                "Received: a scalar. Add the batch axis."
            )
        if self.preprocess is not None:
            samples = tf.convert_to_tensor(self.preprocess(samples))
        return samples

    def extract(self, samples: tf.Tensor, role: str) -> tf.Tensor:
        """Returns the features of a prepared batch as a float64 tensor of rank 2.

        Args:
            samples: What `prepare` returned.
            role: What the samples are ("real", "fake", ...), for messages.

        Returns:
            A float64 tensor (batch, features).

        Raises:
            ValueError: If the samples do not fit the network, the network does not
                return rank 2, or (eagerly) a feature is NaN or infinite.
        """
        if self.network is None:
            size = samples.shape[1:].num_elements()
            batch = tf.shape(samples)[0]
            features = tf.reshape(samples, (batch, -1 if size is None else size))
        else:
            samples = self._fit(samples, role)
            if isinstance(self.network, keras.Layer):
                features = self.network(samples, training=False)
            else:
                features = self.network(samples)
            features = tf.convert_to_tensor(features)
        if features.shape.rank != 2:
            raise ValueError(
                f"`{self.argument}` must return a tensor of shape (batch, features). "
                f"Received: shape {tuple(features.shape)} from {self.name}. End the "
                "network with a global pooling or a Flatten layer."
            )
        features = tf.cast(features, tf.float64)
        if tf.executing_eagerly():
            num_bad = int(tf.math.count_nonzero(~tf.math.is_finite(features)))
            if num_bad:
                raise ValueError(
                    f"The features of `{role}` must be finite numbers. Received: "
                    f"{num_bad} NaN or infinite values in features of shape "
                    f"{tuple(features.shape)} from {self.name}. The samples are broken "
                    "(a diverged generator?), or `preprocess` does not fit the network."
                )
        return features

    def get_config(self) -> Config:
        """Configuration of the network, of `preprocess`, and the weights' checksum."""
        serialize = keras.saving.serialize_keras_object
        return {
            self.argument: serialize(self.network),
            "preprocess": serialize(self.preprocess),
            "resize": self.resize,
            "fingerprint": self.fingerprint(),
        }

    @staticmethod
    def restore_config(config: Config, argument: str) -> tuple[Config, str]:
        """Returns (constructor arguments, checksum) from a metric's configuration."""
        config = dict(config)
        fingerprint = config.pop("fingerprint", "")
        for key in (argument, "preprocess"):
            config[key] = keras.saving.deserialize_keras_object(config.get(key))
        return config, fingerprint

    def expect_fingerprint(self, fingerprint: str) -> None:
        """Refuses to give features until the network's weights have this checksum."""
        self._expected_fingerprint = fingerprint or None

    def _check_fingerprint(self) -> None:
        if self._expected_fingerprint is None:
            return
        found = self.fingerprint()
        if found != self._expected_fingerprint:
            raise ValueError(
                f"The metric was made from a configuration, which holds the layers of "
                f"`{self.argument}` but not its weights: its numbers would be "
                f"meaningless. Expected: weights with checksum "
                f"{self._expected_fingerprint}. Received: {found} ({self.name}). Make "
                f"the metric anew with the trained network: `{self.argument}=network`."
            )
        self._expected_fingerprint = None

    def _shape_of(self, attribute: str) -> tuple[int | None, ...] | None:
        if not isinstance(self.network, keras.Model):
            return None
        tensors = getattr(self.network, attribute, None)
        if not tensors or len(tensors) != 1:
            return None
        return tuple(tensors[0].shape)

    def _spatial_size(self) -> tuple[int | None, ...] | None:
        shape = self.input_shape
        if shape is None or len(shape) != 4:
            return None
        channels_last = keras.config.image_data_format() == "channels_last"
        size = shape[1:3] if channels_last else shape[2:4]
        return None if None in size else size

    def _fit(self, samples: tf.Tensor, role: str) -> tf.Tensor:
        expected = self.input_shape
        if expected is None or samples.shape.rank is None:
            return samples
        if self.resize and samples.shape.rank == 4:
            size = self._spatial_size()
            channels_last = keras.config.image_data_format() == "channels_last"
            found = samples.shape[1:3] if channels_last else samples.shape[2:4]
            if size is not None and tuple(found) != tuple(size):
                samples = keras.ops.image.resize(
                    samples, size, interpolation="bilinear", antialias=True
                )
        given = tf.TensorShape(samples.shape)
        if not given[1:].is_compatible_with(expected[1:]) or len(given) != len(
            expected
        ):
            if self.resize or len(given) != 4 or len(expected) != 4:
                advice = "Convert the samples with `preprocess=`, a callable."
            else:
                advice = (
                    "Pass `resize=True` to have images resized, or `preprocess=`, a "
                    "callable, to convert them."
                )
            raise ValueError(
                f"`{role}` must have the shape that `{self.argument}` ({self.name}) "
                f"takes: {expected}. Received: shape {tuple(samples.shape)}. {advice}"
            )
        return samples
