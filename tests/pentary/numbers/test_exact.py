import numpy as np
import pytest

from pentary.numbers.exact import EXACT, ROUNDABLE, check_exact, round_shift_
from pentary.numbers.word import PentaryError, round_shift


@pytest.mark.parametrize("k", range(8))
def test_rounding_in_float32_equals_integer_rounding_for_every_integer_it_is_allowed(k: int) -> None:
    integers = np.arange(-ROUNDABLE, ROUNDABLE + 1, dtype=np.int64)
    values = integers.astype(np.float32)
    round_shift_(values, k)
    assert np.array_equal(values.astype(np.int64), round_shift(integers, k))


def test_float32_holds_the_limit_and_not_the_integer_after_it() -> None:
    assert int(np.float32(EXACT)) == EXACT
    assert int(np.float32(EXACT + 1)) != EXACT + 1


def test_a_product_at_the_bound_is_exact_and_one_beyond_it_is_refused() -> None:
    terms = EXACT // (2 * 64)
    check_exact(terms * 2 * 64, "product")
    x = np.full((1, terms), 64, np.float32)
    x[0, -1] = 63
    assert int((x @ np.full((terms, 1), 2, np.float32))[0, 0]) == EXACT - 2
    with pytest.raises(PentaryError, match=f"product: sums can reach {EXACT + 128}, but float32 is exact only up to"):
        check_exact((terms + 1) * 2 * 64, "product")
