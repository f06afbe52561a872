"""Any two networks and a value under `model.fit`."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import history, stateless_network, validation, variable_store
from keras_gamegan.distribution import (
    built_trainer,
    execution,
    placement,
    replicas,
)
from keras_gamegan.games import randomness, schemes, structures
from keras_gamegan.models import (
    compile_hints,
    optimizer_slots,
    optimizers,
    roles,
    serialization,
    short_repr,
    two_networks,
)
from keras_gamegan.models.run import run_methods
from keras_gamegan.models.step import (
    network_game,
    scheme_state,
    step_metrics,
    structured_data,
)
from keras_gamegan.models.step import train_step as steps
from keras_gamegan.typing import Config, Structure


@keras.saving.register_keras_serializable(package="keras_gamegan")
class TwoPlayerModel(
    built_trainer.BuiltTrainer,
    short_repr.ShortRepr,
    run_methods.RunMethods,
    serialization.SavingMethods,
    optimizer_slots.SlotsInFiles,
    keras.Model,
):
    """Two networks that play a game, trained with `fit`.

    For any min-max problem of two networks: domain-adversarial training, a classifier
    against a perturbation network, a policy against a critic. The minimiser descends
    and the maximiser ascends the mean over the examples of a value M(u, v); every
    scheme of `kgg.games.schemes` trains both, the duality gap and fictitious play among
    them. `GAN` is the model whose game is a payoff.

    Mathematics: u and v are the networks' weights, x a batch of what the data set
    yields, M(u, v) = E_x value(minimizer_u, maximizer_v, x).

    The network that is being updated runs in training mode. A frozen opponent is a
    fixed function: inference mode, no Dropout, its own BatchNorm statistics.

    All randomness is a function of (seed, step, index of the example in the global
    batch), and all state is variables; so a run can be repeated, resumed and spread
    over replicas.

    Args:
        minimizer: Keras model (functional or Sequential, built), with any inputs and
            outputs.
        maximizer: Likewise; it shares no weight with the minimiser.
        game: What a batch means to the two: a function ``value(minimizer, maximizer,
            batch)``, which returns M for each example, a tensor (n,). The two are
            functions, inputs -> outputs, that run the networks; `batch` is what the
            data set yields, (x, y) of `fit(x, y)`. Where the players descend different
            losses, an object with such a method `value`, and with `minimizer_loss` or
            `maximizer_loss` of the same arguments. To load the model from a file,
            register it: `keras.saving.register_keras_serializable()`.
        updates: As in `GAN`. Default: "alternating", the maximiser first.
        seed: Integer seed of Dropout and draws. Default: drawn anew.
        name: Name of the model.

    Raises:
        TypeError: If a network is no Keras model or the game neither function nor
            object.
        ValueError: If the networks are not built or share weights, or `updates` is
            unknown.

    Example:
        >>> import keras, numpy as np, tensorflow as tf, keras_gamegan as kgg
        >>> def network():
        ...     return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> def value(minimizer, maximizer, batch):
        ...     x, y = batch
        ...     error = minimizer(x)[:, 0] - y
        ...     doubt = maximizer(x)[:, 0]
        ...     return error * doubt - tf.square(doubt) / 2
        >>> model = kgg.TwoPlayerModel(network(), network(), value, seed=0)
        >>> model.compile(minimizer_optimizer="adam", maximizer_optimizer="adam")
        >>> x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
        >>> history = model.fit(x, x.sum(axis=1), batch_size=32, verbose=0)
        >>> sorted(history.history)
        ['maximizer_loss', 'minimizer_loss', 'value']
        >>> model.predict(x, verbose=0).shape
        (64, 1)

    References:
        Grnarova, Kilcher, Levy, Lucchi, Hofmann: "Generative Minimization Networks:
        Training GANs Without Competition", 2021.
        Ge, Xia, Chen, Berry, Wu: "Fictitious GAN: Training GANs with Historical
        Models", 2018.
    """

    _roles = roles.Roles()
    _kind = "A two-player model"

    def __init__(
        self,
        minimizer: keras.Model,
        maximizer: keras.Model,
        game: Any,
        *,
        updates: str | schemes.Scheme = "alternating",
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        functions = network_game.functions_of(game)
        two_networks.check(self._roles, minimizer, maximizer)
        self._set_players(
            stateless_network.StatelessNetwork(minimizer),
            stateless_network.StatelessNetwork(maximizer),
        )
        self._set_play(updates, schemes.get(updates), seed)
        self._keep_state()
        # In a function: Keras would look for layers in an attribute.
        self._rules = lambda: game
        networks = self.minimizer_network, self.maximizer_network
        self._game: Any = network_game.NetworkGame(*networks, functions)
        self._training_game: Any = self._game
        self._data_form = structured_data.StructuredData(self.minimizer_network.dtype)
        self._finish()

    def _set_players(
        self,
        minimizer: stateless_network.StatelessNetwork,
        maximizer: stateless_network.StatelessNetwork,
    ) -> None:
        """Takes both players' networks; the first thing of a constructor."""
        self._networks = minimizer, maximizer
        # The maximiser first: the order of the layers in files of version 0.1.
        setattr(self, self._roles.maximizer, maximizer.model)
        setattr(self, self._roles.minimizer, minimizer.model)

    def _set_play(
        self, updates: str | schemes.Scheme, scheme: schemes.Scheme, seed: int | None
    ) -> None:
        """Takes what is played: scheme and seed."""
        self.updates, self.scheme = updates, scheme
        if seed is None:
            seed = randomness.new_seed()
        self.seed = validation.check_seed("seed", seed)
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="step",
            aggregation="only_first_replica",
        )

    def _keep_state(self) -> None:
        """Makes what the scheme's state is kept in."""
        self.scheme_store = scheme_state.keep(
            self.scheme, self._roles.names, self._networks
        )
        for player, bank in zip(
            self._roles.names, self.scheme_store.banks, strict=True
        ):
            setattr(self, f"_{player}_bank", bank)

    def _finish(self, data_range: keras.metrics.Metric | None = None) -> None:
        """Makes the metrics of the logs; the last thing of a constructor."""
        self._trackers = step_metrics.Trackers(self.log_names, data_range)
        setattr(self, self._roles.maximizer_optimizer, None)
        setattr(self, self._roles.minimizer_optimizer, None)
        self.built = True

    # What subclasses change.

    @property
    def log_names(self) -> tuple[str, ...]:
        """Names of the logs of a train step, in order."""
        losses = self._roles.maximizer_loss, self._roles.minimizer_loss
        return (*losses, "value", *self.scheme.log_names)

    def _prepare_writing(
        self, report: dict[str, tf.Tensor], share: replicas.Share
    ) -> Callable[[tuple, tf.Tensor], None]:
        """Returns what else a good step writes: a function (players, step).

        Args:
            report: The scheme's report of the step.
            share: This replica's `distribution.replicas.Share` of the batch.
        """
        del report, share
        return lambda players, step: None

    def _played(self) -> Config:
        """Returns what of the game is chosen by `compile`, by its arguments there."""
        return {}

    def _more_logs(self) -> dict[str, tf.Tensor]:
        """Returns this replica's parts of logs that are in no scheme's report."""
        return {}

    # The public face.

    @property
    def minimizer_network(self) -> stateless_network.StatelessNetwork:
        """The minimiser as a `StatelessNetwork`."""
        return self._networks[0]

    @property
    def maximizer_network(self) -> stateless_network.StatelessNetwork:
        """The maximiser as a `StatelessNetwork`."""
        return self._networks[1]

    @property
    def minimizer_bank(self) -> history.WeightBank | None:
        """`WeightBank` of historical minimisers, or None if none is kept."""
        return self.scheme_store.banks[0]

    @property
    def maximizer_bank(self) -> history.WeightBank | None:
        """`WeightBank` of historical maximisers, or None if none is kept."""
        return self.scheme_store.banks[1]

    @property
    def worst_players(self) -> tuple[structures.Player, structures.Player] | None:
        """Pair (u_w, v_w) of `Player` that a search persists in, or None."""
        state = self.scheme_store.read(self.num_steps)
        if not all("player" in dict(side) for side in (state.u, state.v)):
            return None
        return state.u["player"], state.v["player"]

    @property
    def game(self) -> Any:
        """The game the networks play, as `kgg.games` has it; None before `compile`."""
        return self._game

    @property
    def num_steps(self) -> int:
        """Train steps taken so far."""
        return int(tf.convert_to_tensor(self.step).numpy())

    @property
    def optimizer(self) -> optimizers.OptimizerPair | None:
        """The face Keras' learning-rate callbacks see of both optimizers."""
        if getattr(self, self._roles.minimizer_optimizer, None) is None:
            return None
        return self._optimizer_pair

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        # Keras' own compile sets None here; the model has two optimizers.
        if value is not None:
            raise ValueError(
                f"{self._kind} has two optimizers. Received: an assignment to "
                f"`optimizer`. Pass {self._roles.maximizer_optimizer}= and "
                f"{self._roles.minimizer_optimizer}= to compile."
            )

    def compile(
        self,
        minimizer_optimizer: Any = "adam",
        maximizer_optimizer: Any = "adam",
        *,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        **unknown: Any,
    ) -> None:
        """Chooses both optimizers.

        Args:
            minimizer_optimizer: Keras optimizer of the minimiser, or its name.
            maximizer_optimizer: Keras optimizer of the maximiser, or its name.
            run_eagerly: As in Keras.
            steps_per_execution: As in Keras, >= 1.
            jit_compile: True, False or "auto", as in Keras.
            auto_scale_loss: Whether float16 networks get a `LossScaleOptimizer`.
            **unknown: Arguments of `keras.Model.compile` that a two-player model does
                not take: refused with what to pass instead.

        Raises:
            TypeError: If an argument is of the wrong type, or not taken.
            ValueError: If a name is unknown, one optimizer is given twice, or one was
                built for variables other than those it is to move; on
                `jit_compile=True` under a strategy of several devices.
        """
        compile_hints.check(unknown, self._roles)
        self._compile(
            minimizer_optimizer,
            maximizer_optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=auto_scale_loss,
        )

    def _compile(
        self, minimizer_optimizer: Any, maximizer_optimizer: Any, **options: Any
    ) -> None:
        """Takes both optimizers, and the options that Keras' `compile` has too."""
        compile_hints.check_options(**options)
        execution.check_jit_compile(self.distribute_strategy, options["jit_compile"])
        self._read_trainable()
        given = minimizer_optimizer, maximizer_optimizer
        with placement.scope_of(self, *given):
            found = optimizers.prepare(
                self._roles, given, self._networks, options["auto_scale_loss"]
            )
        setattr(self, self._roles.minimizer_optimizer, found[0])
        setattr(self, self._roles.maximizer_optimizer, found[1])
        self._optimizer_pair = optimizers.OptimizerPair(self._roles, *found)
        # As asked for, which another machine may answer differently.
        self.compile_options = options
        # Both optimizers are wrapped already; Keras would look for its one.
        super().compile(optimizer=None, **{**options, "auto_scale_loss": False})
        self._forget_loss_tracker()

    def _read_trainable(self) -> None:
        """Reads which weights are trainable; what is kept beside them follows."""
        for network in self._networks:
            network.refresh()
        with placement.scope_of(self):
            for layer in self.layers:
                if isinstance(layer, variable_store.VariableStore):
                    layer.refresh()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._roles.names and hasattr(self, name):
            raise ValueError(
                f"The {name} of a model is fixed: optimizers, averages and histories "
                f"belong to its weights. Received: model.{name} = {value!r}. Build a "
                f"new model of it, or take over its weights: model.{name}.set_weights("
                "other.get_weights())."
            )
        super().__setattr__(name, value)

    def call(self, inputs: Structure, training: bool = False) -> Structure:
        """Returns what the minimiser makes of the inputs."""
        return self.minimizer_network.model(inputs, training=training)

    # The steps.

    # Called by `fit` and by `evaluate`.
    train_step = steps.train_step
    test_step = steps.test_step

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means of the logs, and two counters."""
        return self._trackers.metrics

    # Saving and loading.

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return serialization.model_config(
            self,
            {
                "game": self._rules(),
                "updates": self.updates,
                "seed": self.seed,
                "name": self.name,
            },
        )
