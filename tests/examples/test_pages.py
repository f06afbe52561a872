"""The examples that draw: they run, print their table and write their pictures."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(script, *arguments):
    """Runs an example in a process of its own; returns what it printed."""
    finished = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *arguments],
        capture_output=True,
        text=True,
        timeout=1800,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


@pytest.mark.slow
def test_the_demo_is_that_of_the_command(tmp_path):
    assert run("demo.py", "--help").startswith("usage: kgg demo")


@pytest.mark.slow
def test_closed_form_games_prints_the_iteration_counts_and_draws(tmp_path):
    printed = run("closed_form_games.py", f"--output_dir={tmp_path}")
    row = next(line for line in printed.splitlines() if line.startswith("duality gap"))
    assert [word for word in row.split() if word.isdigit()][1:6] == [
        "101",
        "312",
        "90",
        "79",
        "104",
    ]
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(pictures) == 9
    assert "finite_support.png" in pictures
