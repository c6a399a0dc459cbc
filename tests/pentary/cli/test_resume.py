"""Runs that go on: `pentary train --resume`, `pentary status`, and what is refused."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pentary.cli.commands import main
from pentary.distributed import Executors
from pentary.numbers.word import PentaryError
from pentary.runs import checkpoint, checkpoints
from pentary.runs.checkpoint import Checkpoint, pack, unpack
from pentary.runs.folder import RunFolder
from pentary.tasks.running.run import TaskRun

KEPT = Path(__file__).parents[1] / "runs" / "kept"

NETWORK = """
import numpy as np
from pentary.nets import Dense, Input, Sequential, SquaredHinge

NETWORK = Sequential(Input(5, -9, 9), Dense(7, name="hidden"), Dense(3, name="output"), loss=SquaredHinge(8))

def data():
    rng = np.random.default_rng(1)
    return rng.integers(-9, 10, (40, 5)), np.arange(40) % 3

def score(weights):
    return int(weights[0].sum()) - int(abs(weights).sum())
"""

TARGET = ("target", "--shape", "9x7", "--population", "6", "--rank", "2")
RUNS = {
    "target": TARGET,
    "factored": (*TARGET, "--perturb", "factored"),
    "digits": ("digits", "--population", "4"),
    "network": ("nets.py:NETWORK", "--data", "nets.py:data", "--batch", "12", "--population", "4"),
    "box": ("nets.py:score", "--shape", "6x6", "--population", "6"),
    "text": ("text", "--input", "book.txt", "--dim", "8", "--population", "4", "--tokens", "5"),
}

HOW_LONG = {"seconds", "evaluations_per_second", "member_tokens_per_second", "gmacs_per_second", "out"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in an empty folder with a network and a text, and draw no pictures."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(TaskRun, "pictures", lambda run: iter(()))
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text(NETWORK)
    shutil.copy(KEPT / "book.txt", "book.txt")
    yield tmp_path


def train(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def trained(*arguments: Any) -> dict[str, Any]:
    done = train(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def broken_off(monkeypatch: pytest.MonkeyPatch, out: str, after: int, *arguments: Any) -> None:
    """Copy the folder of a run as it is after a step."""
    keep = RunFolder.keep

    def keep_and_copy(own: RunFolder, now: bool = False) -> None:
        keep(own, now)
        if (Path("whole") / checkpoint.FOLDER / checkpoint.name_of(after)).exists() and not Path(out).exists():
            shutil.copytree("whole", out)

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "keep", keep_and_copy)
        trained(*arguments, "--out", "whole", "--checkpoint", 1)
    shutil.rmtree("whole")


def lines(run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(run) / "steps.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", RUNS)
def test_a_run_goes_on_as_if_it_had_never_stopped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(monkeypatch, "half", 2, *RUNS[name], "--steps", 5)
    whole, again = trained(*RUNS[name], "--steps", 5, "--out", "alone"), trained("--resume", "half")
    assert {key for key in whole if whole[key] != again[key]} <= HOW_LONG
    ours, theirs = ({line["step"]: line for line in lines(run)} for run in ("alone", "half"))
    shared = ours.keys() & theirs.keys()
    assert {0, 5} <= shared and [line["step"] for line in lines("half")] == sorted(theirs)
    assert all(ours[step]["digest"] == theirs[step]["digest"] for step in shared)
    if name != "text":
        assert shared == ours.keys() == theirs.keys()
        assert all(ours[step]["health"] == theirs[step]["health"] for step in shared)
        seconds = [line["seconds"] for line in lines("half")]
        assert seconds == sorted(seconds)


ENGINES = {
    "quantized": (TARGET, ("numpy", "sim", "numpy", "sim")),
    "factored": ((*TARGET, "--perturb", "factored"), ("sim", "numpy", "sim")),
    "digits": (("digits", "--population", "2"), ("numpy", "sim", "numpy")),
    "network": (RUNS["network"], ("numpy", "sim", "numpy")),
    "text": (RUNS["text"], ("numpy", "sim", "numpy")),
}


@pytest.mark.parametrize("name", ENGINES)
def test_engines_go_on_with_the_runs_of_each_other(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, engines = ENGINES[name]
    steps = 2 * len(engines)
    whole = trained(*arguments, "--steps", steps, "--out", "alone")
    broken_off(monkeypatch, "0", 2, *arguments, "--steps", steps, "--engine", engines[0])
    for number, engine in enumerate(engines[1:], start=1):
        own = ("--resume", number - 1, "--engine", engine)
        keep, after = RunFolder.keep, 2 * number + 2

        def keep_and_copy(
            run: RunFolder, now: bool = False, keep: Any = keep, at: int = after, to: int = number
        ) -> None:
            keep(run, now)
            if (run.path / checkpoint.FOLDER / checkpoint.name_of(at)).exists() and not Path(str(to)).exists():
                shutil.copytree(run.path, str(to))

        with monkeypatch.context() as patched:
            patched.setattr(RunFolder, "keep", keep_and_copy)
            found = trained(*own, "--checkpoint", 1)
        assert found["digest"] == whole["digest"] and found["engine"] == engine
    history = json.loads(Path(str(len(engines) - 2), "config.json").read_text())["history"]
    assert [leg["engine"] for leg in history] == [*engines]


def test_the_model_of_the_machine_counts_on_from_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(monkeypatch, "half", 2, *TARGET, "--steps", 5, "--engine", "sim")
    trained(*TARGET, "--steps", 5, "--engine", "sim", "--out", "alone")
    trained("--resume", "half")
    assert [line["cycles"] for line in lines("half")] == [line["cycles"] for line in lines("alone")]
    assert [line["counts"] for line in lines("half")] == [line["counts"] for line in lines("alone")]


def test_more_steps_continue_a_run_and_its_history_tells_it() -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    found = trained("--resume", "run", "--steps", 7, "--engine", "sim")
    config = json.loads(Path("run/config.json").read_text())
    assert found["steps"] == config["parameters"]["steps"] == 7
    assert config["history"] == [
        {"after": 0, "steps": 3, "engine": "numpy"},
        {"after": 3, "steps": 7, "engine": "sim"},
    ]
    trained(*TARGET, "--steps", 3, "--out", "other")
    assert trained("--resume", "other", "--steps", 7)["digest"] == found["digest"]


def test_a_run_that_has_come_to_its_end_writes_its_results_again() -> None:
    whole = trained(*TARGET, "--steps", 3, "--out", "run")
    for name in ("result.json", "weights.safetensors"):
        Path("run", name).unlink()
    done = train("--resume", "run")
    assert done.exit_code == 0 and "has made all its 3 steps" in done.stderr
    assert json.loads(Path("run/result.json").read_text())["digest"] == whole["digest"]
    assert Path("run/weights.safetensors").exists()


def test_the_command_of_a_task_goes_on_too() -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    assert trained("target", "--resume", "run", "--steps", 4)["steps"] == 4


@pytest.mark.parametrize("name", ["target", "text", "sim"])
def test_checkpoints_of_an_older_release_are_read(name: str) -> None:
    shutil.copytree(KEPT / name, "run")
    command = json.loads(Path("run/config.json").read_text())["command"]
    options = [part for option, value in command["options"].items() for part in (f"--{option}", value)]
    inputs = [part if isinstance(part, str) else part[0] for part in options]
    assert trained("--resume", "run")["digest"] == trained(command["task"], *inputs, "--out", "alone")["digest"]


def rewritten(run: str, **changes: Any) -> None:
    """Change facts of a run's newest checkpoint, with a right checksum."""
    _, path = checkpoint.files(Path(run))[0]
    own = unpack(path.read_bytes())
    path.write_bytes(pack(Checkpoint(own.step, own.tensors, {**own.facts, **changes})))


