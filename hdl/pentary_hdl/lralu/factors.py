"""The factors: memories that take a generator's word a cycle, and give a row's pent of A and a group of B."""

from itertools import pairwise

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.numbers.word import PENTS
from pentary_hdl.lralu.alphabet import PENTARY, Alphabet
from pentary_hdl.lralu.digits import thermometer
from pentary_hdl.lralu.twin import LowRankParameters

_NEVER_BOTH = {"no_rw_check": 1}
"""Nobody reads what is being written, so synthesis need not see to it."""


class Factors(wiring.Component):
    """A and B, both rank-major, in blocks of 16 pents. What is read is there in the next cycle.

    Members:
        rows_last, cols_last, rank_last: ROWS, COLS, RANK, each less 1.
        begin: the next words are the first of a pair.
        words, store: words that follow each other, of which the first is stored now and each other a cycle later.
        waiting: how many words are still to be stored after this cycle's.
        finished: the last word of the pair is being stored.
        level, block, group: what to read: of vector `level` that block of A, that group of lanes of B.
        a, b: what was read.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Take sizes and lanes, and the alphabet of the digits."""
        self._alphabet = alphabet
        self._parameters = parameters
        self._size_bits, self._rank_bits = ceil_log2(parameters.max_size), ceil_log2(parameters.max_rank)
        super().__init__(
            {
                "rows_last": In(self._size_bits),
                "cols_last": In(self._size_bits),
                "rank_last": In(self._rank_bits),
                "begin": In(1),
                "words": In(alphabet.word).array(parameters.generators),
                "store": In(1),
                "waiting": Out(range(parameters.generators)),
                "finished": Out(1),
                "level": In(self._rank_bits),
                "block": In(range(parameters.blocks)),
                "group": In(range(parameters.groups)),
                "a": Out(alphabet.word),
                "b": Out(data.ArrayLayout(alphabet.digit, parameters.lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Walk through the vectors of A, then those of B."""
        m = Module()
        parameters = self._parameters
        word, storing = self._queue(m)

        # Where the next word goes, and which of its pents exist, is worked out a cycle before: what stops the unit is
        # known late in a cycle, and has to stop the writes too.
        place = data.StructLayout({"in_b": 1, "level": self._rank_bits, "block": len(self.block)})
        now, following = Signal(place), Signal(place)
        in_b, level, block = now.in_b, now.level, now.block
        last_block, last_level, mask = Signal(), level == self.rank_last, Signal(PENTS)
        m.d.comb += [following.eq(now), self.finished.eq(storing & in_b & last_level & last_block)]
        with m.If(storing):
            m.d.comb += following.block.eq(block + 1)
            with m.If(last_block):
                m.d.comb += [following.block.eq(0), following.level.eq(level + 1)]
                with m.If(last_level):
                    m.d.comb += [following.level.eq(0), following.in_b.eq(1)]
        with m.If(self.begin):
            m.d.comb += following.eq(0)
        last, ends = Mux(following.in_b, self.cols_last, self.rows_last), Signal()
        m.d.comb += ends.eq(following.block == last >> ceil_log2(PENTS))
        m.d.sync += [now.eq(following), last_block.eq(ends)]
        m.d.sync += mask.eq(thermometer(last[: ceil_log2(PENTS)]) | (~ends).replicate(PENTS))

        banks = min(parameters.generators, parameters.blocks)
        bank_bits, group_bits = ceil_log2(parameters.generators), ceil_log2(parameters.groups)
        depth = parameters.max_rank << group_bits
        beat = block >> bank_bits
        groups = [
            self._bank(m, depth, word, mask & (storing & in_b & (block[:bank_bits] == i)).replicate(PENTS))
            for i in range(banks)
        ]
        for write, read in groups:
            m.d.comb += [
                write.addr.eq(Cat(beat[:group_bits], level)),
                read.addr.eq(Cat(self.group, self.level)),
            ]
        m.d.comb += Value.cast(self.b).eq(Cat(read.data for _, read in groups))

        depth = parameters.max_rank << len(block)
        write, read = self._bank(m, depth, word, mask & (storing & ~in_b).replicate(PENTS))
        m.d.comb += [write.addr.eq(Cat(block, level)), read.addr.eq(Cat(self.block, self.level))]
        m.d.comb += Value.cast(self.a).eq(Value.cast(read.data))
        return m

    def _queue(self, m: Module) -> tuple[Value, Value]:
        """Give the word of this cycle, and whether there is one."""
        others = len(self.words) - 1
        if not others:
            return Value.cast(self.words[0]), self.store
        bits = self._alphabet.bits * PENTS
        queue, waiting = [Signal(bits, reset_less=True) for _ in range(others)], Signal(range(others + 1))
        m.d.comb += self.waiting.eq(waiting)
        with m.If(self.store):
            m.d.sync += [entry.eq(Value.cast(word)) for entry, word in zip(queue, list(self.words)[1:], strict=True)]
            m.d.sync += waiting.eq(others)
        with m.Elif(waiting != 0):
            m.d.sync += [entry.eq(following) for entry, following in pairwise(queue)]
            m.d.sync += waiting.eq(waiting - 1)
        with m.If(self.finished):
            m.d.sync += waiting.eq(0)
        return Mux(self.store, self.words[0], queue[0]), self.store | (waiting != 0)

    def _bank(self, m: Module, depth: int, word: Value, mask: Value) -> tuple[memory.WritePort, memory.ReadPort]:
        shape = data.ArrayLayout(self._alphabet.bits, PENTS)
        m.submodules += (bank := memory.Memory(shape=shape, depth=depth, init=[], attrs=_NEVER_BOTH))
        write, read = bank.write_port(granularity=1), bank.read_port()
        m.d.comb += [write.en.eq(mask), Value.cast(write.data).eq(word)]
        return write, read
