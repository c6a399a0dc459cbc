"""Data of a described network: examples in two parts, as integers in the range of its input.

Numbers that are no integers in that range are quantised: an offset and a scale for each feature, or one for all, are
fitted on the training part only. Sums are computed exactly, so that every machine fits the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, prod, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.nets.network import Sequential
from pentary.nets.operations import Values
from pentary.numbers.exact import Float32
from pentary.numbers.word import PentaryError

Targets = NDArray[np.int64]

SPREAD: Final = 2.5
"""Standard deviations of a feature that the range of the input holds on either side of the mean."""

TEST_SHARE: Final = 4
"""A test part that is not given is one example of so many."""


@dataclass(frozen=True)
class Part:
    """Examples.

    Attributes:
        x: (examples, *input shape) integers in float32.
        y: (examples,) numbers of classes, or (examples, outputs) quantised numbers.
    """

    x: Float32
    y: Targets

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.x)


@dataclass(frozen=True)
class Quantisation:
    """What numbers are as integers: clamp(rint((number - offset) * scale), low, high).

    Attributes:
        offset, scale: for each feature, or one for all, float64.
        low, high: least and greatest integer.
    """

    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    low: int
    high: int

    def __call__(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """Return numbers, (examples, ...), as integers."""
        moved = (np.asarray(numbers, np.float64) - self.offset) * self.scale
        return np.clip(np.rint(moved), self.low, self.high).astype(np.int64)

    def back(self, integers: NDArray[Any]) -> NDArray[np.float64]:
        """Return the numbers that integers stand for."""
        return np.asarray(integers, np.float64) / self.scale + self.offset

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"offset": self.offset.tolist(), "scale": self.scale.tolist(), "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Data:
    """Examples to train on and to test with.

    Attributes:
        train, test: the parts.
        inputs: how the inputs were quantised; None if they were integers in range.
        targets: how the targets of a regression were; None in a classification.
        classes: labels of the classes, by their numbers; empty in a regression.
    """

    train: Part
    test: Part
    inputs: Quantisation | None
    targets: Quantisation | None
    classes: Sequence[Any]

    def as_json(self) -> dict[str, Any]:
        """Return what a run has to keep of it, as JSON values."""
        return {
            "train": len(self.train),
            "test": len(self.test),
            "inputs": None if self.inputs is None else self.inputs.as_json(),
            "targets": None if self.targets is None else self.targets.as_json(),
            "classes": list(self.classes),
        }


def fit(numbers: NDArray[Any], low: int, high: int, per_feature: bool) -> Quantisation:
    """Fit a quantisation: means become the middle of the range, `SPREAD` standard deviations its ends.

    Args:
        numbers: (examples, ...), of the training part.
        low, high: least and greatest integer.
        per_feature: whether each feature has its own offset and scale.

    Returns:
        The quantisation; a feature that does not vary becomes the middle.
    """
    columns = numbers.reshape(len(numbers), -1) if per_feature else numbers.reshape(-1, 1)
    middle, half = (low + high) / 2, (high - low) / 2
    offsets, scales = [], []
    for column in columns.T.astype(np.float64):
        mean = fsum(column) / len(column)
        deviation = sqrt(fsum((column - mean) ** 2) / len(column))
        scale = half / (SPREAD * deviation) if deviation > 0 else 1.0
        scales.append(scale)
        offsets.append(mean - middle / scale)
    shape = numbers.shape[1:] if per_feature else ()
    return Quantisation(np.array(offsets).reshape(shape), np.array(scales).reshape(shape), low, high)


def prepare(
    network: Sequential,
    arrays: Mapping[str, NDArray[Any]],
    seed: int = 0,
    source: str = "the data",
) -> Data:
    """Make integers of arrays, in a training and a test part.

    Args:
        network: that is to be trained on them.
        arrays: `x` (examples, ...) and `y` (examples,) or (examples, outputs), which are split; or `x_train`,
            `y_train`, `x_test` and `y_test`.
        seed: of the split, and of the order of the examples.
        source: of the arrays, for messages.

    Returns:
        The data; a test part that is not given is a quarter, stratified in a classification.

    Raises:
        PentaryError: an array is missing, or has the wrong shape, type or numbers.
    """
    check = _Checker(network, source)
    given = check.names(arrays)
    classification = network.loss.goal == "classification"
    x = [check.inputs(name, arrays[name]) for name in given if name.startswith("x")]
    y = [check.targets(name, arrays[name]) for name in given if name.startswith("y")]
    for own_x, own_y, name in zip(x, y, [name for name in given if name.startswith("y")], strict=True):
        check.lengths(name, own_x, own_y)
    labels: list[Any] = []
    if classification:
        labels, y = check.classes(y)
    if len(x) == 1:
        order = np.random.RandomState(seed).permutation(len(x[0]))
        test = _stratified(y[0][order], len(order) // TEST_SHARE) if classification else _last(len(order))
        x, y = ([every[0][order[~test]], every[0][order[test]]] for every in (x, y))
    else:
        order = np.random.RandomState(seed).permutation(len(x[0]))
        x[0], y[0] = x[0][order], y[0][order]
    check.parts(x, y)
    values = network.input.values()
    inputs = None
    if not check.fits(x, values):
        inputs = fit(x[0], values.low, values.high, per_feature=len(values.shape) == 1)
        x = [inputs(each) for each in x]
    targets = None
    if not classification:
        outputs = network.outputs
        targets = fit_targets(y[0], network)
        y = [targets(each.reshape(len(each), outputs.size)) for each in y]
    parts = [Part(own_x.astype(np.float32), own_y.astype(np.int64)) for own_x, own_y in zip(x, y, strict=True)]
    return Data(parts[0], parts[1], inputs, targets, labels)


def fit_targets(y: NDArray[Any], network: Sequential) -> Quantisation:
    """Fit the quantisation of a regression's targets: a standard deviation becomes the scale of the loss.

    Args:
        y: (examples, outputs), of the training part.
        network: whose results these are to be.
    """
    scale, limit = network.loss.unit**0.5, network.outputs.limit
    fitted = fit(y.reshape(len(y), -1), -limit, limit, per_feature=True)
    return Quantisation(fitted.offset, fitted.scale * (SPREAD * scale / limit), -limit, limit)


def _last(count: int) -> NDArray[np.bool_]:
    return np.arange(count) >= count - count // TEST_SHARE


def _stratified(y: Targets, wanted: int) -> NDArray[np.bool_]:
    """Return which examples are of the test part: of each class the last ones, about the same share of all."""
    marks = np.zeros(len(y), bool)
    counts = np.bincount(y)
    exact = counts * wanted / max(1, len(y))
    taken = np.floor(exact).astype(int)
    for label in np.argsort(taken - exact, kind="stable")[: wanted - taken.sum()]:
        taken[label] += 1
    for label, count in enumerate(taken):
        places = np.flatnonzero(y == label)
        marks[places[len(places) - min(count, len(places) - 1) :]] = True
    return marks


class _Checker:
    """Checks of what a user gives.

    Args:
        network: that is to be trained.
        source: of the arrays.
    """

    def __init__(self, network: Sequential, source: str) -> None:
        self._network, self._source = network, source
        self._shape = network.input.values().shape

    def error(self, what: str) -> PentaryError:
        return PentaryError(f"{self._source}: {what}")

    def names(self, arrays: Mapping[str, NDArray[Any]]) -> Sequence[str]:
        for names in (("x", "y"), ("x_train", "y_train", "x_test", "y_test")):
            if all(name in arrays for name in names):
                return names
        found = ", ".join(arrays) or "nothing"
        raise self.error(f"it has {found}; it takes x and y, or x_train, y_train, x_test and y_test")

    def inputs(self, name: str, x: NDArray[Any]) -> NDArray[Any]:
        x = self._numbers(name, x)
        if x.ndim < 1 or not len(x):
            raise self.error(f"{name} has no examples")
        if x.shape[1:] != self._shape and prod(x.shape[1:]) != prod(self._shape):
            wanted, found = (" x ".join(map(str, shape)) or "one number" for shape in (self._shape, x.shape[1:]))
            raise self.error(f"an example of {name} is {found}, but the network takes {wanted}")
        return x.reshape(len(x), *self._shape)

    def targets(self, name: str, y: NDArray[Any]) -> NDArray[Any]:
        if self._network.loss.goal == "classification":
            if y.ndim != 1:
                raise self.error(f"{name} has the shape {y.shape}: of classes it takes one label for each example")
            if y.dtype.kind == "f":
                raise self.error(f"{name} has {y.dtype} labels, which are no integers: make them integers or texts")
            if y.dtype.kind not in "iubUS":
                raise self.error(f"{name} has labels of type {y.dtype}: make them integers or texts")
            return y
        y, outputs = self._numbers(name, y), self._network.outputs.size
        if y.shape[1:] != (outputs,) and not (y.ndim == 1 and outputs == 1):
            raise self.error(f"{name} has the shape {y.shape}, but the network has {outputs} results")
        return y.reshape(len(y), outputs).astype(np.float64)

    def _numbers(self, name: str, numbers: NDArray[Any]) -> NDArray[Any]:
        if numbers.dtype.kind not in "iufb":
            raise self.error(f"{name} is of type {numbers.dtype}, not of numbers")
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            place = np.argwhere(~np.isfinite(numbers))[0]
            raise self.error(
                f"{name} has {numbers[tuple(place)]} at {tuple(map(int, place))}: leave such examples out, or fill them"
            )
        return numbers

    def lengths(self, name: str, x: NDArray[Any], y: NDArray[Any]) -> None:
        if len(x) != len(y):
            raise self.error(f"{name} has {len(y)} targets for {len(x)} examples")

    def classes(self, y: Sequence[NDArray[Any]]) -> tuple[list[Any], list[Targets]]:
        """Return the labels, and targets as their numbers."""
        labels = np.unique(y[0])
        for own in y[1:]:
            if unknown := sorted(set(own.tolist()) - set(labels.tolist())):
                raise self.error(f"the class {unknown[0]!r} is only in the test part")
        outputs = self._network.outputs.size
        if len(labels) > outputs:
            raise self.error(f"y has {len(labels)} classes, but the network has {outputs} results")
        return labels.tolist(), [np.searchsorted(labels, own).astype(np.int64) for own in y]

    def parts(self, x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]]) -> None:
        if not all(map(len, x)):
            raise self.error(f"it has {sum(map(len, x))} examples, too few for a training and a test part")

    def fits(self, x: Sequence[NDArray[Any]], values: Values) -> bool:
        """Return whether inputs are integers in range; tokens have to be."""
        integers = all(each.dtype.kind in "iub" for each in x)
        inside = all(values.low <= each.min() and each.max() <= values.high for each in x)
        if values.tokens and not (integers and inside):
            raise self.error(f"x has to be tokens, integers in 0..{values.high}")
        return integers and inside
