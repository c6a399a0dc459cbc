"""Memories of the factors A and B: write one generator word a cycle, read a block of A and a lane group of B."""

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
"""No address is read while it is written, so no logic for that case is needed."""


class Factors(wiring.Component):
    """Factors A and B, both rank-major, in blocks of 16 pents.

    Members:
        rows_last, cols_last, rank_last: In, ROWS, COLS and RANK, each less 1.
        begin: In, the next word stored is the first of a pair.
        words, store: In, with `store`: a batch of consecutive words, of which the first is written in this cycle and
            the others one a cycle after it.
        waiting: Out, how many words of the batch are queued, including one that is written in this cycle.
        finished: Out, the last word of the pair is written in this cycle.
        level, block, group: In, read address: index of the vector, its block in A, and its group of lanes in B.
        a, b: Out, the block of A and the group of B, one cycle after their address.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Create the memories for the given parameters and alphabet of the digits."""
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
        """Write the vectors of A and then those of B in sequence, and connect the read ports."""
        m = Module()
        parameters = self._parameters
        word, storing = self._queue(m)

        # The address and the write mask of the next word are registered a cycle ahead: the unit's clock enable arrives
        # late in the cycle, and gates the writes too.
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
        """Queue the words of a batch; returns the word to be written in this cycle, and whether there is one."""
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
