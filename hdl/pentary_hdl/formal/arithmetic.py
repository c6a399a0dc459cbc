"""Properties of the arithmetic: components with an output `holds`, to be proved 1 for all inputs."""

from amaranth import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import to_digits
from pentary_hdl.lralu import digits
from pentary_hdl.lralu.digits import PENT

CARRY = signed(2)
"""A carry, -1..1."""


def is_pent(number: Value) -> Value:
    """Return whether a signed number is in -2..2."""
    return (number >= -2) & (number <= 2)


class DigitAdder(wiring.Component):
    """Correctness of a full adder of pents: a + b + carry_in = 5 carry_out + sum.

    The carry out is again in -1..1, so it may enter the adder of the next digit. If the equation of digit i is
    multiplied by 5^i and all of them are added, the carries between digits cancel and the sum of the two numbers
    remains: an adder of any width is correct because this digit is.
    """

    def __init__(self) -> None:
        """Create the property, which has no parameters."""
        super().__init__({"a": In(PENT), "b": In(PENT), "carry_in": In(CARRY), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Compare the adder with integer arithmetic."""
        m = Module()
        total = Signal(range(-5, 6))
        m.d.comb += total.eq(self.a + self.b + self.carry_in)
        pent, carry_out = digits.reduced(m, total)
        given = is_pent(self.a) & is_pent(self.b) & (self.carry_in >= -1)
        adds = 5 * carry_out + pent == self.a + self.b + self.carry_in
        m.d.comb += self.holds.eq(~given | adds & is_pent(pent) & (carry_out >= -1) & (carry_out <= 1))
        return m


class Reduction(wiring.Component):
    """Correctness of the cell `reduced`: total = 5 carry + pent, for all totals of 3 to 5 bits."""

    WIDTHS = range(3, 6)

    def __init__(self) -> None:
        """Create the property, which has no parameters."""
        super().__init__({"total": In(signed(max(self.WIDTHS))), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Check a cell of each width, with the low bits of the total."""
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
    """Correctness of `add_constant`: the result is the number plus the constant modulo 5^pents."""

    def __init__(self, pents: int, constants: tuple[int, ...]) -> None:
        """Create the property for numbers of `pents` pents and for each of the constants."""
        self._constants = constants
        super().__init__({"number": In(data.ArrayLayout(PENT, pents)), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Compare the adder with integer arithmetic."""
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
    """Return whether all codes of a word are pents."""
    return Cat(is_pent(pent) for pent in word).all()
