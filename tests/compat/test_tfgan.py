"""TF-GAN imports on today's TensorFlow, and TensorFlow does not notice."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import compat


def run_python(code):
    """Runs ``code`` in a fresh interpreter in which warnings are errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_fresh_interpreter_leaves_nothing_behind():
    result = run_python(
        """
        import sys, warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorFlow's own.
            import keras
            import tensorflow as tf
        from keras_gamegan.compat import tfgan as shim

        names, filters = set(dir(tf)), list(warnings.filters)
        assert "tensorflow_gan" not in sys.modules
        tfgan = shim.import_tensorflow_gan()
        assert set(dir(tf)) == names, set(dir(tf)) ^ names
        assert warnings.filters == filters
        assert "tensorflow_gan.python.estimator" not in sys.modules
        assert shim.import_tensorflow_gan() is tfgan
        import tensorflow_gan
        assert tensorflow_gan is tfgan
        print(tfgan.__version__)
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "2.1.0"


@pytest.mark.slow
def test_recovers_from_a_failed_plain_import_and_from_threads():
    result = run_python(
        """
        import threading, warnings
        warnings.simplefilter("ignore")
        try:
            import tensorflow_gan
        except AttributeError:
            pass
        from keras_gamegan import compat

        found = []
        def load():
            found.append(compat.import_tensorflow_gan())
        threads = [threading.Thread(target=load) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(found) == 4 and len(set(map(id, found))) == 1
        assert found[0].losses.wargs and found[0].eval
        print("done")
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "done"


@pytest.mark.slow
def test_shim_is_still_needed():
    # The day this fails, plain `import tensorflow_gan` works: delete the shim.
    result = run_python(
        """
        import warnings
        warnings.simplefilter("ignore")
        import tensorflow_gan
        """
    )
    assert result.returncode != 0
    assert "has no attribute 'estimator'" in result.stderr


def test_missing_package_says_what_to_install():
    result = run_python(
        """
        import sys, warnings
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from keras_gamegan import compat

        sys.modules["tensorflow_hub"] = None  # As if it were not installed.
        try:
            compat.import_tensorflow_gan()
        except ImportError as error:
            assert "pip install 'keras-gamegan[tfgan]'" in str(error), error
            assert error.name == "tensorflow_hub", error.name
        else:
            raise AssertionError("nothing was raised")
        assert not hasattr(tf, "estimator")
        assert not [name for name in sys.modules if name.startswith("tensorflow_gan")]
        del sys.modules["tensorflow_hub"]
        print(compat.import_tensorflow_gan().__name__)
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("tensorflow_gan")


def test_estimators_say_why_they_are_missing():
    tfgan = compat.import_tensorflow_gan()
    with pytest.raises(AttributeError, match=r"removed in version 2\.16"):
        tfgan.estimator.GANEstimator  # noqa: B018


def test_losses_equal_their_formulas():
    wargs = compat.import_tensorflow_gan().losses.wargs
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 7, 1)).astype("float32")

    def softplus(x):
        return np.logaddexp(0.0, x)

    loss = wargs.modified_discriminator_loss(tf.constant(real), tf.constant(fake), 0.0)
    expected = softplus(-real).mean() + softplus(fake).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    loss = wargs.modified_generator_loss(tf.constant(fake))
    np.testing.assert_allclose(loss, softplus(-fake).mean(), rtol=1e-5)
    loss = wargs.wasserstein_discriminator_loss(tf.constant(real), tf.constant(fake))
    np.testing.assert_allclose(loss, fake.mean() - real.mean(), rtol=1e-4, atol=1e-6)


def test_frechet_distance_equals_its_closed_form():
    evaluation = compat.import_tensorflow_gan().eval
    points = np.random.default_rng(1).normal(size=(500, 2))
    # Whitened, so that both covariances are diagonal and commute: the distance is
    # |shift|^2 + sum((1 - scale)^2).
    values, vectors = np.linalg.eigh(np.cov(points.T))
    points = (points - points.mean(axis=0)) @ vectors / np.sqrt(values)
    scale, shift = np.array([2.0, 0.5]), np.array([1.0, -3.0])
    distance = evaluation.frechet_classifier_distance_from_activations(
        tf.constant(points), tf.constant(points * scale + shift)
    )
    expected = np.sum(shift**2) + np.sum((scale - 1.0) ** 2)
    np.testing.assert_allclose(distance, expected, rtol=1e-6)
