"""What pip is told: the few packages that are needed, and the extras."""

import importlib.metadata
import pathlib
import re
import runpy
import sysconfig

import pytest
import setuptools

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow-gan", "tensorflow-probability", "tf-keras", "scipy")


def name_of(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


@pytest.fixture(name="told")
def fixture_told(tmp_path, monkeypatch):
    """What setup.py tells setuptools, where `tmp_path` holds the installed packages."""
    if not (ROOT / "setup.py").is_file():
        pytest.skip("there is no setup.py beside the tests of an installed wheel")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))

    def read():
        taken = {}
        monkeypatch.setattr(setuptools, "setup", lambda **given: taken.update(given))
        runpy.run_path(str(ROOT / "setup.py"))
        return taken

    return read


def install(folder, name):
    info = folder / f"{name.replace('-', '_')}-2.19.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\n")


def test_three_packages_are_needed(told):
    given = told()
    names = [name_of(each) for each in given["install_requires"]]
    assert names == ["tensorflow", "keras", "numpy"]
    assert given["python_requires"] == ">=3.10"


@pytest.mark.parametrize("name", ["tensorflow-cpu", "tf_nightly", "Intel-TensorFlow"])
def test_no_second_tensorflow(name, told, tmp_path):
    install(tmp_path, name)
    names = [name_of(each) for each in told()["install_requires"]]
    assert names == ["keras", "numpy"]


def test_tensorflow_itself_and_what_builds_on_it_change_nothing(told, tmp_path):
    for name in ("tensorflow", "tensorflow-datasets", "tensorflow-io"):
        install(tmp_path, name)
    assert "tensorflow>=2.18" in told()["install_requires"]


def test_extras(told):
    extras = told()["extras_require"]
    parts = {"datasets", "tfgan", "games", "examples", "serving"}
    assert parts | {"test", "lint", "docs", "all", "and-cuda"} == set(extras)
    assert set(extras["all"]) == {each for part in parts for each in extras[part]}
    assert "tensorflow[and-cuda]>=2.18" in extras["and-cuda"]
    for name in HEAVY:
        assert name in map(name_of, extras["all"])


def test_what_is_installed_says_the_same():
    try:
        requirements = importlib.metadata.requires("keras-gamegan")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("keras-gamegan is not installed, it only lies on the path")
    needed = [each for each in requirements if "extra ==" not in each]
    assert {name_of(each) for each in needed} <= {"tensorflow", "keras", "numpy"}
