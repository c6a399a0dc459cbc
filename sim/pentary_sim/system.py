"""Control and status registers, traps, interrupts and devices, compiled."""

from typing import Final

import numpy as np

from pentary.isa import system
from pentary.isa.system import CSRS, DEVICES, TEXT, WRITABLE
from pentary.numbers.alu import Flags
from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.events import COUNTS, FAULTS
from pentary_sim.layout import Record
from pentary_sim.words import carry_out, round_shift

Z, N, P, V, C, S = (int(flag) for flag in Flags)

_RANGES: Final = np.array([(csr.low, csr.high) for csr in list(CSRS.values())[:WRITABLE]])
_TO_TEXT: Final = TEXT
_NUMBER: Final = {name: number for number, name in enumerate(CSRS)}
HANDLER: Final = _NUMBER["HANDLER"]
CAUSE: Final = _NUMBER["CAUSE"]
EPC: Final = _NUMBER["EPC"]
FAULT: Final = _NUMBER["FAULT"]
TRAPPED: Final = _NUMBER["TRAPPED"]
ENABLE: Final = _NUMBER["ENABLE"]
PREVIOUS: Final = _NUMBER["PREVIOUS"]
OLDFLAGS: Final = _NUMBER["OLDFLAGS"]
TIMER: Final = _NUMBER["TIMER"]
CYCLE: Final = _NUMBER["CYCLE"]
INSTRET: Final = _NUMBER["INSTRET"]
DCACHE_ACCESSES: Final = _NUMBER["DCACHE_ACCESSES"]
"""This counter and those after it count accesses to data."""

_FIRST_COUNT: Final = _NUMBER["BRANCHES"]
_COUNTS: Final = np.array([COUNTS.index(name.lower()) for name in list(CSRS)[_FIRST_COUNT:]])

_CAUSES: Final = np.array([system.CAUSES.get(name, 0) for name in FAULTS])

CONSOLE: Final = DEVICES["CONSOLE"].address
INPUT: Final = DEVICES["INPUT"].address
AVAILABLE: Final = DEVICES["AVAILABLE"].address
EXIT: Final = DEVICES["EXIT"].address
assert (INPUT, AVAILABLE, EXIT) == (CONSOLE - 1, CONSOLE - 2, CONSOLE - 3)


@compiled
def flags_as_word(flags: int) -> int:
    """Return flags in the pents of a word: the sign, V, C and S."""
    sign = ((flags & P) != 0) - ((flags & N) != 0)
    return sign + 5 * ((flags & V) != 0) + 25 * ((flags & C) != 0) + 125 * ((flags & S) != 0)


@compiled
def word_as_flags(word: int) -> int:
    """Return the flags that a word of four pents stands for."""
    flags = 0
    for flag in (0, V, C, S):
        above = round_shift(word, 1)
        pent = word - 5 * above
        if flag == 0:
            flags = Z if pent == 0 else N if pent < 0 else P
        elif pent != 0:
            flags |= flag
        word = above
    return flags


@compiled
def read_csr(s: Record, number: int, cycle: int) -> int:
    """Return the value of a CSR to an instruction that enters EX in a cycle."""
    if number < WRITABLE:
        return s.csrs[number]
    count = cycle if number == CYCLE else s.instructions if number == INSTRET else 0
    if number >= _FIRST_COUNT:
        count = s.counts[_COUNTS[number - _FIRST_COUNT]]
    _, word = carry_out(count)
    return word


@compiled
def execute_system(
    s: Record, c: Record, inputs: Record, interrupts: Record, pc: int, address: int, text: int
) -> tuple[int, int, int]:
    """Execute CSRW, TRET, or a LOAD or STORE of a device.

    Args:
        s: machine state.
        c: decoded instruction.
        inputs, interrupts: characters of the input, and cycles of external interrupts.
        pc: address of the instruction.
        address: of the device.
        text: number of words in the text section.

    Returns:
        Status (FINE or a fault), address of the next instruction, and value written to a register or stored.
    """
    if c.op == o.TRET:
        return o.FINE, leave_handler(s, interrupts), 0
    if c.op == o.CSRW:
        value = s.registers[c.a]
        s.fault_value = value
        return write_csr(s, c.d, value, text, interrupts), pc + 1, value
    s.fault_value = address
    ending, value = access_device(s, inputs, address, c.op == o.STORE, s.registers[c.d])
    if ending == o.FINE and c.written > 0:
        s.registers[c.written] = value
    return ending, pc + 1, value


