"""The record of the processor on FPGAs: of the present gateware."""

import json

import fpga
from pentary_sim.simulator import Simulator

RECORD = json.loads(fpga.RECORD.read_text())


def test_the_record_is_of_the_present_gateware() -> None:
    assert RECORD["sources"] == fpga.digest(), "stale: python research/fpga.py"
    assert [(each["component"], each["device"]) for each in RECORD["placed"]] == [
        (name, device.name) for name, device in fpga.PLACED
    ]
    assert all(len(each.get("MHz", [])) == 5 or "does not fit" in each["excess"] for each in RECORD["placed"])
    assert list(RECORD["parts"]) == list(fpga.PARTS)


def test_the_kernels_take_as_many_cycles() -> None:
    name, run = next(iter(RECORD["kernels"].items()))
    machine = Simulator(fpga.assembled(name, run["size"]), fpga.CONFIG)
    machine.run()
    assert (machine.instructions, machine.cycles) == (run["instructions"], run["cycles"])


def test_the_page_is_made_of_the_record() -> None:
    page = fpga.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    # The versions of the tools are those of the day.
    assert page.split("\n")[4:] == fpga.document(RECORD).split("\n")[4:]
