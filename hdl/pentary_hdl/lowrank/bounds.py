"""Greatest magnitudes of the low-rank unit's numbers, none of which saturates, and the shapes that hold them."""

from typing import Final

from amaranth import Shape, signed

from pentary.isa.table import ACTIVATION, MAX_VL, TOTAL
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import limit

PENT: Final = limit(1)

PROJECTED: Final = MAX_VL * limit(ACTIVATION) * PENT
"""Of U, in LRMULX: a sum of products of an input and a pent."""

SUM: Final = MAX_RANK * PROJECTED * PENT
"""Of S: after LRMULX a sum of products of U and a pent. After LRMUL it is no more than 4 RANK."""

ADDEND: Final = SUM * PENT
"""Of what LRACC adds; sigma times a level, and the steps of POPAVG, are less."""

RESULT_PENTS: Final = 13
"""Pents of a total of LRACC and what is added to it."""

assert limit(TOTAL) + ADDEND <= limit(RESULT_PENTS)


def shape_of(bound: int) -> Shape:
    """Return the shape of the numbers of a greatest magnitude, and of their one's complements.

    >>> shape_of(SUM)
    signed(26)
    """
    return signed(bound.bit_length() + 1)
