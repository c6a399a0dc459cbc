"""The training of a described network on data."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from threading import local
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.es.strategy import Parameters, Population
from pentary.es.tensors import Tensors, Visible
from pentary.nets.network import Sequential
from pentary.nets.products import NUMPY, Gemm
from pentary.numbers.word import PentaryError
from pentary.runs import plots
from pentary.support.parallel import even_size, map_chunks
from pentary.tasks.described.data import Data, Part

if TYPE_CHECKING:
    from pentary.nets.forward import Forward

BATCH: Final = 128
"""Training examples on which the members of one step are compared."""

_PAIRS: Final = 256  # pairs whose factors a worker holds at a time


class NetworkTask:
    """Fitness of a network: minus its loss on a window of the training part, which moves on with every step.

    Args:
        name: of the task.
        network: that is trained.
        data: whose test part is never seen in training.
        batch: examples in a window.
        told: where the data come from, for the run's record.
        gemm: the backend of the products with the weights that factored members share. Fitness, and so digests, do not
            depend on it.

    Raises:
        PentaryError: the training part has fewer examples than a batch.
    """

    defaults = Parameters(population=1024, rank=1, steps=3000, perturb="factored")

    def __init__(
        self,
        name: str,
        network: Sequential,
        data: Data,
        batch: int = BATCH,
        gemm: Gemm = NUMPY,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what is trained on what."""
        if not network.tensors:
            raise PentaryError("the network has nothing to train: give it a Dense layer")
        if not 1 <= batch <= len(data.train):
            raise PentaryError(
                f"a batch of {batch} examples is not in 1..{len(data.train)}, the examples of the training part"
            )
        self.name, self.network, self.data, self.batch = name, network, data, batch
        self.tensors: Tensors = network.tensors
        self._gemm, self._local, self._told = gemm, local(), told or {}

    def __getstate__(self) -> dict[str, Any]:
        """Omit the buffers and compiled code of this process."""
        return {name: value for name, value in vars(self).items() if name not in ("_local", "_forward")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore without buffers."""
        vars(self).update(state)
        self._local = local()

    @cached_property
    def _forward(self) -> "Forward":
        from pentary.nets.forward import Forward  # loads the compiler

        return Forward(self.network, self._gemm)

    def check(self, parameters: Parameters) -> None:
        """Refuse parameters for which some sum could leave the exact range, and a backend with no work."""
        if parameters.perturb != "factored" and self._gemm.name != NUMPY.name:
            raise PentaryError(
                f"quantized members share no weights that the backend {self._gemm.name} could multiply by: use the "
                "backend numpy, or the factored perturbation"
            )
        self.network.check(parameters, self._gemm)

    def window(self, step: int) -> Part:
        """Return the examples on which the members of a step are compared."""
        train = self.data.train
        numbers = (np.arange(self.batch) + (step - 1) * self.batch) % len(train)
        return Part(train.x[numbers], train.y[numbers])

    def evaluate(self, population: Population, part: slice | None = None) -> NDArray[np.int64]:
        """Return minus the summed losses of members on the step's window of training examples, (pairs, 2)."""
        own, window, members = population.parameters, self.window(population.step), population.pairs(part)
        forward = self._forward
        scaled = forward.prepare(population) if own.perturb == "factored" else None

        def fitness(pairs: slice) -> NDArray[np.int64]:
            if not hasattr(self._local, "buffers"):
                self._local.buffers = forward.buffers()
            found = forward.members(population, pairs, window.x, scaled, self._local.buffers)
            sums = [self.network.loss.totals(z.reshape(-1, *z.shape[2:]), window.y) for z in found]
            return -np.concatenate(sums).reshape(-1, 2)

        size = even_size(members.stop - members.start, _PAIRS)
        return np.concatenate(list(map_chunks(fitness, members, size)))

    def unit(self, parameters: Parameters) -> int:
        """Return the divisor of the reported fitness."""
        return self.batch * self.network.loss.unit

    def centre_fitness(self, weights: Mapping[str, Visible]) -> float:
        """Return minus the mean loss of the centre on all training examples, in units of the loss."""
        part = self.data.train
        total = self.network.loss.totals(self._forward.centre(weights, part.x)[None], part.y)
        return -int(total[0]) / (len(part) * self.network.loss.unit)

    def report(self, weights: Mapping[str, Visible]) -> dict[str, Any]:
        """Return the accuracies of the centre on both parts; of a regression, the coefficients of determination."""
        parts = {"train": self.data.train, "test": self.data.test}
        if self.network.loss.goal == "classification":
            return {f"{name}_accuracy": self.accuracy(weights, part) for name, part in parts.items()}
        return {f"{name}_r2": self.determination(weights, part) for name, part in parts.items()}

    def config(self) -> dict[str, Any]:
        """Return the description of the network, the batch, and how the data were taken."""
        return {
            "network": repr(self.network),
            "batch": self.batch,
            "data": {**self._told, **self.data.as_json()},
            "backend": self._gemm.name,
        }

    def pictures(self, weights: Mapping[str, Visible], title: str) -> Iterator[tuple[str, bytes]]:
        """Draw which classes the centre takes for which in the test part; of a regression, results and targets."""
        part = self.data.test
        results = self._forward.centre(weights, part.x)
        if self.network.loss.goal == "classification":
            counts = np.zeros((len(self.data.classes),) * 2, np.int64)
            # A result without a class in the data is never right, and has no row.
            np.add.at(counts, (part.y, results[:, : len(counts)].argmax(axis=-1)), 1)
            yield "confusion.png", plots.confusion_png(counts, list(map(str, self.data.classes)), title)
        else:
            assert self.data.targets is not None, "targets of a regression are quantised"
            targets, numbers = (self.data.targets.back(each) for each in (part.y, results))
            yield "predictions.png", plots.predictions_png(targets, numbers, title)

    def accuracy(self, weights: Mapping[str, Visible], part: Part) -> float:
        """Return the share of examples whose greatest result is the right class; the first of equal ones counts."""
        return float((self._forward.centre(weights, part.x).argmax(axis=-1) == part.y).mean())

    def determination(self, weights: Mapping[str, Visible], part: Part) -> float:
        """Return R^2: what part of the targets' variance the results explain."""
        results = self._forward.centre(weights, part.x).astype(np.float64)
        left = np.square(results - part.y).sum()
        whole = np.square(part.y - part.y.mean(axis=0)).sum()
        return float(1 - left / whole) if whole else 0.0
