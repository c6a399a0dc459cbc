"""Inspection of a machine: the value that a name stands for, as numbers and as text."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pentary.asm import disassemble_word
from pentary.asm.errors import suggestion
from pentary.asm.vocabulary import NUMBERS, RESERVED
from pentary.isa.program import Program
from pentary.isa.system import CSRS
from pentary.isa.table import CONTROLS, MAX_VL
from pentary.numbers.notation import GLYPHS, format_pents
from pentary.numbers.word import PentaryError
from pentary.support.columns import table
from pentary.support.messages import shortened, some
from pentary_sim import report
from pentary_sim.simulator import Simulator

WHERE: Final = "a label, LABEL+N, an address or FILE:LINE"

_OWN: Final = ("pc", "flags", "acc", "vl", *CONTROLS)
_SHOWN: Final = (
    f"p0..p31, v0..v7, f0..f3, {', '.join(_OWN)}, a CSR such as CYCLE, x:ROW, "
    " a constant, and the word at {WHERE}, or with :COUNT behind it "
    "several"
)
_WORDS: Final = 10  # default number of memory words
_DIGITS: Final = 1000
_MOST: Final = 10**18
_COLUMNS: Final = 10  # vector elements in a line


class Shown(NamedTuple):
    """Part of a machine's state: its values (a number, numbers, or names of flags), and their text form."""

    values: int | list[int] | list[str]
    text: str


def show(machine: Simulator, what: str) -> Shown:
    """Return the part of the machine's state that a name stands for.

    Args:
        machine: the machine.
        what: a scalar register or one of f0..f3; a vector register; a constant; pc, flags, acc, vl, a control register,
            a CSR or x:ROW, a row of the crossbar, unless the program defines a symbol of this name; or a place in
            memory, optionally followed by :COUNT, a number of words.

    Raises:
        PentaryError: the name is unknown, or the words are not all in memory.

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
        if name == "PC":
            return Shown(machine.pc, f"{what} = {machine.pc}  {report.place(program, machine.pc)}")
        if name == "FLAGS":
            flags = report.flag_names(machine.flags)
            return Shown(flags, f"{what} = {' '.join(flags) or 'none'}")
        if name == "ACC":
            return Shown(machine.accumulator, f"{what} = {machine.accumulator}  {report.accumulator_pents(machine)}")
        if (match := re.fullmatch("X:([0-9]+)", name)) and not {"x", "X"} & {*program.symbols}:
            return crossbar_row(machine, _integer(match[1]))
        if name in (own := {"VL": machine.vl, **machine.controls, **machine.csrs}):
            return _number(what, own[name])
    match = re.fullmatch("(.+):([0-9]+)", what)
    counted = match and not any(_is_file(match[1], source.file) for source in program.sources)
    where, number = (match[1], count(match[2])) if match and counted else (what, 1)
    words = memory(machine, _find(program, where, [*program.symbols, *_OWN, *CSRS], f"; shown can be {_SHOWN}"), number)
    assert isinstance(words.values, list)
    return words if counted else Shown(int(words.values[0]), words.text)


def memory(machine: Simulator, first: int, number: int | None = None) -> Shown:
    """Return words of memory; those in the text section are also disassembled.

    Args:
        machine: the machine.
        first: address of the first word.
        number: number of words; None for 10, or fewer at the end of memory.

    Raises:
        PentaryError: `first` is outside memory, or the words are not all in memory.
    """
    words, program = machine.memory, machine.program
    if not 0 <= first < len(words):
        raise PentaryError(f"address {shortened(str(first))} is outside memory (0..{len(words) - 1})")
    left = len(words) - first
    if number is None:
        number = min(left, _WORDS)
    if number > left:
        only = report.counted(left, "word")
        raise PentaryError(
            f"from address {first} to the end of memory there {'is' if left == 1 else 'are'} only {only}"
        )
    names = program.label_names()
    values = words[first : first + number].tolist()
    width = max(len(str(word)) for word in values)
    rows = []
    for address, word in enumerate(values, start=first):
        instruction = disassemble_word(word, address, names) if address < program.text else ""
        rows.append((str(address), names.get(address, ""), f"{word:{width}}", format_pents(word), instruction))
    return Shown(values, table(rows))


def crossbar_row(machine: Simulator, row: int) -> Shown:
    """Return the levels of a row of the crossbar, a pent for each column.

    Raises:
        PentaryError: the row does not exist.
    """
    if not 0 <= row < MAX_VL:
        raise PentaryError(f"there is no row {shortened(str(row))} of the crossbar; they are 0..{MAX_VL - 1}")
    levels = machine.crossbar[row].tolist()
    return Shown(levels, f"x[{row}]  {pents(levels)}")


def pents(levels: Sequence[int]) -> str:
    """Return numbers of one pent each as a string, in the given order."""
    return "".join(GLYPHS[level + 2] for level in levels)


def elements(name: str, values: Sequence[int]) -> str:
    """Return the elements of a vector as text, up to the last that is not 0.

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
    """Return the address of a place: a label, LABEL+N, an address or FILE:LINE.

    Raises:
        PentaryError: the program has no such place.
    """
    return _find(program, where, program.labels, "")


