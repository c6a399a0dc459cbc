from collections import Counter
from math import log2

import numpy as np
import pytest

from pentary.runs import health
from pentary.runs.health import Health


def plain_entropy(values: list[int]) -> float:
    return sum(count / len(values) * log2(len(values) / count) for count in Counter(values).values())


@pytest.mark.parametrize("values", [[7], [0, 0, 0], [-2, -1, 0, 1, 2], [-125, 125, 125, 0], [1562, -1562]])
def test_entropy_is_that_of_counts(values: list[int]) -> None:
    for dtype in (np.int8, np.int16, np.int64):
        if max(map(abs, values)) <= np.iinfo(dtype).max:
            assert health.entropy(np.array(values, dtype)) == pytest.approx(plain_entropy(values))


def test_five_levels_used_alike_are_log2_5_bits_and_one_level_is_none() -> None:
    assert health.entropy(np.tile(np.arange(-2, 3), (4, 5))) == pytest.approx(log2(5))
    entropy = health.entropy(np.full((3, 3), -2, np.int8))
    assert str(entropy) == "0.0"


def test_saturation_counts_both_ends_and_changes_are_those_of_visible_numbers() -> None:
    latents = {"w": np.array([[312, -312], [311, -311]]), "v": np.zeros((1, 2), np.int64)}
    visible = {"w": np.array([[2, -2], [2, -2]], np.int8), "v": np.zeros((1, 2), np.int8)}
    before = {"w": np.array([[2, -2], [2, 1]], np.int8), "v": np.zeros((1, 2), np.int8)}
    found = health.of_weights(latents, 312, visible, before)
    assert found == {"w": Health(1.0, 0.5, 0.25), "v": Health(0.0, 0.0, 0.0)}
    assert health.of_weights(latents, 312, visible)["w"].changed == 0


def test_matrices_that_are_not_visible_are_left_out() -> None:
    latents = {"w": np.zeros((1, 1), np.int64), "bias": np.ones((1, 1), np.int64)}
    assert set(health.of_weights(latents, 312, {"w": np.zeros((1, 1), np.int8)})) == {"w"}


def test_json_has_six_decimals() -> None:
    assert health.as_dicts({"w": Health(1 / 3, 2 / 3, 1e-9)}) == {
        "w": {"entropy": 0.333333, "saturation": 0.666667, "changed": 0.0}
    }


def test_the_summary_names_the_extremes_and_one_figure_for_one_matrix() -> None:
    assert (
        health.summary({"a": Health(2.3, 0.01, 0.5)})
        == "entropy 2.30 bits, at most 1.0% saturated, at most 50.00% changed"
    )
    assert "1.90-2.30" in health.summary({"a": Health(2.3, 0, 0), "b": Health(1.9, 0, 0)})
