"""The core's multiplier against the interpreter's semantics of its instructions."""

from random import Random
from typing import Any

import numpy as np
from amaranth import Module
from amaranth.sim import Simulator

from pentary.interpreter import Interpreter
from pentary.interpreter.machine import SEMANTICS
from pentary.isa.program import Program
from pentary.isa.table import ACCUMULATOR
from pentary.numbers.alu import Flags
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.core.multiplier import Multiplier, Op

INSTRUCTIONS = {Op.LOW: "MUL", Op.HIGH: "MULH", Op.ACCUMULATE: "MAC", Op.SET: "ACCSET"}
LATENCY = 3
Operation = tuple[Op, int, int, bool]
"""Operation, its factors, and whether what it writes to the accumulator is dropped."""


def number_of(digits: Any) -> int:
    """Return the number of some biased digits."""
    return sum((digit - w.BIAS) * 5**place for place, digit in enumerate(digits))


def numbers(rng: Random) -> int:
    """Return a word, often a corner case."""
    power = 5 ** rng.randrange(PENTS)
    near = rng.choice((power, power // 2, power // 2 + 1, power - 1, WORD_MAX, WORD_MAX - 1, 0, 1))
    return rng.choice((near, -near, rng.randint(-WORD_MAX, WORD_MAX)))


def check(operations: list[Operation | None]) -> list[int]:
    """Drive the multiplier with an operation or none a cycle, compare with the interpreter; return all flags."""
    unit = Multiplier()
    golden = Interpreter(Program(np.zeros(0, np.int64), 0, 0), memory=1)
    seen: list[int] = []

    async def testbench(context: Any) -> None:
        nothing: list[Operation | None] = [None] * LATENCY
        for starting, ending in zip([*operations, *nothing], [*nothing, *operations], strict=True):
            context.set(unit.start, starting is not None)
            op, x, y, _ = starting or (Op.ACCUMULATE, 7, 8, False)
            context.set(unit.op, op)
            context.set(unit.x, w.biased(x))
            context.set(unit.y, w.biased(y))
            assert context.get(unit.done) == (ending is not None)
            assert number_of(context.get(unit.acc)) == golden.acc
            if ending is not None:
                op, x, y, drop = ending
                context.set(unit.drop, drop)
                before, golden.registers[1] = golden.acc, 0
                operands = {Op.ACCUMULATE: (x, y), Op.SET: (x,)}.get(op, (1, x, y))
                SEMANTICS[INSTRUCTIONS[op]](golden, *operands)
                assert context.get(unit.done_op) == op
                assert number_of(context.get(unit.result)) == golden.registers[1], ending
                assert context.get(unit.flags.as_value()) == golden.flags, ending
                seen.append(int(golden.flags))
                if drop:
                    golden.acc = before
            await context.tick()
        assert number_of(context.get(unit.acc)) == golden.acc

    m = Module()
    m.submodules.unit = unit
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return seen


def test_random_operations() -> None:
    seed = "multiplier"
    print("seed", seed)
    rng = Random(seed)
    check(
        [
            None if rng.random() < gaps else (rng.choice(list(Op)), numbers(rng), numbers(rng), rng.random() < 0.1)
            for gaps in (0, 0.5)
            for _ in range(120)
        ]
    )


def test_products_of_corner_cases() -> None:
    powers = [5**place for place in range(PENTS)]
    halves = [power // 2 + more for power in powers[::7] for more in (0, 1)]
    corners = [*powers[::5], *halves, WORD_MAX, WORD_MAX - 1]
    rng = Random(5)
    check(
        [
            (op, sign * x, y, False)
            for x in (0, *corners)
            for y in corners
            for op, sign in [(rng.choice((Op.LOW, Op.HIGH, Op.ACCUMULATE)), rng.choice((1, -1)))]
        ]
    )


def test_the_accumulator_wraps_around_both_ends_and_a_dropped_operation_leaves_it() -> None:
    assert 2 * WORD_MAX**2 < 5**ACCUMULATOR // 2 < 3 * WORD_MAX**2
    up: list[Operation | None] = [(Op.ACCUMULATE, WORD_MAX, WORD_MAX, False)] * 6
    down: list[Operation | None] = [(Op.ACCUMULATE, WORD_MAX, -WORD_MAX, False)] * 12
    dropped: list[Operation | None] = [
        (Op.SET, -5, 3, False),
        (Op.ACCUMULATE, 3, 4, True),
        (Op.SET, 99, 0, True),
        (Op.ACCUMULATE, -1, 5, False),
        None,
        (Op.LOW, 6, 7, False),
        (Op.HIGH, WORD_MAX, WORD_MAX, False),
        (Op.ACCUMULATE, 2, 2, False),
    ]
    over = [bool(flags & Flags.V) for flags in check([*up, *down, *dropped])]
    assert over[:3] == [False, False, True] and any(over[len(up) : len(up) + len(down)])
