"""The branch target buffer after a reset, in Amaranth's simulator."""

import os
from random import Random
from typing import Any

import pytest
from amaranth import Elaboratable, Module, ResetInserter, Signal
from amaranth.sim import Simulator

from pentary_hdl.core import word as w
from pentary_hdl.core.predictor import TargetBuffer

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))


class WithReset(Elaboratable):
    def __init__(self, entries: int) -> None:
        self.buffer, self.reset = TargetBuffer(entries), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = ResetInserter(self.reset)(self.buffer)
        return m


@pytest.mark.parametrize(("entries", "depth"), [(1, 2), (25, 32)])
def test_a_reset_empties_it(entries: int, depth: int) -> None:
    design, random = WithReset(entries), Random(SEED)
    buffer = design.buffer

    async def known(context: Any) -> int:
        found = 0
        for address in range(entries):
            context.set(buffer.pc, w.biased(address))
            await context.delay(1e-9)
            found += context.get(buffer.known)
        return found

    async def testbench(context: Any) -> None:
        context.set(buffer.outcome.taken, 1)
        for _ in range(5):
            await context.tick()  # nothing is resolved in the first cycle
            for address in random.sample(range(entries), entries):
                context.set(buffer.outcome.pc, w.biased(address))
                context.set(buffer.resolve, 1)
                await context.tick()
            context.set(buffer.resolve, 0)
            await context.tick().repeat(random.randrange(1, depth + 1))
            assert await known(context) == entries
            context.set(design.reset, 1)
            await context.tick().repeat(depth + 1)
            context.set(design.reset, 0)
            assert await known(context) == 0, f"seed {SEED}"

    bench = Simulator(design)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()
