"""What the vector unit is given in each cycle for a program, and what it has to give, by the interpreter."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from amaranth.lib import data

from pentary.interpreter import Interpreter
from pentary.interpreter.machine import SEMANTICS
from pentary.isa.encoding import encode, operands
from pentary.isa.program import Program
from pentary.isa.table import BY_NAME, MAX_VL, REGISTERS
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.crossbar.port import Shape

SCALAR = ({"VGET", "FITGET"}, {"VSUM", "VMAX"})
"""Instructions whose results come at each port."""


@dataclass
class Expected:
    """What happens.

    Attributes:
        frames: inputs of each cycle, as packed bits.
        scalars: by cycle and port, register and word.
        rows: by cycle, the words of the row that a store reads.
        held: by user: for each instruction, its cycle of EX and that of its start.
        done: by user, but for the second one: for each instruction, its cycle of EX and that of its completion.
        coverage: how often something has happened.
    """

    frames: list[int] = field(default_factory=list)
    scalars: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    rows: dict[int, list[int]] = field(default_factory=dict)
    held: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    done: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    coverage: Counter[str] = field(default_factory=Counter)


def bits(number: int) -> int:
    """Return a word as biased digits of three bits each."""
    number += WORD_MAX
    found = 0
    for place in range(PENTS):
        number, digit = divmod(number, 5)
        found |= digit << 3 * place
    return found


def row_bits(words: Sequence[int]) -> int:
    """Return the bits of words side by side."""
    return sum(bits(word) << 48 * lane for lane, word in enumerate(words))


def packed(layout: data.StructLayout, values: dict[str, Any]) -> int:
    """Return the bits of a structure from those of its fields, some of which are structures; those left out are 0."""
    total = 0
    for name, value in values.items():
        part = layout[name]
        number = packed(part.shape, value) if isinstance(value, dict) else int(value)
        assert 0 <= number < 1 << part.width, name
        total |= number << part.offset
    return total


def fields(layout: data.Layout, prefix: str = "", offset: int = 0) -> dict[str, tuple[int, int]]:
    """Return offset and mask of the fields of a structure, and of the fields of these, by names with dots."""
    found: dict[str, tuple[int, int]] = {}
    for name, part in layout:
        found[f"{prefix}{name}"] = offset + part.offset, (1 << part.width) - 1
        if isinstance(part.shape, data.StructLayout):
            found |= fields(part.shape, f"{prefix}{name}.", offset + part.offset)
    return found


def expect(
    program: Sequence[Any], times: Sequence[Any], config: Config, inputs: data.StructLayout, shape: Shape
) -> Expected:
    """Return what happens in a program of `programs.Do`, whose instructions are executed at some `programs.Times`."""
    lanes = config.lowrank.lanes
    machine = Interpreter(Program(np.zeros(0, np.int64), 0, 0), memory=1)
    cycles = max(at.done for at in times) + 3
    users: dict[str, list[dict[str, Any]]] = {name: [{} for _ in range(cycles)] for name, _ in inputs}
    users["other"] = [{"reads": 0, "writes": 0, "free": 1} for _ in range(cycles)]
    found = Expected()
    for do, at in zip(program, times, strict=True):
        own = users[do.user]
        for cycle in range(at.ex, at.mem):
            own[cycle]["in_ex"] = 1
        own[at.mem - 1]["enters"] = 1
        found.held[do.user].append((at.ex, at.start))
        machine.vl = do.vl
        if do.user == "other":
            _move(do, at, lanes, machine, own, found)
        else:
            _execute(do, at, machine, own, found)
        if do.name == "LOADX":
            _remove(machine.crossbar, do.y, shape)
        found.coverage[do.name] += 1
        found.coverage[f"{do.name} waits"] += at.start > at.mem
    found.coverage["two results"] = sum((cycle, 1) in found.scalars for cycle, port in found.scalars if port == 0)
    for name, held in found.held.items():
        later = held[config.pipeline.queue :]
        full = sum(ex == start for (_, start), (ex, _) in zip(held, later, strict=False))
        found.coverage[f"{name} queue full"] = full
    found.frames = [packed(inputs, {name: own[cycle] for name, own in users.items()}) for cycle in range(cycles)]
    return found


def _remove(devices: list[list[int]], row: int, shape: Shape) -> None:
    """Remove the devices of a row that an array does not have."""
    columns = shape.columns if row < shape.rows else 0
    devices[row][columns:] = [0] * (MAX_VL - columns)


def _move(do: Any, at: Any, lanes: int, machine: Interpreter, other: list[dict[str, Any]], found: Expected) -> None:
    """Load, with each row written at the last moment, or store, with the first rows read at the first one."""
    rows = ceil(do.vl / lanes)
    stores = do.name == "STORE"
    register = do.a if stores else do.d
    other[at.mem - 1]["uses"] = {"first" if stores else "written": {"used": 1, "number": register}}
    for cycle in range(at.start, at.free - 1):
        other[cycle]["free"] = 0
    if not stores:
        machine.deliver_vector(register, list(do.words))
    words = [machine.vectors[register][row * lanes : (row + 1) * lanes] for row in range(rows)]
    if stores:
        other[at.free - 1]["reads"] |= 1 << register
        for row in range(rows):
            cycle = at.free - 1 if row == rows - 1 else at.start + row
            other[cycle]["read"] = {"first": register, "row": row}
            found.rows[cycle] = words[row]
        return
    other[at.done - 1]["writes"] |= 1 << register
    for row in range(rows):
        other[at.done - rows + row]["write"] = {
            **{"enable": 1, "number": register, "row": row, "mask": (1 << lanes) - 1},
            **{"words": row_bits(words[row]), "last": row == rows - 1},
        }


def _execute(do: Any, at: Any, machine: Interpreter, unit: list[dict[str, Any]], found: Expected) -> None:
    """Execute an instruction of the vector unit or the crossbar."""
    line = BY_NAME[do.name]
    instruction = bits(encode(line, do.d, do.a, do.b, do.i))
    unit[at.mem - 1] |= {"instruction": instruction, "y": bits(do.y), "vl": do.vl}
    if do.user == "unit":
        unit[at.mem - 1]["x"] = bits(do.x)
    found.done[do.user].append((at.ex, at.done))
    values = []
    for name, operand in operands(line):
        number = getattr(do, operand.field)
        scalars = {"rs": do.x, "rt": do.y}
        values.append(scalars[name] if name in scalars else machine.vectors[number] if name in ("vs", "vt") else number)
    machine.registers = [0] * REGISTERS
    SEMANTICS[do.name](machine, *values)
    for port, names in enumerate(SCALAR):
        if do.name in names and do.d:
            assert (at.done - 1, port) not in found.scalars
            found.scalars[at.done - 1, port] = do.d, machine.registers[do.d]


def compare(expected: Expected, config: Config, outputs: data.StructLayout, received: Sequence[int]) -> None:
    """Raise AssertionError, with the cycle, where the unit gave other outputs than expected."""
    places = fields(outputs)
    users = [name for name, _ in outputs]
    entered, started = (
        {user: Counter(pair[place] for pair in expected.held[user]) for user in users} for place in (0, 1)
    )
    completions = {user: sorted(expected.done[user]) for user in users if f"{user}.idle" in places}
    inside, latest = dict.fromkeys(users, 0), dict.fromkeys(users, 0)
    for cycle, number in enumerate(received):

        def given(name: str, number: int = number) -> int:
            offset, mask = places[name]
            return number >> offset & mask

        def same(name: str, wanted: int, cycle: int = cycle) -> None:
            found = given(name)
            assert found == wanted, f"cycle {cycle}: {name} is {found:#x}, not {wanted:#x}"

        for user in users:
            same(f"{user}.starts", started[user][cycle + 1] > 0)
            # Those that are in EX or wait, and do not start in the next cycle.
            inside[user] += entered[user][cycle] - started[user][cycle + 1]
            same(f"{user}.room", inside[user] < config.pipeline.queue)
        for user, left in completions.items():
            while left and left[0][0] <= cycle:
                latest[user] = max(latest[user], left.pop(0)[1])
            same(f"{user}.idle", latest[user] <= cycle + 1)
        for port in range(len(SCALAR)):
            register, word = expected.scalars.get((cycle, port), (0, 0))
            same(f"unit.result{port}.valid", register > 0)
            if register:
                same(f"unit.result{port}.register", register)
                same(f"unit.result{port}.word", bits(word))
            register, _ = expected.scalars.get((cycle + 1, port), (0, 0))
            same(f"unit.announced{port}.valid", register > 0)
            if register:
                same(f"unit.announced{port}.register", register)
        if cycle in expected.rows:
            same("other.words", row_bits(expected.rows[cycle]))
