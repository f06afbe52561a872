"""Trains a GAN on a TPU, or on whatever devices stand in for one.

    python examples/train_tpu.py --tpu=local --data_dir=... --output_dir=runs/tpu

A TPU wants static shapes, batches of one size, and is idle between programs: try
`--steps_per_execution=50` there (Keras allows 1 only on mirrored devices). Everything
is built in the strategy's scope. This has run on logical CPU devices in the place of a
TPU, never on TPU hardware.
"""

import pathlib

import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_string("tpu", "local", "Name or address of the TPU; local on a TPU VM.")
flags.DEFINE_string("dataset", "fashion_mnist", "TFDS data set of images.")
flags.DEFINE_string("data_dir", None, "Folder of prepared TFDS data sets.")
flags.DEFINE_string("output_dir", "runs/tpu", "Folder of checkpoints and sampler.")
flags.DEFINE_integer("batch_size", 512, "Global batch size.", 1)
flags.DEFINE_integer("epochs", 5, "Number of epochs.", 1)
flags.DEFINE_integer("steps_per_epoch", 0, "Steps of an epoch; 0: all the data.", 0)
flags.DEFINE_integer("steps_per_execution", 1, "Steps in one program.", 1)
flags.DEFINE_integer("image_size", 32, "Side of the images.", 8)
flags.DEFINE_integer("num_examples", 0, "Images to use; 0: all.", 0)
flags.DEFINE_integer("seed", 0, "Seed of the run.", 0)


def make_strategy(tpu):
    """Connects to a TPU and returns its strategy."""
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=tpu)
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)


def make_gan(image_shape):
    """Builds and compiles the model; called in the strategy's scope."""
    pair = kgg.networks.dcgan_pair(image_shape, seed=FLAGS.seed)
    gan = kgg.FictitiousGAN(*pair, seed=FLAGS.seed)
    gan.compile(steps_per_execution=FLAGS.steps_per_execution)
    return gan


def main(argv):
    """Trains, resuming if there is something to resume, and exports the sampler."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    strategy = make_strategy(FLAGS.tpu)
    print(f"{strategy.num_replicas_in_sync} replicas")
    images = kgg.datasets.load_images(
        FLAGS.dataset,
        image_size=FLAGS.image_size,
        data_dir=FLAGS.data_dir,
        batch_size=FLAGS.batch_size,
        seed=FLAGS.seed,
        num_examples=FLAGS.num_examples or None,
    )
    with strategy.scope():
        gan = make_gan(tuple(images.element_spec.shape[1:]))
    folder = pathlib.Path(FLAGS.output_dir)
    gan.fit(
        images,
        epochs=FLAGS.epochs,
        steps_per_epoch=FLAGS.steps_per_epoch or None,
        callbacks=[
            kgg.callbacks.Checkpoint(folder / "checkpoints"),
            kgg.callbacks.SampleGrid(folder / "samples"),
        ],
    )
    sampler = folder / "sampler" / "1"
    if not sampler.exists():
        gan.export(sampler, source="average")
    print(f"Wrote {folder}")


if __name__ == "__main__":
    app.run(main)
