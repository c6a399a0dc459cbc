"""Main loop that executes and times instructions, one at a time in program order."""

from typing import Final

from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.execute import execute
from pentary_sim.layout import OUTPUT, Record
from pentary_sim.stages import approach, complete, time_quickly, trap, until_known
from pentary_sim.system import execute_system, has_handler, pending_interrupt

HALTED, CYCLES, INSTRUCTIONS, BREAKPOINT, EVENTS_FULL, OUTPUT_FULL, FAULT = range(7)
"""Reasons for which `run` returns; for a fault, FAULT plus the status of the instruction."""
_GO_ON: Final = -1


@compiled
def run(
    machine: Record,
    caches: Record,
    memory: Record,
    inputs: Record,
    interrupts: Record,
    code: Record,
    events: Record,
    vectors: Record,
    max_cycles: int,
    max_instructions: int,
) -> int:
    """Run until HALT, a fault without a handler, a limit, a breakpoint, or full buffers.

    Args:
        machine, caches, memory, inputs, interrupts, code, events, vectors: the arrays of `pentary_sim.state.State`.
            Without tracing, events and vectors are None, for which a separate, faster specialisation is compiled.
        max_cycles, max_instructions: limits, counted since the start of the program.

    Returns:
        The reason for stopping: HALTED, CYCLES, INSTRUCTIONS, BREAKPOINT, EVENTS_FULL, OUTPUT_FULL, or FAULT plus a
            status.
    """
    s = machine[0]
    first = True
    while True:
        pc = s.pc
        if s.halted:
            return HALTED
        if s.writeback + 1 >= max_cycles:
            return CYCLES
        if s.instructions >= max_instructions:
            return INSTRUCTIONS
        if events is not None and (s.events_held == len(events) or s.vectors_held == len(vectors)):
            return EVENTS_FULL
        if pc < 0 or pc >= len(code):
            if not has_handler(s) and not s.past_fault:
                return FAULT + o.FETCH
            _trap_fetch(s, interrupts, events, pc)
            if s.past_fault:
                return FAULT + o.FETCH
            first = False
            continue
        c = code[pc]
        if c.stop and not first:
            return BREAKPOINT
        first = False
        if s.interruptible:
            stop = _step_interruptible(s, caches, c, memory, inputs, interrupts, events, vectors, pc, len(code))
        else:
            ending, following, value, address = execute(s, c, memory, pc, len(code))
            if ending == o.FINE:
                if events is not None or not time_quickly(s, caches, c, pc, following, address):
                    fetch, decode, entered = approach(s, caches, c, pc)
                    complete(s, caches, c, events, vectors, pc, following, value, address, fetch, decode, entered)
                s.pc, s.origin = following, pc
                s.instructions += 1
                continue
            if ending == o.OF_SYSTEM:
                ending, following, value = execute_system(s, c, inputs, interrupts, pc, address, len(code))
            if ending != o.FINE and not s.past_fault and not has_handler(s):
                return FAULT + ending
            fetch, decode, entered = approach(s, caches, c, pc)
            stop = _end(s, caches, c, events, vectors, pc, following, value, address, fetch, decode, entered, ending)
        if stop != _GO_ON:
            return stop


@compiled
def _trap_fetch(s: Record, interrupts: Record, events: Record, pc: int) -> None:
    """Go to the handler instead of an instruction outside the program."""
    follows = s.decode - s.icache_latency + 1
    fetch = max(follows, s.redirect)
    s.waits[o.FLUSH] += fetch - follows
    s.carried += fetch - follows
    decode = max(fetch + s.icache_latency, s.execute)
    entered = max(decode + 1, s.memory)
    status = pending_interrupt(s, interrupts, entered) if s.interruptible else o.FINE
    trap(s, events, pc, fetch, decode, entered, 1, o.FETCH if status == o.FINE else status)


@compiled
def _step_interruptible(
    s: Record,
    caches: Record,
    c: Record,
    memory: Record,
    inputs: Record,
    interrupts: Record,
    events: Record,
    vectors: Record,
    pc: int,
    text: int,
) -> int:
    """Execute an instruction, unless an interrupt is pending when it enters EX; return what `_end` does."""
    fetch, decode, entered = approach(s, caches, c, pc)
    status = pending_interrupt(s, interrupts, entered)
    if status != o.FINE:
        trap(s, events, pc, fetch, decode, entered, 1, status)
        return _GO_ON
    ending, following, value, address = execute(s, c, memory, pc, text)
    if ending == o.OF_SYSTEM:
        ending, following, value = execute_system(s, c, inputs, interrupts, pc, address, text)
    return _end(s, caches, c, events, vectors, pc, following, value, address, fetch, decode, entered, ending)


@compiled
def _end(
    s: Record,
    caches: Record,
    c: Record,
    events: Record,
    vectors: Record,
    pc: int,
    following: int,
    value: int,
    address: int,
    fetch: int,
    decode: int,
    execute: int,
    ending: int,
) -> int:
    """Complete an instruction that is in EX, or go to the handler if it faults; return a reason to stop, or _GO_ON."""
    if ending != o.FINE and not s.past_fault:
        trap(s, events, pc, fetch, decode, execute, until_known(s, c), ending)
        return _GO_ON
    complete(s, caches, c, events, vectors, pc, following, value, address, fetch, decode, execute)
    s.pc, s.origin = following, pc
    s.instructions += 1
    return OUTPUT_FULL if s.output_held == OUTPUT else _GO_ON
