"""The bench of what the theory says: data, controls, tuning and tables."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from absl import app, flags

from tests import scripts

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "quality"
NAMES = ("small_generators", "cycles", "shifting", "attackers")


@pytest.fixture
def bench(request):
    """A script of the bench, with its flags at their defaults."""
    with scripts.loaded(request.param, define_flags=True, folder=FOLDER) as script:
        scripts.parse(script)
        yield script


def script(name):
    """Parametrises a test by one script."""
    return pytest.mark.parametrize("bench", [name], indirect=True)


def run(bench, method, **changed):
    """Returns a result of 40 steps and the least of networks' luck."""
    task = {"method": method, "g_rate": 1e-3, "d_rate": 1e-3, "seed": 0, "steps": 40}
    return bench.train({**task, **changed})


@pytest.mark.parametrize("bench", NAMES, indirect=True)
def test_an_unknown_method_is_named(bench):
    scripts.parse(bench, "--methods=alternation")
    with pytest.raises(app.UsageError, match=r"must be some of .* \['alternation'\]"):
        bench.main(["script"])
    # A comma would end a name on the command line.
    assert not any("," in name for name in bench.WAYS) and bench.BASELINE in bench.WAYS


@script("cycles")
def test_the_best_pair_of_each_method_is_run_on_fresh_seeds(bench, tmp_path):
    path = tmp_path / "runs.jsonl"
    quality = {(1e-4, 1e-4): 0.2, (1e-4, 1e-3): 0.4, (1e-3, 1e-4): 0.3, (1e-3,) * 2: 0}
    known = [
        {"method": "alternating", "seed": 0, "g_rate": g, "d_rate": d, "quality": value}
        for (g, d), value in quality.items()
    ]
    known += [
        {"method": method, "seed": seed, "g_rate": 1e-4, "d_rate": 1e-3, "quality": 0.5}
        for method in ("alternating", "optimistic")
        for seed in (100, 101)
    ]
    lines = [
        json.dumps({"steps": 5000, "problem": "ring", **result}) for result in known
    ]
    path.write_text(
        "\n".join([*lines, json.dumps({"problem": "another script"})]) + "\n"
    )
    scripts.parse(
        bench,
        f"--results={path}",
        "--methods=alternating,optimistic",
        "--rates=1e-4,1e-3",
        "--fresh_seeds=2",
    )
    # All are in the file: nothing is run.
    taken_over = {"optimistic": "alternating"}
    results = bench.runs.tuned(flags.FLAGS, ["ring"], {}, None, tuned_as=taken_over)
    assert [(each["method"], each["seed"]) for each in results] == [
        ("alternating", 100),
        ("optimistic", 100),
        ("alternating", 101),
        ("optimistic", 101),
    ]


@script("cycles")
def test_the_table_by_hand(bench):
    def result(method, seed, **found):
        common = {"g_rate": 1e-3, "d_rate": 0.1, "failed": None, "processor_seconds": 2}
        return {"method": method, "seed": seed, **common, **found}

    results = [
        result("plain", 0, quality=0.2, lowest=0.1),
        result("plain", 1, quality=0.4, lowest=0.3),
        result("other", 0, quality=0.5),
        result("other", 1, failed="NaN"),
    ]
    columns = {"best": "quality", "least": "lowest"}
    head, rule, plain, other = bench.tuned.table(results, columns, "plain")
    assert head.startswith("| method | rates G, D | n | best | least | best, against ")
    assert head.count("|") == rule.count("|") == plain.count("|") == other.count("|")
    assert plain == (
        "| plain | 0.001, 0.1 | 2 | 0.300 ± 0.100 (worst 0.200) "
        "| 0.200 ± 0.100 (worst 0.100) |  | 0 | 2.0 |"
    )
    # A failure counts as 0: +.3 and -.4.
    assert "| 0.250 ± 0.250 (worst 0.000) |  | -0.050 ± 0.350 | 1 | 2.0 |" in other


