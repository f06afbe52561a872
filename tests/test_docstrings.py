"""Every public name says in one line what it is, and shows itself at work."""

import ast
import doctest
import inspect
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

# As at the top of every example in the documentation.
GLOBALS = {"kgg": kgg, "keras": keras, "np": np, "tf": tf}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _imported_names(module):
    """The public names that a package's ``__init__`` imports from the package."""
    tree = ast.parse(pathlib.Path(module.__file__).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith("keras_gamegan"):
            for alias in node.names:
                yield alias.asname or alias.name


def _own_names(module):
    """The public functions and classes that a plain module defines."""
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) == module.__name__:
            yield name


def find_public_names(module, found):
    """Adds to ``found`` each documented object, under its shortest public name."""
    names = _imported_names if hasattr(module, "__path__") else _own_names
    rooms = []
    for name in names(module):
        value = getattr(module, name)
        if name.startswith("_"):
            continue
        if inspect.ismodule(value):
            rooms.append(value)
        elif callable(value) and value not in found.values():
            found[f"{module.__name__}.{name}"] = value
    for room in rooms:
        find_public_names(room, found)
    return found


PUBLIC_NAMES = find_public_names(kgg, {})


def test_discovery_reaches_every_room():
    folder = pathlib.Path(kgg.__file__).parent
    rooms = {path.parent.name for path in folder.glob("*/__init__.py")}
    reached = {value.__module__.split(".")[1] for value in PUBLIC_NAMES.values()}
    # What only the library itself or its command uses has no public face.
    inner = {"distribution", "sampling", "command_line", "demo", "serving"}
    assert rooms - inner <= reached


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_docstring(name, tmp_path, monkeypatch):
    value = PUBLIC_NAMES[name]
    # A class without a docstring must not pass by its parent's.
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    assert text, f"{name} has no docstring."
    first, _, rest = inspect.cleandoc(text).partition("\n")
    assert first.endswith("."), f"{name}: the first line is not a sentence: {first!r}"
    assert not rest or rest.startswith("\n"), f"{name}: no blank line after the first."
    has_example = "Example:" in text or "Examples:" in text
    assert has_example, f"{name} has no `Example:`."
    # Else the site takes it for text.
    assert not re.search(r"^( *)Examples?:\n\1\S", text, re.MULTILINE), name
    runs = ">>> " in text
    assert runs, f"{name}'s example has no `>>> ` line that runs."

    monkeypatch.chdir(tmp_path)
    output = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    module = inspect.getmodule(value)
    for example in doctest.DocTestFinder().find(value, name, module, dict(GLOBALS)):
        runner.run(example, out=output.append)
    assert runner.tries > 0
    assert runner.failures == 0, "".join(output)
