"""Port of the second-level cache to memory: reads and writes of lines as bursts on AXI4.

A word takes the low 48 bits of 64, three for each of its pents. A line has a slot of as many words as the next power
of two, so that bursts do not cross the boundaries that AXI forbids; line 0 is the one with address 0, and its words
below address 0 do not exist.
"""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary.numbers.word import limit
from pentary_hdl.bus.axi import AXI, DATA_BITS, INCREMENT, OKAY
from pentary_hdl.caches.fields import Fields
from pentary_hdl.core import word as w

DELAY: Final = 4
"""Cycles of `memory.latency` that pass in the processor; the others are those from a read's address to its data."""

_WORD_BITS: Final = 3  # of the number of a byte in 64 bits


def slot_bits(line: int) -> int:
    """Return the width of a word's number in the slot of its line.

    >>> slot_bits(25)
    5
    """
    return (line - 1).bit_length()


class MemoryPort(wiring.Component):
    """Manager on AXI4 that reads a line, one word of it first, or writes one.

    A read waits for the response to the write before it. The words of a line come one a cycle, from the one asked for
    to the last, then from the first, in two bursts.

    Args:
        config: configuration of the machine.

    Members:
        axi: Out; the bus.
        read: In; a line is requested; the address goes out two cycles later.
        address: In; of the word that comes first.
        comes: Out; a word has come.
        word, place, last: Out; the word, its number in the line, and whether it is the last one to come.
        write: In; a line is to be written, from the next cycle on.
        written: In; an address in it.
        sends: Out; number in the line of the word that is sent.
        sent: In; that word.
        free: Out; no line is being written, or its last word is sent in this cycle.
        idle: Out; memory has all lines that were written.
        failed, failed_at: Out; memory has answered with an error, and an address in the line.
    """

    def __init__(self, config: Config) -> None:
        """Create a port."""
        self._line, self._fields = config.caches.line, Fields.of(config, config.l2)
        number = range(self._line)
        super().__init__(
            {
                "axi": Out(AXI),
                "read": In(1),
                "address": In(w.WORD),
                "comes": Out(1),
                "word": Out(w.WORD),
                "place": Out(number),
                "last": Out(1),
                "write": In(1),
                "written": In(w.WORD),
                "sends": Out(number),
                "sent": In(w.WORD),
                "free": Out(1),
                "idle": Out(1),
                "failed": Out(1),
                "failed_at": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create a counter for each channel."""
        m = Module()
        axi, line, fields = self.axi, self._line, self._fields
        for letter in ("ar", "aw"):
            m.d.comb += getattr(axi, f"{letter}burst").eq(INCREMENT)
            m.d.comb += getattr(axi, f"{letter}size").eq(_WORD_BITS)

        # Read: the burst up to the end of the line, and that of the words before
        asked, wanted, first = Signal(), Signal(w.WORD), Signal(range(line))
        responses, answers = Signal(2), axi.bvalid  # to writes, that are outstanding
        rest = Signal()
        m.d.comb += first.eq(fields.place_of(list(wanted)))
        with m.If(self.read):
            m.d.sync += [asked.eq(1), wanted.eq(self.address)]
        with m.If(asked & (responses == answers)):
            m.d.sync += [
                asked.eq(0),
                axi.arvalid.eq(1),
                axi.araddr.eq(self._place(list(wanted), first)),
                axi.arlen.eq(line - 1 - first),
                rest.eq(first != 0),
            ]
        with m.Elif(axi.arvalid & axi.arready):
            m.d.sync += [
                axi.arvalid.eq(rest),
                axi.araddr.eq(self._place(list(wanted), Const(0, 1))),
                axi.arlen.eq(first - 1),
                rest.eq(0),
            ]
        place, ending = Signal(range(line)), Signal(range(line))
        with m.If(self.read):
            m.d.sync += [
                place.eq(fields.place_of(list(self.address))),
                ending.eq(_before(fields.place_of(list(self.address)), line)),
            ]
        with m.Elif(axi.rvalid):
            m.d.sync += place.eq(Mux(place == line - 1, 0, place + 1))
        m.d.comb += axi.rready.eq(1)
        m.d.sync += [
            self.comes.eq(axi.rvalid),
            self.word.as_value().eq(axi.rdata),
            self.place.eq(place),
            self.last.eq(place == ending),
        ]

        # Write
        sending = Signal()
        ends = sending & (self.sends == line - 1) & axi.wready
        m.d.comb += [
            self.free.eq(~self.write & (~sending | ends) & (~axi.awvalid | axi.awready)),
            self.idle.eq(~self.write & (responses == 0)),
            axi.wvalid.eq(sending),
            axi.wdata.eq(self.sent),
            axi.wstrb.eq((1 << DATA_BITS // 8) - 1),
            axi.wlast.eq(self.sends == line - 1),
            axi.awlen.eq(line - 1),
            axi.bready.eq(1),
        ]
        with m.If(self.write):
            m.d.sync += [
                sending.eq(1),
                self.sends.eq(0),
                axi.awvalid.eq(1),
                axi.awaddr.eq(self._place(list(self.written), Const(0, 1))),
            ]
        with m.Else():
            with m.If(axi.awready):
                m.d.sync += axi.awvalid.eq(0)
            with m.If(sending & axi.wready):
                m.d.sync += self.sends.eq(Mux(ends, 0, self.sends + 1))
            with m.If(ends):
                m.d.sync += sending.eq(0)
        m.d.sync += responses.eq(responses + self.write - answers)

        read_fails, write_fails = axi.rvalid & (axi.rresp != OKAY), axi.bvalid & (axi.bresp != OKAY)
        # Errors, told once for a line; of two writes on their way the later one is told
        put, told = Signal(w.WORD), Signal()
        with m.If(self.read):
            m.d.sync += told.eq(0)
        with m.Elif(read_fails):
            m.d.sync += told.eq(1)
        with m.If(self.write):
            m.d.sync += put.eq(self.written)
        m.d.comb += self.failed.eq((read_fails & ~told) | write_fails)
        m.d.comb += self.failed_at.eq(Mux(read_fails, wanted, put))
        return m

    def _place(self, address: w.Digits, word: Value) -> Value:
        """Return the address on the bus of a word of the line of an address."""
        fields = self._fields
        digits = list(address)[fields.place : fields.place + fields.set + fields.tag]
        number = sum(((digit * 5**place) for place, digit in enumerate(digits)), Const(0, 1)) - limit(len(digits))
        slot = slot_bits(self._line)
        return Cat(Const(0, _WORD_BITS), (word + Const(0, slot))[:slot], number[: 32 - _WORD_BITS - slot])


def _before(place: Value, line: int) -> Value:
    """Return the number of the word before another, the last one before the first."""
    return Mux(place == 0, line - 1, place - 1)
