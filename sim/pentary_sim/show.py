"""Looking into a machine: what a name stands for, as numbers and in words."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pentary.asm import disassemble_word
from pentary.asm.errors import suggestion
from pentary.asm.vocabulary import NUMBERS
from pentary.isa.table import MAX_VL
from pentary.program import Program
from pentary.text import GLYPHS, format_pents
from pentary.word import PentaryError
from pentary_sim import report
from pentary_sim.simulator import Simulator

WHERE: Final = "a label, LABEL+N, an address or FILE:LINE"

_COLUMNS: Final = 10  # elements of a vector in a line


class Shown(NamedTuple):
    """A part of a machine's state: one number or several, and the text that shows them."""

    values: int | list[int]
    text: str


def show(machine: Simulator, what: str) -> Shown:
    """Show what a name stands for.

    Args:
        machine: to look into.
        what: a scalar register or one of f0..f3; a vector register; a constant; acc, vl, a control register or x:ROW,
            a row of the crossbar, unless the program gives the name to something else; or a place in memory, behind
            which :COUNT tells how many words.

    Raises:
        PentaryError: the name stands for nothing in this machine.

    >>> from pentary.asm import assemble_text
    >>> machine = Simulator(assemble_text("halt\\n.data\\ndays: .word 28, 31"))
    >>> show(machine, "days:2").values
    [28, 31]
    >>> print(show(machine, "days+1").text)
    2    31  0000000000000+++
    """
    program, name = machine.program, what.upper()
    for kind, values in (("register", machine.registers), ("fitness", machine.fitness)):
        if (number := NUMBERS[kind].get(name)) is not None:
            return _number(what, values[number].item())
    if (number := NUMBERS["vector"].get(name)) is not None:
        values = machine.vectors[number].tolist()
        return Shown(values, f"VL = {machine.vl}\n{elements(what, values)}")
    if what in program.symbols and what not in program.labels:
        return Shown(program.symbols[what], f"{what} = {program.symbols[what]}")
    if what not in program.symbols:
        if name == "ACC":
            return Shown(machine.accumulator, f"{what} = {machine.accumulator}  {report.accumulator_pents(machine)}")
        if (match := re.fullmatch("X:([0-9]{1,9})", name)) and not {"x", "X"} & {*program.symbols}:
            return crossbar_row(machine, int(match[1]))
        if name in (own := {"VL": machine.vl, **machine.controls}):
            return _number(what, own[name])
    match = re.fullmatch("(.+):([0-9]{1,9})", what)
    if match and not any(_is_file(match[1], source.file) for source in program.sources):
        return memory(machine, find(program, match[1]), count(match[2]))
    place = memory(machine, find(program, what), 1)
    assert isinstance(place.values, list)
    return Shown(place.values[0], place.text)


def memory(machine: Simulator, first: int, number: int) -> Shown:
    """Show words of memory, as many as there are; those of the program as instructions, too.

    Args:
        machine: to look into.
        first: address of the first.
        number: how many.

    Raises:
        PentaryError: `first` is outside memory.
    """
    words, program = machine.memory, machine.program
    if not 0 <= first < len(words):
        raise PentaryError(f"address {first} is outside memory (0..{len(words) - 1})")
    names = program.label_names()
    values = words[first : first + number].tolist()
    width = max(len(str(word)) for word in values)
    rows = []
    for address, word in enumerate(values, start=first):
        instruction = disassemble_word(word, address, names) if address < program.text else ""
        rows.append((str(address), names.get(address, ""), f"{word:{width}}", format_pents(word), instruction))
    return Shown(values, report.table(rows))


def crossbar_row(machine: Simulator, row: int) -> Shown:
    """Show the levels of a row of the crossbar, a pent for each column.

    Raises:
        PentaryError: there is no such row.
    """
    if not 0 <= row < MAX_VL:
        raise PentaryError(f"there is no row {row} of the crossbar; they are 0..{MAX_VL - 1}")
    levels = machine.crossbar[row].tolist()
    return Shown(levels, f"x[{row}]  {pents(levels)}")


def pents(levels: Sequence[int]) -> str:
    """Spell numbers of one pent each, in their order."""
    return "".join(GLYPHS[level + 2] for level in levels)


def elements(name: str, values: Sequence[int]) -> str:
    """Show the elements of a vector up to the last that is not 0.

    >>> print(elements("v1", [3, -4, 0, 0]))
    v1[0]    3  -4
    v1[2..3] are 0
    """
    shown = list(values)
    while shown and not shown[-1]:
        shown.pop()
    width = max((len(str(value)) for value in shown), default=0)
    lines = []
    for first in range(0, len(shown), _COLUMNS):
        row = "  ".join(f"{value:{width}}" for value in shown[first : first + _COLUMNS])
        lines.append(f"{f'{name}[{first}]':7} {row}")
    if len(shown) < len(values):
        lines.append(f"{name}[{len(shown)}..{len(values) - 1}] are 0")
    return "\n".join(lines)


def find(program: Program, where: str) -> int:
    """Give the address of a place: a label, LABEL+N, an address or FILE:LINE.

    Raises:
        PentaryError: the program has no such place.
    """
    if re.fullmatch("-?[0-9]{1,18}", where):
        return int(where)
    if match := re.fullmatch("(.+):([0-9]{1,9})", where):
        return _written_at(program, match[1], int(match[2]))
    match = re.fullmatch("(.+?)(?:[+]([0-9]{1,18}))?", where)
    if match is None:
        raise PentaryError(f"expected {WHERE}")
    if match[1] not in program.labels:
        raise PentaryError(f"the program has no label {match[1]!r}{suggestion(match[1], program.labels)}")
    return program.symbols[match[1]] + int(match[2] or 0)


def count(text: str) -> int:
    """Read how many.

    Raises:
        PentaryError: it is not a number of 1 or more.
    """
    if not re.fullmatch("[0-9]{1,12}", text) or not int(text):
        raise PentaryError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _number(name: str, value: int) -> Shown:
    return Shown(value, f"{name} = {value}  {format_pents(value)}")


def _written_at(program: Program, file: str, line: int) -> int:
    """Give the first instruction of a line or, if it makes none, of the next that does."""
    places = [(source.line, pc) for pc, source in enumerate(program.sources) if _is_file(file, source.file)]
    if not places:
        files = ", ".join(dict.fromkeys(source.file for source in program.sources)) or "not known"
        raise PentaryError(f"no instruction was written in {file}; the program's files are {files}")
    after = [place for place in places if place[0] >= line]
    if not after:
        raise PentaryError(f"no instruction was written at {file}:{line} or after it")
    return min(after)[1]


def _is_file(name: str, path: str) -> bool:
    return name in (path, Path(path).name)
