"""Multiply-accumulate lanes: a row sum for each column, and the memory that returns the sums in beats."""

from amaranth import Module, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary_hdl.lralu.alphabet import PENTARY, Alphabet
from pentary_hdl.lralu.digits import plus, thermometer
from pentary_hdl.lralu.twin import LowRankParameters

_IN_BLOCKS = {"no_rw_check": 1, "ram_style": "block"}
"""No address is read while it is written; in flip-flops, the few words would take a fifth of the unit."""


class Lanes(wiring.Component):
    """Datapath of LRMUL, and the memory of the row sums with a word for each group of lanes.

    Members:
        multiply: In, multiply in this cycle and accumulate the products in the next.
        coefficient, b: In, with `multiply`: the pent of A, and a pent of B for each lane.
        store: In, with `multiply`: these are the group's last products, so store the sums.
        group: In, with `store`: index of the group of lanes.
        cols_last: In, with `multiply`: COLS - 1; sums past it are read as 0.
        beat: In, index of the beat of sums to read.
        sums: Out, the row sums of `beat`, one cycle later.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Create lanes for the given parameters and alphabet of the digits."""
        self._parameters, self._alphabet = parameters, alphabet
        self._sum_bits = alphabet.sum_bits(parameters.max_rank)
        super().__init__(
            {
                "multiply": In(1),
                "coefficient": In(alphabet.digit),
                "b": In(data.ArrayLayout(alphabet.digit, parameters.lanes)),
                "store": In(1),
                "group": In(range(parameters.groups)),
                "cols_last": In(range(parameters.max_size)),
                "beat": In(range(parameters.beats)),
                "sums": Out(data.ArrayLayout(signed(self._sum_bits), parameters.beat_elements)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Accumulate in registers that are cleared when the sums of a group are stored."""
        m = Module()
        lanes, bits = self._parameters.lanes, self._sum_bits
        group, store = Signal.like(self.group), Signal()
        multiply, cols_last = Signal(), Signal.like(self.cols_last)
        multiplied, made_last = Signal(), Signal.like(self.cols_last)
        m.d.sync += [store.eq(self.store), group.eq(self.group)]
        m.d.sync += [multiply.eq(self.multiply), cols_last.eq(self.cols_last)]
        digit = self._alphabet.multiple(self.coefficient)
        totals = Signal(data.ArrayLayout(signed(bits), lanes))
        for lane in range(lanes):
            addend, negative, total = Signal(self._alphabet.product_bits), Signal(), Signal(signed(bits))
            m.d.sync += [addend.eq(digit.complemented(self.b[lane])), negative.eq(digit.negative)]
            with m.If(digit.none | ~self.multiply):
                m.d.sync += [addend.eq(0), negative.eq(0)]
            m.d.comb += totals[lane].eq(plus(total, addend.as_signed(), negative))
            m.d.sync += total.eq(totals[lane])
            with m.If(store):
                m.d.sync += total.eq(0)

        shape = Value.cast(totals).shape()
        m.submodules.sums = sums = memory.Memory(shape=shape, depth=self._parameters.groups, init=[], attrs=_IN_BLOCKS)
        write, read = sums.write_port(), sums.read_port()
        m.d.comb += [write.en.eq(store), write.addr.eq(group), write.data.eq(totals)]

        # Sums past the last LRMUL's COLS read as 0, though the memory still holds older ones.
        with m.If(multiply):
            m.d.sync += [multiplied.eq(1), made_last.eq(cols_last)]
        beat_bits = ceil_log2(self._parameters.beat_elements)
        last_beat, made = made_last >> beat_bits, Signal(self._parameters.beat_elements)
        m.d.sync += made.eq(thermometer(made_last[:beat_bits]) | (self.beat != last_beat).replicate(len(made)))
        with m.If(~multiplied | (self.beat > last_beat)):
            m.d.sync += made.eq(0)
        number = Signal(2)
        m.d.sync += number.eq(self.beat)
        m.d.comb += read.addr.eq(self.beat >> 2)
        quarter = data.View(data.ArrayLayout(self.sums.shape(), 4), read.data)[number]
        for value, read_out, exists in zip(self.sums, quarter, made, strict=True):
            m.d.comb += value.eq(read_out & exists.replicate(bits))
        return m
