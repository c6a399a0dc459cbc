"""Boot loader: a state machine that takes a program from the serial line, puts it into memory and starts the core.

What is sent is in `protocol.py` and `architecture/fpga.md`.
"""

from amaranth import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import crc, data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.program import Program
from pentary.numbers.word import PENTS, limit
from pentary_hdl.core import word as w
from pentary_hdl.core.ports import WRITE
from pentary_hdl.fpga.protocol import ANSWER_BYTES, CRC_BYTES, MAGIC, VERSION, WORD_BYTES, Status
from pentary_hdl.fpga.serial import BYTES

_MAGIC = int.from_bytes(MAGIC, "little")
_BYTE_BITS = 8


class State(enum.Enum, shape=unsigned(4)):
    """What the loader waits for, or does."""

    MAGIC = 0
    VERSION = 1
    SIZE = 2
    COUNT = 3
    TEXT = 4
    WORDS = 5
    CRC = 6
    CHECK = 7
    FILL = 8
    ANSWER = 9


class Loader(wiring.Component):
    """Boot loader.

    It stops the core at a break and, if the program has ended, at the beginning of a header. The core starts when the
    answer to the words has been sent. The words of the memory after those that are sent become 0.

    Args:
        words: words of the memory.
        program: what the memory holds when it is switched on, and the core runs; None if it waits for a program.

    Members:
        byte: In; what has been received, when `valid` is 1. Bytes are some cycles apart.
        valid: In.
        breaks: In; a break has been received.
        halted, faulted, exit_status: In; of the computer.
        sends: Out; stream of the bytes of answers.
        stop: Out; the core is held in reset.
        store: Out; port of the memory, while `stop` is 1.
        text: Out; number of words in the text.
    """

    byte: In(_BYTE_BITS)
    valid: In(1)
    breaks: In(1)
    halted: In(1)
    faulted: In(1)
    exit_status: In(w.WORD)
    sends: Out(BYTES)
    stop: Out(1)
    store: Out(WRITE)
    text: Out(w.WORD)

    def __init__(self, words: int, program: Program | None = None) -> None:
        """Create a loader."""
        self._words, self._program = words, program
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Create the state machine."""
        m = Module()
        m.submodules.crc = checked = crc.catalog.CRC32_ISO_HDLC(_BYTE_BITS).create()
        digits = next(digits for digits in range(1, PENTS + 1) if limit(digits) >= self._words)
        end = w.constant(self._words)
        state, status = Signal(State), Signal(_BYTE_BITS)
        stop = Signal(init=self._program is None)
        text = Signal(w.WORD, init=w.biased(self._program.text if self._program else 0))
        told = Signal(init=1)  # the program has not been loaded, or its end has been answered
        place = Signal(range(ANSWER_BYTES))  # of a byte in a word, the CRC or an answer
        count, too_large = Signal(w.WORD), Signal()
        address = Signal(data.ArrayLayout(w.DIGIT, digits))
        taken, latest = Signal(w.WORD), Signal(w.WORD)  # the last bytes; with the one that comes
        complete, loaded = Signal(), Signal()  # a word; all of them

        m.d.comb += [
            latest.as_value().eq(Cat(taken.as_value()[_BYTE_BITS:], self.byte)),
            complete.eq(self.valid & (place == WORD_BYTES - 1)),
            self.stop.eq(stop),
            self.text.eq(text),
            checked.data.eq(self.byte),
            checked.start.eq((state == State.MAGIC) | (state == State.ANSWER)),
            checked.valid.eq(self.valid & ~checked.start),
            *w.assign(self.store.address, [*address, *[w.NOTHING] * (PENTS - digits)]),
            *w.assign(self.store.word, w.chosen(state == State.FILL, w.constant(0), list(latest))),
            self.sends.valid.eq(state == State.ANSWER),
        ]
        with m.If(self.valid):
            m.d.sync += taken.eq(latest)
        with m.If(checked.valid):
            m.d.sync += place.eq(Mux(complete, 0, place + 1))
        with m.If(self.store.enable):
            m.d.sync += w.assign(address, w.next_of(m, list(address)))

        with m.Switch(state):
            with m.Case(State.MAGIC):
                found = latest.as_value()[-len(MAGIC) * _BYTE_BITS :] == _MAGIC
                with m.If(self.valid & found & (stop | self.halted)):
                    m.d.sync += [state.eq(State.VERSION), stop.eq(1)]
                with m.Elif(self.halted & ~told):
                    ended = Mux(self.faulted, Status.FAULTED, Status.ENDED)
                    m.d.sync += [state.eq(State.ANSWER), status.eq(ended), place.eq(0), told.eq(1)]
            with m.Case(State.VERSION), m.If(self.valid):
                m.d.sync += [state.eq(State.SIZE), loaded.eq(0), place.eq(0)]
                with m.If(self.byte != VERSION):
                    m.d.sync += [state.eq(State.ANSWER), status.eq(Status.UNKNOWN_VERSION)]
            with m.Case(State.SIZE), m.If(complete):
                m.d.sync += [state.eq(State.COUNT), too_large.eq(w.is_less(end, list(latest)))]
            with m.Case(State.COUNT), m.If(complete):
                m.d.sync += [state.eq(State.TEXT), too_large.eq(too_large | w.is_less(end, list(latest)))]
                m.d.sync += count.eq(latest)
            with m.Case(State.TEXT), m.If(complete):
                m.d.sync += [state.eq(State.CRC), text.eq(latest)]
            with m.Case(State.WORDS):
                m.d.comb += self.store.enable.eq(complete)
                with m.If(Cat(*address) == Cat(*list(count)[:digits])):
                    m.d.sync += [state.eq(State.CRC), loaded.eq(1)]
            with m.Case(State.CRC), m.If(self.valid & (place == CRC_BYTES - 1)):
                m.d.sync += state.eq(State.CHECK)
            with m.Case(State.CHECK):
                m.d.sync += [state.eq(State.ANSWER), place.eq(0)]
                with m.If(~checked.match_detected):
                    m.d.sync += status.eq(Status.WRONG_CRC)
                with m.Elif(loaded):
                    m.d.sync += state.eq(State.FILL)
                with m.Elif(too_large):
                    m.d.sync += status.eq(Status.TOO_LARGE)
                with m.Else():
                    m.d.sync += [status.eq(Status.READY), *w.assign(address, w.constant(0, digits))]
            with m.Case(State.FILL):
                with m.If(Cat(*address) == Cat(*end[:digits])):
                    m.d.sync += [state.eq(State.ANSWER), status.eq(Status.STARTED), place.eq(0)]
                with m.Else():
                    m.d.comb += self.store.enable.eq(1)
            with m.Case(State.ANSWER):
                is_end = (status == Status.ENDED) | (status == Status.FAULTED)
                word = Mux(is_end, self.exit_status.as_value(), Cat(*end))
                content = Cat(Const(_MAGIC, len(MAGIC) * _BYTE_BITS), status, word)
                m.d.comb += self.sends.payload.eq(content.word_select(place, _BYTE_BITS))
                with m.If(self.sends.ready):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == ANSWER_BYTES - 1):
                        m.d.sync += [place.eq(0), state.eq(State.MAGIC)]
                        with m.If(status == Status.READY):
                            m.d.sync += state.eq(State.WORDS)
                        with m.Elif(status == Status.STARTED):
                            m.d.sync += [stop.eq(0), told.eq(0)]
        with m.If(self.breaks):
            m.d.sync += [state.eq(State.MAGIC), stop.eq(1)]
        return m
