"""Semantics of control and status registers, traps, interrupts and devices."""

from typing import Final

from pentary.interpreter.state import Semantics, State, Trap, check_operand
from pentary.interpreter.words import C, N, P, S, V, rounded, wrap
from pentary.interpreter.words import sign as sign_of
from pentary.isa.system import CAUSES, CSRS, DEVICES, TEXT, WRITABLE

_CSR_NAMES: Final = tuple(CSRS)

_DEVICE_NAMES: Final = {device.address: name for name, device in DEVICES.items()}


def read_device(m: State, address: int) -> int:
    """Return what LOAD finds at an address below memory, or raise a memory trap."""
    match _DEVICE_NAMES.get(address):
        case None:
            return m.load(address, 1)[0]
        case "INPUT" if m.input:
            return m.input.pop()
        case "INPUT":
            raise Trap("memory", "load from INPUT at the end of the input; AVAILABLE tells how much is left", address)
        case "AVAILABLE":
            return len(m.input)
        case name:
            raise Trap("memory", f"load from {name}, which is only written", address)


def write_device(m: State, address: int, word: int) -> None:
    """Do what STORE does at an address below memory, or raise a memory trap."""
    match _DEVICE_NAMES.get(address):
        case None:
            m.store(address, [word])
        case "CONSOLE":
            m.output.append(word)
        case "EXIT":
            m.exit_status = word
        case name:
            raise Trap("memory", f"store to {name}, which is only read", address)


def flags_as_word(flags: int) -> int:
    """Return flags in the pents of a word: the sign -1, 0 or 1 for N, Z and P, then V, C and S."""
    return sum(number * 5**place for place, number in enumerate(_digits(flags)))


def _digits(flags: int) -> tuple[int, ...]:
    sign = (flags & P != 0) - (flags & N != 0)
    return (sign, *(int(flags & flag != 0) for flag in (V, C, S)))


def word_as_flags(word: int) -> int:
    """Return the flags that a word stands for; a pent other than 0 in the place of V, C or S sets it."""
    sign, *others = (wrap(rounded(word, place), 1) for place in range(4))
    return sign_of(sign) | sum(flag for flag, pent in zip((V, C, S), others, strict=True) if pent)


def enter_handler(m: State, cause: str, value: int) -> None:
    """Enter the trap handler: record the cause and the instruction that was not executed, and jump to HANDLER."""
    m.csrs |= {"CAUSE": CAUSES[cause], "EPC": m.pc, "FAULT": wrap(value), "TRAPPED": 1}
    m.csrs |= {"PREVIOUS": m.csrs["ENABLE"], "ENABLE": 0, "OLDFLAGS": flags_as_word(m.flags)}
    m.pc = m.csrs["HANDLER"]
    m.traps += 1


def csr_range(m: State, name: str) -> tuple[int, int]:
    """Return the least and the greatest value that CSRW writes to a register."""
    csr = CSRS[name]
    return csr.low, m.program.text - 1 if csr.high == TEXT else csr.high


def _csrr(m: State, rd: int, ss: int) -> None:
    name = _CSR_NAMES[ss]
    m.write(rd, m.csrs[name] if ss < WRITABLE else wrap(m.counter(name)))


def _csrw(m: State, sd: int, rs: int) -> None:
    name = _CSR_NAMES[sd]
    check_operand(name, rs, *csr_range(m, name))
    m.csrs[name] = rs


def _tret(m: State) -> int:
    m.csrs |= {"ENABLE": m.csrs["PREVIOUS"], "TRAPPED": 0}
    m.flags = word_as_flags(m.csrs["OLDFLAGS"])
    return m.csrs["EPC"]


SYSTEM: Final[dict[str, Semantics]] = {"CSRR": _csrr, "CSRW": _csrw, "TRET": _tret}
