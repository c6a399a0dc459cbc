"""Fixtures for the tests of the package."""

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def cast(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module cast.py, of workers that behave as a test says."""
    return loaded("pentary/distributed/cast.py")
