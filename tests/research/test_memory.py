"""The record of what memory costs: of the present programs and the present model."""

import json

import pytest

import memory

RECORD = json.loads(memory.RECORD.read_text())
DEFAULT = next(iter(memory.SWEEPS))


@pytest.mark.parametrize("name", ["target", "spmv"])
def test_the_record_has_the_cycles_of_the_present_model(name: str) -> None:
    for value in ("5", "25"):
        cycles = memory.run(name, memory.LINES[value]).cycles
        assert RECORD["sweeps"][DEFAULT][value][name] == cycles, "stale: python research/memory.py"


def test_the_page_is_made_of_the_record() -> None:
    assert memory.RECORD.with_suffix(".md").read_text(encoding="utf-8") == memory.document(RECORD)
    assert list(RECORD["sweeps"]) == list(memory.SWEEPS)


def test_more_lanes_never_take_longer() -> None:
    for line, counts in RECORD["lanes"].items():
        assert counts["256"] <= counts["64"] <= counts["16"], line


def test_every_part_of_the_memory_costs_something() -> None:
    for title, sweep in RECORD["sweeps"].items():
        for name in ("target", "digits"):
            assert len({cycles[name] for cycles in sweep.values()}) > 1, (title, name)
