"""Arithmetic and logic unit of the core: the arithmetic and logic instructions that take one cycle in EX."""

from typing import Final

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import ACCUMULATOR, HIGH_SHIFT
from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w


class Op(enum.Enum, shape=4):
    """Operations; which instruction is which, with which operands, is in INSTRUCTIONS."""

    SUM = 0
    SATURATED_SUM = 1
    HALF = 2
    SHIFT_LEFT = 3
    SHIFT_RIGHT = 4
    ACCUMULATOR = 5
    CLAMP = 6
    MIN = 7
    MAX = 8
    CONSENSUS = 9
    MAGNITUDE = 10
    COMPARE = 11
    PASS = 12


class Operands(enum.Enum, shape=4):
    """What the second operand y of an instruction is: a register, an immediate or a constant."""

    RT = 0
    MINUS_RT = 1
    RS = 2
    MINUS_RS = 3
    IMMEDIATE = 4
    HIGH_IMMEDIATE = 5
    LONG_IMMEDIATE = 6
    ZERO = 7
    ONE = 8
    MINUS_ONE = 9


INSTRUCTIONS: Final = {
    "ADD": (Op.SUM, Operands.RT),
    "SUB": (Op.SUM, Operands.MINUS_RT),
    "ADDS": (Op.SATURATED_SUM, Operands.RT),
    "SUBS": (Op.SATURATED_SUM, Operands.MINUS_RT),
    "NEG": (Op.PASS, Operands.MINUS_RS),
    "ABS": (Op.MAGNITUDE, Operands.ZERO),
    "MUL2": (Op.SUM, Operands.RS),
    "DIV2": (Op.HALF, Operands.ZERO),
    "ADDI": (Op.SUM, Operands.IMMEDIATE),
    "ADDHI": (Op.SUM, Operands.HIGH_IMMEDIATE),
    "SHLI": (Op.SHIFT_LEFT, Operands.ZERO),
    "SHRI": (Op.SHIFT_RIGHT, Operands.ZERO),
    "SHL": (Op.SHIFT_LEFT, Operands.RT),
    "SHR": (Op.SHIFT_RIGHT, Operands.RT),
    "ACCGET": (Op.ACCUMULATOR, Operands.ZERO),
    "MIN": (Op.MIN, Operands.RT),
    "MAX": (Op.MAX, Operands.RT),
    "CONS": (Op.CONSENSUS, Operands.RT),
    "SIGN": (Op.COMPARE, Operands.ZERO),
    "CLAMP": (Op.CLAMP, Operands.ZERO),
    "CMP": (Op.COMPARE, Operands.RT),
    "CMP3": (Op.COMPARE, Operands.RT),
}
"""Operation and second operand of each instruction; CMP writes flags only."""

IMMEDIATE_PENTS: Final = 7
"""Pents of the immediate of format I."""

FLAGS: Final = data.StructLayout({"z": 1, "n": 1, "p": 1, "v": 1, "c": 1, "s": 1})
"""Flags in the order of `pentary.numbers.alu.Flags`."""


