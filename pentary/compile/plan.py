"""What the processor does for a network: its layers, their places in the crossbar, and the block of examples.

Every pair is evaluated on a block of examples, which stay in the data cache, before the next block is taken. The weight
matrices lie in the crossbar one below the other; an operand is loaded with as many zeros before it as there are rows
above its matrix. The first layer multiplies once for all members, when a block is taken: where there is no room for
all, its matrix takes the place of the others for that while. With a hinge loss, squares of ones in the crossbar, one
for each example of the block, give an example's right result to all of its words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from pentary.es.strategy import Parameters
from pentary.isa.table import MAX_VL
from pentary.nets.losses import CrossEntropy, Loss, SquaredError, SquaredHinge
from pentary.nets.network import Sequential, noise_of
from pentary.nets.operations import Branch, Noise, Operation, Product, Recurrence, Values
from pentary.numbers.word import PentaryError, limit

WORDS: Final = "words."
"""What the labels of latent words begin with, before the names of their tensors."""

VISIBLE: Final = "visible."
"""The same of visible numbers, in exported programs."""

OPERAND: Final = limit(4)
"""Largest magnitude of an operand that LRMULX takes as it is."""

CROSSBAR: Final = 256
"""Rows and columns of the crossbar."""

_EXAMPLES: Final = 16  # most examples of a block
_WORDS: Final = 2**18  # most words of all results of a block, except where one example takes more
_SQUARED: Final = limit(8)  # POPEVAL squares differences of 8 pents, and VMULS takes factors of as many
_OFFSET: Final = limit(7)  # greatest offset of a load


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


class Pending(NamedTuple):
    """What `add_loss` still has to do with the numbers in `outputs`: a rescale by 5**shift, and a clamp or None."""

    shift: int = 0
    low: int | None = None
    high: int | None = None


DONE: Final = Pending()
"""Nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A network as the processor trains it.

    Attributes:
        network: description.
        parameters: of the run.
        batch: examples on which the members of a step are compared.
        block: examples that are taken at a time.
        pending: what the loss has to do with the results.
        squares: row of the crossbar at which squares of ones begin; -1 for none.
    """

    network: Sequential
    parameters: Parameters
    batch: int
    block: int
    pending: Pending = DONE
    squares: int = -1

    @property
    def factored(self) -> bool:
        """Whether members are factored; otherwise they are quantized."""
        return self.parameters.perturb == "factored"

    @property
    def results(self) -> int:
        """How many results an example has."""
        return self.network.outputs.size


@dataclass(frozen=True, kw_only=True)
class Pipelined(Plan):
    """Fully connected layers whose vectors fit the registers, and whose matrices fit the crossbar.

    Attributes:
        stages: first to last.
        swapped: whether the first matrix takes the place of the others while a block is taken.
    """

    stages: Sequence[Stage]
    swapped: bool

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


def plan(network: Sequential, parameters: Parameters, batch: int) -> Plan:
    """Lay a network out on the processor.

    Args:
        network: description.
        parameters: of the run, which the network has been checked for.
        batch: examples on which the members of a step are compared.

    Raises:
        PentaryError: the processor cannot compute the loss of such results.
    """
    factored, inputs = parameters.perturb == "factored", network.input.values()
    sizes = inputs.size
    for operation, x, made in walk(network.operations, inputs, noise_of(parameters)):
        _check(operation, x, factored)
        sizes += made.size
    _check_loss(network.loss, network.check(parameters))
    fits = not factored or max(multiplied(network, parameters).values(), default=0) <= OPERAND
    if fits and all(map(_is_narrow, network.operations)):
        narrow = _placed(network, parameters, batch)
        if narrow is not None:
            return narrow
    most = min(_EXAMPLES, max(1, _WORDS // (2 * sizes)))
    if not isinstance(network.loss, CrossEntropy):
        most = min(most, MAX_VL // network.outputs.size)
    return Plan(network=network, parameters=parameters, batch=batch, block=_divisor(batch, most))


def walk(operations: Sequence[Operation], x: Values, noise: Noise) -> Iterator[tuple[Operation, Values, Values]]:
    """Yield each operation, those inside of branches too, with what it takes and what it makes of that."""
    for operation in operations:
        made = operation.values(x, noise)
        yield operation, x, made
        if isinstance(operation, Branch):
            yield from walk(operation.inner, x, noise)
        x = made


def multiplied(network: Sequential, parameters: Parameters) -> dict[str, int]:
    """Return the largest magnitude of the operands of each product, by the name of its matrix."""
    found = walk(network.operations, network.input.values(), noise_of(parameters))
    return {each.matrix: x.limit for each, x, _ in found if isinstance(each, Product | Recurrence)}


def _check(operation: Operation, x: Values, factored: bool) -> None:
    """Refuse rows that offsets of loads do not reach, and operands whose products with a factor do not fit VMULS."""
    name, width = operation.name, x.shape[-1]
    if width > _OFFSET:
        raise PentaryError(f"layer {name} takes {width:,} numbers: compiled programs take up to {_OFFSET:,}")
    if factored and isinstance(operation, Product | Recurrence) and 2 * x.limit > _SQUARED:
        raise PentaryError(
            f"layer {name} has operands up to {x.limit:,}, and the processor multiplies factors of members by up to "
            f"{_SQUARED // 2:,}: clamp them before"
        )


def _is_narrow(operation: Operation) -> bool:
    """Return whether an operation is a product of vectors that fit the registers."""
    return (
        isinstance(operation, Product)
        and len(operation.shape) == 1
        and max(operation.inputs, operation.outputs) <= MAX_VL
    )


def _divisor(batch: int, most: int) -> int:
    """Return the largest divisor of a batch up to a size."""
    return next(size for size in range(most, 0, -1) if batch % size == 0)


def _placed(network: Sequential, parameters: Parameters, batch: int) -> Pipelined | None:
    """Return the plan of fully connected layers; None if the crossbar cannot hold the matrices."""
    noise, factored = noise_of(parameters), parameters.perturb == "factored"
    products = [operation for operation in network.operations if isinstance(operation, Product)]
    block = _divisor(batch, min(_EXAMPLES, MAX_VL // products[-1].outputs))
    numbers = {name: number for number, name in enumerate(network.tensors)}
    # What stands before the results in memory becomes 0 only by their clamp: without one there are no squares.
    squared = isinstance(network.loss, SquaredHinge) and products[-1].high is not None
    wanted = block * products[-1].outputs if squared else 0
    inputs = [product.inputs for product in products]
    if factored and sum(inputs[1:]) > CROSSBAR:
        return None
    rows, swapped, squares = (_place if factored else _place_one)(inputs, wanted)
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
    last = stages[-1]
    return Pipelined(
        network=network,
        parameters=parameters,
        batch=batch,
        block=block,
        pending=Pending(last.shift, last.low, last.high),
        squares=squares,
        stages=stages,
        swapped=swapped,
    )


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
    """Refuse results that are too many for a vector register, or too large for POPEVAL."""
    if not isinstance(loss, SquaredHinge | SquaredError | CrossEntropy):
        raise PentaryError(f"the compiler does not know the loss {type(loss).__name__}")
    if outputs.size > MAX_VL:
        raise PentaryError(f"{outputs.size} results: the compiled losses take up to {MAX_VL}")
    spread = outputs.high - outputs.low
    margin = loss.margin if isinstance(loss, SquaredHinge) else 0
    if not isinstance(loss, CrossEntropy) and spread + margin > _SQUARED:
        raise PentaryError(f"results differ by up to {spread}, and POPEVAL squares up to {_SQUARED}: clamp them before")