@compiled
def write_csr(s: Record, number: int, value: int, text: int, interrupts: Record) -> int:
    """Write a CSR, and return FINE; or return OPERAND if the value is outside its range."""
    high = _RANGES[number, 1]
    if value < _RANGES[number, 0] or value > (text - 1 if high == _TO_TEXT else high):
        return o.OPERAND
    s.csrs[number] = value
    _watch(s, interrupts)
    return o.FINE


@compiled
def leave_handler(s: Record, interrupts: Record) -> int:
    """Execute TRET, and return the address where the program continues."""
    s.csrs[ENABLE], s.csrs[TRAPPED] = s.csrs[PREVIOUS], 0
    s.flags = word_as_flags(s.csrs[OLDFLAGS])
    _watch(s, interrupts)
    return s.csrs[EPC]


@compiled
def has_handler(s: Record) -> bool:
    """Return whether a fault would be taken by the program's handler."""
    return s.csrs[HANDLER] != 0 and s.csrs[TRAPPED] == 0


@compiled
def enter_handler(s: Record, status: int, pc: int) -> None:
    """Enter the trap handler instead of executing the instruction at pc: record the cause, and jump to HANDLER."""
    value = pc if status == o.FETCH else s.fault_value if o.LOADED <= status <= o.OPERAND else 0
    _, s.csrs[FAULT] = carry_out(value)
    s.csrs[CAUSE], s.csrs[EPC], s.csrs[TRAPPED] = _CAUSES[status], pc, 1
    s.csrs[PREVIOUS], s.csrs[ENABLE] = s.csrs[ENABLE], 0
    s.csrs[OLDFLAGS] = flags_as_word(s.flags)
    s.interruptible = 0
    s.pc = s.csrs[HANDLER]
    s.counts[o.TRAPS] += 1


@compiled
def pending_interrupt(s: Record, interrupts: Record, cycle: int) -> int:
    """Return the status of the interrupt that an instruction entering EX in a cycle takes, or FINE; it is taken."""
    if s.interrupts_taken < len(interrupts) and interrupts[s.interrupts_taken] <= cycle:
        while s.interrupts_taken < len(interrupts) and interrupts[s.interrupts_taken] <= cycle:
            s.interrupts_taken += 1
        return o.EXTERNAL_INTERRUPT
    _, now = carry_out(cycle)
    return o.TIMER_INTERRUPT if s.csrs[TIMER] != 0 and s.csrs[TIMER] <= now else o.FINE


@compiled
def _watch(s: Record, interrupts: Record) -> None:
    """Update `interruptible`: whether an interrupt that is pending would be taken."""
    may_come = s.csrs[TIMER] != 0 or s.interrupts_taken < len(interrupts)
    s.interruptible = may_come and s.csrs[ENABLE] != 0 and has_handler(s)


@compiled
def access_device(s: Record, inputs: Record, address: int, stores: bool, value: int) -> tuple[int, int]:
    """Access a device, whose address it is; return the status, and the word loaded or stored."""
    if stores != (address in (CONSOLE, EXIT)):
        return o.WRONG_DIRECTION, 0
    if address == CONSOLE:
        s.output[s.output_held] = value
        s.output_held += 1
    elif address == EXIT:
        s.exit_status = value
    elif address == AVAILABLE:
        value = len(inputs) - s.inputs_taken
    elif s.inputs_taken == len(inputs):
        return o.INPUT_ENDED, 0
    else:
        value = inputs[s.inputs_taken]
        s.inputs_taken += 1
    return o.FINE, value
