"""Losses against plain Python integers."""

from collections.abc import Callable
from math import log2

import numpy as np
import pytest

from pentary.nets import CrossEntropy, SquaredError, SquaredHinge
from pentary.nets.losses import Loss


def hinge(z: list[int], right: int) -> int:
    return sum(max(0, 12 - (z[right] - each)) ** 2 for wrong, each in enumerate(z) if wrong != right)


def entropy(z: list[int], right: int) -> int:
    """Return the loss as `architecture/text.md` says it, from the powers of two themselves."""
    total = sum(round(2 ** (each / 25 + 20)) for each in z)
    shift = max(0, total.bit_length() - 11)
    leading = total >> shift
    logarithm = round(625 * (log2(leading + (0.5 if leading >= 1024 else 0)) - 20))
    return logarithm + 625 * shift - 25 * z[right]


def error(z: list[int], target: list[int]) -> int:
    return sum((each - own) ** 2 for each, own in zip(z, target, strict=True))


@pytest.mark.parametrize(
    ("loss", "plain"), [(SquaredHinge(12), hinge), (CrossEntropy(), entropy), (SquaredError(), error)]
)
@pytest.mark.parametrize("width", [1, 2, 10])
def test_totals_are_the_sums_over_the_examples(loss: Loss, plain: Callable[..., int], width: int) -> None:
    rng = np.random.default_rng(width)
    outputs = rng.integers(-312, 313, (3, 20, width))
    outputs[0, 0], outputs[0, 1] = -312, 312
    targets = rng.integers(-312, 313, (20, width)) if loss.goal == "regression" else rng.integers(0, width, 20)
    got = loss.totals(outputs.astype(np.float32), targets)
    assert got.dtype == np.int64
    for member in range(3):
        each = zip(outputs[member].tolist(), targets.tolist(), strict=True)
        assert got[member] == sum(plain(z, target) for z, target in each)


def test_equal_logits_cost_the_bits_of_the_classes() -> None:
    for classes in (2, 4, 256):
        got = CrossEntropy().totals(np.zeros((1, 1, classes), np.float32), np.array([0]))
        assert got.tolist() == [625 * round(log2(classes))]
