"""Jumps and branches in EX: where they go, and whether that is what has been fetched."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.core.decoder import Kind
from pentary_hdl.core.fetch import FETCHED
from pentary_hdl.core.predictor import OUTCOME


class Branches(wiring.Component):
    """Jumps and branches, combinational.

    Members:
        fetched: In; instruction, of `FETCHED`.
        x: In; its first operand.
        less, equal: In; how that compares with the second one.
        decides: Out; whether it is a jump or branch.
        goes: Out; address of the next instruction.
        mispredicted: Out; another one than that has been fetched.
        outcome: Out; for the predictor.
    """

    fetched: In(FETCHED)
    x: In(w.WORD)
    less: In(1)
    equal: In(1)
    decides: Out(1)
    goes: Out(w.WORD)
    mispredicted: Out(1)
    outcome: Out(OUTCOME)

    def elaborate(self, platform: object) -> Module:
        """Add the distance, and choose."""
        m = Module()
        fetched, outcome = self.fetched, self.outcome
        control, following = fetched.control, fetched.following
        branches, jumps = control.kind == Kind.BRANCH, control.kind == Kind.JUMP
        holds = (control.relations & Cat(self.less, self.equal, ~self.less & ~self.equal)).any()
        distance = [*control.immediate, *[w.NOTHING] * (PENTS - len(control.immediate))]
        away, _ = w.add(m, list(fetched.pc), distance)
        differs = Signal()
        m.d.comb += [
            self.goes.eq(following),
            differs.eq(self.goes.as_value() != fetched.predicted.as_value()),
            self.decides.eq(branches | jumps),
            self.mispredicted.eq(self.decides & differs),
            outcome.pc.eq(fetched.pc),
            outcome.target.eq(self.goes),
            outcome.taken.eq(jumps | (self.goes.as_value() != following.as_value())),
            outcome.conditional.eq(branches),
            outcome.calls.eq(control.calls),
            outcome.returns.eq(control.returns),
            outcome.following.eq(following),
        ]
        with m.If(jumps & control.through_register):
            m.d.comb += self.goes.eq(self.x)
        with m.Elif(jumps | holds):
            m.d.comb += w.assign(self.goes, away)
        return m
