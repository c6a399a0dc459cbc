"""Self-test of the low-rank ALU: plays test vectors, and compares signatures of the outputs with the model's."""

from functools import reduce
from operator import xor

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.fpga.vectors import RANDOM_BITS, SIGNATURE_BITS, SIGNATURE_START, TURN, Vectors
from pentary_hdl.lralu.decoder import COMMAND
from pentary_hdl.lralu.unit import LowRankAlu

DIGITS = data.ArrayLayout(4, 3)
"""Three decimal digits in BCD, the least significant first."""

_QUIET = 16
"""Cycles without an output after which an answered vector is finished."""

_PATTERN = 0b1011_0010_0111_0100_0011_0101_1100_011
"""Stall pattern: 31 bits, rotated by one each cycle; each stream stalls by a different one of the bits."""


class Ring(wiring.Component):
    """Source of a stream of operands whose elements are bits of a rotating register of random bits.

    Members:
        operands: Out, the stream.
        restart: In, reload the initial bits.
        pause: In, hold the next beat back.
    """

    def __init__(self, shape: data.ArrayLayout, bits: int) -> None:
        """Create a source with the given shape of a beat and initial bits."""
        self._bits = bits
        super().__init__({"operands": Out(stream.Signature(shape)), "restart": In(1), "pause": In(1)})

    def elaborate(self, platform: object) -> Module:
        """Rotate the register with every beat that is transferred."""
        m = Module()
        port = self.operands
        ring = Signal(len(port.payload) * RANDOM_BITS, init=self._bits)
        m.d.comb += [port.payload[i].eq(ring.word_select(i, RANDOM_BITS).as_signed()) for i in range(len(port.payload))]
        with m.If(self.restart):
            m.d.sync += ring.eq(ring.init)
        with m.Elif(port.valid & port.ready):
            m.d.sync += ring.eq(ring.rotate_left(TURN))
        with m.If(~port.valid | port.ready):
            m.d.sync += port.valid.eq(~self.pause)
        return m


class SelfTest(wiring.Component):
    """Self-test: plays all vectors on a unit at full speed, then all with stalls, alternating until one differs.

    All inputs of the unit are driven by registers, and all its outputs are registered, so that the unit alone limits
    the clock.

    Members:
        passed: Out, all vectors have matched, at full speed and with stalls.
        failed: Out, a vector differed.
        number: Out, in decimal, index of the vector that is being played or that differed, from 0.
    """

    def __init__(self, unit: LowRankAlu, played: Vectors) -> None:
        """Create a self-test of a unit, with vectors that were made for it."""
        self._unit, self._played = unit, played
        super().__init__({"passed": Out(1), "failed": Out(1), "number": Out(DIGITS)})

    def elaborate(self, platform: object) -> Module:
        """Connect the unit with the memory of the vectors, the sources of operands and the comparison."""
        m = Module()
        vectors, rings = self._played.vectors, self._played.rings
        layout = data.StructLayout({"command": COMMAND, "error": 1, "signature": SIGNATURE_BITS})
        content = [{"command": v.command._asdict(), "error": v.error, "signature": v.signature} for v in vectors]
        m.submodules.unit = unit = self._unit
        m.submodules.vectors = rom = memory.Memory(shape=layout, depth=len(vectors), init=content)
        read, vector, sending = rom.read_port(), Signal(layout), Signal()
        m.d.comb += [unit.commands.payload.eq(vector.command), unit.commands.valid.eq(sending)]

        restart, stalling, waits = Signal(), Signal(), Signal(31, init=_PATTERN)
        m.d.sync += waits.eq(waits.rotate_left(1))
        pauses = iter(waits)
        for name, bits in rings.items():
            operands = getattr(unit, name)
            m.submodules[name] = ring = Ring(operands.payload.shape(), bits)
            wiring.connect(m, ring.operands, operands)
            m.d.comb += [ring.restart.eq(restart), ring.pause.eq(stalling & next(pauses))]

        # Outputs are registered before they are compared.
        came = {}
        for name in ("results", "scalars", "responses"):
            port = getattr(unit, name)
            word, here = Signal(len(Value.cast(port.payload)), name=name), Signal(name=f"{name}_here")
            m.d.sync += [
                word.eq(port.payload),
                here.eq(port.valid & port.ready),
                port.ready.eq(~(stalling & next(pauses))),
            ]
            came[name] = word, here
        (results, have_results), (scalar, have_scalar), (error, answered) = came.values()
        word, have_word = Signal(max(len(results), len(scalar))), Signal()
        signature = Signal(SIGNATURE_BITS)
        m.d.sync += [word.eq(Mux(have_results, results, scalar)), have_word.eq(have_results | have_scalar)]
        with m.If(have_word):
            parts = [word[at : at + SIGNATURE_BITS] for at in range(0, len(word), SIGNATURE_BITS)]
            m.d.sync += signature.eq(reduce(xor, parts, signature.rotate_left(1)))

        # A vector is finished some cycles after its response, or on a timeout.
        patience = 4 * max(v.occupancy for v in vectors) + 4 * _QUIET
        quiet = Signal(range(patience + 1))
        responded, wrong, agrees = Signal(), Signal(), Signal()
        m.d.sync += [
            quiet.eq(Mux(have_results | have_scalar | answered, 0, quiet + 1)),
            agrees.eq((signature == vector.signature) & responded & ~wrong & ~sending),
        ]
        with m.If(answered):
            m.d.sync += [responded.eq(1), wrong.eq(wrong | responded | (error != vector.error))]
        with m.If(sending & unit.commands.ready):
            m.d.sync += sending.eq(0)
        with m.FSM():
            with m.State("fetch"):
                m.next = "begin"
            with m.State("begin"):
                m.d.sync += [vector.eq(read.data), sending.eq(1), quiet.eq(0)]
                m.d.sync += [signature.eq(SIGNATURE_START), responded.eq(0), wrong.eq(0)]
                m.next = "wait"
            with m.State("wait"), m.If((quiet == patience) | responded & (quiet >= _QUIET)):
                m.next = "judge"
            with m.State("judge"):
                m.next = "fetch"
                with m.If(~agrees):
                    m.d.sync += self.failed.eq(1)
                    m.next = "stop"
                with m.Elif(read.addr == len(vectors) - 1):
                    m.d.comb += restart.eq(1)
                    m.d.sync += [self.number.eq(0), read.addr.eq(0), stalling.eq(~stalling)]
                    m.d.sync += self.passed.eq(self.passed | stalling)
                with m.Else():
                    m.d.sync += read.addr.eq(read.addr + 1)
                    _count(m, self.number)
            with m.State("stop"):
                pass
        return m


def _count(m: Module, number: data.View) -> None:
    """Increment a decimal number."""
    carry: Value = Cat(1)[0]
    for digit in number:
        with m.If(carry):
            m.d.sync += digit.eq(Mux(digit == 9, 0, digit + 1))
        carry = carry & (digit == 9)
