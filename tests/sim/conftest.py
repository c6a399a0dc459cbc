"""What the tests of the cycle-level model share."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    """Import a module that lies beside this file: tests are not packages, so nothing can import it by name."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def timing() -> Callable[[str], None]:
    """`check` of timing.py."""
    return _load("timing").check


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """Our reference_timing.py."""
    return _load("reference_timing")
