"""Divider of the core: quotient and remainder of two words."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w

CYCLES: Final = 18
"""Cycles from `start` to `done`, both included."""

_WIDE: Final = data.ArrayLayout(w.DIGIT, PENTS + 1)
_MULTIPLES: Final = 4


class Divider(wiring.Component):
    """Divider: a digit of the quotient in a cycle, by long division of the magnitudes in plain digits.

    The first cycle makes the magnitudes, the last gives quotient and remainder their signs. Between them the remainder
    and the next digit of the dividend, R' = 5 R + digit, are compared with one to four times the divisor: those that
    are not greater number the quotient's digit. Dividend and quotient share a register, as one leaves and the other
    comes. Three and four times the divisor come a cycle late, but the first R' is a highest digit, and at most 2.

    Members:
        start: In; whether a division starts; none may be under way.
        x, y: In; dividend, and divisor other than 0.
        done: Out; whether the division ends that started 17 cycles before; the other outputs are its.
        quotient: Out; word, x / y towards zero.
        remainder: Out; word, x less y times that.
    """

    start: In(1)
    x: In(w.WORD)
    y: In(w.WORD)
    done: Out(1)
    quotient: Out(w.WORD)
    remainder: Out(w.WORD)

    def elaborate(self, platform: object) -> Module:
        """Build a step, and the conversions around it."""
        m = Module()
        zero = Const(0, w.DIGIT)
        cycle = Signal(range(CYCLES))
        dividend, remainder = Signal(w.WORD), Signal(w.WORD)
        multiples = [Signal(_WIDE, name=f"multiple{k}") for k in range(1, _MULTIPLES + 1)]
        once, twice = list(multiples[0]), list(multiples[1])
        minus, opposite = Signal(), Signal()

        wide = [dividend[PENTS - 1], *remainder]
        reached = Signal(_MULTIPLES)
        m.d.comb += reached.eq(Cat(~w.is_less(wide, list(multiple)) for multiple in multiples))
        taken: list[Value] = [zero] * (PENTS + 1)
        digit: Value = zero
        for k, (enough, multiple) in enumerate(zip(reached, multiples, strict=True), 1):
            taken, digit = w.chosen(enough, list(multiple), taken), Mux(enough, k, digit)
        rest = conversion.difference(m, wide, taken)[:PENTS]

        x, x_negative = conversion.magnitude(m, list(self.x))
        y, y_negative = conversion.magnitude(m, list(self.y))
        divisor = [*y, zero]
        with m.If(self.start):
            m.d.sync += [
                cycle.eq(1),
                Cat(*dividend).eq(Cat(*x)),
                Cat(*remainder).eq(0),
                Cat(*once).eq(Cat(*divisor)),
                Cat(*twice).eq(Cat(*conversion.sum_of(m, divisor, divisor)[0])),
                *(Cat(*multiple).eq(-1) for multiple in multiples[2:]),  # above any R'
                minus.eq(x_negative),
                opposite.eq(x_negative ^ y_negative),
            ]
        with m.Else():
            with m.If(cycle != 0):
                m.d.sync += cycle.eq(Mux(self.done, 0, cycle + 1))
            m.d.sync += [
                Cat(*dividend).eq(Cat(digit[: w.DIGIT_BITS], *list(dividend)[:-1])),
                Cat(*remainder).eq(Cat(*rest)),
                *(
                    Cat(*multiple).eq(Cat(*conversion.sum_of(m, twice, addend)[0]))
                    for multiple, addend in zip(multiples[2:], (once, twice), strict=True)
                ),
            ]

        m.d.comb += [
            self.done.eq(cycle == CYCLES - 1),
            *_give(self.quotient, conversion.with_sign(m, list(dividend), opposite)),
            *_give(self.remainder, conversion.with_sign(m, list(remainder), minus)),
        ]
        return m


def _give(word: data.View, digits: w.Digits) -> list[object]:
    return [own.eq(digit) for own, digit in zip(word, digits, strict=True)]
