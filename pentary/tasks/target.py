"""The pattern experiment: one weight matrix is trained towards a diagonal pattern.

The target is zero but for its diagonal, which repeats 2, 1, 0, -1, -2. Fitness is minus the squared distance, reported
per weight. Uniform weights start near -2.03.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.es.strategy import CHUNK_PENTS, Parameters, Population
from pentary.es.tensors import Tensor, Tensors, Visible
from pentary.support.parallel import map_chunks
from pentary.tasks.running.options import EVOLUTION, SHAPE, TaskEntry
from pentary.tasks.running.run import TaskRun, start


class Target:
    """Fitness of a matrix near the diagonal pattern.

    Args:
        rows, cols: shape of the matrix.
    """

    name = "target"
    defaults = Parameters()

    def __init__(self, rows: int = 64, cols: int = 64) -> None:
        """Build the pattern."""
        self.tensors: Tensors = {"weights": Tensor(rows, cols)}
        self.pattern = np.zeros((rows, cols), np.float32)
        np.fill_diagonal(self.pattern, np.resize([2, 1, 0, -1, -2], min(rows, cols)))

    def check(self, parameters: Parameters) -> None:
        """Accept any parameters: distances are summed in float64, which no matrix that fits a memory exceeds."""

    def evaluate(self, population: Population, part: slice | None = None) -> NDArray[np.int64]:
        """Return minus the squared distance of the members of some pairs, (pairs, 2), in units of 1 / `unit`."""
        parameters = population.parameters
        pattern = self.pattern * np.float32(_scale(parameters))

        def fitness(part: slice) -> NDArray[np.int64]:
            distances = []
            for weights in population.weights("weights", part):
                d = weights.astype(np.float32, copy=False)
                d -= pattern
                distances.append(np.einsum("prc,prc->p", d, d, dtype=np.float64))
            return -np.stack(distances, axis=1).astype(np.int64)

        chunk = max(1, CHUNK_PENTS // 4 // pattern.size)
        return np.concatenate(list(map_chunks(fitness, population.pairs(part), chunk)))

    def unit(self, parameters: Parameters) -> int:
        """Return the divisor of the reported fitness: the number of weights times the scale squared."""
        return self.pattern.size * _scale(parameters) ** 2

    def centre_fitness(self, weights: Mapping[str, Visible]) -> float:
        """Return minus the mean squared distance of the centre."""
        distance = weights["weights"] - self.pattern
        return -float(np.square(distance).sum(dtype=np.int64)) / distance.size

    def report(self, weights: Mapping[str, Visible]) -> dict[str, Any]:
        """Return nothing: there are no figures beyond the fitness."""
        return {}

    def config(self) -> dict[str, Any]:
        """Return nothing: the shape says all."""
        return {}

    def pictures(self, weights: Mapping[str, Visible], title: str) -> Iterator[tuple[str, bytes]]:
        """Draw nothing of its own."""
        return iter(())


def _scale(parameters: Parameters) -> int:
    return 5**parameters.sigma_shift if parameters.perturb == "factored" else 1


def _start(name: str, shape: tuple[int, int] = (64, 64), **options: Any) -> TaskRun:
    return start(Target(*shape), options)


TASK: Final = TaskEntry(
    "target",
    """One matrix towards a diagonal pattern

    Fitness is minus the mean squared distance from a diagonal of 2, 1, 0, -1, -2. It starts near -2 and is 0 at best.

    \b
    Examples:
      pentary train target --steps 200
      pentary train target --engine sim --json
      pentary train target --engine rtl --steps 2
    """,
    (*EVOLUTION, SHAPE),
    _start,
)
