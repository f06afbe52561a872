"""The benchmarks: that they run, and time what they say. No time is asserted."""

import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import app

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data
from tests import scripts

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    """Lets a test import the files of benchmarks/, as they import each other."""
    monkeypatch.syspath_prepend(str(FOLDER))


def test_spread_and_ratio_pair_the_rounds(benchmarks):
    import timing

    # The machine is twice as slow in the second round: the ratio does not notice.
    spread = timing.ratio([3.0, 6.0, 3.3], [2.0, 4.0, 2.0])
    assert spread.median == spread.smallest == pytest.approx(1.5)
    assert spread.largest == pytest.approx(1.65)
    seconds = {"a": [1.0, 2.0], "b": [10.0, 20.0]}
    assert timing.weighted_sum(seconds, {"a": 3, "b": 1}) == [13.0, 26.0]


def test_contestants_take_turns(benchmarks):
    import timing

    order = []

    def contestant(name):
        order.append(name)
        return float(len(order))

    seconds = timing.interleave(
        {name: lambda n=name: contestant(n) for name in "abc"}, rounds=2, warmups=1
    )
    assert "".join(order) == "abcbcacab"
    assert seconds == {"a": [6.0, 8.0], "b": [4.0, 9.0], "c": [5.0, 7.0]}


@pytest.mark.parametrize(
    ("median", "at_least", "verdict"),
    [(1.04, False, "**no**"), (1.03, False, "yes"), (1.04, True, "yes")],
)
def test_a_row_says_whether_its_target_is_met(benchmarks, median, at_least, verdict):
    import timing

    spread = timing.Spread.of([median])
    row = timing.Row("x", "mlp", spread, 1.03, at_least)
    assert row.verdicts() == verdict
    assert timing.line(row).count("|") == timing.HEADER.splitlines()[0].count("|")


def test_bounds_count_the_passes(benchmarks):
    import arithmetic

    parts = {"d_weights": 2.0, "d_input": 1.0, "g_weights": 3.0, "fakes": 0.5}
    seconds = {name: [value] for name, value in parts.items()}
    seconds |= {"outer": [0.25], "inner sgd": [0.125], "d_forward": [0.75]}
    seconds["d_weights 4"] = [5.0]

    def total(bound):
        import timing

        return timing.weighted_sum(seconds, bound)[0]

    assert total(arithmetic.alternating()) == 2 + 1 + 3 + 0.5 + 0.25
    assert total(arithmetic.simultaneous(False)) == 2 + 1 + 3 + 0.25
    assert total(arithmetic.full(4)) == 5 + 4 * 0.5 + 3 + 4 * 1 + 0.25
    gap = 4 * (2 + 1 + 3) + 0.5 + 0.25
    assert total(arithmetic.duality_gap(3, "sgd", False)) == gap + 3 * 0.125
    assert total(arithmetic.duality_gap(3, "adam", True)) == gap + 0.5 + 3 * 0.25
    measured = 5 * (2 + 1 + 3 + 0.5 + 0.25) + 2 * (2 * 0.5 + 4 * 0.75)
    assert total(arithmetic.measured_gap(5, 2)) == measured


def test_the_step_of_the_guide_is_the_step_of_the_library(benchmarks):
    import keras_guide
    import settings

    setting = settings.settings(quick=True)["dcgan"]
    gan = settings.compiled(kgg.GAN(*setting.make(), seed=3))
    guide = settings.compiled(keras_guide.KerasGuideGAN(*setting.make()))
    latents = []
    guide.draw_latents = lambda number: latents.pop(0)
    for step, real in enumerate(tf.unstack(setting.data(3))):
        stream = randomness.fold(randomness.root(3), step)
        source = labelled_data.source_of(real, None, stream, gan.latent_shape)
        latents += [source(0).examples.latents, source(1).examples.latents]
        expected, got = gan.train_step(real), guide.train_step(real)
        for name in ("d_loss", "g_loss"):
            np.testing.assert_allclose(got[name], expected[name], rtol=1e-5)
    for ours, theirs in (
        (gan.generator, guide.generator),
        (gan.discriminator, guide.discriminator),
    ):
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_figures_go_between_the_marks(benchmarks, tmp_path):
    import performance

    page = tmp_path / "page.md"
    page.write_text(f"before\n{performance.BEGIN}\nold\n{performance.END}\nafter\n")
    performance.write_between_marks(page, "new\n")
    text = page.read_text(encoding="utf-8")
    assert text == f"before\n{performance.BEGIN}\nnew\n{performance.END}\nafter\n"
    page.write_text("a page without marks\n")
    with pytest.raises(ValueError, match="must hold the lines"):
        performance.write_between_marks(page, "new\n")


