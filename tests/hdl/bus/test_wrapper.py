"""The low-rank ALU with its AXI4-Lite wrapper: `pentary verify lralu-bus`, and the documented register map."""

import os
import shutil
from pathlib import Path

import pytest
from amaranth import Const, Value
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary_hdl.bench import bus_bench
from pentary_hdl.bench.command import check
from pentary_hdl.bus import wrapper
from pentary_hdl.bus.wrapper import markdown
from pentary_hdl.lralu.twin import LowRankParameters

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))
SMALLEST = LowRankParameters(max_rank=1, max_size=16)

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog: apt install iverilog")


@needs_icarus
def test_the_peripheral_does_what_the_twin_does(tmp_path: Path) -> None:
    report, _ = check("icarus", SMALLEST, SEED, 20, False, print, tmp_path, "lralu-bus")
    assert (report.differences, report.missing) == ({}, []), f"seed {SEED}"
    assert sum(report.cases.values()) >= 90


@pytest.mark.slow
@needs_icarus
def test_an_element_past_the_last_that_is_not_refused_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def exists(self: wrapper.LowRankBus, word: Value) -> Value:
        return Const(1)

    monkeypatch.setattr(wrapper.LowRankBus, "_exists", exists)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("COCOTB_TEST_FILTER", r"\.accesses$")
    options = ["--simulator", "icarus", "--preset", "quick", "--seed", "1"]
    result = CliRunner().invoke(main, ["verify", "lralu-bus", *options])
    assert result.exit_code == 2
    assert "Error: seed 1, case accesses: a write of 0x440" in result.stderr


def test_the_document_has_the_map() -> None:
    text = Path(__file__).parents[3].joinpath("architecture/bus.md").read_text(encoding="utf-8")
    assert markdown(wrapper.REGISTERS) in text
    assert markdown(wrapper.WINDOWS) in text


def test_the_bench_has_the_map_too() -> None:
    for entries, stated in ((wrapper.REGISTERS, bus_bench.REGISTERS), (wrapper.WINDOWS, bus_bench.WINDOWS)):
        assert {entry.name: (entry.address, entry.access, entry.bits) for entry in entries} == stated
