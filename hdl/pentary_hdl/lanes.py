"""The lanes: they multiply and accumulate, quantise, and keep the row sums."""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank import pquant_thresholds
from pentary.lralu import LowRankParameters
from pentary_hdl.digits import PENT, Multiple, plus, reaches

_PRODUCT_BITS = 4


class Lanes(wiring.Component):
    """A row sum for each column. A slot's products are made in its first cycle here, in its second it meets the sums.

    Members:
        rank_last: RANK - 1.
        coefficient, b, mask: pent of A, pents of B, and which of the lanes are columns.
        group: whose sums the slot is about, if one of the next four is 1.
        multiply, first: add a product; to nothing.
        store: write the sums back when the slot has done its work on them.
        quantise, read: round them; or leave them.
        sums: before the slot's work, in its second cycle.
        mask_of_sums: the slot's mask in that cycle.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take sizes and lanes."""
        self._parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "rank_last": In(range(parameters.max_rank)),
                "coefficient": In(PENT),
                "b": In(data.ArrayLayout(PENT, lanes)),
                "mask": In(lanes),
                "group": In(range(parameters.groups)),
                "multiply": In(1),
                "first": In(1),
                "store": In(1),
                "quantise": In(1),
                "read": In(1),
                "groups_last": In(range(parameters.groups)),
                "sums": Out(data.ArrayLayout(signed(parameters.sum_bits), lanes)),
                "mask_of_sums": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep the sums of the last group in registers, and those of all groups in a memory."""
        m = Module()
        bits, lanes = self._parameters.sum_bits, self._parameters.lanes
        magnitude_bits = bits - 1

        touched = self.multiply | self.quantise | self.read
        group, store, quantise = Signal.like(self.group), Signal(), Signal()
        m.d.sync += [store.eq(self.store), quantise.eq(self.quantise), self.mask_of_sums.eq(self.mask)]
        with m.If(touched):
            m.d.sync += group.eq(self.group)

        # LRMUL makes the sums of all other groups 0: which of the memory's are not is told by the last group it made.
        filled, groups_last = Signal(), Signal.like(self.groups_last)
        with m.If(self.multiply):
            m.d.sync += [filled.eq(1), groups_last.eq(self.groups_last)]
        same, from_memory = Signal(), Signal()
        m.d.sync += [
            same.eq(~touched | ~self.first & (self.group == group)),
            from_memory.eq(touched & ~self.first & (self.group != group) & filled & (self.group <= groups_last)),
        ]

        gaps = []
        for index in range(2):
            gap = Signal(magnitude_bits, reset_less=True)
            table = [pquant_thresholds(rank)[index] for rank in range(1, self._parameters.max_rank + 1)]
            with m.Switch(self.rank_last):
                for last, threshold in enumerate(table):
                    with m.Case(last):
                        m.d.sync += gap.eq((1 << magnitude_bits) - threshold)
            gaps.append(gap)

        following = Signal.like(self.sums)
        stored = self._memory(m, store, group, following)
        coefficient = Signal.like(self.coefficient)
        m.d.comb += coefficient.eq(self.coefficient)
        digit = Multiple.of_pent(coefficient)
        held = Signal.like(self.sums)
        for lane in range(lanes):
            addend, negative = Signal(_PRODUCT_BITS, reset_less=True), Signal(reset_less=True)
            m.d.sync += [addend.eq(digit.complemented(self.b[lane])), negative.eq(digit.negative)]
            with m.If(digit.none | ~self.multiply | ~self.mask[lane]):
                m.d.sync += [addend.eq(0), negative.eq(0)]

            value = self.sums[lane]
            m.d.comb += value.eq(held[lane] & same.replicate(bits) | stored[lane] & from_memory.replicate(bits))
            above, one, two = value[-1], Signal(), Signal()
            m.d.comb += [one.eq(reaches(value, gaps[0])), two.eq(reaches(value, gaps[1]))]
            level = Cat(one & ~two, one & (two | above), (one & above).replicate(bits - 2))
            total = plus(value, addend, negative)
            m.d.comb += following[lane].eq(Mux(quantise & self.mask_of_sums[lane], level, total))
            m.d.sync += held[lane].eq(following[lane])
        return m

    def _memory(self, m: Module, store: Signal, group: Signal, following: data.View) -> data.View:
        """Give the sums of the slot's group as they were a cycle ago: what was written since is still held."""
        read_out = Signal.like(self.sums)
        if self._parameters.groups > 1:
            shape = Value.cast(following).shape()
            m.submodules.sums = sums = memory.Memory(shape=shape, depth=self._parameters.groups, init=[])
            write, read = sums.write_port(), sums.read_port()
            m.d.comb += [write.en.eq(store), write.addr.eq(group), write.data.eq(following)]
            m.d.comb += [read.addr.eq(self.group), Value.cast(read_out).eq(read.data)]
        return read_out
