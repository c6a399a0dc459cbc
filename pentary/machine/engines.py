"""Engines that run programs: the model of the processor, and its hardware.

Each is an `ENGINE` in a module that a table here names. All run the same program to the same records and, if their
configuration is the same, in the same cycles.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.isa.program import Program
from pentary.machine.config import Config
from pentary.machine.retire import Records

MODULES: Final = {
    "sim": "pentary_sim.execution",
    "core": "pentary_hdl.engine.core",
    "netlist": "pentary_hdl.engine.core:NETLIST",
    "netlist-ecp5": "pentary_hdl.engine.core:NETLIST_ECP5",
}
"""By the engine's name; after a colon, what it is in the module, if not `ENGINE`."""


@dataclass(frozen=True)
class Setup:
    """What is run.

    Attributes:
        program: loaded at address 0.
        config: configuration of the machine.
        input: characters that the program reads, as code points.
        interrupts: cycles in which the line of the external interrupt rises.
    """

    program: Program
    config: Config
    input: Sequence[int] = ()
    interrupts: Sequence[int] = ()


@dataclass(frozen=True)
class Outcome:
    """How a run has ended, and the state then.

    Attributes:
        ending: "halt", "fault", or "cycles" if the limit was reached.
        error: what was wrong, in a line; None after HALT.
        cycles: cycles until the last instruction retired.
        instructions, traps: numbers of instructions that retired, and of traps that a handler took.
        pc: address of the last instruction.
        exit_status: what the program has stored to EXIT.
        registers: P0 to P31, (32,) int64.
        memory: all words, int64.
        met: by address, what the instructions there have met, as bits whose meaning is the engine's; empty if it tells
            nothing.
    """

    ending: str
    error: str | None
    cycles: int
    instructions: int
    traps: int
    pc: int
    exit_status: int
    registers: NDArray[np.int64]
    memory: NDArray[np.int64]
    met: Mapping[int, int] = field(default_factory=dict)


class Execution(Protocol):
    """A run: iterate over its retire records, in batches; then it has an outcome.

    Attributes:
        outcome: there when all records have been taken.
    """

    outcome: Outcome

    def __iter__(self) -> Iterator[Records]:
        """Yield the records, in program order."""
        ...

    def take_output(self) -> list[int]:
        """Return the words stored to CONSOLE up to the records taken so far, since the last call."""
        ...


@dataclass(frozen=True)
class Engine:
    """What runs programs.

    Attributes:
        help: what it is, in a few words.
        start: called with a `Setup`, and a limit of cycles or None: the last instruction is the first one that retires
            in or after this cycle. Raises PentaryError if it cannot run that.
    """

    help: str
    start: Callable[[Setup, int | None], AbstractContextManager[Execution]]


def engine(name: str) -> Engine:
    """Return the engine of a name in MODULES."""
    module, _, own = MODULES[name].partition(":")
    return getattr(import_module(module), own or "ENGINE")
