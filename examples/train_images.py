"""Trains a GAN on images of TensorFlow Datasets, by any of the three methods.

    python examples/train_images.py --method=gan --output_dir=runs/gan
    python examples/train_images.py --method=duality_gap --output_dir=runs/duality_gap
    python examples/train_images.py --method=fictitious --output_dir=runs/fictitious

The data set is Fashion-MNIST unless --dataset says otherwise; it is downloaded, or read
from --data_dir, a folder in which TensorFlow Datasets has prepared it. --help lists all
flags. The output folder receives

    samples/epoch_NNN.png   generated images, always from the same latents
    logs/                   losses and samples for TensorBoard
    history.csv             the losses, a line for each epoch
    checkpoints/            the same command goes on exactly where it was killed
    model.keras             everything, for keras.models.load_model
    sampler/1/              a SavedModel that samples without this library
    settings.json           the flags that make the run what it is
"""

import os
import sys

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import image_flags
import keras
import numpy as np
import run_folder
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import app, flags, logging

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(image_flags)

# Ten by ten: where there are ten classes, each has a column.
NUM_SAMPLES = 100


def or_none(text):
    """Returns the value of a flag, None for "none"."""
    return None if text == "none" else text


def load_data():
    """Returns (a `ShuffledStream`, image shape, number of classes or None)."""
    arrays = kgg.datasets.load_arrays(
        FLAGS.dataset,
        FLAGS.split,
        FLAGS.image_size,
        FLAGS.data_dir,
        with_labels=FLAGS.conditional,
        download=FLAGS.download,
    )
    images, labels = arrays if FLAGS.conditional else (arrays, None)
    stream = kgg.datasets.ShuffledStream(
        images, labels, FLAGS.batch_size, seed=FLAGS.seed
    )
    if not FLAGS.conditional:
        return stream, images.shape[1:], None
    builder = tfds.builder(FLAGS.dataset, data_dir=FLAGS.data_dir)
    return stream, images.shape[1:], builder.info.features["label"].num_classes


def build_networks(image_shape, num_classes):
    """Returns (discriminator, generator) for images in [-1, 1]."""
    if FLAGS.network == "mlp":
        return build_mlp(image_shape, num_classes)
    make = {"dcgan": kgg.networks.dcgan_pair, "residual": kgg.networks.residual_pair}
    return make[FLAGS.network](
        image_shape,
        FLAGS.latent_dim,
        base_filters=FLAGS.base_filters,
        generator_normalization=or_none(FLAGS.generator_normalization),
        discriminator_normalization=or_none(FLAGS.discriminator_normalization),
        num_classes=num_classes,
        seed=FLAGS.seed,
    )


def build_mlp(image_shape, num_classes):
    """Returns the networks that know nothing of images: pixels are coordinates."""
    judge, maker = kgg.networks.mlp_pair(
        int(np.prod(image_shape)),
        FLAGS.latent_dim,
        width=FLAGS.mlp_width,
        num_classes=num_classes,
        seed=FLAGS.seed,
    )
    image = keras.Input(image_shape, name="data")
    pixels, labels = keras.layers.Flatten()(image), judge.inputs[1:]
    discriminator = keras.Model(
        [image, *labels] if labels else image,
        judge([pixels, *labels] if labels else pixels),
        name="discriminator",
    )
    made = keras.layers.Activation("tanh")(maker.output)
    made = keras.layers.Reshape(image_shape)(made)
    return discriminator, keras.Model(maker.input, made, name="generator")


def build_method(discriminator, generator):
    """Returns the GAN, not compiled."""
    common = {"average_decay": FLAGS.average_decay, "seed": FLAGS.seed}
    if FLAGS.method == "duality_gap":
        response = kgg.BestResponse(
            FLAGS.num_response_steps,
            FLAGS.response_optimizer,
            FLAGS.response_learning_rate,
        )
        return kgg.DualityGapGAN(
            discriminator, generator, best_response=response, **common
        )
    common["discriminator_steps"] = FLAGS.discriminator_steps
    if FLAGS.method == "gan":
        return kgg.GAN(discriminator, generator, **common)
    history = kgg.History(
        FLAGS.history_capacity,
        FLAGS.history_interval,
        FLAGS.retention,
        None if FLAGS.current_weight < 0 else FLAGS.current_weight,
        FLAGS.side,
    )
    return kgg.FictitiousGAN(
        discriminator, generator, history=history, mixture=FLAGS.mixture, **common
    )


