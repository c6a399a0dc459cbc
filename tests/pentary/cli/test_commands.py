"""The command line: outputs, errors, exit status."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from safetensors import safe_open

from pentary import es
from pentary.cli.commands import main
from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.tasks.digits import Digits
from pentary.tasks.running.run import TaskRun
from pentary.tasks.target import Target

TINY = ["--shape", "8x8", "--population", "4", "--rank", "2", "--steps", "3"]

BLACK_BOXES = """
import os, shutil, time

calls = 0

def good(weights):
    print("printed by the user")
    return int(weights.sum())

def noisy(weights):
    os.system("echo printed by a child")
    return good(weights)

def slow(weights):
    time.sleep(0.02)
    return int(weights.sum())

def wanders(weights):
    os.makedirs("elsewhere", exist_ok=True)
    os.chdir("elsewhere")
    return int(weights.sum())

def destroys(weights):
    global calls
    calls += 1
    if calls == 12:
        shutil.rmtree("here")
    return int(weights.sum())

def broken(weights):
    raise RuntimeError("broken from the start")

def breaks(weights):
    global calls
    calls += 1
    if calls == 12:  # the start, five calls in each of two steps, then the plus member of pair 0
        raise RuntimeError("broke later")
    return int(weights.sum())
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Change to a directory with a user's file, and restore the module search path after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(BLACK_BOXES)
    (tmp_path / "empty.txt").touch()
    (tmp_path / "short.txt").write_text("0123456789" * 5)
    return tmp_path


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    """Disable figures, which take most of the time of a tiny run; runs in separate processes still draw them."""
    monkeypatch.setattr("pentary.runs.plots.fitness_png", lambda *arguments: b"")
    monkeypatch.setattr("pentary.runs.plots.weights_png", lambda *arguments: b"")
    monkeypatch.setattr("pentary.runs.plots.health_png", lambda *arguments: b"")
    monkeypatch.setattr("pentary.runs.plots.bits_png", lambda *arguments: b"")


def pentary(*arguments):
    return CliRunner().invoke(main, arguments)


def heed(*ignored):
    """Return Popen arguments for a child that receives Ctrl-C, even in a background job, but ignores some signals."""

    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    return {"preexec_fn": prepare}


def start(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "pentary", *arguments], **{"text": True, **heed(), **options})


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_help_names_the_tasks_and_shows_examples():
    shown = pentary("train", "--help").stdout
    assert all(task in shown for task in ("target", "digits", "text", "PACKAGE.MODULE:NAME", "FILE.py:NAME"))
    assert all(engine in shown for engine in ("numpy", "sim", "rtl"))
    assert shown.count("    pentary train ") == 7
    own = {task: pentary("train", task, "--help").stdout for task in ("target", "digits", "text", "mine.py:good")}
    assert [task for task, text in own.items() if "--shape" in text] == ["target", "mine.py:good"]
    assert all("--engine" in text for text in own.values())
    assert all("    pentary train " in text and "--steps" in text and "--out" in text for text in own.values())
    assert pentary("--help").stdout.count("    pentary ") == 5
    assert pentary("--version").stdout.startswith("pentary, version 0.")


def test_help_loads_nothing_heavy():
    heavy = ("matplotlib", "sklearn", "numba")
    code = f"import sys, pentary.cli.commands; print(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_run_prints_its_progress_and_a_summary_and_fills_its_folder():
    run = pentary("train", "target", *TINY)
    assert run.exit_code == 0
    assert run.stderr == ""
    steps = list(train(Target(8, 8), Parameters(population=4, rank=2, steps=3)))
    assert [line["digest"] for line in lines("runs/target-seed0/steps.jsonl")] == [step.digest for step in steps]
    assert "step 3/3  fitness" in run.stdout
    assert f"{steps[0].fitness:.6g} -> {steps[-1].fitness:.6g}" in run.stdout
    assert steps[-1].digest in run.stdout
    assert run.stdout.endswith("runs/target-seed0\n")


