"""Replica invariance over processes: two and three workers, one run for all rows."""

import numpy as np
import pytest

from tests.conformance import cases, cluster, run_cases

LIMIT = 1800


def read(folder, name):
    with np.load(folder / run_cases.slug(name, "float64")) as file:
        return {key.replace("|", "/"): file[key] for key in file.files}


@pytest.fixture(scope="module", name="alone")
def fixture_alone(tmp_path_factory):
    """Folder of the outcomes of one process."""
    folder = tmp_path_factory.mktemp("alone")
    run_cases.run(folder, cases.EXACT)
    return folder


@pytest.fixture(scope="module", params=[2, 3], name="together")
def fixture_together(request, tmp_path_factory):
    """Folder of the outcomes of that many workers."""
    folder = tmp_path_factory.mktemp(f"together-{request.param}")
    arguments = ["-m", "tests.conformance.run_cases", "--output", folder]
    started = cluster.Cluster(
        request.param, [*arguments, *cases.EXACT], folder / "logs"
    )
    with started:
        started.check(LIMIT)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", cases.EXACT)
def test_workers_equal_one_process(name, alone, together):
    expected, found = read(alone, name), read(together, name)
    for is_log, tolerance in ((True, 1e-6), (False, 1e-10)):
        left, right = (
            {k: v for k, v in run.items() if k.startswith("log") == is_log}
            for run in (expected, found)
        )
        gap, where = cases.difference(left, right)
        assert gap <= tolerance, where
