"""Running a machine in slices, so that Ctrl-C, SIGTERM and SIGHUP are noticed: compiled code cannot handle signals."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.isa.program import Fault
from pentary.machine.console import Console
from pentary.support.signals import collected
from pentary_sim.events import Events
from pentary_sim.simulator import Simulator

if TYPE_CHECKING:
    from pentary_sim.calls import CallProfile

_SLICE: Final = 100_000  # instructions between two checks for signals: at most a few seconds


class Recorder(Protocol):
    """What takes the records of a run: a trace, or a profile of calls."""

    def add(self, events: Events) -> object:
        """Record some instructions, in program order."""
        ...


def drive(
    machine: Simulator,
    max_cycles: int | None = None,
    max_instructions: int | None = None,
    stop_at: Collection[int] = (),
    trace: Recorder | None = None,
    watch: Callable[[], bool] | None = None,
    console: Console | None = None,
) -> str | Fault:
    """Run a machine until it halts, faults, reaches a limit or breakpoint, or is interrupted by a signal.

    Args:
        machine: the machine to run.
        max_cycles, max_instructions, stop_at: as for `Simulator.run`.
        trace: takes the records of all instructions, including those before a fault; requires a machine created with
            `trace=True`.
        watch: called after every instruction, which slows the run; the machine stops when it returns True.
        console: takes what the program writes to the console; None: it is lost.

    Returns:
        "watch"; "halt", "cycles", "instructions" or "breakpoint", as `Simulator.run`; "interrupt" after Ctrl-C, SIGTERM
        or SIGHUP, unless the program has ended in the meantime; or the fault.
    """
    with collected() as pressed:
        ending = _run_slices(machine, max_cycles, max_instructions, stop_at, trace, watch, console, pressed)
    # A signal that arrives in the last slice must still interrupt the caller.
    return "interrupt" if pressed and ending in ("cycles", "instructions", "breakpoint") else ending


def _run_slices(
    machine: Simulator,
    max_cycles: int | None,
    max_instructions: int | None,
    stop_at: Collection[int],
    trace: Recorder | None,
    watch: Callable[[], bool] | None,
    console: Console | None,
    pressed: list[int],
) -> str | Fault:
    while not pressed:
        until = machine.instructions + (_SLICE if watch is None else 1)
        if max_instructions is not None:
            until = min(until, max_instructions)
        try:
            reason = machine.run(max_cycles, until, stop_at)
        except Fault as fault:
            return fault
        finally:
            if trace is not None:
                trace.add(machine.take_events())
            output = machine.take_output()
            if console is not None:
                console.write(output)
        if watch is not None and watch():
            return "watch"
        if reason not in ("instructions", "events", "output") or machine.instructions == max_instructions:
            return reason
        if machine.pc in stop_at:  # `run` does not stop at its first instruction, so the next slice would miss it
            return "breakpoint"
    return "interrupt"


def drive_between(
    machine: Simulator,
    first: int,
    last: int,
    max_cycles: int | None = None,
    calls: "CallProfile | None" = None,
    console: Console | None = None,
) -> tuple[str | Fault, NDArray[np.int64], int]:
    """Run a machine to its end, and profile what it does from one instruction until it reaches another one.

    Args:
        machine: the machine to run.
        first, last: addresses of instructions; the part may be run many times, and then counts each time.
        max_cycles: as for `Simulator.run`.
        calls: profile of calls, which counts in that part; requires a machine created with `trace=True`.
        console: as of `drive`.

    Returns:
        How the run ended, as of `drive`; the profile of the part, as `Simulator.profile`; and how often it was entered.
    """
    profile, entered, inside = np.zeros_like(machine.profile), 0, False
    before = machine.profile.copy()
    ending: str | Fault = "breakpoint"
    while True:
        if not inside and machine.pc == first:
            inside, entered, before = True, entered + 1, machine.profile.copy()
        if calls is not None:
            calls.counting = inside
        ending = drive(machine, max_cycles, stop_at={last if inside else first}, trace=calls, console=console)
        if inside:
            profile += machine.profile - before
            inside = False
        if ending != "breakpoint":
            return ending, profile, entered
