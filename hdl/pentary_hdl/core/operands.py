"""Scalar registers that the instruction in ID uses, and which of them it has to wait for."""

from collections.abc import Callable
from typing import Any, Final

from amaranth import Value
from amaranth.lib import data

USED: Final = data.StructLayout({"x": 5, "y": 5, "late": 5, "written": 5})
"""Registers that an instruction reads as it enters EX, x and y; in MEM, the datum of a store; and that it writes.

0 stands for none."""

AWAITED: Final = data.StructLayout({"x": 1, "y": 1, "late": 1, "written": 1, "too_late": 1})
"""Which of the registers of `USED` get their word in a later cycle; with `too_late`, that of `late` gets it later than
in the next cycle, too late for MEM if the instruction enters EX in that one."""


def answered(
    used: data.View, awaited: data.View, waits: Callable[[Value], Value], waits_late: Callable[[Value], Value]
) -> list[Any]:
    """Return the assignments by which a scoreboard answers.

    Args:
        used: of `USED`, what it is asked.
        awaited: of `AWAITED`, its answer.
        waits: returns whether the word of a register comes in a later cycle.
        waits_late: returns whether it comes later than in the next cycle.
    """
    each = [awaited[name].eq(waits(used[name])) for name, _ in USED]
    return [*each, awaited.too_late.eq(waits_late(used.late))]
