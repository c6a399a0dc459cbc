"""The instruction set reference: up to date, complete, and consistent with the code."""

import re
from dataclasses import replace

import pytest

from pentary.isa import document
from pentary.isa.document import PATH
from pentary.isa.table import BY_NAME, INSTRUCTIONS, REGISTER_ALIASES
from pentary.isa.timing import terms

TEXT = PATH.read_text(encoding="utf-8")


def rows(header):
    """Return the rows of the table with the given header, each as a list of cells."""
    lines = TEXT[TEXT.index(f"| {header} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_file_is_up_to_date():
    assert document.document() == TEXT, "architecture/isa.md is stale: renew it with  python -m pentary.isa.document"


def test_a_changed_line_of_the_table_changes_the_document(monkeypatch):
    changed = tuple(replace(line, semantics="changed") if line.name == "NEG" else line for line in INSTRUCTIONS)
    monkeypatch.setattr(document, "INSTRUCTIONS", changed)
    assert document.document() == TEXT.replace("rd = -rs", "changed")


@pytest.mark.parametrize("line", INSTRUCTIONS, ids=lambda line: line.name)
def test_each_instruction_has_one_row_with_all_that_the_table_says(line):
    (row,) = re.findall(rf"^\| `{line.name}(?: .*)?` .*$", TEXT, re.MULTILINE)
    assembly, flags, unit, occupancy, latency, word, semantics = (cell.strip() for cell in row.strip("|").split("|"))
    code = [line.format, str(line.opcode)] + [str(line.function)] * (line.format == "R")
    assert assembly.strip("`").split() == [line.name, *", ".join(line.operands).split()]
    assert (flags, unit, occupancy, latency) == (line.flags, line.unit, line.occupancy, line.latency)
    assert (word.split(), semantics) == (code, line.semantics)


def test_every_alias_of_a_register_is_told():
    assert {(f"P{number}", f"`{alias}`") for alias, number in REGISTER_ALIASES.items()} == {
        (register, alias) for register, alias, _ in rows("register | alias | role")
    }


def test_the_instructions_that_had_to_be_added_are_listed_once_and_exist():
    added = [name for names, _ in rows("added | why") for name in names.split(", ")]
    assert len(set(added)) == len(added)
    assert set(added) <= BY_NAME.keys()


def test_every_term_of_the_costs_is_explained_and_its_example_is_what_the_model_computes():
    examples = {term: value for term, _, value in rows("term | is | value")}
    computed = terms(lanes=16, rounds=1, vl=256, rows=64, cols=64, rank=8, w=3, x=11)
    assert examples.pop("x") == "11 or 12"
    assert examples == {term: str(value) for term, value in computed.items() if term not in ("", "x")}
    line = {address: (address + 12) // 25 for address in range(25 + 255)}  # a line holds 25 k - 12 .. 25 k + 12
    assert {line[first + 255] - line[first] + 1 for first in range(25)} == {11, 12}


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", TEXT))
def test_links_lead_somewhere(target):
    file, _, anchor = target.partition("#")
    text = (PATH.parent / file).read_text(encoding="utf-8") if file else TEXT
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert not anchor or anchor in {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in headings}
