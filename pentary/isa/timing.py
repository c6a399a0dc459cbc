"""Occupancy and latency of the instructions, evaluated from the instruction table.

The table gives both as sums of terms, which `pentary.isa.table` defines. Here they become rows of coefficients, so that
whoever needs cycles, compiled or not, computes them from the table's own text.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.isa.table import BY_NAME, INSTRUCTIONS

TERMS: Final = ("", "v", "b", "rn", "rm", "d", "p", "g", "wv", "x")
"""The terms that `pentary.isa.table` defines; "" is the constant."""


def coefficients(cost: str) -> NDArray[np.int64]:
    """Read a cost of the table.

    Args:
        cost: such as "rm+rn+d+6" or "44b+16".

    Returns:
        (len(TERMS),) int64, the factor of each term.

    >>> dict(zip(TERMS, coefficients("rn+4").tolist()))["rn"]
    1
    """
    row = np.zeros(len(TERMS), np.int64)
    for part in cost.split("+"):
        match = re.fullmatch(r"(\d*)([a-z]*)", part)
        assert match and match[2] in TERMS and part, f"{cost!r} is not a sum of terms"
        row[TERMS.index(match[2])] += int(match[1] or 1)
    return row


COSTS: Final = np.array([[coefficients(line.occupancy), coefficients(line.latency)] for line in INSTRUCTIONS])
"""(instructions, 2, terms): occupancy and latency."""


def write_terms(
    out: NDArray[np.int64], lanes: int, rounds: int, vl: int, rows: int, cols: int, rank: int, w: int, x: int
) -> None:
    """Compute the terms for one instruction, in the order of TERMS; Numba can compile it.

    Args:
        out: (len(TERMS),) int64, written.
        lanes, rounds: of the hardware: lanes, and rounds of a generator in a cycle.
        vl: active vector length.
        rows, cols, rank: control registers of the low-rank unit.
        w: the instruction's immediate.
        x: cycles in which its words in memory are moved.
    """
    v, n, m, b = -(-vl // lanes), -(-cols // lanes), -(-rows // lanes), -(-4 * cols // lanes)
    p = -(-8 // rounds) + 1
    depth = 0
    while 1 << depth < lanes:
        depth += 1
    words, generators = rank * (-(-rows // 16) - (-cols // 16)), lanes // 16
    draws = -(-words // generators)
    g = (draws - 1) * max(p, generators) + p + words - (draws - 1) * generators - 1
    out[0], out[1], out[2], out[3], out[4] = 1, v, b, rank * n, rank * m
    out[5], out[6], out[7], out[8], out[9] = depth, p, g, w * v, x


def terms(
    lanes: int, rounds: int, rows: int, cols: int, rank: int, vl: int = 1, w: int = 1, x: int = 1
) -> dict[str, int]:
    """Return the terms for one instruction by name; parameters as of `write_terms`.

    >>> terms(lanes=16, rounds=1, rows=64, cols=64, rank=8)["b"]
    16
    """
    out = np.zeros(len(TERMS), np.int64)
    write_terms(out, lanes, rounds, vl, rows, cols, rank, w, x)
    return dict(zip(TERMS, out.tolist(), strict=True))


def cycles(name: str, terms: dict[str, int]) -> tuple[int, int]:
    """Return occupancy and latency of an instruction in cycles.

    Args:
        name: its mnemonic.
        terms: value of each term, see `terms`.

    >>> cycles("LRADD", terms(lanes=16, rounds=1, rows=64, cols=64, rank=8))
    (16, 24)
    """
    occupancy, latency = (COSTS[INSTRUCTIONS.index(BY_NAME[name])] @ [terms[term] for term in TERMS]).tolist()
    return occupancy, latency
