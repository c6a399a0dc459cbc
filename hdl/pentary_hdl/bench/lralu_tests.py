"""Tests of the low-rank ALU, run by cocotb: each a case of `pentary verify`."""

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any, Final

import cocotb

from pentary.lralu import LowRankParameters, command
from pentary_hdl.bench.lralu_bench import Bench
from pentary_hdl.bench.lralu_coverage import ERROR, IDLE, STALLS, column_classes, rank_classes
from pentary_hdl.bench.lralu_sums import KEY, rows_of_sums
from pentary_hdl.bench.lralu_traffic import Traffic

TASK: Final = "PENTARY_LRALU_TASK"
"""Environment variable with the task of the run: a `Task` as JSON."""


@dataclass(frozen=True)
class Task:
    """What a run is to do.

    Attributes:
        parameters: of the hardware.
        operations: commands to send at least.
        report: file for the `Report`.
    """

    parameters: LowRankParameters
    operations: int
    report: str

    def as_json(self) -> str:
        """Give the text for `TASK`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Task":
        """Read it again."""
        values = json.loads(text)
        return cls(LowRankParameters(**values["parameters"]), values["operations"], values["report"])


@dataclass
class Report:
    """What a run has found.

    Attributes:
        seed: of the run.
        cases: commands checked in each case.
        differences: by case, what differed first.
        coverage: hit bins and all bins, by group.
        missing: bins that were not hit.
        table: the coverage as a table.
        cycles: of the clock.
    """

    seed: int
    cases: dict[str, int] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, tuple[int, int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    table: str = ""
    cycles: int = 0
