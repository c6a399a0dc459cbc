"""Fitness of antithetic pairs, compared exactly: integers of any size, or floats.

Two integers are compared as integers; a comparison with a float is one of float64, as in Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary.numbers.word import PentaryError

_SAFE: Final = 2**62
"""Two integers below this magnitude have a difference that fits an int64."""


def as_fitness(fitness: ArrayLike) -> NDArray[Any]:
    """Return fitness in an array that holds every integer exactly.

    Args:
        fitness: (pairs, 2), plus and minus members; integers of any size, finite floats, or both.

    Returns:
        (pairs, 2): int64 if all are integers that fit it, floating point if all are floats, otherwise objects: Python
        integers and floats.

    Raises:
        PentaryError: the shape or type is wrong, a fitness is not finite, or an integer among floats is too large for
            one.

    >>> as_fitness([[2**53, 2**53 + 1]]).dtype, as_fitness([[2**64, 0.5]]).dtype
    (dtype('int64'), dtype('O'))
    """
    values = fitness if isinstance(fitness, np.ndarray) else np.array(fitness, object)
    if values.ndim != 2 or values.shape[1] != 2:
        raise PentaryError(f"fitness must have shape (pairs, 2), not {values.shape}")
    if values.dtype == object:
        values = _of_objects(values)
    if values.dtype.kind == "f" and np.isfinite(values).all():
        return values.astype(np.result_type(values, np.float64), copy=False)
    if values.dtype.kind in "iu":
        fits = values.size == 0 or int(values.max()) < 2**63
        return values.astype(np.int64 if fits else object, copy=False)
    if values.dtype != object:
        raise PentaryError(f"fitness must be finite numbers, not {values.dtype} with NaN, inf or other types")
    return values


def differences(fitness: NDArray[Any]) -> NDArray[Any]:
    """Return plus - minus of each pair, (pairs,), exact for integers.

    Args:
        fitness: from `as_fitness`.
    """
    if fitness.dtype == np.int64 and fitness.size and not -_SAFE < int(fitness.min()) <= int(fitness.max()) < _SAFE:
        fitness = fitness.astype(object)
    return fitness[:, 0] - fitness[:, 1]


@dataclass(frozen=True)
class Summary:
    """What a step needs of the fitness of its members.

    Attributes:
        differences: (pairs,), plus - minus; exact for integers.
        total: sum over all members; exact for integers.
        best: the greatest.
    """

    differences: NDArray[Any]
    total: int | float
    best: int | float

    @classmethod
    def of(cls, fitness: "ArrayLike | Summary") -> "Summary":
        """Summarise fitness, (pairs, 2); a summary stays as it is.

        >>> found = Summary.of([[3, 3], [2**70, 2**70 + 1]])
        >>> found.differences.tolist(), found.tied, found.mean()
        ([0, -1], 0.5, 5.902958103587057e+20)
        """
        if isinstance(fitness, Summary):
            return fitness
        values = as_fitness(fitness)
        least, greatest = values.min(), values.max()
        if values.dtype == np.int64:
            fits = max(-int(least), int(greatest)) * values.size < 2**63
            total = int(values.sum() if fits else values.sum(dtype=object))
        else:
            total = np.asarray(values.sum()).item()
        return cls(differences(values), total, np.asarray(greatest).item())

    @classmethod
    def joined(cls, parts: Sequence["Summary"]) -> "Summary":
        """Return the summary of a population from those of its parts, in order; of integers, it is exact."""
        together = np.concatenate([part.differences for part in parts])
        return cls(together, sum(part.total for part in parts), max(part.best for part in parts))

    @property
    def tied(self) -> float:
        """Share of the pairs whose members have equal fitness."""
        return int(np.count_nonzero(self.differences == 0)) / len(self.differences)

    def mean(self, unit: int = 1) -> float:
        """Return the mean over the members, in units of 1 / unit: the nearest float, for integers."""
        return float(self.total / (2 * len(self.differences) * unit))


def number(value: object) -> int | float | None:
    """Return a number of Python or NumPy as Python's int, exact, or float; None if it is neither.

    A bool gives None, although Python counts it as an int: a comparison returned in place of a score is a mistake.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, float | np.floating) else None


def _of_objects(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of objects in the smallest type that holds its numbers exactly: see `as_fitness`."""
    numbers: list[Any] = [number(value) for value in values.flat]
    kinds = set(map(type, numbers))
    if type(None) in kinds:
        raise PentaryError("fitness must be integers or floats, not other types")
    kind = object
    if kinds == {float}:
        kind = np.float64
    elif kinds == {int} and all(-(2**63) <= integer < 2**63 for integer in numbers):
        kind = np.int64
    elif float in kinds:
        _check_comparable(numbers)
    return np.array(numbers, kind).reshape(values.shape)


def _check_comparable(numbers: list[Any]) -> None:
    """Raise an error if a number is not finite, or an integer is too large to be compared with floats."""
    try:
        finite = all(isfinite(number) for number in numbers)
    except OverflowError as error:
        raise PentaryError("an integer is too large to be compared with fitness that are floats") from error
    if not finite:
        raise PentaryError("fitness must be finite numbers, not NaN or inf")
