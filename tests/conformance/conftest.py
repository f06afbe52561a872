"""Cleans up after every test of the suite."""

import pytest

from tests.conformance import properties


@pytest.fixture(autouse=True)
def fixture_forget():
    """Forgets the models of a test when it is over."""
    yield
    properties.forget()
