"""What units are given in each cycle for a program, and what they have to give, by the interpreter."""

from collections import Counter
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
from pentary.isa.table import BY_NAME, REGISTERS
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, WORD_MAX

SCALAR = {"vector": ({"VGET", "FITGET"}, {"VSUM", "VMAX"}), "lowrank": ({"PRNG"},)}
"""Instructions whose results come at each port of a unit."""


@dataclass
class Expected:
    """What happens.

    Attributes:
        frames: inputs of each cycle, as packed bits.
        scalars: by cycle, unit and port, register and word.
        rows: by cycle, the words of the row that a store reads.
        held: by unit: for each instruction, its cycle of EX and that of its start.
        done: by unit: for each instruction, its cycle of EX and that of its completion.
        coverage: how often something has happened.
    """

    frames: list[int] = field(default_factory=list)
    scalars: dict[tuple[int, str, int], tuple[int, int]] = field(default_factory=dict)
    rows: dict[int, list[int]] = field(default_factory=dict)
    held: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    done: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
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


def expect(program: Sequence[Any], times: Sequence[Any], config: Config, inputs: data.StructLayout) -> Expected:
    """Return what happens in a program of `programs.Do`, whose instructions are executed at some `programs.Times`."""
    lanes = config.lowrank.lanes
    machine = Interpreter(Program(np.zeros(0, np.int64), 0, 0), memory=1)
    found = Expected()
    units = [name for name, _ in inputs if name in (*SCALAR, "memory")]
    found.held, found.done = ({name: [] for name in units} for _ in range(2))
    frames: list[dict[str, Any]] = [
        {"leaving": {}, **{name: {} for name in units}} for _ in range(max(at.done for at in times) + 3)
    ]
    for frame in frames:
        frame["memory"] |= {"reads": 0, "writes": 0, "free": 1}
    for do, at in zip(program, times, strict=True):
        for cycle in range(at.ex, at.mem):
            frames[cycle][do.unit]["in_ex"] = 1
        frames[at.mem - 1][do.unit]["enters"] = 1
        found.held[do.unit].append((at.ex, at.start))
        found.done[do.unit].append((at.ex, at.done))
        machine.vl = do.vl
        if do.unit == "memory":
            _move(do, at, lanes, machine, [frame["memory"] for frame in frames], found)
        else:
            _execute(do, at, machine, frames[at.mem - 1]["leaving"], found)
        found.coverage[do.name] += 1
        found.coverage[f"{do.name} waits"] += at.start > at.mem
    found.coverage["two results"] = len(found.scalars) - len({cycle for cycle, *_ in found.scalars})
    for held in found.held.values():
        found.coverage["queue full"] += sum(
            ex == start for (_, start), (ex, _) in zip(held, held[config.pipeline.queue :], strict=False)
        )
    found.frames = [packed(inputs, frame) for frame in frames]
    return found


def _move(do: Any, at: Any, lanes: int, machine: Interpreter, memory: list[dict[str, Any]], found: Expected) -> None:
    """Load, with each row written at the last moment, or store, with the first rows read at the first one."""
    rows = ceil(do.vl / lanes)
    stores = do.name == "STORE"
    register = do.a if stores else do.d
    memory[at.mem - 1]["uses"] = {"first" if stores else "written": {"used": 1, "number": register}}
    for cycle in range(at.start, at.free - 1):
        memory[cycle]["free"] = 0
    if not stores:
        machine.deliver_vector(register, list(do.words))
    words = [machine.vectors[register][row * lanes : (row + 1) * lanes] for row in range(rows)]
    if stores:
        memory[at.free - 1]["reads"] |= 1 << register
        for row in range(rows):
            cycle = at.free - 1 if row == rows - 1 else at.start + row
            memory[cycle]["read"] = {"first": register, "row": row}
            found.rows[cycle] = words[row]
        return
    memory[at.done - 1]["writes"] |= 1 << register
    for row in range(rows):
        memory[at.done - rows + row]["write"] = {
            **{"enable": 1, "number": register, "row": row, "mask": (1 << lanes) - 1},
            **{"words": row_bits(words[row]), "last": row == rows - 1},
        }


def _execute(do: Any, at: Any, machine: Interpreter, leaving: dict[str, Any], found: Expected) -> None:
    """Execute an instruction of a unit."""
    line = BY_NAME[do.name]
    leaving["instruction"] = bits(encode(line, do.d, do.a, do.b, do.i))
    leaving |= {"x": bits(do.x), "y": bits(do.y), "vl": do.vl}
    values = []
    for name, operand in operands(line):
        number = getattr(do, operand.field)
        scalars = {"rs": do.x, "rt": do.y}
        values.append(scalars[name] if name in scalars else machine.vectors[number] if name in ("vs", "vt") else number)
    machine.registers = [0] * REGISTERS
    SEMANTICS[do.name](machine, *values)
    for port, names in enumerate(SCALAR[do.unit]):
        if do.name in names and do.d:
            assert (at.done - 1, do.unit, port) not in found.scalars
            found.scalars[at.done - 1, do.unit, port] = do.d, machine.registers[do.d]


def compare(expected: Expected, config: Config, outputs: data.StructLayout, received: Sequence[int]) -> None:
    """Raise AssertionError, with the cycle, where the units gave other outputs than expected."""
    places = fields(outputs)
    entered, started = (
        {name: Counter(pair[place] for pair in held) for name, held in expected.held.items()} for place in (0, 1)
    )
    completions = {name: sorted(done) for name, done in expected.done.items()}
    inside, latest = Counter(), Counter()
    for cycle, number in enumerate(received):

        def given(name: str, number: int = number) -> int:
            offset, mask = places[name]
            return number >> offset & mask

        def same(name: str, wanted: int, cycle: int = cycle) -> None:
            found = given(name)
            assert found == wanted, f"cycle {cycle}: {name} is {found:#x}, not {wanted:#x}"

        for name, pending in completions.items():
            same(f"{name}.starts", started[name][cycle + 1] > 0)
            # Those that are in EX or wait, and do not start in the next cycle.
            inside[name] += entered[name][cycle] - started[name][cycle + 1]
            same(f"{name}.room", inside[name] < config.pipeline.queue)
            while pending and pending[0][0] <= cycle:
                latest[name] = max(latest[name], pending.pop(0)[1])
            if name in SCALAR:
                same(f"{name}.idle", latest[name] <= cycle + 1)
            for port in range(len(SCALAR.get(name, ()))):
                for kind, at in (("result", cycle), ("announced", cycle + 1)):
                    register, word = expected.scalars.get((at, name, port), (0, 0))
                    same(f"{name}.{kind}{port}.valid", register > 0)
                    if register:
                        same(f"{name}.{kind}{port}.register", register)
                    if register and kind == "result":
                        same(f"{name}.{kind}{port}.word", bits(word))
        if cycle in expected.rows:
            same("memory.words", row_bits(expected.rows[cycle]))
