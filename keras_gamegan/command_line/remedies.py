"""Errors and warnings of the library in the words of the command line: flags."""

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from keras_gamegan.command_line import options
from keras_gamegan.networks import building

# What stands in backticks, and words that are no part of a call, path or flag.
_WORDS = re.compile(r"`([^`]*)`|(?<![-\w(/.'\"])(\w+)(?![\w/(]|\.\w)")

# Of the commands that sample a trained run.
OF_SOURCES = {"needs a history of gen": "Use --source=current or --source=average."}


@contextlib.contextmanager
def in_flags(
    given: options.Options,
    remedies: Mapping[str, str],
    names: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Says what the library raises or warns of within it in the command's words.

    Args:
        given: The flags of the command.
        remedies: What is said in an error -> what mends it on the command line, which
            takes the place of what would mend it in Python.
        names: An argument of the library -> what it is on the command line. Default:
            None, the flags have the names of the arguments.
    """
    names = {**{name: f"--{name}" for name in given.values}, **(names or {})}
    before = warnings.formatwarning

    def formatted(message: Warning | str, *args: Any, **kwargs: Any) -> str:
        return before(_renamed(str(message), names), *args, **kwargs)

    warnings.formatwarning = formatted
    try:
        yield
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        # Those of the system have a number too.
        if len(error.args) == 1:
            error.args = (_renamed(_mended(str(error), remedies), names),)
        raise
    finally:
        warnings.formatwarning = before


def _mended(text: str, remedies: Mapping[str, str]) -> str:
    """Returns an error's text with the remedy of the command line."""
    for part, remedy in remedies.items():
        if part in text and "Did you mean" not in text:
            # The cause stays; where Python's arguments stood comes the flag.
            cause, _, received = text.partition(" Received: ")
            first = received.split(". ")[0].rstrip(".")
            return f"{cause} Received: {first}. {remedy}"
    return text


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Returns a text with flags where it names arguments of the library."""

    def rename(found: re.Match) -> str:
        name = found[1] or found[2]
        # Other words may be prose.
        is_argument = found[1] or "_" in name or text[found.end() :].startswith("=")
        return names.get(name, found[0]) if is_argument else found[0]

    return _WORDS.sub(rename, text)


def of_training(source: str, given: options.Options) -> dict[str, str]:
    """Returns the remedies of `kgg train`.

    Args:
        source: SOURCE.
        given: The flags.
    """
    sides = building.fitting_sides(given.image_size or 64)
    is_array = source.lower().endswith((".npz", ".npy"))
    found = {
        "drop_remainder": "Use a smaller --batch_size, no more than there are.",
        "`data_dir` must hold": "Leave --nodownload out, or use --data_dir=FOLDER with "
        "what TFDS has prepared.",
        "load_images(": "Resize the arrays before they are saved."
        if is_array
        else f"Use --image_size={' or '.join(map(str, sides))}.",
        "`image_key`": 'Name the array of the images "images".',
        "`label_key`": 'Name the array of the classes "labels", or leave --conditional '
        "out.",
        "list_builders": "Check the spelling, or give the path.",
        "load_npz reads": "Give the folder that it is in.",
        "clipnorm": "Lower --d_learning_rate and --g_learning_rate, or use "
        "--penalty=r1, in another --output_dir: a run keeps its settings.",
    }
    if given.conditional:
        found["labels="] = (
            "Sort the images into subfolders, or leave --conditional out."
        )
    return found
