import dataclasses

import numpy as np
import pytest

import keras_gamegan as kgg


@pytest.mark.parametrize("name", kgg.recipes.names())
def test_each_recipe_takes_a_step(name):
    recipe = dataclasses.replace(
        kgg.recipes.get(name), base_filters=2, latent_dim=3, history_interval=1
    )
    gan = recipe.build((8, 8, 1), num_classes=3, jit_compile=False)
    data = (np.zeros((4, 8, 8, 1), "float32"), np.arange(4) % 3)
    logs = gan.fit(*data, batch_size=4, verbose=0).history
    assert np.isfinite(logs["d_loss"]).all()
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(recipe.d_learning_rate)


@pytest.mark.parametrize("network", ["residual", "mlp"])
def test_networks(network):
    recipe = kgg.recipes.Recipe(network=network, base_filters=2, mlp_width=4)
    gan = recipe.build((8, 8, 3))
    assert gan.sample(2, seed=0).shape == (2, 8, 8, 3)


def test_settings_are_those_that_mean_something():
    settings = kgg.recipes.get("no_penalty").settings()
    assert {"history_capacity", "base_filters"} <= set(settings)
    assert not {"num_response_steps", "mlp_width", "penalty_weight"} & set(settings)


def test_unknown_names():
    with pytest.raises(ValueError, match=r"Received: name='baselin'.*'baseline'"):
        kgg.recipes.get("baselin")


def test_the_modern_recipe_has_two_penalties_and_pairs():
    recipe = dataclasses.replace(kgg.recipes.get("modern"), base_filters=2)
    gan = recipe.build((8, 8, 1))
    assert isinstance(gan.payoff, kgg.payoffs.Relativistic)
    kinds = [type(each) for each in gan.penalty.penalties]
    assert kinds == [kgg.penalties.R1, kgg.penalties.R2]
    assert {each.weight for each in gan.penalty.penalties} == {0.05}


def test_callbacks():
    assert kgg.recipes.get("usual").callbacks() == []
    recipe = kgg.recipes.Recipe(decay_start=0.25)
    (decay,) = recipe.callbacks()
    assert isinstance(decay, kgg.schedules.LinearDecay) and decay.start == 0.25
    # State belongs to a run.
    assert recipe.callbacks()[0] is not decay
    # The rates that were found are those that fall.
    found = dataclasses.replace(recipe, pace_control=True).callbacks()
    kinds = [type(each) for each in found]
    assert kinds == [kgg.callbacks.PaceControl, kgg.schedules.LinearDecay]


def test_the_search_of_one_side_by_the_players_own_rule():
    recipe = kgg.recipes.Recipe(
        method="duality_gap",
        response_optimizer="player",
        response_side="generator",
        augment="diffaugment",
        base_filters=2,
        latent_dim=3,
    )
    gan = recipe.build((8, 8, 3), jit_compile=False)
    response = gan.best_response
    assert (response.optimizer, response.side) == ("player", "generator")
    assert isinstance(gan.augment, kgg.augment.DiffAugment)
    settings = recipe.settings()
    assert settings["response_side"] == "generator" and "augment" in settings
    # The search has the player's rate.
    assert "response_learning_rate" not in settings
    own = dataclasses.replace(recipe, response_optimizer="sgd")
    assert own.applies("response_learning_rate")
    plain = dataclasses.replace(recipe, method="gan", augment="none")
    assert plain.lacks("response_learning_rate") == ("method", ("duality_gap",))
    assert plain.build((8, 8, 3), jit_compile=False).augment is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"response_side": "player"}, "`response_side` must be one of"),
        ({"augment": "color"}, "`augment` must be one of 'none', 'diffaugment'"),
        ({"method": "gna"}, "`method` must be one of 'gan'"),
        ({"network": None}, "`network` must be one of"),
        ({"penalty": "r3"}, "`penalty` must be one of"),
        ({"loss": "hinged"}, "`loss` must be one of"),
        ({"side": "both sides"}, "`side` must be one of"),
        ({"latent_dim": 0}, "`latent_dim` must be an integer of at least 1"),
        ({"num_response_steps": -1}, "`num_response_steps` must be an integer"),
        ({"d_learning_rate": 0.0}, r"`d_learning_rate` must be a number in \(0, inf"),
        ({"g_learning_rate": float("nan")}, "Received: g_learning_rate=nan"),
        ({"beta_1": 1.0}, r"`beta_1` must be a number in \[0, 1\)"),
        ({"average_decay": 1.0}, r"`average_decay` must be a number in \[0, 1\)"),
        ({"decay_start": 1.0}, r"`start` must be a number in \[0, 1\)"),
        ({"penalty_weight": -1.0}, "`penalty_weight` must be a number in"),
        ({"penalty_weight": 0.0}, 'For none, penalty="none"'),
        ({"current_weight": 1.5}, "-1 is the probability of any other"),
        (
            {"method": "fictitious", "side": "generator"},
            "answered='discriminator' with side='generator'",
        ),
        ({"loss": "wasserstein"}, "needs a bound on the discriminator's slope"),
    ],
)
def test_settings_that_cannot_be(change, told):
    with pytest.raises(ValueError, match=told):
        kgg.recipes.Recipe(**change)


def test_settings_of_another_type():
    with pytest.raises(TypeError, match=r"`base_filters` must be an integer"):
        kgg.recipes.Recipe(base_filters=8.0)
    with pytest.raises(TypeError, match=r"`pace_control` must be"):
        kgg.recipes.Recipe(pace_control=1)
