"""Rows of perturbations that together contain every possible row sum: operands for an exhaustive test of PQUANT."""

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from pentary.lowrank.generator import MEMBER_MAX
from pentary.lowrank.operations import lrgen
from pentary_hdl.lralu.twin import LowRankParameters

KEY: Final = 1
"""Key of the factors."""

_EFFORT: Final = 4e8
"""Bound on the sums searched, which takes seconds. At rank 8 and size 64 the rarest, one in 10^9, need 3.97e8."""

_CHUNK: Final = 256


class Row(NamedTuple):
    """Row of a pair's perturbation.

    Attributes:
        pair, row: indices of the pair and the row.
        sums: the sums in it that no earlier row contains.
    """

    pair: int
    row: int
    sums: frozenset[int]


@cache
def rows_of_sums(parameters: LowRankParameters) -> tuple[Row, ...]:
    """Return rows that together contain all sums, for RANK `max_rank`, ROWS and COLS `max_size`, and KEY `KEY`.

    4 rank - 1 and its negative are not sums, as no product of two pents is 3. For ranks above 8, some sums never occur.
    """
    rank, size = parameters.max_rank, parameters.max_size
    wanted = set(range(-4 * rank, 4 * rank + 1)) - {4 * rank - 1, 1 - 4 * rank}
    found: list[Row] = []
    pairs = int(min(_EFFORT / size**2, MEMBER_MAX + 1))
    for first in range(0, pairs, _CHUNK):
        a, b = lrgen(KEY, np.arange(first, min(first + _CHUNK, pairs)), size, size, rank)
        sums = np.matmul(a.astype(np.float32).transpose(0, 2, 1), b.astype(np.float32)).astype(np.int16)
        occurring = set((np.flatnonzero(np.bincount(sums.reshape(-1) + 4 * rank)) - 4 * rank).tolist())
        while common := wanted & occurring:
            pair, row, _ = np.argwhere(sums == max(common, key=abs))[0].tolist()
            found.append(Row(first + pair, row, frozenset(wanted.intersection(sums[pair, row].tolist()))))
            wanted -= found[-1].sums
        if not wanted:
            break
    return tuple(found)


def reachable_sums(parameters: LowRankParameters) -> list[int]:
    """Return the sums that occur in `rows_of_sums`."""
    return sorted(s for row in rows_of_sums(parameters) for s in row.sums)
