"""A GAN whose players answer the history of their opponents."""

from typing import Any, NamedTuple

import keras

from keras_gamegan import history as histories
from keras_gamegan import validation
from keras_gamegan.games import schemes
from keras_gamegan.models import gan, serialization


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
            the model is `GAN` bit for bit. Default: 5 models, 100 steps apart,
            geometric retention, half the weight on the live opponent.
        mixture: "sampled", one opponent drawn at every step; "sliced", the batch is
            split over `history.slices` opponents drawn at every step, its size on every
            replica a multiple of that; or "full", the exact mean over all. The first
            two are unbiased estimates of the last, at about the cost of a plain step.
            Default: "sampled".
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
        discriminator,
        generator,
        latent_dim=None,
        *,
        data_shape=None,
        history=None,
        mixture="sampled",
        discriminator_steps=1,
        generator_steps=1,
        average_decay=0.999,
        augment=None,
        seed=None,
        name=None,
    ):
        if history is None:
            history = histories.History()
        if not isinstance(history, histories.History):
            raise TypeError(
                f"`history` must be a kgg.History. Received: history={history!r}. "
                "Pass, for instance, kgg.History(capacity=5, interval=100)."
            )
        # Keras forbids attributes before its own constructor has run.
        settings = (
            history,
            validation.check_choice("mixture", mixture, histories.MIXTURES),
        )
        super().__init__(
            discriminator,
            generator,
            latent_dim,
            data_shape=data_shape,
            updates="alternating",
            discriminator_steps=discriminator_steps,
            generator_steps=generator_steps,
            average_decay=average_decay,
            augment=augment,
            seed=seed,
            name=name,
        )
        self.history_config, self.mixture = settings
        self._generator_bank = self._make_bank("generator")
        self._discriminator_bank = self._make_bank("discriminator")
        banks = self._generator_bank, self._discriminator_bank
        self.scheme_store = _BankedHistories(*banks)
        self.scheme = schemes.FictitiousPlay(
            lambda u, v: banks, discriminator_steps, generator_steps
        )

    def _make_bank(self, side):
        settings = self.history_config
        if settings.side not in ("both", side):
            return None
        networks = {
            "generator": self._generator_network,
            "discriminator": self._discriminator_network,
        }
        return histories.WeightBank(
            networks[side],
            settings.capacity,
            interval=settings.interval,
            retention=settings.retention,
            current_weight=settings.current_weight,
            weights=settings.weights,
            decay=settings.decay,
            mixture=self.mixture,
            slices=settings.slices,
            dtype=settings.dtype,
            # The two banks draw independently; what an int64 cannot hold wraps around.
            seed=(2 * self.seed + (side == "discriminator")) % 2**63,
            name=f"{side}_bank",
        )

    @property
    def generator_bank(self):
        """`WeightBank` of historical generators, or None if their side is unused."""
        return self._generator_bank

    @property
    def discriminator_bank(self):
        """`WeightBank` of historical discriminators, or None if unused."""
        return self._discriminator_bank

    def get_config(self):
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


class _BankedHistories:
    """The state of fictitious play: both players' histories, kept in banks."""

    def __init__(self, generator_bank, discriminator_bank):
        # In a function: Keras would look for layers in an attribute.
        self._banks = lambda: (generator_bank, discriminator_bank)

    def read(self, step):
        """Returns the state after so many steps."""
        banks = self._banks()
        histories = (None if bank is None else _BankHistory(bank) for bank in banks)
        return schemes.State(step, {}, *histories)

    def write(self, state, share, forgiving=False):
        """Lets the live models enter the banks, once their step is known to be good."""
        del share, forgiving
        for history in (state.u, state.v):
            if history is not None:
                history.bank.record(history.recorded)


class _BankHistory(NamedTuple):
    """A bank as the scheme's history: what is recorded is written by the model.

    Attributes:
        bank: A `WeightBank`.
        recorded: `Player` to be written, or None.
    """

    bank: Any
    recorded: Any = None

    def mixture(self, current):
        """Returns the `Mixture` to be answered."""
        return self.bank.mixture(current)

    def record(self, player):
        """Returns the history with the live player stored."""
        return self._replace(recorded=player)
