"""The flags of train_images.py, and what they need of each other."""

from absl import flags

FLAGS = flags.FLAGS

# Where the run is and how long it goes on: free to change from run to run.
flags.DEFINE_string("output_dir", "runs/images", "Folder of the run.")
flags.DEFINE_integer("epochs", 12, "Epochs in all; a larger number goes on.", 1)
flags.DEFINE_string("checkpoint_every", "epoch", '"epoch", or a number of train steps.')
flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data sets; default: that of TFDS."
)
flags.DEFINE_bool("download", True, "Whether TFDS may download what is not there.")
flags.DEFINE_enum("jit_compile", "auto", ["auto", "true", "false"], "XLA, as in Keras.")
flags.DEFINE_enum(
    "source",
    "average",
    ["current", "average", "mixture"],
    "Generator that is drawn and exported: the live one, the moving average of its "
    "weights, or the mixture of its history (method=fictitious).",
)
_FREE = frozenset(FLAGS)

# Data.
flags.DEFINE_string("dataset", "fashion_mnist", "A TFDS data set of images.")
flags.DEFINE_string("split", "train", "TFDS split, such as train[:80%].")
flags.DEFINE_integer("image_size", None, "Side in pixels; default: as they are.", 1)
flags.DEFINE_integer("batch_size", 64, "Images in a batch.", 1)
flags.DEFINE_integer("steps_per_epoch", 0, "Train steps; 0: every image once.", 0)
flags.DEFINE_integer("seed", 0, "Of weights, latents, draws and order.", 0)

# Networks.
flags.DEFINE_enum("network", "dcgan", ["dcgan", "residual", "mlp"], "Architecture.")
flags.DEFINE_integer("latent_dim", 64, "Size of a latent.", 1)
flags.DEFINE_integer("base_filters", 32, "Filters of the outermost level.", 1)
flags.DEFINE_integer("mlp_width", 256, "Units of a hidden layer.", 1)
flags.DEFINE_enum("generator_normalization", "batch", ["batch", "none"], "Layers.")
flags.DEFINE_enum(
    "discriminator_normalization", "none", ["none", "spectral", "layer"], "Layers."
)
flags.DEFINE_bool("conditional", False, "Whether the networks take labels.")

# Method.
flags.DEFINE_enum("method", "gan", ["gan", "duality_gap", "fictitious"], "Trainer.")
flags.DEFINE_integer("discriminator_steps", 1, "Discriminator updates a step.", 1)
flags.DEFINE_integer("num_response_steps", 1, "k of the search; a step costs k + 1.", 0)
flags.DEFINE_enum(
    "response_optimizer",
    "adam",
    ["sgd", "momentum", "adam", "rmsprop"],
    "Update of the search.",
)
flags.DEFINE_float("response_learning_rate", 2e-4, "Step of the search.", 0.0)
flags.DEFINE_integer("history_capacity", 5, "Models kept, the live one included.", 1)
flags.DEFINE_integer("history_interval", 100, "Train steps between two of them.", 1)
flags.DEFINE_enum(
    "retention",
    "geometric",
    ["fifo", "geometric", "thinned", "reservoir"],
    "Which model gives way to a new one.",
)
flags.DEFINE_float(
    "current_weight", 0.5, "Share of the live opponent; -1: as of any other."
)
flags.DEFINE_enum(
    "side", "both", ["both", "discriminator", "generator"], "Whose history is used."
)
flags.DEFINE_enum(
    "mixture", "sampled", ["sampled", "full"], "One opponent a step, or all of them."
)

# Loss and optimizers.
flags.DEFINE_enum(
    "loss",
    "non_saturating",
    ["minimax", "non_saturating", "wasserstein", "hinge", "least_squares"],
    "Value of the game.",
)
flags.DEFINE_enum(
    "penalty", "none", ["none", "r1", "gradient_penalty"], "On D's slope."
)
flags.DEFINE_float("penalty_weight", None, "Default: the penalty's own.", 0.0)
flags.DEFINE_float("d_learning_rate", 2e-4, "Adam's for the discriminator.", 0.0)
flags.DEFINE_float("g_learning_rate", 2e-4, "Adam's for the generator.", 0.0)
flags.DEFINE_float("beta_1", 0.5, "Adam's, both players.", 0.0, 1.0)
flags.DEFINE_float("average_decay", 0.999, "Of the moving average.", 0.0, 1.0)

# What makes the run what it is: the same folder wants the same of these.
SETTINGS = sorted(set(FLAGS) - _FREE)

# Flag -> (the flag it belongs to, the values with which it means something).
_BELONGS = {
    "num_response_steps": ("method", ("duality_gap",)),
    "response_optimizer": ("method", ("duality_gap",)),
    "response_learning_rate": ("method", ("duality_gap",)),
    "history_capacity": ("method", ("fictitious",)),
    "history_interval": ("method", ("fictitious",)),
    "retention": ("method", ("fictitious",)),
    "current_weight": ("method", ("fictitious",)),
    "side": ("method", ("fictitious",)),
    "mixture": ("method", ("fictitious",)),
    "discriminator_steps": ("method", ("gan", "fictitious")),
    "base_filters": ("network", ("dcgan", "residual")),
    "generator_normalization": ("network", ("dcgan", "residual")),
    "discriminator_normalization": ("network", ("dcgan", "residual")),
    "mlp_width": ("network", ("mlp",)),
    "penalty_weight": ("penalty", ("r1", "gradient_penalty")),
}


def settings():
    """Returns the flags that make the run what it is, as a dictionary."""
    return {name: FLAGS[name].value for name in SETTINGS if _applies(name)}


def _applies(name):
    """Whether a flag means something, given the others."""
    other, values = _BELONGS.get(name, (name, (FLAGS[name].value,)))
    return FLAGS[other].value in values


def checkpoint_every():
    """Returns --checkpoint_every as "epoch" or an int."""
    text = FLAGS.checkpoint_every
    if text == "epoch":
        return text
    if text.isdecimal() and int(text):
        return int(text)
    raise ValueError(
        '--checkpoint_every must be "epoch" or a positive number of train steps. '
        f"Received: --checkpoint_every={text}."
    )


def check():
    """Raises `ValueError` for flags that contradict each other."""
    checkpoint_every()
    for name, (other, values) in _BELONGS.items():
        if FLAGS[name].present and not _applies(name):
            needed = " or ".join(f"--{other}={value}" for value in values)
            raise ValueError(
                f"--{name} needs {needed}. Received: --{name}={FLAGS[name].value} with "
                f"--{other}={FLAGS[other].value}. Drop --{name}, or change --{other}."
            )
    if FLAGS.source == "mixture" and FLAGS.method != "fictitious":
        raise ValueError(
            "--source=mixture needs the history that --method=fictitious keeps. "
            f"Received: --method={FLAGS.method}. Use --source=current or "
            "--source=average."
        )
    if FLAGS.source == "mixture" and FLAGS.side == "discriminator":
        raise ValueError(
            "--source=mixture needs a history of generators. Received: "
            "--side=discriminator. Use --side=both or --side=generator."
        )
    bounded = FLAGS.penalty != "none" or FLAGS.discriminator_normalization == "spectral"
    if FLAGS.loss == "wasserstein" and not bounded:
        raise ValueError(
            "--loss=wasserstein needs a bound on the discriminator's slope, without "
            "which its value grows for ever. Received: --penalty=none and no spectral "
            "normalization. Add --penalty=gradient_penalty, or "
            "--discriminator_normalization=spectral."
        )
