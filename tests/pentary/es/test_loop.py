import os
import subprocess
import sys

import pytest

from pentary.es.loop import Task, train
from pentary.es.strategy import Parameters
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target

TASKS: list[tuple[type, Parameters]] = [
    (Target, Parameters(population=20, rank=3, steps=3, seed=5)),
    (Target, Parameters(population=20, rank=3, steps=3, seed=5, perturb="factored")),
    (Digits, Parameters(population=130, rank=1, steps=2, seed=5, perturb="factored")),
    (Digits, Parameters(population=4, rank=2, steps=2, seed=5)),
]


def digests(task: Task, parameters: Parameters) -> list[str]:
    return [record.digest for record in train(task, parameters)]


@pytest.mark.parametrize(("task", "parameters"), TASKS)
def test_the_same_seed_gives_the_same_digests_and_another_seed_others(task: type, parameters: Parameters) -> None:
    from dataclasses import replace

    first = digests(task(), parameters)
    assert first == digests(task(), parameters)
    assert len(set(first)) == parameters.steps + 1
    assert not set(first) & set(digests(task(), replace(parameters, seed=6)))


def test_digests_do_not_depend_on_the_number_of_blas_threads() -> None:
    code = (
        "from pentary.es.strategy import Parameters\n"
        "from pentary.tasks.digits import Digits\n"
        "from pentary.tasks.target import Target\n"
        "from pentary.es.loop import train\n"
        "for task in (Digits(), Target()):\n"
        "    for perturb in ('factored', 'quantized'):\n"
        "        for record in train(task, Parameters(population=140, rank=2, steps=2, perturb=perturb)):\n"
        "            print(record.digest)\n"
    )
    shown = []
    for threads in ("1", "2", "5"):
        env = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        shown.append(done.stdout.split())
    assert len(shown[0]) == 12
    assert shown[0] == shown[1] == shown[2]


def test_records_count_evaluations_and_start_without_members() -> None:
    records = list(train(Target(8, 8), Parameters(population=6, rank=2, steps=2)))
    assert [record.step for record in records] == [0, 1, 2]
    assert [record.evaluations for record in records] == [0, 6, 12]
    assert records[0].best is None and records[0].population_mean is None
    assert all(
        r.best is not None and r.population_mean is not None and r.best >= r.population_mean for r in records[1:]
    )
    assert records[0].seconds <= records[2].seconds
