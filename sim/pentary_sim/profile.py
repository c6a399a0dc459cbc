"""Cycle profiles by label, source line or address.

The first four cycles of a run, in which the pipeline fills, belong to no instruction and appear in no row.
"""

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pentary.asm import disassemble_word
from pentary.isa.program import Program
from pentary.numbers.word import PentaryError
from pentary.runs.plots import BLUE, GREY, as_png, new_figure
from pentary.support.extras import extra
from pentary.support.files import write_whole
from pentary_sim.events import CAUSES

By = Literal["label", "line", "address"]

_ISSUE: Final = CAUSES.index("issue")
_BARS: Final = 15
_FIGURE_SPACE: Final = "\N{FIGURE SPACE}"  # space as wide as a digit

# One hue for each part of the machine, darker for the longer latency.
COLOURS: Final = {
    "issue": BLUE,
    "fill": GREY,
    "flush": "#d55e00",
    "trap": "#a63d00",
    "fetch_l2": "#f0d442",
    "fetch_memory": "#b59410",
    "load_use": "#56b4e9",
    "multiply_use": "#a6d854",
    "unit_result": "#009e73",
    "memory_order": "#8c6d5a",
    "vector_queue": "#e3c6e8",
    "memory_queue": "#c994c7",
    "crossbar_queue": "#a15fae",
    "lowrank_queue": "#6a3d8f",
    "sync": "#444444",
    "execute": "#ef87b5",
    "data_l2": "#f7b267",
    "data_memory": "#c9701a",
    "device": "#7f7f2a",
}
assert tuple(COLOURS) == CAUSES


@dataclass(frozen=True)
class Row:
    """A row of a profile: a group of instructions and their cycles.

    Attributes:
        name: label, FILE:LINE, or address.
        text: source line, or disassembled instruction; "" for a label.
        causes: cycles charged to each of CAUSES, in that order.
    """

    name: str
    text: str
    causes: tuple[int, ...]

    @property
    def cycles(self) -> int:
        """Total number of cycles charged to the row."""
        return sum(self.causes)

    @property
    def instructions(self) -> int:
        """Number of instructions retired; each takes one cycle of `issue`."""
        return self.causes[_ISSUE]

    @property
    def cpi(self) -> float:
        """Cycles per instruction; NaN if none retired."""
        return self.cycles / self.instructions if self.instructions else float("nan")

    @property
    def lost(self) -> dict[str, int]:
        """Cycles by cause other than `issue`, in descending order, without causes of 0 cycles."""
        lost = [(cause, cycles) for cause, cycles in zip(CAUSES, self.causes, strict=True) if cycles]
        return {cause: cycles for cause, cycles in sorted(lost, key=lambda item: -item[1]) if cause != "issue"}


def rows(program: Program, profile: NDArray[np.int64], by: By = "label") -> list[Row]:
    """Group a profile into rows.

    Args:
        program: the program that ran.
        profile: (text, len(CAUSES)) int64, cycles by address and cause.
        by: "label", where an address belongs to the last label at or before it; "line" of the source; or "address".

    Returns:
        The rows with cycles, in descending order of cycles; ties in the order of their addresses.

    Raises:
        PentaryError: `by` is "line", but the program contains no source positions.
    """
    sums: dict[tuple[str, str], NDArray[np.int64]] = {}
    for place, cycles in zip(_places(program, by), profile, strict=True):
        sums[place] = sums.get(place, 0) + cycles
    found = [Row(name, text, tuple(causes.tolist())) for (name, text), causes in sums.items() if causes.any()]
    return sorted(found, key=lambda row: -row.cycles)


def table(program: Program, profile: NDArray[np.int64], by: By = "label", top: int | None = None) -> str:
    """Format a profile as a text table: the total of the program first, then a line for each row.

    Args:
        program, profile, by: as for `rows`.
        top: maximum number of rows before one that sums up all others; None for no maximum.

    Returns:
        The table; every line ends with a newline.

    Raises:
        PentaryError: as for `rows`.
    """
    total = _total(profile)
    lines = [(by, "", "cycles", "share", "instructions", "CPI", "lost, in % of the row's cycles")]
    found = rows(program, profile, by)
    for row in [total, *(found if top is None else _at_most(found, top + 1))]:
        share = f"{row.cycles / max(total.cycles, 1):.1%}"
        name, text = _shortened(row.name, 40), _shortened(row.text, 40)
        lines.append((name, text, f"{row.cycles:,}", share, f"{row.instructions:,}", _cpi(row), _losses(row)))
    names, texts, *numbers, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    out = []
    for name, text, *cells, lost in lines:
        right = (cell.rjust(width) for cell, width in zip(cells, numbers, strict=True))
        left = (cell.ljust(width) for cell, width in ((name, names), (text, texts)) if width)
        out.append("  ".join((*left, *right, lost)).rstrip() + "\n")
    return "".join(out)


