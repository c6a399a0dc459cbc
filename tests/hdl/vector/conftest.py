"""Fixtures for the tests of the vector unit."""

from collections import Counter
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def checked(checker: Callable[..., Callable[..., Counter[str]]]) -> Callable[..., Counter[str]]:
    """Return the function that compares programs of the vector unit with the rules."""
    return checker("vector")
