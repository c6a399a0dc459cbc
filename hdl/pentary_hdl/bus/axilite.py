"""AXI4-Lite: signature of its channels, and a subordinate that turns transfers into reads and writes of words."""

from typing import Final

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

WORD_BITS: Final = 32
ADDRESS_BITS: Final = 12

_OKAY, _SLVERR = 0, 2

AXI_LITE: Final = wiring.Signature(
    {
        "awaddr": Out(ADDRESS_BITS),
        "awprot": Out(3),
        "awvalid": Out(1),
        "awready": In(1),
        "wdata": Out(WORD_BITS),
        "wstrb": Out(WORD_BITS // 8),
        "wvalid": Out(1),
        "wready": In(1),
        "bresp": In(2),
        "bvalid": In(1),
        "bready": Out(1),
        "araddr": Out(ADDRESS_BITS),
        "arprot": Out(3),
        "arvalid": Out(1),
        "arready": In(1),
        "rdata": In(WORD_BITS),
        "rresp": In(2),
        "rvalid": In(1),
        "rready": Out(1),
    }
)
"""The channels, with directions from the manager's side."""


class AxiLite(wiring.Component):
    """AXI4-Lite subordinate with one outstanding write and one outstanding read, independent of each other.

    All AXI outputs are registered.

    Members:
        axi: In, the channels. The two low bits of an address and the protection bits are ignored.
        write, write_word, write_data: Out, a word is written in this cycle; its word address and value.
        write_refused: In, in the same cycle: respond with SLVERR.
        read_word: Out, word address of a read, valid in the cycle of `arready` and the next one.
        read_data, read_refused: In, in that next cycle: the value of the word; respond with SLVERR.
    """

    def __init__(self) -> None:
        """Create a subordinate with the word and address widths of this module."""
        super().__init__(
            {
                "axi": In(AXI_LITE),
                "write": Out(1),
                "write_word": Out(ADDRESS_BITS - 2),
                "write_data": Out(WORD_BITS),
                "write_refused": In(1),
                "read_word": Out(ADDRESS_BITS - 2),
                "read_data": In(WORD_BITS),
                "read_refused": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Accept a transfer one cycle after its valid; refuse a write of part of a word with SLVERR."""
        m = Module()
        axi = self.axi

        whole = axi.wstrb.all()
        m.d.comb += [self.write.eq(axi.awready & whole), self.write_word.eq(axi.awaddr[2:])]
        m.d.comb += [self.write_data.eq(axi.wdata), axi.wready.eq(axi.awready)]
        m.d.sync += axi.awready.eq(axi.awvalid & axi.wvalid & ~axi.awready & ~axi.bvalid)
        with m.If(axi.awready):
            m.d.sync += [axi.bvalid.eq(1), axi.bresp.eq(Mux(whole & ~self.write_refused, _OKAY, _SLVERR))]
        with m.Elif(axi.bready):
            m.d.sync += axi.bvalid.eq(0)

        reading = Signal()
        m.d.sync += reading.eq(axi.arready)
        m.d.sync += axi.arready.eq(axi.arvalid & ~axi.arready & ~reading & ~axi.rvalid)
        with m.If(~axi.arready & ~reading):
            m.d.sync += self.read_word.eq(axi.araddr[2:])
        with m.If(reading):
            m.d.sync += [axi.rvalid.eq(1), axi.rdata.eq(self.read_data)]
            m.d.sync += axi.rresp.eq(Mux(self.read_refused, _SLVERR, _OKAY))
        with m.Elif(axi.rready):
            m.d.sync += axi.rvalid.eq(0)
        return m
