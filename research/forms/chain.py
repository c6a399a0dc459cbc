"""Base 5 on a binary carry chain: digits 0..4, the balanced ones plus 2.

Excess three, which decimal machines used for the same purpose, makes a digit's carry the carry of its three bits:
x + y + 3 reaches 8 exactly when x + y reaches 5. One operand's digits are given with the 3 already added. A number and
its balanced digits differ by 22...2 in base 5, so dropping digits rounds to the nearest here too.
"""

from amaranth import Cat, Const, Module, Value

from forms import lookup
from pentary_hdl.lralu.digits import PENT

EXCESS = 3
BIAS = 2


def add(m: Module, digits: list[Value], excess: list[Value], carry: Value, balanced: bool = False) -> list[Value]:
    """Add two numbers of equally many digits; what leaves the highest is dropped.

    Args:
        digits: 0..4 each.
        excess: the other number's, each with 3 added.
        carry: 1 to add one.
        balanced: give the sum as pents, each less by 2.
    """
    # A 1 and a 0 above each digit let the carry pass, and show it: the sum there is its complement.
    one = Cat(Cat(digit[:3], 1) for digit in digits)
    other = Cat(Cat(digit[:3], 0) for digit in excess)
    total = (Cat(carry, one) + Cat(carry, other))[1:]
    off = BIAS if balanced else 0

    def entry(group: int) -> int:
        return (group - EXCESS if group & 8 else group) % 8 - off

    shape = PENT if balanced else 3
    return [lookup(m, total[4 * i : 4 * i + 4], shape, entry) for i in range(len(digits))]


def five_complement(m: Module, digits: list[Value], factor: int, length: int) -> list[Value]:
    """Give a multiple of a number as digits 0..4 of 5's complement.

    Args:
        digits: the number's pents.
        factor: 1 or 2.
        length: how many digits to give.
    """
    borrow: Value = Const(0, 1)
    result = []
    for i in range(length):
        pent = digits[i] if i < len(digits) else Const(0, 3)
        below = lookup(m, Cat(pent, borrow), 1, lambda code: _value(code, factor) < 0)
        result.append(lookup(m, Cat(pent, borrow), 3, lambda code: _value(code, factor) % 5))
        borrow = below
    return result


def _value(code: int, factor: int) -> int:
    pent = (code & 7 ^ 4) - 4
    return factor * pent - (code >> 3)
