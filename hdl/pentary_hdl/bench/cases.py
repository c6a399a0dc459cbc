"""Cases of a run: cocotb tests that share a bench, and the report of their results."""

import os
from collections.abc import Awaitable, Callable
from functools import cache, wraps
from random import Random
from typing import Any, Protocol, TypeVar

import cocotb

from pentary_hdl.bench.coverage import Coverage
from pentary_hdl.bench.driver import now
from pentary_hdl.bench.lralu_directed import DirectedTraffic
from pentary_hdl.bench.lralu_shared import CheckedModel
from pentary_hdl.bench.report import Report, Task
from pentary_hdl.lralu.twin import LowRankParameters


class AnyBench(Protocol):
    """Interface of a bench that cases use.

    Attributes:
        model: reference model, checked against the oracle.
        coverage: bins of the situations that occurred and were checked.
        operations: number of commands checked so far.
    """

    model: CheckedModel
    coverage: Coverage
    operations: int

    def __init__(self, unit: Any, parameters: LowRankParameters) -> None:
        """Create a bench for a unit with the given parameters."""
        ...

    async def begin(self) -> None:
        """Start the clock, and reset the unit and the model."""
        ...


B = TypeVar("B", bound=AnyBench)


class Run:
    """State shared by the cases of a run; the unit is not power-cycled between cases."""

    def __init__(self, unit: Any, bench: type[AnyBench]) -> None:
        """Create the bench, for the task in the environment."""
        self.task = Task.from_json(os.environ[Task.VARIABLE])
        self.bench = bench(unit, self.task.parameters)
        self.report = Report(cocotb.RANDOM_SEED)

    def tell(self) -> None:
        """Write the report in its present state, so that an aborted simulation leaves one too."""
        coverage = self.bench.coverage
        self.report.coverage, self.report.table = coverage.groups(), coverage.table()
        self.report.missing = [" ".join(map(str, parts)) for parts in coverage.missing]
        self.report.cycles = now()
        self.report.write(self.task.report)


run_of = cache(Run)
"""Returns the run of a unit and a class of benches, which is created on the first call."""


def cases_of(make: type[B]) -> Callable[[Callable[[B, DirectedTraffic], Awaitable[None]]], Any]:
    """Return a decorator that turns a function of a bench and traffic into a cocotb test with a reset and a report."""

    def case_of(body: Callable[[B, DirectedTraffic], Awaitable[None]]) -> Any:
        @wraps(body)
        async def case(unit: Any) -> None:
            run = run_of(unit, make)
            bench: Any = run.bench
            before = bench.operations
            await bench.begin()
            try:
                await body(bench, DirectedTraffic(Random(f"{cocotb.RANDOM_SEED} {body.__name__}"), bench.model))
            except Exception as error:
                run.report.differences[body.__name__] = str(error).partition("\n")[0]
                raise
            finally:
                run.report.cases[body.__name__] = bench.operations - before
                run.tell()

        return cocotb.test(case)

    return case_of


def check_coverage(bench: AnyBench) -> None:
    """Check that every coverage bin has been hit."""
    missing = bench.coverage.missing
    assert not missing, f"{len(missing)} situations never occurred, such as: {' '.join(map(str, missing[0]))}"