def as_json(program: Program, profile: NDArray[np.int64], by: By = "label") -> dict[str, Any]:
    """Return a profile as JSON values: the total, and all rows.

    Args:
        program, profile, by: as for `rows`.

    Raises:
        PentaryError: as for `rows`.
    """

    def values(row: Row) -> dict[str, Any]:
        causes = {cause: cycles for cause, cycles in zip(CAUSES, row.causes, strict=True) if cycles}
        return {"cycles": row.cycles, "instructions": row.instructions, "causes": causes}

    found = [{"name": row.name, "text": row.text, **values(row)} for row in rows(program, profile, by)]
    return {"by": by, **values(_total(profile)), "rows": found}


def picture(path: str | Path, program: Program, profile: NDArray[np.int64], title: str) -> None:
    """Draw a profile by label: a stacked bar by cause for each of the longest rows.

    Args:
        path: PNG file to write.
        program, profile: as for `rows`.
        title: title of the figure; total cycles and CPI are appended.

    Raises:
        PentaryError: the file cannot be written, or the profile is empty.
    """
    with extra("plots", "drawing a picture"):
        drawn = _drawn(program, profile, title)
    write_whole(Path(path), drawn)


def _drawn(program: Program, profile: NDArray[np.int64], title: str) -> bytes:
    from matplotlib.ticker import EngFormatter

    total = _total(profile)
    if not total.cycles:
        raise PentaryError("no instruction has retired, so there is no profile to draw")
    bars = _at_most(rows(program, profile), _BARS)
    present = [cause for cause in COLOURS if total.causes[CAUSES.index(cause)]]
    figure = new_figure(9, 1.4 + 0.34 * len(bars), f"{title}: {total.cycles:,} cycles, CPI {_cpi(total)}")
    axes = figure.subplots()
    places = range(len(bars))
    starts = np.zeros(len(bars))
    for cause in present:
        widths = np.array([bar.causes[CAUSES.index(cause)] for bar in bars])
        axes.barh(places, widths, 0.72, starts, color=COLOURS[cause], label=cause)
        starts += widths
    axes.set_yticks(places, [_shortened(bar.name, 28) for bar in bars], parse_math=False)
    axes.set(xlim=(0, 1.02 * starts.max()), ylim=(len(bars) - 0.5, -0.5), xlabel="cycles")
    notes = axes.secondary_yaxis("right")
    shares = [f"{bar.cycles / total.cycles:6.1%}".replace(" ", _FIGURE_SPACE) for bar in bars]
    notes.set_yticks(places, [f"{share}   CPI {_cpi(bar)}" for share, bar in zip(shares, bars, strict=True)])
    for side in (axes, notes):
        side.tick_params(axis="y", length=0)
        side.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=min(len(present), 6), fontsize="small", frameon=False)
    return as_png(figure)


def _at_most(found: list[Row], most: int) -> list[Row]:
    """Limit a list of rows to `most`, of which the last sums up those left out."""
    rest = found[most - 1 :]
    if len(rest) < 2:
        return found
    causes = tuple(map(sum, zip(*(row.causes for row in rest), strict=True)))
    return [*found[: most - 1], Row(f"{len(rest)} others", "", causes)]


def _total(profile: NDArray[np.int64]) -> Row:
    return Row("total", "", tuple(profile.sum(axis=0).tolist()))


def _places(program: Program, by: By) -> list[tuple[str, str]]:
    if by == "label":
        labels = [label for label in program.labels if program.symbols[label] < program.text]
        starts = [program.symbols[label] for label in labels]
        names = ["(no label)", *labels]
        return [(names[bisect_right(starts, address)], "") for address in range(program.text)]
    if by == "line":
        if not program.sources:
            raise PentaryError("the program does not say where its lines were written; use its labels or addresses")
        return [(f"{source.file}:{source.line}", " ".join(source.text.split())) for source in program.sources]
    names = program.label_names()
    return [
        (str(address), disassemble_word(int(program.image[address]), address, names)) for address in range(program.text)
    ]


def _cpi(row: Row) -> str:
    return f"{row.cycles / row.instructions:.2f}" if row.instructions else "-"


def _losses(row: Row) -> str:
    shares = [(cause, cycles / row.cycles) for cause, cycles in row.lost.items()]
    return ", ".join(f"{cause} {share:.1%}" for cause, share in shares[:3] if share >= 0.001)


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
