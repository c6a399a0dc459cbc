"""Populations of the tasks of `pentary.es`, evaluated by workers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pentary.distributed import integers
from pentary.distributed.coordinator import Coordinator, Launcher
from pentary.es import loop, strategy
from pentary.es.fitness import Summary
from pentary.es.loop import Resumption, Step, Task
from pentary.es.strategy import Parameters, Population, State


@runtime_checkable
class Judging(Protocol):
    """A task whose members can fail: workers return outcomes, and the coordinator makes fitness of them."""

    def judged(self, population: Population, part: slice) -> list[Any]:
        """Return the outcomes of the members of some pairs, as JSON values."""
        ...

    def settled(self, population: Population, outcomes: list[Any]) -> NDArray[Any]:
        """Return the fitness of all members, (pairs, 2), from their outcomes."""
        ...


def packed(summary: Summary) -> Any:
    """Return the summary of integer fitness as values of a message."""
    assert summary.differences.dtype == np.int64, "fitness of a task that does not judge is of integers"
    return integers.pack(summary.differences), summary.total, summary.best


def joined(found: Sequence[Any], pieces: Sequence[slice]) -> Summary:
    """Return the summary of a population from the results of its slices, in order."""
    parts = [
        Summary(integers.unpack(differences, piece.stop - piece.start), total, best)
        for (differences, total, best), piece in zip(found, pieces, strict=True)
    ]
    return Summary.joined(parts)


def arrays(latents: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.int32]]:
    """Return latent words, which fit 32 bits, as int32."""
    return {name: words.astype(np.int32) for name, words in latents.items()}


class TaskReplica:
    """Replica of a task of `pentary.es`: see `pentary.distributed.worker.Replica`."""

    def __init__(self, task: Task, parameters: Parameters) -> None:
        """Initialise the latent words from the seed."""
        self._task, self._parameters = task, parameters
        self._state = strategy.init(parameters, task.tensors)

    @property
    def step(self) -> int:
        """Updates done."""
        return self._state.step

    @property
    def pairs(self) -> int:
        """Pairs of a population."""
        return self._parameters.pairs

    def load(self, step: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Set the latent words."""
        latents = {name: arrays[name].astype(np.int64) for name in self._task.tensors}
        self._state = State(step, latents, self._task.tensors)

    def move(self, shaped: NDArray[np.int64]) -> None:
        """Update the latent words."""
        self._state = strategy.move(self._parameters, self._state, shaped.astype(np.int8))

    def digest(self) -> str:
        """Return the digest of the latent words."""
        return self._state.digest()

    def evaluate(self, part: slice) -> Any:
        """Return the packed summary of integer fitness; outcomes as JSON if members can fail."""
        population = strategy.ask(self._parameters, self._state)
        if isinstance(self._task, Judging):
            return json.dumps(self._task.judged(population, part))
        return packed(Summary.of(self._task.evaluate(population, part)))

    def load_pairs(self, part: slice, content: bytes) -> None:
        """Do nothing: pairs have no state."""

    def save_pairs(self, part: slice) -> bytes:
        """Return nothing."""
        return b""


@dataclass
class Members:
    """Evaluates the populations of a task on workers: an `evaluate` of `pentary.es.train`.

    Attributes:
        task: task, picklable.
        coordinator: coordinator of the workers, with a `TaskReplica` in each.
    """

    task: Task
    coordinator: Coordinator

    @classmethod
    def of(cls, task: Task, parameters: Parameters, launcher: Launcher) -> "Members":
        """Start workers for a task."""
        return cls(task, Coordinator(launcher, partial(TaskReplica, task, parameters), parameters.pairs))

    def __call__(self, population: Population) -> Summary:
        """Return the summary of the fitness of a population.

        Raises:
            PentaryError: as `Coordinator.collect`.
        """
        own, state = population.parameters, population.state
        found = self.coordinator.collect(population.step, state.digest(), lambda: arrays(state.latents))
        summary = self._summary(population, found)
        shaped = strategy.shape_differences(summary.differences, own.shaping)
        self.coordinator.publish(population.step, shaped, population.step == own.steps)
        return summary

    def _summary(self, population: Population, found: list[Any]) -> Summary:
        if isinstance(self.task, Judging):
            return Summary.of(self.task.settled(population, [each for part in found for each in json.loads(part)]))
        return joined(found, self.coordinator.pieces)


def train(
    task: Task, parameters: Parameters, launcher: Launcher, resumption: Resumption | None = None
) -> Iterator[Step]:
    """Train a task with workers, to the same digests as `pentary.es.train`.

    Args:
        task: task to train, picklable.
        parameters: of the run.
        launcher: starts the workers, such as `Local(4)` or `Executors(MPIPoolExecutor(), 16)`.
        resumption: where to go on; None for the start.

    Raises:
        PentaryError: as `pentary.es.train` and `Coordinator.collect`.
    """
    task.check(parameters)
    members = Members.of(task, parameters, launcher)
    with closing(members.coordinator):
        yield from loop.train(task, parameters, resumption, members)
