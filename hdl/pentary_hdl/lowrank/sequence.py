"""Slots of the instruction that the low-rank unit executes: one for each cycle of its occupancy.

PRNG        as many as a generator word takes cycles
LRGEN       until the last word of the pair is written
LRMUL       for each group of lanes of a row, one for each level
LRMULX      for each level, one for each group of lanes of the input; then those in which the last of these passes
            through the tree of adders; then those of LRMUL
LRADD ...   one for each beat of a row; POPAVG as many as `lralu.update` takes for it
"""

from typing import Final

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import CONTROLS, MAX_VL, VECTORS
from pentary.lowrank.operations import MAX_RANK
from pentary_hdl.core import word as w
from pentary_hdl.lowrank.decoder import MOVES, Op
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.update import ELEMENTS, PERIOD, SETUP
from pentary_hdl.vector.decoder import is_any
from pentary_hdl.vector.scoreboard import NUMBER

_UPDATE_LAST: Final = SETUP + ELEMENTS * PERIOD - 1
_TOTALS: Final = 6
"""Slot of POPAVG that reads the totals of the first beat; those of the others are read at the same interval."""

_TOTALS_NEXT: Final = _TOTALS + ELEMENTS * PERIOD


class Phase(enum.Enum, shape=2):
    """Phases of LRMULX."""

    PROJECT = 0
    WAIT = 1
    MULTIPLY = 2


def entry_layout(ticket: data.StructLayout) -> data.StructLayout:
    """Return the layout of an instruction in the queue."""
    return data.StructLayout(
        {
            "ticket": ticket,
            "op": Op,
            "d": 5,
            "a": NUMBER,
            "b": NUMBER,
            "x": w.WORD,
            "y": w.WORD,
            "number": range(MAX_VL + 1),  # x, if it is a small number
        }
    )


def slot_layout(parameters: LowRankParameters) -> data.StructLayout:
    """Return the layout of a slot."""
    return data.StructLayout(
        {
            "valid": 1,
            "op": Op,
            "d": 5,
            "first": 1,  # the instruction's first slot, and its last
            "last": 1,
            "projects": 1,  # LRMULX multiplies its input
            "multiplies": 1,  # LRMUL or LRMULX makes sums
            "begins": 1,  # the first and the last slot of a level or group of lanes
            "ends": 1,
            "level": range(MAX_RANK),
            "group": range(parameters.groups),
            "gives": 1,  # a beat of results
            "reads_totals": 1,  # POPAVG reads a beat of vt
            "beat": range(parameters.beats),
            "last_beat": 1,
            "rank_last": range(MAX_RANK),
            "cols_last": range(MAX_VL),
            "width": range(CONTROLS["WIDTH"][1] + 1),
        }
    )


class Sequence(wiring.Component):
    """Sequence of the slots of an instruction.

    Args:
        parameters: of the unit.
        ticket: layout of a ticket of the scoreboard.

    Members:
        starts: In; an instruction starts in the next cycle.
        entry: In; with it, the instruction.
        rows_last, cols_last, rank_last, width: In; control registers, of `controls.Controls`.
        finished: In; LRGEN writes the last word of the pair in this cycle.
        executed: Out; the instruction of this cycle.
        slot: Out; its slot of this cycle.
        reads: Out; registers, a bit for each, that are not read any more from the next cycle on.
    """

    def __init__(self, parameters: LowRankParameters, ticket: data.StructLayout) -> None:
        """Create a sequence."""
        self._parameters, self._entry = parameters, entry_layout(ticket)
        self._slot = slot_layout(parameters)
        controls = {name: In(self._slot[name].shape) for name in ("cols_last", "rank_last", "width")}
        super().__init__(
            {
                "starts": In(1),
                "entry": In(self._entry),
                **{"rows_last": In(range(MAX_VL)), **controls},
                "finished": In(1),
                "executed": Out(self._entry),
                "slot": Out(self._slot),
                "reads": Out(VECTORS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep the instruction, and count."""
        m = Module()
        parameters, slot, entry = self._parameters, self.slot, self.executed
        op, valid, first, phase = entry.op, Signal(), Signal(), Signal(Phase)
        both = op == Op.LRMULX
        projects = both & (phase == Phase.PROJECT)
        multiplies = (op == Op.LRMUL) | (both & (phase == Phase.MULTIPLY))
        moves, updates = is_any(op, MOVES), op == Op.POPAVG

        # A slot for each value of `inner` in each value of `outer`.
        lanes, beat = ceil_log2(parameters.lanes), ceil_log2(parameters.beat_elements)
        inner, outer = Signal(range(max(MAX_RANK, _UPDATE_LAST + 1))), Signal(range(max(MAX_RANK, parameters.beats)))
        inner_end, outer_end = Signal.like(inner), Signal.like(outer)
        with m.If(projects):
            m.d.comb += [inner_end.eq(self.rows_last >> lanes), outer_end.eq(self.rank_last)]
        with m.Elif(multiplies):
            m.d.comb += [inner_end.eq(self.rank_last), outer_end.eq(self.cols_last >> lanes)]
        with m.Elif(both):
            m.d.comb += inner_end.eq(lanes + 2)
        with m.If(op == Op.PRNG):
            m.d.comb += inner_end.eq(parameters.word_cycles - 1)
        with m.If(updates):
            m.d.comb += inner_end.eq(_UPDATE_LAST)
        with m.If(moves):
            m.d.comb += outer_end.eq(self.cols_last >> beat)
        inner_done, outer_done, done, last = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            inner_done.eq(inner == inner_end),
            outer_done.eq(outer == outer_end),
            done.eq(inner_done & outer_done),
            last.eq(Mux(op == Op.LRGEN, self.finished, done & (~both | multiplies))),
        ]
        with m.If(self.starts):
            m.d.sync += [entry.eq(self.entry), valid.eq(1), first.eq(1), inner.eq(0), outer.eq(0), phase.eq(0)]
        with m.Elif(valid):
            m.d.sync += [valid.eq(~last), first.eq(0), inner.eq(inner + 1)]
            with m.If(inner_done):
                m.d.sync += [inner.eq(Mux(updates, SETUP, 0)), outer.eq(outer + 1)]
            with m.If(done):
                m.d.sync += [inner.eq(0), outer.eq(0), phase.eq(phase.as_value() + 1)]

        follows = updates & (inner == _TOTALS_NEXT)  # totals of the next beat
        m.d.comb += [
            slot.valid.eq(valid),
            slot.op.eq(op),
            slot.d.eq(entry.d),
            slot.first.eq(first),
            slot.last.eq(last),
            slot.projects.eq(projects),
            slot.multiplies.eq(multiplies),
            slot.begins.eq(inner == 0),
            slot.ends.eq(inner_done),
            slot.level.eq(Mux(projects, outer, inner)),
            slot.group.eq(Mux(projects, inner, outer)),
            slot.gives.eq(moves & inner_done),
            slot.reads_totals.eq(updates & ((inner == _TOTALS) | (inner == _TOTALS_NEXT))),
            slot.beat.eq(outer + follows),
            slot.last_beat.eq(outer_done),
            slot.rank_last.eq(self.rank_last),
            slot.cols_last.eq(self.cols_last),
            slot.width.eq(self.width),
        ]
        uses, ends = entry.ticket.uses, valid & last
        m.d.comb += self.reads.eq(
            Cat(
                ends
                & (
                    (uses.first.used & (uses.first.number == register))
                    | (uses.second.used & (uses.second.number == register))
                )
                for register in range(VECTORS)
            )
        )
        return m
