"""A GAN whose players answer the history of their opponents."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_gamegan import history as histories
from keras_gamegan import validation
from keras_gamegan.games import randomness, schemes
from keras_gamegan.models import gan, serialization
from keras_gamegan.typing import Config


@keras.saving.register_keras_serializable(package="keras_gamegan")
class FictitiousGAN(gan.GAN):
    """Fictitious play: each player answers the mixture of the other's past models.

    Mathematics: the discriminator ascends the mean over stored generators G_j of
    V(D, G_j), the generator descends the mean over stored discriminators D_j of its
    loss against D_j (the mean of the losses, not the loss of a mean discriminator).
    What converges in theory is the *mixture* of the generators: `sample` it with
    `source="mixture"`.

    Stored models are frozen: no gradient, no BatchNorm update, their own statistics.

    Args:
        discriminator: As in `GAN`.
        generator: As in `GAN`.
        latent_dim: As in `GAN`.
        data_shape: As in `GAN`.
        history: A `History`: what is kept and how much it counts. With `capacity=1`
            the model is `GAN` bit for bit. Default: 5 models of each player, 100 steps
            apart, geometric retention; the generator answers old discriminators, half
            the weight on the live one, and the discriminator the live generator, which
            trained better than answering both, as `History()` does
            (`docs/results/methods.md`).
        mixture: "sampled", one opponent drawn at every step; "sliced", the batch is
            split over `History(slices=)` opponents drawn at every step, its size on
            every replica a multiple of that; or "full", the exact mean over all. The
            first two are unbiased estimates of the last, at about the cost of a plain
            step. Default: "sampled".
        discriminator_steps: As in `GAN`.
        generator_steps: As in `GAN`.
        average_decay: As in `GAN`.
        augment: As in `GAN`.
        seed: As in `GAN`.
        name: Name of the model.

    Raises:
        TypeError: If `history` is not a `History`.
        ValueError: As in `GAN`.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> discriminator, generator = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
        >>> gan = kgg.FictitiousGAN(
        ...     discriminator, generator, history=kgg.History(capacity=3, interval=1)
        ... )
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(96, 2)).astype("float32")
        >>> history = gan.fit(data, batch_size=32, verbose=0)
        >>> gan.generator_bank.size
        3
        >>> gan.sample(5, source="mixture").shape
        (5, 2)

    References:
        Ge, Xia, Chen, Berry, Wu: "Fictitious GAN: Training GANs with Historical
        Models", 2018.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        generator: keras.Model,
        latent_dim: int | None = None,
        *,
        data_shape: Sequence[int] | None = None,
        history: histories.History | None = None,
        mixture: str = "sampled",
        discriminator_steps: int = 1,
        generator_steps: int = 1,
        average_decay: float | None = 0.999,
        augment: Any = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        if history is None:
            history = histories.History(answered="discriminator")
        if not isinstance(history, histories.History):
            raise TypeError(
                f"`history` must be a kgg.History. Received: history={history!r}. "
                "Pass, for instance, kgg.History(capacity=5, interval=100)."
            )
        if seed is None:
            seed = randomness.new_seed()
        steps = [
            validation.check_integer(name, number)
            for name, number in (
                ("discriminator_steps", discriminator_steps),
                ("generator_steps", generator_steps),
            )
        ]
        super().__init__(
            discriminator,
            generator,
            latent_dim,
            data_shape=data_shape,
            updates=schemes.FictitiousPlay(history, *steps, mixture=mixture, seed=seed),
            average_decay=average_decay,
            augment=augment,
            seed=seed,
            name=name,
        )
        self.discriminator_steps, self.generator_steps = steps
        self.history_config, self.mixture = history, mixture

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return serialization.model_config(
            self,
            {
                "history": self.history_config,
                "mixture": self.mixture,
                "discriminator_steps": self.discriminator_steps,
                "generator_steps": self.generator_steps,
                "average_decay": self.average_decay,
                "augment": self.augment,
                "seed": self.seed,
                "name": self.name,
            },
        )
