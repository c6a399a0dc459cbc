"""Memories of the factors A and B: a generator word is written, and a row of each is read, in a cycle."""

from itertools import pairwise
from typing import Final

from amaranth import Cat, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import MAX_VL
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import PENTS
from pentary_hdl.lralu.digits import PENT, WORD, thermometer
from pentary_hdl.lralu.twin import LowRankParameters

NEVER_BOTH: Final = {"no_rw_check": 1}
"""Attributes of a memory none of whose rows is read while it is written, so no logic for that case is needed."""


class Factors(wiring.Component):
    """Factors A and B: for each level, the vectors of a rank, in rows of `lanes` pents.

    All pents are 0 after a reset of as many cycles as a factor has rows.

    Args:
        parameters: of the unit.

    Members:
        rows_last, cols_last, rank_last: In; ROWS, COLS and RANK, each less 1.
        begin: In; the next word stored is the first of a pair.
        words, store: In; with `store`: consecutive words, of which the first is written in this cycle and the others
            one a cycle after it.
        waiting: Out; how many of these words are left, including one that is written in this cycle.
        finished: Out; the last word of the pair is written in this cycle.
        level, group_a, group_b: In; the level that is read, and the rows of its vectors.
        a, b: Out; the row of A and that of B, in the next cycle.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the memories."""
        self._parameters = parameters
        groups, row = range(parameters.groups), data.ArrayLayout(PENT, parameters.lanes)
        super().__init__(
            {
                "rows_last": In(range(MAX_VL)),
                "cols_last": In(range(MAX_VL)),
                "rank_last": In(range(MAX_RANK)),
                "begin": In(1),
                "words": In(WORD).array(parameters.generators),
                "store": In(1),
                "waiting": Out(range(parameters.generators)),
                "finished": Out(1),
                "level": In(range(MAX_RANK)),
                "group_a": In(groups),
                "group_b": In(groups),
                "a": Out(row),
                "b": Out(row),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Write the vectors of A and then those of B in sequence, and connect the read ports."""
        m = Module()
        word, storing = self._waiting(m)
        in_b, level, block = Signal(), Signal(range(MAX_RANK)), Signal(range(self._parameters.blocks))
        last, last_block, last_level = Signal(range(MAX_VL)), Signal(), level == self.rank_last
        m.d.comb += [
            last.eq(Mux(in_b, self.cols_last, self.rows_last)),
            last_block.eq(block == last >> ceil_log2(PENTS)),
            self.finished.eq(storing & in_b & last_level & last_block),
        ]
        with m.If(storing):
            m.d.sync += block.eq(block + 1)
            with m.If(last_block):
                m.d.sync += [block.eq(0), level.eq(level + 1)]
                with m.If(last_level):
                    m.d.sync += [level.eq(0), in_b.eq(1)]
        with m.If(self.begin):
            m.d.sync += [block.eq(0), level.eq(0), in_b.eq(0)]

        # Pents past the end of a vector stay as they are.
        mask = thermometer(last[: ceil_log2(PENTS)]) | (~last_block).replicate(PENTS)
        for name, group, row in (("a", self.group_a, self.a), ("b", self.group_b, self.b)):
            chosen = storing & (in_b if name == "b" else ~in_b)
            self._factor(m, name, word, Mux(chosen, mask, 0), Cat(block, level), Cat(group, self.level), row)
        return m

    def _waiting(self, m: Module) -> tuple[Value, Value]:
        """Queue the words that are stored together; return the one to be written, and whether there is one."""
        others = len(self.words) - 1
        if not others:
            return self.words[0].as_value(), self.store
        queue, waiting = (
            [Signal(WORD, name=f"word_{n}", reset_less=True) for n in range(others)],
            Signal(range(others + 1)),
        )
        m.d.comb += self.waiting.eq(waiting)
        with m.If(self.store):
            m.d.sync += [waiting.eq(others), *(own.eq(word) for own, word in zip(queue, self.words[1:], strict=True))]
        with m.Elif(waiting != 0):
            m.d.sync += [waiting.eq(waiting - 1), *(entry.eq(following) for entry, following in pairwise(queue))]
        with m.If(self.finished):
            m.d.sync += waiting.eq(0)
        return Mux(self.store, self.words[0].as_value(), queue[0].as_value()), self.store | (waiting != 0)

    def _factor(self, m: Module, name: str, word: Value, mask: Value, place: Value, read: Value, row: Value) -> None:
        """Add a factor, with a memory for each 16 pents of a row.

        Args:
            m: module to which it is added.
            name: of the factor.
            word: 16 pents to be written.
            mask: a bit for each of them, whether it is written.
            place: number of the 16 pents, and level above it.
            read: number of the row, and level above it.
            row: the row that is read.
        """
        banks = self._parameters.generators
        number, depth = place[: ceil_log2(banks)], MAX_RANK * self._parameters.groups
        cleared, resets = Signal(range(depth), name=f"cleared_{name}", reset_less=True), ResetSignal()
        m.d.sync += cleared.eq(cleared + 1)
        for bank in range(banks):
            content = memory.Memory(shape=data.ArrayLayout(PENT.width, PENTS), depth=depth, init=[], attrs=NEVER_BOTH)
            m.submodules[f"{name}_{bank}"] = content
            writes, reads = content.write_port(granularity=1), content.read_port()
            m.d.comb += [
                writes.addr.eq(Mux(resets, cleared, place[ceil_log2(banks) :])),
                writes.data.as_value().eq(Mux(resets, 0, word)),
                writes.en.eq(Mux(resets, ~0, Mux(number == bank, mask, 0))),
                reads.addr.eq(read),
                row.as_value().word_select(bank, PENT.width * PENTS).eq(reads.data.as_value()),
            ]
