"""Row sums S: their memory, and their levels."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import MAX_VL
from pentary.lowrank.operations import MAX_RANK, pquant_thresholds
from pentary_hdl.lowrank import bounds
from pentary_hdl.lralu.alphabet import PENTARY
from pentary_hdl.lralu.digits import PENT, saturated, thermometer
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.vector.arithmetic import picked

BEATS: Final = 4
"""Beats of a row of all lanes."""

_NARROW: Final = 6
"""Bits to which sums are saturated before they are compared: they hold each threshold, and more."""

assert pquant_thresholds(MAX_RANK)[1] < 1 << _NARROW - 1


class Sums(wiring.Component):
    """Row sums of all groups of lanes; a beat of them is read through two stages, in which it is quantised.

    Args:
        parameters: of the unit.

    Members:
        multiplies: In; new sums are made: those past COLS become 0, and none is quantised any more.
        cols_last: In; with `multiplies`: COLS less 1.
        store, group, sums: In; the sums of a group of lanes are stored.
        mark: In; quantise all sums, unless they are quantised already.
        rank_last: In; with `mark`: RANK less 1.
        beat: In; number of the beat that is read; in the same cycle there is no `multiplies`.
        values: Out; two cycles later: the sums, or their levels after PQUANT.
        levels: Out; with `values`: the levels, or the sums saturated to a pent.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create a memory for each lane."""
        self._parameters = parameters
        total = bounds.shape_of(bounds.SUM)
        super().__init__(
            {
                "multiplies": In(1),
                "cols_last": In(range(MAX_VL)),
                "store": In(1),
                "group": In(range(parameters.groups)),
                "sums": In(total).array(parameters.lanes),
                "mark": In(1),
                "rank_last": In(range(MAX_RANK)),
                "beat": In(range(parameters.beats)),
                "values": Out(total).array(parameters.beat_elements),
                "levels": Out(PENT).array(parameters.beat_elements),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Read and mask a beat, then compare with the thresholds."""
        m = Module()
        found, beat_bits = [], ceil_log2(self._parameters.beat_elements)
        for lane, total in enumerate(self.sums):
            content = memory.Memory(shape=total.shape(), depth=self._parameters.groups, init=[])
            m.submodules[f"lane_{lane}"] = content
            writes, reads = content.write_port(), content.read_port(domain="comb")
            m.d.comb += [writes.en.eq(self.store), writes.addr.eq(self.group), writes.data.eq(total)]
            m.d.comb += reads.addr.eq(self.beat >> ceil_log2(BEATS))
            found.append(reads.data)

        # What the memory holds of older sums, or from before a reset, counts as 0.
        made, made_last = Signal(), Signal(range(MAX_VL))
        quantised = Signal()
        load, level = PENTARY.quantisation(MAX_RANK, _NARROW)
        with m.If(self.multiplies):
            # The levels of rank 1 are the sums, saturated to a pent.
            m.d.sync += [made.eq(1), made_last.eq(self.cols_last), quantised.eq(0), *load(1)]
        with m.Elif(self.mark & ~quantised):
            m.d.sync += quantised.eq(1)
            with m.Switch(self.rank_last):
                for rank in range(1, MAX_RANK + 1):
                    with m.Case(rank - 1):
                        m.d.sync += load(rank)

        last_beat, mask = made_last >> beat_bits, Signal(self._parameters.beat_elements)
        with m.If(made & (self.beat <= last_beat)):
            m.d.comb += mask.eq(Mux(self.beat == last_beat, thermometer(made_last[:beat_bits]), ~0))
        number = Cat(self.beat)[: ceil_log2(BEATS)]
        for place, (value, pent) in enumerate(zip(self.values, self.levels, strict=True)):
            total = Signal(value.shape(), name=f"sum_{place}")
            quarters = [found[place + quarter * len(mask)] for quarter in range(BEATS)]
            m.d.sync += total.eq(Mux(mask[place], picked(quarters, number), 0))
            own = Signal(PENT, name=f"level_{place}")
            m.d.comb += own.eq(level(m, saturated(total, _NARROW)))
            m.d.sync += [pent.eq(own), value.eq(Mux(quantised, own, total))]
        return m
