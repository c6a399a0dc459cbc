"""User files whose functions run in other processes, for every start method."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.tasks.blackbox import BlackBox

SCORE = """
from functools import cache

class Score:
    def __init__(self, value):
        self.value = value

def score(weights):
    return Score(-int((weights**2).sum()))
"""

POOL = """
@cache
def pool():
    from multiprocessing import get_context
    return get_context("{method}").Pool(1)

def fitness(weights):
    return pool().map(score, [weights])[0].value
"""

EXECUTOR = """
def fitness(weights):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context
    with ProcessPoolExecutor(1, get_context("{method}")) as executor:
        return executor.submit(score, weights).result().value
"""

ALONE = """
def fitness(weights):
    return score(weights).value
"""

CALL_ALL = """
import sys
import numpy as np
from pentary.tasks.blackbox import BlackBox, load
from pentary.tasks.running.users import UsersCodeError

tasks = [BlackBox(name, load(f"{name}:fitness"), (1, 5)) for name in sys.argv[1:]]
for task in tasks:
    try:
        print(task.centre_fitness({"weights": np.arange(-2, 3)}))
    except UsersCodeError as error:
        print(error.user_traceback)
"""


def python(folder, *arguments, **env):
    """Run Python in a folder, with a timeout of two minutes to detect deadlocked pools."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=os.environ | env, capture_output=True, text=True, timeout=120
    )


def results(folder, *names):
    run = python(folder, "-c", CALL_ALL, *names)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_spawned_pool_trains_to_the_same_digest_as_no_pool(tmp_path):
    (tmp_path / "mine.py").write_text(SCORE + POOL.format(method="spawn"))
    options = ["--shape", "4x4", "--population", "4", "--steps", "2", "--json", "--out", "here"]
    run = python(tmp_path, "-m", "pentary", "train", "mine.py:fitness", *options)
    assert run.returncode == 0, run.stderr
    alone = BlackBox("alone", lambda weights: -int((weights**2).sum()), (4, 4))
    *_, last = train(alone, Parameters(population=4, steps=2))
    assert json.loads(run.stdout)["digest"] == last.digest


def test_every_way_to_start_processes_works(tmp_path):
    names = []
    for method in ("spawn", "forkserver"):
        for kind in (POOL, EXECUTOR):
            names.append(f"mine{len(names)}.py")
            (tmp_path / names[-1]).write_text(SCORE + kind.format(method=method))
    assert results(tmp_path, *names).split() == ["-10"] * 4


def test_files_of_any_name_work_and_names_of_libraries_stay_theirs(tmp_path):
    # In a new process, multiprocessing and NumPy import json, random and others; these must not be the user's files.
    files = ["with space.py", "v1.2 (final).py", "naïve.py", "json.py", "random.py", "queue.py", "import.py", "-c.py"]
    files += [os.fsdecode(b"\xff\xe9.py"), "one/same.py", "two/same.py", "one same.py", "one-same.py"]
    names = [f"files/{file}" for file in files]
    for factor, name in enumerate(names, 1):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCORE.replace("-int", f"-{factor} * int") + POOL.format(method="spawn"))
    assert results(tmp_path, *names).split() == [str(-10 * factor) for factor in range(1, len(names) + 1)]


def test_a_module_of_a_package_works(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "scores.py").write_text(SCORE + POOL.format(method="spawn"))
    assert results(tmp_path, "mine.scores") == "-10\n"


def test_neighbours_are_found_before_installed_modules_in_every_process(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "rich.py").write_text(SCORE)
    (tmp_path / "files" / "mine.py").write_text("from rich import cache, score\n" + POOL.format(method="spawn"))
    assert results(tmp_path, "files/mine.py") == "-10\n"


def test_a_lambda_fails_as_in_plain_python_with_the_users_traceback(tmp_path):
    (tmp_path / "mine.py").write_text(SCORE + POOL.format(method="spawn").replace("score,", "lambda weights: 0,"))
    lines = results(tmp_path, "mine.py").strip().splitlines()
    assert lines[0] == "Traceback (most recent call last):" and "mine.py" in lines[1] and "in fitness" in lines[1]
    assert lines[2].strip() == "return pool().map(lambda weights: 0, [weights])[0].value"
    assert "pickle" in lines[-1] and "lambda" in lines[-1]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("pool = get_context('spawn').Pool(1)\ncall = pool.apply\n", "AssertionError: daemonic processes"),
        (
            "executor = ProcessPoolExecutor(1, get_context('spawn'))\n"
            "call = lambda *of: executor.submit(*of).result()\nexecutor.submit(int)\n",
            "RuntimeError: \n        An attempt has been made to start a new process before",
        ),
    ],
)
def test_processes_that_an_import_starts_are_refused_in_children_and_told(tmp_path, start, kind):
    (tmp_path / "mine.py").write_text(
        "from concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import get_context\n"
        f"def score(weights):\n    return 0\n{start}def fitness(weights):\n    return call(score, (weights,))\n"
    )
    told = results(tmp_path, "mine.py")
    assert kind in told
    assert "mine.py in a process that it has started: what starts processes belongs into a function" in told


def test_nothing_is_left_behind(tmp_path):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "mine.py").write_text(SCORE + ALONE)
    code = CALL_ALL + "import os\npid = os.fork()\nif pid == 0: sys.exit()\nos.waitpid(pid, 0)\n"
    code += "import tempfile\nfrom pathlib import Path\nprint(len(list(Path(tempfile.gettempdir()).iterdir())))\n"
    run = python(tmp_path, "-W", "ignore", "-c", code, "mine.py", TMPDIR=str(tmp_path / "temporary"))
    assert run.stdout.split() == ["-10", "1"], run.stderr
    assert list(Path(tmp_path / "temporary").iterdir()) == []