def build(image_shape, num_classes):
    """Returns the GAN, compiled."""
    gan = build_method(*build_networks(image_shape, num_classes))
    penalty = or_none(FLAGS.penalty)
    if FLAGS.penalty_weight is not None:
        penalties = {
            "r1": kgg.penalties.R1,
            "gradient_penalty": kgg.penalties.GradientPenalty,
        }
        penalty = penalties[penalty](FLAGS.penalty_weight)
    gan.compile(
        keras.optimizers.Adam(FLAGS.d_learning_rate, FLAGS.beta_1),
        keras.optimizers.Adam(FLAGS.g_learning_rate, FLAGS.beta_1),
        loss=FLAGS.loss,
        penalty=penalty,
        jit_compile={"auto": "auto", "true": True, "false": False}[FLAGS.jit_compile],
    )
    return gan


class SamplesInTensorBoard(keras.callbacks.Callback):
    """Shows the pictures of `SampleGrid` in TensorBoard too.

    Args:
        folder: The `RunFolder`.
    """

    def __init__(self, folder):
        super().__init__()
        self._folder = folder
        self._writer = tf.summary.create_file_writer(str(folder.logs / "samples"))

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        path = self._folder.samples / f"epoch_{epoch + 1:03d}.png"
        picture = tf.io.decode_png(tf.io.read_file(str(path)))
        with self._writer.as_default(step=epoch):
            tf.summary.image("samples", picture[tf.newaxis])
        self._writer.flush()


def make_callbacks(folder, num_classes):
    """Returns the callbacks of `fit`, the checkpoint last.

    So an epoch that counts as done has its picture and its lines in the logs.
    """
    labels = None if num_classes is None else np.arange(NUM_SAMPLES) % num_classes
    grid = kgg.callbacks.SampleGrid(
        folder.samples, num_samples=NUM_SAMPLES, source=FLAGS.source, labels=labels
    )
    return [
        grid,
        SamplesInTensorBoard(folder),
        keras.callbacks.TensorBoard(str(folder.logs), write_graph=False),
        keras.callbacks.CSVLogger(str(folder.history), append=True),
        kgg.callbacks.Checkpoint(
            folder.checkpoints, every=image_flags.checkpoint_every()
        ),
    ]


def prepare():
    """Returns (model, stream, number of classes, run folder), or exits and says why."""
    try:
        image_flags.check()
        stream, image_shape, num_classes = load_data()
        gan = build(image_shape, num_classes)
        folder = run_folder.RunFolder(FLAGS.output_dir)
        folder.claim(image_flags.settings())
    except (FileNotFoundError, RuntimeError, ValueError) as error:
        sys.exit(f"train_images.py: {error}")
    return gan, stream, num_classes, folder


def main(argv):
    """Runs the example."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    if not FLAGS["verbosity"].present:  # An export has much to say.
        logging.set_verbosity(logging.WARNING)
        tf.get_logger().setLevel("WARNING")
    gan, stream, num_classes, folder = prepare()
    callbacks = make_callbacks(folder, num_classes)
    data = stream.endless() if FLAGS.steps_per_epoch else stream.epochs()
    length = FLAGS.steps_per_epoch or stream.steps_per_epoch

    # `fit` resumes by itself; this looks ahead, to say so and to mend the history.
    position = callbacks[-1].resume(gan)
    done = 0
    if position is not None:
        done = position.epoch + position.batch // length
        print(f"Going on after train step {gan.num_steps}, in {folder.path}.")
    folder.trim_history(done)
    try:
        gan.fit(
            data,
            epochs=FLAGS.epochs,
            steps_per_epoch=FLAGS.steps_per_epoch or None,
            callbacks=callbacks,
        )
    except kgg.NonFiniteError as error:
        sys.exit(f"train_images.py: {error}")
    if done >= FLAGS.epochs:
        print(f"Nothing to train: {done} epochs were done already.")
    folder.save(gan, FLAGS.source)
    print(folder.summary(num_classes))


if __name__ == "__main__":
    app.run(main)
