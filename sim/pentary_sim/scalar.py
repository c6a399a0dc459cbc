"""Scalar arithmetic and logic instructions, compiled: `pentary.numbers.alu` for single words."""

from typing import Final

from pentary.isa.table import HIGH_SHIFT
from pentary.numbers.alu import Flags
from pentary.numbers.word import PENTS
from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.layout import Record
from pentary_sim.system import flags_as_word
from pentary_sim.vectors import count
from pentary_sim.words import (
    POWERS,
    carry_out,
    consensus,
    mask,
    multiply,
    nonzero,
    ones,
    quotient,
    round_shift,
    saturate,
    shift_left,
)

Z, N, P, V, C, S = (int(flag) for flag in Flags)

_HIGH: Final = 5**HIGH_SHIFT
NO_FLAGS: Final = -1


@compiled
def sign_flags(value: int) -> int:
    """Return the flag Z, N or P of a value."""
    return Z if value == 0 else N if value < 0 else P


@compiled
def _delivered(high: int, low: int) -> tuple[int, int, int]:
    """Return status, result and flags of the exact result high * 5**16 + low, wrapped to a word."""
    return o.FINE, low, sign_flags(low) | (V | C if high != 0 else 0)


@compiled
def arithmetic(s: Record, op: int, x: int, y: int, i: int) -> tuple[int, int, int]:
    """Execute an instruction of the groups arithmetic and logic.

    Args:
        s: machine state; only the accumulator is modified, by MAC and ACCSET.
        op: opcode, see `pentary_sim.opcodes`.
        x, y: values of the register operands.
        i: immediate.

    Returns:
        Status, result and flags; NO_FLAGS if the instruction does not write the flags.
    """
    if op == o.LI:
        return o.FINE, i, NO_FLAGS
    if op == o.FLAGS:
        return o.FINE, flags_as_word(s.flags), NO_FLAGS
    if op == o.ADDI or op == o.MULI:
        y = i
    if op == o.ADD or op == o.ADDI:
        high, low = carry_out(x + y)
        return _delivered(high, low)
    if op == o.SUB:
        high, low = carry_out(x - y)
        return _delivered(high, low)
    if op == o.ADDS or op == o.SUBS:
        exact = x + y if op == o.ADDS else x - y
        value = saturate(exact, PENTS)
        return o.FINE, value, sign_flags(value) | (V | C | S if value != exact else 0)
    if op == o.MUL or op == o.MULI:
        high, low = multiply(x, y)
        return _delivered(high, low)
    if op == o.MULH:
        high, low = multiply(x, y)
        return o.FINE, high, sign_flags(high)
    if op == o.DIV or op == o.REM:
        if y == 0:
            return o.DIVIDE, 0, 0
        value = quotient(x, y)
        if op == o.REM:
            value = x - y * value
        return o.FINE, value, sign_flags(value)
    if op == o.NEG:
        return o.FINE, -x, sign_flags(-x)
    if op == o.ABS:
        return o.FINE, abs(x), sign_flags(abs(x))
    if op == o.MUL2:
        high, low = carry_out(x + x)
        return _delivered(high, low)
    if op == o.DIV2:
        value = quotient(x, 2)
        return o.FINE, value, sign_flags(value) | (C if value * 2 != x else 0)
    if op == o.ADDHI:
        high, low = carry_out(x + i * _HIGH)
        return _delivered(high, low)
    if op == o.SHLI:
        high, low = shift_left(x, i)
        return _delivered(high, low)
    if op == o.SHRI:
        value = round_shift(x, i)
        return o.FINE, value, sign_flags(value) | (C if value * POWERS[i] != x else 0)
    if op == o.SHL or op == o.SHR:
        if y < 0 or y > PENTS:
            return o.OPERAND, y, 0
        if op == o.SHL:
            high, low = shift_left(x, y)
            return _delivered(high, low)
        value = round_shift(x, y)
        return o.FINE, value, sign_flags(value) | (C if value * POWERS[y] != x else 0)
    if op == o.CMP3:
        value = (x > y) - (x < y)
        return o.FINE, value, sign_flags(value)
    if op == o.MIN or op == o.MAX:
        value = min(x, y) if op == o.MIN else max(x, y)
        return o.FINE, value, sign_flags(value)
    if op == o.CONS:
        value = consensus(x, y)
        return o.FINE, value, sign_flags(value)
    if op == o.SIGN:
        value = (x > 0) - (x < 0)
        return o.FINE, value, sign_flags(value)
    if op == o.CLAMP:
        value = saturate(x, i)
        return o.FINE, value, sign_flags(value) | (S if value != x else 0)
    if op == o.CMP:
        return o.FINE, 0, sign_flags(x - y)
    return _accumulate(s, op, x, y, i)


@compiled
def count_digits(s: Record, op: int, x: int, y: int, i: int, value: int) -> None:
    """Count the digit operations of an instruction executed by `arithmetic`; `value` is its result."""
    if op == o.LI or op == o.FLAGS:
        return
    if op == o.ADDI or op == o.MULI:
        y = i
    elif op == o.ADDHI:
        _, y = carry_out(i * _HIGH)
    elif op == o.ACCGET:
        y = value
    if op == o.MUL or op == o.MULH or op == o.MULI or op == o.MAC:
        count(s, o.SCALAR_OPERATIONS, nonzero(s.masks, x) * nonzero(s.masks, y), PENTS * PENTS)
    else:
        count(s, o.SCALAR_OPERATIONS, ones(mask(s.masks, x) | mask(s.masks, y)), PENTS)


@compiled
def _accumulate(s: Record, op: int, x: int, y: int, i: int) -> tuple[int, int, int]:
    """Execute MAC, ACCSET or ACCGET on the accumulator high * 5**16 + low; return status, result and flags."""
    high, low = s.acc_high, s.acc_low
    flags = 0
    if op == o.ACCGET:
        places = PENTS - i
        # Clamping `high` keeps the quotient within int64; for |high| > 5**i it saturates in any case.
        largest = POWERS[i] + 1
        exact = min(max(high, -largest), largest) * POWERS[places] + round_shift(low, i)
        value = saturate(exact, PENTS)
        return o.FINE, value, sign_flags(value) | (V | C | S if value != exact else 0)
    if op == o.ACCSET:
        high, low = 0, x
    else:
        more, product = multiply(x, y)
        carry, low = carry_out(low + product)
        high = high + more + carry
        lost, high = carry_out(high)
        if lost != 0:
            flags = V | C
    if flags != 0 and s.overflow_trap:
        return o.OVERFLOW, 0, flags
    s.acc_high, s.acc_low = high, low
    return o.FINE, 0, flags | sign_flags(high if high != 0 else low)
