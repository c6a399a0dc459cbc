"""Programs of any layers: one operation after the other, each for all examples of a block, from memory to memory.

Numbers between two operations lie example after example, first those of the plus member, then those of the minus
member. A product goes through its matrix in tiles of 256 x 256, one at a time in the crossbar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from pentary.compile.members import Members, Tile, advance, at, tiles
from pentary.compile.pieces import clamp_constants, clamped
from pentary.isa.table import MAX_VL
from pentary.nets.operations import Values

_SIDES: Final = ("plus", "minus")


@dataclass(frozen=True)
class Place:
    """Numbers between two operations, in memory.

    Attributes:
        label: of the first example's of the plus member.
        values: shape and range.
    """

    label: str
    values: Values


@dataclass(frozen=True)
class Weights:
    """A matrix with what becomes of its product.

    Attributes:
        matrix, bias: names of the tensors; "" for no bias.
        inputs, outputs: widths.
        largest: magnitude of an operand.
        shift: pents that the rescale drops, those of the perturbation's unit included.
        low, high: of the clamp; None for none.
        at: row of the crossbar at which it begins, and zeros before each operand.
        resident: whether it is in the crossbar already.
    """

    matrix: str
    bias: str
    inputs: int
    outputs: int
    largest: int
    shift: int = 0
    low: int | None = None
    high: int | None = None
    at: int = 0
    resident: bool = False


class Body:
    """Instructions of a network for a block of examples and pair p1, and the parts of memory that they need.

        p1 pair   p2, p3, p4 operands and results   p5, p25 loops   p6, p7, p11 widths   p8, p9 1, -1   p10 5^q
        p12, p13 constants of a clamp   p26 SIGMA, then -SIGMA   p27 position of a recurrence
        p14 to p17, p19 temporary   v0, v2 operands   v1 results   v6 biases, gains   v3, v4, v5, v7 temporary

    Args:
        members: whose weights are multiplied by.
        block: examples.
        carries: whether recurrences go on from the hidden states that are in memory.

    Attributes:
        lines: instructions.
        regions: label, words and content of each part of memory.
        tables: content of those that are constant.
        layer: whose instructions are written, for the names of labels.
        states: of each recurrence, the label and width of its hidden states.
    """

    def __init__(self, members: Members, block: int, carries: bool = False) -> None:
        """Create a body without instructions."""
        self.members, self.block, self.carries = members, block, carries
        self.lines: list[str] = []
        self.regions: list[tuple[str, str, str]] = []
        self.tables: dict[str, NDArray[Any]] = {}
        self.layer = ""
        self.states: list[tuple[str, int]] = []
        self._names: set[str] = set()

    def name(self, wanted: str) -> str:
        """Return a label that nothing has yet."""
        wanted, number = f"layer.{wanted}", 1
        found = wanted
        while found in self._names:
            number += 1
            found = f"{wanted}.{number}"
        self._names.add(found)
        return found

    def reserve(self, wanted: str, words: int, what: str) -> str:
        """Reserve a part of memory, and return its label."""
        label = self.name(wanted)
        self.regions.append((label, str(words), what))
        return label

    def table(self, wanted: str, numbers: NDArray[Any], what: str) -> str:
        """Reserve a part of memory for constants, and return its label."""
        label = self.reserve(wanted, numbers.size, what)
        self.tables[label] = numbers
        return label

    def place(self, wanted: str, values: Values, what: str = "results") -> Place:
        """Reserve memory for numbers of all examples and sides."""
        words = self.members.sides * self.block * values.size
        return Place(self.reserve(wanted, words, f"{what}, {values}, of the block's examples"), values)

    @property
    def examples(self) -> int:
        """Examples of all sides."""
        return self.members.sides * self.block

    def repeat(self, count: int, pointers: Mapping[str, int], inner: Sequence[str]) -> list[str]:
        """Return a loop.

        Args:
            count: repetitions, in p5.
            pointers: words by which registers move each time.
            inner: instructions.
        """
        moves = [row for register, words in pointers.items() for row in advance(register, words)]
        if count == 1:
            return [*inner, *moves]
        label = self.name(f"{self.layer}.loop")
        return [f"LI      p5, {count}", f"{label}:", *inner, *moves, "DEC     p5", f"BNZ     p5, {label}"]

    def flat(self, words: int, pointers: Sequence[str], inner: Sequence[str]) -> list[str]:
        """Return a loop over consecutive words, up to 256 at a time; p5 are those to go, p6 is VL."""
        label = self.name(f"{self.layer}.loop")
        return [
            f"LI      p5, {words}",
            f"{label}:",
            f"LI      p6, {MAX_VL}",
            "MIN     p6, p6, p5",
            "SETVL   p6",
            *inner,
            *(f"ADD     {register}, {register}, p6" for register in pointers),
            "SUB     p5, p5, p6",
            f"BNZ     p5, {label}",
        ]

    def each_example(self, size: int, inner: Sequence[str]) -> list[str]:
        """Return a loop over the examples of all sides, in p25; p2 moves by the size of one."""
        label = self.name(f"{self.layer}.example")
        return [
            f"LI      p25, {self.examples}",
            f"{label}:",
            *inner,
            *advance("p2", size),
            "DEC     p25",
            f"BNZ     p25, {label}",
        ]

    def multiply(
        self, own: Weights, x: str, results: str, count: int, groups: Sequence[Sequence[int]] | None = None
    ) -> list[str]:
        """Return a product with a matrix.

        Args:
            own: the matrix.
            x: label of the operands, each with `own.at` zeros before it.
            results: label of the results.
            count: operands of a side.
            groups: sides that are computed; all if not given.
        """
        members, parts = self.members, tiles(own.inputs)
        found = [*([] if own.resident and not members.shares else members.draw(own.matrix)), *clamp_constants(own.high)]
        for group in members.groups if groups is None else groups:
            found += members.side(group[0])
            for col, cols in tiles(own.outputs):
                for row, rows in parts:
                    tile = Tile(own.matrix, row, col, rows, cols, own.at)
                    if not own.resident:
                        found += members.write(self.name(f"{own.matrix}.write"), tile)
                    for side in group:
                        found += self._part(own, tile, (x, results), (side, count), (row, rows) == parts[-1])
        return found

    def _part(
        self, own: Weights, tile: Tile, labels: tuple[str, str], which: tuple[int, int], is_last: bool
    ) -> list[str]:
        """Return the products of a side's operands with a tile; with the last one also what becomes of the sums."""
        (x, results), (side, count), stride = labels, which, own.at + own.inputs
        whose = f" of the {_SIDES[side]} members" if self.members.sides > 1 else ""
        before = [
            f"; products with {own.matrix}{whose}",
            f"LI      p6, {tile.at + tile.rows}",
            f"LI      p7, {tile.cols}",
            f"LA      p2, {at(x, side * count * stride + tile.row)}",
            f"LA      p3, {at(results, side * count * own.outputs + tile.col)}",
        ]
        operand, inner = "v0", ["SETVL   p6", "LOADV   v0, (p2)"]
        if tile.at:
            operand = "v2"
            before.append(f"LI      p11, {tile.rows}")
            inner += ["SETVL   p11", f"LOADV   v2, {tile.at}(p2)"]
        inner += ["SETVL   p7", "MATVEC  v1, v0"]
        if tile.row:
            inner += ["LOADV   v3, (p3)", "VADD    v1, v1, v3"]
        if is_last:
            inner += self.members.add(self.name(f"{self.layer}.terms"), tile, operand, side, own.largest)
            if own.bias:
                bias = at(self.members.row(own.bias), side * own.outputs + tile.col)
                before += ["SETVL   p7", f"LA      p19, {bias}", "LOADV   v6, (p19)"]
                inner.append("VADD    v1, v1, v6")
            inner += clamped(("v1",), own.shift, own.low, own.high)
        return [*before, *self.repeat(count, {"p2": stride, "p3": own.outputs}, [*inner, "STOREV  v1, (p3)"])]
