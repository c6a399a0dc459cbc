"""Pieces of assembly text that several parts of a program need."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import dedent, indent, wrap
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentary.compile.plan import WORDS
from pentary.es.tensors import Tensor
from pentary.nets.network import Sequential
from pentary.numbers.word import limit

RULE: Final = "; " + "-" * 117


class Text(NamedTuple):
    """A program that trains a network.

    Attributes:
        text: it includes `es.s`, and has the labels that `Prepared` needs.
        regions: of memory that are its own: label, words as an expression, and what is in it.
    """

    text: str
    regions: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Parts:
    """What a form of programs adds to those parts that all have.

    Attributes:
        routines: text of `setup`, `take_block`, `evaluate` and what these call.
        regions: memory that they need: label, words as an expression, and what is in it.
        told: lines for the heading, on what the layers compute.
        crossbar: what is in it.
        read_ahead: words that may be read past the end of the data.
        tables: content of regions that are constant.
        in_memory: of tensors whose factors are not in the low-rank unit, the rest of their line in `matrices`.
    """

    routines: Sequence[str]
    regions: Sequence[tuple[str, str, str]]
    told: str
    crossbar: str
    read_ahead: int = 0
    tables: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    in_memory: Mapping[str, Sequence[str]] = field(default_factory=dict)


_WIDTHS: Final = {limit(pents): pents for pents in range(1, 16)}


def lines(text: str) -> str:
    """Return instructions, one on a line, indented as in a program; lines that are a label, `NAME:`, are not indented.

    Args:
        text: lines with a common margin, which is dropped.
    """
    rows = []
    for row in dedent(text).strip("\n").splitlines():
        is_label = row.split(";")[0].rstrip().endswith(":") and not row.startswith(" ")
        rows.append(row if is_label or not row else f"        {row}")
    return "\n".join(rows)


def comment(text: str) -> str:
    """Return a comment of some lines."""
    return indent(dedent(text).strip("\n"), "; ", lambda _: True).replace("; \n", ";\n")


def described(network: Sequential) -> str:
    """Return the text of a network on lines of a comment."""
    return "\n".join(wrap(repr(network), 110, initial_indent="    ", subsequent_indent="        "))


def word_lines(numbers: NDArray[Any]) -> list[str]:
    """Return lines of words for an array: each row begins on a line of its own."""
    rows = np.atleast_2d(np.asarray(numbers)).astype(np.int64).tolist()
    return [f"        .word   {part}".rstrip(",") for row in rows for part in wrap(", ".join(map(str, row)), 100)]


def latent_words(network: Sequential) -> list[tuple[str, str, str]]:
    """Return the memory of the latent words: label, words, and what is in it."""
    return [
        (WORDS + name, str(tensor.size), f"latent words of {name}, {tensor.rows} x {tensor.cols}")
        for name, tensor in network.tensors.items()
    ]


def data(regions: Sequence[tuple[str, str, str]], tables: Mapping[str, NDArray[Any]]) -> str:
    """Return the data of a program.

    Args:
        regions: label, words and content of each part of memory.
        tables: content of those that are constant.
    """
    rows = ["        .data"]
    for label, words, what in regions:
        rows.append(f"{label}:{' ' * max(1, 39 - len(label))}; {what}")
        table = tables.get(label)
        rows += [f"        .space  {words}"] if table is None else word_lines(table)
        rows += ["inputs_end:"] if label == "inputs" else []
    return "\n".join(rows)


def routine(name: str, purpose: str, body: str) -> str:
    """Return a routine with a heading that tells what it does."""
    return f"{RULE}\n{comment(purpose)}\n{RULE}\n{name}:\n{body}"


FIRST_EXAMPLE: Final = ("LA      p21, inputs", "LA      p22, targets", "LA      p23, inputs_end")
"""Instructions that begin with the first training example."""


def next_example(target_words: int) -> list[str]:
    """Return the end of the loop of `take_block`: behind the last training example follows the first.

    Args:
        target_words: of an example.
    """
    return [
        "INC     p16",
        f"ADDI    p22, p22, {target_words}",
        "BLT     p21, p23, take_block.next",
        *FIRST_EXAMPLE[:2],
        "take_block.next:",
        "BLT     p16, p17, take_block.example",
    ]


def visible(register: str, latent: int, pents: int, scratch: str = "p19") -> list[str]:
    """Return the instructions that turn latent words into the numbers of their top pents.

    Args:
        register: vector register of the words.
        latent: pents of a word.
        pents: of a number.
        scratch: scalar register that may change.
    """
    if pents > latent:
        return [f"LI      {scratch}, {5 ** (pents - latent)}", f"VMULS   {register}, {register}, {scratch}"]
    return [f"QUANT   {register}, {register}, {latent - pents}, {pents}"]


def matrix_line(name: str, own: Tensor, rest: Sequence[str]) -> str:
    """Return the line of `matrices` of a tensor: see `es.s`.

    Args:
        name: of the tensor.
        own: its shape and start.
        rest: numbers behind those that all lines have.
    """
    return f"        .word   {', '.join([str(own.rows), str(own.cols), f'{WORDS}{name}', '0', str(own.start), *rest])}"


def evaluate(told: str, once: str, pair: Sequence[str]) -> str:
    """Return the routine `evaluate`: every pair on a block of examples, before the next block is taken.

    Args:
        told: what its heading says.
        once: instructions before the first block.
        pair: those for pair p1 = 0, 1, ..., from the label `evaluate.pair` on; before it may be some for each block. At
            their end p1 is the number of the next pair, and the members' results are in memory.
    """
    parts = [
        """
        MV      p28, lr
        LI      p1, BASE
        LA      p2, fitness
        LA      p3, fitness + POPULATION
        evaluate.begin:
        STORE   p1, (p2)
        INC     p2
        BLT     p2, p3, evaluate.begin
        LI      p8, 1
        LI      p9, -1
        LI      p18, PAIRS
        LI      p24, BATCH // BLOCK
        """,
        once,
        """
        evaluate.block:
        CALL    take_block
        LI      p1, 0
        """,
        *pair,
        """
        CALL    add_loss
        BLT     p1, p18, evaluate.pair
        DEC     p24
        BNZ     p24, evaluate.block
        MV      lr, p28
        RET
        """,
    ]
    return routine("evaluate", told, "\n".join(filter(None, map(lines, parts))))


def clamped(registers: Sequence[str], shift: int, low: int | None, high: int | None) -> list[str]:
    """Return the instructions that rescale vectors, and clamp them.

    Constants that are no greatest number of some pents are in p12, the high one, and p13, twice that; p9 is -1.

    Args:
        registers: of the vectors.
        shift: pents to drop.
        low, high: of the clamp; None for none.
    """

    def each(form: str) -> list[str]:
        return [form.replace("@", register) for register in registers]

    if low is None or high is None:
        return each(f"QUANT   @, @, {shift}, 16") if shift else []
    if high in _WIDTHS:
        return [*each(f"QUANT   @, @, {shift}, {_WIDTHS[high]}"), *(each("RELU    @, @") if low == 0 else [])]
    least = [] if low == 0 else each("VADDS   @, @, p12")
    top = "p12" if low == 0 else "p13"
    return [
        *each(f"QUANT   @, @, {shift}, 16"),
        *least,
        *each("RELU    @, @"),
        *each("VMULS   @, @, p9"),
        *each(f"VADDS   @, @, {top}"),
        *each("RELU    @, @"),
        *each("VMULS   @, @, p9"),
        *each("VADDS   @, @, p12"),
    ]


def clamp_constants(high: int | None) -> list[str]:
    """Return the instructions that set the constants of `clamped`, if it needs any."""
    return [] if high is None or high in _WIDTHS else [f"LI      p12, {high}", f"LI      p13, {2 * high}"]


def loop(
    name: str,
    examples: int,
    sums: Callable[[int, int], str],
    store: Callable[[int, int], str],
    strides: tuple[int, int],
    end: str,
    then: Sequence[str],
    overlapped: bool,
) -> list[str]:
    """Return a loop over the examples of a block, two at a time, which use two sets of vector registers in turns.

    Each unit takes its instructions in order, so one that waits holds up those behind it: if there are registers for
    it, the sums of an example are begun before the results of the one before it are stored.

    Args:
        name: of the loop's label.
        examples: in a block.
        sums, store: instructions for an example, by its number from the pointers p2 and p3 on, and the set.
        strides: words from one example to the next behind p2 and p3.
        end: address behind the results, as an expression; "" if p3 has no fixed beginning.
        then: instructions behind the last sums.
        overlapped: whether results have two sets of registers.
    """
    if examples < 4 or examples % 2:
        found: list[str] = []
        for number in range(examples):
            found.append(sums(number, number % 2))
            last = number == examples - 1
            if overlapped:
                found += [store(number - 1, (number - 1) % 2)] if number else []
                found += [*then, store(number, number % 2)] if last else []
            else:
                found += [*(then if last else []), store(number, number % 2)]
        return found
    operands, results = strides
    last = (examples - 2) * results
    limit_set = f"ADDI    p5, p3, {last}" if not end else f"LA      p5, {end} - {2 * results}"
    moves = (f"ADDI    p2, p2, {2 * operands}", f"ADDI    p3, p3, {2 * results}")
    if not overlapped:
        return [
            limit_set,
            f"{name}:",
            *(sums(0, 0), store(0, 0), sums(1, 1), store(1, 1)),
            *moves,
            f"BLT     p3, p5, {name}",
            *(sums(0, 0), store(0, 0), sums(1, 1)),
            *then,
            store(1, 1),
        ]
    return [
        limit_set,
        sums(0, 0),
        f"{name}:",
        *(sums(1, 1), store(0, 0), moves[0], sums(0, 0), store(1, 1), moves[1]),
        f"BLT     p3, p5, {name}",
        sums(1, 1),
        *then,
        store(0, 0),
        store(1, 1),
    ]