@script("small_generators")
def test_what_is_stored_and_not_answered_changes_nothing(bench):
    task = {**bench.training.SETTING, "seed": 3, "g_rate": 1e-3, "d_rate": 1e-3}
    stored = bench.WAYS["one without decay"].method(40, seed=3)
    plain = bench.methods.Method()
    points = bench.problems.PROBLEMS["ring"].points(3000, 0)
    weights = []
    for method in (stored, plain):
        gan = bench.training.model(task, method)
        took = bench.training.fit(gan, bench.training.batches(points, task), 40, [])
        assert took.failed is None
        weights.append(gan.generator.get_weights())
        if method is stored:
            # Every eight steps, the live one among five.
            assert list(gan.generator_bank.member_steps) == [8, 16, 24, 32, 40]
            samples = bench.training.stored_samples(gan)
            assert samples.shape == (bench.problems.SAMPLES, 2)
            newest = gan.sample(500, seed=0)
            assert np.abs(samples[-500:].mean(0) - newest.mean(0)).max() < 0.1
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@script("small_generators")
def test_five_small_generators_have_the_numbers_of_the_large_one(bench):
    small, large = (
        bench.methods.network(8, 2, width, 0).count_params()
        for width in (bench.WIDTH, bench.LARGE)
    )
    assert (small, large) == (162, 807)
    bench.WAYS["two"] = bench.Way(members=2, share=0.5)
    found = run(bench, "two")
    assert found["failed"] is None and 0.0 <= found["quality"] <= 1.0
    assert set(bench.COLUMNS.values()) <= set(found)


@script("cycles")
def test_a_bounded_generator_is(bench):
    rates = {"g_rate": 1e-3, "d_rate": 1e-3}
    task = {**bench.training.SETTING, "seed": 0, "output_scale": 100.0, **rates}
    for bound, at_most in ((0.5, 0.5), (0, np.inf)):
        gan = bench.training.model({**task, "bound": bound}, bench.methods.Method())
        largest = np.abs(gan.sample(200, seed=0)).max()
        assert min(at_most, 1.0) * 0.9 < largest <= at_most


@script("cycles")
def test_a_run_that_is_watched(bench):
    found = run(bench, "old discriminators", steps=400, optimizer="sgd", bound=0.5)
    assert found["failed"] is None and set(bench.COLUMNS.values()) <= set(found)
    assert 0.0 <= found["lowest"] <= found["current"] <= 1.0 and found["swing"] >= 0.0


@script("shifting")
def test_a_phase_shows_its_modes_alone(bench):
    problem = bench.problems.PROBLEMS["ring"]
    for replay in (False, True):
        points = bench.points(problem, 400, 8, seed=0, replay=replay)
        assert points.shape == (3200, 2) and points.dtype == np.float32
        distances = np.linalg.norm(points[:, None] - problem.centers, axis=2)
        phases = np.split(distances.argmin(axis=1), bench.PHASES)
        for phase, nearest in enumerate(phases):
            first = 0 if replay else 2 * phase
            assert set(nearest) == set(range(first, 2 * phase + 2))


@script("shifting")
def test_a_run_on_shifting_data(bench):
    found = run(bench, "old discriminators (reservoir)", steps=80)
    assert found["failed"] is None and set(bench.COLUMNS.values()) <= set(found)


@script("attackers")
def test_a_run_against_attackers(bench, monkeypatch):
    rng = np.random.default_rng(0)
    parts = [
        (rng.uniform(size=(n, 196)).astype("float32"), rng.integers(10, size=n))
        for n in (128, 50, 50)
    ]
    monkeypatch.setattr(bench.digits, "images", lambda data_dir: parts)
    monkeypatch.setattr(bench, "FRESH_STEPS", 10)
    found = run(bench, "old attackers", steps=20)
    assert found["failed"] is None and set(bench.COLUMNS.values()) <= set(found)
    assert found["worst"] <= found["earlier"] and found["quality"] == found["fresh"]


@script("attackers")
def test_perturbations_are_bounded(bench):
    digits = bench.digits
    x = np.random.default_rng(1).uniform(size=(20, 196)).astype("float32")
    y = np.zeros(20, int)
    classifier = digits.network(10, 0)
    changed = digits.ascended(classifier, x, y)
    game = digits.Attacked(digits.EPSILON)
    for each in (changed, game.perturbed(x, 100.0 * tf.ones_like(x))):
        assert np.abs(each - x).max() <= digits.EPSILON + 1e-6
        assert np.min(each) >= 0.0 and np.max(each) <= 1.0
    error = error_of(classifier, changed, y)
    assert error > error_of(classifier, x, y)
    # Half of it on the image, half on its perturbation; none: the error itself.
    none = game.value(classifier, lambda images: 0.0 * images, (x, y))
    assert np.mean(none) == pytest.approx(error_of(classifier, x, y), rel=1e-5)


def error_of(classifier, x, y):
    """Returns the mean cross-entropy, in NumPy."""
    logits = np.asarray(classifier(x), "float64")
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y])
