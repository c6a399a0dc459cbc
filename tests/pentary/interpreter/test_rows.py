"""Row operations of the low-rank unit against exact rational numbers and the vectorised operations of training."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary.interpreter import rows
from pentary.lowrank import operations
from pentary.numbers.word import limit

WIDTHS = st.integers(2, 8)
WORDS = st.integers(-limit(16), limit(16))
ROW = st.lists(st.tuples(WORDS, st.integers(-256, 256)), min_size=1, max_size=5)


def clipped(number: int, pents: int) -> int:
    return max(-limit(pents), min(limit(pents), number))


@pytest.mark.parametrize("rank", range(1, 65))
def test_levels_are_the_nearest_to_the_quotient_and_ties_go_to_zero(rank: int) -> None:
    sums = list(range(-4 * rank, 4 * rank + 1))
    for s, level in zip(sums, rows.quantised(sums, rank), strict=True):
        # |s| / sqrt(rank) lies in (k - 1/2, k + 1/2], compared as squares.
        size = abs(level)
        assert size == 0 or 4 * s * s > (2 * size - 1) ** 2 * rank
        assert size == 2 or 4 * s * s <= (2 * size + 1) ** 2 * rank
        assert level * s >= 0


@given(ROW, WORDS, WIDTHS)
def test_perturbed_weights_are_saturated_latent_words_rounded_to_the_highest_pent(
    row: list[tuple[int, int]], sigma: int, width: int
) -> None:
    base, sums = map(list, zip(*row, strict=True))
    expected = [
        round(Fraction(clipped(clipped(b, 8) + clipped(sigma, 8) * clipped(s, 1), width), 5 ** (width - 1)))
        for b, s in row
    ]
    assert rows.perturbed(base, sums, sigma, width) == expected


@given(ROW, WORDS)
def test_totals_grow_by_a_pent_times_each_sum(row: list[tuple[int, int]], factor: int) -> None:
    base, sums = map(list, zip(*row, strict=True))
    assert rows.accumulated(base, sums, factor) == [clipped(b, 12) + clipped(factor, 1) * s for b, s in row]


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.integers(-limit(15), limit(15)), WIDTHS)
def test_updates_are_rounded_once_and_saturate(row: list[tuple[int, int]], gain: int, width: int) -> None:
    base, totals = map(list, zip(*row, strict=True))
    expected = [clipped(clipped(b, 8) + round(Fraction(clipped(t, 8) * gain, 5**8)), width) for b, t in row]
    assert rows.updated(base, totals, gain, width) == expected


def test_products_of_the_factors_are_summed_over_the_ranks() -> None:
    for a, b in product(product(range(-2, 3), repeat=2), repeat=2):
        assert rows.multiplied(a, [[b[0], 1, 99], [b[1], -1, 99]], 2) == [a[0] * b[0] + a[1] * b[1], a[0] - a[1]]


def test_they_agree_with_the_operations_of_training() -> None:
    rng = np.random.default_rng(7)
    a, b = (rng.integers(-2, 3, (1, 3, n)).astype(np.int8) for n in (4, 6))
    latents = rng.integers(-limit(4), limit(4) + 1, (4, 6))
    sums = operations.lrmul(a, b)
    levels = operations.pquant(sums, 3)
    weights = operations.lradd(latents, levels, 17, 4)
    totals = rng.integers(-99, 100, (4, 6))
    updates = operations.popavg(totals, 5**7, 8, latents, 4)
    for i in range(4):
        row = rows.multiplied(a[0, :, i].tolist(), b[0].tolist(), 6)
        assert row == sums[0, i].tolist()
        assert rows.quantised(row, 3) == levels[0, i].tolist()
        assert rows.perturbed(latents[i].tolist(), levels[0, i].tolist(), 17, 4) == weights[0, i].tolist()
        assert rows.updated(latents[i].tolist(), totals[i].tolist(), 5**7, 4) == updates[i].tolist()
