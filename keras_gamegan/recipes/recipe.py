"""A recipe: the settings of networks, trainer, loss and optimizers as one object."""

import dataclasses
import difflib
from typing import Any

import keras

from keras_gamegan import callbacks, models, payoffs, schedules, validation
from keras_gamegan.recipes import building


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that makes a GAN of images, but the images and the seed.

    `dataclasses.replace(recipe, penalty="none")` is another one; printed, it shows its
    settings. The fields are the flags of `kgg train` of the same names.

    Attributes:
        network: "dcgan", "residual", "modern", or "mlp", which knows nothing of images.
        latent_dim: Size of a latent, >= 1.
        base_filters: Filters of the outermost level, >= 1 (not "mlp").
        num_blocks: Residual blocks at each size, >= 1 ("modern").
        generator_normalization: "batch" or "none" ("dcgan", "residual").
        discriminator_normalization: "none", "spectral" or "layer" (likewise).
        mlp_width: Units of a hidden layer, >= 1 ("mlp").
        method: "gan", "duality_gap" or "fictitious".
        discriminator_steps: Updates of the discriminator a step, >= 1 (not
            "duality_gap").
        num_response_steps: k of the search, >= 0 ("duality_gap").
        response_optimizer: "sgd", "momentum", "adam", "rmsprop", or "player", as the
            searching player itself would (likewise).
        response_learning_rate: Step of the search, > 0 (likewise; not "player").
        response_side: "both", "generator" or "discriminator": whose best response is
            searched (likewise).
        history_capacity: Models kept, the live one included, >= 1 ("fictitious").
        history_interval: Train steps between two of them, >= 1 (likewise).
        retention: "fifo", "geometric", "thinned" or "reservoir" (likewise).
        current_weight: Probability of the live opponent, in [0, 1]; -1: as of any other
            (likewise).
        side: "both", "discriminator" or "generator": whose history is kept (likewise).
        answered: Which of these the opponent answers, or "none" (likewise); the others
            are kept to be sampled.
        mixture: "sampled" or "full" (likewise).
        augment: "none", or "diffaugment" of what the discriminator is shown
            (`kgg.augment.DiffAugment`), for few images.
        loss: Name of a payoff.
        penalty: "none", "r1", "r1+r2" or "gradient_penalty".
        penalty_weight: Its weight, > 0; None: its own default.
        d_learning_rate: Adam's for the discriminator, > 0.
        g_learning_rate: Adam's for the generator, > 0.
        beta_1: Adam's, both players, in [0, 1).
        average_decay: Of the moving average of the generator, in [0, 1).
        decay_start: Fraction of the run, in [0, 1), after which both rates fall to zero
            (`kgg.schedules.LinearDecay`); None: they stay.
        pace_control: Whether the rates are where a search begins that goes on while
            training (`kgg.callbacks.PaceControl`, experimental).

    Example:
        >>> import dataclasses, keras_gamegan as kgg
        >>> recipe = kgg.recipes.get("baseline")
        >>> small = dataclasses.replace(recipe, base_filters=4, latent_dim=8)
        >>> gan = small.build((16, 16, 3), seed=0)
        >>> gan.sample(2, seed=0).shape
        (2, 16, 16, 3)

    Raises:
        TypeError, ValueError: If a setting is none that can be, or if they cannot train
            a GAN together.
    """

    network: str = "dcgan"
    latent_dim: int = 64
    base_filters: int = 32
    num_blocks: int = 1
    generator_normalization: str = "batch"
    discriminator_normalization: str = "none"
    mlp_width: int = 256
    method: str = "gan"
    discriminator_steps: int = 1
    num_response_steps: int = 1
    response_optimizer: str = "adam"
    response_learning_rate: float = 2e-4
    response_side: str = "both"
    history_capacity: int = 5
    history_interval: int = 100
    retention: str = "geometric"
    current_weight: float = 0.5
    side: str = "both"
    answered: str = "discriminator"
    mixture: str = "sampled"
    augment: str = "none"
    loss: str = "non_saturating"
    penalty: str = "none"
    penalty_weight: float | None = None
    d_learning_rate: float = 2e-4
    g_learning_rate: float = 2e-4
    beta_1: float = 0.5
    average_decay: float = 0.999
    decay_start: float | None = None
    pace_control: bool = False

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            validation.check_choice(name, getattr(self, name), choices)
        for name, minimum in _COUNTS.items():
            validation.check_integer(name, getattr(self, name), minimum)
        for name in _RATES:
            validation.check_number(name, getattr(self, name), exclusive=True)
        for name in ("beta_1", "average_decay"):
            validation.check_number(name, getattr(self, name), 0.0, 1.0, below=True)
        validation.check_flag("pace_control", self.pace_control)
        if self.decay_start is not None:
            schedules.LinearDecay(self.decay_start)
        if self.penalty_weight is not None:
            hint = 'For none, penalty="none".'
            weight = self.penalty_weight
            validation.check_number("penalty_weight", weight, exclusive=True, hint=hint)
        if self.current_weight != -1:
            hint = "-1 is the probability of any other."
            validation.check_number(
                "current_weight", self.current_weight, 0.0, 1.0, hint=hint
            )
        if self.method == "fictitious":
            building.history_of(self)
        self._check_bound()

    def settings(self) -> dict[str, Any]:
        """Returns the settings that mean something, given the others."""
        taken = dataclasses.asdict(self)
        return {name: value for name, value in taken.items() if self.applies(name)}

    def applies(self, name: str) -> bool:
        """Returns whether a setting means something, given the others."""
        return self.lacks(name) is None

    def lacks(self, name: str) -> tuple[str, tuple[str, ...]] | None:
        """Returns which other setting keeps this one from meaning anything, if any.

        Args:
            name: Of the setting.

        Returns:
            A pair (name of the other setting, the values that it would have to have),
            or None.
        """
        if name not in BELONGS:
            return None
        other, values = BELONGS[name]
        met = getattr(self, other) in values
        return self.lacks(other) or (None if met else (other, values))

    def _check_bound(self) -> None:
        bounded = self.penalty != "none" or (
            self.network != "mlp" and self.discriminator_normalization == "spectral"
        )
        if self.loss == "wasserstein" and not bounded:
            raise ValueError(
                "loss=wasserstein needs a bound on the discriminator's slope, without "
                "which its value grows for ever. Received: penalty=none and no "
                "spectral normalization. Use penalty=gradient_penalty, or "
                "discriminator_normalization=spectral."
            )

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Returns the callbacks of `fit` that belong to the recipe, made anew.

        `kgg.callbacks.Checkpoint` comes after them.
        """
        made: list[keras.callbacks.Callback] = []
        if self.pace_control:
            made.append(callbacks.PaceControl())
        if self.decay_start is not None:
            made.append(schedules.LinearDecay(self.decay_start))
        return made

    def build(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int | None = None,
        seed: int = 0,
        jit_compile: bool | str = "auto",
    ) -> models.GAN:
        """Returns the GAN, compiled.

        Args:
            image_shape: (height, width, channels) of images in [-1, 1].
            num_classes: Number of classes of class-conditional networks, or None.
            seed: Of weights, latents and draws. Default: 0.
            jit_compile: As in `compile`. Default: "auto".

        Raises:
            ValueError: If the settings do not fit each other or the images.
        """
        return building.build(self, image_shape, num_classes, seed, jit_compile)


