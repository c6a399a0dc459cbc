"""Writer of the directed programs for the core."""

from typing import Final

from pentary.isa.table import LINK, MAX_VL, STACK
from pentary.machine.config import Config
from pentary_hdl.core.retire import Path

VL: Final = 20
"""Elements of the vectors in these programs."""

NAMES: Final = {
    **{"rd": "p9", "rs": "p5", "rt": "p6", "ru": "p7", "P30": f"p{STACK}", "P31": f"p{LINK}"},
    **{"vd": "v1", "vs": "v2", "vt": "v3", "vu": "v4", "fd": "f1", "fs": "f1", "cd": "rank", "sd": "SCRATCH"},
    **{"ss": "DCACHE_ACCESSES", "i(rs)": "scratch - 1(p5)", "i": "1", "k": "1", "w": "2"},
}
"""Operands as they are written; v2 stays 0, and so does v3."""

_FRAME: Final = """
start:  LI      p10, {vl}
        SETVL   p10
{body}
        HALT
        .data
scratch: .space {scratch}
        .space 100
stack:  .space 100
{constants}
fresh:  .space {fresh}
"""
_SCRATCH: Final = MAX_VL + 2 * VL


class Writer:
    """Writer of a directed program.

    Args:
        config: machine on which it is to run.

    Attributes:
        lines: of the program.
        place: address of the next instruction.
    """

    def __init__(self, config: Config) -> None:
        """Start a program."""
        self.lines: list[str] = []
        self.place = 2  # after those of the frame
        self._config, self._constants, self._fresh, self._labels = config, dict[str, str](), 0, 0

    def emit(self, *instructions: str) -> None:
        """Add instructions, each of one word."""
        self.lines += [f"        {text}" for text in instructions]
        self.place += len(instructions)

    def label(self) -> str:
        """Return a new label."""
        self._labels += 1
        return f"l{self._labels}"

    def mark(self, label: str) -> None:
        """Label the next instruction."""
        self.lines.append(f"{label}:")

    def align(self) -> None:
        """Go on at the beginning of a line of the instruction cache."""
        line = self._config.caches.line
        while (self.place + line // 2) % line:
            self.emit("NOP")

    def fresh(self) -> str:
        """Return an address in a line that has not been used."""
        self._fresh += 2 * self._config.caches.line  # whatever comes after an address is its own
        return f"fresh + {self._fresh}"

    def constant(self, value: str) -> str:
        """Return the label of a word in memory."""
        return self._constants.setdefault(value, f"c{len(self._constants)}")

    def sync(self) -> None:
        """Wait until the units are idle, and products done."""
        if self._config.units.vector:
            self.emit("SYNC")
        self.emit("NOP", "NOP", "NOP")

    def give(self, path: Path, register: str, value: str) -> None:
        """Emit what writes a register, so that the next instruction, in the same line, reads it by a path."""
        match path:
            case Path.FILE:
                found = [f"LI {register}, {value}", "NOP", "NOP"]
            case Path.EX:
                found = [f"LI {register}, {value}"]
            case Path.PRODUCT:  # not of MUL, which waits in EX itself with the overflow trap
                found = [f"LI p10, {value}", "SHLI p10, p10, 8", "LI p11, 5**8", f"MULH {register}, p10, p11"]
            case Path.LOAD:
                found = [f"LOAD {register}, {self.constant(value)}(zero)"]
            case _:
                found = [f"LI p10, {value}", "VSET v6, zero, p10", "SYNC", f"VGET {register}, v6, zero"]
        line = self._config.caches.line
        if (self.place + len(found) + line // 2) % line == 0:
            self.emit("NOP")
        self.emit(*found)

    def text(self) -> str:
        """Return the program."""
        constants = "\n".join(f"{label}: .word {value}" for value, label in self._constants.items())
        body = "\n".join(self.lines)
        room = self._fresh + 2 * self._config.caches.line
        return _FRAME.format(vl=VL, body=body, scratch=_SCRATCH, constants=constants, fresh=room)
