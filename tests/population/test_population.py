"""The view of what is stored, its equilibrium and its figures."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_gamegan as kgg
from keras_gamegan.population import payoff_table

DATA = np.random.default_rng(0).normal(size=(288, 2)).astype("float32")


@pytest.fixture(scope="module")
def gan():
    """A trained model; no test of this file changes it."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    history = kgg.History(3, interval=2, retention="fifo", current_weight=0.5)
    model = kgg.FictitiousGAN(*pair, history=history, seed=0)
    model.compile()
    model.fit(DATA[:256], batch_size=32, verbose=0)
    return model


def table(values, errors=0.0):
    """A payoff matrix of these values."""
    values = np.array(values, np.float64)
    rows, columns = values.shape
    return payoff_table.PayoffMatrix(
        values,
        np.full(values.shape, errors),
        100 * np.arange(rows),
        50 * np.arange(columns),
        64,
    )


def test_members_are_what_the_banks_hold(gan):
    population = kgg.Population(gan)
    assert len(population) == len(list(population)) == 6
    sides = {"generator": population.generators}
    sides["discriminator"] = population.discriminators
    for name, side in sides.items():
        bank = getattr(gan, f"{name}_bank")
        assert [m.side for m in side] == [name] * 3
        assert [m.step for m in side] == [4, 6, 8] == bank.member_steps.tolist()
        assert [m.age for m in side] == [4, 2, 0]
        assert [m.probability for m in side] == [0.25, 0.25, 0.5]
        for member, expected in zip(side, bank.member_weights, strict=True):
            for one, other in zip(member.weights, expected, strict=True):
                np.testing.assert_array_equal(one, other)
        live = getattr(gan, name).get_weights()
        for one, other in zip(side[-1].weights, live, strict=True):
            np.testing.assert_array_equal(one, other)
    assert repr(population.generators[0]) == (
        "Member(side='generator', step=4, age=4, probability=0.25)"
    )


def test_a_side_without_history_shows_its_live_model():
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    history = kgg.History(3, interval=1, side="generator")
    model = kgg.FictitiousGAN(*pair, history=history, seed=0)
    model.compile()
    model.fit(DATA[:96], batch_size=32, verbose=0)
    population = kgg.Population(model)
    (live,) = population.discriminators
    assert (live.step, live.age, live.probability) == (3, 0, 1.0)
    expected = model.discriminator.get_weights()
    for one, other in zip(live.weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(population) == 4


def test_the_view_follows_the_model_and_old_members_say_so():
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    history = kgg.History(2, retention="fifo")
    model = kgg.FictitiousGAN(*pair, history=history, seed=0)
    population = kgg.Population(model)
    assert len(population) == 2
    model.generator_bank.push()
    assert [len(population.generators), len(population.discriminators)] == [2, 1]
    oldest = population.generators[0]
    before = oldest.weights
    model.generator_bank.push()
    with pytest.raises(RuntimeError, match="Ask the Population"):
        _ = oldest.weights
    assert len(before) == len(population.generators[0].weights)


def test_population_and_function_agree(gan):
    population = kgg.Population(gan)
    direct = kgg.payoff_matrix(gan, DATA, batch_size=96, seed=3)
    viewed = population.payoff_matrix(DATA, batch_size=96, seed=3)
    np.testing.assert_array_equal(direct.values, viewed.values)
    p, q, value = population.equilibrium(DATA, batch_size=96, seed=3)
    assert direct.exploitability(p, q) <= 1e-8
    assert p @ direct.values @ q == pytest.approx(value, abs=1e-9)


def test_no_history_is_refused():
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    with pytest.raises(ValueError, match=r"GAN that keeps none. Use kgg\.Fictit"):
        kgg.Population(kgg.GAN(*pair))


# The equilibrium.


def test_rock_paper_scissors():
    p, q, value = table([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]).equilibrium()
    np.testing.assert_allclose([p, q], 1 / 3, atol=1e-9)
    assert value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_two_by_two_games_in_closed_form(seed):
    values = np.random.default_rng(seed).normal(size=(2, 2))
    (a, b), (c, d) = values
    p, q, value = table(values).equilibrium()
    low, high = max(min(a, c), min(b, d)), min(max(a, b), max(c, d))
    if low == high:  # A saddle point.
        assert value == pytest.approx(low, abs=1e-9)
        assert max(p) == pytest.approx(1) and max(q) == pytest.approx(1)
    else:
        total = a - b - c + d
        np.testing.assert_allclose(p, [(d - c) / total, (a - b) / total], atol=1e-9)
        np.testing.assert_allclose(q, [(d - b) / total, (a - c) / total], atol=1e-9)
        assert value == pytest.approx((a * d - b * c) / total, abs=1e-9)


@given(
    st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
        lambda shape: st.lists(
            st.lists(st.floats(-1, 1), min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    ),
    st.sampled_from([1.0, 1e-6, 1e6]),
)
@settings(max_examples=150, deadline=None)
def test_exploitability_of_any_matrix(values, size):
    given_table = table(size * np.array(values))
    p, q, value = given_table.equilibrium()
    for shares in (p, q):
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1, abs=1e-12)
    # In units of the payoffs: a game of small numbers is solved as exactly.
    assert given_table.exploitability(p, q) <= 1e-8 * size
    assert p @ given_table.values @ q == pytest.approx(value, abs=1e-8 * size)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((4, 3)),
        np.full((3, 3), -0.6931),
        np.repeat([[0.2, -0.1, 0.4]], 5, axis=0),  # Every row the same.
        np.diag([1.0, 0.0, 0.0]),
        [[-0.7]],
    ],
)
def test_degenerate_games(values):
    p, q, value = table(values).equilibrium()
    assert table(values).exploitability(p, q) <= 1e-8
    assert np.max(p @ table(values).values) == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_entries_are_refused(bad):
    with pytest.raises(ValueError, match="finite numbers"):
        table([[0.0, bad], [1.0, 2.0]]).equilibrium()


