"""Weights of the centre and of members, as a program of any layers gets them.

A tensor of up to 256 rows and columns has its factors in the low-rank unit, which draws them when they are needed. The
factors of a larger one, or of one whose operands are too great for LRMULX, are drawn into memory at the beginning of a
pair (`noise.s`), and the vector unit multiplies by them.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, Protocol

from pentary.compile.plan import VISIBLE, WORDS
from pentary.es.strategy import Parameters
from pentary.es.tensors import Tensor
from pentary.isa.table import MAX_VL
from pentary.nets.layers import CENTRE
from pentary.nets.network import noise_of
from pentary.nets.operations import Noise
from pentary.numbers.word import PENTS, limit

FACTORS: Final = "factors."
"""What the labels of factors in memory begin with, before the names of their tensors."""

_FACTOR: Final = limit(8)  # VMULS takes factors of 8 pents
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
        noise: size of the perturbations.
    """

    sides: int
    groups: Sequence[Sequence[int]]
    shares: bool
    noise: Noise

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
        """Return the instructions that turn words of a row in v0 into a side's numbers, in units of 1 / 5**shift.

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


class Centre(Members):
    """Visible numbers of a trained network, which are in memory.

    Args:
        tensors: by name.
    """

    sides, groups, shares, noise = 1, ((0,),), False, CENTRE

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
        return _written(name, tile, self.words(tile.matrix), self._tensors[tile.matrix].shape, [])

    def words(self, matrix: str) -> str:
        """Return the label of the numbers: see `Members.words`."""
        return VISIBLE + matrix

    def numbers(self, matrix: str, row: str, col: int, side: int) -> list[str]:
        """Return nothing: the words are the numbers."""
        return []

    def add(self, name: str, tile: Tile, operand: str, side: int, largest: int) -> list[str]:
        """Return nothing: there is no perturbation."""
        return []


def _written(name: str, tile: Tile, label: str, shape: tuple[int, int], each: Sequence[str]) -> list[str]:
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


class _Pairs(Members):
    """What factored and quantized members have in common.

    Args:
        tensors: by name.
        parameters: of the run.
        great: names of the tensors whose operands are too great for LRMULX.
    """

    sides = 2
    quantises = False

    def __init__(self, tensors: Mapping[str, Tensor], parameters: Parameters, great: Set[str] = frozenset()) -> None:
        """Find out which tensors have their factors in memory."""
        self._tensors, self._parameters = tensors, parameters
        self.noise = noise_of(parameters)
        self.in_memory = {name for name, own in tensors.items() if max(own.shape) > MAX_VL} | great
        self._numbers = {name: number for number, name in enumerate(tensors)}

    def _key(self, name: str) -> str:
        return f"matrices + {self._numbers[name]} * MATRIX_LINE + MATRIX_KEY(zero)"

    def strides(self, name: str) -> tuple[int, int]:
        """Return the pents from one vector of A to the next, and of B."""
        rows, cols = self._tensors[name].shape
        return -(-rows // PENTS) * PENTS, -(-cols // PENTS) * PENTS

    def _factors(self, name: str) -> tuple[str, str]:
        """Return the addresses of A and B in memory, as expressions."""
        a, _ = self.strides(name)
        return f"{FACTORS}{name}", f"{FACTORS}{name} + {self._parameters.rank * a}"

    def begin(self) -> list[str]:
        """Return the instructions at the beginning of pair p1: see `Members.begin`."""
        found = []
        for name in self._tensors:
            if name in self.in_memory:
                found += [
                    f"; factors of {name}",
                    f"LOAD    p2, {self._key(name)}",
                    f"LA      p5, {FACTORS}{name}",
                    f"LI      p4, {self._blocks(name)}",
                    "CALL    draw_noise",
                ]
        for name, own in self._tensors.items():
            if own.pents > 1:
                found += self._member_rows(name, own)
        return found

    def regions(self) -> list[tuple[str, str, str]]:
        """Return the parts of memory that the members need: see `Members.regions`."""
        rows = [
            (self.row(name), str(2 * own.cols), f"{name} of the members of a pair, plus and minus")
            for name, own in self._tensors.items()
            if own.pents > 1
        ]
        if not self.in_memory:
            return rows
        rows += [
            (FACTORS + name, str(PENTS * self._blocks(name)), f"factors A and B of {name} of a pair, a pent in a word")
            for name in self._tensors
            if name in self.in_memory
        ]
        largest = max(map(self._blocks, self.in_memory))
        return [*rows, ("drawn", str(largest), "words of the generator, of which the factors are unpacked")]

    def places(self) -> dict[str, list[str]]:
        """Return where the factors in memory are, as the rest of their tensors' lines in `matrices`: see `noise.s`."""
        return {
            name: [*self._factors(name), *map(str, self.strides(name)), str(self._blocks(name))]
            for name in self._tensors
            if name in self.in_memory
        }

    def _blocks(self, name: str) -> int:
        return self._parameters.rank * sum(self.strides(name)) // PENTS

    def row(self, name: str) -> str:
        """Return the label of a tensor of one row: see `Members.row`."""
        return f"members.{name}"

    def draw(self, matrix: str) -> list[str]:
        """Return the instructions that order the factors of pair p1: see `Members.draw`."""
        if matrix in self.in_memory:
            return []
        rows, cols = self._tensors[matrix].shape
        return [
            f"LI      p19, {rows}",
            "LRSET   rows, p19",
            f"LI      p19, {cols}",
            "LRSET   cols, p19",
            f"LOAD    p19, {self._key(matrix)}",
            "LRSET   key, p19",
            "LRGEN   p1",
        ]

    def words(self, matrix: str) -> str:
        """Return the label of the latent words: see `Members.words`."""
        return WORDS + matrix

    def _perturbation(self, name: str, row: str, col: int) -> list[str]:
        """Return the instructions that leave a row of the pair's perturbation in v2; they change v3 to v5, v7."""
        if name not in self.in_memory:
            return [
                f"LRMUL   {row}",
                *(["PQUANT"] if self.quantises else []),
                "VSUB    v2, v2, v2",
                "LRACC   v2, v2, p8",
            ]
        a, b = self._factors(name)
        strides = self.strides(name)
        return [
            f"LA      p14, {a}",
            f"ADD     p14, p14, {row}",
            f"LA      p15, {at(b, col)}",
            f"LI      p11, {strides[0]}",
            f"LI      p19, {strides[1]}",
            "CALL    noise_row",
        ]

    def _member_rows(self, name: str, own: Tensor) -> list[str]:
        """Return the instructions that leave a tensor of one row of both members in memory."""
        found = [f"; {name} of both members", *self.draw(name)]
        for col, width in tiles(own.cols):
            found += [
                f"LI      p19, {width}",
                "SETVL   p19",
                *self._perturbation(name, "zero", col),
                f"LA      p4, {at(WORDS + name, col)}",
                f"LA      p3, {at(self.row(name), col)}",
                "LOADV   v0, (p4)",
                *self._row_numbers(own),
                "STOREV  v3, (p3)",
                *advance("p3", own.cols),
                "STOREV  v4, (p3)",
            ]
        return found

    def _row_numbers(self, own: Tensor) -> list[str]:
        """Return the instructions that make both members' numbers, v3 and v4, of latent words v0 and v2."""
        raise NotImplementedError

    def _visible(self, own: Tensor, register: str) -> list[str]:
        """Return the instructions that turn latent words into visible numbers."""
        drop = self._parameters.latent - own.pents
        found = [f"QUANT   {register}, {register}, {drop}, {own.pents}"]
        if drop <= 0:
            found = [f"LI      p19, {5**-drop}", f"VMULS   {register}, {register}, p19"]
        if own.offset:
            found += [f"LI      p19, {own.offset}", f"VADDS   {register}, {register}, p19"]
        return found


