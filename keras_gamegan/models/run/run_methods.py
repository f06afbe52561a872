"""The methods of a model that run it on data."""

from typing import Any

import tensorflow as tf

from keras_gamegan.datasets import arrays
from keras_gamegan.models.run import fit_checks, fit_data, resuming, run_arguments


class RunMethods:
    """Gives a model its `fit` and `evaluate`, which explain what goes wrong."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains both players; as `keras.Model.fit`.

        Args:
            x: Array (n, ...), or `tf.data.Dataset` of batches; of a GAN, real data or
                (data, labels); of another model, whatever its game takes, structures of
                arrays too.
            y: Array (n, ...) beside arrays `x`: labels, if a GAN's networks take any,
                or what the game calls y.
            batch_size: Batch size for arrays. Default: 32.
            epochs: Number of epochs.
            verbose: As in Keras.
            callbacks: List of Keras callbacks.
            **kwargs: Further arguments of `keras.Model.fit`.

        Returns:
            Keras' `History`; logs what both players descend (d_loss and g_loss;
            maximizer_loss and minimizer_loss of a model that is no GAN), value and,
            where the scheme computes it, duality_gap. A GAN logs d_real and d_fake
            too, the means of sigmoid(D(x)) over real and generated data in the
            discriminator's step (probabilities of being real for "minimax" and
            "non_saturating", which 0.5 balances; between 0 and 1 whatever the loss),
            and d_accuracy, how often the discriminator prefers the real one of a pair:
            P(D(x) > D(G(z))), a tie for one half.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If the model is not compiled, the data are missing, empty, not
                finite or misshapen, or an argument is out of range.
            NonFiniteError: If a loss or gradient becomes NaN; the message names the
                player and the step.
        """
        if batch_size is not None:
            kwargs["batch_size"] = batch_size
        data, stages, callbacks = fit_checks.prepare(
            self, x, y, epochs, verbose, callbacks, kwargs
        )
        kwargs.update(verbose=verbose, validation_data=data.validation)
        with fit_checks.run(self, callbacks):
            keras_fit = super().fit  # type: ignore[misc]
            result = resuming.run(self, keras_fit, stages, callbacks, epochs, kwargs)
        return result

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Scores data in inference mode; as `keras.Model.evaluate`.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            batch_size: As in `fit`.
            verbose: As in Keras.
            sample_weight: None: examples have no weights here.
            steps: As in Keras.
            callbacks: As in `fit`.
            return_dict: As in Keras.
            **kwargs: What Keras' `fit` hands on to its `evaluate`.

        Returns:
            The logs: a list, or a dictionary with `return_dict=True`.

        Raises:
            TypeError: As `fit`.
            ValueError: As `fit`.
        """
        fit_checks.check_compiled(self, "evaluate")
        arguments = {
            "batch_size": batch_size,
            "verbose": verbose,
            "sample_weight": sample_weight,
            "steps": steps,
            "callbacks": callbacks,
            "return_dict": return_dict,
        }
        run_arguments.check_evaluate(arguments)
        # Within `fit` the data were looked at when it was called.
        if not kwargs.get("_use_cached_eval_dataset"):
            x, y = fit_data.for_evaluation(self, x, y, arguments)
        with fit_checks.explained(self):
            run = super().evaluate  # type: ignore[misc]
            return run(x, y, **arguments, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Takes one step on one batch; as `keras.Model.train_on_batch`."""
        fit_checks.check_compiled(self, "train_on_batch")
        _check_unmasked(args, kwargs)
        with fit_checks.explained(self):
            return super().train_on_batch(*args, **kwargs)  # type: ignore[misc]

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Scores one batch; as `keras.Model.test_on_batch`."""
        fit_checks.check_compiled(self, "test_on_batch")
        _check_unmasked(args, kwargs)
        with fit_checks.explained(self):
            return super().test_on_batch(*args, **kwargs)  # type: ignore[misc]

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs of the model; as `keras.Model.predict`."""
        _check_unmasked(args, kwargs)
        return super().predict(*args, **kwargs)  # type: ignore[misc]

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs for one batch; as `keras.Model.predict_on_batch`."""
        _check_unmasked(args, kwargs)
        return super().predict_on_batch(*args, **kwargs)  # type: ignore[misc]


def _check_unmasked(*given: Any) -> None:
    """Raises if an array among arguments that go to Keras as they are is masked."""
    for leaf in tf.nest.flatten(given):
        arrays.check_unmasked("The data", leaf)
