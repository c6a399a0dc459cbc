"""Properties of the arithmetic: each component has an output `holds`, to be proved 1 for all inputs."""

from amaranth import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import to_digits
from pentary_hdl.lralu import digits
from pentary_hdl.lralu.digits import PENT

CARRY = signed(2)
"""A carry, -1..1."""


def is_pent(number: Value) -> Value:
    """Tell whether a signed number is in -2..2."""
    return (number >= -2) & (number <= 2)


class DigitAdder(wiring.Component):
    """Two pents and a carry give a pent and a carry: a + b + carry_in = 5 carry_out + sum.

    The carry that leaves is again in -1..1, so it may enter the adder of the next digits. With 5^i times the equation
    of digit i, the carries between digits cancel in the sum over all i, and what stays is the sum of the two numbers:
    an adder of any width is right because this digit is.
    """

    def __init__(self) -> None:
        """Take nothing: a digit has no parameters."""
        super().__init__({"a": In(PENT), "b": In(PENT), "carry_in": In(CARRY), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Add, and compare with the integers."""
        m = Module()
        total = Signal(range(-5, 6))
        m.d.comb += total.eq(self.a + self.b + self.carry_in)
        pent, carry_out = digits.reduced(m, total)
        given = is_pent(self.a) & is_pent(self.b) & (self.carry_in >= -1)
        adds = 5 * carry_out + pent == self.a + self.b + self.carry_in
        m.d.comb += self.holds.eq(~given | adds & is_pent(pent) & (carry_out >= -1) & (carry_out <= 1))
        return m


class Reduction(wiring.Component):
    """The cell of all carries: total = 5 carry + pent, for every total of every width up to that of a round's sum."""

    WIDTHS = range(3, 6)

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__({"total": In(signed(max(self.WIDTHS))), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Reduce the total's low bits in a cell of each width."""
        m = Module()
        right = []
        for width in self.WIDTHS:
            total = Signal(signed(width))
            m.d.comb += total.eq(self.total)
            pent, carry = digits.reduced(m, total)
            right.append((5 * carry + pent == total) & is_pent(pent))
        m.d.comb += self.holds.eq(Cat(right).all())
        return m


class ConstantAdder(wiring.Component):
    """A number of some pents plus a constant, modulo 5^pents, is the number that the adder gives."""

    def __init__(self, pents: int, constants: tuple[int, ...]) -> None:
        """Take the number's pents and the constants."""
        self._constants = constants
        super().__init__({"number": In(data.ArrayLayout(PENT, pents)), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Compare values."""
        m = Module()
        pents = list(self.number)
        right = []
        for constant in self._constants:
            result = digits.add_constant(m, pents, to_digits(constant, len(pents)).tolist())
            excess = _value(pents) + constant - _value(result)
            turn = 5 ** len(pents)
            right += [(excess == 0) | (excess == turn) | (excess == -turn), *map(is_pent, result)]
        given = Cat(is_pent(pent) for pent in pents).all()
        m.d.comb += self.holds.eq(~given | Cat(right).all())
        return m


def _value(pents: list[Value]) -> Value:
    return sum((pent * 5**i for i, pent in enumerate(pents)), start=pents[0] * 0)


def are_pents(word: data.View) -> Value:
    """Tell whether all of a word's codes are pents."""
    return Cat(is_pent(pent) for pent in word).all()