class FactoredPairs(_Pairs):
    """Members W + s A B^T / 5**q: they share the centre's weights, which are in the crossbar."""

    groups, shares = ((0, 1),), True

    def side(self, side: int) -> list[str]:
        """Return nothing: signs are in the instructions."""
        return []

    def _row_numbers(self, own: Tensor) -> list[str]:
        return [
            *self._visible(own, "v0"),
            "VMULS   v0, v0, p10",
            f"LI      p19, {own.noise_unit}",
            "VMULS   v2, v2, p19",
            "VADD    v3, v0, v2",
            "VSUB    v4, v0, v2",
        ]

    def write(self, name: str, tile: Tile) -> list[str]:
        """Return the instructions that write a tile of the centre into the crossbar: see `Members.write`."""
        visible = ["QUANT   v0, v0, LATENT - 1, 1"]
        return _written(name, tile, self.words(tile.matrix), self._tensors[tile.matrix].shape, visible)

    def numbers(self, matrix: str, row: str, col: int, side: int) -> list[str]:
        """Return the instructions that turn latent words into a side's weights: see `Members.numbers`."""
        return [
            *self._perturbation(matrix, row, col),
            "QUANT   v0, v0, LATENT - 1, 1",
            "VMULS   v0, v0, p10",
            f"{'VSUB' if side else 'VADD'}    v0, v0, v2",
        ]

    def add(self, name: str, tile: Tile, operand: str, side: int, largest: int) -> list[str]:
        """Return the instructions that add a side's perturbation: see `Members.add`."""
        scaled = "VMULS   v1, v1, p10"
        if tile.matrix not in self.in_memory:
            return [f"LRMULX  {operand}", scaled, f"LRACC   v1, v1, {'p9' if side else 'p8'}"]
        own = self._tensors[tile.matrix]
        (a, b), strides, rank = self._factors(tile.matrix), self.strides(tile.matrix), self._parameters.rank
        found = [scaled, f"LA      p14, {a}", f"LA      p15, {at(b, tile.col)}"]
        if rank > 1:
            found += [f"LI      p25, {rank}", f"{name}:"]
        for start, width in tiles(own.rows, min(MAX_VL, _FACTOR // (2 * largest))):
            found += [
                f"LI      p16, {width}",
                "SETVL   p16",
                f"LOADV   v2, {start - tile.row}(p2)",
                f"LOADV   v3, {start}(p14)",
                "VMUL    v2, v2, v3",
                "VSUM    p16, v2",
                "SETVL   p7",
                "LOADV   v3, (p15)",
                "VMULS   v3, v3, p16",
                f"{'VSUB' if side else 'VADD'}    v1, v1, v3",
            ]
        if rank > 1:
            found += [*advance("p14", strides[0]), *advance("p15", strides[1]), "DEC     p25", f"BNZ     p25, {name}"]
        return found


class QuantizedPairs(_Pairs):
    """Members with the top pents of latents +- SIGMA E; the weights of one at a time are formed in the crossbar."""

    groups, shares = ((0,), (1,)), False
    quantises = True

    def side(self, side: int) -> list[str]:
        """Return the instruction that sets p26 to the side's sigma."""
        return [f"LI      p26, {'-' if side else ''}SIGMA"]

    def _row_numbers(self, own: Tensor) -> list[str]:
        found = ["LI      p26, SIGMA", "VMULS   v2, v2, p26", "VADD    v3, v0, v2", "VSUB    v4, v0, v2"]
        for register in ("v3", "v4"):
            found += [f"QUANT   {register}, {register}, 0, LATENT", *self._visible(own, register)]
        return found

    def write(self, name: str, tile: Tile) -> list[str]:
        """Return the instructions that form a tile of a member in the crossbar: see `Members.write`."""
        each = self.numbers(tile.matrix, "p5", tile.col, 0)
        return _written(name, tile, self.words(tile.matrix), self._tensors[tile.matrix].shape, each)

    def numbers(self, matrix: str, row: str, col: int, side: int) -> list[str]:
        """Return the instructions that turn latent words into a side's weights: see `Members.numbers`."""
        if matrix not in self.in_memory:
            return [f"LRMUL   {row}", "PQUANT", "LRADD   v0, v0, p26"]
        return [
            *self._perturbation(matrix, row, col),
            "VMULS   v2, v2, p26",
            "VADD    v0, v0, v2",
            "QUANT   v0, v0, 0, LATENT",
            "QUANT   v0, v0, LATENT - 1, 1",
        ]

    def add(self, name: str, tile: Tile, operand: str, side: int, largest: int) -> list[str]:
        """Return nothing: the weights are the member's."""
        return []
