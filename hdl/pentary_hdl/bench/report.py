"""What a run of the low-rank ALU's bench is to do, and what it tells, as texts for the simulator and from it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

from pentary_hdl.lralu.twin import LowRankParameters


@dataclass(frozen=True)
class Task:
    """What a run is to do.

    Attributes:
        parameters: of the hardware.
        operations: commands that the random case sends at least.
        report: file for the `Report`.
    """

    VARIABLE: ClassVar[str] = "PENTARY_VERIFY_TASK"
    """The environment variable with the task."""

    parameters: LowRankParameters
    operations: int
    report: Path

    def as_json(self) -> str:
        """Give it as text."""
        return json.dumps({**asdict(self), "report": str(self.report)})

    @classmethod
    def from_json(cls, text: str) -> "Task":
        """Read it again."""
        values = json.loads(text)
        return cls(LowRankParameters(**values["parameters"]), values["operations"], Path(values["report"]))


@dataclass
class Report:
    """What a run has found.

    Attributes:
        seed: of the run.
        cases: commands checked, by case.
        differences: what differed first, by case.
        coverage: hit bins and all bins, by group.
        missing: bins that were not hit, a line each.
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

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Report":
        """Read it again."""
        return cls(**json.loads(path.read_text()))
