"""Running a machine in slices, so that Ctrl-C, SIGTERM and SIGHUP are noticed: compiled code cannot handle signals."""

from collections.abc import Callable, Collection
from typing import Final

from pentary.isa.program import Fault
from pentary.support.signals import collected
from pentary_sim.simulator import Simulator
from pentary_sim.trace.writer import Trace

_SLICE: Final = 100_000  # instructions between two checks for signals: at most a few seconds


def drive(
    machine: Simulator,
    max_cycles: int | None = None,
    max_instructions: int | None = None,
    stop_at: Collection[int] = (),
    trace: Trace | None = None,
    watch: Callable[[], bool] | None = None,
) -> str | Fault:
    """Run a machine until it halts, faults, reaches a limit or breakpoint, or is interrupted by a signal.

    Args:
        machine: the machine to run.
        max_cycles, max_instructions, stop_at: as for `Simulator.run`.
        trace: trace to which the records of all instructions are written, including those before a fault; requires a
            machine created with `trace=True`.
        watch: called after every instruction, which slows the run; the machine stops when it returns True.

    Returns:
        "watch"; "halt", "cycles", "instructions" or "breakpoint", as `Simulator.run`; "interrupt" after Ctrl-C, SIGTERM
        or SIGHUP, unless the program has ended in the meantime; or the fault.
    """
    with collected() as pressed:
        ending = _run_slices(machine, max_cycles, max_instructions, stop_at, trace, watch, pressed)
    # A signal that arrives in the last slice must still interrupt the caller.
    return "interrupt" if pressed and ending in ("cycles", "instructions", "breakpoint") else ending


def _run_slices(
    machine: Simulator,
    max_cycles: int | None,
    max_instructions: int | None,
    stop_at: Collection[int],
    trace: Trace | None,
    watch: Callable[[], bool] | None,
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
        if watch is not None and watch():
            return "watch"
        if reason not in ("instructions", "events") or machine.instructions == max_instructions:
            return reason
        if machine.pc in stop_at:  # `run` does not stop at its first instruction, so the next slice would miss it
            return "breakpoint"
    return "interrupt"
