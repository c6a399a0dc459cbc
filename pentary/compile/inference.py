"""A program that computes the results of a trained network for some examples, and writes them to the console."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from numpy.typing import NDArray

from pentary.compile.pieces import clamp_constants, clamped, comment, described, lines, word_lines
from pentary.compile.plan import products_of
from pentary.es.tensors import Visible
from pentary.nets.network import Sequential
from pentary.nets.operations import Product


def inference(network: Sequential, weights: Mapping[str, Visible], examples: NDArray[Any] | None, title: str) -> str:
    """Return the text of a program that uses nothing but the library.

    Args:
        network: description.
        weights: visible numbers by tensor.
        examples: (examples, *input shape) integers, which the program holds; None: it reads them from the input, as
            decimal numbers with anything up to a space, or commas, between them, until the input ends.
        title: of the program.

    Raises:
        PentaryError: the compiler does not know a layer, or one is too wide for a vector register.
    """
    products = products_of(network)
    count = 1 if examples is None else len(examples)
    reads = examples is None
    parts = [
        _head(network, title, reads),
        f'        .include "runtime.s"\n        .equ    EXAMPLES, {count}',
        "start:\n" + lines("\n".join(_READ_EXAMPLE) if reads else "LI      p9, -1"),
        *(lines("\n".join(_layer(products, number))) for number in range(len(products))),
        lines("\n".join(_write(network))),
        lines("JUMP    start\nend:\nexit    0" if reads else "exit    0"),
        *([_READ_NUMBER] if reads else []),
        _data(products, weights, examples, count),
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


def _layer(products: Sequence[Product], number: int) -> list[str]:
    """Return the instructions of a layer: its weights go into the crossbar, then all examples through it."""
    own = products[number]
    operands = "inputs" if number == 0 else f"{products[number - 1].name}.results"
    return [
        f"; layer {own.name}: {own.inputs} x {own.outputs}",
        f"LI      p6, {own.inputs}",
        f"LI      p7, {own.outputs}",
        *clamp_constants(own.high),
        "SETVL   p7",
        *([f"LA      p4, {own.name}.bias", "LOADV   v6, (p4)"] if own.bias else []),
        f"LA      p4, {own.name}.weights",
        "LI      p5, 0",
        f"layer.{own.name}.row:",
        "LOADV   v0, (p4)",
        "LOADX   v0, p5",
        "ADD     p4, p4, p7",
        "INC     p5",
        f"BLT     p5, p6, layer.{own.name}.row",
        f"LA      p2, {operands}",
        f"LA      p3, {own.name}.results",
        "LI      p5, EXAMPLES",
        f"layer.{own.name}:",
        "SETVL   p6",
        "LOADV   v0, (p2)",
        "SETVL   p7",
        "MATVEC  v1, v0",
        *(["VADD    v1, v1, v6"] if own.bias else []),
        *clamped(("v1",), own.shift, own.low, own.high),
        "STOREV  v1, (p3)",
        "ADD     p2, p2, p6",
        "ADD     p3, p3, p7",
        "DEC     p5",
        f"BNZ     p5, layer.{own.name}",
    ]


def _write(network: Sequential) -> list[str]:
    """Return the instructions that write the results to the console."""
    begin = [
        "; what is written",
        f"LA      p20, {network.operations[-1].name}.results",
        "LI      p21, EXAMPLES",
        f"LI      p22, {network.outputs.size}",
        "write.example:",
    ]
    if network.loss.goal == "classification":
        each = [
            "SETVL   p22",
            "LOADV   v0, (p20)",
            "VMAX    p23, v0",
            "LI      p1, -1",
            "write.search:",
            "INC     p1",
            "VGET    p24, v0, p1",
            "BNE     p24, p23, write.search",
            "CALL    print_number",
            "ADD     p20, p20, p22",
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


_READ_EXAMPLE: Final = [
    "LA      p20, inputs",
    "LA      p21, inputs_end",
    "read.next:",
    "CALL    read_number",
    "BZ      p11, read.end",
    "STORE   p10, (p20)",
    "INC     p20",
    "BLT     p20, p21, read.next",
    "LI      p9, -1",
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


def _data(
    products: Sequence[Product],
    weights: Mapping[str, Visible],
    examples: NDArray[Any] | None,
    count: int,
) -> str:
    rows = ["        .data"]
    for own in products:
        rows += [f"{own.name}.weights:", *word_lines(weights[own.matrix])]
        if own.bias:
            rows += [f"{own.name}.bias:", *word_lines(weights[own.bias])]
    for own in products:
        rows += [f"{own.name}.results:", f"        .space  {count * own.outputs}"]
    rows.append("inputs:")
    if examples is None:
        rows.append(f"        .space  {products[0].inputs}")
    else:
        rows += word_lines(examples.reshape(len(examples), -1))
    return "\n".join([*rows, "inputs_end:"])
