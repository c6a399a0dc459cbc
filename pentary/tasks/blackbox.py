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

import importlib
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from pentary.es.fitness import as_fitness, number
from pentary.es.strategy import CHUNK_PENTS, Parameters, Population, Shapes
from pentary.lowrank.operations import Pents
from pentary.numbers.word import PentaryError
from pentary.support import usersfile
from pentary.support.usersfile import execute, look_first_in, module_name
from pentary.tasks.running.options import EVOLUTION, SHAPE, TaskEntry
from pentary.tasks.running.run import TaskRun, start

Fitness = Callable[[NDArray[np.int64]], object]
"""A user's function; what it returns is checked."""

LARGEST: Final = 1e300
"""Largest magnitude of a fitness: differences and means of such numbers are finite."""

MATRIX: Final = "weights"


class BlackBoxError(PentaryError):
    """The user's function cannot be found, fails, or returns something that is no fitness.

    Attributes:
        user_traceback: of the exception in the user's code, without our own frames; empty if there was none.
    """

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        """Keep the message, and the user's part of the traceback of the exception that caused it."""
        super().__init__(message)
        self.user_traceback = "" if cause is None else _users_part(cause)


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
        self.shapes: Shapes = {MATRIX: shape}
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
            BlackBoxError: the function raises an exception or returns something that is no fitness.
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

    def centre_fitness(self, weights: Mapping[str, Pents]) -> int | float:
        """Call the function for the centre.

        Raises:
            BlackBoxError: as for `evaluate`.
        """
        return self._measure(weights[MATRIX], "the centre")

    def report(self, weights: Mapping[str, Pents]) -> dict[str, Any]:
        """Return nothing: there are no figures beyond the fitness."""
        return {}

    def _pairs(self, population: Population) -> Iterator[tuple[Pents, Pents]]:
        pairs, (rows, cols) = population.parameters.pairs, self.shapes[MATRIX]
        chunk = max(1, CHUNK_PENTS // (rows * cols))
        for first in range(0, pairs, chunk):
            yield from zip(*population.weights(MATRIX, slice(first, min(first + chunk, pairs))), strict=True)

    def _measure(self, weights: Pents, member: str) -> int | float:
        try:
            value = self._function(weights.astype(np.int64, order="C"))  # in int8, 100 times a weight would wrap
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # asyncio's cancellation, for one, is no Exception
            raise BlackBoxError(f"{self.name} raised {type(error).__name__} for {member}", error) from error
        fitness = number(value)
        if fitness is None:
            raise BlackBoxError(f"{self.name} returned {type(value).__name__}, not a number, for {member}")
        if not abs(fitness) <= LARGEST:
            told = fitness if isinstance(fitness, float) else "an integer that is too large"
            raise BlackBoxError(f"{self.name} returned {told} for {member}: a fitness is a number within ±{LARGEST}")
        return fitness


def load(name: str) -> Fitness:
    """Find a user's function.

    As with `python FILE.py` and `python -m MODULE`, imports of the user's code are looked up in the file's folder or
    in the current one before all that is installed, now and later, and in processes that it starts.

    Args:
        name: FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION.

    Returns:
        The function.

    Raises:
        BlackBoxError: file, module or function is not found, importing fails, or it cannot be called.
    """
    place, _, attribute = name.rpartition(":")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_module(place)
    if not hasattr(module, attribute):
        where = "" if place.endswith(".py") else f", which is {getattr(module, '__file__', 'built in')},"
        raise BlackBoxError(f"{place}{where} has no function {attribute!r}")
    function = getattr(module, attribute)
    if not callable(function):
        raise BlackBoxError(f"{name} is not a function but {type(function).__name__}")
    return function


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise BlackBoxError(f"there is no file {path}")
    look_first_in(path.parent)
    module = module_name(path)
    try:
        return execute(module, path)
    except (Exception, SystemExit) as error:
        _refuse_import(path, error)


def _from_module(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise BlackBoxError(f"{name!r} is neither a file that ends in .py nor a module's name")
    look_first_in(Path())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The module itself or a package around it is missing; or else something that it imports is.
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise BlackBoxError(f"there is no module {name} in this folder or among the installed ones") from error
        _refuse_import(name, error)
    except (Exception, SystemExit) as error:
        _refuse_import(name, error)


def _refuse_import(place: object, error: BaseException) -> NoReturn:
    raise BlackBoxError(f"importing {place} raised {type(error).__name__}", error) from error


def _users_part(error: BaseException) -> str:
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _is_ours(file: str) -> bool:
    return file in (__file__, usersfile.__file__, importlib.__file__) or file.startswith("<frozen importlib")


def _start(name: str, shape: tuple[int, int] = (64, 64), **options: Any) -> TaskRun:
    printable = os.fsencode(name).decode(errors="backslashreplace")  # names of files need not be UTF-8
    return start(BlackBox(printable, load(name), shape), options)


TASK: Final = TaskEntry(
    "FILE.py:FUNCTION",
    """Your own fitness of one matrix; or PACKAGE.MODULE:FUNCTION

    The function takes an int64 array (rows, cols) of -2..2 and returns an integer or a float; greater is better.

    \b
    Examples:
      pentary train balance.py:fitness --shape 16x16 --out runs/balance
      pentary train games.chess:score --steps 1000
    """,
    (*EVOLUTION, SHAPE),
    _start,
)
