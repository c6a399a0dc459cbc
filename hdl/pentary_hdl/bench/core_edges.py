"""Directed program for the core: operands and addresses on both sides of each limit."""

from collections.abc import Collection
from typing import Final

from pentary.asm import assemble_text
from pentary.isa.table import BY_NAME, CONTROL_RESET, CONTROLS, MAX_VL, STACK
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.bench.core_coverage import present
from pentary_hdl.bench.core_writer import NAMES, VL, Writer
from pentary_hdl.core.faults import MAX_PAIR

_RANGES: Final = {
    **{"SETVL": ("rs", 1, MAX_VL), "VGET": ("rt", 0, VL - 1), "VSET": ("rs", 0, VL - 1), "SHL": ("rt", 0, PENTS)},
    **{"SHR": ("rt", 0, PENTS), "LRGEN": ("rs", 0, MAX_PAIR), "LRMUL": ("rs", 0, CONTROL_RESET["ROWS"] - 1)},
    **{"LOADX": ("rt", 0, MAX_VL - 1)},
}
"""Instructions with the operand whose range is checked, its least and its greatest value."""


def edges(config: Config) -> Setup:
    """Return a program of operands and addresses on both sides of each limit; its handler goes on after a fault."""
    writer, names = Writer(config), {line.name for line in present(config)}
    writer.emit("LI p12, handler", "CSRW HANDLER, p12")
    for name, (register, low, high) in _RANGES.items():
        for value in _around(low, high) if name in names else ():
            writer.emit(f"LOAD {NAMES[register]}, {writer.constant(str(value))}(zero)")
            writer.emit(_written(name), f"LI p10, {VL}", "SETVL p10")
    for name, (low, high) in CONTROLS.items() if "LRSET" in names else ():
        for value in _around(low, high):
            writer.emit(f"LOAD p5, {writer.constant(str(value))}(zero)", f"LRSET {name}, p5")
    for edge in (0, "scratch", config.memory.words):  # scratch begins where the text ends
        for place in (f"{edge} - 1", f"{edge}"):
            _access(writer, place, names)
    writer.emit("JUMP over")
    writer.mark("handler")
    writer.emit("CSRR p13, EPC", "ADDI p13, p13, 1", "CSRW EPC, p13", "TRET")
    writer.mark("over")
    return Setup(assemble_text(writer.text()), config)


def _around(low: int, high: int) -> list[int]:
    return [value for value in (low - 1, low, high, high + 1) if abs(value) <= WORD_MAX]


def _access(writer: Writer, place: str, names: Collection[str]) -> None:
    """Emit accesses to an address, as a word and as the first and the last one of vectors."""
    writer.emit(f"LOAD p5, {writer.constant(place)}(zero)", "LOAD p9, (p5)", "STORE p9, (p5)")
    writer.emit(f"MV p{STACK}, p5", "POP p9", f"LOAD p{STACK}, {writer.constant(f'{place} + 1')}(zero)", "PUSH p9")
    if "LOADV" not in names:
        return
    for length in (1, VL):
        writer.emit(f"LI p10, {length}", "SETVL p10")
        for first in (place, f"{place} - {length - 1}"):
            writer.emit(f"LOAD p5, {writer.constant(first)}(zero)", "LOADV v5, (p5)", "STOREV v5, (p5)")
        for stride in (3, -3):
            for first in (place, f"{place} - ({stride * (length - 1)})"):
                writer.emit(f"LOAD p5, {writer.constant(first)}(zero)", f"LI p6, {stride}")
                writer.emit("LOADVS v5, p5, p6", "STOREVS v5, p5, p6")
        for element in (0, length - 1):
            distance = writer.constant(f"{place} - scratch - 100")
            writer.emit("VSUB v1, v1, v1", f"LI p5, {element}", f"LOAD p6, {distance}(zero)", "VSET v1, p5, p6")
            writer.emit("LA p6, scratch + 100", "LOADVX v5, v1, p6", "STOREVX v5, v1, p6")


def _written(name: str) -> str:
    return f"{name} {', '.join(NAMES[operand] for operand in BY_NAME[name].operands)}"
