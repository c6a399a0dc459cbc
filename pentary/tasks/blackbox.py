"""A user's own function as fitness: it sees one matrix of five-level weights and answers with a number.

    # balance.py: as many positive weights as negative ones
    def fitness(weights):
        return -abs(int(weights.sum()))

is trained by `pentary train balance.py:fitness --shape 16x16`.

A function may share its work among processes, however they are started. The pool belongs into a function, which makes
it when it is first called: what a file starts when it is imported, every process that imports it would start again.
With FILE.py, multiprocessing refuses that, and the call fails; with PACKAGE.MODULE the pool waits without end, as it
does in plain Python. So does a multiprocessing.Pool of which a process dies; a ProcessPoolExecutor says so.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.es.fitness import as_fitness, number
from pentary.es.strategy import CHUNK_PENTS, Parameters, Population
from pentary.es.tensors import Tensor, Tensors, Visible
from pentary.lowrank.operations import Pents
from pentary.nets.network import Sequential
from pentary.numbers.word import PentaryError
from pentary.tasks.described import entry
from pentary.tasks.running import users
from pentary.tasks.running.options import EVOLUTION, SHAPE, TaskEntry
from pentary.tasks.running.run import TaskRun, start
from pentary.tasks.running.users import UsersCodeError

Fitness = Callable[[NDArray[np.int64]], object]
"""A user's function; what it returns is checked."""

LARGEST: Final = 1e300
"""Largest magnitude of a fitness: differences and means of such numbers are finite."""

MATRIX: Final = "weights"


class BlackBox:
    """Fitness by a function of one weight matrix.

    The function is called from one thread: for the start, then in every step for each member, pair after pair and plus
    before minus, and for the centre.

    Args:
        name: of the function, for messages and the run's record.
        function: takes an int64 array (rows, cols) of -2..2, its own to keep or change; returns an integer or a float,
            greater is better. Integers are compared as integers, whatever their size.
        shape: (rows, cols).
    """

    defaults = Parameters()

    def __init__(self, name: str, function: Fitness, shape: tuple[int, int] = (64, 64)) -> None:
        """Keep the function and the shape of what it judges."""
        self.name = name
        self.tensors: Tensors = {MATRIX: Tensor(*shape)}
        self._function = function

    def check(self, parameters: Parameters) -> None:
        """Refuse factored perturbations: such members are not five-level matrices."""
        if parameters.perturb != "quantized":
            raise PentaryError(
                f"{self.name} judges five-level matrices, and {parameters.perturb} members are none: "
                "use the quantized perturbation"
            )

    def evaluate(self, population: Population) -> NDArray[Any]:
        """Call the function for every member, (pairs, 2), as `pentary.es.fitness.as_fitness` returns it.

        Raises:
            UsersCodeError: the function raises an exception or returns something that is no fitness.
        """
        fitness = np.empty((population.parameters.pairs, 2), object)
        for pair, members in enumerate(self._pairs(population)):
            for side, weights in enumerate(members):
                member = f"the {('plus', 'minus')[side]} member of pair {pair} in step {population.step}"
                fitness[pair, side] = self._measure(weights, member)
        return as_fitness(fitness)

    def unit(self, parameters: Parameters) -> int:
        """Return 1: the fitness is reported as the function returns it."""
        return 1

    def centre_fitness(self, weights: Mapping[str, Visible]) -> int | float:
        """Call the function for the centre.

        Raises:
            UsersCodeError: as for `evaluate`.
        """
        return self._measure(weights[MATRIX], "the centre")

    def report(self, weights: Mapping[str, Visible]) -> dict[str, Any]:
        """Return nothing: there are no figures beyond the fitness."""
        return {}

    def config(self) -> dict[str, Any]:
        """Return nothing: the name says all."""
        return {}

    def pictures(self, weights: Mapping[str, Visible], title: str) -> Iterator[tuple[str, bytes]]:
        """Draw nothing of its own."""
        return iter(())

    def _pairs(self, population: Population) -> Iterator[tuple[Pents, Pents]]:
        pairs = population.parameters.pairs
        chunk = max(1, CHUNK_PENTS // self.tensors[MATRIX].size)
        for first in range(0, pairs, chunk):
            yield from zip(*population.weights(MATRIX, slice(first, min(first + chunk, pairs))), strict=True)

    def _measure(self, weights: Visible, member: str) -> int | float:
        try:
            value = self._function(weights.astype(np.int64, order="C"))  # in int8, 100 times a weight would wrap
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # asyncio's cancellation, for one, is no Exception
            raise UsersCodeError(f"{self.name} raised {type(error).__name__} for {member}", error) from error
        fitness = number(value)
        if fitness is None:
            raise UsersCodeError(f"{self.name} returned {type(value).__name__}, not a number, for {member}")
        if not abs(fitness) <= LARGEST:
            told = fitness if isinstance(fitness, float) else "an integer that is too large"
            raise UsersCodeError(f"{self.name} returned {told} for {member}: a fitness is a number within ±{LARGEST}")
        return fitness


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
    if isinstance(own, Sequential):
        if shape is not None:
            raise PentaryError(f"--shape is for a function; {printable} is a network, which has its shapes")
        return entry.begin(printable, own, options)
    for option in entry.OPTIONS:
        if option.name in options:
            raise PentaryError(f"{option.opts[0]} is for a network; {printable} is none")
    return start(BlackBox(printable, _checked(name, own), shape or (64, 64)), options)


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
      pentary train games.chess:score --steps 1000
    """,
    (*EVOLUTION, SHAPE, *entry.OPTIONS),
    _start,
)
