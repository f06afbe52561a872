"""The example of the three sources: it runs, prints its table and draws."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_sampling_sources_prints_its_table_and_draws(tmp_path):
    finished = subprocess.run(
        [
            sys.executable,
            str(ROOT / "examples" / "sampling_sources.py"),
            f"--output_dir={tmp_path}",
            "--seeds=2",
            "--steps=12",
            "--interval=3",
            "--capacity=3",
            "--rounds=200",
        ],
        capture_output=True,
        text=True,
        timeout=1800,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    for name in ("finite_support", "ring", "payoffs"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    runs = json.loads((tmp_path / "ring.json").read_text(encoding="utf-8"))
    rows = [row for row in finished.stdout.splitlines() if row.startswith("| ")]
    assert len(rows) == 1 + 3 * len(runs)
    for name, seeds in runs.items():
        assert len(seeds) == 2
        for source in ("current", "average", "mixture"):
            modes = [run[source]["modes"] for run in seeds]
            (row,) = (r for r in rows if r.startswith(f"| {name} | {source} |"))
            assert f"({min(modes):.1f})" in row.split("|")[3]
    # In function space the theorem can be seen: the mixture is near, the live is not.
    words = next(line for line in finished.stdout.splitlines() if "round 200" in line)
    mixture, live = (float(part.split(" ")[-1]) for part in words.split(", ")[-2:])
    assert mixture < 0.05 < 0.5 < live
