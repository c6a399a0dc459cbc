"""Engines `netlist` and `netlist-ecp5`: what the hardware does before synthesis, in the same cycles."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.es import loop as numpy_engine
from pentary.es.strategy import Parameters
from pentary.machine import engines
from pentary.machine.engines import Setup
from pentary.machine.lockstep import compare
from pentary.numbers.word import PentaryError
from pentary.programs.benchmarks import SIZES, assembled
from pentary.tasks.target import Target
from pentary_hdl.bench.core_presets import merged
from pentary_hdl.engine import core, rtl, verilated
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.netlist import synthesis
from pentary_hdl.netlist.technologies import TECHNOLOGIES

HARDWARE = LowRankParameters(max_rank=1, max_size=16)
TINY = Parameters(population=4, rank=1, steps=1, seed=4)
UNPREDICTED = "predictor = {entries = 0, returns = 0}"


def test_the_engines_are_told() -> None:
    for command in ("train", "run", "trace"):
        shown = " ".join(CliRunner().invoke(main, [command, "--help"]).stdout.split())
        assert "netlist-ecp5" in shown and "generic gates" in shown
    shown = CliRunner().invoke(main, ["verify", "--help"]).stdout
    assert "--netlist " in shown and "--netlist-ecp5 " in shown


@pytest.mark.parametrize("engine", TECHNOLOGIES)
def test_a_configuration_that_the_hardware_cannot_have_is_refused(engine: str, tmp_path: Path) -> None:
    (tmp_path / "a.s").write_text("HALT")
    (tmp_path / "a.toml").write_text("icache.latency = 3")
    done = CliRunner().invoke(
        main, ["run", str(tmp_path / "a.s"), "--config", str(tmp_path / "a.toml"), "--engine", engine]
    )
    assert done.exit_code == 2 and "Traceback" not in done.stderr
    assert done.stderr == "Error: the hardware of the core fetches in 1 or 2 cycles: icache.latency cannot be 3\n"


@pytest.mark.parametrize("engine", TECHNOLOGIES)
def test_a_task_that_the_hardware_cannot_train_is_refused(engine: str) -> None:
    done = CliRunner().invoke(main, ["train", "digits", "--perturb", "factored", "--engine", engine])
    assert done.exit_code == 2 and "needs LRMULX, which the hardware does not have" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("technology", TECHNOLOGIES)
@pytest.mark.parametrize(
    ("size", "hardware", "parameters"), [(8, HARDWARE, TINY), (64, None, Parameters(steps=1))], ids=["tiny", "default"]
)
def test_a_step_has_the_digest_of_numpy_and_the_cycles_of_rtl(
    technology: str, size: int, hardware: LowRankParameters | None, parameters: Parameters
) -> None:
    task = Target(size, size)
    expected = [step.digest for step in numpy_engine.train(task, parameters)]
    before = list(rtl.train(task, parameters, hardware))
    after = list(rtl.train(task, parameters, hardware, technology=technology))
    assert [step.digest for step in after] == expected
    assert [step.measured for step in after] == [step.measured for step in before]


def changed(make: Callable[..., str]) -> Callable[..., str]:
    """Return what makes a netlist whose generic gate in the middle, of those that are a NAND, is an AND."""

    def made(*arguments: Any) -> str:
        lines = make(*arguments).split("\n")
        gates = [number for number, line in enumerate(lines) if " = ~(" in line and " & " in line]
        middle = gates[len(gates) // 2]
        lines[middle] = lines[middle].replace("~(", "(")
        return "\n".join(lines)

    return made


@pytest.mark.slow
def test_training_on_a_netlist_with_another_gate_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verilated, "netlist", changed(verilated.netlist))
    expected = [step.digest for step in numpy_engine.train(Target(8, 8), TINY)]
    try:
        digests = [step.digest for step in rtl.train(Target(8, 8), TINY, HARDWARE, technology="netlist")]
    except PentaryError:  # it hangs, or refuses a command
        return
    assert digests != expected


def verify(*options: str) -> Any:
    return CliRunner().invoke(main, ["verify", "--preset", "quick", "--seed", "5", *options, "--json"])


@pytest.mark.slow
@pytest.mark.parametrize("technology", TECHNOLOGIES)
@pytest.mark.parametrize("unit", ["lralu", "lralu-bus"])
def test_the_bench_of_the_low_rank_unit_passes(unit: str, technology: str) -> None:
    done = verify(unit, f"--{technology}")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["netlist"] == TECHNOLOGIES[technology].help
    assert found["mismatches"] == 0 and found["missing"] == [] and found["operations"] > 500


@pytest.mark.slow
def test_the_bench_finds_another_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "netlist", changed(synthesis.netlist))
    done = verify("lralu", "--netlist")
    assert done.exit_code == 2 and json.loads(done.stdout)["mismatches"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_the_scalar_kernels_take_the_cycles_of_the_model(technology: str) -> None:
    config = merged("units.vector = false\nunits.crossbar = false\nunits.lowrank = false")
    for name in (name for name in SIZES if not name.endswith("-vector")):
        setup = Setup(assembled(name, SIZES[name][0]), config)
        found = compare(engines.engine("sim"), engines.engine(technology), setup, 10_000_000)
        assert found.difference == "" and found.outcome.ending == "halt", name
        assert found.outcome.pc == setup.program.address("passed")


@pytest.mark.slow
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_verify_runs_random_programs_on_the_netlist_of_the_core(technology: str) -> None:
    done = CliRunner().invoke(main, ["verify", "core", "--preset", "quick", "--seed", "3", f"--{technology}", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["netlist"] == TECHNOLOGIES[technology].help and found["instructions"] >= 5_000


@pytest.mark.slow
def test_verify_finds_another_gate_of_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # the cache does not tell this core from the right one
    monkeypatch.setattr(core, "netlist", changed(core.netlist))
    done = CliRunner().invoke(main, ["verify", "core", "--preset", "quick", "--seed", "3", "--netlist"])
    assert done.exit_code == 2 and "seed 3, program" in done.stderr
    assert "waves of the cycles around it" in done.stderr
