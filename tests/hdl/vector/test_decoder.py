"""Decoders of the units that use vector registers against the encoding of the instruction set."""

from random import Random
from typing import Any

import pytest
from amaranth import Module
from amaranth.lib import enum
from amaranth.sim import Simulator

from pentary.isa.encoding import encode, operands
from pentary.isa.table import INSTRUCTIONS
from pentary_hdl.core import word as w
from pentary_hdl.lowrank.decoder import Op as LowRankOp
from pentary_hdl.vector.decoder import Decoder, Op


@pytest.mark.parametrize("unit, ops", [("vector", Op), ("lowrank", LowRankOp)])
def test_legal_words_are_decoded_as_the_encoding_says(unit: str, ops: type[enum.Enum]) -> None:
    rng = Random(7)
    decoder = Decoder(ops)
    m = Module()
    m.submodules.decoder = decoder

    async def testbench(context: Any) -> None:
        for line in [line for line in INSTRUCTIONS for _ in range(8)]:
            taken = {name: operand.field for name, operand in operands(line)}
            # Scalar registers that are read are the pipeline's to decode.
            own = [
                operand.field for name, operand in operands(line) if name not in ("rs", "rt") and operand.field != "i"
            ]
            drawn = {operand.field: rng.randint(operand.low or 0, operand.high or 0) for _, operand in operands(line)}
            context.set(decoder.word, w.biased(encode(line, **drawn)))
            await context.delay(1e-9)
            found = context.get(decoder.control)
            if line.unit != unit:
                assert context.get(decoder.control.as_value()) == 0, line.name
                continue
            assert found.present and found.op == ops[line.name]
            for name in own:
                assert found[name] == drawn[name], (line.name, name)
            if "w" in taken:
                assert found.width == drawn["i"] - 1
            for part, name in (("first", "vs"), ("second", "vt"), ("written", "vd")):
                assert found.uses[part].used == (name in taken), (line.name, name)
                assert name not in taken or found.uses[part].number == drawn[taken[name]]

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()
