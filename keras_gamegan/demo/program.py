"""Runs the demonstration and writes its page."""

import concurrent.futures
import html
import multiprocessing
import os
import pathlib
from collections.abc import Iterator

import keras

from keras_gamegan import optional, validation
from keras_gamegan.demo import pictures, verdict
from keras_gamegan.demo import runs as runs_module
from keras_gamegan.reporting import html_page

_GO_ON = """kgg train my_pngs --output_dir=runs/mine
kgg sample runs/mine --interpolate
kgg report runs/mine"""


def main(
    output_dir: str | os.PathLike = "runs/demo",
    num_seeds: int = 4,
    gradient_evaluations: int = 6_000,
    num_processes: int = 2,
) -> pathlib.Path:
    """Trains the three trainers with and without a penalty, and writes a page.

    A ring of eight Gaussians is learnt with the networks and rates that the literature
    uses for it, every run with the same number of gradient evaluations. The page begins
    with a verdict, which is what these runs measured, whatever it is.

    Args:
        output_dir: Folder of index.html, samples.png and training.gif.
        num_seeds: Seeds of each trainer and regime, >= 1. Default: 4.
        gradient_evaluations: Of each run, >= 100. Default: 6,000.
        num_processes: Processes that train side by side; 0: none but this one.
            Default: 2.

    Returns:
        The path of the page.

    Raises:
        ImportError: If matplotlib is missing.
        ValueError: If a number is out of range.

    Example:
        >>> import inspect
        >>> from keras_gamegan import demo
        >>> inspect.signature(demo.main).parameters["num_seeds"].default
        4
    """
    validation.check_integer("num_seeds", num_seeds)
    validation.check_integer("gradient_evaluations", gradient_evaluations, 100)
    validation.check_integer("num_processes", num_processes, 0)
    optional.load("matplotlib", "examples", "The demonstration")  # Before it trains.
    jobs = [
        (trainer, regime, seed, gradient_evaluations)
        for seed in range(num_seeds)
        for regime in runs_module.REGIMES
        for trainer in runs_module.TRAINERS
    ]
    runs = []
    for run in _all(jobs, num_processes):
        runs.append(run)
        print(
            f"{len(runs):3} of {len(jobs)}  {run.regime:10}  {run.trainer:13}  seed "
            f"{run.seed}: {run.modes} of {runs_module.NUM_MODES} modes, "
            f"{run.seconds:.0f} s",
            flush=True,
        )
    folder = pathlib.Path(output_dir)
    page = write(folder, runs)
    print()
    print("\n".join(verdict.sentences(runs)))
    print(f"\nWrote {page}")
    return page


def _all(jobs: list[tuple], num_processes: int) -> Iterator[runs_module.Run]:
    """Yields the runs, in the order of the jobs."""
    if not num_processes:
        for job in jobs:
            keras.backend.clear_session()
            yield runs_module.train(*job)
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with concurrent.futures.ProcessPoolExecutor(
        num_processes, multiprocessing.get_context("spawn"), _one_core
    ) as pool:
        yield from pool.map(_train, jobs)


def _one_core() -> None:
    """Keeps a process to a core: these networks are too small to share."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _train(job: tuple) -> runs_module.Run:
    keras.backend.clear_session()
    return runs_module.train(*job)


def write(folder: pathlib.Path, runs: list[runs_module.Run]) -> pathlib.Path:
    """Writes pictures and page; returns the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    bare, *others = runs_module.REGIMES
    # The seed in which the plain GAN did worst without a penalty.
    plain = verdict.of("GAN", bare, runs)
    seed = min(plain, key=lambda run: (run.modes, run.near)).seed
    both = pictures.multiples(runs, list(runs_module.REGIMES))
    (folder / "samples.png").write_bytes(both)
    moving = pictures.animation(runs, bare, seed)
    (folder / "training.gif").write_bytes(moving)
    told = "".join(
        f"<p class='verdict'>{html.escape(text)}</p>"
        for text in verdict.sentences(runs)
    )
    number = len({run.seed for run in runs})
    body: list[str] = [
        told,
        f"<p>A ring of {runs_module.NUM_MODES} Gaussians, {number} seeds of each, the "
        "same number of gradient evaluations for all; what is above was computed from "
        "these runs.</p>",
        "<h2>Training without a penalty</h2>",
        html_page.image(moving, "gif", f"The three trainers over seed {seed}", "chart"),
        f"<p>Seed {seed}, in which the plain GAN did worst. Grey: the data.</p>",
    ]
    grids = [
        "<figure>"
        + html_page.image(
            pictures.multiples(runs, [regime]),
            "png",
            f"Samples of every trainer and seed, {regime}",
            "chart",
        )
        + f"<figcaption>{html.escape(regime)}: a column for each seed, above each how "
        "many modes were found</figcaption></figure>"
        for regime in (bare, *others)
    ]
    body += ["<h2>Samples</h2>", f"<div class='grid'>{''.join(grids)}</div>"]
    body += [
        "<h2>In numbers</h2>",
        "<p>Mean ± standard deviation over the seeds, in brackets the worst one.</p>",
        _table(verdict.rows(runs)),
        "<h2>To go on</h2>",
        f"<pre>{html.escape(_GO_ON)}</pre>",
    ]
    page = folder / "index.html"
    title = "Three ways to play the GAN game"
    page.write_text(html_page.page(title, "".join(body)), encoding="utf-8")
    return page


def _table(rows: list[list[str]]) -> str:
    head, *lines = rows
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    text = f"<tr>{cells}</tr>"
    for line in lines:
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in line)
        text += f"<tr>{cells}</tr>"
    return f"<div class='wide'><table>{text}</table></div>"
