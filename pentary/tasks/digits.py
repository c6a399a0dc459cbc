"""Handwritten digits: an integer network 64-64-10 with five-level weights on scikit-learn's 8x8 images.

Pixels are the integers 0..16 of the data set. Members are compared on a window of the training images that moves on
with every step; the test images are never seen in training.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentary.es.strategy import Parameters, Population, Shapes
from pentary.lowrank.operations import Pents
from pentary.nets.perceptron import Layer, Mlp, scaled_centre
from pentary.nets.products import NUMPY, Gemm, backend
from pentary.numbers.exact import Float32, check_exact
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra
from pentary.support.parallel import map_chunks
from pentary.tasks.running.options import BACKEND, EVOLUTION, TaskEntry
from pentary.tasks.running.run import TaskRun, start

NETWORK = Mlp(
    layers=(
        Layer("hidden", 64, 64, shift=2, low=0, high=62),
        Layer("output", 64, 10, shift=1, low=-312, high=312),
    ),
    input_limit=16,
)

MARGIN = 12
"""By how much the right class must lead every other one for a loss of zero, in units of the output."""

BATCH = 128
"""Training images on which the members of one step are compared."""

_CHUNK = 256  # pairs that a worker takes at a time


class Split(NamedTuple):
    """Images (n, 64) as integers in float32, and classes (n,)."""

    images: Float32
    classes: NDArray[np.int64]


@cache
def load() -> tuple[Split, Split]:
    """Load the training and the test images: scikit-learn's stratified split with its default test share of a quarter.

    Returns:
        1,347 training and 450 test images.
    """
    with extra("digits", "the task digits"):
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

    images, classes = load_digits(return_X_y=True)
    parts = train_test_split(images, classes, stratify=classes, random_state=0)
    train, test, train_classes, test_classes = map(np.asarray, parts)
    return (
        Split(train.astype(np.float32), train_classes.astype(np.int64)),
        Split(test.astype(np.float32), test_classes.astype(np.int64)),
    )


class Digits:
    """Fitness of the network: minus its squared hinge loss.

    Args:
        gemm: the backend of the products with the weights that factored members share; activations fit its operands,
            bytes too. Fitness, and so digests, do not depend on it.
    """

    name = "digits"
    defaults = Parameters(population=1024, rank=1, steps=3000, perturb="factored")
    shapes: Shapes = NETWORK.shapes

    def __init__(self, gemm: Gemm = NUMPY) -> None:
        """Load the images."""
        self.train, self.test = load()
        self._gemm = gemm

    def check(self, parameters: Parameters) -> None:
        """Refuse a rank for which some sum could leave the exact range of float32, and a backend with no work."""
        if parameters.perturb == "factored":
            NETWORK.check(parameters.rank, parameters.sigma_shift, self._gemm)
        elif self._gemm.name != NUMPY.name:
            raise PentaryError(
                f"quantized members share no weights that the backend {self._gemm.name} could multiply by: use the "
                "backend numpy, or the factored perturbation"
            )
        else:
            NETWORK.check()

    def evaluate(self, population: Population) -> NDArray[np.int64]:
        """Return minus the summed loss of every member on the step's window of training images, (pairs, 2)."""
        parameters = population.parameters
        window = (np.arange(BATCH) + (population.step - 1) * BATCH) % len(self.train.images)
        images, classes = self.train.images[window], self.train.classes[window]
        weights = scaled_centre(population, self._gemm)

        def outputs(part: slice) -> Iterable[Float32]:
            if parameters.perturb == "factored":
                return NETWORK.forward_pairs(weights, images, population, part, self._gemm)
            pairs = {name: population.weights(name, part) for name in self.shapes}
            sides = [{name: pair[side] for name, pair in pairs.items()} for side in (0, 1)]
            return [np.concatenate([NETWORK.forward(side, images) for side in sides], axis=1)]

        def fitness(part: slice) -> NDArray[np.int64]:
            losses = [hinge_loss(z.reshape(-1, 2, BATCH, z.shape[-1]), classes) for z in outputs(part)]
            return -np.concatenate(losses).sum(axis=-1, dtype=np.int64)

        return np.concatenate(list(map_chunks(fitness, parameters.pairs, _CHUNK)))

    def unit(self, parameters: Parameters) -> int:
        """Return the divisor of the reported fitness."""
        return BATCH * MARGIN**2

    def centre_fitness(self, weights: Mapping[str, Pents]) -> float:
        """Return minus the mean loss of the centre on all training images, in squared margins."""
        losses = hinge_loss(NETWORK.forward(weights, self.train.images), self.train.classes)
        return -float(losses.sum(dtype=np.int64)) / (len(losses) * MARGIN**2)

    def report(self, weights: Mapping[str, Pents]) -> dict[str, Any]:
        """Return the share of training and of test images that the centre classifies rightly."""
        return {
            "train_accuracy": accuracy(weights, self.train),
            "test_accuracy": accuracy(weights, self.test),
        }


def hinge_loss(outputs: Float32, classes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Sum the squares of what each wrong class lacks of being `MARGIN` behind the right one.

    Args:
        outputs: (..., examples, classes) integers in float32, of magnitude up to 312.
        classes: (examples,) the right ones.

    Returns:
        (..., examples) int32.
    """
    right = np.take_along_axis(outputs, np.broadcast_to(classes[:, None], (*outputs.shape[:-1], 1)), axis=-1)
    lack = outputs - (right - np.float32(MARGIN))
    np.maximum(lack, np.float32(0), out=lack)
    total = np.einsum("...c,...c->...", lack, lack)
    return (total - np.float32(MARGIN**2)).astype(np.int32)  # the right class itself always lacks MARGIN


def accuracy(weights: Mapping[str, Pents], split: Split) -> float:
    """Return the share of images whose greatest output is the right class; the first of equal outputs counts."""
    return float((NETWORK.forward(weights, split.images).argmax(axis=-1) == split.classes).mean())


check_exact(10 * (2 * 312 + MARGIN) ** 2, "hinge loss")


def _start(name: str, **options: Any) -> TaskRun:
    return start(Digits(backend(options.get("backend", "numpy"))), options)


TASK: Final = TaskEntry(
    "digits",
    """A network 64-64-10 on images of digits

    1,347 images of 8x8 pixels to train on and 450 to test, from scikit-learn.

    \b
    Examples:
      pentary train digits --seed 7 --out runs/digits-7
      pentary train digits --population 512 --json
    """,
    (*EVOLUTION, BACKEND),
    _start,
)
