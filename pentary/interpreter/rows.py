"""Operations of the low-rank unit on rows, in Python integers.

The interpreter executes them, and the software twin of the hardware; `pentary.lowrank` defines the same for arrays.
"""

from collections.abc import Sequence

from pentary.interpreter.words import rounded, sat
from pentary.isa.table import OPERAND, TOTAL
from pentary.lowrank.operations import GAIN_SHIFT, pquant_thresholds


def multiplied(left: Sequence[int], factor_b: Sequence[Sequence[int]], cols: int) -> list[int]:
    """Return the `cols` row sums of LRMUL: for each column j the sum of left[l] * B[l][j] over the ranks l.

    Args:
        left: a number for each rank: an element of A, or a projected vector (LRMULX).
        factor_b: B, a list for each rank.
        cols: COLS.
    """
    return [sum(number * b[j] for number, b in zip(left, factor_b, strict=False)) for j in range(cols)]


def quantised(sums: Sequence[int], rank: int) -> list[int]:
    """Return the levels -2..2 of PQUANT for row sums of a RANK.

    >>> quantised([3, -8, 0], rank=4)
    [1, -2, 0]
    """
    one, two = pquant_thresholds(rank)
    levels = [(abs(s) >= one) + (abs(s) >= two) for s in sums]
    return [level if s > 0 else -level for s, level in zip(sums, levels, strict=True)]


def perturbed(base: Sequence[int], sums: Sequence[int], sigma: int, width: int) -> list[int]:
    """Return the weights of LRADD: latent words of a WIDTH plus sigma times the levels, rounded to the highest pent.

    >>> perturbed([6, -6], [1, 1], sigma=7, width=2)
    [2, 0]
    """
    sigma = sat(sigma, OPERAND)
    moved = (sat(latent, OPERAND) + sigma * sat(s, 1) for latent, s in zip(base, sums, strict=True))
    return [rounded(sat(latent, width), width - 1) for latent in moved]


def accumulated(base: Sequence[int], sums: Sequence[int], factor: int) -> list[int]:
    """Return the totals of LRACC: each plus a pent times its row sum.

    >>> accumulated([10, 20], [3, -4], factor=-2)
    [4, 28]
    """
    factor = sat(factor, 1)
    return [sat(total, TOTAL) + factor * s for total, s in zip(base, sums, strict=True)]


def updated(base: Sequence[int], totals: Sequence[int], gain: int, width: int) -> list[int]:
    """Return the latent words of POPAVG: each plus GAIN times its total, in a WIDTH.

    >>> updated([5, 5], [1, 100], gain=5**8, width=2)
    [6, 12]
    """
    steps = (rounded(sat(total, OPERAND) * gain, GAIN_SHIFT) for total in totals)
    return [sat(sat(latent, OPERAND) + step, width) for latent, step in zip(base, steps, strict=True)]
