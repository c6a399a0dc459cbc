"""Products on their way through the multiplier: who waits for them, and whose flags count."""

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

_OUTSTANDING = data.StructLayout({"valid": 1, "register": 5, "acc": 1, "flags": 1})


class Products(wiring.Component):
    """Scoreboard of the multiplier, whose result comes three cycles after the first one of an instruction in EX.

    Members:
        start: In; an instruction starts in the multiplier.
        register: In; the register that it writes, 0 for none.
        acc: In; whether it writes ACC.
        overtaken: In; an instruction in EX, later than all here, gives the flags.
        done: Out; the result comes in this cycle.
        done_register: Out; the register that it is for.
        done_flags: Out; whether its flags are the newest.
        flags_wait: Out; whether the newest flags are of a product, and come in a later cycle.
        acc_wait: Out; whether ACC has its value in a later cycle than the next but one.
    """

    start: In(1)
    register: In(5)
    acc: In(1)
    overtaken: In(1)
    done: Out(1)
    done_register: Out(5)
    done_flags: Out(1)
    flags_wait: Out(1)
    acc_wait: Out(1)

    def __init__(self) -> None:
        """Create a scoreboard."""
        super().__init__()
        self._stages = [Signal(_OUTSTANDING, name=f"product_{age}") for age in (1, 2, 3)]

    def waits(self, number: Value) -> Value:
        """Return whether a register's product comes in a later cycle: its reader may not enter EX in the next one."""
        return self._is_for(number, self._stages[:2])

    def waits_late(self, number: Value) -> Value:
        """Return whether it comes later than in the next cycle: who reads it in MEM may not enter EX then."""
        return self._is_for(number, self._stages[:1])

    def _is_for(self, number: Value, stages: list[Signal]) -> Value:
        starting = self.start & (self.register == number)
        found = starting
        for stage in stages:
            found = found | (stage.valid & (stage.register == number))
        return found & (number != 0)

    def elaborate(self, platform: object) -> Module:
        """Move the entries with the stages of the multiplier."""
        m = Module()
        one, two, three = self._stages
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
            self.done.eq(three.valid),
            self.done_register.eq(three.register),
            self.done_flags.eq(three.valid & three.flags),
            self.flags_wait.eq(self.start | ((one.flags | two.flags) & ~self.overtaken)),
            self.acc_wait.eq((self.start & self.acc) | one.acc | two.acc),
        ]
        return m
