"""Every file and module of ours that a page or a docstring names is there."""

import importlib
import pathlib
import re

import pytest

import keras_gamegan as kgg

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = pathlib.Path(kgg.__file__).parent
pytestmark = pytest.mark.skipif(
    not (ROOT / "docs").is_dir(), reason="the docs are not here"
)
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
TOPS = ["keras_gamegan", "tests", "benchmarks", "examples", "docs", "tools"]
# "games/gap.py" is short for "keras_gamegan/games/gap.py".
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join([*TOPS, *ROOMS])})/[\w./-]*")
# "`games.search.search`" is short for "keras_gamegan.games.search.search".
DOTTED = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.\w+)+)[`(]")


def pages():
    """The pages, and the programs whose docstrings and comments name files."""
    yield from (ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    for folder, pattern in (
        ("docs", "*.md"),
        ("docs", "*.py"),
        ("keras_gamegan", "*.py"),
        ("benchmarks", "*.py"),
        ("examples", "*.py"),
    ):
        yield from sorted((ROOT / folder).rglob(pattern))


def named(pattern):
    """(page, line, what is named) of all pages."""
    for page in pages():
        lines = page.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            for match in pattern.finditer(line):
                yield f"{page.relative_to(ROOT)}:{number}", match


def is_there(path):
    return any((folder / path).exists() for folder in (ROOT, PACKAGE))


def resolves(dotted):
    """Whether a dotted name is a module of ours, or leads to something in one."""
    parts = dotted.split(".")
    for split in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(["keras_gamegan", *parts[:split]]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            value = getattr(value, part, None)
        return value is not None
    return False


def test_every_path_exists():
    found = [(where, match.group().rstrip(".")) for where, match in named(PATH)]
    assert len(found) > 100
    assert not [(where, path) for where, path in found if not is_there(path)]


def test_every_module_exists():
    found = [(where, match.group(1)) for where, match in named(DOTTED)]
    assert len(found) > 10
    assert not [(where, name) for where, name in found if not resolves(name)]
