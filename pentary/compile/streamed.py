"""Programs of networks that read text, pair by pair and byte by byte: see `stream.s` and `pentary.nets.lm.evolve`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from pentary.compile import losses
from pentary.compile.body import Body
from pentary.compile.members import Tile, at, tiles
from pentary.compile.operations import write
from pentary.compile.pairs import BOTH, FACTOR, FactoredPairs, Factors, drawn
from pentary.compile.pieces import Text, comment, data, described, latent_words, lines, matrix_line, routine
from pentary.compile.plan import Plan
from pentary.es.strategy import Parameters
from pentary.es.tensors import Tensor
from pentary.nets.layers import CENTRE
from pentary.nets.lm.model import SIGMA_SHIFT
from pentary.nets.network import Sequential
from pentary.numbers.word import PENTS


class StreamedPairs(FactoredPairs):
    """Members x W + c B, c = round(s (x A) / 25), whose noise is one stream for all tensors.

    Args:
        tensors: by name.
        parameters: of rank 1.
    """

    def __init__(self, tensors: Mapping[str, Tensor], parameters: Parameters) -> None:
        """Number the blocks of noise."""
        super().__init__(tensors, parameters, set(tensors))
        self.noise, self.shift, self.row_shift = CENTRE, 0, SIGMA_SHIFT
        self._first: dict[str, int] = {}
        self.blocks = 0
        for name in tensors:
            self._first[name] = self.blocks
            self.blocks += self._factors(name).blocks

    def _factors(self, name: str) -> Factors:
        first, (a, b) = self._first.get(name, 0), self._strides(name)
        if self._tensors[name].pents > 1:
            a = 0  # a vector has no A
        label = at("factors", PENTS * first)
        return Factors(label, label if a else "one", at("factors", PENTS * first + a), (a, b), first, (a + b) // PENTS)

    def begin(self) -> list[str]:
        """Return the instructions at the beginning of pair p1: see `Members.begin`."""
        found = [
            "; the pair's noise",
            "LA      p2, matrices + MATRIX_KEY",
            "LOAD    p2, (p2)",
            "LI      p3, 0",
            f"LI      p4, {self.blocks}",
            "LA      p5, factors",
            "CALL    draw_noise",
        ]
        for name, own in self._tensors.items():
            if own.pents > 1:
                found += self._member_rows(name, own)
        return found

    def regions(self) -> list[tuple[str, str, str]]:
        """Return the parts of memory that the members need: see `Members.regions`."""
        noise = ("factors", str(PENTS * self.blocks), "noise of a pair, a pent in a word")
        return [*self._rows(), noise, drawn(self.blocks)]

    def _row_numbers(self, own: Tensor) -> list[str]:
        return [
            *self._visible(own, "v0"),
            f"LI      p19, {5 ** (own.pents - 1 - SIGMA_SHIFT)}",
            *BOTH,
        ]

    def add(self, name: str, tile: Tile, operand: str, side: int, largest: int) -> list[str]:
        """Return the instructions that add a side's perturbation: see `Members.add`."""
        own = self._factors(tile.matrix)
        found = ["LI      p16, 0", f"LA      p14, {own.a}"]
        for start, width in tiles(self._tensors[tile.matrix].rows):
            found += [
                f"LI      p17, {width}",
                "SETVL   p17",
                f"LOADV   v2, {start + tile.at - tile.row}(p2)",
                f"LOADV   v3, {start}(p14)",
                "VMUL    v2, v2, v3",
                "VSUM    p17, v2",
                "ADD     p16, p16, p17",
            ]
        assert 2 * self._tensors[tile.matrix].rows * largest // 5**SIGMA_SHIFT < FACTOR, "VMULS takes the coefficient"
        return [
            *found,
            f"SHRI    p16, p16, {SIGMA_SHIFT}",
            "SETVL   p7",
            f"LA      p15, {at(own.b, tile.col)}",
            "LOADV   v3, (p15)",
            "VMULS   v3, v3, p16",
            f"{'VSUB' if side else 'VADD'}    v1, v1, v3",
        ]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A training whose members read text.

    Attributes:
        population, tokens, steps, seed: as in `pentary.nets.lm.evolve.Parameters`.
        length: bytes of the text.
    """

    population: int
    tokens: int
    steps: int
    seed: int
    length: int


def streaming(network: Sequential, own: Reading, latent: int, title: str) -> Text:
    """Return a program that trains a network of one byte and what it remembers; it includes `stream.s`.

    Before the run a host writes the text to `text`, and behind its end its beginning again, one byte more than a member
    reads in a step. Hidden states of the pairs are in `states`.

    Args:
        network: takes one token; its loss is a cross-entropy.
        own: the training.
        latent: pents of a latent word.
        title: of the program.
    """
    population = Parameters(population=own.population, rank=1, seed=own.seed, perturb="factored", latent=latent)
    plan = Plan(network=network, parameters=population, batch=1, block=1)
    members = StreamedPairs(network.tensors, population)
    body = Body(members, 1, carries=True)
    inputs = body.place("block", network.input.values(), "a byte")
    results = write(body, network.operations, inputs)
    states = sum(units for _, units in body.states)
    regions = [
        *latent_words(network),
        *members.regions(),
        ("one", "1", "1, in place of the factor A of a vector"),
        *body.regions,
        *losses.regions(plan),
        ("states", f"PAIRS * {states}", "hidden states of the pairs"),
        ("text", str(own.length + own.tokens + 1), "bytes, the first ones again behind the last"),
    ]
    parts = [
        _head(network, own, title),
        _constants(network, own, latent, results.label),
        _matrices(network, members),
        "        .text\n",
        _evaluate(body, inputs.label, states),
        losses.add_loss(plan),
        data(regions, {**losses.TABLES, **body.tables, "one": np.ones(1, np.int64)}),
    ]
    return Text("\n\n".join(part.strip("\n") for part in parts) + "\n", regions)


def _head(network: Sequential, own: Reading, title: str) -> str:
    return comment(f"""\
{title}: written by the compiler, from

