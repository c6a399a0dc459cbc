"""The decoder of the crossbar's unit against the encoding of the instruction set."""

from random import Random
from typing import Any

from amaranth import Module
from amaranth.sim import Simulator

from pentary.isa.encoding import encode, operands
from pentary.isa.table import INSTRUCTIONS
from pentary_hdl.core import word as w
from pentary_hdl.crossbar.decoder import Decoder


def test_legal_words_are_decoded_as_the_encoding_says() -> None:
    rng = Random(8)
    unit = Decoder()
    m = Module()
    m.submodules.unit = unit

    async def testbench(context: Any) -> None:
        for line in [line for line in INSTRUCTIONS for _ in range(8)]:
            drawn = {operand.field: rng.randint(operand.low or 0, operand.high or 0) for _, operand in operands(line)}
            context.set(unit.word, w.biased(encode(line, **drawn)))
            await context.delay(1e-9)
            found = context.get(unit.control)
            if line.unit != "crossbar":
                assert context.get(unit.control.as_value()) == 0, line.name
                continue
            multiplies = line.name == "MATVEC"
            assert found.present and found.multiplies == multiplies
            assert found.uses.first.used and not found.uses.second.used and found.uses.written.used == multiplies
            assert found.a == found.uses.first.number == drawn["a"]
            assert not multiplies or found.d == found.uses.written.number == drawn["d"]

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()
