"""Branch prediction of the core: branch target buffer with 2-bit counters, and return-address stack."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w

OUTCOME: Final = data.StructLayout(
    {"pc": w.WORD, "target": w.WORD, "taken": 1, "conditional": 1, "returns": 1, "calls": 1, "following": w.WORD}
)
"""A jump or branch that is certain: its address, where it goes if it is taken, what it is, and the address after it."""


def _index_digits(entries: int) -> int:
    digits = 0
    while 5**digits < entries:
        digits += 1
    return digits


class TargetBuffer(wiring.Component):
    """Branch target buffer, direct-mapped by the low digits of an address.

    A reset that is held for more cycles than the memory has entries empties it: other programs have other branches.

    Args:
        entries: a power of 5.

    Members:
        pc: In; address that is looked up.
        known: Out; whether it has an entry that predicts a jump or a taken branch.
        target: Out; where that goes.
        returns: Out; whether the entry is one of RET.
        resolve: In; whether an outcome updates the buffer, visible in the next cycle.
        outcome: In; of `OUTCOME`.
    """

    def __init__(self, entries: int) -> None:
        """Create a buffer."""
        self._digits = _index_digits(entries)
        super().__init__(
            {
                "pc": In(w.WORD),
                "known": Out(1),
                "target": Out(w.WORD),
                "returns": Out(1),
                "resolve": In(1),
                "outcome": In(OUTCOME),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the memory with two read ports, one of them for the update."""
        m = Module()
        n = self._digits
        tag = data.ArrayLayout(w.DIGIT, PENTS - n)
        entry = data.StructLayout(
            {"valid": 1, "tag": tag, "target": w.WORD, "conditional": 1, "returns": 1, "counter": 2}
        )
        depth = 1 << max(1, len(w.packed([w.NOTHING] * n)))
        m.submodules.entries = memory = Memory(shape=entry, depth=depth, init=[])
        looking, reading, writing = (
            memory.read_port(domain="comb"),
            memory.read_port(domain="comb"),
            memory.write_port(),
        )

        def held(found: Value, pc: Value) -> Value:
            return found.valid & (Cat(*found.tag) == Cat(*list(pc)[n:]))

        in_reset, swept = Signal(init=1), Signal(range(depth), reset_less=True)  # or in the first cycle after it
        m.d.sync += [in_reset.eq(0), swept.eq(swept + 1)]

        found = Signal(entry)
        m.d.comb += [
            looking.addr.eq(w.packed(list(self.pc)[:n])),
            found.eq(looking.data),
            self.known.eq(held(found, self.pc) & (~found.conditional | found.counter[1])),
            self.target.eq(found.target),
            self.returns.eq(found.returns),
        ]
        outcome, old, new = self.outcome, Signal(entry), Signal(entry)
        known = Signal()
        m.d.comb += [
            reading.addr.eq(w.packed(list(outcome.pc)[:n])),
            writing.addr.eq(Mux(in_reset, swept, reading.addr)),
            writing.data.eq(new),
            old.eq(reading.data),
            known.eq(held(old, outcome.pc)),
            writing.en.eq(in_reset | (self.resolve & (known | outcome.taken))),
            new.valid.eq(~in_reset),
            Cat(*new.tag).eq(Cat(*list(outcome.pc)[n:])),
            new.target.eq(Mux(outcome.taken, outcome.target, old.target)),
            new.conditional.eq(outcome.conditional),
            new.returns.eq(outcome.returns),
        ]
        with m.If(~known):
            m.d.comb += new.counter.eq(2)
        with m.Elif(outcome.taken):
            m.d.comb += new.counter.eq(Mux(old.counter == 3, 3, old.counter + 1))
        with m.Else():
            m.d.comb += new.counter.eq(Mux(old.counter == 0, 0, old.counter - 1))
        return m


class ReturnStack(wiring.Component):
    """Return-address stack, with what a wrong path does to it undone.

    Members:
        push, pop: In; what the instruction that has just been fetched does: a call or a return.
        address: In; address after the call.
        top: Out; the newest address, that of `push` included.
        held: Out; whether there is one.
        resolved_push, resolved_pop, resolved_address: In; what an instruction that is certain does.
        undo: In; whether all others are dropped.

    Args:
        size: addresses that it holds, 1 at least; a push on a full stack drops the oldest.
    """

    def __init__(self, size: int) -> None:
        """Create a stack."""
        self._size = size
        super().__init__(
            {
                "push": In(1),
                "pop": In(1),
                "address": In(w.WORD),
                "top": Out(w.WORD),
                "held": Out(1),
                "resolved_push": In(1),
                "resolved_pop": In(1),
                "resolved_address": In(w.WORD),
                "undo": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep one stack of what is fetched and one of what is certain, the newest address first."""
        m = Module()

        def stack(name: str) -> tuple[list[Signal], Signal]:
            return (
                [Signal(w.WORD, name=f"{name}_{place}") for place in range(self._size)],
                Signal(range(self._size + 1), name=f"{name}_held"),
            )

        def after(
            words: list[Signal], held: Signal, push: Value, pop: Value, address: Value, name: str
        ) -> tuple[list[Signal], Signal]:
            new, count = stack(name)
            m.d.comb += [count.eq(held), *(one.eq(other) for one, other in zip(new, words, strict=True))]
            with m.If(push):
                m.d.comb += count.eq(Mux(held == self._size, held, held + 1))
                m.d.comb += [one.eq(other) for one, other in zip(new, [address, *words[:-1]], strict=True)]
            with m.Elif(pop & (held != 0)):
                m.d.comb += count.eq(held - 1)
                m.d.comb += [one.eq(other) for one, other in zip(new, words[1:], strict=False)]
            return new, count

        fetched, fetched_held = stack("fetched")
        certain, certain_held = stack("certain")
        ahead, ahead_held = after(fetched, fetched_held, self.push, self.pop, self.address, "ahead")
        sure, sure_held = after(
            certain, certain_held, self.resolved_push, self.resolved_pop, self.resolved_address, "sure"
        )
        m.d.comb += [self.top.eq(ahead[0]), self.held.eq(ahead_held != 0)]
        m.d.sync += [certain_held.eq(sure_held), *(one.eq(other) for one, other in zip(certain, sure, strict=True))]
        m.d.sync += [
            fetched_held.eq(Mux(self.undo, sure_held, ahead_held)),
            *(one.eq(Mux(self.undo, first, second)) for one, first, second in zip(fetched, sure, ahead, strict=True)),
        ]
        return m
