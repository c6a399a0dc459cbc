"""Lanes of the low-rank unit: products with pents, their sums in each lane, and for LRMULX the sum over all lanes.

A negative product is first the one's complement, which is 1 too little: the adder that takes it adds 1 as its carry.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import ACTIVATION
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import limit
from pentary_hdl.lowrank import bounds
from pentary_hdl.lowrank.factors import NEVER_BOTH
from pentary_hdl.lralu.digits import PENT, Multiple, plus
from pentary_hdl.vector.limbs import LIMB
from pentary_hdl.vector.parameters import Sizes

_PRODUCT = limit(ACTIVATION) * bounds.PENT


class Lanes(wiring.Component):
    """A multiplier and an accumulator in each lane; three stages.

    Args:
        sizes: of the unit.

    Members:
        projects: In; multiply the inputs by `a`, else the coefficient by `b`.
        coefficient: In; a pent of A, or U.
        inputs: In; a number for each lane.
        a, b: In; rows of pents.
        multiplies: In; two stages later: add the products to the sums.
        store: In; with `multiplies`: begin new sums.
        products, negative: Out; two stages later: the products, 1 too little where `negative` is 1.
        sums: Out; two stages later: the sums with these products.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create the lanes."""
        self._lanes = lanes = sizes.lanes
        super().__init__(
            {
                "projects": In(1),
                "coefficient": In(bounds.shape_of(bounds.PROJECTED)),
                "inputs": In(LIMB).array(lanes),
                "a": In(data.ArrayLayout(PENT, lanes)),
                "b": In(data.ArrayLayout(PENT, lanes)),
                "multiplies": In(1),
                "store": In(1),
                "products": Out(bounds.shape_of(_PRODUCT)).array(lanes),
                "negative": Out(lanes),
                "sums": Out(bounds.shape_of(bounds.SUM)).array(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Select the factors, multiply and accumulate."""
        m = Module()
        projects, coefficient = Signal(), Signal.like(self.coefficient, reset_less=True)
        m.d.sync += [projects.eq(self.projects), coefficient.eq(self.coefficient)]
        for lane in range(self._lanes):
            pent, number = Signal(PENT, name=f"pent_{lane}"), Signal(LIMB, name=f"number_{lane}")
            m.d.sync += [pent.eq(Mux(self.projects, self.a[lane], self.b[lane])), number.eq(self.inputs[lane])]
            multiple, factor = Multiple.of_pent(pent), Signal.like(coefficient, name=f"factor_{lane}")
            m.d.comb += factor.eq(Mux(projects, number, coefficient))
            product = Signal(bounds.shape_of(bounds.PROJECTED * bounds.PENT), name=f"product_{lane}", reset_less=True)
            m.d.sync += [
                product.eq(Mux(multiple.none, 0, multiple.complemented(factor).as_signed())),
                self.negative[lane].eq(multiple.negative),
            ]
            total = Signal.like(self.sums[lane], name=f"total_{lane}")
            m.d.comb += [
                self.products[lane].eq(product),
                self.sums[lane].eq(plus(total, product, self.negative[lane])),
            ]
            with m.If(self.multiplies):
                m.d.sync += total.eq(Mux(self.store, 0, self.sums[lane]))
        return m


class Projection(wiring.Component):
    """Sums of the products of all lanes, and their memory: U of LRMULX.

    A tree of adders takes as many stages as it has levels. The carries of its lanes wait until an adder takes them.

    Args:
        sizes: of the unit.

    Members:
        products, negative: In; of `Lanes`.
        valid: In; with the products' sum: add it up.
        begins, ends: In; with `valid`: these are the first products, and the last ones, of a level.
        level: In; with `valid`: the level.
        read: In; level whose U is read.
        projected: Out; U in the next cycle.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create a tree."""
        lanes = sizes.lanes
        super().__init__(
            {
                "products": In(bounds.shape_of(_PRODUCT)).array(lanes),
                "negative": In(lanes),
                "valid": In(1),
                "begins": In(1),
                "ends": In(1),
                "level": In(range(MAX_RANK)),
                "read": In(range(MAX_RANK)),
                "projected": Out(bounds.shape_of(bounds.PROJECTED)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Add up pairs, then rows."""
        m = Module()
        sums, carries, bound = list(self.products), list(self.negative), _PRODUCT
        while len(sums) > 1:
            bound *= 2
            totals = [Signal(bounds.shape_of(bound), name=f"sum_{bound}_{n}") for n in range(len(sums) // 2)]
            kept = [Signal(name=f"carry_{bound}_{n}") for n in range(len(totals))]
            for total, one, other, carry in zip(totals, sums[::2], sums[1::2], carries[::2], strict=True):
                m.d.sync += total.eq(plus(one, other, carry))
            m.d.sync += [own.eq(carry) for own, carry in zip(kept, carries[1::2], strict=True)]
            sums, carries = totals, kept

        total, added = Signal.like(self.projected), Signal.like(self.projected)
        m.d.comb += added.eq(plus(Mux(self.begins, 0, total).as_signed(), sums[0], carries[0]))
        with m.If(self.valid):
            m.d.sync += total.eq(added)
        m.submodules.memory = content = memory.Memory(shape=added.shape(), depth=MAX_RANK, init=[], attrs=NEVER_BOTH)
        writes, reads = content.write_port(), content.read_port()
        m.d.comb += [
            writes.en.eq(self.valid & self.ends),
            writes.addr.eq(self.level),
            writes.data.eq(added),
            reads.addr.eq(self.read),
            self.projected.eq(reads.data),
        ]
        return m
