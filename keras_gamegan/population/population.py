"""A view of everything a GAN remembers."""

from collections.abc import Iterator
from typing import Any

import keras

from keras_gamegan.population import figures, members, payoff_table


class Population:
    """The stored generators and discriminators of a GAN, and the game between them.

    A view: nothing is copied, and it shows what is stored when it is asked. Its length
    is the number of members of both sides; iterating yields the generators, then the
    discriminators, each side oldest first.

    Args:
        gan: A `FictitiousGAN`, or another model with a history. A side whose history
            is not kept appears with its live model alone.

    Raises:
        ValueError: If the model keeps no history.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4, seed=0)
        >>> history = kgg.History(capacity=3, interval=2, retention="fifo")
        >>> gan = kgg.FictitiousGAN(*pair, history=history, seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
        >>> _ = gan.fit(data[:256], verbose=0)
        >>> population = kgg.Population(gan)
        >>> population
        Population(generators=3, discriminators=3)
        >>> len(population), [member.age for member in population.generators]
        (6, [4, 2, 0])
        >>> p, q, value = population.equilibrium(data[256:])
        >>> bool(abs(p.sum() - 1) < 1e-9)
        True
    """

    def __init__(self, gan: keras.Model) -> None:
        banks = (
            getattr(gan, "minimizer_bank", None),
            getattr(gan, "maximizer_bank", None),
        )
        if banks == (None, None):
            raise ValueError(
                "`gan` must be a model with a history. Received: a "
                f"{type(gan).__name__} that keeps none. Use kgg.FictitiousGAN."
            )
        self._gan = gan
        self._sides = [members.Side(gan, name) for name in gan._roles.names]

    def __repr__(self) -> str:
        return (
            f"Population(generators={len(self.generators)}, "
            f"discriminators={len(self.discriminators)})"
        )

    @property
    def generators(self) -> list[members.Member]:
        """List of `Member`: the stored generators, oldest first, the live one last."""
        return self._sides[0].members()

    @property
    def discriminators(self) -> list[members.Member]:
        """List of `Member`: the stored discriminators, oldest first."""
        return self._sides[1].members()

    def __len__(self) -> int:
        return sum(len(side.order()) for side in self._sides)

    def __iter__(self) -> Iterator[members.Member]:
        return iter(self.generators + self.discriminators)

    def payoff_matrix(self, data: Any, **arguments: Any) -> payoff_table.PayoffMatrix:
        """Returns the `PayoffMatrix` of the members: see `kgg.payoff_matrix`.

        Args:
            data: As in `kgg.payoff_matrix`.
            **arguments: `num_batches`, `batch_size`, `seed`, as there.
        """
        return payoff_table.payoff_matrix(self._gan, data, **arguments)

    def equilibrium(self, data: Any, **arguments: Any) -> Any:
        """Returns the Nash mixture of the members: (p, q, value).

        Args:
            data: As in `kgg.payoff_matrix`.
            **arguments: `num_batches`, `batch_size`, `seed`, as there.

        Returns:
            A `games.MatrixEquilibrium`: p over the generators, q over the
            discriminators, in the order of the members.
        """
        return self.payoff_matrix(data, **arguments).equilibrium()

    def plot_payoffs(self, data: Any, **arguments: Any) -> Any:
        """Draws the payoff matrix and, on its margins, the Nash mixture.

        Darker is a higher value; small matrices show their numbers too. Needs
        matplotlib.

        Args:
            data: As in `kgg.payoff_matrix`, or a `PayoffMatrix` already measured.
            **arguments: `num_batches`, `batch_size`, `seed`, as there.

        Returns:
            A `matplotlib.figure.Figure`: `figure.savefig(path)`.
        """
        if not isinstance(data, payoff_table.PayoffMatrix):
            data = self.payoff_matrix(data, **arguments)
        elif arguments:
            raise ValueError(
                "A PayoffMatrix is drawn as it is. Received: "
                f"{', '.join(sorted(arguments))} besides. Leave them out."
            )
        return figures.draw_payoffs(data)

    def plot_ages(self) -> Any:
        """Draws each member's probability in its mixture over its age in steps.

        Needs matplotlib.

        Returns:
            A `matplotlib.figure.Figure`: `figure.savefig(path)`.
        """
        return figures.draw_ages(self.generators, self.discriminators)
