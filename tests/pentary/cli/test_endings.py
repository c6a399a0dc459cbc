"""How commands end: some cells of the table in research/endings, and the effects of a black box on a run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from endings import cell
from endings.__main__ import digest_of_sources
from endings.tables import COMMANDS, CONDITIONS, applies
from pentary.cli.commands import main

TABLE = Path(cell.__file__).with_name("endings.json")
BY_NAME = {command.name: command for command in COMMANDS}
UNDER = {condition.name: condition for condition in CONDITIONS}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    cell.write_sources(folder)
    return folder


@pytest.mark.parametrize(
    ("command", "condition"),
    [
        ("train FILE.py", "SIGTERM late"),
        ("train FILE.py", "folder deleted"),
        ("train target", "stdout gone"),
        ("run --trace", "disk full"),
        ("asm", "stdout closed"),
        ("--help", "SIGHUP early"),
        ("prove", "SIGTERM late"),
    ],
)
def test_a_command_ends_as_it_should_whatever_befalls_it(command, condition, inputs):
    try:
        outcome = cell.run(BY_NAME[command], UNDER[condition], inputs)
    except cell.Skipped as reason:
        pytest.skip(str(reason))
    assert outcome.broken == []


def test_every_public_command_is_in_the_table():
    tried = {command.arguments[0] for command in COMMANDS}
    assert tried == {*main.list_commands(None), "--help", "--version"}  # type: ignore[arg-type]


def test_the_recorded_cells_are_of_these_sources_and_break_no_rule():
    record = json.loads(TABLE.read_text(encoding="utf-8"))
    assert record["sources"] == digest_of_sources(), "the table is stale: python research/endings"
    for command, cells in record["cells"].items():
        for condition, found in cells.items():
            assert not found["broken"], (command, condition)
    missing = [
        f"{command.name}, {condition.name}"
        for command in COMMANDS
        for condition in CONDITIONS
        if applies(command, condition) and condition.name not in record["cells"].get(command.name, {})
    ]
    assert not missing, "cells are not tried yet: python research/endings"


@pytest.mark.parametrize(
    ("action", "status", "told"),
    [
        ("raise asyncio.CancelledError", 2, "raised CancelledError"),
        ("raise type('Pressed', (KeyboardInterrupt,), {})", 130, ""),
        ("sys.stdout.close(); sys.stderr.close()", 2, ""),
        ("sys.stdout = sys.stderr = None", 0, ""),
        ("os.close(1)", 2, "cannot write the output: Bad file descriptor; the run is kept in run"),
        ("os.chdir('/')", 0, ""),
        ("shutil.rmtree('run')", 2, "No such file or directory"),
    ],
)
def test_whatever_a_black_box_does_its_run_is_kept(action, status, told, tmp_path):
    name = os.fsdecode(b"m\xff.py")  # a name need not be UTF-8
    lines = [
        "import asyncio, os, shutil, sys",
        "calls = 0",
        "def fitness(weights):",
        "    global calls",
        "    calls += 1",
    ]
    lines += ["    if calls == 7:", f"        {action}", "    return int(weights.sum())", ""]
    (tmp_path / name).write_text("\n".join(lines))
    options = ["--steps", "3", "--population", "4", "--shape", "4x4", "--out", "run"]
    command = [sys.executable, "-m", "pentary", "train", f"{name}:fitness", *options]
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, **heed)  # type: ignore[call-overload]
    assert ended.returncode == status, ended.stderr
    assert told in (ended.stderr.splitlines() or [""])[-1]
    assert "Exception ignored" not in ended.stderr and "lost sys" not in ended.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["task"] == "m\\xff.py:fitness"
    assert (tmp_path / "run" / "weights.safetensors").exists()
