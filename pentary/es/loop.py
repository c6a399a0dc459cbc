"""The training loop: ask, evaluate, tell, and a record of every step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from pentary.es import strategy
from pentary.es.fitness import Summary
from pentary.es.strategy import Parameters, Population, State
from pentary.es.tensors import Tensors, Visible
from pentary.support.parallel import one_blas_thread


class Task(Protocol):
    """What is trained, and how its fitness is measured.

    Attributes:
        name: as given on the command line.
        tensors: what is trained, by name.
        defaults: parameters that suit the task.
    """

    name: str
    tensors: Tensors
    defaults: Parameters

    def check(self, parameters: Parameters) -> None:
        """Raise PentaryError if the task cannot be run with these parameters."""
        ...

    def evaluate(self, population: Population, part: slice | None = None) -> NDArray:
        """Return the fitness of the members of some pairs, (pairs, 2), all if `part` is None.

        It is integers, or floats of a black box; objects are both.
        """
        ...

    def unit(self, parameters: Parameters) -> int:
        """Return the divisor of the reported fitness."""
        ...

    def centre_fitness(self, weights: Mapping[str, Visible]) -> float:
        """Return the fitness of the centre itself, in the unit of the report."""
        ...

    def report(self, weights: Mapping[str, Visible]) -> dict[str, Any]:
        """Return further figures of the trained weights, such as accuracies."""
        ...

    def config(self) -> dict[str, Any]:
        """Return what determines a run beside its parameters, as JSON values by name."""
        ...

    def pictures(self, weights: Mapping[str, Visible], title: str) -> Iterator[tuple[str, bytes]]:
        """Draw what the trained weights do: yield names of PNG files and their contents."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A task that counts something beside the fitness, such as failures."""

    def counted(self) -> dict[str, Any]:
        """Return what was counted in the last step, as JSON values by name."""
        ...


@dataclass(frozen=True)
class Step:
    """What is known after a step; step 0 is the start.

    Attributes:
        step: updates done.
        fitness: of the centre, after the update.
        population_mean, best: of the members that led to the update; None at the start.
        tied: share of the pairs that led to it whose members had equal fitness; None at the start.
        evaluations: members evaluated so far.
        seconds: since the start.
        digest: of the latent words.
        state: to go on from, and to take the weights from.
        measured: what the engine has counted so far beside this, such as cycles; the numpy engine counts nothing.
        saved: arrays from which the same engine goes on beside `state`, such as the memory of a machine; none of numpy.
    """

    step: int
    fitness: float
    population_mean: float | None
    best: float | None
    tied: float | None
    evaluations: int
    seconds: float
    digest: str
    state: State
    measured: Mapping[str, Any] = field(default_factory=dict)
    saved: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Resumption:
    """The place in a training from which an engine goes on.

    Attributes:
        state: after the last step that was made, of `pentary.es.strategy` or of the language model.
        seconds: that the training took up to there.
        measured: what was counted up to there.
        saved: of the same engine with the same settings, from that step; empty if another one has made it.
        machine: settings of the machine that was modelled.
    """

    state: Any
    seconds: float = 0.0
    measured: Mapping[str, Any] = field(default_factory=dict)
    saved: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    machine: Mapping[str, Any] | None = None

    def on(self, machine: Mapping[str, Any]) -> "Resumption":
        """Return what counts for a machine: with other settings, nothing that was counted and saved."""
        same = self.machine is not None and dict(self.machine) == dict(machine)
        return self if same else Resumption(self.state, self.seconds)


Evaluate = Callable[[Population], "NDArray | Summary"]
"""Evaluates every member of a population."""


def train(
    task: Task, parameters: Parameters, resumption: Resumption | None = None, evaluate: Evaluate | None = None
) -> Iterator[Step]:
    """Train a task from its random start, yielding a record at the start and after every step.

    Args:
        task: what to train.
        parameters: of the run.
        resumption: where to go on, without a record of that step; None for the start.
        evaluate: what evaluates the members, such as `pentary.distributed.Members`; None for the task itself.

    Yields:
        parameters.steps + 1 records; of the steps that are left, if it goes on.

    Raises:
        PentaryError: the task cannot be run with these parameters, or a fitness is not a finite number.

    >>> from pentary.tasks.target import Target
    >>> first, *_, last = train(Target(16, 16), Parameters(population=40, rank=2, steps=30))
    >>> round(first.fitness, 1), round(last.fitness, 1)
    (-2.2, -0.4)
    """
    task.check(parameters)
    evaluate = evaluate or task.evaluate
    start = perf_counter() - (resumption.seconds if resumption else 0)
    if resumption:
        state = resumption.state
    else:
        state = strategy.init(parameters, task.tensors)
        yield record(task, parameters, state, None, start)
    while state.step < parameters.steps:
        with one_blas_thread():
            fitness = Summary.of(evaluate(strategy.ask(parameters, state)))
            state = strategy.tell(parameters, state, fitness)
            step = record(task, parameters, state, fitness, start)
        yield step


def record(
    task: Task,
    parameters: Parameters,
    state: State,
    fitness: NDArray | Summary | None,
    start: float,
    measured: Mapping[str, Any] | None = None,
    saved: Mapping[str, NDArray[Any]] | None = None,
) -> Step:
    """Make the record of a step, whatever the engine.

    Args:
        task: what is trained.
        parameters: of the run.
        state: after the step.
        fitness: (pairs, 2), of the members that led to the update, in units of 1 / task.unit; None at the start.
        start: `time.perf_counter` at the start of the run.
        measured: what the engine has counted so far.
        saved: see `Step`.

    Returns:
        The record.
    """
    unit = task.unit(parameters)
    found = None if fitness is None else Summary.of(fitness)
    return Step(
        step=state.step,
        fitness=task.centre_fitness(strategy.visible_weights(parameters, state)),
        population_mean=None if found is None else found.mean(unit),
        best=None if found is None else found.best if unit == 1 else found.best / unit,
        tied=None if found is None else found.tied,
        evaluations=state.step * parameters.population,
        seconds=perf_counter() - start,
        digest=state.digest(),
        state=state,
        measured={**(measured or {}), **(task.counted() if isinstance(task, Counting) else {})},
        saved=saved or {},
    )