# The figures.


def overlapping(figure):
    """Pairs of texts of a figure that lie on each other."""
    figure.canvas.draw()
    texts = [figure._suptitle] if figure._suptitle else []
    for axis in figure.axes:
        texts += [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        for line in (axis.xaxis, axis.yaxis):
            low, high = sorted(line.get_view_interval())
            for tick in line.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    texts += [tick.label1, tick.label2]
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in texts
        if text.get_text() and text.get_visible() and not text.get_rotation() % 90
    ]
    return [
        (one, other)
        for index, (one, box) in enumerate(boxes)
        for other, another in boxes[index + 1 :]
        if box.overlaps(another)
    ]


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (10, 10), (30, 5), (1, 40)])
def test_payoff_figure_shows_the_matrix_and_the_shares(gan, shape):
    drawn = table(np.random.default_rng(1).normal(size=shape))
    figure = kgg.Population(gan).plot_payoffs(drawn)
    main, top, right, _ = figure.axes
    np.testing.assert_array_equal(main.images[0].get_array(), drawn.values)
    p, q, value = drawn.equilibrium()
    np.testing.assert_allclose([bar.get_height() for bar in top.patches], q)
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], p)
    assert f"{value:.4f}" in figure._suptitle.get_text()
    assert main.get_xlabel() and main.get_ylabel() and top.get_ylabel()
    assert len(main.texts) == (np.prod(shape) if max(shape) <= 10 else 0)
    assert main.get_yticklabels()[-1].get_text() == str(drawn.generator_steps[-1])
    assert not overlapping(figure)


def test_payoff_figure_measures_and_can_be_saved(gan):
    figure = kgg.Population(gan).plot_payoffs(DATA, batch_size=96)
    expected = kgg.payoff_matrix(gan, DATA, batch_size=96).values
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), expected)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"drawn as it is\. Received: seed"):
        kgg.Population(gan).plot_payoffs(table([[1.0]]), seed=1)


def test_age_figure_shows_ages_and_shares(gan):
    population = kgg.Population(gan)
    figure = population.plot_ages()
    for axis, side in zip(
        figure.axes, (population.generators, population.discriminators), strict=True
    ):
        np.testing.assert_array_equal(
            axis.lines[0].get_xydata(), [[m.age, m.probability] for m in side]
        )
        assert axis.get_ylabel() and axis.get_title()
    assert figure.axes[-1].get_xlabel()
    # Time runs to the right.
    left, right = figure.axes[0].get_xlim()
    assert left > 4 > 0 > right
    assert not overlapping(figure)


def test_figures_leave_pyplot_alone(gan):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    kgg.Population(gan).plot_ages()
    assert pyplot.get_fignums() == before
