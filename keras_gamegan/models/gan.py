"""The GAN: two networks, two optimizers and a scheme, under `model.fit`."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import augment as augment_module
from keras_gamegan import history, labelled_network, payoffs, sampling, validation
from keras_gamegan.distribution import replicas
from keras_gamegan.games import schemes
from keras_gamegan.models import (
    average_weights,
    compile_hints,
    label_inputs,
    network_checks,
    roles,
    serialization,
    two_player_model,
    wrapping,
)
from keras_gamegan.models.step import adversarial_game, labelled_data, step_metrics
from keras_gamegan.typing import Config, Structure


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GAN(sampling.SamplingMethods, two_player_model.TwoPlayerModel):
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
        ['d_accuracy', 'd_fake', 'd_loss', 'd_real', 'g_loss', 'value']
        >>> gan.sample(3, seed=1).shape
        (3, 2)

    References:
        Goodfellow et al.: "Generative Adversarial Networks", 2014.
    """

    _roles = roles.GAN
    _kind = "A GAN"
    _networks: tuple[labelled_network.LabelledNetwork, labelled_network.LabelledNetwork]

    def __init__(
        self,
        discriminator: keras.Model,
        generator: keras.Model,
        latent_dim: int | None = None,
        *,
        data_shape: Sequence[int] | None = None,
        updates: str | schemes.Scheme = "alternating",
        discriminator_steps: int = 1,
        generator_steps: int = 1,
        average_decay: float | None = 0.999,
        augment: Any = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        keras.Model.__init__(self, name=name)
        discriminator, generator = wrapping.with_inputs(
            discriminator, generator, latent_dim, data_shape
        )
        network_checks.check_networks(discriminator, generator)
        self.discriminator_steps = validation.check_integer(
            "discriminator_steps", discriminator_steps
        )
        self.generator_steps = validation.check_integer(
            "generator_steps", generator_steps
        )
        if average_decay is not None:
            average_decay = validation.check_number(
                "average_decay", average_decay, 0.0, 1.0, below=True
            )
        self.average_decay = average_decay
        of_discriminator, of_generator = label_inputs.label_indices(
            discriminator, generator
        )
        self._set_players(
            labelled_network.LabelledNetwork(generator, of_generator),
            labelled_network.LabelledNetwork(discriminator, of_discriminator),
        )
        self._latent_shape = network_checks.latent_shape(
            self.generator_network.main_input, latent_dim
        )
        self._set_play(updates, self._scheme_of(updates), seed)
        self.generator_average = None
        if average_decay is not None:
            self.generator_average = average_weights.AverageWeights(
                self.generator_network, average_decay
            )
        self._keep_state()
        self.augment = augment_module.get(augment)
        if self.augment is not None:
            self.augment.check(tuple(self.discriminator_network.main_input.shape[1:]))
        self._data_form = labelled_data.LabelledData(self)
        self._game = self._training_game = None
        self._finish(step_metrics.DataRange())
        self.make_sampler()

    def _scheme_of(self, updates: str | schemes.Scheme) -> schemes.Scheme:
        """Returns the scheme that `updates` and the numbers of steps describe."""
        steps = self.discriminator_steps, self.generator_steps
        if updates == "alternating":
            return schemes.Alternating(*steps)
        found = schemes.get(updates)
        if steps != (1, 1):
            raise ValueError(
                f"updates={updates!r} says itself how often each player moves. "
                f"Received: discriminator_steps={steps[0]}, "
                f"generator_steps={steps[1]}. Use 1 and 1, or "
                'updates="alternating".'
            )
        return found

    @property
    def log_names(self) -> tuple[str, ...]:
        """Names of the logs of a train step, in order."""
        of_augmentation = () if self.augment is None else self.augment.log_names
        names = ("d_loss", "g_loss", "value", "d_real", "d_fake", "d_accuracy")
        return (*names, *of_augmentation, *self.scheme.log_names)

    def _prepare_writing(
        self, report: dict[str, tf.Tensor], share: replicas.Share
    ) -> Callable[[tuple, tf.Tensor], None]:
        """Returns what else a good step writes: the average, the augmentation."""
        sign = None
        if self.augment is not None:
            (sign,) = replicas.sum_over_replicas([report["real_sign"]])

        def write(players: tuple, step: tf.Tensor) -> None:
            if self.generator_average is not None:
                self.generator_average.update(players[0], step)
            if self.augment is not None:
                self.augment.adapt(sign, share, step)

        return write

    def _played(self) -> Config:
        """Returns the payoff and the penalty, by the arguments of `compile`."""
        return {"loss": self.payoff, "penalty": self.penalty}

    def _more_logs(self) -> dict[str, tf.Tensor]:
        """Returns this replica's parts of the augmentation's logs."""
        if self.augment is None:
            return {}
        number = replicas.num_replicas()
        logged = self.augment.logs().items()
        return {name: value / number for name, value in logged}

    # The public face.

    @property
    def latent_dim(self) -> int | tuple[int, ...]:
        """Size of a latent: an int, or the latent's shape if it has several axes."""
        shape = self._latent_shape
        return shape[0] if len(shape) == 1 else shape

    @property
    def minimizer(self) -> keras.Model:
        """The generator."""
        return self.generator

    @property
    def maximizer(self) -> keras.Model:
        """The discriminator."""
        return self.discriminator

    @property
    def minimizer_optimizer(self) -> keras.Optimizer | None:
        """The generator's optimizer, or None before `compile`."""
        return self.g_optimizer

    @property
    def maximizer_optimizer(self) -> keras.Optimizer | None:
        """The discriminator's optimizer, or None before `compile`."""
        return self.d_optimizer

    @property
    def generator_network(self) -> labelled_network.LabelledNetwork:
        """The generator as a `StatelessNetwork`."""
        return self._networks[0]

    @property
    def discriminator_network(self) -> labelled_network.LabelledNetwork:
        """The discriminator as a `StatelessNetwork`."""
        return self._networks[1]

    @property
    def generator_bank(self) -> history.WeightBank | None:
        """`WeightBank` of historical generators, or None if none is kept."""
        return self.minimizer_bank

    @property
    def discriminator_bank(self) -> history.WeightBank | None:
        """`WeightBank` of historical discriminators, or None if none is kept."""
        return self.maximizer_bank

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent, a tuple."""
        return self._latent_shape

    @property
    def conditional(self) -> bool:
        """Whether the networks take labels."""
        return self.generator_network.label_input is not None

    @property
    def num_classes(self) -> int | None:
        """Number of classes that both networks know; None if that cannot be told."""
        networks = self.discriminator_network, self.generator_network
        known = [network.num_classes for network in networks]
        return min((number for number in known if number is not None), default=None)

    def compile(  # type: ignore[override]
        self,
        d_optimizer: Any = None,
        g_optimizer: Any = None,
        loss: Any = "non_saturating",
        penalty: Any = None,
        *,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        **unknown: Any,
    ) -> None:
        """Chooses optimizers, loss and penalty.

        Args:
            d_optimizer: Keras optimizer of the discriminator, or its name. Default:
                None, Adam with a rate of 1e-3 and a beta_1 of 0.5, much better than
                Adam's own 0.9 wherever it was measured (docs/results/images.md).
            g_optimizer: Keras optimizer of the generator, or its name. Default: None,
                the same.
            loss: "minimax", "non_saturating", "wasserstein", "hinge", "least_squares",
                "relativistic", a `kgg.Payoff`, or Keras' binary cross-entropy, which is
                understood as "non_saturating": see `kgg.payoffs.get`. Default:
                "non_saturating".
            penalty: None, "r1", "r2", "gradient_penalty", a `kgg.penalties.Penalty`,
                or a list of such: their sum.
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
        compile_hints.check(unknown, self._roles)
        payoff = payoffs.get(loss)
        penalty = payoffs.penalties.get(penalty)
        optimizers = [
            keras.optimizers.Adam(1e-3, beta_1=0.5) if given is None else given
            for given in (g_optimizer, d_optimizer)
        ]
        self._compile(
            *optimizers,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=auto_scale_loss,
        )
        self.payoff, self.penalty = payoff, penalty
        played = self.discriminator_network, self.generator_network, payoff, penalty
        make = functools.partial(
            adversarial_game.AdversarialGame, *played, step=self.step
        )
        self._game, self._training_game = make(), make(augment=self.augment)
        self._sampler.forget()

    def call(self, inputs: Any, training: bool = False) -> Structure:
        """Returns generated data for latents (b, latent_dim) [and labels]."""
        return self.generator(inputs, training=training)

    @property
    def data_range(self) -> np.ndarray:
        """Smallest and largest real value seen this epoch: array (2,)."""
        return tf.convert_to_tensor(self._trackers.data_range.result()).numpy()

    # Saving and loading.

    def get_config(self) -> Config:
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
