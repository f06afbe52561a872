"""Replica invariance over processes: two and three workers, one run for all rows."""

import functools

import numpy as np
import pytest

from tests.conformance import cases, cluster, outcomes, run_cases

LIMIT = 1800
# Workers -> a third of the rows, dtype and tolerance; the command that prints the table
# measures all.
RUNS = {
    2: (cases.EXACT[2::3], "float64", 1e-10),
    3: (cases.EXACT_FLOAT32[1::3], "float32", 1e-5),
}
CELLS = [(workers, name) for workers, (names, *_) in RUNS.items() for name in names]


def read(folder, name, dtype):
    with np.load(folder / run_cases.slug(name, dtype)) as file:
        return {key.replace("|", "/"): file[key] for key in file.files}


@pytest.fixture(scope="module", name="run")
def fixture_run(tmp_path_factory):
    """Function workers -> folders of the outcomes of one process and of that many."""

    @functools.cache
    def run(workers):
        names, dtype, _ = RUNS[workers]
        alone, together = (
            tmp_path_factory.mktemp(f"{kind}-{workers}") for kind in ("one", "several")
        )
        run_cases.run(alone, names, [dtype])
        arguments = ["-m", "tests.conformance.run_cases", "--output", together]
        arguments += ["--dtype", dtype, *names]
        with cluster.Cluster(workers, arguments, together / "logs") as started:
            started.check(LIMIT)
        return alone, together

    return run


@pytest.mark.slow
@pytest.mark.parametrize("workers, name", CELLS)
def test_workers_equal_one_process(workers, name, run):
    _, dtype, tolerance = RUNS[workers]
    expected, found = (read(folder, name, dtype) for folder in run(workers))
    assert outcomes.compare(expected, found) <= tolerance