def instruction(program: Program, where: str) -> int:
    """Return the address of the instruction at a place.

    Raises:
        PentaryError: the program has no such place, or no instruction there.
    """
    address = find(program, where)
    if not 0 <= address < program.text:
        raise PentaryError(
            f"there is no instruction at {shortened(str(address))}: the program is at 0..{program.text - 1}"
        )
    return address


def _find(program: Program, where: str, names: Iterable[str], hint: str) -> int:
    """Return the address of a place; the error for an unknown label suggests a similar one of `names`, or `hint`."""
    if re.fullmatch("-?[0-9]+", where):
        return _integer(where)
    if match := re.fullmatch("(.+):([0-9]+)", where):
        return _written_at(program, match[1], _integer(match[2]))
    match = re.fullmatch("(.+?)(?:[+]([0-9]+))?", where)
    if match is None:
        raise PentaryError(f"expected {WHERE}")
    label = match[1]
    if label in program.labels:
        return program.symbols[label] + _integer(match[2] or "0")
    if label.upper() in RESERVED or label.lower() in map(str.lower, _OWN):
        raise PentaryError(f"{label} is a register and has no address; a place is {WHERE}")
    raise PentaryError(f"the program has no label {shortened(label)!r}{suggestion(label, names) or hint}")


def count(text: str) -> int:
    """Parse a positive count, limited to `_MOST`.

    Raises:
        PentaryError: the text is not an integer of 1 or more.
    """
    if not re.fullmatch("[0-9]+", text) or not _integer(text):
        raise PentaryError(f"{shortened(text)!r} is not a number of 1 or more")
    return min(_integer(text), _MOST)


def _integer(text: str) -> int:
    """Parse an integer from its first `_DIGITS` characters, which exceed every limit if there are more."""
    return int(text[:_DIGITS])


def _number(name: str, value: int) -> Shown:
    return Shown(value, f"{name} = {value}  {format_pents(value)}")


def _written_at(program: Program, file: str, line: int) -> int:
    """Return the address of the first instruction of a source line or, if it has none, of the next line with one."""
    places = [(source.line, pc) for pc, source in enumerate(program.sources) if _is_file(file, source.file)]
    if not places:
        files = some(dict.fromkeys(source.file for source in program.sources)) or "not known"
        raise PentaryError(f"no instruction was written in {file}; the program's files are {files}")
    after = [place for place in places if place[0] >= line]
    if not after:
        raise PentaryError(f"no instruction was written at {file}:{shortened(str(line))} or after it")
    return min(after)[1]


def _is_file(name: str, path: str) -> bool:
    return name in (path, Path(path).name)
