"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the sources."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pentary
from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.tasks.target import Target

ROOT = Path(pentary.__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    parts = {part.partition("\n")[0]: part for part in TEXT.split("\n## ")}
    return parts[title]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for tree in ("pentary", "sim", "hdl", "architecture", "research"):
        shutil.copytree(ROOT / tree, tmp_path / tree, ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path


def follow(recipe: str, copy: Path) -> list[str]:
    """Make the files and the insertions of a recipe; return the files that have changed."""
    paths = []
    for place, code in re.findall(r"`(\S+\.py)`[^`]*:?\n\n```python\n(\"{3}.*?)```", recipe, re.DOTALL):
        (copy / place).write_text(code, encoding="utf-8")
        paths.append(place)
    below = r"^Below the line `([^`]+)` of `([^`]+)`:\n\n```\w*\n(.*?)```"
    for line, place, code in re.findall(below, recipe, re.DOTALL | re.MULTILINE):
        text = (copy / place).read_text(encoding="utf-8")
        found = re.findall(rf"^\s*{re.escape(line)}.*\n", text, re.MULTILINE)
        assert len(found) == 1, f"{len(found)} lines of {place} begin with {line}"
        (copy / place).write_text(text.replace(found[0], found[0] + code), encoding="utf-8")
        paths.append(place)
    return paths


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python command in a copy of the sources."""
    path = os.pathsep.join(str(copy / tree) for tree in (".", "sim", "hdl"))
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )


def assert_clean(copy: Path, paths: list[str]) -> None:
    """Check files with ruff."""
    linted = run(copy, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), *paths)
    assert linted.returncode == 0, linted.stdout


COUNTING = ".data\nword: .word 1000\n.text\nla p1, word\nload p2, (p1)\nnonz p3, p2\nhalt\n"


def test_an_instruction_is_three_files(copy: Path) -> None:
    changed = follow(section("Add an instruction"), copy)
    assert sorted(set(changed)) == [
        "pentary/interpreter/scalar.py",
        "pentary/isa/table.py",
        "sim/pentary_sim/scalar.py",
    ]
    assert_clean(copy, changed)
    (copy / "counting.s").write_text(COUNTING)
    code = (
        "from pathlib import Path; from pentary.asm import assemble; from pentary.interpreter import Interpreter\n"
        "m = Interpreter(assemble(Path('counting.s'))); m.run(9); print(m.registers[3])"
    )
    done = run(copy, "-c", code)
    assert done.stdout == "2\n", done.stderr  # 1000 = 2 * 625 - 2 * 125
    written = run(copy, "-m", "pentary.isa.document")
    assert written.returncode == 0, written.stderr


@pytest.mark.slow
def test_the_model_has_the_instruction(copy: Path) -> None:
    follow(section("Add an instruction"), copy)
    (copy / "counting.s").write_text(COUNTING)
    done = run(copy, "-m", "pentary", "run", "counting.s", "--json")
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "tests", copy / "tests")
    shutil.copy(ROOT / "pyproject.toml", copy)
    assert run(copy, "-m", "pentary.isa.document").returncode == 0
    suites = ["tests/pentary/isa", "tests/pentary/asm", "tests/sim/test_recurrences.py"]
    tested = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites)
    assert tested.returncode == 0, tested.stdout


def test_a_hardware_unit_is_one_file_and_a_line(copy: Path) -> None:
    changed = follow(section("Add a hardware unit"), copy)
    assert changed == ["hdl/pentary_hdl/consensus.py", "hdl/pentary_hdl/units.py"]
    assert_clean(copy, changed)
    assert "the consensus of two words" in run(copy, "-m", "pentary", "verilog", "--help").stdout
    written = run(copy, "-m", "pentary", "verilog", "consensus")
    assert written.returncode == 0, written.stderr
    described = json.loads((copy / "consensus.v.json").read_text())
    assert {"name": "result", "direction": "out", "width": 48, "signed": False} in described["ports"]
    (copy / "check.py").write_text(CONSENSUS)
    checked = run(copy, "check.py")
    assert checked.stdout == "1000 words\n", checked.stderr


CONSENSUS = """
from random import Random
from amaranth.sim import Simulator
from pentary.interpreter.words import cons
from pentary_hdl.consensus import Consensus
from pentary_hdl.lralu.twin import LowRankParameters, code_word, pents_code

unit, rng = Consensus(LowRankParameters()), Random(5)

async def bench(ctx):
    for _ in range(1000):
        x, y = (rng.randint(-(5**16 - 1) // 2, (5**16 - 1) // 2) for _ in range(2))
        ctx.set(unit.x.as_value(), pents_code(x))
        ctx.set(unit.y.as_value(), pents_code(y))
        await ctx.tick()
        assert code_word(ctx.get(unit.result.as_value())) == cons(x, y), (x, y)
    print("1000 words")

simulator = Simulator(unit)
simulator.add_clock(1e-6)
simulator.add_testbench(bench)
simulator.run()
"""


def test_a_task_an_engine_and_an_experiment_are_a_file_each(copy: Path) -> None:
    # In one copy, in which code is compiled once.
    recipe = section("Add a task")
    changed = follow(recipe, copy)
    assert changed == ["pentary/tasks/even.py"]
    trained = train_as_told(recipe, copy, "task")
    assert re.search(r"^fitness +-\d+ -> -\d+$", trained, re.MULTILINE)

    recipe = section("Add an engine")
    changed += follow(recipe, copy)
    assert changed[1:] == ["pentary/tasks/running/watched.py", "pentary/tasks/running/engines.py"]
    trained = train_as_told(recipe, copy, "engine")
    assert re.search(r"^changes +[1-9]\d* of weights$", trained, re.MULTILINE)
    *_, last = train(Target(16, 16), Parameters(population=20, rank=2, steps=5))
    assert json.loads((copy / "engine" / "result.json").read_text())["digest"] == last.digest

    recipe = section("Add an experiment")
    changed += follow(recipe, copy)
    assert changed[3:] == ["research/ranks.py"]
    command = re.search(r"^    python (\S+)$", recipe, re.MULTILINE)
    assert command
    done = run(copy, command[1])
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (\d) \| (-\d\.\d+) \|$", (copy / "research/ranks.md").read_text(), re.MULTILINE)
    assert [rank for rank, _ in rows] == ["1", "2", "4", "8"]
    assert all(float(fitness) > -2.2 for _, fitness in rows)  # of which it began with

    listed = run(copy, "-m", "pentary", "train", "--help").stdout
    assert "even" in listed and "watched" in listed
    assert_clean(copy, changed)


def train_as_told(recipe: str, copy: Path, out: str) -> str:
    """Run the training of a recipe; return what it has printed."""
    command = re.search(r"^    pentary (train .*)$", recipe, re.MULTILINE)
    assert command
    trained = run(copy, "-m", "pentary", *command[1].split(), "--out", out)
    assert trained.returncode == 0, trained.stderr
    return trained.stdout
