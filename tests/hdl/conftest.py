"""Fixtures for the tests of the units beside the pipeline."""

import fcntl
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pentary.machine.config import Config, LowRank, Pipeline

Checked = Callable[..., Counter[str]]


@pytest.fixture(scope="session")
def programs(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module programs.py."""
    return loaded("hdl/units/programs.py")


@pytest.fixture(scope="session")
def checker(loaded: Callable[[str], ModuleType], programs: ModuleType) -> Callable[..., Checked]:
    """Return a function that takes the names of units, and returns one that compares programs with the rules.

    The latter runs them on the Verilog of the units, with a reset before each but the first, and compares values with
    the interpreter. Its arguments are programs, lanes, rounds of a generator in a cycle and entries of the queues; it
    returns what has happened how often.
    """
    harness, comparison = (loaded(f"hdl/units/{name}.py") for name in ("harness", "comparison"))

    def of_units(*units: str) -> Checked:
        def check(*run: Sequence[Any], lanes: int = 16, rounds: int = 1, queue: int = 4) -> Counter[str]:
            config = Config(lowrank=LowRank(lanes, rounds), pipeline=Pipeline(queue=queue))
            with (Path(tempfile.gettempdir()) / "pentary-tests-units.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # one of the processes that run tests builds
                harness.build(config, units)
            expected = [
                comparison.expect(program, programs.schedule(program, config), config, harness.inputs(config, units))
                for program in run
            ]
            found = harness.run(config, units, [each.frames for each in expected])
            for each, received in zip(expected, found, strict=True):
                comparison.compare(each, config, harness.outputs(config, units), received)
            return sum((each.coverage for each in expected), Counter())

        return check

    return of_units
