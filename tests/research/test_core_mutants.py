"""The table of the core's mutants against the sources."""

import ast
from collections import Counter

import pytest

import core_mutants
from mutation import ROOT, Mutant, Outcome

TABLE = core_mutants.mutants()


@pytest.mark.parametrize("mutant", TABLE, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_and_leaves_python(mutant: Mutant) -> None:
    ast.parse(mutant.applied((ROOT / mutant.file).read_text()))
    assert mutant.old != mutant.new


def test_there_are_enough_of_different_names() -> None:
    assert len(TABLE) >= core_mutants.LEAST
    assert not [name for name, count in Counter(each.name for each in TABLE).items() if count > 1]


def test_what_is_missing_is_told() -> None:
    all_found = {each.name: Outcome("verify", "small, program 1") for each in TABLE}
    assert core_mutants.shortfall(all_found) == []
    names = list(all_found)
    one_lost = all_found | {names[0]: Outcome("")}
    assert core_mutants.shortfall(one_lost) == [f"{names[0]} is not found, and core_mutants.toml does not say why"]
    two_lost = one_lost | {names[1]: Outcome("")}
    assert f"{len(TABLE) - 2} of {len(TABLE)} mutants are found" in core_mutants.shortfall(two_lost)
    assert f"{names[0]} cannot be built: no" in core_mutants.shortfall(
        all_found | {names[0]: Outcome("no mutant", message="no")}
    )
    del all_found[names[0]]
    assert core_mutants.shortfall(all_found) == [f"{names[0]} has no result"]
