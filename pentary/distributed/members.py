"""Members of the tasks of `pentary.es`, evaluated by the workers of a fleet."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pentary.distributed import integers
from pentary.distributed.fleet import Fleet, Launcher
from pentary.es import loop, strategy
from pentary.es.fitness import Summary
from pentary.es.loop import Resumption, Step, Task
from pentary.es.strategy import Parameters, Population, State


@runtime_checkable
class Judging(Protocol):
    """A task whose members can fail: what is to become of them is settled where the run is."""

    def judged(self, population: Population, part: slice) -> list[Any]:
        """Return what the members of some pairs have come to, as JSON values."""
        ...

    def settled(self, population: Population, outcomes: list[Any]) -> NDArray[Any]:
        """Return the fitness of all members, (pairs, 2), from what they have come to."""
        ...


def packed(summary: Summary) -> Any:
    """Return the summary of integer fitness as a message holds it."""
    assert summary.differences.dtype == np.int64, "fitness of a task that does not judge is of integers"
    return integers.pack(summary.differences), summary.total, summary.best


def joined(found: Sequence[Any], pieces: Sequence[slice]) -> Summary:
    """Return the summary of a population from what workers have found for slices of its pairs."""
    parts = [
        Summary(integers.unpack(differences, piece.stop - piece.start), total, best)
        for (differences, total, best), piece in zip(found, pieces, strict=True)
    ]
    return Summary.joined(parts)


def arrays(latents: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.int32]]:
    """Return latent words, which fit 32 bits, as they are sent."""
    return {name: words.astype(np.int32) for name, words in latents.items()}


class Copy:
    """A task in a worker, with its own copy of the latent words: see `pentary.distributed.worker.Replica`."""

    def __init__(self, task: Task, parameters: Parameters) -> None:
        """Begin as a run does."""
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
        """Take latent words over."""
        latents = {name: arrays[name].astype(np.int64) for name in self._task.tensors}
        self._state = State(step, latents, self._task.tensors)

    def move(self, shaped: NDArray[np.int64]) -> None:
        """Do an update."""
        self._state = strategy.move(self._parameters, self._state, shaped.astype(np.int8))

    def digest(self) -> str:
        """Return the digest of the latent words."""
        return self._state.digest()

    def evaluate(self, part: slice) -> Any:
        """Return the differences of integer fitness, their sum and the greatest fitness; else all as JSON."""
        population = strategy.ask(self._parameters, self._state)
        if isinstance(self._task, Judging):
            return json.dumps(self._task.judged(population, part))
        return packed(Summary.of(self._task.evaluate(population, part)))

    def carry(self, part: slice, content: bytes) -> None:
        """Do nothing: pairs carry nothing from step to step."""

    def carried(self, part: slice) -> bytes:
        """Return nothing."""
        return b""


@dataclass
class Members:
    """What evaluates the members of a task: workers, each with a copy of it.

    Attributes:
        task: that is trained; it can be pickled.
        fleet: of the workers.
    """

    task: Task
    fleet: Fleet

    @classmethod
    def of(cls, task: Task, parameters: Parameters, launcher: Launcher) -> "Members":
        """Start workers for a task."""
        return cls(task, Fleet(launcher, partial(Copy, task, parameters), parameters.pairs))

    def __call__(self, population: Population) -> Summary:
        """Return what the members of a step have come to.

        Raises:
            PentaryError: there are no workers any more, or a member cannot be evaluated.
        """
        own, state = population.parameters, population.state
        found = self.fleet.found(population.step, state.digest(), lambda: arrays(state.latents))
        summary = self._summary(population, found)
        self.fleet.told(population.step, strategy.shape_differences(summary.differences, own.shaping))
        if population.step < own.steps:
            self.fleet.ask(population.step + 1)  # the workers go on while the record of this step is made
        return summary

    def _summary(self, population: Population, found: list[Any]) -> Summary:
        if isinstance(self.task, Judging):
            return Summary.of(self.task.settled(population, [each for part in found for each in json.loads(part)]))
        return joined(found, self.fleet.pieces)


def train(
    task: Task, parameters: Parameters, launcher: Launcher, resumption: Resumption | None = None
) -> Iterator[Step]:
    """Train a task whose members workers evaluate: see `pentary.es.train`, which has the same digests.

    Args:
        task: what to train; it can be pickled.
        parameters: of the run.
        launcher: starts the workers, such as `Local(4)` or `Executors(MPIPoolExecutor(), 16)`.
        resumption: where to go on; None for the start.

    Raises:
        PentaryError: as `pentary.es.train`; or there are no workers any more.
    """
    task.check(parameters)
    members = Members.of(task, parameters, launcher)
    with closing(members.fleet):
        yield from loop.train(task, parameters, resumption, members)
