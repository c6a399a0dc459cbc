"""The record of the comparison of random programs: of the present sources."""

import json

import random_programs
from pentary.isa.system import CAUSES


def test_the_record_is_of_the_present_sources_and_large_enough() -> None:
    found = json.loads(random_programs.RECORD.read_text())
    assert found["sources"] == random_programs.digest(), "stale: python research/random_programs.py"
    assert found["instructions"] >= random_programs.INSTRUCTIONS and found["programs"] >= 500
    taken = found["traps"]
    assert taken.keys() == CAUSES.keys() - {"bus"}  # which needs a memory that answers with an error
    assert min(taken.values()) >= 100


def test_the_page_is_made_of_the_record() -> None:
    page = random_programs.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    assert page == random_programs.document(json.loads(random_programs.RECORD.read_text()))