def newer_release(run: Path) -> None:
    _, path = checkpoint.files(run)[0]
    content = path.read_bytes().replace(b'"format":"1"', b'"format":"9"')
    place = checkpoint._place_of_checksum(content)
    zeroed = content[: place.start] + b"0" * 64 + content[place.stop :]
    path.write_bytes(content[: place.start] + checkpoint.sha256(zeroed).hexdigest().encode() + content[place.stop :])


MISTAKES = {
    "no folder": ((), ("--resume", "nowhere"), "there is no folder nowhere"),
    "empty": ((), ("--resume", "empty"), "empty is empty: give the folder of the run"),
    "a file": ((), ("--resume", "nets.py"), "nets.py is a file: give the folder of the run"),
    "no run": ((), ("--resume", "."), ". holds no run"),
    "another task": (TARGET, ("digits", "--resume", "run"), "run is a run of target, not of digits"),
    "another rank": (TARGET, ("--resume", "run", "--rank", 3), "parameters.rank is 2 there, and 3 here"),
    "another shape": (TARGET, ("--resume", "run", "--shape", "8x8"), "shapes.weights is [9, 7] there, and [8, 8] here"),
    "another seed": (TARGET, ("--resume", "run", "--seed", 5), "parameters.seed is 0 there, and 5 here"),
    "fewer steps": (TARGET, ("--resume", "run", "--steps", 2), "has made 3 steps: --steps 2 is less"),
    "out": (TARGET, ("--resume", "run", "--out", "b"), "--out does not go with --resume: the run goes on in run"),
    "minutes": (RUNS["text"], ("--resume", "run", "--minutes", 1), "--minutes does not go with --resume"),
    "an unknown option": (TARGET, ("--resume", "run", "--data", "x"), "--data is an option of FILE.py:NAME"),
    "checkpoint": ((), (*TARGET, "--checkpoint", "often"), "--checkpoint often: give a number of steps, such as 100"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_a_line_and_changes_nothing(name: str) -> None:
    run, arguments, told = MISTAKES[name]
    Path("empty").mkdir()
    if run:
        trained(*run, "--steps", 3, "--out", "run")
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file() and path.name != ".lock"}
    done = train(*arguments)
    assert done.exit_code == 2 and told in done.stderr and "Traceback" not in done.stderr, done.stderr
    after = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file() and path.name != ".lock"}
    assert after == before


