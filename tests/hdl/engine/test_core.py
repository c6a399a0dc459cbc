"""Engine `core`: programs on the Verilog of the core, against the model."""

import fcntl
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.asm import assemble_text
from pentary.cli.commands import main
from pentary.machine import engines
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary.machine.lockstep import compare
from pentary.numbers.word import PentaryError
from pentary.programs.benchmarks import SIZES, assembled
from pentary_hdl.bench.core_command import checked
from pentary_hdl.bench.core_coverage import CoreCoverage
from pentary_hdl.bench.core_presets import CONFIGURATIONS, configuration
from pentary_hdl.engine import core

PLAIN = """
caches.enabled = false
memory.words = 390625
predictor.returns = 0
"""


NETS = """
import numpy as np
from pentary.nets import Clamp, Conv1d, CrossEntropy, Dense, Flatten, Input, MaxPool, MinGRU, Norm, Sequential

END = (Dense(3, gain=0.4), Clamp(312))
LAYERS = Sequential(
    *(Input((8, 2)), Conv1d(4, 3, padding=1), Clamp(62, "relu"), MaxPool(2), Norm(), MinGRU(3), *END),
    loss=CrossEntropy(),
)
WIDE = Sequential(Input((8, 2)), Flatten(), Dense(260), Clamp(62), *END, loss=CrossEntropy())


def data():
    return np.random.default_rng(0).normal(size=(40, 8, 2)), np.arange(40) % 3
"""
"""Networks with operations of all units, and one whose factors are in memory."""


