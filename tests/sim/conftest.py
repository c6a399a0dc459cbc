"""Fixtures for the tests of the cycle-level model."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    """Load a module from this folder, which cannot be imported by name since the tests are not packages."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def timing() -> Callable[[str], None]:
    """Return `check` of timing.py."""
    return _load("timing").check


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """Return the module reference_timing.py."""
    return _load("reference_timing")
