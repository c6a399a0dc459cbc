"""Occupancy and latency against the expressions of the table, evaluated by Python."""

import re
from collections.abc import Callable
from random import Random
from types import ModuleType

import pytest

from pentary.isa import INSTRUCTIONS
from pentary.isa.table import Instruction
from pentary.isa.timing import TERMS, coefficients, cycles, terms


@pytest.fixture(scope="module")
def reference(loaded: Callable[[str], ModuleType]) -> ModuleType:
    """Return the module tests/sim/reference_timing.py."""
    return loaded("sim/reference_timing.py")


def drawn(rng: Random) -> dict[str, int]:
    def size(largest: int) -> int:
        return rng.choice([1, 15, 16, 17, 64, largest, rng.randint(1, largest)]) if largest > 64 else rng.randint(1, 64)

    return {
        "lanes": rng.choice([16, 64, 256]),
        "rounds": rng.choice([1, 2, 4, 8]),
        "vl": size(256),
        "rows": size(256),
        "cols": size(256),
        "rank": size(64),
        "w": rng.randint(1, 16),
        "x": rng.randint(0, 5000),
    }


@pytest.mark.parametrize("line", INSTRUCTIONS, ids=lambda line: line.name)
def test_costs_are_what_the_table_says(reference: ModuleType, line: Instruction) -> None:
    rng = Random(line.name)
    for _ in range(40):
        given = drawn(rng)
        values = reference.terms(**given)
        expected = [reference.cycles(cost, values) for cost in (line.occupancy, line.latency)]
        assert list(cycles(line.name, terms(**given))) == expected, given


@pytest.mark.parametrize(
    ("name", "given", "occupancy", "latency"),
    [
        ("ADD", {}, 1, 1),
        ("DIV", {}, 18, 18),
        ("VADD", {}, 16, 18),  # 256 elements on 16 lanes
        ("VADD", {"vl": 1}, 1, 3),
        ("VADD", {"vl": 17}, 2, 4),
        ("VADD", {"vl": 65, "lanes": 64}, 2, 4),
        ("CONV", {"w": 3}, 48, 52),
        ("CONV", {"w": 3, "vl": 20}, 6, 10),
        ("POPEVAL", {}, 16, 24),  # a tree over 16 lanes is 4 deep
        ("POPEVAL", {"lanes": 256}, 1, 13),
        ("LOADV", {"x": 75}, 75, 77),
        ("STOREV", {"x": 75}, 75, 76),
        ("MATVEC", {}, 16, 20),
        ("PRNG", {}, 9, 11),
        ("PRNG", {"rounds": 4}, 3, 5),
        ("LRGEN", {}, 578, 578),  # 8 * (4 + 4) words of 9 cycles
        ("LRGEN", {"lanes": 64}, 149, 149),  # four generators, 16 words each; the last three are stored one by one
        ("LRGEN", {"lanes": 64, "rounds": 8}, 67, 67),  # a word a cycle is stored, but for the first, which takes two
        ("LRGEN", {"lanes": 64, "rows": 65, "cols": 1, "rank": 1}, 21, 21),  # six words: four, then two
        ("LRMUL", {}, 32, 36),
        ("LRMUL", {"cols": 65, "rank": 2, "lanes": 64}, 4, 8),
        ("LRMULX", {}, 71, 74),  # 32 + 32 + 4 + 3
        ("LRMULX", {"rows": 200}, 143, 146),
        ("PQUANT", {"cols": 17}, 1, 1),
        ("LRADD", {}, 16, 24),  # 64 elements, 4 in a beat
        ("LRADD", {"cols": 17}, 5, 13),
        ("LRACC", {"cols": 17, "lanes": 64}, 2, 10),
        ("POPAVG", {}, 720, 728),
        ("POPAVG", {"cols": 1}, 60, 68),
    ],
)
def test_costs_worked_by_hand(name: str, given: dict[str, int], occupancy: int, latency: int) -> None:
    usual = {"lanes": 16, "rounds": 1, "vl": 256, "rows": 64, "cols": 64, "rank": 8, "w": 3, "x": 11}
    assert cycles(name, terms(**usual | given)) == (occupancy, latency)


def test_coefficients_count_each_term() -> None:
    row = coefficients("44b+16+b+rm")
    assert {term: factor for term, factor in zip(TERMS, row.tolist(), strict=True) if factor} == {
        "": 16,
        "b": 45,
        "rm": 1,
    }


@pytest.mark.parametrize("cost", ["", "y", "v-1", "2*v", "v+", "v v"])
def test_what_is_no_sum_of_terms_is_refused(cost: str) -> None:
    with pytest.raises(AssertionError, match=f"^{re.escape(repr(cost))} is not a sum of terms"):
        coefficients(cost)
