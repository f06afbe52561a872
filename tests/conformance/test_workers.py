"""Replica invariance over processes: two and three workers, one run for all rows."""

import numpy as np
import pytest

from tests.conformance import cases, cluster, run_cases

LIMIT = 1800
# Workers -> dtype and tolerance; the command that prints the table measures more.
RUNS = {2: ("float64", 1e-10), 3: ("float32", 1e-5)}


def read(folder, name, dtype):
    with np.load(folder / run_cases.slug(name, dtype)) as file:
        return {key.replace("|", "/"): file[key] for key in file.files}


@pytest.fixture(scope="module", params=RUNS, name="runs")
def fixture_runs(request, tmp_path_factory):
    """Function name -> outcomes of one process and of that many workers."""
    dtype, tolerance = RUNS[request.param]
    alone, together = (
        tmp_path_factory.mktemp(f"{kind}-{request.param}")
        for kind in ("alone", "together")
    )
    run_cases.run(alone, cases.EXACT, [dtype])
    arguments = ["-m", "tests.conformance.run_cases", "--output", together]
    arguments += ["--dtype", dtype, *cases.EXACT]
    logs = together / "logs"
    with cluster.Cluster(request.param, arguments, logs) as started:
        started.check(LIMIT)
    return lambda name: (
        read(alone, name, dtype),
        read(together, name, dtype),
        tolerance,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", cases.EXACT)
def test_workers_equal_one_process(name, runs):
    expected, found, tolerance = runs(name)
    assert cases.compare(expected, found) <= tolerance
