"""The page's list of the files that a train step enters, held against a profiler."""

import pathlib
import re
import sys

import numpy as np
import pytest

import keras_gamegan as kgg

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "extending.md"
PACKAGE = pathlib.Path(kgg.__file__).parent
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the docs are not here")


@pytest.fixture(scope="module", name="section")
def fixture_section():
    text = PAGE.read_text("utf-8")
    return text.partition("## A train step, file by file\n")[2].partition("\n## ")[0]


@pytest.fixture(scope="module", name="entered")
def fixture_entered():
    """Files of ours that a train step of a plain `GAN` enters, in that order."""
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, 4), seed=0)
    gan.compile()
    take, found = gan.train_step, {}

    def note(frame, event, argument):
        path = pathlib.Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in path.parents:
            found.setdefault(path.relative_to(PACKAGE).as_posix())

    def train_step(data):
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            return take(data)
        finally:
            sys.setprofile(before)

    gan.train_step = train_step
    gan.fit(np.zeros((32, 2), "float32"), batch_size=32, verbose=0)
    return list(found)


def test_the_listed_files_are_entered_in_that_order(section, entered):
    listed = re.findall(r"^\d+\. `(\S+\.py)`: ", section, re.MULTILINE)
    assert 0 < len(listed) <= 15
    assert [path for path in entered if path in listed] == listed


def test_every_other_file_is_a_named_helper(section, entered):
    named = re.findall(r"`(\S+\.py)`", section)
    assert sorted(named) == sorted({*named})
    assert sorted(entered) == sorted(named)
    assert f"{len(entered)} files in all" in section
