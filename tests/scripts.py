"""Runs of a script within the test's own process, as the command line would."""

import contextlib
import csv
import importlib
import pathlib
import sys

from absl import flags

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
NAMES = {
    path.stem
    for folder in (EXAMPLES, ROOT / "benchmarks")
    for path in folder.rglob("*.py")
}


@contextlib.contextmanager
def loaded(name, define_flags=False, folder=EXAMPLES):
    """Gives the script as a module; it, its siblings and its flags are gone after."""
    before, modules = set(flags.FLAGS), set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        script = importlib.import_module(name)
        if define_flags:
            script.define_flags()
        yield script
    finally:
        sys.path.remove(str(folder))
        flags.FLAGS.remove_flag_values(set(flags.FLAGS) - before)
        for path in folder.glob("*.py"):
            if path.stem not in modules:
                sys.modules.pop(path.stem, None)


def defined_flags():
    """Returns the names of the flags that scripts have defined and nobody removed."""
    defined = flags.FLAGS.flags_by_module_dict().items()
    named = {flag.name for module, each in defined if module in NAMES for flag in each}
    return named & set(flags.FLAGS)


def parse(script, *arguments):
    """Sets the flags to these arguments and to their defaults; returns what is left."""
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    return flags.FLAGS([f"{script.__name__}.py", *arguments])


def run(script, *arguments):
    """Runs the script with these arguments."""
    script.main(parse(script, *arguments))


def history(folder):
    """Returns the rows of a run's history.csv as dictionaries."""
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))
