"""The site: every public name on one page, every page in the navigation."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

import keras_gamegan as kgg

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the docs are not here")

PACKAGES = {
    "": kgg,
    "augment": kgg.augment,
    "callbacks": kgg.callbacks,
    "compat": kgg.compat,
    "datasets": kgg.datasets,
    "games": kgg.games,
    "games.schemes": kgg.games.schemes,
    "history": kgg.history,
    "metrics": kgg.metrics,
    "networks": kgg.networks,
    "payoffs": kgg.payoffs,
    "payoffs.penalties": kgg.penalties,
    "recipes": kgg.recipes,
    "schedules": kgg.schedules,
}


def public_names():
    """Public objects by their id, each with the names it goes by."""
    found = {}
    for package, module in PACKAGES.items():
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                dotted = ".".join(filter(None, ["keras_gamegan", package, name]))
                found.setdefault(id(value), set()).add(dotted)
    return list(found.values())


def test_every_public_name_is_on_one_page_of_the_reference():
    listed = []
    for page in sorted((DOCS / "reference").glob("*.md")):
        listed += re.findall(r"^::: (\S+)", page.read_text("utf-8"), re.MULTILINE)
    for names in public_names():
        assert len(names & set(listed)) == 1, names
    known = set().union(*public_names()) | {
        "keras_gamegan.distribution.wait_for_workers"
    }
    assert set(listed) <= known and len(listed) == len(set(listed))


@pytest.mark.parametrize("package", PACKAGES)
def test_completion_shows_the_public_names_alone(package):
    assert dir(PACKAGES[package]) == sorted(PACKAGES[package].__all__)


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r": ([\w/]+\.(?:md|py))$", _configuration(), re.MULTILINE))
    pages = {
        path.relative_to(DOCS).as_posix()
        for pattern in ("*.md", "*/*.md", "tutorials/*.py", "guides/*.py")
        for path in DOCS.glob(pattern)
    }
    assert pages == listed


def _configuration():
    return (ROOT / "mkdocs.yml").read_text("utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/how_do_i.md"])
def test_what_a_page_shows_is_python_and_its_names_exist(page):
    text = (ROOT / page).read_text("utf-8")
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        compile(code, page, "exec")
    for dotted in re.findall(r"\bkgg\.([A-Za-z_.]+[A-Za-z_])", text):
        value = kgg
        for part in dotted.split("."):
            value = getattr(value, part)


@pytest.mark.slow
def test_the_site_builds_and_its_notebooks_run():
    """Links, references and every tutorial and guide: any warning is an error."""
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed: pip install '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    made = list((ROOT / "build" / "site").rglob("index.html"))
    assert len(made) > 30
    # No page loads anything from a network.
    for path in made:
        loaded = re.findall(
            r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)"',
            path.read_text("utf-8"),
        )
        assert [each for each in loaded if "canonical" not in each] == [], path
