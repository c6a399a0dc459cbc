"""Arithmetic on words as whole binary numbers: all digits at once, with few and wide operations.

The sums are those of `pentary_hdl.core.word`, but the digits stay together in one value. With many lanes this is what a
Verilog simulator computes in reasonable time; on an FPGA it takes the same carry chains.
"""

from collections.abc import Sequence
from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w

WORD_BITS: Final = w.DIGIT_BITS * PENTS
SUM: Final = unsigned(WORD_BITS + w.DIGIT_BITS)
"""A word with a digit more, which holds the sum of two words."""


def repeated(digit: int, places: int) -> int:
    """Return the bits of a number with the same biased digit in all places.

    >>> oct(repeated(2, 3))
    '0o222'
    """
    return sum(digit << w.DIGIT_BITS * place for place in range(places))


def nothing(bits: int = WORD_BITS) -> Const:
    """Return the number 0 in so many bits."""
    return Const(repeated(w.BIAS, bits // w.DIGIT_BITS), bits)


def picked(values: Sequence[Value], index: Value) -> Value:
    """Return one of 2^n values, by choices between two: a simulator does them with less copying than a case of many."""
    for bit in index:
        values = [Mux(bit, two, one) for one, two in zip(values[::2], values[1::2], strict=True)]
    (found,) = values
    return found


def widened(word: Value) -> Value:
    """Return a word as a `SUM`."""
    return Cat(word, w.NOTHING)


def total(m: Module, x: Value, y: Value, minus: Value) -> Value:
    """Return the sum, or the difference, of two words as a `SUM`.

    As in `word.add`, a first chain makes x + y without bias, and a second one adds the bias. With 3 in excess, the
    digit 4 less y of the negative number is y with its bits inverted.
    """
    excess = Mux(minus, ~y, y + repeated(w.EXCESS, PENTS))[:WORD_BITS]
    plain, first = _chain(m, x, excess, Const(1, 1))
    wrapped, second = _chain(m, plain, Const(repeated(w.BIAS + w.EXCESS, PENTS), WORD_BITS), Const(0, 1))
    return Cat(wrapped, (first + second + 1)[: w.DIGIT_BITS])


def plus(m: Module, x: Value, y: Value, carry: Value | int = 0) -> Value:
    """Return the sum of a word and a plain number, and 1 if there is a carry, wrapped to the digits of a word.

    The word may be a plain number, too, as of `core.conversion`; then so is the sum.
    """
    return _chain(m, x, (y + repeated(w.EXCESS, PENTS))[:WORD_BITS], Value.cast(carry))[0]


def _chain(m: Module, x: Value, excess: Value, carry: Value) -> tuple[Value, Value]:
    """Return the base-5 sum of two numbers, the second with 3 added to each digit, and its carry out.

    A digit carries exactly if its three bits do. Else it is 3 too great.
    """
    found = Signal(WORD_BITS + 1)
    m.d.comb += found.eq(x + excess + carry)
    carries = found ^ x ^ excess  # into each bit
    none = ~carries[w.DIGIT_BITS :][:WORD_BITS] & repeated(1, PENTS)
    return (found[:WORD_BITS] - (none | none << 1))[:WORD_BITS], found[WORD_BITS]


def shifted_right(word: Value, k: Value) -> Value:
    """Return a word divided by 5^k, rounded, for k up to 31."""
    for step in range(len(k)):
        by = min(1 << step, PENTS) * w.DIGIT_BITS
        word = Mux(k[step], Cat(word[by:], nothing(by)), word)
    return word


class Width:
    """A width in pents to which all lanes saturate, decoded once for them.

    Args:
        m: module to which it is added.
        width: 1 to 16.
    """

    def __init__(self, m: Module, width: Value) -> None:
        """Decode a width."""
        inside = Signal(WORD_BITS)
        m.d.comb += inside.eq(Cat((place < width).replicate(w.DIGIT_BITS) for place in range(PENTS)))
        self._outside = Signal(SUM)
        self._least, self._greatest = Signal(WORD_BITS), Signal(WORD_BITS)
        m.d.comb += [
            self._outside.eq(Cat(~inside, Const(7, w.DIGIT_BITS))),
            self._least.eq(nothing() & ~inside),
            self._greatest.eq((nothing() & ~inside) | (repeated(4, PENTS) & inside)),
        ]

    def saturated(self, number: Value) -> Value:
        """Return a `SUM` saturated to the width, as a word."""
        edge = Mux(number < nothing(len(number)), self._least, self._greatest)
        return Mux(((number ^ nothing(len(number))) & self._outside).any(), edge, number[:WORD_BITS])


def saturated(number: Value, pents: int) -> Value:
    """Return a number saturated to so many pents."""
    bits = pents * w.DIGIT_BITS
    above = number[bits:]
    edge = Mux(above < nothing(len(above)), Const(0, bits), Const(repeated(4, pents), bits))
    return Mux(above == nothing(len(above)), number[:bits], edge)
