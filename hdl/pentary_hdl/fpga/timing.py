"""What limits the clock of a placed design: the slowest path from register to register, from nextpnr's report."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class CriticalPath:
    """Slowest path from register to register.

    Attributes:
        ns: its delay, that is the clock period.
        logic_ns: part of it that is in cells; the rest is in the wires.
        cells: look-up tables, carries and others that it goes through between the registers.
        start, end: names of the cells, registers or blocks, where it begins and ends.
        nets: names of the nets along it.
    """

    ns: float
    logic_ns: float
    cells: int
    start: str
    end: str
    nets: list[str]

    def __str__(self) -> str:
        """Return it in words."""
        inside = f"{self.logic_ns:.1f} of them in {self.cells} cells"
        return f"{self.ns:.1f} ns, {inside}, from {self.start} to {self.end}"


def critical_path(report: dict[str, Any]) -> CriticalPath | None:
    """Return the slowest path of a report, or None if there is none from register to register."""
    paths = [
        path["path"]
        for path in report.get("critical_paths", ())
        if all(path[end].startswith(("posedge", "negedge")) for end in ("from", "to"))
    ]
    if not paths:
        return None
    steps = max(paths, key=lambda path: sum(step["delay"] for step in path))
    delays: dict[str, float] = defaultdict(float)
    for step in steps:
        delays[step["type"]] += step["delay"]
    total = sum(delays.values())
    cells = sum(step["type"] == "logic" for step in steps)
    nets = [step["net"] for step in steps if step["type"] == "routing"]
    start, end = steps[0]["from"]["cell"], steps[-1]["to"]["cell"]
    return CriticalPath(total, total - delays["routing"], cells, start, end, nets)


def spread(clocks: Sequence[float]) -> str:
    """Return the clocks that several seeds reach, in words.

    >>> spread([31.26])
    '31.3 MHz reached'
    >>> spread([31, 35.5, 33])
    '31.0 to 35.5 MHz reached with 3 seeds, 33.0 in the median'
    """
    if len(clocks) == 1:
        return f"{clocks[0]:.1f} MHz reached"
    least, most = min(clocks), max(clocks)
    return f"{least:.1f} to {most:.1f} MHz reached with {len(clocks)} seeds, {median(clocks):.1f} in the median"
