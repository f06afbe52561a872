"""Which commands there are, and what is answered without one of them.

It imports nothing but Python's own: `kgg_command` loads this file alone, and says at
once what needs no TensorFlow.
"""

import difflib
import sys

# Name -> what it does; each has a module here with `run(arguments)`.
COMMANDS = {
    "train": "train a GAN on a folder of images, a .npz file or a TFDS data set",
    "sample": "write images of a trained run",
    "evaluate": "measure a trained run",
    "report": "write one page that compares runs",
    "serve": "serve a trained run over HTTP",
    "demo": "train the three trainers on a toy and write a page",
}


def answer(arguments: list[str], version: str) -> int | None:
    """Prints the help, the version, or that there is no such command.

    Args:
        arguments: Those after `kgg`.
        version: Of the library.

    Returns:
        The exit status; None if a command is to be run, and nothing was printed.
    """
    if not arguments or arguments[0] in ("--help", "-h", "help", "--helpfull"):
        print(_help())
        return 0
    name = arguments[0]
    if name in ("--version", "version"):
        print(f"keras_gamegan {version}")
        return 0
    if name in COMMANDS:
        return None
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" Did you mean kgg {close[0]}?" if close else ""
    return fail("kgg", f"There is no command {name!r}.{hint} See kgg --help.", 2)


def fail(name: str, message: str, status: int) -> int:
    """Says on standard error what went wrong; returns the exit status."""
    print(f"{name}: {message}", file=sys.stderr)
    return status


def _help() -> str:
    lines = [f"  {name:9} {about}" for name, about in COMMANDS.items()]
    return "\n".join(
        [
            "usage: kgg COMMAND [arguments]",
            "",
            *lines,
            "",
            "kgg COMMAND --help says more; the first one to try:",
            "  kgg train my_pngs --output_dir=runs/mine",
        ]
    )
