"""The record of the processor on FPGAs: of the present gateware."""

import json
from typing import Any

import pytest

import fpga
from pentary_sim.simulator import Simulator

pytestmark = pytest.mark.skipif(not fpga.RECORD.exists(), reason="not measured yet: python research/fpga.py")


@pytest.fixture
def record() -> dict[str, Any]:
    return json.loads(fpga.RECORD.read_text())


def test_the_record_is_of_the_present_gateware(record: dict[str, Any]) -> None:
    assert record["sources"] == fpga.digest(), "stale: python research/fpga.py"
    assert [(each["component"], each["device"]) for each in record["placed"]] == [
        (name, device.name) for name, device in fpga.PLACED
    ]
    assert all(len(each.get("MHz", [])) == 5 or "does not fit" in each["excess"] for each in record["placed"])
    assert list(record["parts"]) == list(fpga.PARTS)


def test_the_kernels_take_as_many_cycles(record: dict[str, Any]) -> None:
    name, run = next(iter(record["kernels"].items()))
    machine = Simulator(fpga.assembled(name, run["size"]), fpga.CONFIG)
    machine.run()
    assert (machine.instructions, machine.cycles) == (run["instructions"], run["cycles"])


def test_the_page_is_made_of_the_record(record: dict[str, Any]) -> None:
    page = fpga.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    # The versions of the tools are those of the day.
    assert page.split("\n")[4:] == fpga.document(record).split("\n")[4:]
