"""The probabilities of stored models, kept at the equilibrium of their own game."""

from typing import Any

import numpy as np

from keras_gamegan import population
from keras_gamegan.callbacks import measurement

# A linear program leaves members out exactly, or at the rounding of its solver.
_SUPPORT = 1e-9


class NashMixture(measurement.Measurement):
    """Gives the stored models the probabilities of a Nash equilibrium among themselves.

    The payoff matrix of the stored generators and discriminators is measured on
    held-out data, its equilibrium found by linear programming, and its probabilities
    written to the banks: the double-oracle variant of fictitious play, whose players
    answer the equilibrium mixture of past opponents and not their uniform one. The
    model must be a `FictitiousGAN` with `History(weights="nash")`. Between two
    measurements the banks keep the probabilities they were given.

    Adds `nash_value`, the value of that game, and `nash_generators` and
    `nash_discriminators`, the numbers of members that are played, to the logs, where
    the callbacks after it in the list find them: to the epoch's logs the last ones, to
    a step's logs those measured at that step. Its randomness follows the train step,
    and `Checkpoint`, which must come after it, keeps the last figures: a resumed run
    computes and logs the same. With several workers each must be given the
    same data.

    Args:
        data: Real data held out from training, as in `kgg.payoff_matrix`.
        every: "epoch", or a number of train steps. Default: "epoch".
        **arguments: `num_batches` and `batch_size`, as in `kgg.payoff_matrix`.

    Attributes:
        measurements: List of triples (train step, `PayoffMatrix`,
            `games.MatrixEquilibrium`).
        seconds: Seconds spent measuring since the beginning of `fit`.
        cost: Fraction of the time since the beginning of `fit` spent measuring.

    Raises:
        ValueError: If `every` is out of range; when training begins, if the model's
            probabilities are not to be set; from `kgg.payoff_matrix` otherwise.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4, seed=0)
        >>> history = kgg.History(capacity=3, interval=2, weights="nash")
        >>> gan = kgg.FictitiousGAN(*pair, history=history, seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
        >>> nash = kgg.callbacks.NashMixture(data[256:], every=4)
        >>> logs = gan.fit(data[:256], verbose=0, callbacks=[nash]).history
        >>> [step for step, _, _ in nash.measurements]
        [4, 8]
        >>> gan.generator_bank.member_probabilities.shape
        (3,)

    References:
        McMahan, Gordon, Blum: "Planning in the Presence of Cost Functions Controlled
        by an Adversary", 2003 (double oracle).
        Aung, Wang, Yu, An, Jayavelu, Li: "DO-GAN: A Double Oracle Framework for
        Generative Adversarial Networks", 2021.
    """

    # It changes the histories.
    on_all_workers = True

    def __init__(self, data: Any, every: str | int = "epoch", **arguments: Any) -> None:
        # Measuring sets the probabilities: never but when it was asked for.
        super().__init__(every, from_first_epoch=False)
        self._data = data
        self._arguments = arguments
        self._estimator: population.PayoffEstimator
        self.measurements: list[tuple[int, population.PayoffMatrix, Any]] = []

    def _prepare(self) -> None:
        self._check_model()
        self._estimator = population.PayoffEstimator(
            self.model, self._data, **self._arguments
        )

    def _measure(self) -> dict[str, float]:
        step = self.model.num_steps
        table = self._estimator(self.model.seed + step)
        equilibrium = table.equilibrium()
        for bank, probabilities in (
            (self.model.minimizer_bank, equilibrium.p),
            (self.model.maximizer_bank, equilibrium.q),
        ):
            if bank is not None:
                bank.assign_probabilities(probabilities)
        self.measurements.append((step, table, equilibrium))
        p, q, value = equilibrium
        return {
            "nash_value": float(value),
            "nash_generators": int(np.sum(p > _SUPPORT)),
            "nash_discriminators": int(np.sum(q > _SUPPORT)),
        }

    def _check_model(self) -> None:
        history = self.model.scheme.history
        weights = getattr(history, "weights", None)
        if weights != "nash":
            received = f"a {type(self.model).__name__}"
            received += (
                " without a history"
                if history is None
                else f" with History(weights={weights!r})"
            )
            raise ValueError(
                "NashMixture sets the probabilities of stored models, which a model "
                f"must leave to it. Received: {received}. Use "
                'kgg.FictitiousGAN(..., history=kgg.History(weights="nash")).'
            )
