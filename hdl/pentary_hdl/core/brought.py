"""What an instruction brings from EX to MEM: its access to memory or a device, and the record with which it retires."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.system import DEVICES
from pentary_hdl.core import retire
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS
from pentary_hdl.core.decode import ISSUED
from pentary_hdl.core.decoder import Kind, Unit
from pentary_hdl.core.ports import INPUT
from pentary_hdl.core.registers import WRITE
from pentary_hdl.core.retire import Path

BROUGHT: Final = data.StructLayout(
    {
        "record": retire.RETIRED,
        "loads": 5,  # register that the loaded word is for, 0 for none
        "reads": 1,  # it takes the word that the memory gives
        "stores": 1,
        "device": 1,
        "exits": 1,  # the device is EXIT, else CONSOLE
    }
)

_PATHS: Final = (Path.PRODUCT, Path.LOAD, Path.UNIT)


class Brought(wiring.Component):
    """What the instruction in EX brings to MEM, known as it commits.

    Args:
        arriving: words for registers that can come in a cycle.

    Members:
        ex: In; the instruction, of `decode.ISSUED`.
        first, waited: In; it is in its first cycle in EX; it needs more than one.
        commits: In; it is certain to complete.
        order, cycle: In; its number; CYCLE.
        address, device: In; what it accesses, or the first word that it moves.
        input: Out; as of the core.
        arrives: In; words for registers that come in this cycle: a product, one from memory, those of units.
        result: In; its own word for a register.
        gives_flags, flags, old_flags: In; whether it gives flags, these, and those before it.
        flags_wait: In; flags of a product before it, or of itself, come in a later cycle.
        brought: Out; of `BROUGHT`.
    """

    def __init__(self, arriving: int) -> None:
        """Create what is between the stages."""
        super().__init__(
            {
                "ex": In(ISSUED),
                "first": In(1),
                "waited": In(1),
                "commits": In(1),
                "order": In(retire.ORDER_BITS),
                "cycle": In(w.WORD),
                "address": In(w.WORD),
                "device": In(1),
                "input": Out(INPUT),
                "arrives": In(WRITE).array(arriving),
                "result": In(w.WORD),
                "gives_flags": In(1),
                "flags": In(FLAGS),
                "old_flags": In(FLAGS),
                "flags_wait": In(1),
                "brought": Out(BROUGHT),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Gather it in the cycle in which the instruction commits, and keep it while that waits for MEM."""
        m = Module()
        ex, control, brought = self.ex, self.ex.fetched.control, self.brought
        kind = control.kind
        loads = (kind == Kind.LOAD) | (kind == Kind.POP)
        stores = (kind == Kind.STORE) | (kind == Kind.PUSH)
        is_available = self._is_at("AVAILABLE")

        moved, late_path = Signal(w.WORD), Signal(Path)  # datum of a store, or word of a device
        m.d.comb += [moved.eq(ex.late), late_path.eq(ex.met.late)]
        with m.If(loads):
            m.d.comb += moved.eq(Mux(is_available, self.input.available.as_value(), self.input.word.as_value()))
        with m.Elif(self.first & ex.late_comes):
            for place, port in enumerate(self.arrives):
                with m.If(port.register == control.late):
                    m.d.comb += [moved.eq(port.word), late_path.eq(_PATHS[min(place, len(_PATHS) - 1)])]

        entered, held = Signal(w.WORD), Signal(BROUGHT)
        with m.If(self.first):
            m.d.sync += entered.eq(self.cycle)
        record, nothing = brought.record, Cat(*w.constant(0))
        multiplies = kind == Kind.MULTIPLY
        m.d.comb += [brought.eq(held), self.input.taken.eq(self.commits & loads & self.device & ~is_available)]
        with m.If(self.commits):
            m.d.comb += [
                record.order.eq(self.order),
                record.execute.eq(Mux(self.first, self.cycle.as_value(), entered.as_value())),
                record.pc.eq(ex.fetched.pc),
                record.word.eq(ex.fetched.word),
                record.register.eq(control.written),
                record.value.eq(self.result),
                record.accesses.eq(loads | stores | control.moves),
                record.address.eq(self.address),
                record.stores.eq(stores),
                record.stores_vector.eq(control.moves & ~control.move.loads),
                record.data.eq(Mux(loads | stores, moved.as_value(), nothing)),
                record.flags.eq(Mux(self.gives_flags, self.flags, self.old_flags)),
                record.product.eq(multiplies),
                record.of_unit.eq(control.unit != Unit.NONE),
                record.flags_late.eq((self.flags_wait & ~self.gives_flags) | multiplies),
                record.halt.eq(kind == Kind.HALT),
                record.met.eq(ex.met),
                record.met.late.eq(late_path),
                record.met.waits[retire.WAITS.index("execute")].eq(self.waited),
                brought.loads.eq(Mux(loads, control.written, 0)),
                brought.reads.eq(loads & ~self.device),
                brought.stores.eq(stores),
                brought.device.eq(self.device),
                brought.exits.eq(self._is_at("EXIT")),
            ]
            m.d.sync += held.eq(brought)
        return m

    def _is_at(self, device: str) -> Value:
        return Cat(*self.address) == Cat(*w.constant(DEVICES[device].address))
