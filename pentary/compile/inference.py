"""A program that computes the results of a trained network for some examples, and writes them to the console."""

from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray

from pentary.compile.body import Body, Place
from pentary.compile.members import Centre
from pentary.compile.operations import write
from pentary.compile.pieces import comment, described, lines, word_lines
from pentary.compile.plan import VISIBLE
from pentary.es.tensors import Visible
from pentary.nets.network import Sequential
from pentary.nets.operations import Values


def inference(network: Sequential, weights: Mapping[str, Visible], examples: NDArray[Any] | None, title: str) -> str:
    """Return the text of a program that uses nothing but the library.

    Args:
        network: description.
        weights: visible numbers by tensor.
        examples: (examples, *input shape) integers, which the program holds; None: it reads them from the input, as
            decimal numbers, separated by blanks, ends of lines or commas, until the input ends.
        title: of the program.
    """
    reads = examples is None
    body = Body(Centre(network.tensors), 1 if examples is None else len(examples))
    results = write(body, network.operations, Place("inputs", network.input.values()))
    parts = [
        _head(network, title, reads),
        f'        .include "runtime.s"\n        .equ    EXAMPLES, {body.block}',
        "start:\n" + lines("\n".join([*(_read_example(network.input.values()) if reads else []), "LI      p9, -1"])),
        lines("\n".join(body.lines)),
        lines("\n".join(_write(network, results))),
        lines("JUMP    start\nend:\nexit    0" if reads else "exit    0"),
        *([_READ_NUMBER, _outside(network.input.values())] if reads else []),
        _data(body, network, weights, examples),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _head(network: Sequential, title: str, reads: bool) -> str:
    told = "number of the greatest result" if network.loss.goal == "classification" else "results"
    where = "Examples are read from the input, as integers" if reads else "Examples are in `inputs`"
    return comment(f"""\
{title}: results of the network

{described(network)}

{where}; for each the {told} is written to the console. Written by the compiler.

Memory: weights, biases and results of each layer, and the examples.
""")


def _write(network: Sequential, results: Place) -> list[str]:
    """Return the instructions that write the results to the console."""
    begin = [
        "; what is written",
        f"LA      p20, {results.label}",
        "LI      p21, EXAMPLES",
        f"LI      p22, {results.values.size}",
        "write.example:",
    ]
    if network.loss.goal == "classification":
        each = [
            "ADD     p24, p20, p22",
            "LOAD    p23, (p20)",
            "LI      p1, 0",
            "LI      p25, 0",
            "write.search:",
            "LOAD    p26, (p20)",
            "BLE     p26, p23, write.less",
            "MV      p23, p26",
            "MV      p1, p25",
            "write.less:",
            "INC     p25",
            "INC     p20",
            "BLT     p20, p24, write.search",
            "CALL    print_number",
        ]
    else:
        each = [
            "MV      p23, p22",
            "write.result:",
            "LOAD    p1, (p20)",
            "CALL    print_number",
            "INC     p20",
            "DEC     p23",
            "BZ      p23, write.next",
            "LI      p1, ' '",
            "putc    p1",
            "JUMP    write.result",
            "write.next:",
        ]
    return [*begin, *each, "newline", "DEC     p21", "BNZ     p21, write.example"]


def _read_example(x: Values) -> list[str]:
    """Return the instructions that read the numbers of an example, which have to be in their range."""
    return [
        "LA      p20, inputs",
        "LA      p21, inputs_end",
        "read.next:",
        "CALL    read_number",
        "BZ      p11, read.end",
        f"LI      p1, {x.low}",
        "BLT     p10, p1, read.outside",
        f"LI      p1, {x.high}",
        "BGT     p10, p1, read.outside",
        "STORE   p10, (p20)",
        "INC     p20",
        "BLT     p20, p21, read.next",
    ]


_READ_NUMBER: Final = """\
; Read the next number into p10; p11 is 0 if the input ends before one.
read_number:
        LI      p11, 0
1:      getc    p1
        BLT     p1, zero, 4f
        LI      p2, ','
        BEQ     p1, p2, 1b
        LI      p2, ' '
        BLE     p1, p2, 1b
        LI      p11, 1
        LI      p10, 0
        LI      p2, '-'
        BNE     p1, p2, 2f
        LI      p11, -1
        getc    p1
2:      LI      p2, '0'
        BLT     p1, p2, read.wrong
        LI      p3, '9'
        BGT     p1, p3, read.wrong
        SUB     p1, p1, p2
        LI      p2, 10 ** 9
        BGT     p10, p2, read.outside
        MULI    p10, p10, 10
        ADD     p10, p10, p1
        getc    p1
        LI      p2, ' '
        BLE     p1, p2, 3f
        LI      p2, ','
        BNE     p1, p2, 2b
3:      MUL     p10, p10, p11
4:      RET

read.wrong:
        print   "the input has something else than whole numbers\\n"
        exit    1

read.end:
        LA      p21, inputs
        BEQ     p20, p21, end
        print   "the input ends within an example\\n"
        exit    1"""


def _outside(x: Values) -> str:
    """Return the end of the program for a number that is out of range."""
    return f"""\
read.outside:
        print   "a number is not in {x.low}..{x.high}\\n"
        exit    1"""


def _data(body: Body, network: Sequential, weights: Mapping[str, Visible], examples: NDArray[Any] | None) -> str:
    rows = ["        .data"]
    for name in network.tensors:
        rows += [f"{VISIBLE}{name}:", *word_lines(weights[name])]
    for label, words, what in body.regions:
        rows.append(f"{label}:{' ' * max(1, 39 - len(label))}; {what}")
        rows += word_lines(body.tables[label]) if label in body.tables else [f"        .space  {words}"]
    rows.append("inputs:")
    if examples is None:
        rows.append(f"        .space  {network.input.values().size}")
    else:
        rows += word_lines(examples.reshape(len(examples), -1))
    return "\n".join([*rows, "inputs_end:"])