@pytest.mark.slow
def test_performance_writes_its_table_and_plot(tmp_path):
    output, figures = tmp_path / "page.md", tmp_path / "figures.json"
    finished = subprocess.run(
        [
            sys.executable,
            str(FOLDER / "performance.py"),
            "--quick",
            "--rounds=2",
            f"--output={output}",
            f"--json={figures}",
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    read = json.loads(figures.read_text(encoding="utf-8"))
    assert read["machine"]["threads"] == "2"
    printed = [line for line in finished.stdout.splitlines() if line.startswith("| ")]
    assert len(printed) == 1 + len(read["rows"])
    for row in read["rows"]:
        assert row["ratio"] or row["bound"]
        assert math.isfinite(row["milliseconds"]) and row["milliseconds"] > 0
    text = output.read_text(encoding="utf-8")
    assert all(line in text for line in printed)
    assert "PyTorch is left out" in finished.stdout
    plot = tmp_path / "images" / "page_step_time.png"
    assert plot.stat().st_size > 10_000


@pytest.mark.slow
def test_profile_lists_the_operations(tmp_path):
    command = [sys.executable, str(FOLDER / "performance.py"), "--quick"]
    finished = subprocess.run(
        [*command, f"--profile={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "MatMul" in finished.stdout and "::" not in finished.stdout
    assert len(list(tmp_path.rglob("*.xplane.pb"))) == 12


@pytest.fixture(params=["rates", "best"])
def quality(request):
    """A script of the bench of methods."""
    with scripts.loaded(request.param, folder=FOLDER / "quality") as script:
        yield script


@pytest.mark.parametrize("quality", ["rates"], indirect=True)
@pytest.mark.parametrize(
    "method",
    [
        "GAN + R1 + pace",
        "gap k=1 own Adam u_w",
        "old discriminators + R1",
        "relativistic + R1 + R2 + pace",
        "strong old discriminators",
    ],
)
def test_a_run_of_the_quality_bench(quality, method):
    setting = quality.runs.setting(["width=8"])
    assert setting["width"] == 8 and setting["g_width"] == 32
    task = quality.runs.task("ring", method, 1e-3, 1e-3, 0, 40, setting)
    found = quality.runs.training.train(task)
    assert found["failed"] is None and 0.0 <= found["quality"] < 1.0
    assert not found["good"] and 0.0 <= found["d_accuracy"] <= 1.0
    assert ("mixture" in found) == ("old" in method)
    with pytest.raises(ValueError, match="Received: depth=3"):
        quality.runs.setting(["depth=3"])


def results_by_hand():
    """Two seeds of the baseline and of another method, at two pairs of rates."""
    for method, rate, values in (
        ("GAN + R1", 1e-4, (0.1, 0.3)),
        ("GAN + R1", 1e-3, (0.2, 0.8)),
        ("GAN", 1e-4, (0.5, 0.9)),
        ("GAN", 1e-3, (0.4, 0.3)),
    ):
        for seed, value in enumerate(values):
            result = {"method": method, "problem": "ring", "seed": seed}
            result |= {"g_rate": rate, "d_rate": rate, "quality": value}
            result |= {"good": value > 0.4, "failed": None, "processor_seconds": 2.0}
            yield {**result, "mixture": [4.0, 0.5], "wanted": 8}


def test_tables_of_the_quality_bench(quality):
    results = list(results_by_hand())
    if quality.__name__ == "rates":
        first, *_, last = quality.table(results)[2:]
        row = "| GAN + R1 | 4 | 0.25 | 0.350 ± 0.269 (worst 0.100) |  |  | 0 | 2.0 |"
        assert first == row
        # (0.4 + 0.6 + 0.2 - 0.5) / 4, and the standard error of that mean.
        assert "| +0.175 ± 0.239 | 2, 1 | 0 | 2.0 |" in last
        return
    best = quality.runs.best_rates(results, lambda run: run["quality"])
    assert best == {("ring", "GAN + R1"): (1e-3, 1e-3), ("ring", "GAN"): (1e-4, 1e-4)}
    chosen = [r for r in results if best["ring", r["method"]][0] == r["g_rate"]]
    first, last = quality.table(chosen)[2:]
    start = (
        "| GAN + R1 | 0.001, 0.001 | 2 | 0.5 | 0.500 ± 0.300 (worst 0.200) | 0.250 |"
    )
    assert first == f"{start}  | 0 | 2.0 |"
    # By seed: (0.3 + 0.1) / 2.
    assert "| +0.200 ± 0.100 | 0 | 2.0 |" in last


@pytest.mark.parametrize("quality", ["best"], indirect=True)
def test_at_equal_seconds_a_slow_method_takes_fewer_steps(quality, tmp_path):
    path = tmp_path / "runs.jsonl"
    setting = {"width": 8.0}
    known = []
    for name, seconds, steps in (("GAN + R1", 3.0, 900), ("GAN", 4.5, 600)):
        for seed, length in ((0, 900), (100, steps), (101, steps)):
            task = quality.runs.task("ring", name, 1e-3, 1e-3, seed, length, setting)
            known.append({**task, "quality": 0.5, "processor_seconds": seconds})
    path.write_text("".join(f"{json.dumps(result)}\n" for result in known))
    given = ["--steps=900", "--rates=1e-3", "--fresh_seeds=2", f"--results={path}"]
    scripts.parse(quality, "--methods=GAN + R1,GAN", *given)
    # All are in the file: nothing is run.
    found = quality.runs.tuned(quality.FLAGS, ["ring"], setting, None, equal="seconds")
    assert [each["steps"] for each in found] == [900, 600, 900, 600]
    scripts.parse(quality, "--methods=GAN", *given)
    with pytest.raises(app.UsageError, match=r"'GAN \+ R1', .* Received: \['GAN'\]"):
        quality.runs.tuned(quality.FLAGS, ["ring"], setting, None, equal="seconds")


@pytest.mark.parametrize("quality", ["rates"], indirect=True)
def test_the_strong_are_chosen_and_empty_slots_never(quality):
    import prioritised

    values, stored = tf.constant([0.1, 0.4, 9.0]), tf.constant([0.5, 0.5, 0.0])
    assert int(prioritised.chosen(values, stored, 0)) == 1
    tf.random.set_seed(0)
    drawn = [int(prioritised.chosen(values, stored, 0.3)) for _ in range(500)]
    # exp(0.3 / 0.3) : 1.
    assert np.mean(np.equal(drawn, 1)) == pytest.approx(0.731, abs=0.06)
    assert 2 not in drawn


@pytest.mark.parametrize("quality", ["rates"], indirect=True)
def test_problems_are_standardised_and_their_own_samples_good(quality):
    import problems

    for problem in problems.PROBLEMS.values():
        points = problem.points(5000, seed=0)
        assert np.sqrt(np.mean(points**2)) == pytest.approx(1.0, abs=0.03)
        modes, near = problem.score(points[:2500])
        assert modes == len(problem.centers) and near > 0.98


@pytest.mark.parametrize("quality", ["paces"], indirect=True)
def test_paces_by_hand(quality):
    """Each sixth has a median of its own; a step is no pace."""
    measurements = [(step, float(step), -float(step)) for step in range(18)]
    found = quality.medians(measurements)
    np.testing.assert_array_equal(found[0], [1, 4, 7, 10, 13, 16])
    np.testing.assert_array_equal(found[1], -found[0])
    moved, grown = quality.measure("ring", 1e-3, 120)
    assert moved.shape == (2, 6) and grown.shape == (2,)
    with tfds.testing.mock_data(num_examples=640):
        moved, grown = quality.measure_images(1e-3, 1e-3, 1, quality.LOOK, 80)
    assert moved.shape == (2, 6) and grown.shape == (2,)
    discriminator, generator = kgg.networks.mlp_pair(2, 3, width=4)
    for weight in generator.weights:
        # Biases are none of the kernels.
        weight.assign(tf.fill(weight.shape, -2.0 if weight.ndim > 1 else 7.0))
    sizes = quality.kernel_sizes(kgg.GAN(discriminator, generator))
    assert sizes[0] == pytest.approx(2.0) and 0.0 < sizes[1] < 2.0


@pytest.mark.slow
def test_two_checkouts_are_timed_in_turn():
    here = ["--quick", "--rounds=1", f"--before={FOLDER.parent}"]
    command = [sys.executable, str(FOLDER / "two_trees.py"), *here]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    _, _, *rows = found.stdout.splitlines()
    assert len(rows) == 7 and rows[1].startswith("| GAN | ")
    for row in rows:
        before, after, ratio = row.split(" | ")[1:]
        assert float(before) > 0.0 and float(after) > 0.0
        assert float(ratio.split()[0]) == pytest.approx(
            float(after) / float(before), rel=0.02
        )
    none = subprocess.run(command[:2], capture_output=True, text=True, check=False)
    assert none.returncode == 1 and "Received: None." in none.stdout + none.stderr