@pytest.fixture(scope="session")
def built() -> Iterator[None]:
    """Build the cores that these tests take, once for all processes that run tests."""
    with (Path(tempfile.gettempdir()) / "pentary-tests-core.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("small", "drawn"):
            core.build(configuration(name), print)
    yield


@pytest.fixture
def place(built: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("plain.toml").write_text(PLAIN)
    Path("nets.py").write_text(NETS)
    Path("small.toml").write_text(f"memory.words = 78125\n{CONFIGURATIONS['small']}")
    return tmp_path


def pentary(*arguments: object):
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.mark.parametrize("name", ["small", "drawn"])
def test_programs_agree_with_the_model_in_every_record_and_cycle_and_hit_every_bin(built: None, name: str) -> None:
    config, seed = configuration(name), 20_000
    print(f"seed {seed}")
    coverage = CoreCoverage(config)
    for number, (setup, found) in enumerate(checked(config, seed, 15_000)):
        assert not found.difference, f"program {number}: {found.difference}"
        coverage.add(setup.program, found.records, found.met)
    assert len(coverage.hits) > 900 and coverage.missing == []


def test_the_configurations_are_such_as_the_hardware_can_have() -> None:
    for name in CONFIGURATIONS:
        core.parameters.check(configuration(name))


PROGRAM = """
        .equ CONSOLE, -1000
        .equ EXIT, -1003
start:  LI      p1, 12
loop:   MUL     p2, p1, p1
        STORE   p2, table(p1)
        DEC     p1
        BNZ     p1, loop
        LI      p3, 72
        STORE   p3, CONSOLE(zero)
        LI      p3, 946
        STORE   p3, CONSOLE(zero)
        LOAD    p4, -1001(zero)
        STORE   p4, EXIT(zero)
        HALT
        .data
table:  .space  20
"""


def test_run_gives_the_figures_the_output_and_the_exit_status_of_the_model(place: Path) -> None:
    Path("a.s").write_text(PROGRAM)
    Path("in.txt").write_text("\x07")
    options = ("--config", "plain.toml", "--input", "in.txt", "--show", "table:13", "--show", "p3")
    ours, theirs = (pentary("run", "a.s", *options, "--engine", engine, "--json") for engine in ("sim", "core"))
    assert (ours.exit_code, theirs.exit_code) == (7, 7)
    model, found = json.loads(ours.stdout), json.loads(theirs.stdout)
    assert found["engine"] == "core" and found["console"] == "H\u03b2"
    for name in ("cycles", "instructions", "cpi", "registers", "exit_status", "console", "shown", "ended", "error"):
        assert found[name] == model[name], name
    told = pentary("run", "a.s", *options, "--engine", "core")
    assert told.stdout.startswith("H\u03b2\n\nhalted at loop+10 (a.s:15)\n\ncycles")
    assert f"cycles        {model['cycles']}" in told.stdout and "CPI" in told.stdout
    assert pentary("run", "a.s", *options[:4], "--engine", "core", "--quiet").stdout == "H\u03b2"


def test_trace_writes_what_the_model_writes(place: Path) -> None:
    Path("a.s").write_text(PROGRAM)
    Path("in.txt").write_text("\x00")
    for engine in ("sim", "core"):
        done = pentary(
            "trace", "a.s", "--config", "plain.toml", "--input", "in.txt", "--engine", engine, "--out", f"{engine}.csv"
        )
        assert done.exit_code == 0, done.stderr
    assert Path("core.csv").read_bytes() == Path("sim.csv").read_bytes()


FAULTS = {
    "a jump outside": "LI p1, 50000\nJUMPR p1",
    "no instruction": "NOP\n.word 0",
    "an absent unit": "NOP\nLOADX v1, p1",
    "a load outside memory": "LI p1, -5\nLOAD p2, 3(p1)",
    "a store to the text": "STORE p1, 0(zero)",
    "the end of the input": "LOAD p1, -1001(zero)",
    "the wrong direction": "LOAD p1, -1000(zero)",
    "a division by zero": "LI p1, 3\nDIV p1, p1, zero",
    "an operand": "LI p1, 17\nSHL p2, p1, p1",
    "an element": "LI p1, 17\nSETVL p1\nVGET p2, v1, p1",
    "a vector outside memory": "LI p1, 390500\nLOADV v1, (p1)",
    "a vector into the text": "STOREV v1, 1(zero)",
    "a stride that leaves memory": "LI p1, 2000\nLOADVS v1, p1, p1",
    "an index that leaves memory": "LI p1, 390500\nLI p2, 255\nVSET v1, p2, p1\nLOADVX v2, v1, p1",
    "a row of the crossbar": "LI p1, 256\nLOADX v1, p1",
    "a pair": "LI p1, -1\nLRGEN p1",
    "a row of the factors": "LI p1, 9\nLRSET rows, p1\nLRMUL p1",
    "a control register": "LRSET cols, zero",
    "a double fault": "LI p1, 3\nCSRW HANDLER, p1\nDIV p2, p1, zero\n.word 0",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_ends_the_program_is_told_with_its_place(place: Path, name: str) -> None:
    Path("bad.s").write_text(FAULTS[name])
    config = "small.toml" if name == "an absent unit" else "plain.toml"
    ours, theirs = (pentary("run", "bad.s", "--config", config, "--engine", engine) for engine in ("sim", "core"))
    assert (ours.exit_code, theirs.exit_code) == (2, 2)
    first, second = (done.stderr.splitlines()[0] for done in (ours, theirs))
    assert "Traceback" not in second
    kind, _, where = first.partition(" at ")
    assert second.startswith(f"{kind} at {where.split(':')[0]}") or kind == "Error: fetch fault"
    assert second.split(" fault")[0] == first.split(" fault")[0]


def test_a_program_that_does_not_end_is_stopped(place: Path) -> None:
    Path("endless.s").write_text("loop: JUMP loop")
    done = pentary("run", "endless.s", "--config", "plain.toml", "--engine", "core", "--max-cycles", 500)
    assert done.exit_code == 2
    assert done.stderr == "Error: the program has not halted within 500 cycles; it is at loop (endless.s:1)\n"


def test_interrupts_come_in_their_cycles(built: None) -> None:
    text = """
            LI      p1, handler
            CSRW    HANDLER, p1
            LI      p1, 1
            CSRW    ENABLE, p1
            LI      p2, 60
    loop:   DEC     p2
            BNZ     p2, loop
            HALT
    handler:
            CSRR    p9, CAUSE
            INC     p10
            TRET
    """
    setup = Setup(assemble_text(text), configuration("drawn"), interrupts=(3, 50, 51, 52, 100))
    found = compare(engines.engine("sim"), engines.engine("core"), setup, 10_000)
    assert found.difference == "" and found.outcome.traps > 2 and found.outcome.registers[10] == found.outcome.traps


MISTAKES = {
    "predictor.entries = 100": "takes predictor.entries that is 0 or a power of 5, such as 125, not 100",
    "icache.latency = 3": "fetches in 1 or 2 cycles: icache.latency cannot be 3",
    "caches.line = 625": "has lines of up to 125 words: caches.line cannot be 625",
    "caches.line = 5": "takes dcache.ways up to caches.line = 5, not 8",
    "l2.latency = 2": "needs l2.latency of 3 or more, not 2",
    "memory.latency = 4": "needs memory.latency of 5 or more, not 4",
    "memory.beat = 5": "reads a word a cycle from memory: memory.beat cannot be 5",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_configuration_that_the_hardware_cannot_have_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.s").write_text("HALT")
    (tmp_path / "a.toml").write_text(text)
    done = pentary("run", tmp_path / "a.s", "--config", tmp_path / "a.toml", "--engine", "core")
    assert done.exit_code == 2 and MISTAKES[text] in done.stderr and "Traceback" not in done.stderr


def test_options_that_go_with_the_model_only_are_refused(place: Path) -> None:
    Path("a.s").write_text("HALT")
    done = pentary("run", "a.s", "--config", "plain.toml", "--engine", "core", "--trace", "a.vcd")
    assert done.exit_code == 2 and "--trace is of the model" in done.stderr
    done = pentary("verify", "core", "--simulator", "icarus")
    assert done.exit_code == 2 and "--simulator does not go with core" in done.stderr
    done = pentary("verify", "core", "--lanes", "16")
    assert done.exit_code == 2 and "--lanes does not go with core" in done.stderr
    for option in ("--config", "--verilog"):
        done = pentary("verify", option, "plain.toml")
        assert done.exit_code == 2 and f"{option} is of the core, not of lralu" in done.stderr
    done = pentary("verify", "core", "--verilog", "core.v", "--netlist")
    assert done.exit_code == 2 and "--verilog and --netlist do not go together" in done.stderr
    done = pentary("verify", "core", "--verilog", "absent.v")
    assert done.exit_code == 2 and "absent.v" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", SIZES)
def test_kernels_take_the_cycles_of_the_model(built: None, name: str) -> None:
    setup = Setup(assembled(name, SIZES[name][0]), configuration("drawn"))
    found = compare(engines.engine("sim"), engines.engine("core"), setup, 10_000_000)
    assert found.difference == "" and found.outcome.ending == "halt"
    assert found.outcome.pc == setup.program.address("passed")


TRAININGS = {
    "quantized": ("target", "--shape", "16x16", "--population", 10, "--steps", 2),
    "factored": ("target", "--shape", "20x7", "--population", 10, "--steps", 2, "--perturb", "factored"),
    "digits": ("digits", "--population", 2, "--steps", 1),
    "layers": ("nets.py:LAYERS", "--data", "nets.py:data", "--population", 4, "--steps", 1, "--batch", 4),
    "wide": ("nets.py:WIDE", "--data", "nets.py:data", "--population", 2, "--steps", 1, "--batch", 2),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_training_has_the_digests_and_the_cycles_of_the_model(place: Path, name: str) -> None:
    config = Path("trained.toml")
    config.write_text(PLAIN)
    task, *options = TRAININGS[name]
    found = {}
    for engine in ("numpy", "sim", "core"):
        machine = () if engine == "numpy" else ("--config", config)
        done = pentary("train", task, *options, "--engine", engine, *machine, "--out", engine, "--json")
        assert done.exit_code == 0, done.stderr
        found[engine] = json.loads(done.stdout)
        lines = [json.loads(line) for line in (Path(engine) / "steps.jsonl").read_text().splitlines()]
        found[engine]["each"] = [line["digest"] for line in lines]
    for name in ("digest", "each", "fitness_last"):
        assert found["numpy"][name] == found["sim"][name] == found["core"][name]
    for name in ("cycles", "instructions", "cpi", "lanes"):
        assert found["sim"][name] == found["core"][name]


def test_a_program_that_does_not_fit_the_memory_is_refused(place: Path) -> None:
    program = assemble_text("HALT\n.data\n.space 390625")
    with pytest.raises(PentaryError, match=r"the program takes 390,626 words, but memory\.words is 390,625"):
        engines.engine("core").start(Setup(program, configuration("drawn")), None)


def test_verify_tells_the_figures_of_each_configuration(place: Path) -> None:
    done = pentary("verify", "core", "--config", "plain.toml", "--seed", 3, "--operations", 6_000, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["missing"] == [] and found["instructions"] >= 6_000 and found["cycles"] > found["instructions"]
    few = pentary("verify", "core", "--config", "plain.toml", "--seed", 3, "--operations", 100)
    assert few.exit_code == 2 and "bins that were never hit: " in few.stderr


@pytest.mark.slow
def test_waves_around_a_cycle_and_the_stages_in_it(built: None) -> None:
    setup = Setup(assemble_text("start: NOP\nNOP\nNOP\nNOP\nNOP\nHALT"), Config.loads(PLAIN))
    stages, waves = core.around(setup, 4)
    assert [line.split()[:2] for line in stages.splitlines()] == [
        ["ID", "start+3"],
        ["EX", "start+2"],
        ["MEM", "start+1"],
        ["WB", "start"],
    ]
    assert waves.stat().st_size > 10_000
