"""Report of a self-test on a board: two LEDs, and a line of text once a second on a serial port."""

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.fpga.selftest import DIGITS

BAUD = 115_200

_FRAME = 10
"""Bits of a character on the line: a start bit, eight data bits, a stop bit."""


class Report(wiring.Component):
    """Reporter that sends `PASS 256` or `FAIL 012` once a second, and nothing while neither is known.

    The number is the count of vectors, or the index of the first one that differed.

    Members:
        passed, failed, number: In, outputs of `SelfTest`.
        serial: Out, serial line, 8N1.
        pass_led: Out, blinks once a second while the test has passed and not failed since.
        fail_led: Out, on when the test has failed.
    """

    def __init__(self, count: int, clock_hz: int, baud: int = BAUD) -> None:
        """Create a reporter.

        Args:
            count: number of vectors.
            clock_hz: clock frequency.
            baud: bits a second on the serial line.
        """
        self._count, self._bit_cycles, self._characters = count, round(clock_hz / baud), baud // _FRAME
        super().__init__(
            {
                "passed": In(1),
                "failed": In(1),
                "number": In(DIGITS),
                "serial": Out(1, init=1),
                "pass_led": Out(1),
                "fail_led": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Divide the clock into bits, characters and seconds; the first characters of a second carry the text."""
        m = Module()
        cycle, bit = Signal(range(self._bit_cycles)), Signal(range(_FRAME))
        place = Signal(range(self._characters), init=self._characters - 1)
        m.d.sync += cycle.eq(cycle + 1)
        with m.If(cycle == self._bit_cycles - 1):
            m.d.sync += [cycle.eq(0), bit.eq(bit + 1)]
            with m.If(bit == _FRAME - 1):
                m.d.sync += [bit.eq(0), place.eq(place + 1)]
                with m.If(place == self._characters - 1):
                    m.d.sync += place.eq(0)

        told_pass, told_fail, character = Signal(), Signal(), Signal(8)
        with m.If(place == self._characters - 1):  # the text must not change while it is sent
            m.d.sync += [told_pass.eq(self.passed), told_fail.eq(self.failed)]
        digits = [Cat(digit, C(3, 4)) for digit in reversed(list(self.number))]
        failure = [*map(ord, "FAIL "), *digits, *map(ord, "\r\n")]
        success = f"PASS {self._count:03}\r\n".encode()
        with m.Switch(place):
            for at, (good, bad) in enumerate(zip(success, failure, strict=True)):
                with m.Case(at):
                    m.d.comb += character.eq(Mux(told_fail, bad, good))
        text = (place < len(success)) & (told_pass | told_fail)
        m.d.sync += [
            self.serial.eq(Cat(0, character, 1).bit_select(bit, 1) | ~text),
            self.pass_led.eq(self.passed & ~self.failed & (place < self._characters // 2)),
            self.fail_led.eq(self.failed),
        ]
        return m
