"""Instructions of each operation of a network: see `pentary.nets.operations` for what they compute."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pentary.compile.body import Body, Place, Weights
from pentary.compile.members import advance, at, tiles
from pentary.compile.pieces import clamp_constants, clamped
from pentary.compile.recurrence import recurrence
from pentary.nets.operations import (
    EMBEDDED,
    MEAN_SHIFT,
    OPERAND,
    Branch,
    Clip,
    Gather,
    Greatest,
    Lookup,
    Normalise,
    Operation,
    Product,
    Recurrence,
)

_SPLIT: Final = 4  # low pents of the reciprocal of a mean that are multiplied apart, since VMULS takes 8 pents


def write(body: Body, operations: Sequence[Operation], x: Place) -> Place:
    """Add the instructions of operations to a body.

    Args:
        body: added to.
        operations: of a network, or of a branch.
        x: what they take.

    Returns:
        The place of their results.
    """
    for operation in operations:
        body.layer = operation.name
        body.lines += ["", f"; {operation.name}: {type(operation).__name__.lower()} of {x.values}"]
        made = operation.values(x.values, body.members.noise)
        what = "windows" if isinstance(operation, Gather) else "results"
        x, taken = body.place(f"{operation.name}.{what}", made), x
        body.lines += _WRITERS[type(operation)](body, operation, taken, x)
    return x


def _product(body: Body, own: Product, x: Place, made: Place) -> list[str]:
    weights = Weights(
        own.matrix,
        own.bias,
        own.inputs,
        own.outputs,
        x.values.limit,
        own.shift + body.members.shift,
        own.low,
        own.high,
    )
    return body.multiply(weights, x.label, made.label, body.block * x.values.size // own.inputs)


def _clip(body: Body, own: Clip, x: Place, made: Place) -> list[str]:
    limits = clamped(("v0",), 0, own.low, own.high)
    words = body.examples * x.values.size
    return [
        f"LA      p2, {x.label}",
        f"LA      p3, {made.label}",
        *clamp_constants(own.high),
        *body.flat(words, ("p2", "p3"), ["LOADV   v0, (p2)", *limits, "STOREV  v0, (p3)"]),
    ]


def _gather(body: Body, own: Gather, x: Place, made: Place) -> list[str]:
    size, padded = x.values.size, int(own.index.min()) < 0
    what = "places of the numbers of all windows in an example" + (", behind a zero" if padded else "")
    index = body.table(f"{own.name}.index", own.index + padded, what)
    inner = [f"LA      p4, {index}"]
    if padded:
        copy = body.reserve(f"{own.name}.padded", size + 1, "a zero, and the numbers of an example")
        inner += [
            "MV      p14, p2",
            f"LA      p15, {copy} + 1",
            *body.flat(size, ("p14", "p15"), ["LOADV   v0, (p14)", "STOREV  v0, (p15)"]),
            f"LA      p15, {copy}",
        ]
    source = "p15" if padded else "p2"
    taken = ["LOADV   v0, (p4)", f"LOADVX  v1, v0, {source}", "STOREV  v1, (p3)"]
    inner += body.flat(made.values.size, ("p3", "p4"), taken)
    return [f"LA      p2, {x.label}", f"LA      p3, {made.label}", *body.each_example(size, inner)]


def _greatest(body: Body, own: Greatest, x: Place, made: Place) -> list[str]:
    index = body.table(
        f"{own.name}.index", own.index.T, "places of the first numbers of all windows, of the second, ..."
    )
    rows = ["LOADV   v0, (p4)", "LOADVX  v1, v0, p2", "MV      p14, p4"]
    for _ in range(own.index.shape[1] - 1):
        rows += [
            *advance("p14", made.values.size),
            "LOADV   v0, (p14)",
            "LOADVX  v2, v0, p2",
            "VSUB    v2, v2, v1",
            "RELU    v2, v2",
            "VADD    v1, v1, v2",
        ]
    inner = [f"LA      p4, {index}", *body.flat(made.values.size, ("p3", "p4"), [*rows, "STOREV  v1, (p3)"])]
    return [f"LA      p2, {x.label}", f"LA      p3, {made.label}", *body.each_example(x.values.size, inner)]


def _branch(body: Body, own: Branch, x: Place, made: Place) -> list[str]:
    y = write(body, own.inner, x)
    limits = clamped(("v0",), 0, -own.limit, own.limit)
    loads = ["LOADV   v0, (p2)", "LOADV   v1, (p4)", "VADD    v0, v0, v1"]
    return [
        "",
        f"; {own.name}: added to what it began with",
        f"LA      p2, {x.label}",
        f"LA      p4, {y.label}",
        f"LA      p3, {made.label}",
        *clamp_constants(own.limit),
        *body.flat(body.examples * x.values.size, ("p2", "p3", "p4"), [*loads, *limits, "STOREV  v0, (p3)"]),
    ]


def _lookup(body: Body, own: Lookup, x: Place, made: Place) -> list[str]:
    members, count = body.members, body.block * x.values.size
    found = members.draw(own.matrix)
    for side in range(members.sides):
        inner = ["LOAD    p4, (p2)", f"LI      p19, {own.outputs}", "MUL     p6, p4, p19"]
        for col, cols in tiles(own.outputs):
            inner += [
                f"LI      p7, {cols}",
                "SETVL   p7",
                f"LA      p19, {at(members.words(own.matrix), col)}",
                "ADD     p19, p19, p6",
                "LOADV   v0, (p19)",
                *members.numbers(own.matrix, "p4", col, side),
                f"LI      p19, {EMBEDDED // 5**members.row_shift}",
                "VMULS   v0, v0, p19",
                f"STOREV  v0, {col}(p3)",
            ]
        found += [
            *members.side(side),
            f"LA      p2, {at(x.label, side * count)}",
            f"LA      p3, {at(made.label, side * count * own.outputs)}",
            *body.repeat(count, {"p2": 1, "p3": own.outputs}, inner),
        ]
    return found


def _normalise(body: Body, own: Normalise, x: Place, made: Place) -> list[str]:
    members, parts = body.members, tiles(own.width)
    count = body.block * x.values.size // own.width
    limits = clamped(("v1",), MEAN_SHIFT + members.shift - _SPLIT, -OPERAND, OPERAND)
    found = [*clamp_constants(OPERAND), f"LI      p7, {own.width}", f"LI      p11, {own.width} * 5**{MEAN_SHIFT}"]
    for side in range(members.sides):
        inner = ["LI      p16, 0"]
        for start, width in parts:
            inner += [
                f"LI      p6, {width}",
                "SETVL   p6",
                f"LOADV   v0, {start}(p2)",
                "VMULS   v1, v0, p9",
                "RELU    v1, v1",
                "RELU    v2, v0",
                "VADD    v1, v1, v2",
                "VSUM    p17, v1",
                "ADD     p16, p16, p17",
            ]
        even, up = body.name(f"{own.name}.even"), body.name(f"{own.name}.up")
        inner += [
            "MAX     p16, p16, p7            ; R = p11 / p16, rounded; a half to the even integer",
            "DIV     p15, p11, p16",
            "REM     p14, p11, p16",
            "MUL2    p14, p14",
            f"BLT     p14, p16, {even}",
            f"BGT     p14, p16, {up}",
            "DIV2    p17, p15",
            "MUL2    p17, p17",
            f"BEQ     p17, p15, {even}",
            f"{up}:",
            "INC     p15",
            f"{even}:",
            f"SHRI    p17, p15, {_SPLIT}              ; R = p17 5^{_SPLIT} + p15",
            f"SHLI    p14, p17, {_SPLIT}",
            "SUB     p15, p15, p14",
        ]
        for start, width in parts:
            if len(parts) > 1:
                inner += [f"LI      p6, {width}", "SETVL   p6", f"LOADV   v0, {start}(p2)"]
            inner += [
                f"LOADV   v3, {start}(p4)",
                "VMUL    v1, v0, v3",
                "VMULS   v2, v1, p15",
                "VMULS   v1, v1, p17",
                f"QUANT   v2, v2, {_SPLIT}, 16",
                "VADD    v1, v1, v2",
                *limits,
                f"STOREV  v1, {start}(p3)",
            ]
        begin = side * count * own.width
        found += [
            f"LA      p2, {at(x.label, begin)}",
            f"LA      p3, {at(made.label, begin)}",
            f"LA      p4, {at(members.row(own.gains), side * own.width)}",
            *body.repeat(count, {"p2": own.width, "p3": own.width}, inner),
        ]
    return found


_WRITERS: Final[Mapping[type, Callable[[Body, Any, Place, Place], list[str]]]] = {
    Product: _product,
    Clip: _clip,
    Gather: _gather,
    Greatest: _greatest,
    Branch: _branch,
    Lookup: _lookup,
    Normalise: _normalise,
    Recurrence: recurrence,
}