{described(network)}

Members read {own.tokens} bytes in a step. They compute x W + c B in place of x W, c = round(+-(x A) / 25), with the
factors A and B of the pair, which are in memory; noise of a vector is added to it, or subtracted.
""")


def _constants(network: Sequential, own: Reading, latent: int, outputs: str) -> str:
    return f"""\
        .param  POPULATION, {own.population}
        .param  TOKENS, {own.tokens}
        .param  STEPS, {own.steps}
        .param  SEED, {own.seed}
        .param  LATENT, {latent}               ; pents of a latent word

        .equ    LENGTH, {own.length}          ; bytes of the text
        .equ    LARGEST, {max(tensor.size for tensor in network.tensors.values())}
        .equ    RANK, 1
        .equ    STARTS, 1
        .equ    NOISE, 1
        .equ    QUANTIZED, 0
        .equ    BLOCK, 1                ; bytes that the network takes at a time
        .equ    CLASSES, {network.outputs.size}
        .equ    OUTPUTS, BLOCK * CLASSES
        .equ    outputs, {outputs}"""


def _matrices(network: Sequential, members: StreamedPairs) -> str:
    places = members.places()
    rows = [
        matrix_line(name, own, [*places[name], "4" if own.pents == 1 else "2"]) for name, own in network.tensors.items()
    ]
    return "\n".join(
        ["        .data", "matrices:", *rows, "matrices_end:", *(f'        .include "{name}"' for name in _FILES)]
    )


_FILES: Final = ("stream.s", "noise.s")


def _evaluate(body: Body, block: str, states: int) -> str:
    told = """
        evaluate: minus the loss of every member on its next TOKENS bytes.

            p1 pair   p20 step   p21 byte in the text   p22 bytes to go   p28 return address; the others as in programs
            of other networks: p2 to p7, p11, p25 operands, results, loops, widths   p8, p9 1, -1   p10 5^q
            p12, p13 constants of a clamp   p14 to p17, p19 temporary   p18 PAIRS   p27 position in a recurrence
            v0, v2 operands   v1 results   v6 biases   v3, v4, v5, v7 temporary
        """
    clear, load, mean, place = [], [], [], 0
    body.layer = "states"
    for label, units in body.states:
        clear += [f"LA      p3, {label}", *body.flat(2 * units, ("p3",), ["VSUB    v0, v0, v0", "STOREV  v0, (p3)"])]
        load += [f"LA      p2, {at('states', place)}", *_to_pair(states), f"LA      p3, {label}"]
        load += body.flat(units, ("p2", "p3"), ["LOADV   v0, (p2)", "STOREV  v0, (p3)", f"STOREV  v0, {units}(p3)"])
        mean += [f"LA      p2, {label}", f"LA      p3, {at('states', place)}", *_to_pair(states, "p3")]
        each = [
            "LOAD    p6, (p2)",
            f"LOAD    p7, {units}(p2)",
            "ADD     p6, p6, p7",
            "DIV2    p6, p6",
            "STORE   p6, (p3)",
        ]
        mean += body.repeat(units, {"p2": 1, "p3": 1}, each)
        place += units
    rows = [
        "MV      p28, lr",
        "LA      p2, fitness",
        "LA      p3, fitness + POPULATION",
        "evaluate.begin:",
        "STORE   zero, (p2)",
        "INC     p2",
        "BLT     p2, p3, evaluate.begin",
        "LI      p8, 1",
        "LI      p9, -1",
        f"LI      p10, {5**SIGMA_SHIFT}",
        "LI      p18, PAIRS",
        "LI      p1, 0",
        "evaluate.pair:",
        *body.members.begin(),
        "; hidden states of the pair, and its place in the text",
        *load,
        "LI      p2, LENGTH",
        "MUL     p21, p1, p2",
        "DIV     p21, p21, p18",
        "ADDI    p3, p20, -1",
        "LI      p4, TOKENS",
        "MUL     p3, p3, p4",
        "ADD     p21, p21, p3",
        "REM     p21, p21, p2",
        "LA      p2, text",
        "ADD     p21, p21, p2",
        "LI      p22, TOKENS",
        "evaluate.byte:",
        "LOAD    p4, (p21)",
        f"LA      p5, {block}",
        "STORE   p4, (p5)",
        "STORE   p4, 1(p5)",
        "BNZ     p4, evaluate.read       ; byte 0 ends a document",
        *clear,
        "evaluate.read:",
        *body.lines,
        "",
        "; the loss of the byte that follows",
        "LOAD    p4, 1(p21)",
        "LA      p5, right",
        "STORE   p4, (p5)",
        "INC     p1",
        "CALL    add_loss",
        "DEC     p1",
        "INC     p21",
        "DEC     p22",
        "BNZ     p22, evaluate.byte",
        "; the pair goes on with the mean of both members' hidden states, rounded towards 0",
        *mean,
        "INC     p1",
        "BLT     p1, p18, evaluate.pair",
        "MV      lr, p28",
        "RET",
    ]
    return routine("evaluate", told, lines("\n".join(rows)))


def _to_pair(states: int, register: str = "p2") -> list[str]:
    """Return the instructions that move a register from the states of the first pair to those of pair p1."""
    return [f"LI      p19, {states}", "MUL     p19, p19, p1", f"ADD     {register}, {register}, p19"]
