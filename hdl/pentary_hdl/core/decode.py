"""Second stage of the core, ID: operands are read, and an instruction waits until it may enter EX."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import VECTORS
from pentary.numbers.word import PENTS
from pentary_hdl.core import retire
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import Operands, second_operand
from pentary_hdl.core.decoder import UNITS, Unit
from pentary_hdl.core.fetch import FETCHED
from pentary_hdl.core.operands import AWAITED, USED
from pentary_hdl.core.ports import Order
from pentary_hdl.core.retire import WAITS, Path

ISSUED: Final = data.StructLayout(
    {
        "fetched": FETCHED,
        "x": w.WORD,
        "y": data.ArrayLayout(w.DIGIT, PENTS + 1),
        "late": w.WORD,  # the datum of a store
        "late_comes": 1,  # it comes in the first cycle in EX
        "met": retire.MET,
    }
)
"""An instruction that enters EX, with its operands."""

_ALL: Final = (1 << len(UNITS)) - 1


class Decode(wiring.Component):
    """Stage ID.

    Members:
        valid, fetched: In; instruction, of `FETCHED`.
        used: Out; its scalar registers, of `USED`.
        words: In; what x, and y or late, have, with what is being written to them.
        paths: In; where these words come from.
        loads, products, results: In; of `AWAITED`: which registers wait for a word from memory, the multiplier or a
            unit.
        flags_wait, acc_wait: In; whether the flags, or ACC, wait for a product.
        room, idle: In; a bit for each of `decoder.UNITS`: another instruction of it may enter EX; it is idle.
        complete: In; a bit for each vector register: no instruction is still to write it.
        accesses: In; an instruction in EX or MEM may still access memory in the next cycle.
        may_enter: In; EX is free in the next cycle.
        redirect: In; what is here is dropped; it is known late in the cycle.
        trap: In; and the reason is a trap.
        leaves: Out; the instruction enters EX, unless there is a `redirect`.
        issued: Out; the instruction as it enters EX.
    """

    valid: In(1)
    fetched: In(FETCHED)
    used: Out(USED)
    words: In(w.WORD).array(2)
    paths: In(Path).array(2)
    loads: In(AWAITED)
    products: In(AWAITED)
    results: In(AWAITED)
    flags_wait: In(1)
    acc_wait: In(1)
    room: In(len(UNITS), init=_ALL)
    idle: In(len(UNITS), init=_ALL)
    complete: In(VECTORS)
    accesses: In(1)
    may_enter: In(1)
    redirect: In(1)
    trap: In(1)
    leaves: Out(1)
    issued: Out(ISSUED)

    def elaborate(self, platform: object) -> Module:
        """Choose the operands, and decide whether the instruction waits."""
        m = Module()
        control, issued = self.fetched.control, self.issued
        x, y = (list(word) for word in self.words)
        with m.Switch(control.operands):
            for kind in Operands:
                with m.Case(kind):
                    m.d.comb += w.assign(issued.y, second_operand(kind, x, y, list(control.immediate)))

        waits = self._waits(control)
        may_leave = self.valid & self.may_enter
        m.d.comb += [
            *(self.used[name].eq(control[name]) for name, _ in USED),
            self.leaves.eq(may_leave & ~Cat(waits.values()).any()),
            issued.fetched.eq(self.fetched),
            issued.x.eq(self.words[0]),
            issued.late.eq(self.words[1]),
            issued.late_comes.eq(self.loads.late | self.products.late | self.results.late),
            issued.met.x.eq(Mux(control.x == 0, Path.NONE, self.paths[0])),
            issued.met.y.eq(Mux(control.y == 0, Path.NONE, self.paths[1])),
            issued.met.late.eq(Mux(control.late == 0, Path.NONE, self.paths[1])),
        ]
        reasons = {name: may_leave & holds for name, holds in waits.items()}
        reasons["fetch_l2"], reasons["fetch_memory"] = (self.leaves & missed for missed in self.fetched.missed)
        self._record(m, reasons)
        return m

    def _waits(self, control: data.View) -> dict[str, Value]:
        """Return the causes for which the instruction waits here."""
        loads, products, results = self.loads, self.products, self.results
        room = Cat((control.unit == unit) & ~self.room[place] for place, unit in enumerate(UNITS))
        indexed = control.moves & (control.move.order == Order.INDEXED)
        moving = ~self.idle[UNITS.index(Unit.MEMORY)]
        return {
            "load_use": loads.x | loads.y | loads.too_late,
            "multiply_use": (products.x | products.y | products.written | products.too_late)
            | (control.reads_flags & self.flags_wait)
            | (control.reads_acc & self.acc_wait),
            "unit_result": (results.x | results.y | results.written | results.too_late)
            | (indexed & ~self.complete.bit_select(control.move.indices, 1)),
            "memory_order": (control.after_moves & moving) | (control.counts_accesses & self.accesses),
            "queue": room.any(),
            "sync": control.after_units & ~self.idle.all(),
        }

    def _record(self, m: Module, reasons: dict[str, Value]) -> None:
        """Keep what the instruction has waited for, for its record; what drops the others here holds up the next."""
        waited, before = Signal(len(WAITS)), Signal(len(WAITS))  # in ID, and before
        now = waited | Cat(reasons.get(name, Const(0, 1)) for name in WAITS)
        dropped = {"flush": ~self.trap, "trap": self.trap}
        m.d.comb += self.issued.met.waits.eq(now | before)
        with m.If(self.redirect):
            m.d.sync += [waited.eq(0), before.eq(Cat(dropped.get(name, Const(0, 1)) for name in WAITS))]
        with m.Else():
            m.d.sync += waited.eq(Mux(self.leaves, 0, now))
            with m.If(self.leaves):
                m.d.sync += before.eq(0)
