"""Instructions of the gated recurrent unit: see `pentary.nets.operations.Recurrence` for what it computes.

If both square matrices fit the crossbar, one below the other, they are there for all positions.
"""

from collections.abc import Mapping, Sequence

from pentary.compile.body import Body, Place, Weights
from pentary.compile.members import Tile, at, tiles
from pentary.compile.pieces import clamped
from pentary.isa.table import MAX_VL
from pentary.nets.operations import GATE, GATE_SHIFT, OPERAND, Recurrence

_Pointers = Mapping[str, tuple[str, int]]  # by register: where it begins, and words from one example to the next


def recurrence(body: Body, own: Recurrence, x: Place, made: Place) -> list[str]:
    """Return the instructions of a recurrence.

    Args:
        body: of the network.
        own: operation.
        x: what it takes.
        made: place of the results.
    """
    members, units, block, length = body.members, own.units, body.block, x.values.shape[0]
    resident = 2 * units <= MAX_VL
    row = units if resident else 0  # of C in the crossbar

    def state(what: str, told: str, width: int = units) -> str:
        return body.reserve(f"{own.name}.{what}", body.examples * width, f"{told} of the block's examples")

    sums = state("sums", "products of all positions, with biases,", length * 2 * units)
    hidden, gates, products = state("hidden", "h"), state("gates", "f"), state("products", "products with F or C")
    operands = state("operands", "operands of F")
    gated = state("gated", "zeros, and operands of C" if row else "operands of C", row + units)
    whole = Weights(own.matrix, own.bias, own.inputs, 2 * units, x.values.limit)
    forget = Weights(own.forget, "", units, units, OPERAND, resident=resident)
    candidate = Weights(own.candidate, "", units, units, OPERAND, at=row, resident=resident)
    body.states.append((hidden, units))
    found = body.multiply(whole, x.label, sums, block * length)
    if not body.carries:
        clear = ["VSUB    v0, v0, v0", "STOREV  v0, (p3)"]
        found += [f"LA      p3, {hidden}", *body.flat(body.examples * units, ("p3",), clear)]
    for group in members.groups if resident else [range(members.sides)]:
        if resident:
            found += members.side(group[0])
            for weights in (forget, candidate):
                tile = Tile(weights.matrix, 0, 0, units, units, weights.at)
                found += [] if members.shares else members.draw(weights.matrix)
                found += members.write(body.name(f"{weights.matrix}.write"), tile)
        few, first = len(group) * block, group[0] * block
        groups = [group] if resident else members.groups

        def place(label: str, width: int, then: int = 0, first: int = first) -> tuple[str, int]:
            return at(label, first * width + then), width

        states: _Pointers = {
            "p2": place(sums, 2 * length * units),
            "p4": place(products, units),
            "p14": place(hidden, units),
            "p15": place(gates, units),
        }
        width = units if own.last else length * units
        after: _Pointers = {
            **states,
            "p2": place(sums, 2 * length * units, units),
            "p3": place(made.label, width),
        }
        gate_places: _Pointers = {**states, "p3": place(gated, row + units, row)}
        doubled = ["LOADV   v0, (p2)", "VADD    v0, v0, v0", "QUANT   v0, v0, 1, 16", "STOREV  v0, (p3)"]
        label = body.name(f"{own.name}.position")
        found += [
            f"; all positions of {own.name}: the operands of F",
            "LI      p27, 0",
            f"{label}:",
            f"LA      p2, {place(hidden, units)[0]}",
            f"LA      p3, {place(operands, units)[0]}",
            *body.flat(few * units, ("p2", "p3"), doubled),
            *body.multiply(forget, operands, products, block, groups),
            "; gates, and the operands of C",
            *_begin(gate_places, {"p2": 2 * units}),
            f"LI      p17, {GATE}",
            *_each(body, few, gate_places, units, _gates(body, own)),
            *body.multiply(candidate, gated, products, block, groups),
            "; candidates, and the new hidden states",
            *_begin(after, {"p2": 2 * units} if own.last else {"p2": 2 * units, "p3": units}),
            *_each(body, few, after, units, _move(body, own)),
            "INC     p27",
            f"LI      p19, {length}",
            f"BLT     p27, p19, {label}",
        ]
    return found


def _begin(pointers: _Pointers, moved: Mapping[str, int]) -> list[str]:
    """Return the instructions that set pointers to the first example, some moved by a distance times the position."""
    found = [f"LA      {register}, {label}" for register, (label, _) in pointers.items()]
    for register, distance in moved.items():
        found += [f"LI      p19, {distance}", "MUL     p16, p27, p19", f"ADD     {register}, {register}, p16"]
    return found


def _each(body: Body, count: int, pointers: _Pointers, units: int, inner: Sequence[str]) -> list[str]:
    """Return a loop over examples; @ in its instructions is the first unit of up to 256."""
    rows = []
    for col, cols in tiles(units):
        rows += [f"LI      p6, {cols}", "SETVL   p6", *(row.replace("@", str(col)) for row in inner)]
    return body.repeat(count, {register: words for register, (_, words) in pointers.items()}, rows)


def _gates(body: Body, own: Recurrence) -> list[str]:
    """Return the instructions that make gates, and the operands of C."""
    return [
        "LOADV   v0, @(p2)",
        "LOADV   v1, @(p4)",
        "LOADV   v2, @(p14)",
        "VADD    v0, v0, v1",
        *clamped(("v0",), own.shift + body.members.shift, -GATE, GATE),
        "VADDS   v0, v0, p17",
        "VMUL    v1, v0, v2",
        f"QUANT   v1, v1, {GATE_SHIFT}, 16",
        "VADD    v1, v1, v1",
        "QUANT   v1, v1, 1, 16",
        "STOREV  v0, @(p15)",
        "STOREV  v1, @(p3)",
    ]


def _move(body: Body, own: Recurrence) -> list[str]:
    """Return the instructions that make candidates, and the new hidden states."""
    return [
        "LOADV   v0, @(p2)",
        "LOADV   v1, @(p4)",
        "LOADV   v2, @(p14)",
        "LOADV   v3, @(p15)",
        "VADD    v0, v0, v1",
        *clamped(("v0",), own.shift + body.members.shift, -GATE, GATE),
        "VSUB    v0, v0, v2",
        "VMUL    v0, v0, v3",
        f"QUANT   v0, v0, {GATE_SHIFT}, 16",
        "VADD    v0, v0, v2",
        "STOREV  v0, @(p14)",
        "STOREV  v0, @(p3)",
    ]
