"""A user's own function as fitness: it sees one matrix of five-level weights and answers with a number.

    # balance.py: as many positive weights as negative ones
    def fitness(weights):
        return -abs(int(weights.sum()))

is trained by `pentary train balance.py:fitness --shape 16x16`.

With --workers, processes of their own call it, so that members are judged at the same time, and a call that hangs or
ends its process is lost alone. A function may also share its own work among processes, however they are started. The
pool belongs into a function, which makes it when it is first called: what a file starts when it is imported, every
process that imports it would start again. With FILE.py, multiprocessing refuses that, and the call fails; with
PACKAGE.MODULE the pool waits without end, as it does in plain Python. So does a multiprocessing.Pool of which a process
dies; a ProcessPoolExecutor says so.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import click
import numpy as np
from numpy.typing import NDArray

from pentary.es.fitness import as_fitness
from pentary.es.strategy import CHUNK_PENTS, Parameters, Population
from pentary.es.tensors import Tensor, Tensors, Visible
from pentary.lowrank.operations import Pents
from pentary.nets.network import Sequential
from pentary.numbers.word import PentaryError
from pentary.support.display import say
from pentary.support.parallel import slices
from pentary.tasks.described import entry
from pentary.tasks.running import users
from pentary.tasks.running.calls import Fitness, Outcome, Processes, call
from pentary.tasks.running.options import EVOLUTION, SHAPE, TaskEntry
from pentary.tasks.running.run import TaskRun, start
from pentary.tasks.running.users import UsersCodeError

MATRIX: Final = "weights"

OnFailure = Literal["stop", "worst"]

_NO_LIMITS: Final = {"on_failure": "stop", "timeout": None}


class BlackBox:
    """Fitness by a function of one weight matrix.

    The function is called for the start, then in every step for each member, pair after pair and plus before minus, and
    for the centre; from one thread, or by several processes in about this order.

    Args:
        name: of the function, for messages and the run's record.
        function: takes an int64 array (rows, cols) of -2..2, its own to keep or change; returns an integer or a float,
            greater is better. Integers are compared as integers, whatever their size.
        shape: (rows, cols).
        on_failure: "stop" ends the run when a call fails; "worst" gives that member the least fitness of the step.
        processes: that call the function; None for this one.
        timeout: of a call in them, for the record.
    """

    defaults = Parameters()

    def __init__(
        self,
        name: str,
        function: Fitness,
        shape: tuple[int, int] = (64, 64),
        on_failure: OnFailure = "stop",
        processes: Processes | None = None,
        timeout: float | None = None,
    ) -> None:
        """Keep the function and the shape of what it judges."""
        self.name = name
        self.tensors: Tensors = {MATRIX: Tensor(*shape)}
        self._function, self._processes, self._on_failure = function, processes, on_failure
        self._limits: dict[str, Any] = {"on_failure": on_failure, "timeout": timeout}
        self._failures, self._told = 0, False
        self._worst: int | float | None = None

    def check(self, parameters: Parameters) -> None:
        """Refuse factored perturbations: such members are not five-level matrices."""
        if parameters.perturb != "quantized":
            raise PentaryError(
                f"{self.name} judges five-level matrices, and {parameters.perturb} members are none: "
                "use the quantized perturbation"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the function by its name: a worker finds it in its own files, and calls it in a process of its own."""
        place, _, attribute = self.name.rpartition(":")
        name = f"{Path(place).absolute()}:{attribute}" if place.endswith(".py") else self.name
        return _in_worker, (name, self.tensors[MATRIX].shape, self._limits["timeout"])

    def evaluate(self, population: Population, part: slice | None = None) -> NDArray[Any]:
        """Call the function for the members of some pairs, (pairs, 2), as `pentary.es.fitness.as_fitness` returns it.

        Raises:
            UsersCodeError: the function raises an exception or returns something that is no fitness.
        """
        members = population.pairs(part)
        return self._settled(population.step, self._judged(population, members), members.start)

    def judged(self, population: Population, part: slice) -> list[Any]:
        """Return what the members of some pairs have come to, as JSON values: fitness, what went wrong, traceback."""
        return [[each.fitness, each.why, each.traceback] for each in self._judged(population, part)]

    def settled(self, population: Population, outcomes: list[Any]) -> NDArray[Any]:
        """Return the fitness of all members as `evaluate` does.

        Raises:
            UsersCodeError: as for `evaluate`.
        """
        return self._settled(population.step, (Outcome(*each) for each in outcomes), 0)

    def _judged(self, population: Population, part: slice) -> Iterator[Outcome]:
        return self._outcomes(each for pair in self._pairs(population, part) for each in pair)

    def _settled(self, step: int, outcomes: Iterable[Outcome], first: int) -> NDArray[Any]:
        """Return the fitness of members, the first of which are of a pair of some number."""
        self._failures = 0
        found: list[int | float | None] = []
        for number, outcome in enumerate(outcomes):
            if outcome.fitness is None:
                side = ("plus", "minus")[number % 2]
                self._forgive(outcome, f"the {side} member of pair {first + number // 2} in step {step}")
            found.append(outcome.fitness)
        known = [fitness for fitness in found if fitness is not None]
        if not known:
            raise UsersCodeError(f"{self.name} has failed for all members of step {step}")
        self._worst = min(known)
        filled = [self._worst if fitness is None else fitness for fitness in found]
        return as_fitness(np.array(filled, object).reshape(-1, 2))

    def unit(self, parameters: Parameters) -> int:
        """Return 1: the fitness is reported as the function returns it."""
        return 1

    def centre_fitness(self, weights: Mapping[str, Visible]) -> int | float:
        """Call the function for the centre.

        Raises:
            UsersCodeError: as for `evaluate`.
        """
        (outcome,) = self._outcomes([weights[MATRIX].astype(np.int8)])
        if outcome.fitness is not None:
            return outcome.fitness
        if self._worst is None:
            raise self._failed(outcome, "the centre")
        self._forgive(outcome, "the centre")
        return self._worst

    def report(self, weights: Mapping[str, Visible]) -> dict[str, Any]:
        """Return nothing: there are no figures beyond the fitness."""
        return {}

    def config(self) -> dict[str, Any]:
        """Return what becomes of failed calls, beside the name."""
        return {} if self._limits == _NO_LIMITS else self._limits

    def counted(self) -> dict[str, Any]:
        """Return how many calls have failed since the last step."""
        return {"failed": self._failures} if self._on_failure == "worst" else {}

    def pictures(self, weights: Mapping[str, Visible], title: str) -> Iterator[tuple[str, bytes]]:
        """Draw nothing of its own."""
        return iter(())

    def _pairs(self, population: Population, part: slice) -> Iterator[tuple[Pents, Pents]]:
        for some in slices(part, max(1, CHUNK_PENTS // self.tensors[MATRIX].size)):
            yield from zip(*population.weights(MATRIX, some), strict=True)

    def _outcomes(self, members: Iterable[Pents]) -> Iterator[Outcome]:
        if self._processes is not None:
            return self._processes.outcomes(members)
        return (call(self._function, weights) for weights in members)

    def _failed(self, outcome: Outcome, member: str) -> UsersCodeError:
        return UsersCodeError(f"{self.name} {outcome.why} for {member}", traceback=outcome.traceback)

    def _forgive(self, outcome: Outcome, member: str) -> None:
        """Count a failed call; tell of the first one.

        Raises:
            UsersCodeError: failed calls end the run.
        """
        if self._on_failure == "stop":
            raise self._failed(outcome, member)
        self._failures += 1
        if not self._told:
            self._told = True
            say(f"{outcome.traceback}Warning: {self.name} {outcome.why} for {member}, which counts as the worst")


def _in_worker(name: str, shape: tuple[int, int], timeout: float | None) -> BlackBox:
    return BlackBox(name, load(name), shape, processes=Processes(name, 1, timeout))


def load(name: str) -> Fitness:
    """Find a user's function: see `pentary.tasks.running.users.find`.

    Raises:
        UsersCodeError: as `find` does; or it cannot be called.
    """
    return _checked(name, users.find(name))


def _checked(name: str, function: object) -> Fitness:
    if not callable(function):
        raise UsersCodeError(f"{name} is not a function but {type(function).__name__}")
    return function


def _start(name: str, shape: tuple[int, int] | None = None, **options: Any) -> TaskRun:
    printable = os.fsencode(name).decode(errors="backslashreplace")  # names of files need not be UTF-8
    own = users.find(name)
    of_function = {option.name: options.pop(option.name) for option in _CALLS if option.name in options}
    if isinstance(own, Sequential):
        for option in (SHAPE, *_CALLS):
            if option.name in of_function or (option is SHAPE and shape is not None):
                raise PentaryError(f"{option.opts[0]} is for a function; {printable} is a network")
        return entry.begin(printable, own, options)
    for option in entry.OPTIONS:
        if option.name in options:
            raise PentaryError(f"{option.opts[0]} is for a network; {printable} is none")
    count = options.pop("workers", None) if "dask" not in options else None
    timeout, on_failure = (of_function.get(option.name) for option in _CALLS)
    processes = Processes(name, count or 1, timeout) if count or timeout else None
    box = BlackBox(printable, _checked(name, own), shape or (64, 64), on_failure or "stop", processes, timeout)
    return start(box, options)


_CALLS: Final = (
    click.Option(
        ["--timeout"],
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Of a function: how long a call may take, in a process of its own; one that takes longer has failed.",
    ),
    click.Option(
        ["--on-failure"],
        type=click.Choice(("stop", "worst")),
        help="Of a function: a failed call ends the run (stop, if not given), or its member is the worst of the step.",
    ),
)
"""Options of calls."""


TASK: Final = TaskEntry(
    "FILE.py:NAME",
    """Your own network, or fitness of one matrix; or PACKAGE.MODULE:NAME

    A network is a `pentary.nets.Sequential`, and trains on the data that --data names: an .npz file with x and y, or a
    function that returns both. A function takes an int64 array (rows, cols) of -2..2 and returns an integer or a float;
    greater is better.

    \b
    Examples:
      pentary train nets.py:NETWORK --data digits.npz --out runs/mine
      pentary train nets.py:NETWORK --data nets.py:data --steps 500 --json
      pentary train balance.py:fitness --shape 16x16 --out runs/balance
      pentary train games.chess:score --steps 1000 --workers 8 --timeout 60 --on-failure worst
    """,
    (*EVOLUTION, SHAPE, *_CALLS, *entry.OPTIONS),
    _start,
)
