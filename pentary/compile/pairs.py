"""Members of antithetic pairs, as a program of any layers gets their weights.

A tensor of up to 256 rows and columns has its factors in the low-rank unit, which draws them when they are needed. The
factors of a larger one, or of one whose operands are too great for LRMULX, are drawn into memory at the beginning of a
pair (`noise.s`), and the vector unit multiplies by them.
"""

from abc import abstractmethod
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final

from pentary.compile.members import Members, Tile, advance, at, tiles, written
from pentary.compile.pieces import visible
from pentary.compile.plan import WORDS
from pentary.es.strategy import Parameters
from pentary.es.tensors import Tensor
from pentary.isa.table import MAX_VL
from pentary.nets.network import noise_of
from pentary.numbers.word import PENTS, limit

FACTOR: Final = limit(8)
"""Largest magnitude of the scalar of VMULS."""

COLUMNS: Final = 7
"""Numbers of a line of `matrices` that noise.s needs."""

_FACTORS: Final = "pents of the factors A and B, a word each,"


@dataclass(frozen=True)
class Factors:
    """Where the factors of a tensor are in memory.

    Attributes:
        label: of what is drawn.
        a, b: addresses of the factors, as expressions.
        strides: words from one vector of A to the next, and of B.
        first: number of their first block in a pair's noise.
        blocks: how many.
    """

    label: str
    a: str
    b: str
    strides: tuple[int, int]
    first: int
    blocks: int

    def draw(self) -> list[str]:
        """Return the instructions that draw them for pair p1 under key p2."""
        return [
            f"LI      p3, {self.first}",
            f"LI      p4, {self.blocks}",
            f"LA      p5, {self.label}",
            "CALL    draw_noise",
        ]

    def line(self) -> list[str]:
        """Return the rest of a line of `matrices`."""
        return [self.label, self.a, self.b, *map(str, (*self.strides, self.first, self.blocks))]


def drawn(blocks: int) -> tuple[str, str, str]:
    """Return the memory that `draw_noise` needs, as `Members.regions` does."""
    return "drawn", str(blocks), "words of the generator, of which factors are unpacked"


class Pairs(Members):
    """What the members of antithetic pairs have in common.

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
        self.shift = self.row_shift = self.noise.shift
        self.in_memory = {name for name, own in tensors.items() if max(own.shape) > MAX_VL} | great
        self._numbers = {name: number for number, name in enumerate(tensors)}

    def _key(self, name: str) -> str:
        return f"matrices + {self._numbers[name]} * MATRIX_LINE + MATRIX_KEY"

    def _strides(self, name: str) -> tuple[int, int]:
        rows, cols = self._tensors[name].shape
        return -(-rows // PENTS) * PENTS, -(-cols // PENTS) * PENTS

    def _factors(self, name: str) -> Factors:
        """Return where the factors of a tensor are in memory."""
        label, rank, strides = f"factors.{name}", self._parameters.rank, self._strides(name)
        return Factors(label, label, at(label, rank * strides[0]), strides, 0, rank * sum(strides) // PENTS)

    def begin(self) -> list[str]:
        """Return the instructions at the beginning of pair p1: see `Members.begin`."""
        found = []
        for name in self._tensors:
            if name in self.in_memory:
                own = self._factors(name)
                found += [f"; factors of {name}", f"LA      p2, {self._key(name)}", "LOAD    p2, (p2)", *own.draw()]
        for name, own in self._tensors.items():
            if own.pents > 1:
                found += self._member_rows(name, own)
        return found

    def regions(self) -> list[tuple[str, str, str]]:
        """Return the parts of memory that the members need: see `Members.regions`."""
        rows = self._rows()
        if not self.in_memory:
            return rows
        factors = {name: self._factors(name) for name in self._tensors if name in self.in_memory}
        return [
            *rows,
            *((own.label, str(PENTS * own.blocks), f"{_FACTORS} of {name}") for name, own in factors.items()),
            drawn(max(own.blocks for own in factors.values())),
        ]

    def _rows(self) -> list[tuple[str, str, str]]:
        """Return the memory of the tensors of one row, of both members."""
        return [
            (self.row(name), str(2 * own.cols), f"{name} of the members of a pair, plus and minus")
            for name, own in self._tensors.items()
            if own.pents > 1
        ]

    def places(self) -> dict[str, list[str]]:
        """Return where the factors in memory are, as the rest of their tensors' lines in `matrices`: see `noise.s`."""
        return {name: self._factors(name).line() for name in self._tensors if name in self.in_memory}

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
            f"LA      p19, {self._key(matrix)}",
            "LOAD    p19, (p19)",
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
        own = self._factors(name)
        return [
            f"LA      p14, {own.a}",
            f"ADD     p14, p14, {row}",
            f"LA      p15, {at(own.b, col)}",
            f"LI      p11, {own.strides[0]}",
            f"LI      p19, {own.strides[1]}",
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

    @abstractmethod
    def _row_numbers(self, own: Tensor) -> list[str]:
        """Return the instructions that make both members' numbers, v3 and v4, of latent words v0 and noise v2."""

    def _visible(self, own: Tensor, register: str) -> list[str]:
        """Return the instructions that turn latent words into visible numbers."""
        found = visible(register, self._parameters.latent, own.pents)
        if own.offset:
            found += [f"LI      p19, {own.offset}", f"VADDS   {register}, {register}, p19"]
        return found


BOTH: Final = ("VMULS   v2, v2, p19", "VADD    v3, v0, v2", "VSUB    v4, v0, v2")
"""Instructions that make both members' numbers, v3 and v4, of the centre's v0 and noise v2 in units of p19."""


class FactoredPairs(Pairs):
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
            *BOTH,
        ]

    def write(self, name: str, tile: Tile) -> list[str]:
        """Return the instructions that write a tile of the centre into the crossbar: see `Members.write`."""
        visible_weights = ["QUANT   v0, v0, LATENT - 1, 1"]
        return written(name, tile, self.words(tile.matrix), self._tensors[tile.matrix].shape, visible_weights)

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
        own, rank = self._factors(tile.matrix), self._parameters.rank
        found = [scaled, f"LA      p14, {own.a}", f"LA      p15, {at(own.b, tile.col)}"]
        if rank > 1:
            found += [f"LI      p25, {rank}", f"{name}:"]
        for start, width in tiles(self._tensors[tile.matrix].rows, min(MAX_VL, FACTOR // (2 * largest))):
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
            found += [*advance("p14", own.strides[0]), *advance("p15", own.strides[1])]
            found += ["DEC     p25", f"BNZ     p25, {name}"]
        return found


class QuantizedPairs(Pairs):
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
        return written(name, tile, self.words(tile.matrix), self._tensors[tile.matrix].shape, each)

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
