"""Machine state after reset."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.isa.encoding import IllegalInstruction, decode, operands
from pentary.isa.program import Program
from pentary.isa.table import CALLS, CONTROL_RESET, INSTRUCTIONS, LINK, MAX_VL, STACK, Instruction
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary_sim.cache import inverse
from pentary_sim.events import EVENT, NONE, UNITS
from pentary_sim.layout import CACHE, CODE, DCACHE, ICACHE, L2, NO_LINE, STATE
from pentary_sim.opcodes import GROUPS
from pentary_sim.words import MASKS

_EVENTS_KEPT: Final = 100_000
_VECTORS_KEPT: Final = 10_000


@dataclass(frozen=True)
class State:
    """Arrays of one machine, in the order in which they are passed to compiled code."""

    machine: NDArray[Any]
    """(1,) of dtype STATE."""
    caches: NDArray[Any]
    """(3,) of dtype CACHE: L1 instruction, L1 data, L2."""
    memory: NDArray[np.int64]
    inputs: NDArray[np.int64]
    """(n,) characters of the input."""
    interrupts: NDArray[np.int64]
    """(n,) cycles from which an external interrupt is pending, ascending."""
    code: NDArray[Any]
    """(text,) of dtype CODE: the decoded program."""
    events: NDArray[Any] | None
    """Buffer of trace records, dtype EVENT; None without tracing."""
    vectors: NDArray[np.int64] | None
    """Buffer of vector register values written by traced instructions, (n, 256); None without tracing."""


def switch_on(
    program: Program, config: Config, trace: bool, input: Collection[int] = (), interrupts: Collection[int] = ()
) -> State:
    """Return the reset state of a machine with a program loaded.

    Raises:
        PentaryError: the program has no instructions, or does not fit into memory.
    """
    words = config.memory.words
    if not program.text:
        raise PentaryError("the program has no instructions")
    if program.size > words:
        raise PentaryError(
            f"the program takes {program.size} words, the memory has {words}: set memory.words in the configuration"
        )
    memory = np.zeros(words, np.int64)
    memory[: len(program.image)] = program.image
    machine = np.zeros(1, STATE)
    values = {
        "vl": MAX_VL,
        "queue": config.pipeline.queue,
        "line_words": config.caches.line,
        "line_inverse": inverse(config.caches.line),
        "cached": config.caches.enabled,
        "critical_first": config.caches.critical_first,
        "icache_latency": config.l1_latency(config.icache),
        "dcache_latency": config.l1_latency(config.dcache),
        "dcache_beat": min(config.dcache.beat, config.caches.line),
        "l2_latency": config.l2_latency(),
        "l2_beat": min(config.l2.beat, config.caches.line),
        "memory_latency": config.memory.latency,
        "memory_beat": min(config.memory.beat, config.caches.line),
        "decode": config.l1_latency(config.icache) - 1,  # so that the first instruction enters IF in cycle 0
        "device_latency": config.devices.latency,
        "lanes": config.lowrank.lanes,
        "rounds_per_cycle": config.lowrank.rounds_per_cycle,
        "overflow_trap": config.exceptions.overflow_trap,
        "entries": config.predictor.entries,
        "returns": config.predictor.returns,
        "writeback": -1,
        "line": NO_LINE,
        "origin": NONE,
    }
    for name, value in values.items():
        machine[name] = value
    machine["registers"][0, STACK] = words
    machine["controls"][0] = list(CONTROL_RESET.values())
    machine["predictor"][0, : config.predictor.entries, 0] = NONE
    machine["masks"][0] = MASKS
    caches = np.zeros(3, CACHE)
    for number, settings in ((ICACHE, config.icache), (DCACHE, config.dcache), (L2, config.l2)):
        caches[number]["sets"], caches[number]["ways"] = settings.sets, settings.ways
    events = np.zeros(_EVENTS_KEPT, EVENT) if trace else None
    vectors = np.zeros((_VECTORS_KEPT, MAX_VL), np.int64) if trace else None
    code = _decode(program, config.absent)
    addresses = np.arange(program.text)
    if config.caches.enabled:  # else it is as if all were in one line, which is there
        code["line"] = (addresses + config.caches.line // 2) // config.caches.line
    code["entry"] = addresses % max(config.predictor.entries, 1)
    characters = np.fromiter(input, np.int64, len(input))
    lines = np.sort(np.fromiter(interrupts, np.int64, len(interrupts)))
    return State(machine, caches, memory, characters, lines, code, events, vectors)


def _decode(program: Program, absent: Collection[str]) -> NDArray[Any]:
    """Decode every instruction word into its fields and the registers that it reads and writes."""
    code = np.zeros(program.text, CODE)
    fields = np.zeros((program.text, 4), np.int64)
    for place, word in enumerate(program.image[: program.text].tolist()):
        try:
            instruction, *fields[place] = decode(word, absent)
        except IllegalInstruction:
            code[place] = _illegal()
            continue
        code[place], places = _template(instruction)
        for name, field in places:
            code[place][name] = fields[place, field]
    code["d"], code["a"], code["b"], code["i"] = fields.T
    return code


@cache
def _template(instruction: Instruction) -> tuple[np.void, list[tuple[str, int]]]:
    """Return the row of an instruction without its fields, and which of them go elsewhere, too."""
    row = _illegal()
    row["op"], row["unit"] = _NUMBER[instruction.name], _UNIT_NUMBER[instruction.unit]
    for name, value in _properties(instruction).items():
        row[name] = value
    places = {_ROLES[name]: "dabi".index(operand.field) for name, operand in operands(instruction) if name in _ROLES}
    for role, register in _IMPLIED.get(instruction.name, {}).items():
        if isinstance(register, int):
            row[role] = register
            places.pop(role, None)
        else:
            places[role] = "dabi".index(register)
    return row, list(places.items())


def _illegal() -> np.void:
    """Return the row of a word that is no instruction."""
    row = np.zeros(1, CODE)[0]
    for name in ("op", "vsource_1", "vsource_2", "vsource_3", "vwritten"):
        row[name] = NONE
    return row


def _properties(line: Instruction) -> dict[str, int]:
    """Return what the pipeline has to know of an instruction, from its line in the table."""
    beside = line.unit in UNITS[1:]
    multiplies = line.unit == "multiplier"
    return {
        "group": GROUPS.index(line.group),
        "quick": line.unit == "scalar" and line.occupancy == "1" and line.name not in _SLOW,
        "turn": 1 if line.name in CALLS else -1 if line.name == "RET" else 0,
        "conditional": line.group == "control" and "ru" in line.operands,
        "multiplies": multiplies,
        "indexed": line.unit == "memory" and "vs" in line.operands,
        "traps": multiplies and "V" in line.flags,
        "sets_flags": line.flags != "",
        "occupancy": 1 if beside else int(line.occupancy),
        "latency": 1 if beside else int(line.latency),
    }


_NUMBER: Final = {instruction.name: number for number, instruction in enumerate(INSTRUCTIONS)}
_UNIT_NUMBER: Final = {"multiplier": 0, "divider": 0} | {name: number for number, name in enumerate(UNITS)}

_SLOW: Final = ("PUSH", "SYNC", "HALT", "FENCE", "ACCGET", "FLAGS", "CSRR", "TRET")
"""Instructions that wait for a unit, the accumulator or flags, read the time, go elsewhere, or write two registers."""

_ROLES: Final = {
    "rd": "written",
    "rs": "source_1",
    "rt": "source_2",
    "ru": "source_2",
    "vd": "vwritten",
    "vs": "vsource_1",
    "vt": "vsource_2",
    "vu": "vsource_1",
}
"""Field of CODE for the register of each operand, by the operand's name in the table."""

_IMPLIED: Final[dict[str, dict[str, int | str]]] = {
    "STORE": {"late": "d", "source_2": 0},
    "PUSH": {"late": "a", "source_1": STACK, "written": STACK},
    "POP": {"source_1": STACK},
    "CALL": {"written": LINK},
    "CALLR": {"written": LINK},
    "RET": {"source_1": LINK},
    "VSET": {"vsource_1": "d"},
    "VSEL": {"vsource_3": "d"},
    "STOREVX": {"vsource_2": "d"},
}
"""Exceptions: implicit registers, operands that are read in MEM, and vectors that are read besides."""
