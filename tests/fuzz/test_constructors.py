"""Whatever a constructor gets, it makes a model that trains, or says what is wrong."""

import numpy as np
from hypothesis import strategies as st

import keras_gamegan as kgg
from tests import memory
from tests.fuzz import networks, outcomes, values

_BASE = {
    "latent_dim": [None, 2],
    "average_decay": [None, 0.0, 0.999],
    "seed": [None, 0, 2**31, 2**62, 2**63 - 1],
    "name": [None, "mine"],
}
_STEPS = {"discriminator_steps": [1, 2], "generator_steps": [1, 2]}
_KINDS = {
    kgg.GAN: values.options(
        updates=["alternating", "simultaneous"], **_STEPS, **_BASE, foo=[]
    ),
    kgg.DualityGapGAN: values.options(best_response=["best_response"], **_BASE),
    kgg.FictitiousGAN: values.options(
        history=["history"], mixture=["sampled", "sliced", "full"], **_STEPS, **_BASE
    ),
}
RESPONSES = values.options(
    num_steps=[0, 1, 2],
    optimizer=["sgd", "momentum", "adam", "rmsprop"],
    learning_rate=[1e-3],
    through_gradient=[True, False],
    batches=["shared", "fresh"],
    sync=["global", "local"],
    start=["current", "perturbed", "persistent"],
    pull=[0.2],
    perturbation=[0.1],
)
HISTORIES = values.options(
    capacity=[1, 3],
    interval=[1, 100, None, kgg.history.GrowingInterval(2)],
    retention=["fifo", "geometric", "thinned", "reservoir"],
    current_weight=[None, 0.0, 0.5, 1.0],
    side=["both", "discriminator", "generator"],
    weights=["uniform", "geometric", "nash"],
    decay=[0.5, 1.0],
    slices=[1, 2],
    dtype=[None, "float32", "bfloat16", "float16"],
)


@st.composite
def models(draw):
    """A class, names of two networks, and arguments."""
    kind = draw(st.sampled_from(sorted(_KINDS, key=lambda each: each.__name__)))
    # Mostly networks that fit each other: else nothing else is seen.
    fits = draw(st.integers(0, 3)) > 0
    arguments = draw(_KINDS[kind])
    if fits:
        name = draw(st.sampled_from(sorted(_BOTH)))
        pair = name, draw(st.sampled_from(sorted(_fitting(name))))
    else:
        pair = (
            draw(st.sampled_from(sorted(networks.DISCRIMINATORS))),
            draw(st.sampled_from(sorted(networks.GENERATORS))),
        )
    return kind, pair, arguments


_BOTH = [name for name in networks.DISCRIMINATORS if name in networks.GENERATORS]
_BOTH = [name for name in _BOTH if name.startswith("labels") or "," in name]


def _fitting(name):
    """Generators that may fit a discriminator."""
    if not name.startswith("labels"):
        return [each for each in _BOTH if not each.startswith("labels")]
    return [each for each in _BOTH if each.split(",")[0] == name.split(",")[0]]


def _arguments(drawn, response, history):
    """Returns the arguments that a drawn dictionary stands for."""
    made = {}
    for name, value in drawn.items():
        if value == "best_response":
            value = kgg.BestResponse(**_values(response))
        elif value == "history":
            value = kgg.History(**_values(history))
        made[name] = values.plain(value)
    return made


def _values(drawn):
    return {name: values.plain(value) for name, value in drawn.items()}


def _check_constructor(model, response, history):
    kind, (discriminator, generator), drawn = model
    arguments, error = outcomes.outcome(lambda: _arguments(drawn, response, history))
    if error is not None:
        return
    pair = networks.DISCRIMINATORS[discriminator](), networks.GENERATORS[generator]()
    gan, error = outcomes.outcome(lambda: kind(*pair, **arguments))
    if error is None and max(_steps(gan)) <= 2:
        _check_works(gan)
    memory.forget()


def _steps(gan):
    response = getattr(gan, "best_response", None)
    history = getattr(gan, "history_config", None)
    return (
        gan.discriminator_steps,
        gan.generator_steps,
        response.num_steps if response else 0,
        (history.capacity - 1) if history else 0,
    )


def _check_works(gan):
    """A model that was made trains for a step and samples, or says why it cannot."""
    before = gan.num_steps
    _, error = outcomes.outcome(lambda: gan.compile("sgd", "sgd", run_eagerly=True))
    batch = np.ones((6, 2), "float32")
    labels = None
    if gan.conditional:
        taken = gan.discriminator_network.label_input
        labels = np.ones((6, *taken.shape[1:]), taken.dtype)
    if error is None:
        _, error = outcomes.outcome(lambda: gan.train_on_batch(batch, labels))
        assert gan.num_steps == before + (error is None)
    assert values.is_finite(gan.weights)
    shown = None if labels is None else labels[:2]
    samples, error = outcomes.outcome(lambda: gan.sample(2, 1, labels=shown))
    assert error is not None or samples.shape[0] == 2


test_a_few_models, test_many_models = outcomes.quick_and_thorough(
    model=models(), response=RESPONSES, history=HISTORIES
)(_check_constructor)


def _check_settings(response, history):
    """The settings alone, and what they say of themselves makes them again."""
    for kind, drawn in ((kgg.BestResponse, response), (kgg.History, history)):
        made, error = outcomes.outcome(lambda k=kind, d=drawn: k(**_values(d)))
        if error is None:
            again = kind.from_config(made.get_config())
            assert repr(again) == repr(made)


test_a_few_settings, test_many_settings = outcomes.quick_and_thorough(
    response=RESPONSES, history=HISTORIES
)(_check_settings)
