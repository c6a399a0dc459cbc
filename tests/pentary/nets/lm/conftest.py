"""Fixtures for the tests of the language model."""

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def reference(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module reference.py."""
    return loaded("pentary/nets/lm/reference.py")
