"""What every test stands on: quiet TensorFlow, four devices, a clean Keras."""

import os
import pathlib

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import hypothesis
import keras
import pytest
import tensorflow as tf

from tests import memory, scripts

# Four replicas on one processor; it can be said only before TensorFlow starts.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 4,
)

# The same examples in every run, however slow the machine.
hypothesis.settings.register_profile(
    "keras_gamegan", deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile("keras_gamegan")


@pytest.fixture(scope="module", autouse=True)
def forget_models():
    """Frees what a file's models leave behind: a thousand would fill the memory."""
    yield
    memory.forget()


@pytest.fixture(scope="module", autouse=True)
def no_flags_stay():
    """Fails where a file leaves a script's flags: another script may have the same."""
    yield
    assert not scripts.defined_flags()


@pytest.fixture(autouse=True)
def clean_keras():
    """Gives each test the same seeds and Keras's defaults, whatever ran before."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def data_dir():
    """The folder of prepared TFDS data sets; tests that need it skip without."""
    beside = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = pathlib.Path(os.environ.get("KERAS_GAMEGAN_DATA_DIR", beside))
    if not folder.is_dir():
        pytest.skip(
            f"no folder of prepared data sets at {folder}; set KERAS_GAMEGAN_DATA_DIR"
        )
    return str(folder)
