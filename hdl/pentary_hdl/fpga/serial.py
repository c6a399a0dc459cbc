"""Serial line, 8N1, between bytes and the words of a computer's devices."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.core.conversion import to_binary
from pentary_hdl.fpga.protocol import BREAK_BITS

DEPTH: Final = 256
"""Bytes that are received before the program reads them."""

_BITS: Final = 8
_LENGTH: Final = 4
"""Digits that hold a byte, or how many of them there are."""

BYTES: Final = stream.Signature(_BITS)


class Transmitter(wiring.Component):
    """Sender of bytes.

    Args:
        cycles: clock cycles of a bit.

    Members:
        bytes: In; stream of what is sent.
        line: Out; the serial line.
    """

    bytes: In(BYTES)
    line: Out(1, init=1)

    def __init__(self, cycles: int) -> None:
        """Create a sender."""
        self._cycles = cycles
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Shift a start bit, the byte and a stop bit out."""
        m = Module()
        left, wait = Signal(range(_BITS + 3)), Signal(range(self._cycles))
        frame = Signal(_BITS + 1)
        m.d.comb += self.bytes.ready.eq((left == 0) & (wait == 0))
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(left != 0):
            m.d.sync += [Cat(self.line, frame).eq(Cat(frame, 1)), left.eq(left - 1)]
            m.d.sync += wait.eq(self._cycles - 1)
        with m.Elif(self.bytes.valid):
            m.d.sync += [frame.eq(Cat(0, self.bytes.payload)), left.eq(_BITS + 2)]
        return m


class Receiver(wiring.Component):
    """Receiver of bytes; one whose stop bit is not 1 is dropped, and the next one begins after the line has been 1.

    Args:
        cycles: clock cycles of a bit.

    Members:
        line: In; the serial line, of any clock.
        byte: Out; what has been received, when `valid` is 1, in one cycle.
        valid: Out.
        breaks: Out; the line has been 0 for `BREAK_BITS` bits, in one cycle.
    """

    line: In(1, init=1)
    byte: Out(_BITS)
    valid: Out(1)
    breaks: Out(1)

    def __init__(self, cycles: int) -> None:
        """Create a receiver."""
        self._cycles = cycles
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Look at the middle of each bit, counted from the beginning of the start bit."""
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.line, line, init=1)
        left, wait = Signal(range(_BITS + 4)), Signal(range(self._cycles))
        frame = Signal(_BITS + 2)  # start bit, byte, stop bit
        rests = Signal()  # the line has been 1 since the last byte
        m.d.comb += [self.byte.eq(frame[1:-1]), self.valid.eq((left == 1) & (wait == 0) & frame[-1])]
        with m.If(left == 0):
            m.d.sync += rests.eq(rests | line)
            with m.If(rests & ~line):
                m.d.sync += [left.eq(_BITS + 3), wait.eq(self._cycles // 2)]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += left.eq(left - 1)
            with m.If(left != 1):
                m.d.sync += [frame.eq(Cat(frame[1:], line)), wait.eq(Mux(left == 2, 0, self._cycles - 1))]
            with m.If((left == _BITS + 3) & line):  # too short for a start bit
                m.d.sync += left.eq(0)
            with m.If(left == 1):
                m.d.sync += rests.eq(frame[-1])

        low = Signal(range(BREAK_BITS * self._cycles + 1))  # cycles
        m.d.comb += self.breaks.eq(low == BREAK_BITS * self._cycles - 1)
        with m.If(line):
            m.d.sync += low.eq(0)
        with m.Elif(low != BREAK_BITS * self._cycles):
            m.d.sync += low.eq(low + 1)
        return m


class Terminal(wiring.Component):
    """Console and input of a computer: characters are bytes, of ISO 8859-1; other words that are written become '?'.

    Bytes that come while `DEPTH` others wait are lost.

    Members:
        console: In; stream of words that are written.
        input: Out; stream of words that have been received.
        available: Out; how many that stream has now.
        sends: Out; stream of the bytes to be sent.
        byte: In; what has been received, when `valid` is 1.
        valid: In.
    """

    console: In(stream.Signature(w.WORD))
    input: Out(stream.Signature(w.WORD))
    available: Out(w.WORD)
    sends: Out(BYTES)
    byte: In(_BITS)
    valid: In(1)

    def elaborate(self, platform: object) -> Module:
        """Connect the bytes through conversions and a FIFO."""
        m = Module()
        m.submodules.fifo = waiting = fifo.SyncFIFOBuffered(width=_BITS, depth=DEPTH)

        # A character is held before it is converted, so that the conversion is not in a path of the core.
        character, held = Signal(w.WORD), Signal()
        digits = list(character)
        number = to_binary(m, digits[:_LENGTH])
        is_byte = w.is_nothing(digits[_LENGTH:]) & (number >= 0) & (number < 1 << _BITS)
        m.d.comb += [
            self.console.ready.eq(~held),
            self.sends.valid.eq(held),
            self.sends.payload.eq(Mux(is_byte, number[:_BITS], ord("?"))),
        ]
        with m.If(self.console.valid & self.console.ready):
            m.d.sync += [character.eq(self.console.payload), held.eq(1)]
        with m.If(self.sends.valid & self.sends.ready):
            m.d.sync += held.eq(0)

        m.d.comb += [
            waiting.w_data.eq(self.byte),
            waiting.w_en.eq(self.valid),
            waiting.r_en.eq(self.input.ready),
            self.input.valid.eq(waiting.r_rdy),
            *w.assign(self.input.payload, _word(m, waiting.r_data)),
            *w.assign(self.available, _word(m, Mux(waiting.r_rdy, waiting.r_level, 0))),
        ]
        return m


def _word(m: Module, number: Value) -> list[Value]:
    """Return the digits of a number of at most 256, by a table for each."""
    places = range(_LENGTH)
    digits = [w.lookup(m, number, w.DIGIT, lambda n, place=place: w.biased(n, _LENGTH)[place]) for place in places]
    return [*digits, *[w.NOTHING] * (PENTS - _LENGTH)]
