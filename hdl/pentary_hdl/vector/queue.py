"""Queue of a unit beside the pipeline."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Queue(wiring.Component):
    """Queue between the pipeline and a unit: an instruction holds an entry from EX until it starts.

    Args:
        entries: how many instructions it holds, including one in EX.
        shape: of an instruction.

    Members:
        in_ex: In; an instruction for the unit is in EX.
        enters: In; it leaves EX, so it is in MEM, and may start, in the next cycle.
        entry: In; with `enters`, the instruction.
        valid: Out; there is an instruction that may start in the next cycle, as far as the queue is concerned.
        oldest: Out; that instruction, which may have come in this cycle.
        takes: In; it starts in the next cycle; only with `valid`.
        room: Out; another instruction for the unit may enter EX in the next cycle.
        empty: Out; no instruction is in EX or waits.
    """

    def __init__(self, entries: int, shape: ShapeLike) -> None:
        """Create a queue."""
        self._entries, self._shape = entries, shape
        super().__init__(
            {
                "in_ex": In(1),
                "enters": In(1),
                "entry": In(shape),
                "valid": Out(1),
                "oldest": Out(shape),
                "takes": In(1),
                "room": Out(1),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Shift the entries; the oldest is the first one."""
        m = Module()
        entries = [Signal(self._shape, name=f"entry_{number}") for number in range(self._entries)]
        count = Signal(range(self._entries + 1))
        none, removes, adds = Signal(), Signal(), Signal()
        m.d.comb += [
            none.eq(count == 0),
            self.oldest.eq(entries[0]),
            self.valid.eq(~none | self.enters),
            removes.eq(self.takes & ~none),
            adds.eq(self.enters & ~(self.takes & none)),
            self.room.eq(count + self.in_ex < self._entries + self.takes),
            self.empty.eq(none & ~self.in_ex),
        ]
        with m.If(none):
            m.d.comb += self.oldest.eq(self.entry)
        for number, (entry, following) in enumerate(zip(entries, [*entries[1:], self.entry], strict=True)):
            with m.If(adds & (count - removes == number)):
                m.d.sync += entry.eq(self.entry)
            with m.Elif(removes):
                m.d.sync += entry.eq(following)
        m.d.sync += count.eq(count + adds - removes)
        return m
