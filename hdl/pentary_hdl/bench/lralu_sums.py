"""Rows of factors between which every row sum occurs: operands for a test of PQUANT that leaves nothing out."""

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from pentary.lowrank.generator import MEMBER_MAX
from pentary.lowrank.operations import lrgen
from pentary_hdl.lralu.twin import LowRankParameters

KEY: Final = 1
"""The key of the factors."""

_EFFORT: Final = 4e8
"""Sums that are looked at: seconds. The rarest at rank 8 and size 64, one in 10^9, come after 3.97e8."""

_CHUNK: Final = 256


class Row(NamedTuple):
    """A row of a pair's perturbation.

    Attributes:
        pair, row: their numbers.
        sums: those that the rows before it lack.
    """

    pair: int
    row: int
    sums: frozenset[int]


@cache
def rows_of_sums(parameters: LowRankParameters) -> tuple[Row, ...]:
    """Find rows that have all sums between them, with rank `max_rank` and ROWS and COLS `max_size` under `KEY`.

    4 rank - 1 and its negative are no sums: no product of two pents is 3. Ranks above 8 have sums that no pair has.
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
    """Give the sums that `rows_of_sums` has."""
    return sorted(s for row in rows_of_sums(parameters) for s in row.sums)
