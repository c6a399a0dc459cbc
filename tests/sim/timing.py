"""Pipeline diagrams as tests: a drawing contains a program and its expected timing.

    pipeline.queue = 1
    cycle             |  0  1  2  3  4  5  6  7  8  9 10 11
    0 MUL p1, p2, p3  | IF ID EX ME WB
    1 VGET p4, v1, p1 |    IF ID -- -- -- EX ME WB | multiply_use 3
    vector            |                      == --
    2 HALT            |       IF -- -- -- ID -- -- EX ME WB | sync 2
    vector_busy_cycles = 1

Settings of the machine come first, expected counts last. A row contains an address and its instruction, the cycles in
which it enters each stage (-- while it stays), and the causes of its lost cycles. A unit's row belongs to the
instruction above, which occupies the unit in the cycles marked ==; its result is available after the last --.

Rows are in the order of execution; an instruction that runs twice has two. Addresses without a row contain NOPs that
are never executed. Address n has the label Ln. A column headed .. stands for several cycles in which nothing begins or
ends; another line of cycles sets the columns for the rows below it. The run ends with HALT, or after the last row if
that is another instruction.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from pentary.asm import assemble_text
from pentary.isa.program import Program
from pentary.isa.table import BY_NAME
from pentary.machine.config import Config
from pentary_sim.events import CAUSES, NONE, UNITS
from pentary_sim.simulator import Simulator

STAGES: Final = ("IF", "ID", "EX", "ME", "WB")
FIELDS: Final = ("fetch", "decode", "execute", "memory", "writeback")
DEFAULTS: Final = {
    **{"l2.latency": "0", "memory.latency": "0", "memory.words": "15625", "predictor.returns": "0"},
    **{"icache.latency": "1", "dcache.latency": "1", "dcache.beat": "625", "l2.beat": "625", "memory.beat": "625"},
}
"""Default settings of a diagram: no cost of misses, lines moved in a cycle, no return-address stack."""

_WIDTH: Final = 108  # maximum width of a drawing in characters


@dataclass(frozen=True)
class Row:
    """One executed instruction.

    Attributes:
        address: address of the instruction.
        text: the instruction in assembly language.
        stages: cycles in which it enters the five stages.
        unit: name of the unit that executes it beside the pipeline, with start, free and done; empty for none.
        lost: lost cycles charged to it, by cause.
    """

    address: int
    text: str
    stages: tuple[int, ...]
    unit: tuple[str, int, int, int] | tuple[()] = ()
    lost: dict[str, int] = field(default_factory=dict)


@dataclass
class Diagram:
    """A parsed drawing: settings by name as TOML, rows, and the counts expected after the run."""

    settings: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def mispredicted(self) -> list[bool]:
        """For each row but the last, whether it was mispredicted, which delays the fetch of the next one."""
        return [after.stages[0] > row.stages[1] for row, after in pairwise(self.rows)]

    def program(self) -> Program:
        """Return the assembled program."""
        lines: dict[int, str] = {}
        for row in self.rows:
            assert lines.setdefault(row.address, row.text) == row.text, f"two instructions at address {row.address}"
        text = [f"L{address}: {lines.get(address, 'NOP')}" for address in range(max(lines) + 1)]
        return assemble_text("\n".join(text) + "\n")

    def config(self) -> Config:
        """Return the configuration of the machine."""
        return Config.loads("\n".join(f"{name} = {value}" for name, value in (DEFAULTS | self.settings).items()))


def parse(drawing: str) -> Diagram:
    """Parse a drawing.

    >>> diagram = parse('''
    ...     cycle    |  0  1  2  3  4 .. 12 13 14
    ...     0 NOP    | IF ID EX ME WB
    ...     1 RET    |    IF ID -- -- -- EX ME WB | flush 2
    ... ''')
    >>> diagram.rows[1].stages, diagram.rows[1].lost
    ((1, 2, 12, 13, 14), {'flush': 2})
    """
    diagram, columns = Diagram(), {}
    for line in filter(str.strip, drawing.splitlines()):
        if setting := re.fullmatch(r"\s*([\w.]+) = (\w+)\s*", line):
            if "." in setting[1]:
                diagram.settings[setting[1]] = setting[2]
            else:
                diagram.counts[setting[1]] = int(setting[2])
            continue
        label, cells, *charges = line.split("|")
        label = label.strip()
        at = len(line.split("|")[0]) + 1
        marks = [(at + mark.end(), mark[0]) for mark in re.finditer(r"\S+", cells)]
        if label == "cycle":
            columns = _columns(marks)
            continue
        assert all(end in columns for end, _ in marks), f"a mark is not below a cycle: {line}"
        if label in UNITS:
            row = diagram.rows.pop()
            diagram.rows.append(Row(row.address, row.text, row.stages, (label, *_spans(marks, columns)), row.lost))
        else:
            address, text = label.split(maxsplit=1)
            lost = {name: int(cycles) for name, cycles in map(str.split, charges[0].split(","))} if charges else {}
            diagram.rows.append(Row(int(address), text, _entries(marks, columns, line), (), lost))
    return diagram


def _columns(marks: list[tuple[int, str]]) -> dict[int, tuple[int, int]]:
    """Return, by position of each column in the text, its first cycle and the one after its last."""
    columns: dict[int, tuple[int, int]] = {}
    for (place, mark), (_, after) in zip(marks, [*marks[1:], (0, "")], strict=True):
        first = next(reversed(columns.values()))[1] if mark == ".." else int(mark)
        columns[place] = first, int(after) if mark == ".." else first + 1
    firsts, ends = [c[0] for c in columns.values()], [c[1] for c in columns.values()]
    assert firsts[1:] == ends[:-1], f"cycles are left out without a .. at {firsts}"
    return columns


def _entries(marks: list[tuple[int, str]], columns: dict[int, tuple[int, int]], line: str) -> tuple[int, ...]:
    drawn = [mark for place, mark in marks if mark != "--" and columns[place][1] - columns[place][0] == 1]
    first, last = (list(columns).index(marks[end][0]) for end in (0, -1))
    assert drawn == list(STAGES) and last - first == len(marks) - 1, f"not five stages in a row: {line}"
    return tuple(columns[place][0] for place, mark in marks if mark != "--")


def _spans(marks: list[tuple[int, str]], columns: dict[int, tuple[int, int]]) -> tuple[int, int, int]:
    keeps = [place for place, mark in marks if mark == "=="]
    return columns[keeps[0]][0], columns[keeps[-1]][1], columns[marks[-1][0]][1]


def draw(rows: Iterable[Row]) -> str:
    """Return a drawing of rows in the format of `parse`.

    >>> print(draw([Row(0, "NOP", (0, 1, 2, 3, 4)), Row(1, "RET", (1, 2, 12, 13, 14), (), {"flush": 2})]))
    cycle |  0  1  2  3  4 .. 12 13 14
    0 NOP | IF ID EX ME WB
    1 RET |    IF ID -- -- -- EX ME WB | flush 2
    """
    rows = list(rows)
    names = ["cycle", *(f"{row.address} {row.text}" for row in rows), *(row.unit[0] for row in rows if row.unit)]
    width = max(map(len, names))
    lines: list[str] = []
    rest = rows
    while rest:
        # As many rows as fit the width, but at least one.
        for count in range(len(rest), 0, -1):
            panel = _draw_panel(rest[:count], width)
            if max(map(len, panel)) <= _WIDTH or count == 1:
                lines += panel
                rest = rest[count:]
                break
    return "\n".join(lines)


def _draw_panel(rows: list[Row], width: int) -> list[str]:
    axis = _axis(rows)
    pitch = max(3, len(str(axis[-1][0])) + 1)

    def line(label: str, marks: Iterable[str]) -> str:
        return f"{label:{width}} |{''.join(f'{mark:>{pitch}}' for mark in marks)}".rstrip()

    lines = [line("cycle", (str(first) if end == first + 1 else ".." for first, end in axis))]
    for row in rows:
        lines.append(line(f"{row.address} {row.text}", (_stage_mark(row, cycle) for cycle, _ in axis)))
        if row.lost:
            lines[-1] += " | " + ", ".join(f"{name} {cycles}" for name, cycles in row.lost.items())
        if row.unit:
            name, start, free, done = row.unit
            lines.append(line(name, ("==" if start <= c < free else "--" if free <= c < done else "" for c, _ in axis)))
    return lines


def _stage_mark(row: Row, cycle: int) -> str:
    if cycle in row.stages:
        return STAGES[row.stages.index(cycle)]
    return "--" if row.stages[0] < cycle < row.stages[-1] else ""


def _axis(rows: list[Row]) -> list[tuple[int, int]]:
    """Return (first cycle, end) of each column; three or more cycles in which nothing begins or ends share one."""
    marks = sorted({cycle for row in rows for cycle in (*row.stages, *row.unit[1:])})
    axis: list[tuple[int, int]] = []
    for cycle, after in pairwise(marks):
        axis.append((cycle, cycle + 1))
        quiet = after - cycle - 1
        axis += [(cycle + 1, after)] if quiet > 2 else [(c, c + 1) for c in range(cycle + 1, after)]
    return [*axis, (marks[-1], marks[-1] + 1)]


def check(drawing: str) -> None:
    """Run the program of a drawing, and compare its timing and counts with the drawing.

    Args:
        drawing: drawing in the format described above.

    Raises:
        AssertionError: the drawing is inconsistent, or the run differs; in the latter case with both diagrams.
    """
    expected = parse(drawing)
    rows = expected.rows
    retired = [_fill(expected) - 1, *(row.stages[-1] for row in rows)]
    for row, (before, own) in zip(rows, pairwise(retired), strict=True):
        assert own - before - 1 == sum(row.lost.values()), f"lost cycles do not add up in the drawing: {row}"
    stepped = Simulator(expected.program(), expected.config(), trace=True)
    actual, problems = _step(stepped, expected)
    problems += _totals(expected, stepped)
    # A run in one piece must not differ from one that stops after every instruction.
    whole = Simulator(expected.program(), expected.config())
    whole.run(max_instructions=len(rows))
    problems += _totals(expected, whole)
    if actual != rows or problems:
        settings = "".join(f"{name} = {value}\n" for name, value in expected.settings.items())
        shown = f"expected\n{settings}{draw(rows)}\n\nactual\n{settings}{draw(actual)}\n"
        raise AssertionError("\n".join(["the run differs", shown, *dict.fromkeys(problems)]))


def _fill(expected: Diagram) -> int:
    """Return the cycles until the first instruction of a program could retire."""
    config = expected.config()
    return config.l1_latency(config.icache) + config.l1_latency(config.dcache) + 2


def _step(machine: Simulator, expected: Diagram) -> tuple[list[Row], list[str]]:
    """Run one instruction at a time; the increments of the causes in a step are those charged to the instruction.

    Returns:
        The rows of the run, and errors in fields of its records that are not part of the rows.
    """
    texts = {row.address: row.text for row in expected.rows}
    rows: list[Row] = []
    problems: list[str] = []
    wrong: list[bool] = []
    before = dict.fromkeys(CAUSES, 0)
    while len(rows) < len(expected.rows) and not machine.halted:
        machine.run(max_instructions=len(rows) + 1)
        (event,) = machine.take_events().records
        causes = machine.causes
        lost = {name: causes[name] - before[name] for name in CAUSES[2:] if causes[name] > before[name]}
        before = causes
        pc, start = int(event["pc"]), int(event["start"])
        unit = () if start == NONE else (UNITS[event["unit"]], start, int(event["free"]), int(event["done"]))
        rows.append(Row(pc, texts.get(pc, "NOP"), tuple(int(event[name]) for name in FIELDS), unit, lost))
        wrong.append(bool(event["mispredicted"]))
        most = [name for name in lost if lost[name] == max(lost.values())] or [CAUSES[0]]
        if event["lost"] != sum(lost.values()) or CAUSES[event["cause"]] not in most:
            problems.append(f"row {len(rows) - 1}: the record says {event['lost']} lost, {CAUSES[event['cause']]}")
    if wrong[:-1] != expected.mispredicted():
        problems.append(f"the records say mispredicted: {wrong}")
    return rows, problems


def _totals(expected: Diagram, machine: Simulator) -> Iterator[str]:
    rows = expected.rows
    profile = np.zeros((max(row.address for row in rows) + 1, len(CAUSES)), np.int64)
    for row in rows:
        for name, cycles in {"issue": 1, **row.lost}.items():
            profile[row.address, CAUSES.index(name)] += cycles
    totals = {"cycles": rows[-1].stages[-1] + 1, "instructions": len(rows)}
    causes = dict(zip(CAUSES, profile.sum(axis=0).tolist(), strict=True)) | {"fill": _fill(expected)}
    counts = {"branches": sum(BY_NAME[row.text.split()[0]].group == "control" for row in rows)} | expected.counts
    if rows[-1].text == "HALT":
        counts = {"mispredictions": sum(expected.mispredicted())} | counts
    yield from _differences("total", totals, {"cycles": machine.cycles, "instructions": machine.instructions})
    yield from _differences("cause", causes, machine.causes)
    yield from _differences("count", counts, machine.counts)
    for address, cause in np.argwhere(profile != machine.profile):
        numbers = f"expected {profile[address, cause]}, actual {machine.profile[address, cause]}"
        yield f"{CAUSES[cause]} at address {address}: {numbers}"


def _differences(what: str, expected: dict[str, int], actual: dict[str, int]) -> Iterator[str]:
    for name, number in expected.items():
        if actual[name] != number:
            yield f"{what} {name}: expected {number}, actual {actual[name]}"
