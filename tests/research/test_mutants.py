"""The table of mutants against the sources, and the record of what has found them."""

import ast
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import mutants
from mutants import FAULTS, GATEWARE
from mutation import ROOT, Mutant, Outcome
from pentary.isa.table import BY_NAME

UNIT = ROOT / "hdl" / "pentary_hdl" / "lralu"
TABLE = mutants.mutants()


@pytest.fixture
def outcomes() -> dict[str, Outcome]:
    """Results as they are if everything is found."""
    return {each.name: Outcome("verify", "each_row") for each in TABLE}


@pytest.mark.parametrize("mutant", TABLE, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_and_leaves_python(mutant: Mutant) -> None:
    ast.parse(mutant.applied((ROOT / mutant.file).read_text()))
    assert mutant.old != mutant.new


def test_a_place_that_is_gone_is_told() -> None:
    gone = Mutant("one", "bound", "pentary/numbers/word.py", old="no such text", new="")
    with pytest.raises(ValueError, match=r"stale: .* one occurs 0 times in pentary/numbers/word.py.*: no such text$"):
        gone.applied((ROOT / gone.file).read_text())


def test_names_differ() -> None:
    assert not [name for name, count in Counter(each.name for each in TABLE).items() if count > 1]


def test_there_are_mutants_of_every_kind() -> None:
    assert {each.kind for each in TABLE} == set(FAULTS)


def test_there_are_mutants_of_every_file_of_the_unit() -> None:
    assert set(GATEWARE) == modules_of("unit") - {"twin"}
    assert {each.module for each in TABLE if each.is_gateware} == set(GATEWARE)


def test_there_are_enough(outcomes: dict[str, Outcome]) -> None:
    assert mutants.shortfall(outcomes) == []


def test_tests_that_are_to_find_a_mutant_exist() -> None:
    assert all((ROOT / file).is_file() for each in TABLE for file in each.test_files)


def test_a_survivor_needs_a_reason(outcomes: dict[str, Outcome]) -> None:
    explained = next(each.name for each in TABLE if each.reason)
    unexplained = next(each.name for each in TABLE if not each.reason)
    lost = outcomes | {explained: Outcome(""), unexplained: Outcome("")}
    assert mutants.shortfall(lost) == [f"{unexplained} is not found, and mutants.toml does not say why"]


def test_forty_mutants_of_the_gateware_and_ten_of_the_software_are_the_least(
    outcomes: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [*[m for m in TABLE if m.is_gateware][:39], *[m for m in TABLE if not m.is_gateware][:9]]
    monkeypatch.setattr(mutants, "mutants", lambda: few)
    told = mutants.shortfall({each.name: outcomes[each.name] for each in few})
    assert told == ["39 of 39 mutants of the gateware are found", "9 of 9 mutants of the software are found"]


def test_what_is_proved_to_change_nothing_does_not_count(outcomes: dict[str, Outcome]) -> None:
    equal = {each.name: Outcome("", proved="Lanes") for each in TABLE[:3]}
    assert mutants.shortfall(outcomes | equal) == []


def test_what_cannot_be_built_or_has_no_result_is_told(outcomes: dict[str, Outcome]) -> None:
    first, second, *_ = outcomes
    outcomes[first] = Outcome("no mutant", message="NameError")
    del outcomes[second]
    assert mutants.shortfall(outcomes) == [f"{second} has no result", f"{first} cannot be built: NameError"]


def test_results_are_kept_until_the_sources_change(
    outcomes: dict[str, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survivor = TABLE[0].name
    outcomes[survivor] = Outcome("", seconds=9)
    monkeypatch.setattr(mutants, "STORE", tmp_path / "mutants.json")
    assert mutants.is_stale()
    mutants.record(outcomes, mutants.digest(), seed=7)
    assert mutants.recorded() == outcomes
    assert not mutants.is_stale()
    told = (tmp_path / "mutants.md").read_text()
    assert "--seed 7" in told
    assert told.endswith(f"## Not found\n\n- {survivor}: a gap of the bench\n")
    mutants.record(outcomes, "other sources", seed=7)
    assert mutants.is_stale()


def test_the_digest_has_all_of_the_instruction_table_that_decides_what_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in mutants.needed())
    lines = re.findall(r"^from pentary\.isa\.table import (\w.*)$", text, re.MULTILINE)
    assert "from pentary.isa.table import (" not in text
    names = {name for line in lines for name in line.split(", ")}
    assert names == {*mutants.OF_TABLE, "BY_NAME", "INSTRUCTIONS"}
    assert {"twin.py", "rows.py", "lralu_oracle.py", "mover.py"} <= {file.name for file in mutants.needed()}
    before = mutants.digest()
    monkeypatch.setitem(BY_NAME, "LRADD", replace(BY_NAME["LRADD"], occupancy="b+1"))
    assert mutants.digest() != before


@pytest.mark.skipif(not mutants.STORE.exists(), reason="not measured yet: python research/mutants.py")
def test_the_goal_is_reached_with_these_sources() -> None:
    assert not mutants.is_stale(), "mutants.json is of other sources: python research/mutants.py"
    assert mutants.shortfall(mutants.recorded()) == []


def modules_of(module: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return the modules and packages of the gateware that one is made of, with itself."""
    found = {module, *seen}
    for path in UNIT.glob(f"{module}/*.py") if (UNIT / module).is_dir() else [UNIT / f"{module}.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pentary_hdl.lralu."):
                name = node.module.split(".")[2]
                if name not in found:
                    found |= modules_of(name, frozenset(found))
    return found
