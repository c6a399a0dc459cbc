"""Serial line, 8N1, between bytes and the words of a computer's devices."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.core.conversion import to_binary

BAUD: Final = 115_200

DEPTH: Final = 256
"""Bytes that are received before the program reads them."""

_BITS: Final = 8
_LENGTH: Final = 4
"""Digits that hold a byte, or how many of them there are."""

_STREAM: Final = stream.Signature(_BITS)


class Transmitter(wiring.Component):
    """Sender of bytes.

    Args:
        cycles: clock cycles of a bit.

    Members:
        bytes: In; stream of what is sent.
        line: Out; the serial line.
    """

    bytes: In(_STREAM)
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
    """Receiver of bytes; one whose stop bit is not 1 is dropped.

    Args:
        cycles: clock cycles of a bit.

    Members:
        line: In; the serial line, of any clock.
        byte: Out; what has been received, when `valid` is 1, in one cycle.
        valid: Out.
    """

    line: In(1, init=1)
    byte: Out(_BITS)
    valid: Out(1)

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
        m.d.comb += [self.byte.eq(frame[1:-1]), self.valid.eq((left == 1) & (wait == 0) & frame[-1])]
        with m.If(left == 0), m.If(~line):
            m.d.sync += [left.eq(_BITS + 3), wait.eq(self._cycles // 2)]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += left.eq(left - 1)
            with m.If(left != 1):
                m.d.sync += [frame.eq(Cat(frame[1:], line)), wait.eq(Mux(left == 2, 0, self._cycles - 1))]
            with m.If((left == _BITS + 3) & line):  # too short for a start bit
                m.d.sync += left.eq(0)
        return m


class Terminal(wiring.Component):
    """Serial line of a computer: characters are bytes, of ISO 8859-1; other words that are written are sent as '?'.

    Bytes that come while `DEPTH` others wait are lost.

    Args:
        cycles: clock cycles of a bit.

    Members:
        console: In; stream of words to send.
        input: Out; stream of words that have been received.
        available: Out; how many that stream has now.
        sends: Out; the line for what is sent.
        receives: In; the line of what is received.
    """

    console: In(stream.Signature(w.WORD))
    input: Out(stream.Signature(w.WORD))
    available: Out(w.WORD)
    sends: Out(1, init=1)
    receives: In(1, init=1)

    def __init__(self, cycles: int) -> None:
        """Create a terminal."""
        self._cycles = cycles
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Connect sender, receiver and FIFO through conversions."""
        m = Module()
        m.submodules.transmitter = transmitter = Transmitter(self._cycles)
        m.submodules.receiver = receiver = Receiver(self._cycles)
        m.submodules.fifo = waiting = fifo.SyncFIFOBuffered(width=_BITS, depth=DEPTH)

        # A character is held before it is converted, so that the conversion is not in a path of the core.
        character, held = Signal(w.WORD), Signal()
        digits = list(character)
        number = to_binary(m, digits[:_LENGTH])
        is_byte = w.is_nothing(digits[_LENGTH:]) & (number >= 0) & (number < 1 << _BITS)
        m.d.comb += [
            self.console.ready.eq(~held),
            transmitter.bytes.valid.eq(held),
            transmitter.bytes.payload.eq(Mux(is_byte, number[:_BITS], ord("?"))),
            self.sends.eq(transmitter.line),
        ]
        with m.If(self.console.valid & self.console.ready):
            m.d.sync += [character.eq(self.console.payload), held.eq(1)]
        with m.If(transmitter.bytes.valid & transmitter.bytes.ready):
            m.d.sync += held.eq(0)

        m.d.comb += [
            receiver.line.eq(self.receives),
            waiting.w_data.eq(receiver.byte),
            waiting.w_en.eq(receiver.valid),
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
