"""What the tests of the cycle-level model share."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def timing() -> Callable[[str], None]:
    """`check` of timing.py, which lies beside this file: tests are not packages, so nothing can import it by name."""
    spec = importlib.util.spec_from_file_location("timing", Path(__file__).with_name("timing.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check
