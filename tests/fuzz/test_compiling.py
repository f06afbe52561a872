"""Whatever `compile` gets, the model trains afterwards, or is as it was."""

import keras
import numpy as np
from hypothesis import strategies as st

import keras_gamegan as kgg
from tests import memory
from tests.fuzz import networks, outcomes, values

_DATA = np.ones((4, 2), "float32")
_CLASSES = {
    each.__name__: each
    for each in (
        keras.optimizers.Adadelta,
        keras.optimizers.Adafactor,
        keras.optimizers.Adagrad,
        keras.optimizers.Adam,
        keras.optimizers.Adamax,
        keras.optimizers.AdamW,
        keras.optimizers.Ftrl,
        keras.optimizers.Lamb,
        keras.optimizers.Lion,
        keras.optimizers.Muon,
        keras.optimizers.Nadam,
        keras.optimizers.RMSprop,
        keras.optimizers.SGD,
    )
}
_RATES = {
    "number": lambda: 0.01,
    "schedule": lambda: keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5),
    "function": lambda: lambda: 0.01,
}
_SETTINGS = (
    {},
    {"use_ema": True},
    {"clipnorm": 1.0},
    {"global_clipnorm": 1.0},
    {"clipvalue": 0.5},
    {"weight_decay": 0.01},
    {"gradient_accumulation_steps": 2},
    {"loss_scale_factor": 8.0},
)


class Optimizer:
    """How an optimizer is made; as an object, its name or its configuration."""

    def __init__(self, name, rate, settings, form):
        self.name, self.rate, self.settings, self.form = name, rate, settings, form

    def make(self):
        """Returns it, new."""
        if self.form == "name":
            return self.name.lower()
        made = _CLASSES[self.name](_RATES[self.rate](), **self.settings)
        if self.form == "class":
            return _CLASSES[self.name]
        if self.form == "scaled":
            return keras.optimizers.LossScaleOptimizer(made)
        return made if self.form == "object" else keras.optimizers.serialize(made)

    def __repr__(self):
        return f"{self.form} of {self.name}({self.rate}, {self.settings})"


OPTIMIZERS = st.builds(
    Optimizer,
    st.sampled_from(sorted(_CLASSES)),
    st.sampled_from(sorted(_RATES)),
    st.sampled_from(_SETTINGS),
    st.sampled_from(["object", "object", "name", "configuration", "scaled", "class"]),
)
_OTHERS = {
    "built for others": lambda: _built(keras.optimizers.Adam()),
    "unknown configuration": lambda: {"class_name": "Adam", "config": {"x": 1}},
    "loss": lambda: keras.losses.BinaryCrossentropy(),
    "payoff": lambda: kgg.payoffs.Hinge(),
    "penalty": lambda: kgg.penalties.R1(),
    "payoff class": lambda: kgg.payoffs.Hinge,
    "r1 of the wrong place": lambda: "r1",
}


def _built(optimizer):
    optimizer.build([keras.Variable(np.zeros(3, "float32"))])
    return optimizer


OPTIONS = values.options(
    loss=["minimax", "non_saturating", "wasserstein", "hinge", "least_squares"],
    penalty=[None, "r1", "gradient_penalty"],
    run_eagerly=[True, False],
    steps_per_execution=[1, 2],
    jit_compile=["auto", False],
    auto_scale_loss=[True, False],
    metrics=[],
    optimizer=[],
)
_ANY = values.mostly(
    OPTIMIZERS, st.one_of(values.nonsense(), st.sampled_from(sorted(_OTHERS))), 6
)


def _plain(drawn):
    if isinstance(drawn, Optimizer):
        return drawn.make()
    if isinstance(drawn, str) and drawn in _OTHERS:
        return _OTHERS[drawn]()
    return values.plain(drawn)


def _check_compile(d_optimizer, g_optimizer, same, options, others):
    gan = kgg.GAN(*networks.pair(), seed=0)
    # A refused call leaves what an earlier one has set.
    gan.compile("sgd", "sgd", run_eagerly=True)
    before = gan.d_optimizer, gan.g_optimizer, gan.payoff, gan.compile_options
    made, error = outcomes.outcome(
        lambda: [_plain(d_optimizer), _plain(g_optimizer)],
        of_others=(r"^Argument `weight_decay` must be|got an unexpected|Unrecognized",),
    )
    if error is not None:
        return
    pair = [made[0]] * 2 if same else made
    given = {name: _plain(value) for name, value in {**options, **others}.items()}
    _, error = outcomes.outcome(lambda: gan.compile(*pair, **given))
    if error is not None:
        after = gan.d_optimizer, gan.g_optimizer, gan.payoff, gan.compile_options
        assert all(one is other for one, other in zip(before, after, strict=True))
    else:
        gan.run_eagerly = True
    _, error = outcomes.outcome(lambda: gan.train_on_batch(_DATA))
    assert gan.num_steps == (error is None)
    assert values.is_finite(gan.weights)
    memory.forget()


test_a_few_compilations, test_many_compilations = outcomes.quick_and_thorough(
    quick=8,
    d_optimizer=_ANY,
    g_optimizer=_ANY,
    same=st.sampled_from([False] * 7 + [True]),
    options=OPTIONS,
    others=values.mostly(
        st.just({}),
        st.dictionaries(
            st.sampled_from(["loss", "penalty"]),
            st.sampled_from(sorted(_OTHERS)),
            min_size=1,
        ),
        8,
    ),
)(_check_compile)
