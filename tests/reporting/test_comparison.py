import keras
import numpy as np
import pytest

import keras_gamegan as kgg

RUNS = {
    "a": {"d_loss": [1.0, 3.0, float("nan"), 2.0], "fid": [9.0, 7.0, 8.0, 7.5]},
    "b & c": {"d_loss": [0.5]},
}


def test_numbers_of_each_run():
    rows = kgg.compare(RUNS).rows()
    assert [(row["run"], row["log"]) for row in rows] == [
        ("a", "d_loss"),
        ("b & c", "d_loss"),
        ("a", "fid"),
    ]
    assert rows[0] == {
        "run": "a",
        "log": "d_loss",
        "last": 2.0,
        "lowest": 1.0,
        "lowest_epoch": 1,
        "highest": 3.0,
        "highest_epoch": 2,
    }
    nothing = kgg.compare({"x": {"loss": [float("nan")]}}).rows()[0]
    assert nothing["lowest_epoch"] is None and np.isnan(nothing["lowest"])


def test_table_as_text_and_html():
    table = kgg.compare(RUNS)
    lines = str(table).splitlines()
    assert lines[1].split() == [
        "d_loss",
        "2",
        "(1",
        "to",
        "3)",
        "0.5",
        *["(0.5", "to", "0.5)"],
    ]
    assert lines[2].split()[-1] == "-"
    assert lines[-1].split() == ["epochs", "4", "1"]
    text = table._repr_html_()
    assert "<th>b &amp; c</th>" in text and text.count("<tr>") == 4


def test_takes_what_fit_returns():
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=3, width=4), seed=0)
    gan.compile()
    history = gan.fit(np.zeros((8, 2), "float32"), epochs=2, verbose=0)
    assert isinstance(history, keras.callbacks.History)
    table = kgg.compare({"one": history, "same": history.history}, logs=["d_loss"])
    one, same = table.rows()
    assert one["last"] == same["last"] == history.history["d_loss"][-1]
    assert table.logs == ["d_loss"]


def test_figure_has_a_panel_for_each_log_and_a_line_for_each_run():
    figure = kgg.compare(RUNS).figure()
    assert [axes.get_title() for axes in figure.axes] == ["d_loss", "fid"]
    lines = figure.axes[0].get_lines()
    np.testing.assert_array_equal(lines[0].get_ydata(), RUNS["a"]["d_loss"])
    assert lines[1].get_marker() == "o"  # One epoch makes no line.
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(RUNS)


@pytest.mark.parametrize(
    "histories, arguments, error, text",
    [
        ([{}], {}, TypeError, "must be a dictionary"),
        ({}, {}, ValueError, "at least one run"),
        ({"a": None}, {}, TypeError, "what `fit` returned.*'a': None"),
        ({"a": {}}, {}, ValueError, "'a' without any"),
        ({"a": {"loss": []}}, {}, ValueError, "'a' without any"),
        ({"a": {"loss": ["low"]}}, {}, TypeError, "list of numbers.*'loss' of 'a'"),
        ({"a": {"loss": 1.0}}, {}, TypeError, "list of numbers.*'loss' of 'a'"),
        (RUNS, {"logs": ["FID"]}, ValueError, r"'FID', but there are only \['d_loss'"),
        (RUNS, {"logs": ["fid"]}, ValueError, "'b & c' with none of"),
    ],
)
def test_bad_input(histories, arguments, error, text):
    with pytest.raises(error, match=text):
        kgg.compare(histories, **arguments)