@pytest.mark.parametrize(("steps", "told"), [(3, 4), (10, 11), (57, 11)])
def test_progress_is_at_most_every_tenth_of_the_run_and_always_the_last_step(steps, told):
    run = pentary("train", "target", *TINY, "--steps", str(steps))
    progress = [line for line in run.stdout.splitlines() if line.startswith("step ")]
    assert len(progress) == told
    assert progress[-1].startswith(f"step {steps}/{steps} ")


def test_json_is_one_object_the_same_as_in_the_folder():
    run = pentary("train", "target", *TINY, "--seed", "9", "--out", "here", "--json")
    result = json.loads(run.stdout)
    assert result == json.loads(Path("here/result.json").read_text())
    assert list(result) == [
        *("task", "engine", "seed", "steps", "evaluations", "fitness_first", "fitness_last", "digest", "seconds"),
        *("evaluations_per_second", "population", "rank", "perturb", "health", "out"),
    ]
    assert (result["task"], result["engine"], result["seed"], result["out"]) == ("target", "numpy", 9, "here")
    assert (result["steps"], result["evaluations"], result["population"]) == (3, 12, 4)
    assert "step 3/3  fitness" in run.stderr
    pentary("train", "target", *TINY, "--seed", "9", "--out", "there")
    assert json.loads(Path("there/result.json").read_text())["digest"] == result["digest"]


