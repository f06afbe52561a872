"""Inception's features, the usual ones for the Fréchet and the kernel distance."""

from collections.abc import Sequence

import keras

from keras_gamegan import validation
from keras_gamegan.typing import PathLike


def inception_features(
    image_shape: Sequence[int | None] = (None, None, 3),
    weights: PathLike | None = "imagenet",
) -> keras.Model:
    """Returns InceptionV3 up to its last pooling, as a Keras model for [-1, 1] images.

    Images of any size are resized to 299 x 299 (bilinear, antialiased), grey ones are
    repeated to three channels; values stay in [-1, 1], which is what Keras's Inception
    takes. The model returns (batch, 2048).

    The weights are those of `keras.applications`. The original FID used an older
    Inception with other weights, so compare these numbers with numbers of this model
    only.

    Args:
        image_shape: (height, width, channels) of the images; height and width may be
            None, channels are 1 or 3.
        weights: "imagenet" (downloaded once, about 88 MB), the path of a file of
            weights for `keras.applications.InceptionV3(include_top=False)`, or None for
            random weights, which are good for trying things out only.

    Returns:
        A `keras.Model`, not trainable.

    Raises:
        ValueError: If `image_shape` is not a shape of grey or colour images.
        RuntimeError: If the weights can be neither found nor downloaded.

    Example:
        >>> extractor = kgg.metrics.inception_features((32, 32, 1), weights=None)
        >>> extractor.output_shape
        (None, 2048)
        >>> metric = kgg.metrics.FrechetDistance(extractor)

    References:
        C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna. Rethinking the
        Inception Architecture for Computer Vision. 2016.
        G. Parmar, R. Zhang, J.-Y. Zhu. On Aliased Resizing and Surprising Subtleties in
        GAN Evaluation. 2022.
    """
    image_shape = tuple(image_shape)
    if len(image_shape) != 3 or image_shape[-1] not in (1, 3):
        raise ValueError(
            "`image_shape` must be (height, width, channels) with 1 or 3 channels. "
            f"Received: image_shape={image_shape}. Height and width may be None."
        )
    for name, length in zip(("height", "width"), image_shape[:2], strict=True):
        if length is not None:
            validation.check_integer(name, length)
    try:
        network = keras.applications.InceptionV3(
            include_top=False,
            weights=weights,
            input_shape=(299, 299, 3),
            pooling="avg",
        )
    except Exception as error:
        # Keras raises a bare Exception where a download fails.
        if weights != "imagenet":
            raise
        raise RuntimeError(
            "Inception's ImageNet weights could not be loaded: they are not in the "
            "cache and could not be downloaded. Received: "
            f"{error}. Run once with a network connection; or copy the file "
            "`inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5` from a machine "
            "that has it into `~/.keras/models`; or pass its path as `weights=`; or "
            "use another extractor, for example a classifier trained on your data."
        ) from error
    images = keras.Input(image_shape, name="images")
    outputs = images
    if image_shape[-1] == 1:
        outputs = keras.ops.repeat(outputs, 3, axis=-1)
    if image_shape[:2] != (299, 299):
        outputs = keras.ops.image.resize(
            outputs,
            (299, 299),
            interpolation="bilinear",
            antialias=True,
            data_format="channels_last",
        )
    model = keras.Model(images, network(outputs), name="inception_v3_features")
    model.trainable = False
    return model
