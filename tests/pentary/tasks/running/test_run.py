"""The run of a task: records, result and summary, for all engines."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from pentary.es.loop import train
from pentary.es.strategy import Parameters, visible_weights
from pentary.es.ties import Ties
from pentary.tasks.blackbox import BlackBox
from pentary.tasks.running.engines import Training
from pentary.tasks.running.run import TaskRun
from pentary.tasks.target import Target

PARAMETERS = Parameters(population=4, rank=2, steps=3, seed=-5)
TASK = Target(8, 6)
STEPS = list(train(TASK, PARAMETERS))


@pytest.fixture
def run():
    return TaskRun(TASK, PARAMETERS, Training(iter(STEPS)))


def test_there_is_a_record_of_the_start_and_of_every_step(run):
    records = list(run.records())
    assert [record.step for record in records] == [0, 1, 2, 3]
    assert [record.line["digest"] for record in records] == [step.digest for step in STEPS]
    assert [
        record.figures.startswith(f"fitness {step.fitness:.6g}") for record, step in zip(records, STEPS, strict=True)
    ]
    assert "evaluations/s" not in records[0].figures and "evaluations/s" in records[1].figures
    json.dumps([record.line for record in records], allow_nan=False)


def test_health_is_of_the_visible_weights_and_their_changes(run):
    records = list(run.records())
    weights = [visible_weights(PARAMETERS, step.state)["weights"] for step in STEPS]
    assert records[0].health["weights"].changed == 0
    for record, before, after in zip(records[1:], weights, weights[1:], strict=False):
        assert record.health["weights"].changed == np.mean(before != after)
        assert 0 <= record.health["weights"].entropy <= np.log2(5)
    assert records[2].line["health"]["weights"]["changed"] == round(records[2].health["weights"].changed, 6)


class Measured(Target):
    """A task with further figures."""

    def report(self, weights):
        return {"test_accuracy": float((weights["weights"] > 0).mean()), "zeros": int((weights["weights"] == 0).sum())}


@pytest.mark.parametrize(("steps", "recorded"), [(3, [0, 1, 2, 3]), (250, [*range(0, 250, 2), 250]), (199, range(200))])
def test_further_figures_are_recorded_about_a_hundred_times_and_at_the_last_step(steps, recorded):
    task, parameters = Measured(8, 6), replace(PARAMETERS, steps=steps)
    run = TaskRun(task, parameters, Training(replace(STEPS[0], step=step) for step in range(steps + 1)))
    records = list(run.records())
    with_figures = [record.step for record in records if "zeros" in record.line]
    assert with_figures == list(recorded)
    share = records[0].line["test_accuracy"]
    assert all(f"test accuracy {share:.2%}" in record.figures for record in records)
    assert dict(run.pictures())["fitness.png"] != dict(plain(steps).pictures())["fitness.png"]


def plain(steps):
    run = TaskRun(
        TASK, replace(PARAMETERS, steps=steps), Training(replace(STEPS[0], step=step) for step in range(steps + 1))
    )
    assert len(list(run.records())) == steps + 1
    return run


def test_the_result_is_that_of_the_last_record(run):
    records = run.records()
    for _ in range(3):
        next(records)
    result = run.result()
    assert (result["steps"], result["evaluations"], result["digest"]) == (2, 8, STEPS[2].digest)
    assert run.summary(result)["steps"] == "2 of 3"
    assert [name for name, _ in run.pictures()] == ["fitness.png", "weights.png", "health.png"]


class Counting(Target):
    def report(self, weights):
        return {"threads": max(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")}


def test_reports_leave_the_cores_to_the_workers_of_the_next_step():
    task = Counting(8, 6)
    records = TaskRun(task, PARAMETERS, Training(train(task, PARAMETERS))).records()
    assert [record.line["threads"] for record in records] == [1, 1, 1, 1]


class Signalling(Ties):
    def add(self, step, tied):
        signal.raise_signal(signal.SIGINT)
        super().add(step, tied)


def test_a_signal_while_a_step_is_recorded_comes_after_that(run):
    run._ties = Signalling(3)
    records = run.records()
    next(records)
    with pytest.raises(KeyboardInterrupt):
        next(records)
    assert run.last.line["digest"] == run.result()["digest"] == STEPS[1].digest
    assert len(list(run.pictures())) == 3


@pytest.mark.parametrize(
    ("engine", "measured", "told"),
    [
        (
            "rtl",
            {"cycles": 1000, "lanes": 16, "lowrank_busy_cycles": 250, "operations": {"LRGEN": 3, "LRACC": 0}},
            {"cycles": "1,000 of the low-rank unit, 16 lanes, busy 25.0% of them", "operations": "LRGEN 3"},
        ),
        (
            "sim",
            {
                **{"cycles": 1000, "instructions": 500, "cpi": 2.0, "causes": {"busy": 900, "load": 100, "none": 0}},
                **{"lanes": 8, "lowrank_busy": 0.5, "lowrank_utilization": 0.75},
            },
            {
                "cycles": "1,000 for 500 instructions, CPI 2.00",
                "spent on": "busy 90.0%, load 10.0%",
                "low-rank unit": "8 lanes, busy 50.0% of the cycles, utilization while multiplying 75.0%",
            },
        ),
    ],
)
def test_an_engine_with_a_clock_tells_its_cycles(engine, measured, told):
    run = TaskRun(TASK, PARAMETERS, Training(iter([*STEPS[:-1], replace(STEPS[-1], measured=measured)]), {}), engine)
    assert [record.step for record in run.records()] == [0, 1, 2, 3]
    result = run.result()
    assert result["engine"] == engine and result.items() >= measured.items()
    assert run.summary(result).items() >= told.items()


def test_a_run_without_differences_says_so_once_and_in_its_result():
    parameters = replace(PARAMETERS, steps=15)
    task = BlackBox("flat", lambda weights: 2**60, (8, 6))
    run = TaskRun(task, parameters, Training(train(task, parameters)))
    records = list(run.records())
    assert [record.line["tied"] for record in records] == [None] + [1] * 15
    assert [record.step for record in records if record.warning is not None] == [10]
    assert str(records[10].warning).startswith(
        "in 10 steps in a row, 1 to 10, both members of every pair had equal fitness"
    )
    result = run.result()
    assert result["warning"].startswith("in 15 steps in a row, 1 to 15, ")
    assert run.summary(result)["warning"] == result["warning"]
    assert len({record.line["digest"] for record in records}) == 1
    json.dumps(result, allow_nan=False)


def test_a_run_that_learns_has_no_warning(run):
    records = list(run.records())
    assert all(0 <= record.line["tied"] < 1 and record.warning is None for record in records[1:])
    assert "warning" not in run.result() and "warning" not in run.summary(run.result())


def test_integers_of_any_size_are_recorded_exactly_and_drawn():
    task = BlackBox("huge", lambda weights: 10**40 + int(weights.sum()), (8, 6))
    run = TaskRun(task, PARAMETERS, Training(train(task, PARAMETERS)))
    records = list(run.records())
    lines = [json.loads(json.dumps(record.line)) for record in records]
    for line in lines[1:]:
        assert 0 < abs(line["best"] - 10**40) < 100 and 0 < abs(line["fitness"] - 10**40) < 100
    assert run.summary(run.result())["fitness"] == "1e+40 -> 1e+40"
    assert dict(run.pictures())["fitness.png"].startswith(b"\x89PNG")
