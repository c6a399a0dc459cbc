"""What the processor does for a network: its layers, their places in the crossbar, and the block of examples.

Every pair is evaluated on a block of examples, which stay in the data cache, before the next block is taken. The weight
matrices lie in the crossbar one below the other; an operand is loaded with as many zeros before it as there are rows
above its matrix. The first layer multiplies once for all members, when a block is taken: where there is no room for
all, its matrix takes the place of the others for that while. With a hinge loss, squares of ones in the crossbar, one
for each example of the block, give an example's right result to all of its words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from pentary.es.strategy import Parameters
from pentary.isa.table import MAX_VL
from pentary.nets.losses import CrossEntropy, Loss, SquaredError, SquaredHinge
from pentary.nets.network import Sequential, noise_of
from pentary.nets.operations import Product, Values
from pentary.nets.tables import POWERS
from pentary.numbers.word import WORD_MAX, PentaryError, limit

WORDS: Final = "words."
"""What the labels of latent words begin with, before the names of their tensors."""

CROSSBAR: Final = 256
"""Rows and columns of the crossbar."""

_EXAMPLES: Final = 16  # most examples of a block
_OPERAND: Final = limit(4)  # LRMULX takes operands of 4 pents
_CLASSES: Final = WORD_MAX // int(POWERS[-1])
_SQUARED: Final = limit(8)  # POPEVAL squares differences of 8 pents


@dataclass(frozen=True)
class Stage:
    """One layer: a product with what becomes of it.

    Attributes:
        name: of the layer.
        inputs, outputs: widths.
        bias_pents: pents of the biases; 0 for none.
        shift: pents that the rescale drops, those of the perturbation's unit included.
        low, high: of the clamp; None for none.
        row: of the crossbar, at which the matrix begins.
        matrix, bias: numbers of the tensors.
    """

    name: str
    inputs: int
    outputs: int
    bias_pents: int
    shift: int
    low: int | None
    high: int | None
    row: int
    matrix: int
    bias: int


@dataclass(frozen=True)
class Plan:
    """A network as the processor trains it.

    Attributes:
        network: description.
        parameters: of the run.
        batch: examples on which the members of a step are compared.
        block: examples that are taken at a time.
        stages: first to last.
        swapped: whether the first matrix takes the place of the others while a block is taken.
        squares: row of the crossbar at which the squares of ones begin; -1 for none.
    """

    network: Sequential
    parameters: Parameters
    batch: int
    block: int
    stages: Sequence[Stage]
    swapped: bool
    squares: int

    @property
    def factored(self) -> bool:
        """Whether members are factored; otherwise they are quantized."""
        return self.parameters.perturb == "factored"

    def words(self, tensor: int) -> str:
        """Return the label of the latent words of a tensor, by its number."""
        return WORDS + list(self.network.tensors)[tensor]

    @property
    def first(self) -> Stage:
        """The layer that takes the inputs, which all members share."""
        return self.stages[0]

    @property
    def last(self) -> Stage:
        """The layer that gives the results."""
        return self.stages[-1]


def products_of(network: Sequential) -> Sequence[Product]:
    """Return the operations of a network, each a product with its clamp.

    Raises:
        PentaryError: the compiler does not know one, or it is too wide for a vector register.
    """
    products: list[Product] = []
    for operation in network.operations:
        if not isinstance(operation, Product) or len(operation.shape) != 1:
            kind = type(operation).__name__.lower()
            raise PentaryError(f"layer {operation.name}: the compiler takes Dense and Clamp only so far, no {kind}")
        for what, width in {"inputs": operation.inputs, "results": operation.outputs}.items():
            if width > MAX_VL:
                raise PentaryError(
                    f"layer {operation.name} has {width} {what}: the compiler takes up to {MAX_VL} so far"
                )
        products.append(operation)
    return products


def plan(network: Sequential, parameters: Parameters, batch: int) -> Plan:
    """Lay a network out on the processor.

    Args:
        network: description.
        parameters: of the run, which the network has been checked for.
        batch: examples on which the members of a step are compared.

    Raises:
        PentaryError: the compiler does not know a layer or loss, or the processor cannot hold the network.
    """
    factored, noise = parameters.perturb == "factored", noise_of(parameters)
    products, x = products_of(network), network.input.values()
    for product in products:
        if factored and x.limit > _OPERAND:
            raise PentaryError(
                f"layer {product.name} has operands up to {x.limit}, and LRMULX takes {_OPERAND}: clamp them before"
            )
        x = product.values(x, noise)
    _check_loss(network.loss, x)
    most = min(_EXAMPLES, MAX_VL // products[-1].outputs)
    block = next(size for size in range(most, 0, -1) if batch % size == 0)
    numbers = {name: number for number, name in enumerate(network.tensors)}
    # What stands before the results in memory becomes 0 only by their clamp: without one there are no squares.
    squared = isinstance(network.loss, SquaredHinge) and products[-1].high is not None
    wanted = block * products[-1].outputs if squared else 0
    place = _place if factored else _place_one
    rows, swapped, squares = place([product.inputs for product in products], wanted)
    stages = [
        Stage(
            name=own.name,
            inputs=own.inputs,
            outputs=own.outputs,
            bias_pents=own.bias_pents if own.bias else 0,
            shift=own.shift + noise.shift,
            low=own.low,
            high=own.high,
            row=row,
            matrix=numbers[own.matrix],
            bias=numbers[own.bias] if own.bias else -1,
        )
        for own, row in zip(products, rows, strict=True)
    ]
    return Plan(network, parameters, batch, block, stages, swapped, squares)


def _place(inputs: Sequence[int], wanted: int) -> tuple[list[int], bool, int]:
    """Place the weight matrices of the centre in the crossbar, those behind the first layer from row 0 on.

    Args:
        inputs: rows of each.
        wanted: rows of the squares of ones.

    Returns:
        The row at which each begins, whether the first takes the place of the others, and where the squares begin.
    """
    ends = list(accumulate(inputs[1:], initial=0))
    others, first = ends[-1], inputs[0]
    if others > CROSSBAR:
        raise PentaryError(
            f"the weight matrices behind the first layer have {others} rows together, and the crossbar has {CROSSBAR}: "
            "the compiler takes no more so far"
        )
    swapped = others + wanted + first > CROSSBAR
    above = max(others, first) if swapped else others
    squares = above if wanted and above + wanted <= CROSSBAR else -1
    if squares < 0:
        swapped, above, wanted = others + first > CROSSBAR, others, 0
    return [0 if swapped else above + wanted, *ends[:-1]], swapped, squares


def _place_one(inputs: Sequence[int], wanted: int) -> tuple[list[int], bool, int]:
    """Place the weight matrices of members, of which one at a time is in the crossbar; otherwise as `_place`."""
    above = max(inputs)
    return [0] * len(inputs), False, above if wanted and above + wanted <= CROSSBAR else -1


def _check_loss(loss: Loss, outputs: Values) -> None:
    if not isinstance(loss, SquaredHinge | SquaredError | CrossEntropy):
        raise PentaryError(f"the compiler does not know the loss {type(loss).__name__}")
    if isinstance(loss, CrossEntropy) and outputs.size > _CLASSES:
        raise PentaryError(
            f"cross-entropy of {outputs.size} classes: a word holds the sum of {_CLASSES} powers, and the compiler "
            "takes no more so far"
        )
    spread = outputs.high - outputs.low
    margin = loss.margin if isinstance(loss, SquaredHinge) else 0
    if not isinstance(loss, CrossEntropy) and spread + margin > _SQUARED:
        raise PentaryError(f"results differ by up to {spread}, and POPEVAL squares up to {_SQUARED}: clamp them before")
