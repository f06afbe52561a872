"""What the two players of a model are called: in attributes, logs and messages."""

from typing import NamedTuple


class Roles(NamedTuple):
    """The names of a model's two players and of what belongs to them.

    Attributes:
        minimizer: Attribute of the network that minimises the value.
        maximizer: Attribute of the network that maximises it.
        minimizer_optimizer: Attribute, and argument of `compile`.
        maximizer_optimizer: Likewise.
        minimizer_loss: Log of what the minimiser descends.
        maximizer_loss: Log of what the maximiser descends.
    """

    minimizer: str = "minimizer"
    maximizer: str = "maximizer"
    minimizer_optimizer: str = "minimizer_optimizer"
    maximizer_optimizer: str = "maximizer_optimizer"
    minimizer_loss: str = "minimizer_loss"
    maximizer_loss: str = "maximizer_loss"

    @property
    def names(self) -> tuple[str, str]:
        """What the players are called, the minimiser first."""
        return self.minimizer, self.maximizer

    @property
    def losses(self) -> dict[str, str]:
        """Name of a log -> its name in a scheme's report."""
        return {
            self.maximizer_loss: "maximizer_loss",
            self.minimizer_loss: "minimizer_loss",
        }


GAN = Roles(
    "generator", "discriminator", "g_optimizer", "d_optimizer", "g_loss", "d_loss"
)