def test_a_changed_text_is_refused() -> None:
    trained(*RUNS["text"], "--steps", 2, "--out", "run")
    Path("book.txt").write_text(Path("book.txt").read_text() + "More.\n")
    done = train("--resume", "run", "--steps", 3)
    assert done.exit_code == 2 and "corpus.sha256 is" in done.stderr


def test_a_checkpoint_of_a_newer_release_is_refused() -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    newer_release(Path("run"))
    done = train("--resume", "run", "--steps", 4)
    assert done.exit_code == 2 and "format 9, which a newer release has written" in done.stderr


def test_the_checkpoint_before_a_damaged_one_is_taken_and_told() -> None:
    whole = trained(*TARGET, "--steps", 4, "--out", "run", "--checkpoint", 1)
    damaged = Path("run/checkpoints/4.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    done = train("--resume", "run")
    assert done.exit_code == 0 and "is not sound: its checksum is not that of its content; taken is that of step 3" in (
        done.stderr
    )
    assert json.loads(Path("run/result.json").read_text())["digest"] == whole["digest"]
    assert [line["step"] for line in lines("run")] == [0, 1, 2, 3, 4]


def test_a_checkpoint_with_senseless_facts_is_refused() -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    own = unpack(checkpoint.files(Path("run"))[0][1].read_bytes())
    rewritten("run", config={**own.facts["config"], "history": 5})
    done = train("--resume", "run", "--steps", 4)
    assert done.exit_code == 2 and "the checkpoint of step 3 in run is not of such a run: TypeError" in done.stderr


def test_latent_words_of_another_digest_are_refused() -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    _, path = checkpoint.files(Path("run"))[0]
    own = unpack(path.read_bytes())
    tensors = {name: -values for name, values in own.tensors.items()}
    path.write_bytes(pack(Checkpoint(own.step, tensors, own.facts)))
    done = train("--resume", "run", "--steps", 4)
    assert done.exit_code == 2 and "have another digest" in done.stderr


def test_a_full_disk_leaves_the_last_checkpoint_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    write, failures = checkpoints.write_durably, []

    def full(path: Path, content: bytes) -> None:
        if path.name in ("1.safetensors", "2.safetensors"):
            failures.append(path.name)
            raise PentaryError(f"cannot write {path}: No space left on device")
        write(path, content)

    monkeypatch.setattr(checkpoints, "write_durably", full)
    monkeypatch.setattr("pentary.runs.schedule._AGAIN", 0)
    done = train(*TARGET, "--steps", 4, "--out", "run", "--checkpoint", 1)
    assert done.exit_code == 0 and failures == ["1.safetensors", "2.safetensors"]
    assert "there is no checkpoint of step 1: cannot write" in done.stderr
    assert done.stderr.count("Warning: ") == 1, "until one is written, one warning is enough"
    assert [step for step, _ in checkpoint.files(Path("run"))] == [4, 3]


class Threads(Executors):
    """Workers in threads, which start sooner than processes."""

    def __init__(self, count: int) -> None:
        super().__init__(ThreadPoolExecutor(count), count)


@pytest.mark.parametrize("name", [name for name in RUNS if name != "box"])
def test_a_run_goes_on_with_workers_and_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pentary.distributed.launch.Local", Threads)
    whole = trained(*RUNS[name], "--steps", 6, "--out", "alone")
    broken_off(monkeypatch, "half", 2, *RUNS[name], "--steps", 6, "--workers", 2)
    shutil.copytree("half", "threads")
    again = trained("--resume", "half")
    assert {key for key in whole if whole[key] != again[key]} <= HOW_LONG
    assert trained("--resume", "threads", "--workers", 0)["digest"] == whole["digest"]
    broken_off(monkeypatch, "begun", 3, *RUNS[name], "--steps", 6)
    assert trained("--resume", "begun", "--workers", 2)["digest"] == whole["digest"]


def test_who_evaluates_is_the_last_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pentary.distributed.launch.Local", Threads)
    monkeypatch.setattr("pentary.distributed.cluster.PATIENCE", 0.5)
    broken_off(monkeypatch, "half", 2, *TARGET, "--steps", 4, "--workers", 1)
    done = train("--resume", "half", "--dask", "tcp://127.0.0.1:1")
    assert done.exit_code == 2 and "no Dask scheduler can be reached at tcp://127.0.0.1:1: " in done.stderr


def test_two_processes_cannot_write_to_one_run_and_a_dead_one_leaves_no_lock() -> None:
    command = [sys.executable, "-m", "pentary", "train", *TARGET, "--steps", "100000", "--out", "run"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while not checkpoint.files(Path("run")) or len(lines("run")) < 3:
                time.sleep(0.05)
            done = train("--resume", "run")
            assert done.exit_code == 2 and f"run is being written by process {process.pid} on " in done.stderr
            state = CliRunner().invoke(main, ["status", "run"])
            assert f"running, process {process.pid} on " in state.stdout and "to go" in state.stdout
        finally:
            process.kill()
    found = json.loads(CliRunner().invoke(main, ["status", "run", "--json"]).stdout)
    assert found["state"] == "stopped" and found["checkpoint"] is not None
    stopped = CliRunner().invoke(main, ["status", "run"]).stdout
    assert "stopped, it was killed; pentary train --resume run goes on" in stopped


def test_a_run_that_has_no_checkpoint_yet_is_told_to_be_written_by_another_process() -> None:
    Path("run").mkdir()
    Path("run/config.json").write_text("{}")
    hold = "import sys, pathlib; from pentary.runs.lock import locked\nwith locked(pathlib.Path('run')): input('held')"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.read(4) == b"held"
        done = train("--resume", "run")
        assert done.exit_code == 2 and f"run is being written by process {process.pid} on " in done.stderr
        process.kill()


def test_status_tells_where_a_run_stands() -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    found = json.loads(CliRunner().invoke(main, ["status", "run", "--json"]).stdout)
    last = lines("run")[-1]
    assert (found["task"], found["engine"], found["state"]) == ("target", "numpy", "done")
    assert (found["step"], found["steps"], found["checkpoint"], found["seconds_left"]) == (3, 3, 3, None)
    assert found["figures"]["digest"] == last["digest"] and found["figures"]["fitness"] == last["fitness"]
    shown = CliRunner().invoke(main, ["status", "run", "--watch"])
    assert shown.exit_code == 0 and "step 3 of 3" in shown.stdout


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("config.json", "the files of the run in run are damaged"),
        ("steps.jsonl", "the files of the run in run are damaged"),
        ("result.json", "stopped, its result cannot be read"),
    ],
)
def test_status_of_a_damaged_run_is_told_in_a_line(damage: str, told: str) -> None:
    trained(*TARGET, "--steps", 3, "--out", "run")
    Path("run", damage).write_text("[]\n")
    done = CliRunner().invoke(main, ["status", "run"])
    assert told in done.output and "Traceback" not in done.output
    assert done.exit_code == (0 if damage == "result.json" else 2)


def test_status_of_no_run_is_told() -> None:
    done = CliRunner().invoke(main, ["status", "nowhere"])
    assert done.exit_code == 2 and done.stderr == "Error: there is no folder nowhere\n"
