"""Fixtures for the tests of the cycle-level model."""

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def timing(loaded: Callable[[str], ModuleType]) -> Callable[[str], None]:
    """Return `check` of timing.py."""
    return loaded("sim/timing.py").check


@pytest.fixture(scope="session")
def reference(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module reference_timing.py."""
    return loaded("sim/reference_timing.py")


@pytest.fixture(scope="session")
def lockstep(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module lockstep.py."""
    return loaded("sim/lockstep.py")