def test_digits_report_their_accuracies_and_take_their_own_defaults():
    run = pentary("train", "digits", "--population", "4", "--steps", "1", "--json")
    result = json.loads(run.stdout)
    defaults = Digits.defaults
    assert (result["rank"], result["perturb"]) == (defaults.rank, defaults.perturb)
    assert 0 <= result["train_accuracy"] <= 1
    assert "test accuracy" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trget"], "unknown task 'trget'"),
        (["target", "--population", "7"], "population 7 is odd"),
        (["target", "--population", "0"], "population 0 is outside"),
        (["target", "--rank", "0"], "rank 0 is not supported"),
        (["target", "--rank", "65"], "rank 65 is not supported"),
        (["target", "--steps", "0"], "steps 0 is outside"),
        (["target", "--seed", "76293945313"], "76293945313 is outside"),
        (["target", "--shape", "8"], "shape '8' is not ROWSxCOLUMNS"),
        (["target", "--shape", "8x-8"], "shape '8x-8' is not ROWSxCOLUMNS"),
        (["target", "--shape", "0x8"], "shape 0x8 is not supported"),
        (["digits", "--shape", "8x8"], "--shape is an option of FILE.py:NAME, target: leave it out for digits"),
        (["target", "--out", "mine.py"], "mine.py is a file"),
        (["target", "--out", "."], "holds other files"),
        (["mine.py:none"], "mine.py has no function 'none'"),
        (["mine.py:good", "--perturb", "factored"], "use the quantized perturbation"),
        (["target", "--layers", "2"], "--layers is an option of text: leave it out for target"),
        (["digits", "--engine", "sim", "--backend", "int8"], "the engine sim multiplies itself"),
        (["text", "--rank", "2"], "--rank is an option of FILE.py:NAME, digits, target: leave it out for text"),
        (["text", "--engine", "rtl"], "the engine rtl trains no language model; it is trained by numpy and sim"),
        (["text", "--engine", "sim", "--backend", "int8"], "the engine sim multiplies itself"),
        (["text", "--engine", "sim"], "the engine sim simulates every cycle: say how long to train"),
        (["digits", "--shift", "4"], "shift of the perturbation 4 is outside 0..3"),
        (["target", "--shift", "2"], "a shift is for factored perturbations"),
        (["text", "--engine", "sim", "--dim", "400", "--steps", "1"], "words, but the memory has 1,953,125"),
        (["text", "--minutes", "1", "--steps", "3"], "--minutes and --steps both say how long to train"),
        (["text", "--minutes", "0"], "--minutes 0 is not above 0"),
        (["text", "--minutes", "nan"], "--minutes nan is not above 0"),
        (["text", "--population", "3"], "population 3 is odd"),
        (["text", "--tokens", "0"], "number of tokens 0 is outside"),
        (["text", "--dim", "5000"], "layer 0.down: sums can reach 5001562, but float32 is exact only up to 4194304"),
        (["text", "--input", "none.txt"], "cannot read none.txt: No such file or directory"),
        (["text", "--input", "."], "cannot read .: Is a directory"),
        (["text", "--input", "empty.txt"], "empty.txt is empty"),
        (["text", "--input", "short.txt", "--steps", "1"], "short.txt has 51 bytes, of which a tenth is held out"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_mistake_is_one_line_and_makes_no_run(arguments, told, form):
    run = pentary("train", *arguments, *form)
    assert run.exit_code == 2
    assert run.stdout == ""
    assert run.stderr.startswith("Error: ")
    assert told in run.stderr
    assert run.stderr.count("\n") == 1
    assert not list(Path().glob("runs/*"))


@pytest.mark.parametrize("arguments", [["--lerning-rate", "1"], ["--steps", "many"], ["--engine", "abacus"]])
def test_what_click_refuses_has_the_same_status(arguments):
    run = pentary("train", "target", *arguments)
    assert run.exit_code == 2
    assert "Error: " in run.stderr


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_never_overwrites_the_first():
    assert pentary("train", "target", *TINY, "--out", "here").exit_code == 0
    before = contents(Path("here"))
    again = pentary("train", "target", *TINY, "--out", "here")
    assert again.exit_code == 2
    assert "here holds another run" in again.stderr
    assert contents(Path("here")) == before


def test_a_black_box_that_fails_at_once_leaves_no_folder():
    run = pentary("train", "mine.py:broken", *TINY, "--out", "here")
    assert run.exit_code == 2
    assert run.stderr.startswith("Traceback (most recent call last):\n")
    assert run.stderr.endswith("Error: mine.py:broken raised RuntimeError for the centre\n")
    assert not Path("here").exists()


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_black_box_that_fails_later_leaves_the_steps_so_far(form):
    run = pentary("train", "mine.py:breaks", *TINY, "--out", "here", *form)
    assert run.exit_code == 2
    told = "mine.py:breaks raised RuntimeError for the plus member of pair 0 in step 3"
    assert run.stderr.endswith(f"RuntimeError: broke later\nError: {told}\n")
    assert "commands.py" not in run.stderr and "blackbox.py" not in run.stderr
    assert [line["step"] for line in lines("here/steps.jsonl")] == [0, 1, 2]
    result = json.loads(Path("here/result.json").read_text())
    assert (result["steps"], result["error"]) == (2, told)
    assert Path("here/weights.safetensors").exists() and Path("here/weights.png").exists()
    assert not form or run.stdout == ""


def test_a_disk_that_fills_up_is_one_line(monkeypatch):
    def no_space(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    run = pentary("train", "target", *TINY, "--out", "here", "--json")
    assert run.exit_code == 2
    assert run.stdout == ""
    assert run.stderr == f"Error: cannot write {Path.cwd()}/here/config.json: No space left on device\n"


def test_too_large_for_the_memory_is_one_line(monkeypatch):
    def too_large(*arguments):
        raise MemoryError("Unable to allocate 1 TiB")

    monkeypatch.setattr("pentary.es.strategy.init", too_large)
    run = pentary("train", "target", *TINY)
    assert (run.exit_code, run.stderr) == (2, "Error: there is not enough memory: Unable to allocate 1 TiB\n")


def test_bench_prints_what_it_measured(monkeypatch):
    module = ModuleType("pentary.cli.benchmark")
    vars(module)["run"] = lambda: {"machine": "abacus", "members_per_second": 12.5}
    monkeypatch.setitem(sys.modules, "pentary.cli.benchmark", module)
    assert pentary("bench").stdout == "machine             abacus\nmembers_per_second  12.5\n"
    assert json.loads(pentary("bench", "--json").stdout) == {"machine": "abacus", "members_per_second": 12.5}


def test_the_machine_trains_to_the_same_digest_and_tells_its_cycles():
    machine = json.loads(pentary("train", "target", *TINY, "--engine", "sim", "--out", "sim", "--json").stdout)
    numpy = json.loads(pentary("train", "target", *TINY, "--out", "numpy", "--json").stdout)
    assert machine == json.loads(Path("sim/result.json").read_text())
    assert list(machine) == [
        *[name for name in numpy if name != "out"],
        *("cycles", "instructions", "cpi", "lanes", "lowrank_utilization", "lowrank_busy", "causes", "counts", "out"),
    ]
    same = ("task", "seed", "steps", "evaluations", "fitness_first", "fitness_last", "digest", "population", "rank")
    assert {name: machine[name] for name in same} == {name: numpy[name] for name in same}
    assert (machine["engine"], numpy["engine"]) == ("sim", "numpy")
    steps = lines("sim/steps.jsonl")
    assert [step["digest"] for step in steps] == [step["digest"] for step in lines("numpy/steps.jsonl")]
    cycles = [step["cycles"] for step in steps]
    assert cycles == sorted(set(cycles)) and cycles[-1] == machine["cycles"] == sum(machine["causes"].values())
    assert json.loads(Path("sim/config.json").read_text())["engine"] == "sim"


def test_the_machine_has_the_settings_of_the_file_and_the_summary_tells():
    Path("wide.toml").write_text("lowrank.lanes = 64\n")
    run = pentary("train", "target", *TINY, "--engine", "sim", "--config", "wide.toml")
    assert run.exit_code == 0
    assert re.search(r"^cycles +[\d,]+ for [\d,]+ instructions, CPI \d", run.stdout, re.MULTILINE)
    assert re.search(r"^low-rank unit +64 lanes, busy ", run.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["target", "--config", "machine.toml"],
            "--config is an option of the engines sim and core: leave it out for numpy",
        ),
        (["target", "--engine", "sim", "--config", "none.toml"], "cannot read the configuration none.toml: "),
        (
            ["target", "--engine", "sim", "--config", "machine.toml"],
            "machine.toml: lowrank.lanes is 7; it must be 16, 64 or 256",
        ),
        (["target", "--engine", "sim", "--shape", "257x4"], "weights is 257x4: the machine takes matrices of up to"),
        (["mine.py:good", "--engine", "sim"], "the machine has no program for quantized mine.py:good"),
    ],
)
def test_what_the_machine_cannot_do_is_one_line_and_makes_no_run(arguments, told):
    Path("machine.toml").write_text("[lowrank]\nlanes = 7\n")
    run = pentary("train", *arguments)
    assert run.exit_code == 2
    assert run.stdout == ""
    assert run.stderr.splitlines()[-1].startswith(f"Error: {told}")
    assert "Traceback" not in run.stderr
    assert not list(Path().glob("runs/*"))


