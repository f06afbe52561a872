"""What an augmentation is: a differentiable map of images and uniform numbers."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.games import randomness


class Augmentation(keras.layers.Layer):
    r"""A random, differentiable change of images; subclass it for one of your own.

    With `GAN(..., augment=...)` the discriminator never sees an image itself, in
    neither player's step: it judges T(x) of real and T(G(z)) of generated images, and
    the generator learns through T. What is evaluated, scored and sampled is not
    augmented.

    A subclass sets `num_draws` and defines `augment`, which changes every image with
    the uniform numbers of its own row: those are a function of (seed, step, index of
    the example in the global batch), so that runs resume, and replicas agree, exactly.

    Attributes:
        num_draws: Uniform numbers that an image takes.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> class Flip(kgg.augment.Augmentation):
        ...     num_draws = 1
        ...     def augment(self, images, uniform):
        ...         flip = uniform[:, 0, None, None, None] < 0.5
        ...         return tf.where(flip, images[:, :, ::-1], images)
        >>> pair = kgg.networks.dcgan_pair((8, 8, 1), 2, base_filters=2)
        >>> kgg.GAN(*pair, augment=Flip()).augment.num_draws
        1
    """

    num_draws = 0
    # Names of the logs that `logs` returns.
    log_names: tuple[str, ...] = ()

    def augment(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns the images changed.

        Args:
            images: (b, height, width, channels).
            uniform: (b, num_draws), on [0, 1), of the images' dtype.
        """
        raise TypeError(
            f"{type(self).__name__} is not an augmentation yet: a subclass of "
            "Augmentation must define augment(images, uniform)."
        )

    def apply(self, images: tf.Tensor, stream: Any, batch: Any) -> tf.Tensor:
        """Returns the images of a batch changed, each by its own numbers.

        Args:
            images: (b, height, width, channels), this replica's part.
            stream: Random stream of this use of the batch.
            batch: A `models.step.batch.Batch`.
        """
        shape = [batch.share.size, self.num_draws]
        numbers = randomness.uniform(stream, shape)
        numbers = numbers[batch.share.offset :][: batch.share.local_size]
        return self.augment(images, tf.cast(numbers, images.dtype))

    def check(self, shape: tuple) -> None:
        """Raises unless data of a shape are images.

        Args:
            shape: Of one example.

        Raises:
            ValueError: If they are not (height, width, channels).
        """
        if len(shape) != 3 or None in shape:
            raise ValueError(
                "`augment` changes images of a known shape (height, width, channels). "
                f"Received: augment={type(self).__name__}() for data of shape {shape}. "
                "Leave it out, or pass a Keras layer that fits the data."
            )

    def logs(self) -> dict[str, tf.Tensor]:
        """Returns what a step logs of the augmentation, by name; nothing here."""
        return {}

    def adapt(self, sign: tf.Tensor, share: Any, step: tf.Tensor) -> None:
        """Learns from the discriminator's answers after a step; nothing here.

        Args:
            sign: The global batch's mean of sign(D(real)).
            share: This replica's share of the batch.
            step: Train step, an int64 scalar.
        """
