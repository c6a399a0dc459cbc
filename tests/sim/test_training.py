"""The engine `sim`: the same training as with `numpy`, with measurements."""

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from pentary.es import loop as numpy_engine
from pentary.es.loop import Step, Task
from pentary.es.strategy import Parameters
from pentary.isa.program import Fault
from pentary.machine.config import Config, Exceptions, LowRank, Memory
from pentary.numbers.word import PentaryError
from pentary.tasks.blackbox import BlackBox
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target
from pentary_sim import training
from pentary_sim.events import CAUSES, COUNTS

TINY = Parameters(population=6, rank=2, steps=3, seed=4)


def told(step: Step) -> tuple[Any, ...]:
    """Return the parts of a record that must be equal for both engines."""
    return step.step, step.fitness, step.population_mean, step.best, step.tied, step.evaluations, step.digest


@pytest.mark.parametrize(
    ("task", "parameters"),
    [
        (Target(8, 8), TINY),
        (Target(17, 5), replace(TINY, rank=3, shaping="sign", latent=4, seed=-9)),
        (Target(8, 8), replace(TINY, perturb="factored")),
        (Target(5, 20), replace(TINY, perturb="factored", rank=6, population=20, steps=2)),
        (Digits(), Parameters(population=4, rank=1, steps=1, perturb="factored", seed=2)),
    ],
)
def test_steps_are_those_of_the_numpy_engine(task: Task, parameters: Parameters) -> None:
    expected = list(numpy_engine.train(task, parameters))
    actual = list(training.train(task, parameters))
    assert [told(step) for step in actual] == [told(step) for step in expected]
    assert [step.state.latents.keys() for step in actual] == [step.state.latents.keys() for step in expected]


def test_the_machine_changes_the_time_and_not_the_result() -> None:
    runs = [list(training.train(Target(20, 40), TINY, Config(lowrank=LowRank(lanes=lanes)))) for lanes in (16, 64)]
    assert [step.digest for step in runs[0]] == [step.digest for step in runs[1]]
    assert [run[0].measured["lanes"] for run in runs] == [16, 64]
    assert runs[0][-1].measured["cycles"] > runs[1][-1].measured["cycles"]


def test_every_step_is_measured() -> None:
    steps = list(training.train(Target(8, 8), TINY))
    for step in steps:
        measured = step.measured
        assert list(measured) == [
            *("cycles", "instructions", "cpi", "lanes", "lowrank_utilization", "lowrank_busy", "causes", "counts")
        ]
        assert tuple(measured["causes"]) == CAUSES
        assert tuple(measured["counts"]) == COUNTS
        assert sum(measured["causes"].values()) == measured["cycles"]
        assert measured["cpi"] == pytest.approx(measured["cycles"] / measured["instructions"], abs=1e-4)
        assert 0 <= measured["lowrank_busy"] <= 1
        counts = measured["counts"]
        useful = counts["lowrank_macs"] / max(1, 16 * counts["lowrank_multiply_cycles"])
        assert measured["lowrank_utilization"] == pytest.approx(useful, abs=1e-4)
    cycles = [step.measured["cycles"] for step in steps]
    assert cycles == sorted(set(cycles))
    assert steps[0].measured["lowrank_utilization"] == 0
    assert steps[-1].measured["lowrank_utilization"] > 0


def test_the_same_run_takes_the_same_cycles() -> None:
    first, second = ([step.measured for step in training.train(Target(8, 8), TINY)] for _ in range(2))
    assert first == second


def fitness(weights: Any) -> int:
    return 0


@pytest.mark.parametrize(
    ("task", "parameters", "config", "message"),
    [
        (
            Target(8, 8),
            TINY,
            Config(exceptions=Exceptions(overflow_trap=True)),
            "^training runs without the overflow trap: turn exceptions.overflow_trap off$",
        ),
        (BlackBox("mine", fitness, (8, 8)), TINY, Config(), "^the machine has no program for quantized mine; "),
        (
            Target(8, 8),
            replace(TINY, population=20_000),
            Config(memory=Memory(words=15625)),
            r"^the run takes \d\d,\d{3} words, but the memory has 15,625: ",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(
    task: Task, parameters: Parameters, config: Config, message: str
) -> None:
    with pytest.raises(PentaryError, match=message):
        next(training.train(task, parameters, config))


def test_ctrl_c_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = training.train(Target(8, 8), TINY)
    assert len(list(islice(steps, 2))) == 2
    monkeypatch.setattr(training, "drive", lambda *arguments, **options: "interrupt")
    with pytest.raises(KeyboardInterrupt):
        next(steps)


def test_a_fault_of_the_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = training.train(Target(8, 8), TINY)
    next(steps)
    monkeypatch.setattr(training, "drive", lambda *arguments, **options: Fault("divide", 3, "by zero"))
    with pytest.raises(Fault, match=r"^divide fault at 3: by zero$"):
        next(steps)
