"""Definitions of the operations LRGEN, LRMUL, PQUANT, LRADD and POPAVG (PRNG is in `pentary.lowrank.generator`).

Vectorised over members: the first axis of an array numbers members, or antithetic pairs of them. Factors are held
rank-major, one vector of pents per rank, as the hardware streams them. Integers are held in float32 for BLAS
products; `pentary.numbers.exact` has the bounds that keep them exact. `architecture/lowrank.md` is the specification.
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank import generator
from pentary.lowrank.layout import BLOCK_MAX, MEMBER_MAX
from pentary.numbers.exact import Float32, check_exact, round_shift_
from pentary.numbers.word import PENTS, PentaryError, limit, round_shift, saturate

Pents = NDArray[np.int8]
Latents = NDArray[np.int64]

MAX_RANK = 64

GAIN_SHIFT = 8
"""Fractional pents in the gain of POPAVG, dropped from the product."""

TOTAL_WIDTH = 8
"""Pents of the totals in POPAVG; wider ones saturate."""


def check_rank(rank: int) -> None:
    """Raise an error if the low-rank unit does not support a rank.

    Raises:
        PentaryError: the rank is not an integer in 1..MAX_RANK.
    """
    if not isinstance(rank, int) or not 1 <= rank <= MAX_RANK:
        raise PentaryError(f"rank {rank} is not supported: it must be an integer in 1..{MAX_RANK}")


def check_shape(rows: int, cols: int, rank: int) -> None:
    """Raise an error if the counters of the generator cannot address a weight matrix.

    Raises:
        PentaryError: rows or cols is below 1, or the initial weights or the factors need too many blocks.

    >>> check_shape(64, 0, rank=8)
    Traceback (most recent call last):
    pentary.numbers.word.PentaryError: shape 64x0 is not supported: rows and columns must be in 1..195312
    """
    if not (1 <= rows <= MEMBER_MAX and 1 <= cols <= BLOCK_MAX):
        raise PentaryError(f"shape {rows}x{cols} is not supported: rows and columns must be in 1..{BLOCK_MAX}")
    blocks = rank * (-(-rows // PENTS) - (-cols // PENTS))
    if blocks > BLOCK_MAX:
        raise PentaryError(
            f"shape {rows}x{cols} at rank {rank} needs {blocks} blocks of pents a pair, more than {BLOCK_MAX}: "
            "take a smaller rank"
        )


def lrgen(key: int, pairs: NDArray[np.integer], rows: int, cols: int, rank: int) -> tuple[Pents, Pents]:
    """LRGEN: draw the factors of each pair's perturbation.

    Every vector starts a new block of 16 pents: first the `rank` vectors of A, then those of B.

    Args:
        key: from `pentary.lowrank.generator.matrix_key`.
        pairs: (P,) numbers of the pairs.
        rows, cols: shape of the weight matrix.
        rank: number of vectors in each factor.

    Returns:
        A transposed, (P, rank, rows), and B transposed, (P, rank, cols): int8, uniform over -2..2.

    Raises:
        PentaryError: a pair number or the matrix is too large for the counter of the generator.

    >>> a, b = lrgen(7, np.arange(3), rows=20, cols=5, rank=2)
    >>> a.shape, b.shape
    ((3, 2, 20), (3, 2, 5))
    """
    row_blocks, col_blocks = -(-rows // PENTS), -(-cols // PENTS)
    drawn = generator.pents(key, pairs, 0, rank * (row_blocks + col_blocks))
    cut = rank * row_blocks * PENTS
    a = drawn[:, :cut].reshape(len(pairs), rank, row_blocks * PENTS)[:, :, :rows]
    b = drawn[:, cut:].reshape(len(pairs), rank, col_blocks * PENTS)[:, :, :cols]
    return a, b


def lrmul(a: Pents, b: Pents) -> Float32:
    """LRMUL: multiply the factors, S = A B^T.

    Args:
        a: (P, rank, rows) pents.
        b: (P, rank, cols) pents.

    Returns:
        (P, rows, cols) integers in float32, of magnitude at most 4 rank.
    """
    return np.matmul(a.astype(np.float32).transpose(0, 2, 1), b.astype(np.float32))


def pquant_thresholds(rank: int) -> tuple[int, int]:
    """Return the least integers that quantise to 1 and to 2 when divided by sqrt(rank).

    s / sqrt(rank) > 1/2 exactly when 4 s^2 > rank, and > 3/2 exactly when 4 s^2 > 9 rank: no root is taken. Where a
    quotient lies in the middle (rank 4 or 16, say) it goes to the level nearer zero, on both sides alike.

    >>> pquant_thresholds(8), pquant_thresholds(16)
    ((2, 5), (3, 7))
    """
    check_rank(rank)
    return isqrt(rank // 4) + 1, isqrt(9 * rank // 4) + 1


def pquant(values: NDArray, rank: int) -> Pents:
    """PQUANT: round values / sqrt(rank) to the five levels, symmetrically, saturating at -2 and 2.

    Args:
        values: integers of any shape, in any dtype that holds them exactly.
        rank: 1..MAX_RANK.

    Returns:
        int8 array of the same shape.

    >>> pquant(np.array([-7, -6, -3, -2, 0, 2, 3, 6, 7]), rank=16).tolist()
    [-2, -1, -1, 0, 0, 0, 1, 1, 2]
    """
    one, two = pquant_thresholds(rank)
    level = (values >= one).view(np.int8) + (values >= two).view(np.int8)
    level -= (values <= -one).view(np.int8)
    level -= (values <= -two).view(np.int8)
    return level


def visible(latents: Latents, width: int) -> Pents:
    """Return the visible weights: the top pent of each latent word, which is the word / 5**(width - 1), rounded.

    Args:
        latents: words of `width` pents, any shape.
        width: pents of a latent word.

    Returns:
        int8 array in -2..2, same shape.

    >>> visible(np.array([-312, -63, -62, 62, 63, 187, 188]), width=4).tolist()
    [-2, -1, 0, 0, 1, 1, 2]
    """
    return round_shift(latents, width - 1).astype(np.int8)


def lradd(latents: Latents, perturbation: Pents, sigma: int, width: int) -> Pents:
    """LRADD: add sigma times a perturbation to the latent words, saturating, and keep the top pent.

    Args:
        latents: (rows, cols) words of `width` pents.
        perturbation: (P, rows, cols) pents.
        sigma: size of the perturbation in units of the latent word; negative for the other member of a pair.
        width: pents of a latent word, at most 9.

    Returns:
        (P, rows, cols) int8: the five-level weights of the members.
    """
    # Rounding first and then saturating at 2 gives the same pent as saturating the word and then rounding.
    moved = perturbation.astype(np.float32)
    moved *= np.float32(sigma)
    moved += latents.astype(np.float32)
    round_shift_(moved, width - 1)
    np.clip(moved, -2, 2, out=moved)
    return moved.astype(np.int8)


def popavg(total: NDArray[np.int64], gain: int, shift: int, latents: Latents, width: int) -> Latents:
    """POPAVG: add the fitness-weighted sum of the perturbations, times the gain, to the latent words, saturating.

    Args:
        total: (rows, cols) sum over the pairs of shaped fitness times perturbation, from `weighted_sum`; saturates at 8
            pents.
        gain: step size as an integer; the step is total * gain / 5**shift, rounded.
        shift: pents dropped from the product.
        latents: (rows, cols) words of `width` pents.
        width: pents of a latent word.

    Returns:
        The new latent words, int64.

    Raises:
        PentaryError: a product does not fit 27 pents.

    >>> popavg(np.array([[2, -2]]), gain=5, shift=1, latents=np.array([[310, 311]]), width=4)
    array([[312, 309]])
    """
    total = saturate(total, TOTAL_WIDTH)
    largest = int(np.abs(total).max(initial=0)) * gain
    if largest > limit(27):
        raise PentaryError(f"the update's product {largest} needs more than 27 pents: take a smaller step")
    return saturate(latents + round_shift(total * gain, shift), width)


def weighted_sum(shaped: Pents, a: Pents, b: Pents, rank: int | None = None) -> NDArray[np.int64]:
    """Return the sum over the pairs of shaped fitness times perturbation.

    Args:
        shaped: (P,) pents.
        a: (P, rank, rows) pents.
        b: (P, rank, cols) pents.
        rank: quantise A B^T / sqrt(rank) first, as `pquant` does; None takes A B^T as it is.

    Returns:
        (rows, cols) int64.

    Raises:
        PentaryError: there are too many pairs for the product to stay exact.
    """
    pairs, vectors, rows = a.shape
    check_exact(pairs * (4 if rank else 8 * vectors), f"sum over {pairs} pairs of rank {vectors}")
    if rank:
        e = pquant(lrmul(a, b), rank).astype(np.float32)
        total = shaped.astype(np.float32) @ e.reshape(pairs, -1)
        return total.astype(np.int64).reshape(rows, -1)
    weighted = (a * shaped[:, None, None]).astype(np.float32).reshape(pairs * vectors, rows)
    return (weighted.T @ b.astype(np.float32).reshape(pairs * vectors, -1)).astype(np.int64)
