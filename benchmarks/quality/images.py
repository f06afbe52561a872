"""Each method at the learning rates that suit it best, on images: modes and distances.

    python benchmarks/quality/images.py --problems="stacked 14"

As `best.py`, whose tuning and flags these are, with small convolutional networks. On
Stacked MNIST 26,000 samples are classified: the modes found of 1,000, and KL(p || u) of
their shares, in nats. On all images the Fréchet distance of 10,000 samples from the
test split, in the features of a classifier, which is trained first, in a minute, and
kept. All are of the better of live and averaged generator; less is better, but of
modes.
"""

import functools
import math
import pathlib

import image_problems
import image_runs
import methods
import numpy as np
import runs
from absl import app, flags

METHODS = (
    "GAN no decay",
    "GAN",
    "GAN + R1 no decay",
    "GAN + R1",
    "relativistic + R1 + R2",
    "old discriminators",
    "old discriminators + R1",
    "FictitiousGAN by itself",
    "FictitiousGAN by itself + R1",
    "gap k=1 own Adam u_w",
    "gap k=1 own Adam u_w + R1",
    "GAN + pace",
    "GAN + R1 + pace",
)
# Name of a number -> its heading, decimals, and which of many is the worst.
MEASURES = {
    "modes": ("modes", 0, min),
    "reverse_kl": ("KL", 3, max),
    "fid": ("FID", 1, max),
}

FLAGS = flags.FLAGS
runs.define_flags(
    ["stacked 14"],
    ["5e-4:5e-4", "1e-3:1e-3", "3e-3:3e-3", "6e-3:6e-3"],
    METHODS,
    1500,
    "build/quality/images.jsonl",
    image_runs.SETTING,
)
runs.define_tuning_flags(5)
runs.define_equal_flag()
flags.adopt_module_key_flags(runs)
about = "Folder of TFDS data sets, default: TFDS's; and of the folder sprites."
flags.DEFINE_string("data_dir", None, about)


def rank(result):
    """Returns what tuning makes as large as it can; minus infinity of a failed run."""
    score = image_runs.best_source(result)
    measure = image_problems.PROBLEMS[result["problem"]].measure
    return -math.inf if score is None else -score[measure]


def table(results):
    """Returns the lines of a Markdown table of one problem.

    Runs that failed are counted, and are in no other number.
    """
    measure = image_problems.PROBLEMS[results[0]["problem"]].measure
    by_method = {}
    for result in results:
        by_method.setdefault(result["method"], {})[result["seed"]] = result
    scores = {
        name: {
            seed: score
            for seed, run in of_method.items()
            if (score := image_runs.best_source(run)) is not None
        }
        for name, of_method in by_method.items()
    }
    shown = [
        name
        for name in MEASURES
        if any(name in score for each in scores.values() for score in each.values())
    ]
    headings = [MEASURES[name][0] for name in shown]
    against = f"{MEASURES[measure][0]} against {methods.BASELINE}"
    columns = ["method", "rates G, D", "n", *headings, "of the mixture", against]
    columns += ["failed", "seconds"]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    baseline = scores.get(methods.BASELINE, {})
    for name, of_method in by_method.items():
        each, score = list(of_method.values()), scores[name]
        numbers = [
            runs.summary([one[key] for one in score.values()], *MEASURES[key][1:])
            if score
            else ""
            for key in shown
        ]
        mixed = [
            run["sources"]["mixture"][measure]
            for run in each
            if "mixture" in run["sources"]
        ]
        pairs = [
            (score[seed][measure], baseline[seed][measure])
            for seed in score
            if seed in baseline
        ]
        compared = len(pairs) > 1 and name != methods.BASELINE
        cells = [
            name,
            f"{each[0]['g_rate']:g}, {each[0]['d_rate']:g}",
            len(each),
            *numbers,
            f"{np.mean(mixed):.{MEASURES[measure][1]}f}" if mixed else "",
            runs.gain(pairs, MEASURES[measure][1]) if compared else "",
            sum(run["failed"] is not None for run in each),
            f"{np.mean([run['processor_seconds'] for run in each]):.0f}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def about_judge(name, folder, data_dir):
    """Returns a line on the judge of a problem: what it says of real images."""
    problem = image_problems.PROBLEMS[name]
    judge = image_problems.judge_of(name, folder, data_dir)
    line = f"Accuracy of the classifier: {judge.accuracy:.4f}."
    data = problem.dataset("train", 1000, data_dir)
    number = image_problems.MODE_SAMPLES
    if not problem.stacked:
        number = image_problems.DISTANCE_SAMPLES
    real = np.concatenate(list(data.take(number // 1000)))
    score = problem.score(real, judge)
    said = [
        f"{MEASURES[key][0]} {value:.{MEASURES[key][1]}f}"
        for key, value in score.items()
    ]
    return f"{line} Of {len(real)} training images: {', '.join(said)}."


def main(argv):
    """Trains the classifiers, tunes, runs the fresh seeds, and prints the tables."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    runs.check_names("problems", FLAGS.problems, image_problems.PROBLEMS)
    known = methods.methods_of_images(image_runs.SETTING["weight"])
    runs.check_names("methods", FLAGS.methods, known)
    path = pathlib.Path(FLAGS.results)
    setting = runs.setting(FLAGS.change, image_runs.SETTING)
    place = {"folder": str(path.parent / "classifiers"), "data_dir": FLAGS.data_dir}
    for problem in FLAGS.problems:
        image_problems.train_classifier(image_problems.PROBLEMS[problem], **place)
    train = functools.partial(image_runs.train, **place)
    results = runs.tuned(FLAGS, FLAGS.problems, setting, train, rank, equal=FLAGS.equal)
    for problem in FLAGS.problems:
        print(f"\n{problem}. {about_judge(problem, **place)}\n")
        print("\n".join(table([run for run in results if run["problem"] == problem])))


if __name__ == "__main__":
    app.run(main)
