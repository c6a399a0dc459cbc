"""Function coverage of the core: what each instruction has met, as the hardware itself tells with its records."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from pentary.isa.encoding import decode
from pentary.isa.program import Program
from pentary.isa.system import CAUSES
from pentary.isa.table import CALLS, INSTRUCTIONS, Instruction
from pentary.machine.config import Config
from pentary.machine.retire import Records
from pentary_hdl.bench.coverage import Bin, Coverage
from pentary_hdl.core.decoder import of_unit
from pentary_hdl.core.retire import WAITS, Path
from pentary_hdl.vector.parameters import Sizes, roles

OPERANDS: Final = ("x", "y", "late")
"""Operands in the order of their paths in a record: the first, the second, and the datum of a store."""

_PATHS: Final = 8  # bits for each operand
_IMPLICIT: Final = {"PUSH": "P30", "POP": "P30", "RET": "P31"}
_LATE: Final = {"STORE": "ru", "PUSH": "rs"}
_CACHED: Final = ("LOAD", "STORE", "PUSH", "POP")
_WRITING: Final = (*CALLS, "PUSH", "POP")


def operands_of(line: Instruction) -> dict[str, str]:
    """Return which scalar operands an instruction reads: by operand, the register's name in the instruction table.

    >>> from pentary.isa.table import BY_NAME
    >>> operands_of(BY_NAME["STORE"])
    {'x': 'rs', 'late': 'ru'}
    """
    late = _LATE.get(line.name, "")
    named = roles(line) - {late}
    x = _IMPLICIT.get(line.name) or ("rs" if "rs" in named else "")
    y = next((name for name in ("rt", "ru") if name in named), "")
    return {operand: name for operand, name in zip(OPERANDS, (x, y, late), strict=True) if name}


def waits_of(line: Instruction, config: Config) -> list[str]:
    """Return for what an instruction can wait on a machine, of `retire.WAITS`."""
    has_units, cached, name = config.units.vector, config.caches.enabled, line.name
    depends = bool(operands_of(line)) or "rd" in roles(line) or name in _WRITING
    indexed = name in ("LOADVX", "STOREVX")
    long = name in ("POP", "DIV", "REM") or (indexed and Sizes.of(config).rows > 1)
    late = config.exceptions.overflow_trap and line.unit == "multiplier" and "V" in line.flags
    can = {
        "flush": True,
        "trap": True,
        "fetch_l2": cached,
        "fetch_memory": cached,
        "load_use": bool(operands_of(line)),
        "multiply_use": depends,
        "unit_result": depends and has_units,
        "memory_order": (has_units and name in (*_CACHED, "FENCE")) or name == "CSRR",
        "queue": of_unit(line),
        "sync": has_units and name in ("SYNC", "HALT"),
        "execute": long or late,
        "data_l2": cached and name in _CACHED,
        "data_memory": cached and name in _CACHED,
        "device": config.devices.latency > 0 and name in ("LOAD", "STORE"),
    }
    assert tuple(can) == WAITS
    return [wait for wait, holds in can.items() if holds]


def paths(config: Config) -> list[Path]:
    """Return the paths on which operands come on a machine."""
    return [path for path in Path if path != Path.NONE and (path != Path.UNIT or config.units.vector)]


def present(config: Config) -> list[Instruction]:
    """Return the instructions that a machine has."""
    return [line for line in INSTRUCTIONS if line.unit not in config.absent]


def bins(config: Config) -> Iterator[Bin]:
    """Yield the bins of a machine."""
    never = {"bus"} if config.exceptions.overflow_trap else {"bus", "overflow"}
    for line in present(config):
        yield "executed", line.name
    for cause in CAUSES:
        if cause not in never:
            yield "trap", cause
    for line in present(config):
        for wait in waits_of(line, config):
            yield "wait", line.name, wait
        for operand in operands_of(line):
            for path in paths(config):
                yield "path", line.name, operand, path.name


class CoreCoverage(Coverage):
    """Coverage of the bins of a machine.

    Args:
        config: configuration of the machine.
    """

    def __init__(self, config: Config) -> None:
        """Create the coverage, nothing hit."""
        super().__init__(bins(config))

    def add(self, program: Program, records: Records, met: Mapping[int, int]) -> None:
        """Count what has happened in a run.

        Args:
            program: the program.
            records: its retire records.
            met: what the core tells, as of `pentary.machine.engines.Outcome`.
        """
        words = np.unique(records["word"][records["trap"] == 0])
        for word in words.tolist():
            self.hit("executed", decode(word).instruction.name)
        kinds = {number: name for name, number in CAUSES.items()}
        for number in np.unique(records["trap"]).tolist():
            self.hit("trap", kinds.get(number, ""))
        for address, told in met.items():
            self._meet(decode(int(program.image[address])).instruction.name, told)

    def _meet(self, name: str, told: int) -> None:
        for place, wait in enumerate(WAITS):
            if told >> place & 1:
                self.hit("wait", name, wait)
        for number, operand in enumerate(OPERANDS):
            for path in Path:
                if told >> len(WAITS) + _PATHS * number + path.value & 1:
                    self.hit("path", name, operand, path.name)
