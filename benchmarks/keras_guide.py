"""`GAN` against the `train_step` that the Keras guide writes by hand.

    python benchmarks/keras_guide.py --rounds=41

The class is the one of the guide "Customizing what happens in fit() with TensorFlow",
written anew for the networks here: the same two halves of the loss, real and generated
images in one call of the discriminator, Keras' optimizers and running means. Two things
differ. The loss takes no label noise. And the guide's networks have no layer with
modes; where there is one, as BatchNorm here, the player that is updated runs in
training mode and the other in inference mode, as in `GAN`: the guide's own calls, in
inference mode throughout, would never move the statistics. `as_printed=True` is that
cheaper step.
"""

import keras
import settings
import tensorflow as tf
import timing
from absl import app, flags

import keras_gamegan as kgg


class KerasGuideGAN(keras.Model):
    """The GAN of the Keras guide.

    Args:
        discriminator: Keras model, data -> logits (b, 1).
        generator: Keras model, latents (b, latent_dim) -> data.
        as_printed: Whether all calls are in inference mode. Default: False.
    """

    def __init__(self, discriminator, generator, as_printed=False):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent_dim = generator.inputs[0].shape[1]
        self.training = not as_printed
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
        self.built = True

    @property
    def metrics(self):
        """The running means; Keras resets them at every epoch."""
        return [self.d_loss_tracker, self.g_loss_tracker]

    def compile(self, d_optimizer, g_optimizer):
        """Sets the optimizers and the loss."""
        super().compile(optimizer=None)
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        # As the guide's `fit` does before its first step.
        d_optimizer.build(self.discriminator.trainable_weights)
        g_optimizer.build(self.generator.trainable_weights)

    def draw_latents(self, number):
        """Returns latents (number, latent_dim)."""
        return tf.random.normal([number, self.latent_dim])

    def train_step(self, real_images):
        """Updates the discriminator, then the generator."""
        batch_size = tf.shape(real_images)[0]
        latents = self.draw_latents(batch_size)
        generated_images = self.generator(latents, training=False)
        combined_images = tf.concat([real_images, generated_images], axis=0)
        labels = tf.concat(
            [tf.ones((batch_size, 1)), tf.zeros((batch_size, 1))], axis=0
        )
        with tf.GradientTape() as tape:
            predictions = self.discriminator(combined_images, training=self.training)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(
            zip(grads, self.discriminator.trainable_weights, strict=True)
        )

        latents = self.draw_latents(batch_size)
        misleading_labels = tf.ones((batch_size, 1))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(
                self.generator(latents, training=self.training), training=False
            )
            # The half is that of the library's payoff.
            g_loss = 0.5 * self.loss_fn(misleading_labels, predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(
            zip(grads, self.generator.trainable_weights, strict=True)
        )

        self.d_loss_tracker.update_state(d_loss)
        self.g_loss_tracker.update_state(g_loss)
        return {
            "d_loss": self.d_loss_tracker.result(),
            "g_loss": self.g_loss_tracker.result(),
        }


def contestants(setting):
    """Returns name -> stopwatch of the guide's steps and of `GAN`'s."""
    models = {
        "guide": KerasGuideGAN(*setting.make()),
        "guide as printed": KerasGuideGAN(*setting.make(), as_printed=True),
        "gan": kgg.GAN(*setting.make(), seed=0),
        "gan without average": kgg.GAN(*setting.make(), average_decay=None, seed=0),
    }
    data = setting.data()
    return {
        name: timing.stopwatch(
            settings.repeated_step(settings.compiled(model), data, setting.steps),
            setting.steps,
        )
        for name, model in models.items()
    }


def rows(seconds, networks, bound=None):
    """Returns the lines of the table, from the times of `contestants`."""
    return [
        timing.row_against(
            seconds,
            "gan",
            "guide",
            "`GAN` / the guide's step",
            networks,
            bound,
            target=1.03,
        ),
        timing.row_against(
            seconds,
            "gan without average",
            "guide",
            "`GAN(average_decay=None)` / the guide's step",
            networks,
            bound,
        ),
        timing.row_against(
            seconds,
            "gan",
            "guide as printed",
            "`GAN` / the guide's step in inference mode",
            networks,
            bound,
            note="the guide's step computes less: BatchNorm never learns",
        ),
        timing.row_against(
            seconds, "guide", None, "the guide's step alone", networks, bound
        ),
    ]


def main(argv):
    """Times both pairs of networks and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(2)
    print(timing.HEADER)
    for setting in settings.settings().values():
        seconds = timing.interleave(contestants(setting), flags.FLAGS.rounds, 2)
        for row in rows(seconds, setting.name):
            print(timing.line(row), flush=True)


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 41, "Timed rounds.", 1)
    app.run(main)
