"""Alternative generators of pents: linear codes over GF(5) with a random state, and NumPy's Philox."""

import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import digit_tests
import numpy as np
from numpy.typing import NDArray
from reference import SEED, STEP, Digits, Generator
from streams import BLOCKS, MEMBERS
from threadpoolctl import threadpool_limits

from pentary.lowrank import generator
from pentary.numbers.word import PENTS

ROW = PENTS * BLOCKS  # pents of one member
STEPS = 16  # steps in the tested pents, MEMBERS rows each
REPEATS = 15

# Linear feedback over GF(5): pent n is the sum of coefficient * pent (n - distance).
FEEDBACK = {1: {16: 3, 4: 1, 1: 1}, 2: {32: 3, 5: 1, 1: 1}}


def code(blocks: int) -> NDArray[np.float32]:
    """Return the matrix (state, 128) that maps a register state of 16 or 32 pents to its next 128 pents."""
    matrix = np.zeros((PENTS * blocks, PENTS * blocks + ROW), np.int64)
    matrix[:, : PENTS * blocks] = np.eye(PENTS * blocks)
    for n in range(PENTS * blocks, matrix.shape[1]):
        matrix[:, n] = sum(factor * matrix[:, n - distance] for distance, factor in FEEDBACK[blocks].items()) % 5
    balanced = (matrix[:, PENTS * blocks :] + 2) % 5 - 2
    return balanced.astype(np.float32)


def bijection(key: int) -> Digits:
    return generator.pents(key, np.arange(MEMBERS), 0, BLOCKS)


def linear_code(key: int, matrix: NDArray[np.float32]) -> Digits:
    state = generator.pents(key, np.arange(MEMBERS), 0, len(matrix) // PENTS).astype(np.float32)
    sums = state @ matrix  # magnitude at most 32 * 4, so exact
    return (sums - np.float32(5) * np.rint(sums * np.float32(0.2))).astype(np.int8)


def philox(key: int) -> Digits:
    """Return pents from Philox: the upper part of 16-bit numbers times 5, less 2."""
    raw = np.random.Philox(key=key % 2**64).random_raw(MEMBERS * ROW // 4).view(np.uint16)
    return ((raw.astype(np.uint32) * np.uint32(5) >> np.uint32(16)).astype(np.int8) - np.int8(2)).reshape(MEMBERS, ROW)


def _seconds(methods: dict[str, Callable[[int], Digits]]) -> dict[str, float]:
    """Return the time of the fastest run of each method on one thread; runs of the methods alternate."""
    best = dict.fromkeys(methods, np.inf)
    with threadpool_limits(1):
        for key in range(REPEATS):
            for name, method in methods.items():
                start = time.perf_counter()
                method(key)
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def philox_bias() -> Fraction:
    """Return the largest deviation of a pent's probability from 1/5."""
    counts = np.bincount(np.arange(2**16) * 5 >> 16)
    return max(abs(Fraction(int(count), 2**16) - Fraction(1, 5)) for count in counts)


def measure() -> list[dict[str, Any]]:
    """Return a row for each method: speed, and test results on rows of consecutive members and steps."""
    methods: dict[str, Callable[[int], Digits]] = {"keyed bijection": bijection}
    for blocks in FEEDBACK:
        methods[f"linear code, {PENTS * blocks} pents"] = partial(linear_code, matrix=code(blocks))
    methods["Philox, 16 bits a pent"] = philox
    seconds = _seconds(methods)
    keys = Generator().words(SEED, STEP * np.arange(STEPS)).tolist()
    rows = []
    for name, method in methods.items():
        drawn = np.concatenate([method(key) for key in keys])
        p = np.concatenate(list(digit_tests.battery(drawn.reshape(-1, PENTS)).values()))
        rows.append(
            {
                "method": name,
                "pents per second": MEMBERS * ROW / seconds[name],
                "ratio": seconds["keyed bijection"] / seconds[name],
                "p": float(min(1, p.min() * p.size)),
                "complexity": int(np.median(digit_tests.complexity(drawn[:100]))),
                "rank": int(digit_tests.ranks(drawn[:ROW].reshape(1, ROW, ROW))[0]),
            }
        )
    return rows


def repeated_words() -> dict[str, float]:
    """Return the number of repeated words among 2**21 of one key, which is 0, and among 2**21 of different keys."""
    n = 2**21
    same, different = (generator.prng(*inputs) for inputs in ((SEED, np.arange(n)), (np.arange(n), 0)))
    expected = n * (n - 1) / 2 / 5**PENTS
    return {"words": n, "expected": expected} | {
        name: float(n - len(np.unique(words))) for name, words in (("one key", same), ("different keys", different))
    }
