"""The bench of methods on images: its table, its judge, a short run. No real data."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tests import scripts

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "quality"


@pytest.fixture(name="bench")
def fixture_bench():
    with scripts.loaded("images", folder=FOLDER) as script:
        yield script


def by_hand(method, seed, rate, modes, divergence, **more):
    score = {"modes": modes, "reverse_kl": divergence, "fid": 10.0 * divergence}
    worse = {"modes": modes + 5.0, "reverse_kl": divergence + 1.0, "fid": 1.0}
    return {
        "problem": "stacked 14",
        "method": method,
        "seed": seed,
        "g_rate": rate,
        "d_rate": rate,
        "failed": None,
        "processor_seconds": 20.0,
        "sources": {"current": worse, "average": score, **more},
    }


def test_the_table_shows_the_better_source_and_counts_failures(bench):
    mixture = {"modes": 990.0, "reverse_kl": 0.25, "fid": 2.0}
    results = [
        by_hand("GAN + R1", 100, 1e-3, 900.0, 0.5),
        by_hand("GAN + R1", 101, 1e-3, 800.0, 0.7),
        by_hand("old discriminators", 100, 1e-3, 950.0, 0.3, mixture=mixture),
        by_hand("old discriminators", 101, 1e-3, 850.0, 0.6),
        {**by_hand("old discriminators", 102, 1e-3, 0, 0), "sources": {}}
        | {"failed": "NaN"},
    ]
    head, _, first, last = bench.table(results)
    assert head.startswith("| method | rates G, D | n | modes | KL | FID |")
    assert first == (
        "| GAN + R1 | 0.001, 0.001 | 2 | 850 ± 50 (worst 800) "
        "| 0.600 ± 0.100 (worst 0.700) | 6.0 ± 1.0 (worst 7.0) |  |  | 0 | 20 |"
    )
    # The run that failed has no seed in common with the baseline, nor a number.
    assert "| 3 | 900 ± 50 (worst 850) | 0.450 ± 0.150 (worst 0.600) |" in last
    assert last.endswith("| 0.250 | -0.150 ± 0.050 | 1 | 20 |")


def test_a_method_whose_runs_all_failed_has_a_row(bench):
    failed = {**by_hand("GAN", 100, 1e-3, 0, 0), "sources": {}, "failed": "NaN"}
    *_, last = bench.table([by_hand("GAN + R1", 100, 1e-3, 900.0, 0.5), failed])
    assert last == "| GAN | 0.001, 0.001 | 1 |  |  |  |  |  | 1 | 20 |"


def test_tuning_takes_the_lowest_divergence_and_no_failure(bench):
    results = [
        by_hand("GAN", 0, 1e-4, 990.0, 0.5),
        by_hand("GAN", 0, 1e-3, 900.0, 0.4),
        {**by_hand("GAN", 0, 1e-2, 0, 0), "sources": {}, "failed": "NaN"},
    ]
    best = bench.runs.best_rates(results, bench.rank)
    assert best == {("stacked 14", "GAN"): (1e-3, 1e-3)}


def test_results_of_other_settings_are_not_taken(bench, tmp_path):
    path = tmp_path / "results.jsonl"
    task = bench.runs.task("mnist", "GAN", 1e-3, 1e-3, 0, 100, {"width": 4})
    path.write_text('{"problem": "mnist", "method": "GAN", "seed": 0}\n')
    (found,) = bench.runs.run([task], path, 1, _as_it_is)
    assert found == {**task, "came": "here"}
    # Now that the file has it, nothing is run.
    assert bench.runs.run([task], path, 1, None) == [found]


def _as_it_is(task):
    return {**task, "came": "here"}


def test_rates_are_all_pairs_or_pairs_themselves(bench):
    def rates(given):
        tasks = bench.runs.grid(["mnist"], ["GAN"], given, [0], 100, {})
        return [(task["g_rate"], task["d_rate"]) for task in tasks]

    assert rates(["1", "2"]) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert rates(["1:2", "3:3"]) == [(1, 2), (3, 3)]


@pytest.mark.parametrize("name", ["stacked 14", "stacked 28", "fashion", "sprites"])
def test_networks_fit_the_images(bench, name):
    problem = bench.image_problems.PROBLEMS[name]
    networks = bench.image_runs.image_networks
    generator = networks.generator(problem.image_shape, 8, 4, seed=0)
    assert generator.output_shape == (None, *problem.image_shape)
    for spectral in (False, True):
        judge = networks.discriminator(problem.image_shape, 4, 0, spectral)
        assert judge.input_shape == generator.output_shape
        assert judge.output_shape == (None, 1)
    one, other = (networks.generator((28, 28, 1), 8, 4, seed) for seed in (1, 1))
    np.testing.assert_array_equal(one.layers[1].kernel, other.layers[1].kernel)


@pytest.mark.parametrize(
    ("name", "method"),
    [("stacked 14", "old discriminators + R1"), ("fashion", "GAN + R1 + pace")],
)
def test_a_run_of_a_few_steps_is_judged(bench, name, method, tmp_path, monkeypatch):
    monkeypatch.setattr(bench.image_problems, "MODE_SAMPLES", 1200)
    monkeypatch.setattr(bench.image_problems, "DISTANCE_SAMPLES", 1000)
    place = {"folder": str(tmp_path)}
    setting = bench.runs.setting(["width=4", "batch_size=32"], bench.image_runs.SETTING)
    task = bench.runs.task(name, method, 1e-3, 1e-3, 0, 20, setting)
    with tfds.testing.mock_data(num_examples=1000):
        problem = bench.image_problems.PROBLEMS[name]
        bench.image_problems.train_classifier(problem, **place)
        found = bench.image_runs.train(task, **place)
    assert found["failed"] is None and 0.0 <= found["d_accuracy"] <= 1.0
    assert set(found["sources"]) == {"current", "average"} | (
        {"mixture"} if "old" in method else set()
    )
    for score in found["sources"].values():
        assert score["fid"] > 0.0
        assert ("modes" in score) == problem.stacked
    best = bench.image_runs.best_source(found)
    assert best in (found["sources"]["current"], found["sources"]["average"])


def test_channels_and_labels_of_a_stack_go_together(bench):
    problem = bench.image_problems.PROBLEMS["stacked 14"]
    digits = np.array([[1, 2, 3], [4, 5, 6]])
    images = np.broadcast_to(digits[:, None, None], (2, 14, 14, 3))
    single, classes = problem.single(images, digits @ [100, 10, 1])
    np.testing.assert_array_equal(single[:, 0, 0, 0], classes)
    assert single.shape == (6, 14, 14, 1)


def test_every_fifth_file_is_for_the_test(bench, tmp_path):
    for number in range(25):
        path = tmp_path / "sprites" / ("ab"[number // 20]) / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((32, 32, 3), 10 * number, np.uint8)
        path.write_bytes(tf.io.encode_png(pixels).numpy())
    problem = bench.image_problems.PROBLEMS["sprites"]

    def found(split):
        data = problem.dataset(split, 5, str(tmp_path), with_labels=True)
        images, labels = map(np.concatenate, zip(*data, strict=True))
        assert images.shape[1:] == problem.image_shape
        order = np.argsort(images[:, 0, 0, 0])
        values = (images[order, 0, 0, 0] + 1.0) * 12.75
        return np.round(values).tolist(), labels[order].tolist()

    tested = [0, 5, 10, 15, 20]
    assert found("test") == (tested, [0, 0, 0, 0, 1])
    trained = [number for number in range(25) if number not in tested]
    assert found("train") == (trained, [0] * 16 + [1] * 4)


@pytest.mark.parametrize("pace", ["", " + pace"])
@pytest.mark.parametrize("how", ["DiffAugment", "Adaptive"])
def test_augmentation_is_added_to_the_baseline(bench, how, pace):
    known = bench.methods.methods_of_images(0.5)
    method = known[f"GAN + R1 + {how}{pace}"]
    assert type(method.model()["augment"]).__name__ == how
    assert method.compile()["penalty"].weight == 0.5
    assert len(method.callbacks()) == (2 if pace else 1)
    # A layer belongs to one model.
    assert method.model()["augment"] is not method.model()["augment"]


def test_names_that_are_none_are_refused(bench):
    for flag in ("--problems=ring", "--methods=magic", "--change=depth=3"):
        with pytest.raises((bench.app.UsageError, ValueError), match="Received"):
            scripts.run(bench, flag)
