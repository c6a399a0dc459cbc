"""Coverage model of the low-rank ALU: the bins that a complete test must hit."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from pentary_hdl.bench.coverage import Bin
from pentary_hdl.bench.lralu_fields import reasons, situations
from pentary_hdl.bench.lralu_oracle import FIELDS, Kind, kinds, thresholds
from pentary_hdl.bench.lralu_sums import reachable_sums
from pentary_hdl.lralu.twin import OPS, LowRankParameters

BY_RANK: Final = ("LRGEN", "LRMUL", "PQUANT")
"""Operations whose work depends on RANK and COLS."""

BY_COLUMNS: Final = ("LRADD", "LRACC", "POPAVG")
"""Operations whose work depends on COLS."""

STALLS: Final = {
    "none": (),
    "commands": ("commands",),
    "operands": ("base", "totals"),
    "results": ("results", "scalars", "responses"),
}
"""Kinds of stalls: the streams that stall."""

ERROR: Final = "error"
"""Name in place of the operation, for a refused command."""

UNKNOWN_CODE: Final = "unknown code"
UNKNOWN_REGISTER: Final = "unknown control register"

IDLE: Final = "idle"
"""Name in place of the operation, for a reset of an idle unit."""


def rank_classes(parameters: LowRankParameters) -> dict[str, list[int]]:
    """Return the equivalence classes of RANK, by name."""
    most = parameters.max_rank
    return _filled({"rank 1": [1], "middle rank": list(range(2, most)), "greatest rank": [most] if most > 1 else []})


def column_classes(parameters: LowRankParameters) -> dict[str, list[int]]:
    """Return the equivalence classes of COLS, by name."""
    lanes, most = parameters.lanes, parameters.max_size
    between = range(2, most)
    return _filled(
        {
            "1 column": [1],
            "part of a beat": [cols for cols in between if cols < lanes],
            "whole beats": [cols for cols in between if cols % lanes == 0],
            "beats and a part": [cols for cols in between if cols > lanes and cols % lanes],
            "all columns": [most],
        }
    )


def bins(parameters: LowRankParameters) -> Iterator[Bin]:
    """Yield the coverage bins, all of which the bench must hit.

    | group | is hit by |
    |---|---|
    | operation | an operation with this rank and number of columns while these streams stalled |
    | pair | two kinds of commands without a stall between them; LRSET that changes a register is a kind for each |
    | error | a command that was refused for this reason alone |
    | field | an operand in this situation (`lralu_fields`), while the others were legal |
    | element | an element of an operand's row in this situation; out of range, it must not affect later commands |
    | place | the least or the greatest element at this index in a beat |
    | code | an undefined code, with the operands of this kind of command |
    | ignored | this bit set in a field that the command ignores |
    | control | a value written to a control register: its least, its greatest, or another |
    | width | an operation under this WIDTH |
    | threshold | a sum just below or above a change of LRADD's weight or POPAVG's saturation, under this WIDTH |
    | product | two pents that LRMUL multiplied, at rank 1 |
    | quantiser | a sum that PQUANT quantised under this RANK |
    | reset | a reset while this operation was not yet answered |
    """
    ranks, columns = rank_classes(parameters), column_classes(parameters)
    for name in (*OPS, ERROR):
        sizes: Iterable[tuple[str, ...]] = [()]
        if name in BY_RANK:
            sizes = product(ranks, columns)
        elif name in BY_COLUMNS:
            sizes = product(columns)
        for size, stall in product(sizes, STALLS):
            if stall != "operands" or name in BY_COLUMNS:
                yield ("operation", name, *size, f"stalled: {stall}")
    known = kinds_of(parameters)
    yield from (("pair", *names) for names in product((*known, ERROR), repeat=2))
    yield from (("error", *reason) for reason in refusals(parameters))
    for kind in known.values():
        for operand in kind.operands:
            yield from (("field", kind.name, operand.name, *situation) for situation in situations(operand))
        for operand in kind.streams:
            yield from (("element", kind.name, operand.name, *situation) for situation in situations(operand))
            places = product(range(min(parameters.beat_elements, parameters.max_size)), ("least", "greatest"))
            yield from (("place", kind.name, operand.name, *place) for place in places)
        yield from (("ignored", kind.name, field, bit) for field in ignored(kind) for bit in range(FIELDS[field]))
    for name, numbers in unknown(parameters).items():
        like = [kind.name for kind in known.values() if name == UNKNOWN_CODE or kind.control is not None]
        yield from (("code", name, *pair) for pair in product(numbers, like))
    for name, (low, high) in limits(parameters).items():
        yield from (("control", name, which) for which in ("least", "other", "greatest")[: min(high - low + 1, 3)])
    for name, width in product(("LRADD", "POPAVG"), range(2, 9)):
        yield ("width", name, width)
        yield from (("threshold", name, width, total) for total in thresholds(name, width))
    yield from (("product", *pents) for pents in product(range(-2, 3), repeat=2))
    yield from (
        ("quantiser", rank, s) for rank in range(1, parameters.max_rank + 1) for s in reachable_sums(parameters)
    )
    yield from (("reset", name) for name in (*OPS, ERROR, IDLE))


def kinds_of(parameters: LowRankParameters, rows: int | None = None) -> dict[str, Kind]:
    """Return the kinds of commands of the hardware, while ROWS is `rows` (default: its greatest value)."""
    return kinds(parameters.max_rank, parameters.max_size, rows or parameters.max_size)


def refusals(parameters: LowRankParameters) -> Iterator[tuple[str, ...]]:
    """Yield the reasons for a refusal: an unknown code or register, or a kind of command, an operand and its fault."""
    yield from ((name,) for name in unknown(parameters))
    for kind in kinds_of(parameters).values():
        for operand in kind.operands:
            yield from ((kind.name, operand.name, reason) for reason in reasons(operand))


def unknown(parameters: LowRankParameters) -> dict[str, list[int]]:
    """Return the undefined codes, and the undefined numbers of control registers."""
    every = kinds_of(parameters).values()
    codes, registers = {kind.op for kind in every}, {kind.control for kind in every}
    used = {UNKNOWN_CODE: ("op", codes), UNKNOWN_REGISTER: ("control", registers)}
    return {name: [n for n in range(1 << FIELDS[field]) if n not in known] for name, (field, known) in used.items()}


def ignored(kind: Kind) -> list[str]:
    """Return the fields that a command ignores."""
    used = {"op", *(operand.field for operand in kind.operands), *(["control"] if kind.control is not None else [])}
    return [field for field in FIELDS if field not in used]


def limits(parameters: LowRankParameters) -> dict[str, tuple[int, int]]:
    """Return the least and the greatest value of each control register in this hardware."""
    registers = [kind.operands[0] for kind in kinds_of(parameters).values() if kind.control is not None]
    return {register.name: (register.low, register.high) for register in registers}


def class_of(value: int, classes: dict[str, list[int]]) -> str:
    """Return the name of the class that contains a value."""
    return next(name for name, values in classes.items() if value in values)


def _filled(classes: dict[str, list[int]]) -> dict[str, list[int]]:
    return {name: values for name, values in classes.items() if values}
