"""Where the tests on real data sets find them."""

import os
import pathlib

import pytest

from tests.datasets import trees


@pytest.fixture(scope="session")
def data_dir():
    """Folder of prepared TFDS data sets; skips the test where there is none."""
    beside = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = os.environ.get("KERAS_GAMEGAN_DATA_DIR", str(beside))
    if not (pathlib.Path(folder) / "fashion_mnist").is_dir():
        pytest.skip(
            f"no prepared fashion_mnist in {folder}: set KERAS_GAMEGAN_DATA_DIR to a "
            "folder of prepared TFDS data sets"
        )
    return folder


@pytest.fixture(name="tree")
def fixture_tree(tmp_path):
    """The folder of `trees.make`."""
    return trees.make(tmp_path / "images")
