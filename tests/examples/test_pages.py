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
        timeout=900,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


@pytest.mark.slow
def test_demo_writes_a_page_with_its_pictures_and_table(tmp_path):
    printed = run(
        "demo.py",
        f"--output_dir={tmp_path}",
        "--gradient_evaluations=300",
        "--num_measurements=2",
        "--seeds=2",
    )
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for name in ("samples", "losses", "gap"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        assert f'src="{name}.png"' in page
    for trainer in ("GAN", "DualityGapGAN", "FictitiousGAN"):
        assert f"\n{trainer} " in printed
    assert "mixture" in page
    assert str(tmp_path) in printed


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
