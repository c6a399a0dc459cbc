"""Task and report of a run of a bench, as JSON to and from the process of the simulator."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

from pentary_hdl.lralu.twin import LowRankParameters


@dataclass(frozen=True)
class Task:
    """Task of a run.

    Attributes:
        parameters: parameters of the hardware.
        operations: minimum number of commands in the random case.
        report: path of the file for the `Report`.
    """

    VARIABLE: ClassVar[str] = "PENTARY_VERIFY_TASK"
    """Environment variable that carries the task."""

    parameters: LowRankParameters
    operations: int
    report: Path

    def as_json(self) -> str:
        """Return the task as JSON."""
        return json.dumps({**asdict(self), "report": str(self.report)})

    @classmethod
    def from_json(cls, text: str) -> "Task":
        """Return the task from JSON."""
        values = json.loads(text)
        return cls(LowRankParameters(**values["parameters"]), values["operations"], Path(values["report"]))


@dataclass
class Report:
    """Results of a run.

    Attributes:
        seed: seed of the run.
        cases: number of commands checked, by case.
        differences: first difference, by case.
        coverage: number of bins hit and number of bins, by group.
        missing: bins that were not hit, a line each.
        table: coverage as a table.
        cycles: clock cycles simulated.
    """

    seed: int
    cases: dict[str, int] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, tuple[int, int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    table: str = ""
    cycles: int = 0

    def write(self, path: Path) -> None:
        """Write the report to a file as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Report":
        """Return the report in a file."""
        return cls(**json.loads(path.read_text()))
