"""Multiplier of the core: products of words, and the accumulator."""

from typing import Final

from amaranth import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import ACCUMULATOR
from pentary.numbers.word import PENTS
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS

PART: Final = 4
"""Digits of the parts of a factor that are multiplied in two's complement."""

_PARTS: Final = PENTS // PART
_GREATEST: Final = 5**PART // 2
_TERMS: Final = [min(k, 2 * _PARTS - 2 - k) + 1 for k in range(2 * _PARTS - 1)]
"""Products of two parts that count 5^(PART k)."""

_BOUNDS: Final = [terms * _GREATEST**2 for terms in _TERMS]


class Op(enum.Enum, shape=2):
    """Operations: MUL and MULI, MULH, MAC, ACCSET."""

    LOW = 0
    HIGH = 1
    ACCUMULATE = 2
    SET = 3


class Multiplier(wiring.Component):
    """Multiplier, a pipeline of four stages that takes an operation in any cycle.

    The stages convert four parts of each factor to two's complement; multiply all pairs of parts, and add up those of
    one weight; convert these sums to plain digits, and add them up; and add the accumulator, or 0. ACCSET is a product
    with 1.

    Members:
        start: In; whether an operation starts.
        op: In; which, of `Op`.
        x, y: In; its factors; SET has no use for y.
        drop: In; with `done`, leaves the accumulator as it is.
        done: Out; whether the operation that started three cycles before ends; the other outputs are its.
        done_op: Out; which that is.
        result: Out; word, 0 for ACCUMULATE and SET.
        flags: Out; its flags, of `FLAGS`.
        acc: Out; the accumulator, 32 digits; a register, which has a new value in the cycle after `done`.
    """

    start: In(1)
    op: In(Op)
    x: In(w.WORD)
    y: In(w.WORD)
    drop: In(1)
    done: Out(1)
    done_op: Out(Op)
    result: Out(w.WORD)
    flags: Out(FLAGS)
    acc: Out(data.ArrayLayout(w.DIGIT, ACCUMULATOR), init=[w.BIAS] * ACCUMULATOR)

    def elaborate(self, platform: object) -> Module:
        """Build the stages."""
        m = Module()
        started = Signal(3)
        operations = [Signal(Op, name=f"op{stage}") for stage in range(1, 4)]
        m.d.sync += started.eq((started << 1) | self.start)
        for before, after in zip([self.op, *operations], operations, strict=False):
            m.d.sync += after.eq(before)
        m.d.comb += [self.done.eq(started[-1]), self.done_op.eq(operations[-1])]

        factor = w.chosen(self.op == Op.SET, w.constant(1), list(self.y))
        xs, ys = self._parts(m, list(self.x), "x"), self._parts(m, factor, "y")

        sums = [Signal(signed(bound.bit_length() + 1), name=f"sum{k}") for k, bound in enumerate(_BOUNDS)]
        for k, total in enumerate(sums):
            m.d.sync += total.eq(sum(xs[i] * ys[k - i] for i in range(_PARTS) if 0 <= k - i < _PARTS))

        rows = conversion.from_binary(m, sums, _BOUNDS, PART, ACCUMULATOR)
        product = [Signal(w.DIGIT, name=f"product{place}") for place in range(ACCUMULATOR)]
        for digit, value in zip(product, conversion.sum_of_rows(m, rows), strict=True):
            m.d.sync += digit.eq(value)

        self._end(m, product)
        return m

    def _parts(self, m: Module, digits: w.Digits, name: str) -> list[Signal]:
        """Return registers for the parts of a factor in two's complement."""
        found = []
        for place in range(0, PENTS, PART):
            number = conversion.to_binary(m, digits[place : place + PART])
            part = Signal(number.shape(), name=f"{name}{place}")
            m.d.sync += part.eq(number)
            found.append(part)
        return found

    def _end(self, m: Module, product: w.Digits) -> None:
        """Add the product, in plain digits modulo 5^32, to the accumulator or to 0, and deliver."""
        op = self.done_op
        accumulates, sets = op == Op.ACCUMULATE, op == Op.SET
        nothing = w.constant(0, ACCUMULATOR)
        base = w.chosen(accumulates, list(self.acc), nothing)
        total, carry = conversion.sum_of(m, product, base)
        with m.If(self.done & ~self.drop & (accumulates | sets)):
            m.d.sync += [digit.eq(value) for digit, value in zip(self.acc, total, strict=True)]

        low, high = total[:PENTS], total[PENTS:]
        (low_zero, low_negative), (high_zero, high_negative) = _sign(low), _sign(high)
        # A negative product is 5^32 too great, so the sum carries unless it is too low.
        misfit = carry ^ w.is_less(nothing, product)

        delivered: list[Value] = [w.NOTHING] * PENTS
        delivered = w.chosen(op == Op.HIGH, high, w.chosen(op == Op.LOW, low, delivered))
        zero, negative, over = Signal(), Signal(), Signal()
        with m.Switch(op):
            with m.Case(Op.LOW):
                m.d.comb += [zero.eq(low_zero), negative.eq(low_negative), over.eq(~high_zero)]
            with m.Case(Op.HIGH):
                m.d.comb += [zero.eq(high_zero), negative.eq(high_negative)]
            with m.Default():
                m.d.comb += [
                    zero.eq(high_zero & low_zero),
                    negative.eq(Mux(high_zero, low_negative, high_negative)),
                    over.eq(accumulates & misfit),
                ]
        m.d.comb += [
            *(own.eq(digit) for own, digit in zip(self.result, delivered, strict=True)),
            self.flags.z.eq(zero),
            self.flags.n.eq(negative),
            self.flags.p.eq(~zero & ~negative),
            self.flags.v.eq(over),
            self.flags.c.eq(over),
            self.flags.s.eq(Const(0, 1)),
        ]


def _sign(digits: w.Digits) -> tuple[Value, Value]:
    return w.is_nothing(digits), w.is_less(digits, w.constant(0, len(digits)))
