"""What must have occurred before the low-rank ALU counts as tested: the table of its coverage."""

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
"""Kinds of stalls: the streams that wait."""

ERROR: Final = "error"
"""Stands for the operation of a command that is refused."""

UNKNOWN_CODE: Final = "unknown code"
UNKNOWN_REGISTER: Final = "unknown control register"

IDLE: Final = "idle"
"""Stands for the operation that a reset meets where there is none."""


def rank_classes(parameters: LowRankParameters) -> dict[str, list[int]]:
    """Sort the values of RANK."""
    most = parameters.max_rank
    return _filled({"rank 1": [1], "middle rank": list(range(2, most)), "greatest rank": [most] if most > 1 else []})


def column_classes(parameters: LowRankParameters) -> dict[str, list[int]]:
    """Sort the values of COLS."""
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
    """Name every situation that the bench must have met.

    | group | is hit by |
    |---|---|
    | operation | an operation with this rank and number of columns while these streams stalled |
    | pair | two kinds of commands without a stall between them; an LRSET of each register that changes it is one |
    | error | a command that was refused, for this reason alone |
    | field | an operand in this situation (`lralu_fields`), while the others were legal |
    | element | an element of an operand's row in this situation; beyond its range, it must do no harm to what follows |
    | place | the least or the greatest element in this place of a beat |
    | code | a code that stands for nothing, with the operands of this kind of command |
    | ignored | a bit set of a field that the command does not look at |
    | control | a value written to a control register: its least, its greatest, or another |
    | width | an operation under this WIDTH |
    | threshold | a sum next to which LRADD's weight changes, or POPAVG's saturates, under this WIDTH |
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
            places = product(range(min(parameters.movers, parameters.max_size)), ("least", "greatest"))
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
    """List the kinds of commands of the hardware, while ROWS is `rows`, or its greatest."""
    return kinds(parameters.max_rank, parameters.max_size, rows or parameters.max_size)


def refusals(parameters: LowRankParameters) -> Iterator[tuple[str, ...]]:
    """List what a command is refused for: no such code or register, or a kind of command, an operand and its reason."""
    yield from ((name,) for name in unknown(parameters))
    for kind in kinds_of(parameters).values():
        for operand in kind.operands:
            yield from ((kind.name, operand.name, reason) for reason in reasons(operand))


def unknown(parameters: LowRankParameters) -> dict[str, list[int]]:
    """List the codes and the numbers of control registers that stand for nothing."""
    every = kinds_of(parameters).values()
    codes, registers = {kind.op for kind in every}, {kind.control for kind in every}
    used = {UNKNOWN_CODE: ("op", codes), UNKNOWN_REGISTER: ("control", registers)}
    return {name: [n for n in range(1 << FIELDS[field]) if n not in known] for name, (field, known) in used.items()}


def ignored(kind: Kind) -> list[str]:
    """List the fields that a command does not look at."""
    used = {"op", *(operand.field for operand in kind.operands), *(["control"] if kind.control is not None else [])}
    return [field for field in FIELDS if field not in used]


def limits(parameters: LowRankParameters) -> dict[str, tuple[int, int]]:
    """Return the least and the greatest value of each control register in this hardware."""
    registers = [kind.operands[0] for kind in kinds_of(parameters).values() if kind.control is not None]
    return {register.name: (register.low, register.high) for register in registers}


def class_of(value: int, classes: dict[str, list[int]]) -> str:
    """Give the class in which a value is."""
    return next(name for name, values in classes.items() if value in values)


def _filled(classes: dict[str, list[int]]) -> dict[str, list[int]]:
    return {name: values for name, values in classes.items() if values}
