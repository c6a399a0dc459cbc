"""Fixtures for the tests of the units that use vector registers."""

import fcntl
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pentary.machine.config import Config, LowRank, Pipeline
from pentary_hdl.crossbar.port import Shape

FULL = Shape()


@pytest.fixture(scope="session")
def programs(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module programs.py."""
    return loaded("hdl/vector/programs.py")


@pytest.fixture(scope="session")
def checked(loaded: Callable[[str], ModuleType], programs: ModuleType) -> Callable[..., Counter[str]]:
    """Return a function that compares a program on the Verilog with the rules and the interpreter.

    Its arguments are instructions, lanes, entries of the queues, and the shape of the crossbar's array; it returns what
    has happened how often.
    """
    harness, comparison = (loaded(f"hdl/vector/{name}.py") for name in ("harness", "comparison"))

    def check(program: Sequence[Any], lanes: int = 16, queue: int = 4, shape: Shape = FULL) -> Counter[str]:
        config = Config(lowrank=LowRank(lanes=lanes), pipeline=Pipeline(queue=queue))
        with (Path(tempfile.gettempdir()) / "pentary-tests-vector.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one of the processes that run tests builds
            harness.build(config, shape)
        times, inputs = programs.schedule(program, config), harness.inputs(config)
        expected = comparison.expect(program, times, config, inputs, shape)
        received = harness.run(config, shape, expected.frames)
        comparison.compare(expected, config, harness.outputs(config), received)
        return expected.coverage

    return check
