"""Structural tests of the rounds: related inputs, linear approximations, zero sums over all blocks."""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import SEED, STEP, Generator, Mixing, Words
from scipy import stats

from pentary.numbers.word import PENTS, WORD_MAX, from_digits, to_digits, wrap

ROUNDS = range(1, 9)
SAMPLES = 4096  # pairs of words for each input pent
SUM_BLOCKS, SUM_KEYS = 8, 4  # sums run over the 5**8 counters of a member, for 4 keys
APPROXIMATED = 2**15  # words under one key

RELATIONS = {
    "counter": "a multiple of 5^i added to the counter, for each pent i",
    "key": "the same added to the key",
    "opposed": "the same added to the key and taken from the counter, which cancels in the first addition",
    "negated": "key and counter negated; the sum of the two results is tested, since cubing is odd",
    "rotated": "key and counter rotated by 8 pents, which commutes with the mixing; the results rotated back",
}
_CHANGED = {"counter": (0, 1), "key": (1, 0), "opposed": (1, -1)}


def _related(g: Generator, relation: str) -> NDArray[Any]:
    """Return the pentwise output differences modulo 5, (changes, SAMPLES, 16), for inputs that satisfy a relation."""
    key, counter = Generator().words(SEED, STEP * np.arange(SAMPLES)), np.arange(SAMPLES)
    plain = g.pents(key, counter)
    if relation == "negated":
        return (g.pents(-key, -counter) + plain)[None] % 5
    if relation == "rotated":
        turned = [from_digits(np.roll(to_digits(words), 8, -1)) for words in (key, counter)]
        return (np.roll(g.pents(*turned), -8, 1) - plain)[None] % 5
    in_key, in_counter = _CHANGED[relation]
    units = np.arange(SAMPLES) % 4 + 1
    changes = [units * 5**pent for pent in range(PENTS)]
    others = [g.pents(wrap(key + in_key * change), wrap(counter + in_counter * change)) for change in changes]
    return (np.stack(others) - plain) % 5


def avalanche() -> dict[str, list[dict[str, float]]]:
    """Test whether the difference of each output pent is uniform, for each relation and number of rounds."""
    table: dict[str, list[dict[str, float]]] = {}
    for relation in RELATIONS:
        table[relation] = []
        for number in ROUNDS:
            changed = _related(Generator(number), relation)
            counts = np.stack([(changed == value).sum(1) for value in range(5)], -1)
            p = stats.chi2.sf(((counts - SAMPLES / 5) ** 2).sum(-1) / (SAMPLES / 5), 4)
            row = {"largest": np.abs(counts / SAMPLES - 0.2).max(), "smallest": min(1, p.min() * p.size)}
            table[relation].append({name: float(value) for name, value in row.items()})
    return table


def _masks(pents: NDArray[Any]) -> NDArray[np.complex64]:
    """Return exp(2 pi i m.x / 5), (n, masks), of pents (n, 16) for all masks m of one or two pents, up to a scalar."""
    waves = np.exp(2j * np.pi / 5 * np.arange(5)).astype(np.complex64)
    sums = [pents[:, i] for i in range(PENTS)]
    sums += [pents[:, i] + c * pents[:, j] for i, j in combinations(range(PENTS), 2) for c in range(1, 5)]
    return waves[np.stack(sums, 1) % 5]


def approximate(g: Generator, key: int, counters: Words) -> tuple[float, float]:
    """Correlate all masks of up to two counter pents with all masks of up to two result pents.

    Returns:
        The largest magnitude of a correlation, and its p-value as the maximum over all of them.
    """
    largest = 0.0
    inputs = _masks(to_digits(counters)).conj().T.copy()
    results = g.pents(key, counters)
    for factor in range(1, 5):
        with_masks = inputs @ _masks(results * np.int8(factor))
        largest = max(largest, float(np.abs(with_masks).max()) / len(counters))
    number = 4 * len(inputs) ** 2  # counter masks up to a scalar, result masks with each scalar
    return largest, float(min(1, number * np.exp(-len(counters) * largest**2)))


def random_counters(n: int) -> Words:
    return np.random.default_rng(SEED).integers(-WORD_MAX, WORD_MAX + 1, n)


def linear(mixing: Mixing) -> list[dict[str, float]]:
    """Return, for each number of rounds, the largest correlation of masks of up to two pents over random counters."""
    counters = random_counters(APPROXIMATED)
    rows = [approximate(Generator(number, mixing), SEED, counters) for number in ROUNDS]
    return [{"largest": largest, "p": p} for largest, p in rows]


def zero_sums() -> list[list[float]]:
    """Return, for 1 to 8 rounds, the share of output pents whose sum over 5**1 to 5**8 blocks is 0 modulo 5."""
    keys = Generator().words(SEED, STEP * np.arange(SUM_KEYS))
    counters = np.arange(5**SUM_BLOCKS) - 5**SUM_BLOCKS // 2
    table = []
    for number in ROUNDS:
        shares = np.zeros(SUM_BLOCKS)
        for key in keys.tolist():
            sums = Generator(number).pents(key, counters)
            for k in range(SUM_BLOCKS):
                sums = sums.reshape(-1, 5, PENTS).sum(1, dtype=np.int16) % 5
                shares[k] += np.mean(sums == 0) / SUM_KEYS
        table.append(shares.tolist())
    return table
