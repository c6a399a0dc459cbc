"""Where a program's cycles go: by label, by line of the source, or by address.

The first four cycles of a run, while the pipeline fills, belong to no instruction, and so to no row here.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pentary.plots import BLUE  # pyright: ignore[reportPrivateUsage]
from pentary.program import Program
from pentary_sim.events import CAUSES

By = Literal["label", "line", "address"]

_ISSUE: Final = CAUSES.index("issue")
_BARS: Final = 15
_WIDEST: Final = 40  # characters of a name or a line

# One hue for each part of the machine, the darker shade for the longer way; issue is work done, not lost.
_COLOURS: Final = {
    "issue": BLUE,
    "flush": "#d55e00",
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
}


@dataclass(frozen=True)
class Row:
    """The cycles of some instructions.

    Attributes:
        name: the label, the place in the source, or the address.
        text: the line of the source, the instruction; "" for a label.
        cycles: charged to them.
        instructions: how many of them retired.
        lost: cycles other than `issue` by cause, the greatest first, without those that took none.
    """

    name: str
    text: str
    cycles: int
    instructions: int
    lost: dict[str, int]

    @property
    def cpi(self) -> float:
        """Cycles per instruction; NaN if none retired."""
        return self.cycles / self.instructions if self.instructions else float("nan")


def rows(program: Program, profile: NDArray[np.int64], by: By = "label") -> list[Row]:
    """Add up a profile.

    Args:
        program: what ran.
        profile: (text, len(CAUSES)) int64, cycles by address and cause.
        by: "label", where an address belongs to the last label at or before it; "line" of the source; or "address".

    Returns:
        The rows that took cycles, the longest first, those of equal length in the order of their addresses.

    Raises:
        PentaryError: by line, but the program does not say where its instructions were written.
    """
    groups: dict[tuple[str, str], NDArray[np.int64]] = {}
    for place, cycles in zip(_places(program, by), profile, strict=True):
        groups[place] = groups.get(place, 0) + cycles
    found = [_row(name, text, cycles) for (name, text), cycles in groups.items()]
    return sorted((row for row in found if row.cycles), key=lambda row: -row.cycles)


def table(program: Program, profile: NDArray[np.int64], by: By = "label") -> str:
    """Describe a profile as text: a line for each row, that of the whole program first.

    Args:
        program, profile, by: as for `rows`.

    Returns:
        Lines, each ended.

    Raises:
        PentaryError: as `rows` does.
    """
    total = _row("total", "", profile.sum(axis=0))
    lines = [(by, "", "cycles", "share", "instructions", "CPI", "lost, in % of the row's cycles")]
    for row in [total, *rows(program, profile, by)]:
        lost = [f"{cause} {count / row.cycles:.1%}" for cause, count in row.lost.items()]
        share = f"{row.cycles / max(total.cycles, 1):.1%}"
        name, text = _shortened(row.name), _shortened(row.text)
        lines.append((name, text, f"{row.cycles:,}", share, f"{row.instructions:,}", _cpi(row), ", ".join(lost[:3])))
    names, texts, *numbers, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    out = []
    for name, text, *cells, lost in lines:
        right = (cell.rjust(width) for cell, width in zip(cells, numbers, strict=True))
        left = (cell.ljust(width) for cell, width in ((name, names), (text, texts)) if width)
        out.append("  ".join((*left, *right, lost)).rstrip() + "\n")
    return "".join(out)


def picture(path: str | Path, program: Program, profile: NDArray[np.int64], title: str) -> None:
    """Draw a profile by label: a bar for each of the longest, in pieces by cause.

    Args:
        path: PNG file to write.
        program, profile: as for `rows`.
        title: what ran; total and CPI are written behind it.

    Raises:
        PentaryError: the file cannot be written.
    """
    try:
        Path(path).write_bytes(_drawn(program, profile, title))
    except OSError as error:
        raise PentaryError(f"cannot write the picture {path}: {error.strerror}") from None


def _drawn(program: Program, profile: NDArray[np.int64], title: str) -> bytes:
    from matplotlib.ticker import EngFormatter

    total = _row("total", "", profile.sum(axis=0))
    bars = rows(program, profile)
    if len(bars) > _BARS:
        rest = bars[_BARS - 1 :]
        bars[_BARS - 1 :] = [_sum(f"{len(rest)} others", rest)]
    figure = _figure(9, 1.9 + 0.34 * max(len(bars), 4), f"{title}: {total.cycles:,} cycles, CPI {_cpi(total)}")
    axes = figure.subplots()
    names = [_shortened(bar.name) for bar in bars]
    places = range(len(bars))
    starts = np.zeros(len(bars))
    for cause, colour in _COLOURS.items():
        widths = np.array([bar.instructions if cause == "issue" else bar.lost.get(cause, 0) for bar in bars])
        if widths.any():
            axes.barh(places, widths, left=starts, height=0.72, color=colour, label=cause)
            starts += widths
    for place, bar in zip(places, bars, strict=True):
        note = f"{bar.cycles / total.cycles:.1%}, CPI {_cpi(bar)}"
        axes.annotate(note, (bar.cycles, place), (5, 0), textcoords="offset points", va="center", fontsize="small")
    axes.set_yticks(places, names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("cycles")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.16)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    return _png(figure)


def _row(name: str, text: str, cycles: NDArray[np.int64]) -> Row:
    lost = {cause: count for cause, count in zip(CAUSES, cycles.tolist(), strict=True) if count and cause != "issue"}
    ordered = dict(sorted(lost.items(), key=lambda item: -item[1]))
    return Row(name, text, int(cycles.sum()), int(cycles[CAUSES.index("issue")]), ordered)


def _places(program: Program, by: By) -> list[tuple[str, str]]:
    if by == "label":
        labels = [label for label in program.labels if program.symbols[label] < program.text]
        starts = [program.symbols[label] for label in labels]
        names = ["(no label)", *labels]
        return [(names[bisect_right(starts, address)], "") for address in range(program.text)]
    if by == "line":
        if not program.sources:
            raise PentaryError("the program does not say where its lines were written; use its labels or addresses")
        return [(f"{source.file}:{source.line}", source.text.strip()) for source in program.sources]
    names = {program.symbols[label]: label for label in reversed(program.labels)}
    return [
        (str(address), disassemble_word(int(program.image[address]), address, names)) for address in range(program.text)
    ]


def _cpi(row: Row) -> str:
    return f"{row.cycles / row.instructions:.2f}" if row.instructions else "-"


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
