"""The page for who extends the library: every block is a program that runs."""

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "extending.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the docs are not here")
TITLES = ("scheme", "retention rule", "payoff", "penalty", "metric", "game")


def blocks():
    text = PAGE.read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_there_is_one_for_each_kind():
    found = re.findall(r"^## A (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert tuple(found) == (*TITLES, "train step, file by file")
    assert len(blocks()) == len(TITLES)


@pytest.mark.parametrize("title", TITLES)
def test_it_runs(title, tmp_path, monkeypatch, capsys):
    program = blocks()[TITLES.index(title)]
    assert len(program.splitlines()) <= 40
    monkeypatch.chdir(tmp_path)
    exec(compile(program, title, "exec"), {"__name__": f"extending_{title}"})
    assert capsys.readouterr().out.strip()
