"""Instructions for the vector unit and for a second user of the vector registers: when and what, by the written rules.

The timing is that of architecture/pipeline.md, stated anew in terms of cycle numbers; the values are the interpreter's.
The second user stands for the vector load/store unit: its loads write a register, its stores read one.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import ceil, log2
from random import Random
from typing import Any

import numpy as np
from amaranth.lib import data

from pentary.interpreter import Interpreter
from pentary.interpreter.machine import SEMANTICS
from pentary.isa.encoding import encode, operands
from pentary.isa.program import Program
from pentary.isa.table import BY_NAME, INSTRUCTIONS, MAX_VL
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as w

NAMES = [line.name for line in INSTRUCTIONS if line.unit == "vector"]
BIASED_ZERO = sum(w.BIAS << 3 * place for place in range(PENTS))


@dataclass
class Do:
    """An instruction.

    Attributes:
        name: of an instruction of the vector unit; or LOAD or STORE, of the second user.
        d, a, b, i: its fields; of LOAD, d is the register, of STORE, a.
        vl: VL.
        x, y: words of the scalar registers in fields a and b.
        words: of LOAD.
        beats: cycles that LOAD and STORE take.
        gap: cycles by which it enters EX late.
        held: cycles by which it stays in EX.
    """

    name: str
    vl: int = MAX_VL
    d: int = 0
    a: int = 0
    b: int = 0
    i: int = 0
    x: int = 0
    y: int = 0
    words: list[int] = field(default_factory=list)
    beats: int = 0
    gap: int = 0
    held: int = 0


@dataclass
class Times:
    """Cycles in which an instruction enters EX and MEM, starts, frees its unit, and is complete."""

    ex: int
    mem: int
    start: int
    free: int
    done: int


def cost(do: Do, lanes: int) -> tuple[int, int]:
    """Return occupancy and latency, from the table in isa.md."""
    v, d = ceil(do.vl / lanes), int(log2(lanes))
    match do.name:
        case "LOAD":
            return do.beats, do.beats + 2
        case "STORE":
            return do.beats, do.beats + 1
        case "VGET" | "VSET" | "FITGET":
            return 1, 2
        case "VMUL" | "VMULS":
            return v, v + 4
        case "CONV":
            return do.i * v, do.i * v + 4
        case "VSUM" | "VMAX":
            return v, v + d + 2
        case "POPEVAL":
            return v, v + d + 4
    return v, v + 2


def vectors(do: Do) -> tuple[set[int], set[int]]:
    """Return the vector registers that an instruction reads, and those that it writes."""
    if do.name in ("LOAD", "STORE"):
        return ({do.a}, set()) if do.name == "STORE" else (set(), {do.d})
    taken = {name: getattr(do, operand.field) for name, operand in operands(BY_NAME[do.name])}
    writes = {taken["vd"]} if "vd" in taken else set()
    reads = {taken[name] for name in ("vs", "vt") if name in taken}
    return (reads | writes if do.name in ("VSET", "VSEL") else reads), writes


def schedule(program: list[Do], config: Config) -> list[Times]:
    """Return when everything happens."""
    lanes, queue = config.lowrank.lanes, config.pipeline.queue
    times: list[Times] = []
    of_unit: dict[bool, list[Times]] = {True: [], False: []}
    complete, read_until, evaluated = [0] * 8, [0] * 8, [0] * 4
    for do in program:
        own = of_unit[do.name in ("LOAD", "STORE")]
        ex = 1 + do.gap if not times else max(times[-1].mem, times[-1].ex + 1 + do.gap)
        if len(own) >= queue:
            ex = max(ex, own[-queue].start)
        mem = ex + 1 + do.held
        reads, writes = vectors(do)
        start = max([mem, *(complete[v] for v in reads | writes), *(read_until[v] for v in writes)])
        if own:
            start = max(start, own[-1].free)
        if do.name == "FITGET":
            start = max(start, evaluated[do.a])
        occupancy, latency = cost(do, lanes)
        found = Times(ex, mem, start, start + occupancy, start + latency)
        for v in reads:
            read_until[v] = max(read_until[v], found.free)
        for v in writes:
            complete[v] = found.done
        if do.name == "POPEVAL":
            evaluated[do.d] = found.done
        own.append(found)
        times.append(found)
    return times


@dataclass
class Expected:
    """What the unit is to give.

    Attributes:
        frames: inputs of each cycle, as packed bits.
        scalars: by cycle and port, register and word.
        rows: by cycle, the row of a STORE that is read, as words.
        starts: by user (0: the vector unit), cycles in which its instructions start.
        held: by user, for each instruction, its cycle of EX and that of its start.
        done: of the vector unit's instructions, the cycles of EX and of start + latency.
        coverage: what has happened how often.
    """

    frames: list[int]
    scalars: dict[tuple[int, int], tuple[int, int]]
    rows: dict[int, list[int]]
    starts: list[set[int]]
    held: list[list[tuple[int, int]]]
    done: list[tuple[int, int]]
    coverage: Counter[str]


def bits(number: int) -> int:
    """Return a word as biased digits in three bits each."""
    number += WORD_MAX
    found = 0
    for place in range(PENTS):
        number, digit = divmod(number, 5)
        found |= digit << 3 * place
    return found


def packed(layout: data.StructLayout, values: dict[str, Any]) -> int:
    """Return the bits of a structure from those of its fields, some of which are structures."""
    total = 0
    for name, value in values.items():
        part = layout[name]
        number = packed(part.shape, value) if isinstance(value, dict) else int(value)
        assert 0 <= number < 1 << part.width, name
        total |= number << part.offset
    return total


def expect(program: list[Do], config: Config, inputs: data.StructLayout) -> Expected:
    """Return the inputs of all cycles, and what the unit is to do."""
    lanes = config.lowrank.lanes
    times = schedule(program, config)
    machine = Interpreter(Program(np.zeros(0, np.int64), 0, 0), memory=1)
    last = max(each.done for each in times) + 3
    unit: list[dict[str, Any]] = [{} for _ in range(last)]
    other: list[dict[str, Any]] = [{"reads": 0, "writes": 0, "free": 1} for _ in range(last)]
    found = Expected([], {}, {}, [set(), set()], [[], []], [], Counter())
    for do, at in zip(program, times, strict=True):
        moves = do.name in ("LOAD", "STORE")
        frames = other if moves else unit
        for cycle in range(at.ex, at.mem):
            frames[cycle]["in_ex"] = 1
        frames[at.mem - 1]["enters"] = 1
        found.starts[moves].add(at.start)
        found.held[moves].append((at.ex, at.start))
        machine.vl = do.vl
        if moves:
            rows = ceil(do.vl / lanes)
            for cycle in range(at.start, at.free - 1):
                other[cycle]["free"] = 0
            if at.free - 1 > at.start - 1:
                other[at.start]["free"] = int(at.free == at.start + 1)
            kind = "first" if do.name == "STORE" else "written"
            register = do.a if do.name == "STORE" else do.d
            other[at.mem - 1]["uses"] = {kind: {"used": 1, "number": register}}
            if do.name == "STORE":
                other[at.free - 1]["reads"] |= 1 << register
                for row in range(rows):
                    cycle = at.free - 1 if row == rows - 1 else at.start + row
                    other[cycle]["read"] = {"first": register, "row": row}
                    found.rows[cycle] = machine.vectors[register][row * lanes : (row + 1) * lanes]
            else:
                machine.deliver_vector(register, do.words[: do.vl])
                other[at.done - 1]["writes"] |= 1 << register
                for row in range(rows):
                    words = machine.vectors[register][row * lanes : (row + 1) * lanes]
                    # The rows are written at the last moment.
                    other[at.done - rows + row]["write"] = {
                        **{"enable": 1, "number": register, "row": row, "mask": (1 << lanes) - 1},
                        "words": sum(bits(word) << 48 * lane for lane, word in enumerate(words)),
                        "last": row == rows - 1,
                    }
            continue
        line = BY_NAME[do.name]
        unit[at.mem - 1] |= {
            "instruction": bits(encode(line, do.d, do.a, do.b, do.i)),
            **{"x": bits(do.x), "y": bits(do.y), "vl": do.vl},
        }
        found.done.append((at.ex, at.done))
        values = []
        for name, operand in operands(line):
            number = getattr(do, operand.field)
            words = {"rs": do.x, "rt": do.y}
            values.append(words[name] if name in words else machine.vectors[number] if name in ("vs", "vt") else number)
        machine.registers = [0] * 32
        SEMANTICS[do.name](machine, *values)
        if do.name in ("VGET", "FITGET", "VSUM", "VMAX") and do.d:
            found.scalars[at.done - 1, int(do.name in ("VSUM", "VMAX"))] = do.d, machine.registers[do.d]
        found.coverage[do.name] += 1
        if at.start > at.mem:
            found.coverage[f"{do.name} waits"] += 1
    found.coverage["two results"] = sum((cycle, 1) in found.scalars for cycle, port in found.scalars if port == 0)
    for number, (one, two) in enumerate(zip(unit, other, strict=True)):
        filled = {"instruction": BIASED_ZERO} | one if "enters" not in one else one
        found.frames.append(packed(inputs, {"unit": filled, "other": two}))
        del number
    return found


def check(expected: Expected, config: Config, outputs: data.StructLayout, received: list[int]) -> None:
    """Compare what the unit gave, cycle by cycle, with what it was to give."""
    queue = config.pipeline.queue
    entered = [[0] * (len(received) + 2) for _ in range(2)]
    started = [[0] * (len(received) + 2) for _ in range(2)]
    for user in (0, 1):
        for ex, start in expected.held[user]:
            entered[user][ex] += 1
            started[user][start] += 1
    entered_now, started_by = [0, 0], [started[0][0], started[1][0]]
    complete = sorted(done for _, done in expected.done)
    in_flight = sorted(expected.done)
    for cycle, number in enumerate(received):
        given = data.Const(outputs, number)
        for user, part in enumerate((given.unit, given.other)):
            entered_now[user] += entered[user][cycle]
            started_by[user] += started[user][cycle + 1]
            name = ("the vector unit", "the second user")[user]
            assert part.starts == (cycle + 1 in expected.starts[user]), f"cycle {cycle}: a start of {name}"
            room = entered_now[user] - started_by[user] < queue
            assert part.room == room, f"cycle {cycle}: room for {name}"
        for port in (0, 1):
            result, announced = given.unit[f"result{port}"], given.unit[f"announced{port}"]
            register, word = expected.scalars.get((cycle, port), (0, 0))
            assert result.valid == (register > 0), f"cycle {cycle}: result {port}"
            if register:
                assert result.register == register, f"cycle {cycle}: register"
                assert result.word.as_bits() == bits(word), f"cycle {cycle}: word, {word}"
            register, _ = expected.scalars.get((cycle + 1, port), (0, 0))
            assert announced.valid == (register > 0), f"cycle {cycle}: announcement {port}"
            assert not register or announced.register == register
        if cycle in expected.rows:
            read = given.other.words.as_bits() & (1 << 48 * config.lowrank.lanes) - 1
            wanted = sum(bits(word) << 48 * lane for lane, word in enumerate(expected.rows[cycle]))
            if read != wanted:
                lane = next(k for k in range(1000) if (read ^ wanted) >> 48 * k & (1 << 48) - 1)
                raise AssertionError(f"cycle {cycle}: element {lane} of the row that is read")
        while in_flight and in_flight[0][0] <= cycle:
            in_flight.pop(0)
        idle = all(done <= cycle + 1 for ex, done in expected.done if ex <= cycle) if len(expected.done) < 50 else None
        if idle is not None:
            assert given.unit.idle == idle, f"cycle {cycle}: idle"
    del complete


def word(rng: Random) -> int:
    """Return a word, often a corner case."""
    power = 5 ** rng.randrange(PENTS)
    near = rng.choice((power, power // 2, power // 2 + 1, power - 1, WORD_MAX, WORD_MAX - 1, 0, 1, 195312, 195313))
    return rng.choice((near, -near, rng.randint(-WORD_MAX, WORD_MAX), rng.randint(-400_000, 400_000)))


def row(rng: Random, vl: int) -> list[int]:
    """Return the words of a vector: all alike in kind, or any."""
    match rng.randrange(6):
        case 0:
            return [rng.choice((WORD_MAX, WORD_MAX, WORD_MAX - 1)) for _ in range(vl)]
        case 1:
            return [rng.choice((-WORD_MAX, -WORD_MAX, 1)) for _ in range(vl)]
        case 2:
            return [rng.randint(-9, 9) for _ in range(vl)]
        case 3:
            return [rng.randint(-200_000, 200_000) for _ in range(vl)]
    return [word(rng) for _ in range(vl)]


def drawn(rng: Random, lanes: int, vls: list[int], registers: int = 8) -> Do:
    """Return a random instruction of either user."""
    name = rng.choice([*NAMES, *["LOAD"] * 3, *["STORE"] * 4])
    vl = rng.choice(vls)
    do = Do(name, vl, gap=rng.choice((0, 0, 0, 1, 5, 40)), held=rng.choice((0, 0, 0, 1, 6)))
    if name in ("LOAD", "STORE"):
        do.beats = ceil(vl / lanes) + rng.choice((0, 0, 0, 1, 9))
        do.d, do.a = (rng.randrange(registers), 0) if name == "LOAD" else (0, rng.randrange(registers))
        do.words = row(rng, vl) if name == "LOAD" else []
        return do
    for role, operand in operands(BY_NAME[name]):
        high = registers - 1 if operand.kind == "vector" else operand.high
        setattr(do, operand.field, rng.randint(operand.low or 0, high or 0))
        if role in ("rs", "rt"):
            setattr(do, "x" if role == "rs" else "y", word(rng))
    if name == "VGET":
        do.y = rng.randrange(vl)
    if name == "VSET":
        do.x = rng.randrange(vl)
    if name == "CONV":
        do.i = rng.choice((1, 2, 3, do.i))
    return do