def test_bench_of_the_machine(monkeypatch):
    from pentary_sim import bench

    run = bench.run
    monkeypatch.setattr(bench, "run", lambda: run(instructions=2000, steps=1, rounds=1))
    figures = json.loads(pentary("bench", "sim", "--json").stdout)
    assert list(figures) == ["warm_up_seconds", "instructions", "instructions_per_second", "es_steps_per_second"]
    assert figures["instructions"] == 2000


def test_standard_output_holds_nothing_but_the_object_whoever_prints():
    process = start("train", "mine.py:noisy", *TINY, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stdout, stderr = process.communicate()
    assert process.returncode == 0
    assert json.loads(stdout)["task"] == "mine.py:noisy"
    assert stdout.count("\n") == 1
    assert "printed by the user" in stderr and "printed by a child" in stderr


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_keeps_the_steps_so_far_and_still_prints_the_object(number, status):
    arguments = ("train", "mine.py:slow", *TINY, "--steps", "1000", "--out", "here", "--json")
    process = start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_steps(process)
    process.send_signal(number)
    stdout, stderr = process.communicate()
    assert process.returncode == status
    result = json.loads(stdout)
    assert result == json.loads(Path("here/result.json").read_text())
    assert result["interrupted"] is True
    assert result["steps"] + 1 == len(lines("here/steps.jsonl"))
    assert all(Path("here", name).exists() for name in ("weights.safetensors", "fitness.png", "health.png"))
    assert "Traceback" not in stderr


def test_who_ignores_the_hang_up_as_nohup_does_is_heeded():
    arguments = ("train", "mine.py:slow", *TINY, "--steps", "30", "--out", "here")
    process = start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **heed(signal.SIGHUP))
    wait_for_steps(process)
    process.send_signal(signal.SIGHUP)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert json.loads(Path("here/result.json").read_text())["steps"] == 30


