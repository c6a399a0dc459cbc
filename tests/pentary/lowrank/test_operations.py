from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary import lowrank
from pentary.lowrank import generator
from pentary.numbers.word import PentaryError, limit, to_digits

KEY = generator.matrix_key(seed=3, step=1, matrix=4)


def root_quotient_level(s: int, rank: int) -> int:
    """Return s / sqrt(rank) rounded to five levels, ties towards zero, by exact comparison of squares."""
    magnitude = sum(Fraction(s * s, rank) > threshold**2 for threshold in (Fraction(1, 2), Fraction(3, 2)))
    return magnitude if s > 0 else -magnitude


@pytest.mark.parametrize("rank", range(1, lowrank.MAX_RANK + 1))
def test_pquant_rounds_every_possible_sum_as_exact_arithmetic_does(rank: int) -> None:
    sums = np.arange(-4 * rank, 4 * rank + 1)
    expected = [root_quotient_level(int(s), rank) for s in sums]
    assert lowrank.pquant(sums, rank).tolist() == expected
    assert lowrank.pquant(sums.astype(np.float32), rank).tolist() == expected
    assert lowrank.pquant(-sums, rank).tolist() == [-level for level in expected]


@pytest.mark.parametrize("rank", [0, -1, lowrank.MAX_RANK + 1, 1.5])
def test_a_rank_that_is_not_supported_is_refused(rank: int) -> None:
    with pytest.raises(PentaryError, match=r"is not supported: it must be an integer in 1\.\.64"):
        lowrank.check_rank(rank)


@pytest.mark.parametrize(("rows", "cols", "rank"), [(16, 16, 1), (20, 5, 2), (1, 33, 3)])
def test_every_vector_of_a_factor_starts_a_block_of_the_generator(rows: int, cols: int, rank: int) -> None:
    pairs = [0, 7, 100_000]
    a, b = lowrank.lrgen(KEY, np.array(pairs), rows, cols, rank)

    def vector(pair: int, first_block: int, length: int) -> list[int]:
        blocks = np.arange(first_block, first_block - (-length // 16))
        words = generator.prng(KEY, pair * 5**8 + blocks)
        return to_digits(words).reshape(-1)[:length].tolist()

    a_blocks, b_blocks = -(-rows // 16), -(-cols // 16)
    for i, pair in enumerate(pairs):
        for k in range(rank):
            assert a[i, k].tolist() == vector(pair, k * a_blocks, rows)
            assert b[i, k].tolist() == vector(pair, rank * a_blocks + k * b_blocks, cols)


def test_lrmul_is_the_product_of_the_factors() -> None:
    a, b = lowrank.lrgen(KEY, np.arange(5), 17, 9, 3)
    expected = np.einsum("pki,pkj->pij", a.astype(np.int64), b.astype(np.int64))
    assert np.array_equal(lowrank.lrmul(a, b), expected)


@given(st.integers(2, 8), st.data())
@settings(deadline=None)
def test_lradd_is_a_saturating_add_that_keeps_the_top_pent(width: int, data: st.DataObject) -> None:
    largest = (5**width - 1) // 2
    latent = data.draw(st.integers(-largest, largest) | st.sampled_from([-largest, largest, 0]))
    sigma = data.draw(st.integers(-(5 ** (width - 1)) // 2, 5 ** (width - 1) // 2))
    levels = np.arange(-2, 3, dtype=np.int8).reshape(5, 1, 1)
    got = lowrank.lradd(np.array([[latent]]), levels, sigma, width).reshape(-1)
    for level, pent in zip(range(-2, 3), got.tolist(), strict=True):
        moved = max(-largest, min(largest, latent + sigma * level))
        assert pent == round(Fraction(moved, 5 ** (width - 1)))
        assert pent == to_digits(moved, width)[-1]


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**9), st.integers(0, 8), st.integers(-312, 312))
@settings(deadline=None)
def test_popavg_adds_the_rounded_product_and_saturates(total: int, gain: int, shift: int, latent: int) -> None:
    moved = latent + round(Fraction(max(-195312, min(195312, total)) * gain, 5**shift))  # (5^8 - 1) / 2
    got = lowrank.popavg(np.array([[total]]), gain, shift, np.array([[latent]]), 4)
    assert got.tolist() == [[max(-312, min(312, moved))]]


def test_popavg_refuses_a_product_wider_than_its_accumulator() -> None:
    with pytest.raises(PentaryError, match="needs more than 27 pents"):
        lowrank.popavg(np.array([[2**17]]), 2**45, 8, np.array([[0]]), 4)


@pytest.mark.parametrize("rank", [1, 8])
@pytest.mark.parametrize("quantize", [False, True])
def test_weighted_sum_equals_integer_arithmetic(rank: int, quantize: bool) -> None:
    a, b = lowrank.lrgen(KEY, np.arange(30), 7, 11, rank)
    shaped = np.resize(np.array([-2, -1, 0, 1, 2], np.int8), 30)
    product = np.einsum("pki,pkj->pij", a.astype(np.int64), b.astype(np.int64))
    e = lowrank.pquant(product, rank).astype(np.int64) if quantize else product
    expected = np.einsum("p,pij->ij", shaped.astype(np.int64), e)
    got = lowrank.weighted_sum(shaped, a, b, rank if quantize else None)
    assert got.dtype == np.int64
    assert np.array_equal(got, expected)


def test_weighted_sum_refuses_more_pairs_than_float32_can_add() -> None:
    pairs = 2**21 + 1
    ones = np.ones((pairs, 1, 1), np.int8)
    with pytest.raises(PentaryError, match="float32 is exact only up to"):
        lowrank.weighted_sum(np.ones(pairs, np.int8), ones, ones)


def test_perturbations_have_the_exact_spread_of_quantised_products() -> None:
    product = np.zeros(9)
    for a in range(-2, 3):
        for b in range(-2, 3):
            product[a * b + 4] += 1 / 25
    sums = np.array([1.0])
    for _ in range(8):
        sums = np.convolve(sums, product)
    levels = lowrank.pquant(np.arange(-32, 33), 8).astype(float)
    variance = (sums * levels**2).sum()
    a, b = lowrank.lrgen(KEY, np.arange(2000), 16, 16, 8)
    e = lowrank.pquant(lowrank.lrmul(a, b), 8).astype(float)
    assert abs(e.mean()) < 0.01
    assert abs(e.var() / variance - 1) < 0.02
    assert 1.5 < variance < 2.5  # the gain assumes 2


def test_totals_beyond_eight_pents_count_as_the_greatest_and_the_least() -> None:
    most = limit(8)
    latents = np.zeros((1, 4), np.int64)
    totals = np.array([[most, most + 1, -most - 1, 3 * most]])
    gain = 5**3  # the greatest total moves a latent word by most / 5**5, which 3 * most would exceed
    moved = lowrank.popavg(totals, gain, 8, latents, 6)
    assert moved.tolist() == [[62, 62, -62, 62]]
