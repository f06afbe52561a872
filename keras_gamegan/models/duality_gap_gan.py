"""A GAN that descends the duality gap."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_gamegan import games
from keras_gamegan.games import randomness, schemes
from keras_gamegan.models import gan, serialization
from keras_gamegan.typing import Config


@keras.saving.register_keras_serializable(package="keras_gamegan")
class DualityGapGAN(gan.GAN):
    """A GAN trained by minimising the duality gap instead of min-max.

    Mathematics: DG(G, D) = max_D' V(D', G) - min_G' V(D, G') is zero exactly at an
    equilibrium. At every step the worst opponents D_w, G_w are searched for from the
    current players; then G descends its loss against D_w, and D against G_w. Neither
    learns against the other's current iterate.

    A step costs about (num_steps + 1) plain steps; of `BestResponse(1, side=...)` about
    one, as the search begins with the gradient that the player itself descends. The log
    `duality_gap` is V(D_w, G) - V(D, G_w) on the batch, `value` is V(D, G_w).

    With `BestResponse(start="persistent")` the worst opponents are part of the model:
    saved, restored and, under replicas, the same everywhere. `worst_players` are they.

    Args:
        discriminator: As in `GAN`.
        generator: As in `GAN`.
        latent_dim: As in `GAN`.
        data_shape: As in `GAN`.
        best_response: A `BestResponse`: how the worst opponents are searched for. With
            `num_steps=0` the model is `GAN(updates="simultaneous")` bit for bit.
            Default: one step as the searching player itself would take it,
            `BestResponse(1, "player")`, which did better than a rate of its own
            (`docs/results/images.md`); the players' optimizers must then be plain Adam
            or SGD. With `side="generator"` and R1 it was a little better than the plain
            GAN on images, at its price.
        average_decay: As in `GAN`.
        augment: As in `GAN`.
        seed: As in `GAN`.
        name: Name of the model.

    Raises:
        TypeError: If `best_response` is not a `BestResponse`.
        ValueError: As in `GAN`.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> discriminator, generator = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
        >>> gan = kgg.DualityGapGAN(
        ...     discriminator, generator, best_response=kgg.BestResponse(num_steps=2)
        ... )
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
        >>> history = gan.fit(data, batch_size=32, verbose=0)
        >>> sorted(history.history)
        ['d_accuracy', 'd_fake', 'd_loss', 'd_real', 'duality_gap', 'g_loss', 'value']

    References:
        Grnarova, Kilcher, Levy, Lucchi, Hofmann: "Generative Minimization Networks:
        Training GANs Without Competition", 2021.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        generator: keras.Model,
        latent_dim: int | None = None,
        *,
        data_shape: Sequence[int] | None = None,
        best_response: games.BestResponse | None = None,
        average_decay: float | None = 0.999,
        augment: Any = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        if best_response is None:
            best_response = games.BestResponse(1, "player")
        if not isinstance(best_response, games.BestResponse):
            raise TypeError(
                "`best_response` must be a kgg.BestResponse. "
                f"Received: best_response={best_response!r}. Pass, for instance, "
                "kgg.BestResponse(num_steps=5, optimizer='adam', learning_rate=1e-3)."
            )
        if seed is None:
            seed = randomness.new_seed()
        super().__init__(
            discriminator,
            generator,
            latent_dim,
            data_shape=data_shape,
            updates=schemes.DualityGap(best_response, seed),
            average_decay=average_decay,
            augment=augment,
            seed=seed,
            name=name,
        )
        self.best_response = best_response

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return serialization.model_config(
            self,
            {
                "best_response": self.best_response,
                "average_decay": self.average_decay,
                "augment": self.augment,
                "seed": self.seed,
                "name": self.name,
            },
        )
