"""The examples of games of two networks: their values, and that they run."""

import functools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import flags

from tests import scripts

NAMES = ("domain_adaptation", "adversarial_training")


def softplus(x):
    return np.logaddexp(0.0, x)


def cross_entropy(labels, logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(labels)), labels]


def test_the_value_of_the_domain_game():
    rng = np.random.default_rng(0)
    made = {
        name: {"logits": rng.normal(size=(4, 10)), "features": rng.normal(size=(4, 1))}
        for name in ("source", "target")
    }
    labels = np.array([1, 2, 3, 4])
    with scripts.loaded("domain_adaptation", define_flags=True) as script:
        found = script.DomainGame(0.3).value(
            lambda name: {k: tf.constant(v) for k, v in made[name].items()},
            lambda features: 2.0 * features,
            {"source": "source", "target": "target", "label": labels},
        )
    known = -softplus(-2 * made["source"]["features"][:, 0])
    known -= softplus(2 * made["target"]["features"][:, 0])
    expected = cross_entropy(labels, made["source"]["logits"]) + 0.3 * known
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_value_of_an_attack():
    rng = np.random.default_rng(0)
    images, weights = rng.uniform(size=(4, 6)), rng.normal(size=(6, 10))
    labels = np.array([1, 2, 3, 4])
    with scripts.loaded("adversarial_training", define_flags=True) as script:
        found = script.Attacked(0.25).value(
            lambda x: x @ tf.constant(weights),
            lambda x: tf.sign(x - 0.5),
            (tf.constant(images), labels),
        )
    attacked = np.clip(images + 0.25 * np.sign(images - 0.5), 0.0, 1.0)
    expected = [cross_entropy(labels, each @ weights) for each in (images, attacked)]
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_with_all_updates_and_draws(name, tmp_path, capfd):
    with scripts.loaded(name, define_flags=True) as script:
        run = functools.partial(scripts.run, script)
        arguments = [f"--updates={each}" for each in script.UPDATES]
        arguments += ["--steps=2", "--batch_size=8", "--num_examples=40"]
        if "attack_steps" in flags.FLAGS:
            arguments.append("--attack_steps=2")
        with tfds.testing.mock_data(num_examples=100):
            run(*arguments, f"--output_dir={tmp_path}")
        lines = [line for line in capfd.readouterr().out.splitlines() if "seed" in line]
        assert [line.split(",")[0] for line in lines] == list(script.UPDATES)
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000
