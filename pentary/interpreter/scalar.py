"""Semantics of the arithmetic, logic, scalar memory and control instructions, and of those that wait or end."""

from typing import Final

from pentary.interpreter.state import Semantics, State, Trap, check_operand
from pentary.interpreter.system import flags_as_word, read_device, write_device
from pentary.interpreter.words import (
    Result,
    S,
    cons,
    exact,
    quotient,
    rounded,
    sat,
    saturated,
    sign,
    wrapped,
)
from pentary.isa.table import ACCUMULATOR, HIGH_SHIFT, LINK, STACK
from pentary.numbers.word import PENTS


def _divide(rs: int, rt: int) -> int:
    if rt == 0:
        raise Trap("divide", f"{rs} divided by 0")
    return quotient(rs, rt)


def _shift_left(rs: int, k: int) -> Result:
    check_operand("shift", k, 0, PENTS)
    return wrapped(rs * 5**k)


def _shift_right(rs: int, k: int) -> Result:
    check_operand("shift", k, 0, PENTS)
    kept = rounded(rs, k)
    return exact(kept, carry=kept * 5**k != rs)


def _mac(m: State, rs: int, rt: int) -> None:
    acc, flags = wrapped(m.acc + rs * rt, ACCUMULATOR)
    m.write_flags(flags)
    m.acc = acc


def _accset(m: State, rs: int) -> None:
    m.write_flags(sign(rs))
    m.acc = rs


def _clamp(m: State, rd: int, rs: int, w: int) -> None:
    kept = sat(rs, w)
    m.deliver(rd, (kept, sign(kept) | (S if kept != rs else 0)))


def _push(m: State, rs: int) -> None:
    m.store(m.registers[STACK] - 1, [rs])
    m.registers[STACK] -= 1


def _pop(m: State, rd: int) -> None:
    word = m.load(m.registers[STACK], 1)[0]
    m.registers[STACK] += 1
    m.write(rd, word)


def _call(m: State, j10: int) -> int:
    m.registers[LINK] = m.pc + 1
    return j10


def _callr(m: State, rs: int) -> int:
    m.registers[LINK] = m.pc + 1
    return rs


def _halt(m: State) -> int:
    m.halted = True
    return m.pc


def _nothing(m: State) -> None:
    """Do nothing; there is nothing to wait for, since every instruction is complete before the next one."""


SCALAR: Final[dict[str, Semantics]] = {
    "ADD": lambda m, rd, rs, rt: m.deliver(rd, wrapped(rs + rt)),
    "SUB": lambda m, rd, rs, rt: m.deliver(rd, wrapped(rs - rt)),
    "ADDS": lambda m, rd, rs, rt: m.deliver(rd, saturated(rs + rt)),
    "SUBS": lambda m, rd, rs, rt: m.deliver(rd, saturated(rs - rt)),
    "MUL": lambda m, rd, rs, rt: m.deliver(rd, wrapped(rs * rt)),
    "MULH": lambda m, rd, rs, rt: m.deliver(rd, exact(rounded(rs * rt, PENTS))),
    "DIV": lambda m, rd, rs, rt: m.deliver(rd, exact(_divide(rs, rt))),
    "REM": lambda m, rd, rs, rt: m.deliver(rd, exact(rs - rt * _divide(rs, rt))),
    "NEG": lambda m, rd, rs: m.deliver(rd, exact(-rs)),
    "ABS": lambda m, rd, rs: m.deliver(rd, exact(abs(rs))),
    "MUL2": lambda m, rd, rs: m.deliver(rd, wrapped(rs + rs)),
    "DIV2": lambda m, rd, rs: m.deliver(rd, exact(quotient(rs, 2), carry=rs % 2 == 1)),
    "ADDI": lambda m, rd, rs, i: m.deliver(rd, wrapped(rs + i)),
    "ADDHI": lambda m, rd, rs, i: m.deliver(rd, wrapped(rs + i * 5**HIGH_SHIFT)),
    "MULI": lambda m, rd, rs, i: m.deliver(rd, wrapped(rs * i)),
    "SHLI": lambda m, rd, rs, k: m.deliver(rd, wrapped(rs * 5**k)),
    "SHRI": lambda m, rd, rs, k: m.deliver(rd, _shift_right(rs, k)),
    "SHL": lambda m, rd, rs, rt: m.deliver(rd, _shift_left(rs, rt)),
    "SHR": lambda m, rd, rs, rt: m.deliver(rd, _shift_right(rs, rt)),
    "LI": lambda m, rd, i: m.write(rd, i),
    "MAC": _mac,
    "ACCSET": _accset,
    "ACCGET": lambda m, rd, k: m.deliver(rd, saturated(rounded(m.acc, k))),
    "MIN": lambda m, rd, rs, rt: m.deliver(rd, exact(min(rs, rt))),
    "MAX": lambda m, rd, rs, rt: m.deliver(rd, exact(max(rs, rt))),
    "CONS": lambda m, rd, rs, rt: m.deliver(rd, exact(cons(rs, rt))),
    "SIGN": lambda m, rd, rs: m.deliver(rd, exact((rs > 0) - (rs < 0))),
    "CLAMP": _clamp,
    "CMP": lambda m, rs, rt: m.write_flags(sign(rs - rt)),
    "CMP3": lambda m, rd, rs, rt: m.deliver(rd, exact((rs > rt) - (rs < rt))),
    "FLAGS": lambda m, rd: m.write(rd, flags_as_word(m.flags)),
    "LOAD": lambda m, rd, i, rs: m.write(rd, m.load(rs + i, 1)[0] if rs + i >= 0 else read_device(m, rs + i)),
    "STORE": lambda m, ru, i, rs: m.store(rs + i, [ru]) if rs + i >= 0 else write_device(m, rs + i, ru),
    "PUSH": _push,
    "POP": _pop,
    "BEQ": lambda m, rs, ru, j7: j7 if rs == ru else None,
    "BNE": lambda m, rs, ru, j7: j7 if rs != ru else None,
    "BLT": lambda m, rs, ru, j7: j7 if rs < ru else None,
    "BGT": lambda m, rs, ru, j7: j7 if rs > ru else None,
    "BLE": lambda m, rs, ru, j7: j7 if rs <= ru else None,
    "BGE": lambda m, rs, ru, j7: j7 if rs >= ru else None,
    "JUMP": lambda m, j10: j10,
    "CALL": _call,
    "RET": lambda m: m.registers[LINK],
    "JUMPR": lambda m, rs: rs,
    "CALLR": _callr,
    "NOP": _nothing,
    "HALT": _halt,
    "SYNC": _nothing,
    "FENCE": _nothing,
}