def wait_for_steps(process):
    while process.poll() is None and not (Path("here/steps.jsonl").exists() and len(lines("here/steps.jsonl")) > 2):
        time.sleep(0.05)


def test_an_exception_that_nobody_foresaw_keeps_the_weights_and_its_traceback(monkeypatch):
    tell = es.tell

    def faulty(parameters, state, fitness):
        return tell(parameters, state, fitness) if state.step < 2 else {}["no such key"]

    monkeypatch.setattr("pentary.es.strategy.tell", faulty)
    run = pentary("train", "target", *TINY, "--out", "here")
    told = "KeyError: 'no such key'"
    kept = "which is a fault of pentary: the run is kept in here, the traceback in result.json"
    assert (run.exit_code, run.stderr) == (1, f"Error: {told}, {kept}\n")
    result = json.loads(Path("here/result.json").read_text())
    assert (result["steps"], result["error"]) == (2, told)
    assert result["traceback"].startswith("Traceback") and "in faulty" in result["traceback"]
    assert Path("here/weights.safetensors").exists()


def test_a_file_may_have_a_name_that_is_no_text():
    name = os.fsdecode(b"m\xff.py")
    Path(name).write_text("def fitness(weights):\n    return int(weights.sum())\n")
    process = start("train", f"{name}:fitness", *TINY, "--out", "here", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert json.loads(Path("here/result.json").read_text())["task"] == r"m\xff.py:fitness"
    with safe_open("here/weights.safetensors", "numpy") as file:
        assert file.metadata()["task"] == r"m\xff.py:fitness"
    assert Path("here/health.png").exists()


def test_weights_that_cannot_be_made_lose_neither_the_reason_nor_those_kept_before(monkeypatch):
    made = []

    def faulty(run, make=TaskRun.weights):
        made.append(run)
        return make(run) if len(made) < 3 else {}["no such key"]

    monkeypatch.setattr(TaskRun, "weights", faulty)
    run = pentary("train", "target", *TINY, "--out", "here")
    assert run.exit_code == 1 and run.stderr.startswith("Error: KeyError: 'no such key', ")
    assert "in faulty" in json.loads(Path("here/result.json").read_text())["traceback"]
    with safe_open("here/weights.safetensors", "numpy") as file:
        assert file.metadata()["step"] == "2"


def test_a_black_box_may_change_the_working_directory():
    assert start("train", "mine.py:wanders", *TINY, "--out", "here").wait() == 0
    assert len(lines("here/steps.jsonl")) == 4
    assert Path("here/weights.safetensors").exists()


def test_a_folder_deleted_in_between_ends_the_run_and_is_made_again_for_its_weights():
    run = pentary("train", "mine.py:destroys", *TINY, "--out", "here")
    assert run.exit_code == 2
    assert run.stderr == f"Error: cannot write {Path.cwd()}/here/steps.jsonl: No such file or directory\n"
    result = json.loads(Path("here/result.json").read_text())
    assert result["steps"] == 3 and "steps.jsonl" in result["error"]
    assert Path("here/weights.safetensors").exists() and Path("here/config.json").exists()


def test_weights_that_the_folder_does_not_take_are_kept_among_the_temporary_files(monkeypatch, tmp_path):
    write, temporary = Path.write_bytes, tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def full_at_the_end(path, content):
        if (
            path.parent.name == "here"
            and len(lines("here/steps.jsonl") if Path("here/steps.jsonl").exists() else []) > 3
        ):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_at_the_end)
    run = pentary("train", "target", *TINY, "--out", "here")
    (kept,) = temporary.iterdir()
    assert run.exit_code == 2
    told = f"cannot write {Path.cwd()}/here/weights.safetensors: No space left on device"
    assert run.stderr == f"Error: {told}; the run is kept in {kept}\n"
    assert lines(kept / "steps.jsonl") == lines("here/steps.jsonl")
    result = json.loads((kept / "result.json").read_text())
    assert (result["steps"], result["unwritten"], result["out"]) == (3, told, str(kept))
    assert {path.name for path in kept.iterdir()} >= {"config.json", "weights.safetensors", "weights.png"}