class Alu(wiring.Component):
    """Arithmetic and logic unit, combinational.

    Members:
        op: In; the operation, of `Op`.
        x, y: In; words.
        beyond: In; digit of y above the word: the immediate of ADDHI has one, else it is that of 0.
        k: In; distance of a shift, or width of a clamp, 0..16.
        acc: In; the accumulator, 32 digits.
        result: Out; word.
        flags: Out; its flags, of `FLAGS`.
        less, equal: Out; whether x < y, and whether x = y, for branches.
    """

    op: In(Op)
    x: In(w.WORD)
    y: In(w.WORD)
    beyond: In(w.DIGIT)
    k: In(5)
    acc: In(data.ArrayLayout(w.DIGIT, ACCUMULATOR))
    result: Out(w.WORD)
    flags: Out(FLAGS)
    less: Out(1)
    equal: Out(1)

    def elaborate(self, platform: object) -> Module:
        """Compute all operations, and choose."""
        m = Module()
        x, y = list(self.x), list(self.y)
        nothing = w.constant(0)
        negative = w.is_less(x, nothing)
        m.d.comb += [self.less.eq(w.is_less(x, y)), self.equal.eq(Cat(*x) == Cat(*y))]

        halved, rest, odd = w.halves(m, x)
        halving = self.op == Op.HALF
        total, carried = w.add(m, w.chosen(halving, halved, x), w.chosen(halving, rest, y))
        misfit = carried + self.beyond != 1 + w.BIAS

        # ACC and a word are shifted right by one shifter.
        of_acc = self.op == Op.ACCUMULATOR
        wide = w.chosen(of_acc, list(self.acc), [*x, *[w.NOTHING] * (ACCUMULATOR - PENTS)])
        shifted, lost = w.shifted_right(m, wide, self.k)
        high, low = shifted[PENTS:], shifted[:PENTS]
        too_high, high_positive = ~w.is_nothing(high), w.is_less(w.constant(0, PENTS), high)
        raised, spilled = w.shifted_left(m, x, self.k)

        above = Cat((place >= self.k) & (digit != w.NOTHING) for place, digit in enumerate(x)).any()
        compared = w.chosen(self.equal, nothing, w.chosen(self.less, w.constant(-1), w.constant(1)))

        result: list[Value] = [Signal(w.DIGIT, name=f"digit{place}") for place in range(PENTS)]
        over, carry, limited = Signal(), Signal(), Signal()

        def give(digits: w.Digits) -> list[object]:
            return [digit.eq(value) for digit, value in zip(result, digits, strict=True)]

        with m.Switch(self.op):
            with m.Case(Op.SUM):
                m.d.comb += [*give(total), over.eq(misfit), carry.eq(misfit)]
            with m.Case(Op.SATURATED_SUM):
                m.d.comb += give(w.chosen(misfit, w.saturated(~negative, PENTS), total))
                m.d.comb += [over.eq(misfit), carry.eq(misfit), limited.eq(misfit)]
            with m.Case(Op.HALF):
                m.d.comb += [*give(total), carry.eq(odd)]
            with m.Case(Op.SHIFT_LEFT):
                m.d.comb += [*give(raised), over.eq(spilled), carry.eq(spilled)]
            with m.Case(Op.SHIFT_RIGHT):
                m.d.comb += [*give(low), carry.eq(lost)]
            with m.Case(Op.ACCUMULATOR):
                m.d.comb += give(w.chosen(too_high, w.saturated(high_positive, PENTS), low))
                m.d.comb += [over.eq(too_high), carry.eq(too_high), limited.eq(too_high)]
            with m.Case(Op.CLAMP):
                m.d.comb += [*give(w.chosen(above, w.saturated(~negative, self.k), x)), limited.eq(above)]
            with m.Case(Op.MIN):
                m.d.comb += give(w.chosen(self.less, x, y))
            with m.Case(Op.MAX):
                m.d.comb += give(w.chosen(self.less, y, x))
            with m.Case(Op.CONSENSUS):
                m.d.comb += give(w.consensus(m, x, y))
            with m.Case(Op.MAGNITUDE):
                m.d.comb += give(w.chosen(negative, w.negated(x), x))
            with m.Case(Op.COMPARE):
                m.d.comb += give(compared)
            with m.Default():
                m.d.comb += give(y)

        zero, below = w.is_nothing(result), w.is_less(result, nothing)
        m.d.comb += [
            *(own.eq(digit) for own, digit in zip(self.result, result, strict=True)),
            self.flags.z.eq(zero),
            self.flags.n.eq(below),
            self.flags.p.eq(~zero & ~below),
            self.flags.v.eq(over),
            self.flags.c.eq(carry),
            self.flags.s.eq(limited),
        ]
        return m


def second_operand(kind: Operands, rs: w.Digits, rt: w.Digits, immediate: w.Digits) -> list[Value]:
    """Return the digits of y, and the one beyond.

    Args:
        kind: what it is.
        rs, rt: words of the registers.
        immediate: ten digits of the instruction's immediate; those above the seventh are of LONG_IMMEDIATE.
    """
    short = immediate[:IMMEDIATE_PENTS]
    digits = {
        Operands.RT: list(rt),
        Operands.MINUS_RT: w.negated(rt),
        Operands.RS: list(rs),
        Operands.MINUS_RS: w.negated(rs),
        Operands.IMMEDIATE: list(short),
        Operands.HIGH_IMMEDIATE: [*[w.NOTHING] * HIGH_SHIFT, *short],
        Operands.LONG_IMMEDIATE: list(immediate),
        Operands.ZERO: [],
        Operands.ONE: w.constant(1),
        Operands.MINUS_ONE: w.constant(-1),
    }[kind]
    return [*digits, *[w.NOTHING] * (PENTS + 1 - len(digits))]
