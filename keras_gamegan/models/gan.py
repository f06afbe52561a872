"""The GAN: two networks, two optimizers and a scheme, under `model.fit`."""

import keras
import tensorflow as tf

from keras_gamegan import augment as augment_module
from keras_gamegan import payoffs, sampling, stateless, validation, variable_store
from keras_gamegan.distribution import execution, placement, trainer
from keras_gamegan.games import randomness
from keras_gamegan.models import (
    adversarial_game,
    average,
    checks,
    compile_hints,
    description,
    optimizers,
    pairing,
    running,
    scheme_state,
    serialization,
    slots,
    steps,
    trackers,
    wrapping,
)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GAN(
    trainer.BuiltTrainer,
    description.ShortRepr,
    running.RunMethods,
    sampling.SamplingMethods,
    serialization.SavingMethods,
    slots.SlotsInFiles,
    keras.Model,
):
    """A generative adversarial network trained with `fit`.

    The generator minimises and the discriminator maximises the value V(D, G) of a
    payoff. This base class takes gradient steps against the opponent's current
    weights; `DualityGapGAN` and `FictitiousGAN` differ in whom each player answers.

    All randomness is a function of (seed, step, index of the example in the global
    batch), and all state is variables; so a run can be repeated, resumed and spread
    over replicas.

    A frozen opponent is a fixed function: it runs in inference mode, with its own
    BatchNorm statistics and without Dropout. Only the player being updated runs in
    training mode.

    Args:
        discriminator: Keras model, data (b, ...) -> one logit (b, 1), or one for each
            patch (b, h, w, 1), without a sigmoid. Class-conditional: inputs
            [data, labels].
        generator: Keras model, latents (b, latent_dim) -> data (b, ...).
            Class-conditional: inputs [latents, labels].
        latent_dim: Size of a latent; a subclassed generator needs it. Default:
            inferred from the generator's input.
        data_shape: Shape of one example. Default: that of what the generator makes.
        updates: How both players move: a name, "alternating" (the discriminator
            first, as in the Keras guides), "simultaneous", "extragradient",
            "optimistic", "consensus", "lookahead" or "unrolled"; or an object of
            `kgg.games.schemes`. Default: "alternating".
        discriminator_steps: With "alternating": discriminator updates per train step,
            >= 1, all on the step's real batch with fresh latents. Default: 1.
        generator_steps: With "alternating": generator updates per train step, >= 1.
            Default: 1.
        average_decay: Decay per step of the moving average of the generator's weights
            (`sample(source="average")`), in [0, 1); None keeps none. Default: 0.999.
        augment: What changes real and generated images before the discriminator sees
            them, in both players' steps: one of `kgg.augment`, or a Keras layer.
            Default: None.
        seed: Integer seed of latents, Dropout and draws. Default: drawn anew.
        name: Name of the model.

    Raises:
        TypeError: If a network is not a Keras model or a number not a number.
        ValueError: If the networks do not fit each other or a number is out of range.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> discriminator, generator = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
        >>> gan = kgg.GAN(discriminator, generator, seed=0)
        >>> gan.compile(loss="non_saturating", penalty="r1")
        >>> data = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
        >>> history = gan.fit(data, batch_size=32, epochs=1, verbose=0)
        >>> sorted(history.history)
        ['d_fake', 'd_loss', 'd_real', 'g_loss', 'value']
        >>> gan.sample(3, seed=1).shape
        (3, 2)

    References:
        Goodfellow et al.: "Generative Adversarial Networks", 2014.
    """

    def __init__(
        self,
        discriminator,
        generator,
        latent_dim=None,
        *,
        data_shape=None,
        updates="alternating",
        discriminator_steps=1,
        generator_steps=1,
        average_decay=0.999,
        augment=None,
        seed=None,
        name=None,
    ):
        super().__init__(name=name)
        discriminator, generator = wrapping.with_inputs(
            discriminator, generator, latent_dim, data_shape
        )
        checks.check_networks(discriminator, generator)
        self.updates = updates
        self.discriminator_steps = validation.check_integer(
            "discriminator_steps", discriminator_steps
        )
        self.generator_steps = validation.check_integer(
            "generator_steps", generator_steps
        )
        self.scheme = checks.scheme(
            updates, self.discriminator_steps, self.generator_steps
        )
        if average_decay is not None:
            average_decay = validation.check_number(
                "average_decay", average_decay, 0.0, 1.0 - 1e-9
            )
        self.average_decay = average_decay
        if seed is None:
            seed = randomness.new_seed()
        self.seed = validation.check_seed("seed", seed)
        self.discriminator = discriminator
        self.generator = generator
        of_discriminator, of_generator = pairing.label_indices(discriminator, generator)
        self._discriminator_network = stateless.StatelessNetwork(
            discriminator, of_discriminator
        )
        self._generator_network = stateless.StatelessNetwork(generator, of_generator)
        self._latent_shape = checks.latent_shape(
            self._generator_network.main_input, latent_dim
        )
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="step",
            aggregation="only_first_replica",
        )
        self.generator_average = None
        if average_decay is not None:
            self.generator_average = average.AverageWeights(
                self._generator_network, average_decay
            )
        self.scheme_store = scheme_state.keep(
            self.scheme, self._generator_network, self._discriminator_network
        )
        self.augment = augment_module.get(augment)
        if self.augment is not None:
            self.augment.check(tuple(self._discriminator_network.main_input.shape[1:]))
        self.trackers = trackers.Trackers(self.log_names)
        self.make_sampler()
        self.d_optimizer = self.g_optimizer = self._game = None
        self.training_game = None
        self.built = True

    # What subclasses change.

    @property
    def log_names(self):
        """Names of the logs of a train step, in order."""
        names = ("d_loss", "g_loss", "value", "d_real", "d_fake")
        names += self.augment.log_names if self.augment is not None else ()
        return names + tuple(self.scheme.log_names)

    @property
    def generator_bank(self):
        """`WeightBank` of historical generators, or None if none is kept."""
        return None

    @property
    def discriminator_bank(self):
        """`WeightBank` of historical discriminators, or None if none is kept."""
        return None

    # The public face.

    @property
    def latent_dim(self):
        """Size of a latent: an int, or the latent's shape if it has several axes."""
        shape = self._latent_shape
        return shape[0] if len(shape) == 1 else shape

    @property
    def generator_network(self):
        """The generator as a `StatelessNetwork`."""
        return self._generator_network

    @property
    def discriminator_network(self):
        """The discriminator as a `StatelessNetwork`."""
        return self._discriminator_network

    @property
    def game(self):
        """The game the networks play, once compiled: see `models.AdversarialGame`."""
        return self._game

    @property
    def latent_shape(self):
        """Shape of one latent, a tuple."""
        return self._latent_shape

    @property
    def conditional(self):
        """Whether the networks take labels."""
        return self._generator_network.label_input is not None

    @property
    def num_classes(self):
        """Number of classes that both networks know; None if that cannot be told."""
        networks = self._discriminator_network, self._generator_network
        known = [network.num_classes for network in networks]
        return min((number for number in known if number is not None), default=None)

    @property
    def num_steps(self):
        """Train steps taken so far, an int."""
        return int(tf.convert_to_tensor(self.step).numpy())

    @property
    def optimizer(self):
        """The face Keras' learning-rate callbacks see of both optimizers."""
        if getattr(self, "g_optimizer", None) is None:
            return None
        return self._optimizer_pair

    @optimizer.setter
    def optimizer(self, value):
        # Keras' own compile sets None here; the optimizers are d_ and g_optimizer.
        if value is not None:
            raise ValueError(
                "A GAN has two optimizers. Received: an assignment to `optimizer`. "
                "Pass d_optimizer= and g_optimizer= to compile."
            )

    def compile(
        self,
        d_optimizer="adam",
        g_optimizer="adam",
        loss="non_saturating",
        penalty=None,
        *,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
        **unknown,
    ):
        """Chooses optimizers, loss and penalty.

        Args:
            d_optimizer: Keras optimizer of the discriminator, or its name.
            g_optimizer: Keras optimizer of the generator, or its name.
            loss: "minimax", "non_saturating", "wasserstein", "hinge", "least_squares",
                a `kgg.Payoff`, or Keras' binary cross-entropy, which is understood as
                "non_saturating": see `kgg.payoffs.get`. Default: "non_saturating".
            penalty: None, "r1", "gradient_penalty", or a `kgg.penalties.Penalty`.
            run_eagerly: As in Keras.
            steps_per_execution: As in Keras, >= 1.
            jit_compile: True, False or "auto", as in Keras.
            auto_scale_loss: Whether float16 networks get a `LossScaleOptimizer`.
            **unknown: Arguments of `keras.Model.compile` that a GAN does not take:
                refused with what to pass instead.

        Raises:
            TypeError: If an argument is none of a GAN's, or of the wrong type.
            ValueError: If a name is unknown, one optimizer is given twice, or one was
                built for variables other than those it is to move; on
                `jit_compile=True` under a strategy of several devices.
        """
        compile_hints.check(unknown)
        compile_hints.check_options(
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
        )
        execution.check_jit_compile(self.distribute_strategy, jit_compile)
        payoff = payoffs.get(loss)
        penalty = payoffs.penalties.get(penalty)
        self._read_trainable()
        networks = self._discriminator_network, self._generator_network
        with placement.scope_of(self, d_optimizer, g_optimizer):
            self.d_optimizer, self.g_optimizer = optimizers.prepare(
                d_optimizer, g_optimizer, *networks, auto_scale_loss
            )
        self._optimizer_pair = optimizers.OptimizerPair(
            self.g_optimizer, self.d_optimizer
        )
        # As asked for, which another machine may answer differently.
        self.compile_options = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        self.payoff, self.penalty = payoff, penalty
        played = *networks, payoff, penalty
        self._game = adversarial_game.AdversarialGame(*played)
        self.training_game = adversarial_game.AdversarialGame(*played, self.augment)
        # Both optimizers are wrapped already; Keras would look for its one.
        super().compile(
            optimizer=None, **{**self.compile_options, "auto_scale_loss": False}
        )
        # Keras' tracker of a "loss" that this model does not have.
        self._loss_tracker = None

    def _read_trainable(self):
        """Reads which weights are trainable; what is kept beside them follows."""
        for network in (self._discriminator_network, self._generator_network):
            network.refresh()
        with placement.scope_of(self):
            for layer in self.layers:
                if isinstance(layer, variable_store.VariableStore):
                    layer.refresh()
        self._sampler.forget()

    def __setattr__(self, name, value):
        if name in ("discriminator", "generator") and hasattr(self, name):
            raise ValueError(
                f"The {name} of a GAN is fixed: optimizers, averages and histories "
                f"belong to its weights. Received: gan.{name} = {value!r}. Build a new "
                f"GAN of it, or take over its weights: gan.{name}.set_weights("
                "other.get_weights())."
            )
        super().__setattr__(name, value)

    def call(self, inputs, training=False):
        """Returns generated data for latents (b, latent_dim) [and labels]."""
        return self.generator(inputs, training=training)

    # The steps.

    def train_step(self, data):
        """Takes one step of the scheme; called by `fit`."""
        return steps.train_step(self, data)

    def test_step(self, data):
        """Scores a batch in inference mode; called by `evaluate`."""
        return steps.test_step(self, data)

    @property
    def data_range(self):
        """Smallest and largest real value seen this epoch: array (2,)."""
        return tf.convert_to_tensor(self.trackers.data_range.result()).numpy()

    @property
    def metrics(self):
        """The running means of the logs, and two counters."""
        return self.trackers.metrics

    # Saving and loading.

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return serialization.model_config(
            self,
            {
                "updates": self.updates,
                "discriminator_steps": self.discriminator_steps,
                "generator_steps": self.generator_steps,
                "average_decay": self.average_decay,
                "augment": self.augment,
                "seed": self.seed,
                "name": self.name,
            },
        )
