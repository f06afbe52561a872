"""Metrics that compare generated samples with real ones."""

from keras_gamegan.metrics import sample_metric


class PairMetric(sample_metric.SampleMetric):
    """Base class of the metrics of two sets of samples (abstract).

    The two sides may be fed together or one at a time, in any order and any batches.

    Args:
        features: A `FeatureExtractor`.
        keep_real: Whether `reset_state` keeps the real side, which is measured once and
            does not change; `reset_real` forgets it all the same.
        num_features: Length of one feature row, or None.
        name: Name of the metric.
        dtype: Type of the result.
    """

    sides = ("real", "fake")
    needs_real = True

    def __init__(
        self, features, keep_real=False, num_features=None, name=None, dtype=None
    ):
        super().__init__(features, num_features=num_features, name=name, dtype=dtype)
        if not isinstance(keep_real, bool):
            raise TypeError(
                f"`keep_real` must be True or False. Received: keep_real={keep_real!r}."
                " True keeps the real side's statistics over `reset_state()`."
            )
        self.keep_real = keep_real

    def update_state(self, real, fake):
        """Adds a batch of real and a batch of generated samples.

        Args:
            real: Array or tensor (batch, ...).
            fake: Array or tensor (another batch, ...), the same shape otherwise.

        Raises:
            ValueError: If the samples do not fit, or (eagerly) are not finite.
        """
        self._update("real", real)
        self._update("fake", fake)

    def update_real(self, samples):
        """Adds a batch of real samples only.

        Args:
            samples: Array or tensor (batch, ...).

        Raises:
            ValueError: If the samples do not fit, or (eagerly) are not finite.
        """
        self._update("real", samples)

    def reset_state(self):
        """Forgets the samples: all of them, or the generated ones if `keep_real`."""
        if not self.keep_real:
            self._reset("real")
        self._reset("fake")

    def reset_real(self):
        """Forgets the real samples, also if `keep_real`."""
        self._reset("real")

    def get_config(self):
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "keep_real": self.keep_real}
