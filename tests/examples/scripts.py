"""Runs of an example within the test's own process, as the command line would."""

import contextlib
import csv
import importlib
import pathlib
import sys

from absl import flags

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


@contextlib.contextmanager
def loaded(name, define_flags=False):
    """Gives the example as a module; it, its siblings and its flags are gone after."""
    before, modules = set(flags.FLAGS), set(sys.modules)
    sys.path.insert(0, str(EXAMPLES))
    try:
        script = importlib.import_module(name)
        if define_flags:
            script.define_flags()
        yield script
    finally:
        sys.path.remove(str(EXAMPLES))
        flags.FLAGS.remove_flag_values(set(flags.FLAGS) - before)
        for path in EXAMPLES.glob("*.py"):
            if path.stem not in modules:
                sys.modules.pop(path.stem, None)


def parse(script, *arguments):
    """Sets the flags to these arguments and to their defaults; returns what is left."""
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    return flags.FLAGS([f"{script.__name__}.py", *arguments])


def run(script, *arguments):
    """Runs the example with these arguments."""
    script.main(parse(script, *arguments))


def history(folder):
    """Returns the rows of a run's history.csv as dictionaries."""
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))