CHOICES: dict[str, tuple[str, ...]] = {
    "network": ("dcgan", "residual", "modern", "mlp"),
    "generator_normalization": ("batch", "none"),
    "discriminator_normalization": ("none", "spectral", "layer"),
    "method": ("gan", "duality_gap", "fictitious"),
    "response_optimizer": ("sgd", "momentum", "adam", "rmsprop", "player"),
    "response_side": ("both", "generator", "discriminator"),
    "retention": ("fifo", "geometric", "thinned", "reservoir"),
    "side": ("both", "discriminator", "generator"),
    "answered": ("both", "discriminator", "generator", "none"),
    "mixture": ("sampled", "full"),
    "augment": ("none", "diffaugment"),
    "loss": payoffs.lookup.NAMES,
    "penalty": ("none", "r1", "r1+r2", "gradient_penalty"),
}
# Setting -> the least that it may be.
_COUNTS = {
    "latent_dim": 1,
    "base_filters": 1,
    "num_blocks": 1,
    "mlp_width": 1,
    "discriminator_steps": 1,
    "num_response_steps": 0,
    "history_capacity": 1,
    "history_interval": 1,
}
_RATES = ("d_learning_rate", "g_learning_rate", "response_learning_rate")

# Setting -> (the setting it belongs to, the values with which it means something).
BELONGS: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("num_response_steps", "response_optimizer", "response_side"),
        ("method", ("duality_gap",)),
    ),
    "response_learning_rate": (
        "response_optimizer",
        ("sgd", "momentum", "adam", "rmsprop"),
    ),
    **dict.fromkeys(
        (
            "history_capacity",
            "history_interval",
            "retention",
            "current_weight",
            "side",
            "answered",
            "mixture",
        ),
        ("method", ("fictitious",)),
    ),
    **dict.fromkeys(
        ("generator_normalization", "discriminator_normalization"),
        ("network", ("dcgan", "residual")),
    ),
    "base_filters": ("network", ("dcgan", "residual", "modern")),
    "num_blocks": ("network", ("modern",)),
    "discriminator_steps": ("method", ("gan", "fictitious")),
    "mlp_width": ("network", ("mlp",)),
    "penalty_weight": ("penalty", ("r1", "r1+r2", "gradient_penalty")),
}

