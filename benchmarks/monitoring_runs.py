"""The trainings of benchmarks/monitoring.py, each measured in every way as it goes."""

import time

import keras
import numpy as np

import keras_gamegan as kgg
from keras_gamegan import measuring

MEASURES = ("gap", "perturbed gap", "proximal gap", "minimax")
# Updates of the discriminator and the generator in a step, and steps of a run. What a
# regime does to the players needs fewer steps than converging does.
REGIMES = {"1:1": (1, 1, 4000), "15:1": (15, 1, 1000), "1:15": (1, 15, 1000)}
TOYS = {
    "ring": lambda seed: kgg.datasets.gaussian_ring(8, 2.0, 0.02, 1.414, seed=seed),
    "grid": lambda seed: kgg.datasets.gaussian_grid(
        (-6, -2, 2), 0.05, 2.828, seed=seed
    ),
    "spiral": lambda seed: kgg.datasets.swiss_roll(0.25, 7.5, seed=seed),
}


class Measurement(keras.callbacks.Callback):
    """Measures the model after every epoch; `rows` holds what it found.

    Args:
        finding: Held-out data the worst players are searched on.
        scoring: Held-out data they are scored on.
        quality: Function model -> dictionary of what is known to be true of it.
        num_steps: Steps of the plain and the perturbed search.
        proximal_steps: Steps of the proximal one, each ten times as costly.
        perturbation: A `kgg.games.Perturbation`.
        batch_size: Of the searches.
    """

    def __init__(
        self, finding, scoring, quality, num_steps, proximal_steps, perturbation, size
    ):
        super().__init__()
        self._data = finding, scoring
        self._quality = quality
        self._searches = {
            "gap": {"num_steps": num_steps},
            "perturbed gap": {"num_steps": num_steps, "perturbation": perturbation},
            "proximal gap": {"num_steps": proximal_steps, "proximal": 0.1},
        }
        self._size = size
        self.rows = []

    def on_train_begin(self, logs=None):
        """Compiles the searches; called by Keras."""
        self._estimators = {
            name: measuring.GapEstimator(
                self.model, *self._data, batch_size=self._size, **arguments
            )
            for name, arguments in self._searches.items()
        }

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        row = {"step": self.model.num_steps, "seconds": {}}
        for name, estimator in self._estimators.items():
            began = time.perf_counter()
            estimate = estimator(self.model.num_steps)
            row["seconds"][name] = time.perf_counter() - began
            row[name] = estimate.gap
            if name == "gap":
                row["minimax"] = estimate.minimax
                row["gap error"] = estimate.gap_error
        row |= self._quality(self.model)
        self.rows.append(row)


def toy_run(data, regime, seed, checkpoints, scale):
    """Trains on points; returns rows of measures and the truth at each checkpoint."""
    points = TOYS[data](seed)
    d_steps, g_steps, steps = REGIMES[regime]
    each = max(int(steps * scale) // checkpoints, 1)
    held_out = points.sample(6400 + 2048, seed=10_000 + seed)
    reference = points.sample(2000, seed=20_000 + seed)

    def quality(gan):
        shares = kgg.metrics.precision_recall_from_features(
            reference, gan.sample(2000, seed=0), num_neighbors=5
        )
        return {
            name: float(share)
            for name, share in zip(("precision", "recall"), shares, strict=True)
        }

    pair = kgg.networks.mlp_pair(2, latent_dim=100, width=128, seed=seed)
    gan = kgg.GAN(
        *pair, discriminator_steps=d_steps, generator_steps=g_steps, seed=seed
    )
    adams = (keras.optimizers.Adam(5e-4, beta_1=0.5) for _ in range(2))
    gan.compile(*adams, steps_per_execution=min(25, each))
    measured = Measurement(
        held_out[6400:],
        held_out[:6400],
        quality,
        max(int(200 * scale), 2),
        max(int(30 * scale), 2),
        kgg.games.Perturbation(1.0, relative=True),
        128,
    )
    try:
        gan.fit(
            points.batches(256, steps_per_epoch=each),
            epochs=checkpoints,
            verbose=0,
            callbacks=[measured],
        )
    except kgg.NonFiniteError as error:
        print(f"{data} {regime} seed {seed}: {error}")
    return measured.rows


def image_settings():
    """Returns name -> (class, arguments, loss, penalty weight, Adam's step size)."""

    def gan(**arguments):
        return kgg.GAN, arguments

    def fictitious(**arguments):
        return kgg.FictitiousGAN, {"history": kgg.History(**arguments)}

    def gap(num_steps):
        response = kgg.BestResponse(num_steps, learning_rate=2e-4)
        return kgg.DualityGapGAN, {"best_response": response}

    return {
        "GAN": (*gan(), "non_saturating", 0.0, 2e-4),
        "GAN, R1": (*gan(), "non_saturating", 0.5, 2e-4),
        "GAN, fast": (*gan(), "non_saturating", 0.0, 2e-3),
        "GAN, slow": (*gan(), "non_saturating", 0.0, 2e-5),
        "GAN, 5:1": (*gan(discriminator_steps=5), "non_saturating", 0.0, 2e-4),
        "GAN, 1:5": (*gan(generator_steps=5), "non_saturating", 0.0, 2e-4),
        "FictitiousGAN": (*fictitious(interval=50), "non_saturating", 0.0, 2e-4),
        "DualityGapGAN, k=1": (*gap(1), "non_saturating", 0.0, 2e-4),
    }


def image_run(setting, images, classifier, checkpoints, steps, scale):
    """Trains on images; returns rows of measures and classifier-FID."""
    make, arguments, loss, weight, rate = setting
    training, finding, scoring, reference = images
    extractor = keras.Model(classifier.inputs, classifier.layers[-2].output)
    distance = kgg.metrics.FrechetDistance(extractor)
    distance.update_real(reference)

    def quality(gan):
        distance.reset_fake()
        distance.update_fake(gan.sample(len(reference), seed=0))
        return {"classifier FID": float(distance.result())}

    pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=32, base_filters=16, seed=0)
    gan = make(*pair, seed=0, **arguments)
    adams = (keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2))
    penalty = kgg.penalties.R1(weight) if weight else None
    gan.compile(*adams, loss=loss, penalty=penalty)
    measured = Measurement(
        finding,
        scoring,
        quality,
        max(int(100 * scale), 2),
        max(int(20 * scale), 2),
        kgg.games.Perturbation(0.01),
        64,
    )
    stream = kgg.datasets.ShuffledStream(training, batch_size=64, seed=0)
    try:
        gan.fit(
            stream.endless(),
            epochs=checkpoints,
            steps_per_epoch=max(int(steps * scale), 1),
            verbose=0,
            callbacks=[measured],
        )
    except kgg.NonFiniteError as error:
        print(error)
    return measured.rows


def seconds_of(rows):
    """Returns the mean seconds that each search took: an array, without the first."""
    taken = [list(row["seconds"].values()) for row in rows[1:]]
    return np.mean(taken, axis=0)
