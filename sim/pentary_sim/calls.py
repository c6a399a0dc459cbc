"""Profile by call: the cycles of every chain of subroutines, drawn as a flame graph."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final, Self

import numpy as np

from pentary.isa.encoding import IllegalInstruction, decode
from pentary.isa.program import Program
from pentary.isa.table import CALLS
from pentary.numbers.word import PentaryError
from pentary.runs.plots import new_figure
from pentary.support.extras import extra
from pentary.support.files import write_whole
from pentary_sim.events import Events

_NARROWEST: Final = 0.001  # share of all cycles below which a box is not drawn
_DEEPEST: Final = 60  # levels that are drawn
_CHARACTERS: Final = 110  # that fit across the picture


@dataclass
class Call:
    """A subroutine as it is called from a certain chain of subroutines.

    Attributes:
        name: label of its first instruction, or its address.
        caller: what calls it; None for the program itself.
        cycles: spent in it, without what it calls.
        called: subroutines that it calls, by name.
    """

    name: str
    caller: "Call | None" = None
    cycles: int = 0
    called: dict[str, "Call"] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Cycles spent in it and in all that it calls."""
        return self.cycles + sum(call.total for call in self.called.values())

    def enter(self, name: str) -> "Call":
        """Return the call of a subroutine from here."""
        return self.called.setdefault(name, Call(name, self))

    def chains(self, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield each chain of calls, the program first, with the cycles spent in its last subroutine."""
        chain = (*above, self.name)
        if self.cycles:
            yield chain, self.cycles
        for call in self.called.values():
            yield from call.chains(chain)


class CallProfile:
    """Collects the cycles of a run by chains of calls; used in place of a trace in `pentary_sim.drive.drive`.

    CALL and CALLR enter a subroutine and RET leaves it; their own cycles belong to where they stand. A trap enters its
    handler, which TRET leaves.

    Args:
        program: the program that runs.

    Attributes:
        root: the program, with all that it calls.
        counting: whether cycles are counted; calls are followed in any case.
    """

    def __init__(self, program: Program) -> None:
        """Create an empty profile."""
        self._names = program.label_names()
        self.root = self._present = Call(self._names.get(0, "program"))
        self._called = False  # the next record is the first one of a subroutine
        self.counting = True
        self._turn = np.zeros(program.text, np.int8)  # 1 for a call, -1 for RET
        for pc, word in enumerate(program.image[: program.text].tolist()):
            try:
                decoded = decode(word)
            except IllegalInstruction:
                continue
            if decoded.instruction.name in CALLS:
                self._turn[pc] = 1
            elif decoded.instruction.name in ("RET", "TRET"):
                self._turn[pc] = -1

    def add(self, events: Events) -> Self:
        """Add the records of some instructions, in program order."""
        records = events.records
        trapped = records["fault"] != 0
        pcs, cycles = records["pc"], np.cumsum(np.where(trapped, 0, records["lost"].astype(np.int64) + 1))
        turns = np.where(trapped, 1, self._turn[np.where(trapped, 0, pcs)])
        counted = 0
        if self._called and len(pcs):
            self._enter(int(pcs[0]))
        for place in np.flatnonzero(turns).tolist():
            self._count(int(cycles[place]) - counted)
            counted = int(cycles[place])
            if turns[place] > 0:
                self._called = True
                if place + 1 < len(pcs):
                    self._enter(int(pcs[place + 1]))
            elif self._present.caller is not None:
                self._present = self._present.caller
        if len(cycles):
            self._count(int(cycles[-1]) - counted)
        return self

    def _enter(self, pc: int) -> None:
        self._called = False
        self._present = self._present.enter(self._names.get(pc, str(pc)))

    def _count(self, cycles: int) -> None:
        if self.counting:
            self._present.cycles += cycles


def check_name(path: Path) -> None:
    """Raise PentaryError if `write` does not know what the ending of a file's name stands for."""
    if path.suffix.lower() not in (".svg", ".folded"):
        raise PentaryError(
            f"the ending of {path.name} stands for no profile of calls: use .svg for a flame graph, .folded for the "
            "lines that speedscope and flamegraph.pl read"
        )


def write(path: Path, root: Call, title: str) -> None:
    """Write a profile as a picture (.svg), or as lines of chains and cycles (.folded).

    Args:
        path: of the file.
        root: of the profile.
        title: of the picture.

    Raises:
        PentaryError: the name has another ending, nothing was counted, or the file cannot be written.
    """
    check_name(path)
    if not root.total:
        raise PentaryError("no instruction has retired, so there is no profile of calls")
    if path.suffix.lower() == ".folded":
        write_whole(path, "".join(f"{';'.join(chain)} {cycles}\n" for chain, cycles in root.chains()).encode())
        return
    with extra("plots", "drawing a picture"):
        drawn = _svg(root, title)
    write_whole(path, drawn)


def _svg(root: Call, title: str) -> bytes:
    """Draw a box for each call, as wide as its cycles, above that of its caller."""
    from matplotlib import colormaps, rc_context
    from matplotlib.ticker import EngFormatter

    boxes = list(_boxes(root, 0, 0))
    height = max(level for _, level, _, _ in boxes) + 1
    with rc_context({"svg.hashsalt": "pentary", "svg.fonttype": "none"}):
        figure = new_figure(11, 1.2 + 0.28 * height, f"{title}: {root.total:,} cycles by chain of calls")
        axes = figure.subplots()
        for first, level, width, call in boxes:
            colour = colormaps["YlOrRd"](0.15 + 0.45 * (sum(call.name.encode()) % 17) / 16)
            axes.barh(level, width, 0.94, first, color=colour, edgecolor="white", linewidth=0.5)
            share = width / root.total
            label = f"{call.name}  {share:.1%}"
            if len(label) > share * _CHARACTERS:
                label = call.name
            if len(label) <= share * _CHARACTERS:
                axes.text(first + width / 2, level, label, ha="center", va="center", fontsize=7, parse_math=False)
        axes.set(xlim=(0, root.total), ylim=(-0.5, height - 0.5), yticks=[], xlabel="cycles")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.spines[["top", "left", "right"]].set_visible(False)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _boxes(call: Call, first: int, level: int, whole: int | None = None) -> Iterator[tuple[int, int, int, Call]]:
    total = call.total
    whole = whole or total
    if level >= _DEEPEST or total < _NARROWEST * whole:
        return
    yield first, level, total, call
    for inner in sorted(call.called.values(), key=lambda inner: -inner.total):
        yield from _boxes(inner, first, level + 1, whole)
        first += inner.total
