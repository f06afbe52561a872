"""What holds for the package as a whole: its imports, its files, its version."""

import ast
import importlib
import importlib.metadata
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import keras_gamegan as kgg
from keras_gamegan import version

PACKAGE = pathlib.Path(kgg.__file__).parent
ROOT = pathlib.Path(__file__).resolve().parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))
MODULE_IDS = [path.relative_to(PACKAGE).as_posix() for path in MODULES]

# Room -> the only rooms of ours it may import (its own is always allowed).
ALLOWED = {
    "validation": set(),
    "version": set(),
    "optional": set(),
    "labelling": set(),
    "files": set(),
    "representation": set(),
    "typing": set(),
    "games": {"representation", "validation", "optional", "typing"},
    "distribution": {"typing", "validation"},
    "compat": {"validation", "optional"},
}
# Room -> rooms it must not import.
FORBIDDEN = {
    "payoffs": {"models", "metrics", "callbacks"},
    "history": {"models", "metrics", "callbacks"},
    "networks": {"models", "metrics", "callbacks"},
    "datasets": {"models", "metrics", "callbacks"},
    "models": {"metrics", "callbacks"},
}


def imported_rooms(path):
    """The rooms of keras_gamegan that a file imports, at the top or in functions."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "keras_gamegan":
                # The whole package counts as a room nobody inside may import.
                rooms.add(parts[1] if len(parts) > 1 else "keras_gamegan")
    return rooms


def room_of(path):
    """The room that a file of the package stands in, or is."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def repository_files():
    """The text files of the checkout, or of what was copied of it."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        paths = [ROOT / name for name in listed if name]
    else:
        paths = [*PACKAGE.rglob("*"), *(ROOT / "tests").rglob("*")]
    binary = {".png", ".gif", ".npz", ".npy", ".h5", ".keras", ".pyc", ".zip", ".ico"}
    return [p for p in paths if p.is_file() and p.suffix not in binary]


def test_import_is_lazy():
    # Relative to TensorFlow and Keras, whatever those load in this version.
    code = """
import sys, warnings
warnings.simplefilter("ignore")
import keras, tensorflow
before = set(sys.modules)
import keras_gamegan
print(*sorted(set(sys.modules) - before))
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = {name.partition(".")[0] for name in result.stdout.split()}
    assert "keras_gamegan" in loaded
    heavy = "matplotlib PIL pandas scipy tensorflow_datasets tensorflow_gan"
    heavy += " tensorflow_hub tensorflow_probability tf_keras pytest"
    assert not loaded & set(heavy.split())


def test_version():
    assert kgg.__version__ == version.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", kgg.__version__)
    try:
        installed = importlib.metadata.version("keras-gamegan")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("keras-gamegan is not installed, it only lies on the path")
    assert installed == kgg.__version__


def test_package_is_complete():
    assert (PACKAGE / "py.typed").is_file()
    # A folder without `__init__` would be missing from the wheel.
    folders = {path.parent for path in MODULES}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]


PACKAGES = [path for path in MODULES if path.name == "__init__.py"]


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.name)
def test_what_a_package_exports_is_what_it_says(path):
    """Pdoc lists `__all__`; a name that is missing there has no page."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = [alias.asname for node in imports for alias in node.names if alias.asname]
    parts = path.parent.relative_to(PACKAGE.parent).parts
    module = importlib.import_module(".".join(parts))
    said = list(getattr(module, "__all__", []))
    assert sorted(said) == sorted(names) and len(set(said)) == len(said)
    assert all(hasattr(module, name) for name in said)


@pytest.mark.parametrize("path", MODULES, ids=MODULE_IDS)
def test_imports_point_one_way(path):
    room, rooms = room_of(path), imported_rooms(path)
    if path == PACKAGE / "__init__.py":
        return
    assert "keras_gamegan" not in rooms, "import the module, not the whole package"
    rooms.discard(room)
    if room in ALLOWED:
        assert rooms <= ALLOWED[room]
    assert not rooms & FORBIDDEN.get(room, set())


@pytest.mark.parametrize("path", MODULES, ids=MODULE_IDS)
def test_only_distribution_knows_strategies_and_private_keras(path):
    if room_of(path) == "distribution":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # Prose may name them: what counts is code.
    used = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            used |= {f"{node.module}.{alias.name}" for alias in node.names}
    private = r"(tf|tensorflow)\.distribute\b|keras\.src\b|tensorflow\.python\b"
    assert not [name for name in used if re.match(private, name)]


@pytest.mark.parametrize("path", MODULES, ids=MODULE_IDS)
def test_one_file_one_concept(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_test_is_longer():
    tests = (ROOT / "tests").rglob("*.py")
    lengths = {path: path.read_text("utf-8").count("\n") for path in tests}
    assert not [path for path, length in lengths.items() if length > 400]


def test_no_file_names_a_machine():
    # Folders that exist on one person's machine only.
    pattern = re.compile(r"(?<![\w.])/(home|Users|root|mnt|srv|work)/\w")
    found = []
    for path in repository_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path}: {match.group()}" for match in pattern.finditer(text)]
    assert not found


def test_no_large_files():
    sizes = {path: path.stat().st_size for path in repository_files()}
    assert not [path for path, size in sizes.items() if size > 1024 * 1024]
