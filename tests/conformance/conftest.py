"""Cleans up after every test of the suite."""

import pytest

from tests import memory


@pytest.fixture(autouse=True)
def fixture_forget():
    """Forgets the models of a test when it is over."""
    yield
    memory.forget()
