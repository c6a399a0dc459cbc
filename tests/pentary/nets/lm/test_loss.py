"""The integer loss against exact integers and the exact loss in bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.nets.lm import kernels
from pentary.nets.lm.loss import bits
from pentary.nets.tables import LOGARITHMS, LOSS_PER_BIT, POWERS


def integer_loss(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    loss = np.zeros(len(targets), np.int64)
    kernels.add_loss(logits.astype(np.int16), targets.astype(np.uint8), POWERS, LOGARITHMS, loss)
    return loss


def test_tables_are_those_of_integer_roots(reference) -> None:
    assert POWERS.tolist() == [reference.power(z) for z in range(-312, 313)]
    assert LOGARITHMS[1024:].tolist() == [reference.logarithm(n) for n in range(1024, 2048)]
    assert 2**32 < POWERS.max() < 2**33
    assert abs(LOGARITHMS).max() == 12_500


def test_every_sum_is_shifted_into_the_upper_half_of_the_logarithms() -> None:
    assert 256 * int(POWERS.min()) >= 2048


def test_the_uniform_model_has_exactly_eight_bits() -> None:
    targets = np.arange(256)
    assert set(integer_loss(np.zeros((256, 256)), targets).tolist()) == {8 * LOSS_PER_BIT}
    assert set(bits(np.zeros((256, 256), np.int16), targets).tolist()) == {8.0}


@settings(deadline=None)
@given(st.lists(st.integers(-312, 312), min_size=256, max_size=256), st.integers(0, 255))
def test_the_integer_loss_equals_the_plain_interpreter(reference, logits: list[int], target: int) -> None:
    assert integer_loss(np.array([logits]), np.array([target])).tolist() == [reference.byte_loss(logits, target)]


@pytest.mark.parametrize("largest", [1, 30, 312])
def test_the_integer_loss_is_near_the_exact_one(largest: int) -> None:
    """Bounds: 0.5 units for the logarithm, 0.45 for truncation to 11 bits, 0.25 for rounded powers at z > -200."""
    rng = np.random.default_rng(largest)
    logits = rng.integers(-largest, largest + 1, (2000, 256))
    targets = rng.integers(0, 256, 2000)
    assert abs(integer_loss(logits, targets) - LOSS_PER_BIT * bits(logits, targets)).max() < 1.25


def test_extreme_logits_give_losses_near_the_exact_ones() -> None:
    logits = np.array(
        [np.full(256, -312), np.full(256, 312), np.eye(1, 256, 7, int)[0] * 624 - 312, np.arange(256) % 2 * 624 - 312]
    )
    for target in (0, 7, 255):
        targets = np.full(4, target)
        # The smallest power, 183.5, is rounded to 184: 2.2 units more.
        assert abs(integer_loss(logits, targets) - LOSS_PER_BIT * bits(logits, targets)).max() < 3.5


def test_losses_of_several_bytes_add_up() -> None:
    logits = np.random.default_rng(0).integers(-99, 99, (1, 256)).astype(np.int16)
    loss = np.zeros(1, np.int64)
    for _ in range(3):
        kernels.add_loss(logits, np.array([5], np.uint8), POWERS, LOGARITHMS, loss)
    assert loss.tolist() == [3 * integer_loss(logits, np.array([5]))[0]]
