"""The meaning of instructions that the proofs of the core use is that of the interpreter and of the table."""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from pentary.interpreter import Interpreter
from pentary.interpreter.machine import SEMANTICS
from pentary.isa.encoding import IllegalInstruction, decode, encode, operands
from pentary.isa.program import Program
from pentary.isa.table import BY_NAME, INSTRUCTIONS
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.formal import meaning

CASES = 30


def numbers(rng: Random, pents: int = PENTS) -> int:
    """Return a number of so many pents, often a corner case."""
    greatest = (5**pents - 1) // 2
    power = 5 ** rng.randrange(pents)
    near = rng.choice((power, power // 2, power // 2 + 1, greatest, greatest - 1, 0, 1))
    return rng.choice((near, -near, rng.randint(-greatest, greatest)))


class Judge(wiring.Component):
    """Whether a word is the outcome of an instruction, with which flags, and whether another word is its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        words = dict.fromkeys(("word", "x", "y", "value"), In(w.WORD))
        super().__init__({**words, "right": Out(1), "sets": Out(6), "named": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word, x, y, value = (meaning.pents_of(m, each) for each in (self.word, self.x, self.y, self.value))
        outcome = meaning.OUTCOMES[self.name](m, meaning.Operands(word, x, y), value)
        m.d.comb += [
            self.right.eq(meaning.equal(value, outcome.pents)),
            self.sets.eq(meaning.flags(m, outcome)),
            self.named.eq(meaning.is_(BY_NAME[self.name], word)),
        ]
        return m


class Decoder(wiring.Component):
    """Whether a word is an instruction."""

    word: In(w.WORD)
    legal: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.legal.eq(meaning.is_instruction(meaning.pents_of(m, self.word), ()))
        return m


def simulate(unit: wiring.Component, testbench: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """Run a test bench on a unit."""
    m = Module()
    m.submodules.unit = unit
    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("name", meaning.OUTCOMES)
def test_an_outcome_is_that_of_the_interpreter(name: str) -> None:
    rng = Random(f"meaning {name}")
    print("seed", f"meaning {name}")
    line, judge = BY_NAME[name], Judge(name)
    golden = Interpreter(Program(np.zeros(0, np.int64), 0, 0), memory=1)

    async def testbench(ctx: Any) -> None:
        for _ in range(CASES):
            fields, values = {}, {}
            for operand, shape in operands(line):
                assert shape.low is not None and shape.high is not None
                fields[shape.field] = rng.randint(shape.low, shape.high)
                values[operand] = fields[shape.field] if shape.kind == "immediate" else numbers(rng)
            if "rt" in values and rng.random() < 0.2:
                values["rt"] = values["rs"]
            if name in ("SHL", "SHR"):
                values["rt"] = rng.randint(0, PENTS)
            values = values | ({"rd": 1} if "rd" in values else {})
            golden.registers[1] = 0
            SEMANTICS[name](golden, *values.values())
            result = golden.registers[1] if "rd" in values else golden.flags // 4 % 2 - golden.flags // 2 % 2
            ctx.set(judge.word, w.biased(encode(line, **fields)))
            ctx.set(judge.x, w.biased(values.get("rs", 0)))
            ctx.set(judge.y, w.biased(values.get("rt", 0)))
            ctx.set(judge.value, w.biased(result))
            assert (ctx.get(judge.right), ctx.get(judge.named)) == (1, 1), (values, result)
            if line.flags:
                assert ctx.get(judge.sets) == golden.flags, (values, result)
            wrong = rng.choice((result + 1, result - 1, -result or 1, numbers(rng)))
            if abs(wrong) <= WORD_MAX and wrong != result:
                ctx.set(judge.value, w.biased(wrong))
                assert not ctx.get(judge.right), (values, wrong)

    simulate(judge, testbench)


def test_the_words_that_are_instructions_are_those_that_the_table_decodes() -> None:
    rng = Random("legal")
    print("seed", "legal")
    decoder = Decoder()

    async def testbench(ctx: Any) -> None:
        for _ in range(300):
            line = rng.choice(INSTRUCTIONS)
            fields = {shape.field: rng.randint(shape.low or 0, shape.high or 0) for _, shape in operands(line)}
            number = encode(line, **fields) + rng.choice((0, 1, -1, rng.choice((1, -1)) * 5 ** rng.randrange(PENTS)))
            try:
                decode(number)
                legal = True
            except IllegalInstruction:
                legal = False
            ctx.set(decoder.word, w.biased(number))
            assert ctx.get(decoder.legal) == legal, number

    simulate(decoder, testbench)
