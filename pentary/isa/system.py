"""Control and status registers, causes of traps, and devices: what a program sees of the machine that runs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pentary.numbers.word import WORD_MAX, limit


@dataclass(frozen=True)
class Csr:
    """A control and status register (CSR).

    Attributes:
        low, high: the values that CSRW takes; of a register that is only read, both are 0.
        reset: its value at the start.
        meaning: what it holds, in words.
    """

    low: int
    high: int
    reset: int
    meaning: str


TEXT: Final = -1
"""In place of the greatest value of a CSR: the last address of the text, which depends on the program."""

FLAGS_MAX: Final = limit(4)
"""Greatest number of four pents: the sign, V, C and S."""

CSRS: Final = {
    "HANDLER": Csr(0, TEXT, 0, "address of the trap handler; 0: there is none, and a fault ends the program"),
    "CAUSE": Csr(-WORD_MAX, WORD_MAX, 0, "why the last trap was taken, as a number"),
    "EPC": Csr(-WORD_MAX, WORD_MAX, 0, "address of the instruction that was not executed, where TRET goes on"),
    "FAULT": Csr(-WORD_MAX, WORD_MAX, 0, "the address at fault, or the operand at fault; else 0"),
    "TRAPPED": Csr(0, 1, 0, "1 from a trap on, until TRET or the handler clears it: a fault is a double fault"),
    "ENABLE": Csr(0, 1, 0, "1: interrupts are taken; a trap clears it"),
    "PREVIOUS": Csr(0, 1, 0, "ENABLE before the last trap, which TRET restores"),
    "OLDFLAGS": Csr(-FLAGS_MAX, FLAGS_MAX, 0, "what FLAGS gave before the last trap; TRET restores the flags from it"),
    "TIMER": Csr(0, WORD_MAX, 0, "the timer interrupts from this CYCLE on; 0: never"),
    "SCRATCH": Csr(-WORD_MAX, WORD_MAX, 0, "a word for the handler"),
    "CYCLE": Csr(0, 0, 0, "cycles since the start"),
    "INSTRET": Csr(0, 0, 0, "instructions executed"),
    "BRANCHES": Csr(0, 0, 0, "jumps and branches"),
    "MISPREDICTIONS": Csr(0, 0, 0, "jumps and branches after which the wrong address was fetched"),
    "ICACHE_MISSES": Csr(0, 0, 0, "instructions that were not in L1"),
    "DCACHE_ACCESSES": Csr(0, 0, 0, "accesses to data"),
    "DCACHE_MISSES": Csr(0, 0, 0, "accesses to data that was not in L1"),
    "L2_MISSES": Csr(0, 0, 0, "misses in L1 that L2 did not have either"),
}
"""CSRs in the order of their numbers, those that CSRW takes first. Counters keep the low 16 pents."""

WRITABLE: Final = sum(csr.low < csr.high or csr.high == TEXT for csr in CSRS.values())
"""How many CSRs CSRW takes."""

CAUSES: Final = {
    "external interrupt": -2,
    "timer interrupt": -1,
    "illegal instruction": 1,
    "fetch": 2,
    "memory": 3,
    "overflow": 4,
    "divide": 5,
    "operand": 6,
    "bus": 7,
}
"""Values of CAUSE: interrupts are negative, faults positive."""


def trap_name(cause: int) -> str:
    """Return what a value of CAUSE stands for.

    >>> trap_name(-1), trap_name(3), trap_name(99)
    ('timer interrupt', 'memory fault', 'trap')
    """
    for name, number in CAUSES.items():
        if number == cause:
            return name if cause < 0 else f"{name} fault"
    return "trap"


def double_fault(kind: str, detail: str, csrs: Mapping[str, int]) -> str:
    """Return what a double fault was, in words.

    Args:
        kind, detail: of the fault in the handler.
        csrs: values of the CSRs.
    """
    first = f"the handler of the {trap_name(csrs['CAUSE'])} at {csrs['EPC']}"
    return f"{kind} fault before {first} has cleared TRAPPED: {detail}"


@dataclass(frozen=True)
class Device:
    """A device of one word: its address, the instruction that may access it, and what that does."""

    address: int
    access: str
    meaning: str


DEVICES: Final = {
    "CONSOLE": Device(-1000, "STORE", "a character goes to the console, by its code point"),
    "INPUT": Device(-1001, "LOAD", "the next character of the input; a memory fault if there is none"),
    "AVAILABLE": Device(-1002, "LOAD", "how many characters the input still has"),
    "EXIT": Device(-1003, "STORE", "the exit status of the program, which HALT ends"),
}
"""Devices by name. They lie far below memory, so that an index that is wrong by a little does not reach them."""

STATUS_MAX: Final = 255
"""Greatest exit status of a process, and so of a program."""
