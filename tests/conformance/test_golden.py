"""Files of every version so far still load, and mean the same."""

import pathlib
import sys

import keras
import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import golden
import resume_worker

FILES = sorted(golden.FOLDER.glob("*/*.keras"))
IDS = [f"{path.parent.name}-{path.stem}" for path in FILES]


def check(gan, path):
    """The stored weights exactly; what is computed from them, to rounding."""
    expected = np.load(path.with_suffix(".npz"))
    for index, value in enumerate(gan.get_weights()):
        np.testing.assert_array_equal(value, expected[f"weight_{index}"])
    for name, value in golden.results(gan).items():
        # Another processor may round another way.
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5)


def test_there_are_golden_files_of_every_class():
    assert {path.stem for path in FILES} == set(resume_worker.KINDS)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_golden_model_loads_and_goes_on(path):
    check(keras.models.load_model(path), path)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_golden_weights_load(path):
    gan = resume_worker.make(path.stem)
    gan.load_weights(path.with_suffix(".weights.h5"))
    check(gan, path)