def test_of_two_processes_one_has_the_folder_and_the_other_is_told():
    both = [start("train", "mine.py:slow", *TINY, "--out", "here", stderr=subprocess.PIPE) for _ in range(2)]
    ended = sorted((process.wait(), process.communicate()[1]) for process in both)
    assert ended == [
        (0, ""),
        (2, "Error: here holds another run, and nothing is overwritten: give another folder\n"),
    ]
    assert [line["step"] for line in lines("here/steps.jsonl")] == [0, 1, 2, 3]


def test_a_reader_that_leaves_does_not_end_the_run():
    process = start("train", "mine.py:slow", *TINY, "--steps", "20", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith("step  0/20")
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert stderr == ""
    result = json.loads(Path("runs/mine.py-slow-seed0/result.json").read_text())
    assert result["steps"] == 20 and "interrupted" not in result


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_standard_output_is_one_line_and_loses_nothing(form):
    with Path("/dev/full").open("w") as full:
        process = start("train", "target", *TINY, *form, "--out", "here", stdout=full, stderr=subprocess.PIPE)
        _, stderr = process.communicate()
    assert process.returncode == 2
    assert stderr.endswith("Error: cannot write the output: No space left on device; the run is kept in here\n")
    assert stderr.count("Error") == 1
    assert json.loads(Path("here/result.json").read_text())["steps"] == 3
    assert Path("here/health.png").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_error_changes_nothing_but_the_message():
    with Path("/dev/full").open("w") as full:
        done = start("train", "target", *TINY, "--json", "--out", "here", stdout=subprocess.PIPE, stderr=full)
        assert json.loads(done.communicate()[0])["steps"] == 3
        assert done.returncode == 0
        assert start("train", "target", "--population", "3", stderr=full).wait() == 2
        assert start("train", "--no-such-option", stderr=full).wait() == 2


def test_closed_standard_streams_are_no_place_for_files():
    closing = {"preexec_fn": lambda: [os.close(number) for number in (0, 1, 2)]}
    assert start("train", "target", *TINY, "--out", "here", **closing).wait() == 2
    assert [line["step"] for line in lines("here/steps.jsonl")] == [0, 1, 2, 3]
    assert Path("here/health.png").exists()


def test_a_terminal_gets_a_bar_on_standard_error_and_the_summary_on_standard_output():
    terminal, theirs = os.openpty()
    process = start("train", "target", *TINY, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    stdout, _ = process.communicate()
    drawn = b""
    with contextlib.suppress(OSError):  # raised by Linux after the last byte; a read returns 4 kB at most
        while part := os.read(terminal, 2**16):
            drawn += part
    os.close(terminal)
    assert process.returncode == 0
    assert "3/3" in drawn.decode() and "evaluations/s" in drawn.decode()
    assert stdout.startswith("steps  ")


TINY_TEXT = ["train", "text", "--dim", "8", "--population", "8", "--tokens", "3", "--input", "mine.py"]


def test_text_tells_the_ngrams_first_and_leaves_a_run_that_can_be_sampled_and_evaluated():
    run = pentary(*TINY_TEXT, "--steps", "3", "--out", "here")
    assert run.exit_code == 0
    text, model, ngrams, *_ = run.stdout.splitlines()
    assert text.startswith("text     mine.py, ")
    assert re.fullmatch(r"n-grams  unigram \d\.\d{3}, bigram \d\.\d{3}, trigram \d\.\d{3} bits/byte .*", ngrams)
    assert model.startswith("model    layers 1, dim 8: ")
    assert re.search(r"^step 3/3  held-out \d\.\d{3}  train \d\.\d{3} bits/byte  ", run.stdout, re.MULTILINE)
    steps = [line["step"] for line in lines("here/steps.jsonl")]
    assert steps[:2] == [0, 1] and steps[-1] == 3
    assert len(pentary("sample", "here", "--bytes", "30").stdout_bytes) == 30
    assert re.fullmatch(
        r"\d\.\d{3} bits/byte on the 50 bytes of short.txt\n", pentary("eval", "here", "short.txt").stdout
    )


def test_text_gives_the_figures_of_a_language_model():
    result = json.loads(pentary(*TINY_TEXT, "--steps", "2", "--out", "here", "--json").stdout)
    assert result == json.loads(Path("here/result.json").read_text())
    promised = [
        *("bits_per_byte_validation", "bits_per_byte_train", "unigram_bits", "bigram_bits", "trigram_bits"),
        *("member_tokens", "member_tokens_per_second", "gmacs_per_second", "macs_per_token", "parameters", "digest"),
    ]
    assert set(promised) <= set(result)
    assert (result["member_tokens"], result["steps"], result["backend"]) == (2 * 8 * 3, 2, "int8")
    assert result["digest"] == lines("here/steps.jsonl")[-1]["digest"]


def test_minutes_become_a_number_of_steps_that_gives_the_same_digest(monkeypatch):
    monkeypatch.setattr("pentary.tasks.language.run.TRIAL", 0)
    timed = json.loads(pentary(*TINY_TEXT, "--minutes", "0.001", "--json").stdout)
    again = json.loads(pentary(*TINY_TEXT, "--steps", str(timed["steps"]), "--json").stdout)
    assert (again["steps"], again["digest"]) == (timed["steps"], timed["digest"])


def test_every_backend_trains_to_the_same_digest():
    for task in (["digits", "--population", "8"], TINY_TEXT[1:]):
        runs = [pentary("train", *task, "--steps", "2", "--json", "--backend", name) for name in ("numpy", "int8")]
        assert len({json.loads(run.stdout)["digest"] for run in runs}) == 1


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("target", "--backend is an option of FILE.py:NAME, digits, text: leave it out for target"),
        ("mine.py:good", "--backend is for a network; mine.py:good is none"),
    ],
)
def test_a_task_without_products_refuses_a_backend(task, told):
    run = pentary("train", task, "--backend", "int8")
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr == f"Error: {told}\n"


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_keeps_what_a_text_has_been_trained_on(number, status):
    process = start(
        *TINY_TEXT, "--steps", "1000000", "--out", "here", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while process.poll() is None and not (Path("here/steps.jsonl").exists() and len(lines("here/steps.jsonl")) > 1):
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate()
    assert process.returncode == status
    assert re.search(r"^steps +[\d,]+ of 1,000,000, interrupted$", stderr, re.MULTILINE)
    result = json.loads(stdout)
    assert result["interrupted"] is True and result["steps"] == lines("here/steps.jsonl")[-1]["step"] > 0
    assert all(Path("here", name).exists() for name in ("weights.safetensors", "bits.png", "health.png"))
