"""The core's arithmetic and logic unit against the interpreter's semantics of each instruction."""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.sim import Simulator

from pentary.interpreter import Interpreter
from pentary.interpreter.machine import SEMANTICS
from pentary.isa.encoding import operands
from pentary.isa.program import Program
from pentary.isa.table import ACCUMULATOR, BY_NAME
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import INSTRUCTIONS, Alu, Operands, second_operand

CASES = 60
NOT_HERE = {"MUL", "MULH", "DIV", "REM", "MULI", "MAC", "ACCSET", "LI", "FLAGS"}
"""Instructions of other units, and those that only move words."""


def numbers(rng: Random, pents: int = PENTS) -> int:
    """Return a number of so many pents, often a corner case."""
    greatest = (5**pents - 1) // 2
    power = 5 ** rng.randrange(pents)
    near = rng.choice((power, power // 2, power // 2 + 1, greatest, greatest - 1, 0, 1))
    return rng.choice((near, -near, rng.randint(-greatest, greatest)))


def digits_of(number: int, digits: int = PENTS) -> list[int]:
    """Return biased digits by Python's integers alone."""
    found = []
    for _ in range(digits):
        pent = (number + 2) % 5 - 2
        found.append(pent + 2)
        number = (number - pent) // 5
    return found


def simulate(unit: Alu, testbench: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """Run a test bench on a unit."""
    m = Module()
    m.submodules.unit = unit
    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()


def test_every_instruction_of_one_cycle_is_here() -> None:
    groups = ("arithmetic", "logic")
    assert set(INSTRUCTIONS) == {name for name, line in BY_NAME.items() if line.group in groups} - NOT_HERE


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_an_instruction_gives_the_word_and_the_flags_of_the_interpreter(name: str) -> None:
    rng = Random(f"alu {name}")
    print("seed", f"alu {name}")
    op, kind = INSTRUCTIONS[name]
    golden = Interpreter(Program(np.zeros(0, np.int64), 0, 0), memory=1)
    drawn: list[dict[str, Any]] = []
    for _ in range(CASES):
        values: dict[str, int] = {}
        for operand, shape in operands(BY_NAME[name]):
            assert shape.low is not None and shape.high is not None
            values[operand] = rng.randint(shape.low, shape.high) if operand in ("i", "k", "w") else numbers(rng)
        if name in ("CMP", "CMP3", "MIN") and rng.random() < 0.3:
            values["rt"] = values["rs"]
        if name in ("SHL", "SHR"):
            values["rt"] = rng.randint(0, PENTS)
        if "rd" in values:
            values["rd"] = 1
        golden.acc = numbers(rng, ACCUMULATOR)
        SEMANTICS[name](golden, *values.values())
        drawn.append(values | {"acc": golden.acc, "result": golden.registers[1], "flags": golden.flags})

    unit = Alu()

    async def testbench(context: Any) -> None:
        for each in drawn:
            rs, rt = each.get("rs", 0), each.get("rt", 0)
            y = {
                Operands.RT: rt,
                Operands.MINUS_RT: -rt,
                Operands.RS: rs,
                Operands.MINUS_RS: -rs,
                Operands.IMMEDIATE: each.get("i", 0),
                Operands.HIGH_IMMEDIATE: each.get("i", 0) * 5**10,
                Operands.ZERO: 0,
            }[kind]
            context.set(unit.op, op)
            context.set(unit.x, digits_of(rs))
            *digits, beyond = digits_of(y, PENTS + 1)
            context.set(unit.y, digits)
            context.set(unit.beyond, beyond)
            context.set(unit.k, each.get("k", each.get("w", rt if name in ("SHL", "SHR") else 0)))
            context.set(unit.acc, digits_of(each["acc"], ACCUMULATOR))
            await context.delay(1e-9)
            if "rd" in each:
                assert list(context.get(unit.result)) == digits_of(each["result"]), each
            assert context.get(unit.flags.as_value()) == each["flags"], each

    simulate(unit, testbench)


def test_branches_compare() -> None:
    rng = Random(8)
    unit = Alu()
    pairs = [(numbers(rng), numbers(rng)) for _ in range(CASES)]
    pairs += [(x, x + 1) for x, _ in pairs if x < WORD_MAX] + [(x, x) for x, _ in pairs]

    async def testbench(context: Any) -> None:
        for x, y in pairs:
            context.set(unit.x, digits_of(x))
            context.set(unit.y, digits_of(y))
            await context.delay(1e-9)
            assert (context.get(unit.less), context.get(unit.equal)) == (x < y, x == y)

    simulate(unit, testbench)


def test_the_second_operand_comes_from_registers_or_the_immediate() -> None:
    rs, rt, i = (w.constant(number) for number in (9, -20, 0))
    immediate = i[:7]

    def values(kind: Operands) -> list[Any]:
        return [getattr(digit, "value", None) for digit in second_operand(kind, rs, rt, immediate)]

    nothing = [w.BIAS] * (PENTS + 1)
    assert values(Operands.RT) == [*w.biased(-20), w.BIAS] and values(Operands.RS) == [*w.biased(9), w.BIAS]
    assert values(Operands.ZERO) == values(Operands.IMMEDIATE) == values(Operands.HIGH_IMMEDIATE) == nothing
    assert all(len(second_operand(kind, rs, rt, immediate)) == PENTS + 1 for kind in Operands)
    for number in (7, -39_062, 39_062):
        high = second_operand(Operands.HIGH_IMMEDIATE, rs, rt, w.constant(number)[:7])
        assert [getattr(digit, "value", None) for digit in high] == digits_of(number * 5**10, PENTS + 1)


def test_digits_are_those_of_the_number_system() -> None:
    rng = Random(3)
    for _ in range(200):
        number = numbers(rng)
        assert w.biased(number) == digits_of(number)
