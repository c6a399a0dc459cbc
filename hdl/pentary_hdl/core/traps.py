"""Traps in EX: faults and interrupts, and the control and status registers."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.system import CAUSES
from pentary.machine.config import Config
from pentary_hdl.core import retire
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS
from pentary_hdl.core.decode import ISSUED
from pentary_hdl.core.decoder import Kind, Operand
from pentary_hdl.core.faults import Faults
from pentary_hdl.core.lengths import ROWS, Lengths
from pentary_hdl.core.ports import Order
from pentary_hdl.core.system import COUNTED, System


class Traps(wiring.Component):
    """Decides whether the instruction in EX is trapped, and keeps what it can read and set of the machine's state.

    Args:
        config: configuration of the machine.

    Members:
        ex: In; the instruction, of `decode.ISSUED`.
        y: In; its second operand, a word.
        first: In; there is one, in its first cycle in EX.
        last: In; there is one, which commits in this cycle unless it is trapped.
        commits: In; it does.
        order, cycles: In; its number, and how many cycles it has been in EX.
        text, external: In; as of the core.
        input_valid: In; the input has a character.
        overflows, product_overflows: In; flag V of its sum; of its product, in the last cycle.
        first_index, bad_index, wrong_index, bus_failed, bus_address: In; as of `execute.Execute`.
        counts: In; of `system.COUNTED`.
        flags, flags_wait, flags_come: In; flags of the instructions before it, of `FLAGS`; a product is still to change
            them; it does so in this cycle.
        trap: Out; it is trapped.
        late: Out; because of its product.
        early: Out; as of `Faults`, `happens_early`.
        address, device: Out; what it accesses, and whether that is a device.
        first_address: Out; the same, or the address of the first element by indices.
        value, old_flags: Out; of the CSR that it reads; the flags that TRET restores.
        handled: Out; the trap goes to `handler`, and does not end the program.
        handler, epc, cycle: Out; words.
        vl, last_row: Out; as of `Lengths`.
        trapped: Out; of `retire.TRAPPED`.
    """

    def __init__(self, config: Config) -> None:
        """Create the registers."""
        self._overflow_trap = config.exceptions.overflow_trap
        self._faults, self._lengths = Faults(config), Lengths(config)
        super().__init__(
            {
                "ex": In(ISSUED),
                "y": In(w.WORD),
                "first": In(1),
                "last": In(1),
                "commits": In(1),
                "order": In(retire.ORDER_BITS),
                "cycles": In(5),
                "text": In(w.WORD),
                "external": In(1),
                "input_valid": In(1),
                "overflows": In(1),
                "product_overflows": In(1),
                "first_index": In(w.WORD),
                "bad_index": In(1),
                "wrong_index": In(w.WORD),
                "bus_failed": In(1),
                "bus_address": In(w.WORD),
                "counts": In(len(COUNTED)),
                "flags": In(FLAGS),
                "flags_wait": In(1),
                "flags_come": In(1),
                "trap": Out(1),
                "late": Out(1),
                "early": Out(1),
                "address": Out(w.WORD),
                "device": Out(1),
                "first_address": Out(w.WORD),
                "value": Out(w.WORD),
                "old_flags": Out(FLAGS),
                "handled": Out(1),
                "handler": Out(w.WORD),
                "epc": Out(w.WORD),
                "cycle": Out(w.WORD),
                "vl": Out(self._lengths.vl.shape()),
                "last_row": Out(self._lengths.last_row.shape()),
                "trapped": Out(retire.TRAPPED),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the checks and the registers."""
        m = Module()
        m.submodules.faults, m.submodules.lengths, m.submodules.system = faults, lengths, system = (
            self._faults,
            self._lengths,
            System(),
        )
        ex, control = self.ex, self.ex.fetched.control
        indexed, kind = control.moves & (control.move.order == Order.INDEXED), control.kind
        self._check(m, faults, lengths, system)
        by_index = Signal()
        m.d.comb += [
            by_index.eq(self.last & indexed & self.bad_index & ~(self.first & faults.happens)),
            self.trap.eq((self.first & faults.happens) | self.late | by_index),
            self.early.eq(faults.happens_early),
            self.address.eq(faults.address),
            self.device.eq(faults.device),
            self.first_address.eq(faults.address),
            lengths.new.eq(ex.x),
            lengths.sets_length.eq(self.commits & (kind == Kind.SETVL)),
            lengths.sets_rows.eq(self.commits & (control.checked == Operand.CONTROL) & (control.csr == ROWS)),
            self.vl.eq(lengths.vl),
            self.last_row.eq(lengths.last_row),
        ]
        with m.If(indexed):
            m.d.comb += self.first_address.eq(self.first_index)
        happened = system.happened
        m.d.comb += [happened.cause.eq(faults.cause), happened.value.eq(faults.value), happened.pc.eq(ex.fetched.pc)]
        late = [(by_index, "memory", list(self.wrong_index))]
        if self._overflow_trap:
            m.d.comb += self.late.eq(self.last & control.traps_late & self.product_overflows)
            late.append((self.late, "overflow", w.constant(0)))
        for holds, cause, value in late:
            with m.If(holds):
                m.d.comb += [*w.assign(happened.cause, w.constant(CAUSES[cause])), *w.assign(happened.value, value)]
        self._use_system(m, system)
        return m

    def _check(self, m: Module, faults: Faults, lengths: Lengths, system: System) -> None:
        """Look for faults and interrupts. Addresses have an adder of their own, as their checks take long."""
        ex = self.ex
        address, carried = w.add(m, list(ex.x), list(self.y))
        external, bus_failed, bus_address = Signal(), Signal(), Signal(w.WORD)
        pending = external | self.external
        with m.If(self.bus_failed):
            m.d.sync += [bus_failed.eq(1), bus_address.eq(self.bus_address)]
        with m.Elif(self.first):
            m.d.sync += bus_failed.eq(0)
        m.d.sync += external.eq(pending & ~(self.first & faults.external & ~bus_failed))
        m.d.comb += [
            faults.control.eq(ex.fetched.control),
            faults.outside.eq(ex.fetched.outside),
            faults.pc.eq(ex.fetched.pc),
            faults.x.eq(ex.x),
            faults.y.eq(self.y),
            *w.assign(faults.sum, address),
            faults.beyond.eq(carried != 1),
            faults.overflows.eq(self.overflows),
            faults.text.eq(self.text),
            faults.input_valid.eq(self.input_valid),
            faults.bus.eq(bus_failed),
            faults.bus_address.eq(bus_address),
            faults.external.eq(pending & system.enabled),
            faults.timer.eq(system.timer & system.enabled),
            faults.csr_fits.eq(system.fits),
            faults.length.eq(lengths.length),
            faults.beyond_length.eq(lengths.beyond),
            faults.rows.eq(lengths.rows),
        ]

    def _use_system(self, m: Module, system: System) -> None:
        """Connect the control and status registers, and tell what is trapped."""
        ex, kind, trapped = self.ex, self.ex.fetched.control.kind, self.trapped
        late_at_trap = Signal()
        with m.If(self.trap):
            m.d.sync += late_at_trap.eq(self.flags_wait)
        with m.Elif(self.flags_come):
            m.d.sync += late_at_trap.eq(0)
        m.d.comb += [
            system.number.eq(ex.fetched.control.csr),
            system.text.eq(self.text),
            system.new.eq(ex.x),
            system.write.eq(self.commits & (kind == Kind.CSRW)),
            system.trap.eq(self.trap & system.handled),
            system.flags.eq(self.flags),
            system.late_flags.eq(late_at_trap & self.flags_come),
            system.leave.eq(self.commits & (kind == Kind.TRET)),
            system.counted.eq(self.counts),
            *(getattr(self, name).eq(getattr(system, name)) for name in ("value", "old_flags", "handled")),
            *(getattr(self, name).eq(getattr(system, name)) for name in ("handler", "epc", "cycle")),
            trapped.order.eq(self.order),
            trapped.pc.eq(ex.fetched.pc),
            trapped.word.eq(ex.fetched.word),
            trapped.cause.eq(system.happened.cause),
            trapped.flags.eq(self.flags),
            trapped.flags_late.eq(self.flags_wait & ~self.late),
            trapped.held.eq(self.cycles),
            trapped.fatal.eq(~system.handled),
            trapped.is_double.eq(system.is_double),
        ]
