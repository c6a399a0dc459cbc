"""Fixtures for the tests of the vector unit."""

import fcntl
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pentary.machine.config import Config, LowRank, Pipeline


@pytest.fixture(scope="session")
def programs(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module programs.py."""
    return loaded("hdl/vector/programs.py")


@pytest.fixture(scope="session")
def checked(loaded: Callable[[str], ModuleType], programs: ModuleType) -> Callable[..., Counter[str]]:
    """Return a function that compares a program on the Verilog with the rules and the interpreter.

    Its arguments are instructions, lanes and entries of the queue; it returns what has happened how often.
    """
    harness, comparison = (loaded(f"hdl/vector/{name}.py") for name in ("harness", "comparison"))

    def check(program: Sequence[Any], lanes: int = 16, queue: int = 4) -> Counter[str]:
        config = Config(lowrank=LowRank(lanes=lanes), pipeline=Pipeline(queue=queue))
        with (Path(tempfile.gettempdir()) / "pentary-tests-vector.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one of the processes that run tests builds
            harness.build(config)
        expected = comparison.expect(program, programs.schedule(program, config), config, harness.inputs(config))
        comparison.compare(expected, config, harness.outputs(config), harness.run(config, expected.frames))
        return expected.coverage

    return check
