"""Statistical tests of pents (n, 16); each returns p-values that are uniform if the pents are random."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import Digits
from scipy import stats

LAGS = range(1, 17)
SEQUENCES = 8192  # maximum number of sequences of 64 pents in the test of linear complexity


def chi_square(counts: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[Any]:
    """Return the p-value of each row of counts."""
    expected = counts.sum(-1, keepdims=True) * probabilities
    statistic = ((counts - expected) ** 2 / expected).sum(-1)
    return np.atleast_1d(stats.chi2.sf(statistic, counts.shape[-1] - 1))


def singles(words: Digits) -> NDArray[Any]:
    """Test the frequencies of the pents at each of the 16 positions."""
    return chi_square(np.stack([(words == pent).sum(0) for pent in range(-2, 3)], -1), np.full(5, 0.2))


def tuples(words: Digits, size: int) -> NDArray[Any]:
    """Test the frequencies of disjoint pairs or triples of pents at distance 1 to 16 in the sequence."""
    flat = (words.reshape(-1) + 2).astype(np.int64)
    rows = []
    for lag in LAGS:
        parts = flat[: flat.size // (size * lag) * size * lag].reshape(-1, size, lag)
        codes = np.tensordot(parts, 5 ** np.arange(size), (1, 0))
        rows.append(np.bincount(codes.ravel(), minlength=5**size))
    return chi_square(np.stack(rows), np.full(5**size, 5.0**-size))


def positions(words: Digits) -> NDArray[Any]:
    """Test the independence of each pair of positions: 120 within a word, 256 from a word to the next.

    The contribution of the two marginal distributions to chi-square is subtracted, which leaves 16 degrees of freedom.
    """
    hot = (words[:, :, None] == np.arange(-2, 3)).astype(np.float32).reshape(len(words), 80)
    within = _interaction(hot, hot)[np.triu_indices(16, 1)]
    across = _interaction(hot[0::2], hot[1::2]).ravel()
    return stats.chi2.sf(np.concatenate([within, across]), 16)


def _interaction(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    n = len(left)
    counts = (left.T @ right).astype(np.float64).reshape(16, 5, 16, 5).transpose(0, 2, 1, 3)
    excess = counts - counts.mean(2, keepdims=True) - counts.mean(3, keepdims=True) + n / 25
    return (excess**2).sum((2, 3)) / (n / 25)


def gaps(words: Digits) -> NDArray[Any]:
    """Test the distances between zeros, and the lengths of runs of equal pents; both are geometric."""
    flat = words.reshape(-1)
    distances = np.diff(np.flatnonzero(flat == 0))
    lengths = np.diff(np.flatnonzero(flat[1:] != flat[:-1]))
    return np.concatenate([_geometric(distances, 0.2, 30), _geometric(lengths, 0.8, 7)])


def _geometric(lengths: NDArray[Any], stop: float, bins: int) -> NDArray[Any]:
    probabilities = stop * (1 - stop) ** np.arange(bins)
    probabilities[-1] /= stop  # the last bin contains all longer ones
    return chi_square(np.bincount(np.minimum(lengths, bins) - 1, minlength=bins), probabilities)


def ranks(matrices: NDArray[Any]) -> NDArray[Any]:
    """Return the ranks over GF(5) of matrices (count, size, size), by vectorised elimination."""
    a = matrices.astype(np.int16) % 5
    count, size, _ = a.shape
    every, rank = np.arange(count), np.zeros(count, np.int64)
    inverse = np.array([0, 1, 3, 2, 4], np.int16)
    for column in range(size):
        usable = (a[:, :, column] != 0) & (np.arange(size) >= rank[:, None])
        pivot, found = usable.argmax(1), usable.any(1)
        target = np.minimum(rank, size - 1)
        row, other = a[every, pivot], a[every, target]
        a[every, pivot] = np.where(found[:, None], other, row)
        a[every, target] = np.where(found[:, None], row, a[every, target])
        scaled = row * inverse[row[:, column]][:, None] % 5
        factor = a[:, :, column] * (np.arange(size) > target[:, None]) * found[:, None]
        a = (a - factor[:, :, None] * scaled[:, None, :]) % 5
        rank += found
    return rank


def rank_test(words: Digits, size: int) -> NDArray[Any]:
    """Compare the ranks of size x size matrices with their exact distribution: full, one less, lower."""
    rank = ranks(words.reshape(-1)[: words.size // size**2 * size**2].reshape(-1, size, size))
    full = np.prod(1 - 5.0 ** -np.arange(1, size + 1))
    one_less = full / 5 * (1 - 5.0**-size) / (1 - 1 / 5) ** 2
    missing = np.bincount(np.minimum(size - rank, 2), minlength=3)
    return chi_square(missing, np.array([full, one_less, 1 - full - one_less]))


def complexity(sequences: NDArray[Any]) -> NDArray[Any]:
    """Return the linear complexity over GF(5) of each row, by a vectorised Berlekamp-Massey algorithm."""
    s = sequences.astype(np.int16) % 5
    count, length = s.shape
    inverse = np.array([0, 1, 3, 2, 4], np.int16)
    current, previous = (np.zeros((count, length + 1), np.int16) for _ in range(2))
    current[:, 0] = previous[:, 0] = 1
    order, last = np.zeros(count, np.int64), np.ones(count, np.int16)
    for n in range(length):
        reach = min(n, int(order.max())) + 1
        window = s[:, n - reach + 1 : n + 1][:, ::-1]
        wrong = (current[:, :reach].astype(np.int64) * window).sum(1) % 5
        previous = np.roll(previous, 1, 1)
        previous[:, 0] = 0
        kept = current.copy()
        current = (current - (wrong * inverse[last] % 5).astype(np.int16)[:, None] * previous) % 5
        longer = (wrong != 0) & (2 * order <= n)
        previous[longer], last[longer] = kept[longer], wrong[longer]
        order[longer] = n + 1 - order[longer]
    return order


def complexity_test(words: Digits, length: int = 64) -> NDArray[Any]:
    """Compare the complexities of sequences of 64 pents with Rueppel's exact distribution, in five classes."""
    order = complexity(words.reshape(-1)[: words.size // length * length].reshape(-1, length)[:SEQUENCES])
    half = length // 2
    counts = [np.sum(order < half - 1), *(np.sum(order == half + i) for i in (-1, 0, 1)), np.sum(order > half + 1)]
    # Of all 5**n sequences, 4 * 5**min(2L - 1, 2n - 2L) have complexity L >= 1.
    return chi_square(np.array(counts), np.array([1 / 750, 4 / 125, 4 / 5, 4 / 25, 1 / 150]))


def battery(words: Digits) -> dict[str, NDArray[Any]]:
    """Run every test above."""
    return {
        "single pents": singles(words),
        "pairs, lags 1–16": tuples(words, 2),
        "triples, lags 1–16": tuples(words, 3),
        "pairs of positions": positions(words),
        "gaps and runs": gaps(words),
        "rank 16×16": rank_test(words, 16),
        "rank 32×32": rank_test(words, 32),
        "linear complexity": complexity_test(words),
    }
