"""Calls of users' functions: what counts as a failure, in this process and in processes of their own."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.tasks.running.calls import Processes, call

FUNCTIONS = """
import os, signal, sys, time

def good(weights):
    return 10 * int(weights.sum()) + os.getpid() * 0

def of_kind(kind):
    match kind:
        case 0:
            time.sleep(60)
        case 1:
            os._exit(3)
        case 2:
            os.kill(os.getpid(), signal.SIGKILL)
        case 3:
            sys.exit("enough")
        case 4:
            raise ValueError("no such weights")
        case 5:
            return "ten"
        case 6:
            return float("nan")
        case 7:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)

def naughty(weights):
    return of_kind(int(weights[0, 0])) if weights[0, 0] >= 0 and weights.shape == (1, 1) else good(weights)

def sometimes(weights):
    if weights[0, 0] == 2 and weights[0, 1] > 0:
        os._exit(3)
    if weights[0, 0] == 2 and weights[0, 1] < 0:
        raise ValueError("no such weights")
    return int(weights.sum())

def only_once(weights):
    if os.path.exists("called"):
        os._exit(3)
    open("called", "w").close()
    return 0
"""

TINY = ("--shape", "6x6", "--population", "20", "--rank", "2", "--steps", "3", "--seed", "5")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(FUNCTIONS)


def member(value: int) -> np.ndarray:
    return np.array([[value]], np.int8)


def test_a_call_gets_a_copy_in_int64_and_its_result_is_checked() -> None:
    own = member(2)

    def spoils(weights: np.ndarray) -> int:
        weights *= 1000
        return int(weights.sum())

    assert call(spoils, own).fitness == 2000 and own[0, 0] == 2
    assert call(lambda weights: [1], own).why == "returned list, not a number,"
    assert call(lambda weights: 10**400, own).why.startswith("returned an integer that is too large")
    failed = call(lambda weights: 1 // 0, own)
    assert failed.fitness is None and failed.why == "raised ZeroDivisionError" and "1 // 0" in failed.traceback


def test_a_call_that_hangs_or_ends_its_process_is_lost_and_no_other() -> None:
    processes = Processes("mine.py:naughty", 2, timeout=1.5)
    found = [outcome.why or outcome.fitness for outcome in processes.outcomes(map(member, [-1, *range(8), -2]))]
    assert found == [
        -10,
        "did not return within 1.5 s",
        "ended its process with status 3",
        "ended its process with status -9",
        "raised SystemExit",
        "raised ValueError",
        "returned str, not a number,",
        "returned nan, outside ±1e+300,",
        "did not return within 1.5 s",
        -20,
    ]


def test_outcomes_come_in_order_and_as_they_are_needed() -> None:
    taken = []

    def members():
        for value in range(100):
            taken.append(value)
            yield member(-1 - value % 2)

    outcomes = Processes("mine.py:good", 1).outcomes(members())
    assert next(outcomes).fitness == -10 and len(taken) < 20
    assert [outcome.fitness for outcome in outcomes] == [-20, *[-10, -20] * 49]


def train(*arguments: str) -> dict:
    done = CliRunner().invoke(main, ["train", *arguments, "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout) | {"stderr": done.stderr}


def test_processes_train_to_the_digest_of_one() -> None:
    one = train("mine.py:good", *TINY, "--out", "one")
    assert train("mine.py:good", *TINY, "--workers", "2", "--out", "two")["digest"] == one["digest"]


def test_failed_members_are_the_worst_of_their_step_and_are_counted() -> None:
    found = train("mine.py:sometimes", *TINY, "--workers", "2", "--on-failure", "worst", "--out", "run")
    lines = [json.loads(line) for line in Path("run/steps.jsonl").read_text().splitlines()]
    assert sum(line["failed"] for line in lines) > 0 and found["steps"] == 3
    assert found["stderr"].count("which counts as the worst") == 1
    assert json.loads(Path("run/config.json").read_text())["on_failure"] == "worst"


def test_a_failed_member_ends_the_run_if_nothing_else_is_asked_for() -> None:
    done = CliRunner().invoke(main, ["train", "mine.py:sometimes", *TINY, "--workers", "2"])
    assert done.exit_code == 2 and "member of pair" in done.stderr
    assert "mine.py:sometimes ended its process with status 3" in done.stderr or "ValueError" in done.stderr


def test_a_step_in_which_all_members_fail_ends_the_run() -> None:
    options = ("--workers", "1", "--on-failure", "worst", "--out", "run")
    done = CliRunner().invoke(main, ["train", "mine.py:only_once", *TINY, *options])
    assert done.exit_code == 2 and "mine.py:only_once has failed for all members of step 1" in done.stderr
    assert json.loads(Path("run/result.json").read_text())["steps"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mine.py:good", "--workers", "-1"), "-1 is not in the range"),
        (("mine.py:good", "--timeout", "0"), "0.0 is not in the range"),
        (("target", "--on-failure", "worst"), "--on-failure is an option of FILE.py:NAME"),
    ],
)
def test_a_mistake_is_told(arguments: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(main, ["train", *arguments])
    assert done.exit_code == 2 and told in done.stderr


def test_processes_end_with_the_run() -> None:
    import subprocess

    command = [sys.executable, "-m", "pentary", "train", "mine.py:good", *TINY, "--workers", "2", "--steps", "100000"]
    with subprocess.Popen([*command, "--out", "run"], stdout=subprocess.DEVNULL) as process:
        while not Path("run/steps.jsonl").exists() or Path("run/steps.jsonl").read_text().count("\n") < 3:
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    assert children
    until = time.monotonic() + 10
    while any(Path("/proc", child).exists() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(Path("/proc", child).exists() for child in children)
