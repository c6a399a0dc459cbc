"""Rows of the instruction that the vector unit executes: their numbers, and what goes with each through the lanes."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL, VECTORS
from pentary_hdl.core import word as w
from pentary_hdl.vector.decoder import Op, is_any
from pentary_hdl.vector.parameters import Sizes, occupying
from pentary_hdl.vector.scoreboard import NUMBER

_ONCE: Final = occupying("1")
_PASSES: Final = occupying("wv")
_ELEMENT_BITS: Final = (MAX_VL - 1).bit_length()


def entry_layout(ticket: data.StructLayout) -> data.StructLayout:
    """Return the layout of an instruction in the queue."""
    return data.StructLayout(
        {
            "ticket": ticket,
            "op": Op,
            "d": 5,
            "a": 3,
            "b": 5,
            "width": 4,
            "word": w.WORD,  # the scalar operand
            "element": _ELEMENT_BITS,  # of VGET and VSET
            "last": _ELEMENT_BITS,  # VL less 1
            "count": range(MAX_VL + 1),  # elements of the result that are computed: VL, or those that CONV has
        }
    )


def slot_layout(sizes: Sizes) -> data.StructLayout:
    """Return the layout of what goes with a row."""
    return data.StructLayout(
        {
            "valid": 1,
            "op": Op,
            "d": 5,
            "b": 5,
            "width": 4,
            "word": w.WORD,
            "lane": range(sizes.lanes),  # of VGET and VSET
            "pass": 4,  # of CONV; of POOL, the row's number modulo w
            "first": 1,  # the instruction's first row, and first of its passes
            "begins": 1,  # the first pass of a row
            "ends": 1,  # the last pass of a row
            "last": 1,  # the instruction's last row and pass
            "target": sizes.row_number,  # row of the result
            "inside": sizes.lanes,  # elements that are computed
        }
    )


class Sequence(wiring.Component):
    """Sequence of the rows and passes of an instruction, one in each cycle.

    Args:
        sizes: of the unit.
        ticket: layout of a ticket of the scoreboard.

    Members:
        starts: In; an instruction starts in the next cycle.
        entry: In; with it, the instruction.
        slot: Out; what goes with the row, or pass, of this cycle.
        accumulator: Out; number of the one that FITGET takes.
        numbers, row: Out; registers whose rows are read, and number of the row.
        reads: Out; registers, a bit for each, that are not read any more from the next cycle on.
    """

    def __init__(self, sizes: Sizes, ticket: data.StructLayout) -> None:
        """Create a sequence."""
        self._sizes, self._entry = sizes, entry_layout(ticket)
        super().__init__(
            {
                "starts": In(1),
                "entry": In(self._entry),
                "slot": Out(slot_layout(sizes)),
                "accumulator": Out(NUMBER),
                "numbers": Out(NUMBER).array(2),
                "row": Out(sizes.row_number),
                "reads": Out(VECTORS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep the instruction, and count."""
        m = Module()
        sizes, slot = self._sizes, self.slot
        entry = Signal(self._entry)
        valid, first = Signal(), Signal()
        row, target, number = Signal(sizes.row_number), Signal(sizes.row_number), Signal(4, name="pass")
        once, passes = is_any(entry.op, _ONCE), is_any(entry.op, _PASSES)
        element_row, last_row = entry.element >> sizes.depth, entry.last >> sizes.depth
        grouped = passes | (entry.op == Op.POOL)
        wraps = ~grouped | (number == entry.width)
        last = once | ((row == last_row) & (wraps | ~passes))
        with m.If(self.starts):
            m.d.sync += [entry.eq(self.entry), valid.eq(1), first.eq(1), row.eq(0), target.eq(0), number.eq(0)]
        with m.Elif(valid):
            m.d.sync += [
                valid.eq(~last),
                first.eq(0),
                row.eq(row + (wraps | ~passes)),
                target.eq(target + wraps),
                number.eq(Mux(wraps, 0, number + 1)),
            ]
        full, some = entry.count >> sizes.depth, entry.count[: sizes.depth]
        inside = Cat((row < full) | ((row == full) & (lane < some)) for lane in range(sizes.lanes))
        m.d.comb += [
            self.accumulator.eq(entry.a),
            slot.valid.eq(valid),
            slot.op.eq(entry.op),
            slot.d.eq(entry.d),
            slot.b.eq(entry.b),
            slot.width.eq(entry.width),
            slot.word.eq(entry.word),
            slot.lane.eq(entry.element),
            slot["pass"].eq(number),
            slot.first.eq(first),
            slot.begins.eq(number == 0),
            slot.ends.eq(wraps),
            slot.last.eq(last),
            slot.target.eq(Mux(once, element_row, target)),
            slot.inside.eq(inside),
        ]
        # CONV reads the taps with its first row, then in pass 1 the next row of vs.
        next_row = passes & (number == 1)
        m.d.comb += [
            self.numbers[0].eq(entry.a),
            self.numbers[1].eq(Mux(passes & ~first, entry.a, entry.b)),
            self.row.eq(Mux(once, element_row, row + next_row)),
        ]
        finished = valid & last
        uses = entry.ticket.uses
        m.d.comb += self.reads.eq(
            Cat(
                finished
                & (
                    (uses.first.used & (uses.first.number == register))
                    | (uses.second.used & (uses.second.number == register))
                )
                for register in range(VECTORS)
            )
        )
        return m
