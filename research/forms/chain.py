"""Base-5 addition on a binary carry chain, with digits 0..4: balanced digits plus 2.

As in the excess-3 code of decimal machines, the carry of a digit becomes the carry of its three bits: x + y + 3 reaches
8 exactly if x + y reaches 5. One operand is passed with 3 already added to each digit. In this form a number is offset
by 22...2 in base 5 from its balanced digits, so truncating digits still rounds to the nearest.
"""

from amaranth import Cat, Const, Module, Value

from forms import lookup
from pentary_hdl.lralu.digits import PENT

EXCESS = 3
BIAS = 2


def add(m: Module, digits: list[Value], excess: list[Value], carry: Value, balanced: bool = False) -> list[Value]:
    """Return the sum of two numbers of the same length; the carry out is dropped.

    Args:
        m: module to which the logic is added.
        digits: digits of one number, 0..4 each.
        excess: digits of the other number, each plus 3.
        carry: carry in.
        balanced: whether to return pents, i.e. digits minus 2.
    """
    # A 1 and a 0 above each digit propagate the carry; the sum bit there is the inverted carry.
    one = Cat(Cat(digit[:3], 1) for digit in digits)
    other = Cat(Cat(digit[:3], 0) for digit in excess)
    total = (Cat(carry, one) + Cat(carry, other))[1:]
    off = BIAS if balanced else 0

    def entry(group: int) -> int:
        return (group - EXCESS if group & 8 else group) % 8 - off

    shape = PENT if balanced else 3
    return [lookup(m, total[4 * i : 4 * i + 4], shape, entry) for i in range(len(digits))]


def five_complement(m: Module, digits: list[Value], factor: int, length: int) -> list[Value]:
    """Return a multiple of a number as digits 0..4 in 5's complement.

    Args:
        m: module to which the logic is added.
        digits: pents of the number.
        factor: 1 or 2.
        length: number of digits to return.
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
