"""Products: the multiplier, who waits for what it computes, and whose flags count."""

from typing import Final

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import ACCUMULATOR
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS
from pentary_hdl.core.multiplier import Multiplier, Op
from pentary_hdl.core.operands import AWAITED, USED, answered

_OUTSTANDING: Final = data.StructLayout({"valid": 1, "register": 5, "acc": 1, "flags": 1})


class Products(wiring.Component):
    """Multiplier with its scoreboard; a result comes three cycles after the first one of its instruction in EX.

    Members:
        start: In; an instruction starts.
        op: In; what it computes.
        x, y: In; its factors.
        register: In; the register that it writes, 0 for none.
        acc: In; whether it writes ACC.
        overtaken: In; an instruction in EX, later than all here, gives the flags.
        drop: In; with `done`: the instruction is trapped, and has no result.
        done: Out; a result comes in this cycle.
        done_register: Out; the register that it is for.
        done_flags: Out; whether its flags are the newest.
        result, flags: Out; the result.
        value: Out; ACC, in the cycle after `done`.
        used, awaited: In, Out; as `operands.answered` says.
        flags_wait: Out; whether the newest flags are of a product, and come in a later cycle.
        acc_wait: Out; whether ACC has its value in a later cycle than the next but one.
    """

    start: In(1)
    op: In(Op)
    x: In(w.WORD)
    y: In(w.WORD)
    register: In(5)
    acc: In(1)
    overtaken: In(1)
    drop: In(1)
    done: Out(1)
    done_register: Out(5)
    done_flags: Out(1)
    result: Out(w.WORD)
    flags: Out(FLAGS)
    value: Out(data.ArrayLayout(w.DIGIT, ACCUMULATOR))
    used: In(USED)
    awaited: Out(AWAITED)
    flags_wait: Out(1)
    acc_wait: Out(1)

    def elaborate(self, platform: object) -> Module:
        """Move the entries with the stages of the multiplier."""
        m = Module()
        m.submodules.multiplier = multiplier = Multiplier()
        one, two, three = [Signal(_OUTSTANDING, name=f"product_{age}") for age in (1, 2, 3)]
        m.d.sync += [
            one.valid.eq(self.start),
            one.register.eq(Mux(self.start, self.register, 0)),
            one.acc.eq(self.start & self.acc),
            one.flags.eq(self.start),
            two.eq(one),
            three.eq(two),
        ]
        with m.If(self.overtaken):
            m.d.sync += [two.flags.eq(0), three.flags.eq(0)]
        m.d.comb += [
            *(getattr(multiplier, name).eq(getattr(self, name)) for name in ("start", "op", "x", "y", "drop")),
            self.result.eq(multiplier.result),
            self.flags.eq(multiplier.flags),
            self.value.eq(multiplier.acc),
            self.done.eq(three.valid),
            self.done_register.eq(three.register),
            self.done_flags.eq(three.valid & three.flags),
            self.flags_wait.eq(self.start | ((one.flags | two.flags) & ~self.overtaken)),
            self.acc_wait.eq((self.start & self.acc) | one.acc | two.acc),
        ]

        def is_for(number: Value, *stages: Signal) -> Value:
            found = self.start & (self.register == number)
            for stage in stages:
                found = found | (stage.valid & (stage.register == number))
            return found & (number != 0)

        m.d.comb += answered(
            self.used, self.awaited, lambda number: is_for(number, one, two), lambda number: is_for(number, one)
        )
        return m
