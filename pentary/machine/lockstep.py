"""Lockstep of an engine with the model: records and final state of the same program on both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from pentary.machine.comparison import Comparison
from pentary.machine.engines import Engine, Outcome, Setup
from pentary.machine.retire import COLUMNS, Records

_STATE: Final = ("ending", "cycles", "instructions", "traps", "exit_status", "registers", "memory")


_LATE: Final = 10_000
"""Cycles that the other engine is given after the model's end, so that a program that never ends there is told soon."""


@dataclass(frozen=True)
class Lockstep:
    """What a comparison has found.

    Attributes:
        difference: the first difference, with the last records of both sides; "" if they agree.
        cycle: cycle of the first record that differs, on the side of the model; None if no record does.
        records: the model's records.
        outcome: of the model.
        met: of the other engine's outcome.
    """

    difference: str
    cycle: int | None
    records: Records
    outcome: Outcome
    met: Mapping[int, int]


def compare(model: Engine, other: Engine, setup: Setup, max_cycles: int) -> Lockstep:
    """Run a program on two engines, and compare.

    Args:
        model: the engine that is right.
        other: the engine that is checked.
        setup: what is run.
        max_cycles: limit, for a program that does not end; the other engine ends soon after the model.

    Raises:
        PentaryError: an engine cannot run it.
    """
    ours, our_end, our_output = _all(model, setup, max_cycles)
    enough = max_cycles if our_end.ending == "cycles" else min(max_cycles, our_end.cycles + _LATE)
    theirs, their_end, their_output = _all(other, setup, enough)
    comparison = Comparison(setup.program, theirs)
    comparison.add(ours)
    difference, cycle = "", None
    if comparison.different:
        difference, cycle = f"{comparison.told()}\n\n{comparison.around()}", comparison.cycle
    elif not comparison.agrees:
        difference = comparison.told()
    else:
        wrong = [name for name in _STATE if not np.array_equal(getattr(our_end, name), getattr(their_end, name))]
        wrong += ["console"] if our_output != their_output else []
        if wrong:
            difference = f"all records agree, but these differ at the end: {', '.join(wrong)}"
    return Lockstep(difference, cycle, ours, our_end, their_end.met)


def _all(engine: Engine, setup: Setup, max_cycles: int) -> tuple[Records, Outcome, list[int]]:
    with engine.start(setup, max_cycles) as execution:
        parts, output = list(execution), execution.take_output()
    empty = np.zeros(0, np.int64)
    records = {column: np.concatenate([empty, *(part[column] for part in parts)]) for column in COLUMNS}
    return records, execution.outcome, output
