"""Metrics of generated samples, streaming and exact over replicas."""

from keras_gamegan.metrics.class_coverage import ClassCoverage as ClassCoverage
from keras_gamegan.metrics.classifier_score import ClassifierScore as ClassifierScore
from keras_gamegan.metrics.classifier_score import (
    classifier_score_from_sums as classifier_score_from_sums,
)
from keras_gamegan.metrics.density_coverage import DensityCoverage as DensityCoverage
from keras_gamegan.metrics.density_coverage import (
    density_coverage_from_features as density_coverage_from_features,
)
from keras_gamegan.metrics.feature_extractor import FeatureExtractor as FeatureExtractor
from keras_gamegan.metrics.frechet_distance import FrechetDistance as FrechetDistance
from keras_gamegan.metrics.frechet_distance import (
    frechet_distance_from_moments as frechet_distance_from_moments,
)
from keras_gamegan.metrics.inception import inception_features as inception_features
from keras_gamegan.metrics.kernel_distance import KernelDistance as KernelDistance
from keras_gamegan.metrics.kernel_distance import (
    kernel_distance_from_features as kernel_distance_from_features,
)
from keras_gamegan.metrics.mode_coverage import ModeCoverage as ModeCoverage
from keras_gamegan.metrics.mode_coverage import mode_statistics as mode_statistics
from keras_gamegan.metrics.pair_metric import PairMetric as PairMetric
from keras_gamegan.metrics.penultimate import (
    penultimate_features as penultimate_features,
)
from keras_gamegan.metrics.precision_recall import PrecisionRecall as PrecisionRecall
from keras_gamegan.metrics.precision_recall import (
    precision_recall_from_features as precision_recall_from_features,
)
from keras_gamegan.metrics.random_features import random_features as random_features
from keras_gamegan.metrics.sample_metric import SampleMetric as SampleMetric
from keras_gamegan.metrics.stacked_classifier import (
    stacked_classifier as stacked_classifier,
)

__all__ = [
    "ClassCoverage",
    "ClassifierScore",
    "DensityCoverage",
    "FeatureExtractor",
    "FrechetDistance",
    "KernelDistance",
    "ModeCoverage",
    "PairMetric",
    "PrecisionRecall",
    "SampleMetric",
    "classifier_score_from_sums",
    "density_coverage_from_features",
    "frechet_distance_from_moments",
    "inception_features",
    "kernel_distance_from_features",
    "mode_statistics",
    "penultimate_features",
    "precision_recall_from_features",
    "random_features",
    "stacked_classifier",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
