"""The record of the core's Verilog against the model: of the present sources."""

import json
from dataclasses import replace

import core
from pentary.es.loop import train
from pentary.isa.system import CAUSES
from pentary_hdl.bench.core_presets import CONFIGURATIONS


def test_the_record_is_of_the_present_sources_and_large_enough() -> None:
    found = json.loads(core.RECORD.read_text())
    assert found["sources"] == core.digest(), "stale: python research/core.py"
    machines = found["machines"]
    assert machines.keys() == CONFIGURATIONS.keys() and len(machines) >= 12
    assert sum(each["instructions"] for each in machines.values()) >= core.INSTRUCTIONS
    for cause in CAUSES.keys() - {"bus"}:  # the memory of these machines makes no errors
        assert sum(each[cause] for each in machines.values()) >= 100


def test_trainings_have_the_digests_of_numpy() -> None:
    rows = json.loads(core.RECORD.read_text())["trainings"]
    assert len(rows) == len(core.TRAININGS)
    for (task, changes), row in zip(core.TRAININGS, rows, strict=True):
        *_, last = train(task, replace(task.defaults, **changes))
        assert last.digest == row["digest"]


def test_the_page_is_made_of_the_record() -> None:
    page = core.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    assert page == core.document(json.loads(core.RECORD.read_text()))
