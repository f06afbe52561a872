"""Files of every version so far still load, and mean the same."""

import json
import pathlib
import shutil
import sys
import zipfile

import keras
import numpy as np
import pytest
from packaging import version

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import golden
import resume_worker

import keras_gamegan as kgg

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
    with zipfile.ZipFile(path) as archive:
        writer = json.loads(archive.read("metadata.json"))["keras_version"]
    if version.parse(keras.__version__) < version.parse(writer):
        pytest.skip(f"Keras {keras.__version__} reads no file of Keras {writer}.")
    check(keras.models.load_model(path), path)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_golden_weights_load(path):
    gan = resume_worker.make(path.stem)
    gan.load_weights(path.with_suffix(".weights.h5"))
    check(gan, path)


CHECKPOINTS = sorted(golden.FOLDER.glob("*/checkpoints"))


@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.parent.name)
def test_a_run_goes_on_from_golden_checkpoints(path, tmp_path):
    # Killed at step 10, two after a checkpoint inside an epoch.
    shutil.copytree(path, tmp_path, dirs_exist_ok=True)
    found, kept = golden.go_on(tmp_path)
    expected = np.load(path.with_suffix(".npz"))
    # Logs that came later.
    assert found.keys() - {"d_real", "d_fake", "d_accuracy"} == set(expected.files)
    for name in expected.files:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5)
    assert kept["number"] == 18.0 and kept["list"][0] == 18.0


def test_golden_checkpoints_hold_what_they_held():
    for path in CHECKPOINTS:
        gan, keeper = resume_worker.make("fictitious"), golden.Keeper()
        checkpoint = kgg.callbacks.Checkpoint(path)
        checkpoint.companions = (keeper,)
        assert checkpoint.resume(gan) == (1, 2, 8)
        assert gan.num_steps == 8
        np.testing.assert_array_equal(keeper.state["array"], [8.0, 9.0])
        assert keeper.state["number"] == 8.0 and keeper.state["list"][0] == 8.0
