"""What must have occurred before the low-rank ALU counts as tested: the table of its coverage."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from pentary.isa.table import CONTROLS
from pentary.lralu import OPS, LowRankParameters
from pentary_hdl.bench.coverage import Bin
from pentary_hdl.bench.lralu_sums import reachable_sums

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

ERRORS: Final = (
    *("unknown code", "LRMULX", "unknown control register"),
    *(f"{name} {side}" for name in CONTROLS if name != "KEY" for side in ("below", "above")),
    *(f"{what} {side}" for what in ("pair", "row", "sigma", "pent") for side in ("below", "above")),
    *(f"{what} no pent" for what in ("KEY", "GAIN", "pair", "key", "counter")),
)

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
    | pair | two operations that followed each other without a stall |
    | error | a command that was refused, for this reason |
    | control | a value written to a control register: its least, its greatest, or another |
    | width | an operation under this WIDTH |
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
    yield from (("pair", *names) for names in product((*OPS, ERROR), repeat=2))
    yield from (("error", reason) for reason in ERRORS)
    for name, (low, high) in limits(parameters).items():
        yield from (("control", name, which) for which in ("least", "other", "greatest")[: min(high - low + 1, 3)])
    yield from (("width", name, width) for name in ("LRADD", "POPAVG") for width in range(2, 9))
    yield from (("product", *pents) for pents in product(range(-2, 3), repeat=2))
    yield from (
        ("quantiser", rank, s) for rank in range(1, parameters.max_rank + 1) for s in reachable_sums(parameters)
    )
    yield from (("reset", name) for name in (*OPS, ERROR, IDLE))


def limits(parameters: LowRankParameters) -> dict[str, tuple[int, int]]:
    """Give the least and the greatest value of each control register in this hardware."""
    most = {"ROWS": parameters.max_size, "COLS": parameters.max_size, "RANK": parameters.max_rank}
    return {name: (low, most.get(name, high)) for name, (low, high) in CONTROLS.items()}


def class_of(value: int, classes: dict[str, list[int]]) -> str:
    """Give the class in which a value is."""
    return next(name for name, values in classes.items() if value in values)


def _filled(classes: dict[str, list[int]]) -> dict[str, list[int]]:
    return {name: values for name, values in classes.items() if values}