_FAST = Recipe(g_learning_rate=2e-3, d_learning_rate=5e-4, average_decay=0.99)
_RECIPES = {
    # The plain GAN with R1: the cheapest that trains.
    "baseline": dataclasses.replace(_FAST, penalty="r1", penalty_weight=0.5),
    # Old discriminators beside the live one, no penalty.
    "no_penalty": dataclasses.replace(_FAST, method="fictitious"),
    # The same, and R1.
    "history": dataclasses.replace(
        _FAST, method="fictitious", penalty="r1", penalty_weight=0.5
    ),
    # Residual networks without normalization, pairs of logits, two penalties (Huang et
    # al. 2024, whose Adam has no momentum).
    "modern": Recipe(
        network="modern",
        base_filters=16,
        loss="relativistic",
        penalty="r1+r2",
        penalty_weight=0.05,
        d_learning_rate=1e-3,
        g_learning_rate=1e-3,
        beta_1=0.0,
        average_decay=0.99,
    ),
    # The usual rates of DCGANs, without a penalty (Radford et al. 2016).
    "usual": Recipe(),
}


def names() -> list[str]:
    """Returns the names of the recipes.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.recipes.names()[0]
        'baseline'
    """
    return list(_RECIPES)


def get(name: str) -> Recipe:
    """Returns a recipe by its name.

    Args:
        name: "baseline": the plain GAN with R1. "no_penalty": the generator against
            old discriminators too. "history": the same with R1. "modern": the networks
            and the loss of R3GAN, slower on a CPU. "usual": the plain GAN without a
            penalty, at the rates of 2e-4 that are usual for DCGANs.

    Raises:
        ValueError: If there is no such recipe.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.recipes.get("no_penalty").method
        'fictitious'
    """
    close = difflib.get_close_matches(str(name), _RECIPES, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else ""
    return _RECIPES[validation.check_choice("name", name, tuple(_RECIPES), hint)]
