"""The flags of `kgg train`, and what they need of each other."""

import dataclasses
from typing import Any

from keras_gamegan import recipes
from keras_gamegan.command_line import options
from keras_gamegan.recipes import recipe as recipe_module

_ABOUT = (
    "Trains a GAN on SOURCE: a folder of PNG, JPEG, WebP, GIF or BMP images, a .npz "
    "file, or the name of a TensorFlow Datasets data set. Ctrl-C saves and says how to "
    "go on; the same command goes on exactly where it ended."
)
# Free to change from run to run; all others make the run what it is.
_FREE = (
    "output_dir",
    "epochs",
    "checkpoint_every",
    "data_dir",
    "download",
    "cache",
    "jit_compile",
    "source",
    "recipe",
    "dataset",
)


def make() -> options.Options:
    """Returns the flags."""
    made = options.Options("kgg train SOURCE [flags]", _ABOUT, ("SOURCE...",))
    _define_basic(made.group("basic flags"))
    _define_data(made.group("data"))
    _define_run(made.group("run"))
    _define_recipe(made)
    return made


def _define_basic(basic: options.Group) -> None:
    basic.text("output_dir", "runs/images", "Folder of the run.")
    basic.integer("image_size", None, "Side in pixels; default: 64 of a folder.")
    basic.integer("epochs", 20, "Epochs in all; a larger number goes on.")
    basic.integer("batch_size", 64, "Images in a batch.")
    names = tuple(recipes.names())
    basic.choice("recipe", "baseline", names, "Defaults of the flags below.")
    _choice(basic, "method", "Trainer; the recipe's.")
    basic.switch("conditional", False, "Whether to learn classes: of subfolders, say.")
    basic.integer("seed", 0, "Of weights, latents, draws and order.", 0)


def _define_data(data: options.Group) -> None:
    data.text("dataset", None, "Another way to give SOURCE.")
    data.text("split", "train", "TFDS split, such as train[:80%].")
    data.choice("color_mode", "rgb", ("rgb", "grayscale"), "Of a folder's images.")
    data.text("data_dir", None, "Folder of prepared TFDS data sets.")
    data.switch("download", True, "Whether TFDS may download what is not there.")
    data.text("cache", None, "Folder to keep a large folder's decoded images in.")


def _define_run(run: options.Group) -> None:
    about = "Train steps; 0: every image once; default: that, at least 250."
    run.integer("steps_per_epoch", None, about, 0)
    run.text("checkpoint_every", "epoch", '"epoch", or a number of train steps.')
    run.choice("jit_compile", "auto", ("auto", "true", "false"), "XLA, as in Keras.")
    run.choice(
        "source",
        "average",
        ("current", "average", "mixture"),
        "Generator that is drawn and exported: the live one, the moving average of "
        "its weights, or the mixture of its history.",
    )
    about = "Images measured after every epoch, for the best weights; 0: none."
    run.integer("evaluate", 0, about, 0)


def _define_recipe(made: options.Options) -> None:
    networks = made.group("networks (default: the recipe's)")
    _choice(networks, "network", "Architecture.")
    networks.integer("latent_dim", None, "Size of a latent.")
    networks.integer("base_filters", None, "Filters of the outermost level.")
    networks.integer("num_blocks", None, "Residual blocks at each size.")
    networks.integer("mlp_width", None, "Units of a hidden layer.")
    _choice(networks, "generator_normalization", "Layers.")
    _choice(networks, "discriminator_normalization", "Layers.")
    method = made.group("method (default: the recipe's)")
    method.integer("discriminator_steps", None, "Discriminator updates a step.")
    method.integer("num_response_steps", None, "k of the search; costs k + 1.", 0)
    _choice(method, "response_optimizer", "Update of the search.")
    method.number("response_learning_rate", None, "Step of the search.")
    _choice(method, "response_side", "Whose best response is searched.")
    method.integer("history_capacity", None, "Models kept, the live one included.")
    method.integer("history_interval", None, "Train steps between two of them.")
    _choice(method, "retention", "Which model gives way to a new one.")
    about = "Probability of the live opponent; -1: as of any other."
    method.number("current_weight", None, about, None)
    _choice(method, "side", "Whose history is kept.")
    _choice(method, "answered", "Which of these the opponent answers.")
    _choice(method, "mixture", "One opponent a step, or all.")
    _choice(method, "augment", "Of what the discriminator is shown: for few images.")
    loss = made.group("loss and optimizers (default: the recipe's)")
    _choice(loss, "loss", "Value of the game.")
    _choice(loss, "penalty", "On D's slope.")
    loss.number("penalty_weight", None, "Of the penalty.")
    loss.number("d_learning_rate", None, "Adam's for the discriminator.")
    loss.number("g_learning_rate", None, "Adam's for the generator.")
    loss.number("beta_1", None, "Adam's, both players.", 0.0, 1.0)
    loss.number("average_decay", None, "Of the moving average.", 0.0, 1.0)
    about = "Fraction of the run after which both rates fall to zero."
    loss.number("decay_start", None, about, 0.0, 0.999)
    about = "Whether the rates are only where a search begins (experimental)."
    loss.switch("pace_control", False, about)


def _choice(group: options.Group, name: str, about: str) -> None:
    group.choice(name, None, recipe_module.CHOICES[name], about)


def recipe(given: options.Options) -> recipes.Recipe:
    """Returns the recipe with what the flags change, checked.

    Raises:
        ValueError: If flags contradict each other.
    """
    base = recipes.get(given.recipe)
    changed = {
        field.name: getattr(given, field.name)
        for field in dataclasses.fields(base)
        if given.is_given(field.name)
    }
    made = dataclasses.replace(base, **changed)
    for name, value in changed.items():
        lacked = made.lacks(name)
        if lacked is not None:
            other, values = lacked
            needed = " or ".join(f"--{other}={each}" for each in values)
            raise ValueError(
                f"--{name} needs {needed}. Received: --{name}={value} with "
                f"--{other}={getattr(made, other)}. Drop --{name}, or change --{other}."
            )
    _check_source(given.source, made)
    return made


def _check_source(source: str, made: recipes.Recipe) -> None:
    if source == "mixture" and made.method != "fictitious":
        raise ValueError(
            "--source=mixture needs the history that --method=fictitious keeps. "
            f"Received: --method={made.method}. Use --source=current or "
            "--source=average."
        )
    if source == "mixture" and made.side == "discriminator":
        raise ValueError(
            "--source=mixture needs a history of generators. Received: "
            "--side=discriminator. Use --side=both or --side=generator."
        )


def checkpoint_every(given: options.Options) -> str | int:
    """Returns --checkpoint_every as "epoch" or an int."""
    text = given.checkpoint_every
    if text == "epoch":
        return text
    if text.isdecimal() and int(text):
        return int(text)
    raise ValueError(
        '--checkpoint_every must be "epoch" or a positive number of train steps. '
        f"Received: --checkpoint_every={text}."
    )


def settings(given: options.Options, made: recipes.Recipe, data: str) -> dict[str, Any]:
    """Returns what makes the run what it is, as a dictionary."""
    fields = {field.name for field in dataclasses.fields(made)}
    own = set(given.values) - fields - set(_FREE) - {"?", "help", "helpfull"}
    told = {name: getattr(given, name) for name in sorted(own)}
    return {"dataset": data, **told, **made.settings()}
