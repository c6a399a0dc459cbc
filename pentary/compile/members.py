"""Weights as a program of any layers gets them: what there is to ask of members, and those of the centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pentary.compile.plan import VISIBLE
from pentary.es.tensors import Tensor
from pentary.isa.table import MAX_VL
from pentary.nets.layers import CENTRE
from pentary.nets.operations import Noise
from pentary.numbers.word import limit

_STEP: Final = limit(7)  # greatest immediate of ADDI


def tiles(size: int, most: int = MAX_VL) -> list[tuple[int, int]]:
    """Return beginning and width of the parts of a row, each up to `most` wide."""
    return [(start, min(most, size - start)) for start in range(0, size, most)]


def advance(register: str, words: int) -> list[str]:
    """Return the instructions that move a pointer; p19 is changed by a great distance."""
    if words <= _STEP:
        return [f"ADDI    {register}, {register}, {words}"]
    return [f"LI      p19, {words}", f"ADD     {register}, {register}, p19"]


def at(label: str, words: int) -> str:
    """Return the expression of a place some words behind a label."""
    return f"{label} + {words}" if words else label


@dataclass(frozen=True)
class Tile:
    """Part of a matrix that is in the crossbar.

    Attributes:
        matrix: name of the tensor.
        row, col: of its first number in the matrix.
        rows, cols: how many.
        at: row of the crossbar at which it begins.
    """

    matrix: str
    row: int
    col: int
    rows: int
    cols: int
    at: int


class Members(Protocol):
    """Weights that a program multiplies by.

    Attributes:
        sides: members in a pair: 1 for the centre.
        groups: sides that share the weights in the crossbar, group by group.
        shares: whether both members of a pair do.
        noise: size of the perturbations, for bounds.
        shift: sums of products, and gains, are in units of 1 / 5**shift.
        row_shift: the same of what `numbers` makes.
    """

    sides: int
    groups: Sequence[Sequence[int]]
    shares: bool
    noise: Noise
    shift: int
    row_shift: int

    def begin(self) -> list[str]:
        """Return the instructions at the beginning of pair p1."""
        ...

    def regions(self) -> list[tuple[str, str, str]]:
        """Return the parts of memory that the members need: label, words, and what is in it."""
        ...

    def row(self, name: str) -> str:
        """Return the label of a tensor of one row: a row for each side."""
        ...

    def draw(self, matrix: str) -> list[str]:
        """Return the instructions that order the factors of pair p1, if the low-rank unit has them."""
        ...

    def side(self, side: int) -> list[str]:
        """Return the instructions before all that concerns one side."""
        ...

    def write(self, name: str, tile: Tile) -> list[str]:
        """Return the instructions that write a tile into the crossbar; `name` is that of their loop."""
        ...

    def words(self, matrix: str) -> str:
        """Return the label of what `numbers` is made of, row by row."""
        ...

    def numbers(self, matrix: str, row: str, col: int, side: int) -> list[str]:
        """Return the instructions that turn words of a row in v0 into a side's numbers, in units of 1 / 5**row_shift.

        Args:
            matrix: name of the tensor.
            row: register with the number of the row.
            col: first column of the words.
            side: 0 or 1.
        """
        ...

    def add(self, name: str, tile: Tile, operand: str, side: int, largest: int) -> list[str]:
        """Return the instructions that add a side's perturbation to the sums v1 of the centre.

        Args:
            name: of their loop.
            tile: the last one of its columns.
            operand: vector register of the operand, which is at p2 too.
            side: 0 or 1.
            largest: magnitude of an operand.
        """
        ...


def written(name: str, tile: Tile, label: str, shape: tuple[int, int], each: Sequence[str]) -> list[str]:
    """Return a loop that writes a tile into the crossbar.

    Args:
        name: of the loop.
        tile: what is written.
        label: of the words of the matrix.
        shape: of the matrix.
        each: instructions for words in v0, of row p5 of the matrix.
    """
    stride, size = shape[1], shape[0] * shape[1]
    part = "" if tile.rows * tile.cols == size else f", rows from {tile.row}, columns from {tile.col}"
    return [
        f"; {tile.matrix} into the crossbar{part}",
        f"LI      p19, {tile.cols}",
        "SETVL   p19",
        f"LA      p4, {at(label, tile.row * stride + tile.col)}",
        f"LI      p5, {tile.row}",
        f"LI      p3, {tile.at}",
        f"LI      p25, {tile.at + tile.rows}",
        f"{name}:",
        "LOADV   v0, (p4)",
        *each,
        "LOADX   v0, p3",
        *advance("p4", stride),
        "INC     p5",
        "INC     p3",
        f"BLT     p3, p25, {name}",
    ]


class Centre(Members):
    """Visible numbers of a trained network, which are in memory.

    Args:
        tensors: by name.
    """

    sides, groups, shares, noise, shift, row_shift = 1, ((0,),), False, CENTRE, 0, 0

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        """Keep the shapes."""
        self._tensors = tensors

    def begin(self) -> list[str]:
        """Return nothing: there are no pairs."""
        return []

    def regions(self) -> list[tuple[str, str, str]]:
        """Return nothing beside the numbers."""
        return []

    def row(self, name: str) -> str:
        """Return the label of a tensor: see `Members.row`."""
        return VISIBLE + name

    def draw(self, matrix: str) -> list[str]:
        """Return nothing: there are no factors."""
        return []

    def side(self, side: int) -> list[str]:
        """Return nothing: there is one side."""
        return []

    def write(self, name: str, tile: Tile) -> list[str]:
        """Return the instructions that write a tile into the crossbar: see `Members.write`."""
        return written(name, tile, self.words(tile.matrix), self._tensors[tile.matrix].shape, [])

    def words(self, matrix: str) -> str:
        """Return the label of the numbers: see `Members.words`."""
        return VISIBLE + matrix

    def numbers(self, matrix: str, row: str, col: int, side: int) -> list[str]:
        """Return nothing: the words are the numbers."""
        return []

    def add(self, name: str, tile: Tile, operand: str, side: int, largest: int) -> list[str]:
        """Return nothing: there is no perturbation."""
        return []
