"""Lanes and projection of the low-rank unit, with sums of the greatest magnitudes, against Python integers."""

from random import Random
from typing import Any

import pytest
from amaranth import Module
from amaranth.sim import Simulator

from pentary.isa.table import ACTIVATION, MAX_VL
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import limit
from pentary_hdl.lowrank import bounds
from pentary_hdl.lowrank.lanes import Lanes, Projection
from pentary_hdl.vector.parameters import Sizes

LANES = 16
GREATEST = limit(ACTIVATION)


def run(m: Module, testbench: Any) -> None:
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("pent", [2, 1, 0, -1, -2, None])
@pytest.mark.parametrize("number", [GREATEST, -GREATEST, None])
def test_projections(pent: int | None, number: int | None) -> None:
    """All inputs and pents the same, or random; the lanes multiply, and all rows of the input are added up."""
    rng = Random(f"{pent} {number}")
    m = Module()
    sizes = Sizes(LANES, 1)
    m.submodules.lanes = lanes = Lanes(sizes)
    m.submodules.projection = projection = Projection(sizes)
    m.d.comb += projection.negative.eq(lanes.negative)
    for own, product in zip(projection.products, lanes.products, strict=True):
        m.d.comb += own.eq(product)
    rows = MAX_VL // LANES
    wanted = [0, 0]

    async def testbench(context: Any) -> None:
        context.set(lanes.projects, 1)
        # The products of a row are added up two stages later, and after the levels of the tree.
        delay = 2 + sizes.depth
        for cycle in range(2 * rows + delay):
            pents = [rng.randint(-2, 2) if pent is None else pent for _ in range(LANES)]
            inputs = [rng.randint(-GREATEST, GREATEST) if number is None else number for _ in range(LANES)]
            if cycle < 2 * rows:
                wanted[cycle // rows] += sum(x * y for x, y in zip(pents, inputs, strict=True))
            context.set(lanes.a, pents)
            for lane, own in enumerate(inputs):
                context.set(lanes.inputs[lane], own)
            row = cycle - delay
            context.set(projection.valid, row >= 0)
            context.set(projection.begins, row % rows == 0)
            context.set(projection.ends, row % rows == rows - 1)
            context.set(projection.level, max(0, row) // rows)
            await context.tick()
        context.set(projection.valid, 0)
        for level, total in enumerate(wanted):
            context.set(projection.read, level)
            await context.tick()
            assert context.get(projection.projected) == total
        if None not in (pent, number):
            assert abs(wanted[0]) == abs(pent or 0) * bounds.PROJECTED // bounds.PENT

    run(m, testbench)


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_of_the_greatest_projections(sign: int) -> None:
    m = Module()
    m.submodules.lanes = lanes = Lanes(Sizes(LANES, 1))
    pents = [(-2, -1, 0, 1, 2)[lane % 5] for lane in range(LANES)]

    async def testbench(context: Any) -> None:
        context.set(lanes.coefficient, sign * bounds.PROJECTED)
        context.set(lanes.b, pents)
        await context.tick().repeat(2)
        context.set(lanes.multiplies, 1)
        for _ in range(2):  # the second time after the sums have been stored
            await context.tick().repeat(MAX_RANK - 1)
            context.set(lanes.store, 1)
            found = [context.get(total) for total in lanes.sums]
            assert found == [pent * sign * bounds.SUM // bounds.PENT for pent in pents]
            await context.tick()
            context.set(lanes.store, 0)

    run(m, testbench)
