"""Last stages of the core, MEM and WB: memory, devices, loaded words, and the records of what retires."""

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.core import retire
from pentary_hdl.core import word as w
from pentary_hdl.core.brought import BROUGHT
from pentary_hdl.core.operands import AWAITED, USED, answered
from pentary_hdl.core.ports import CONSOLE, EXIT, WRITE
from pentary_hdl.core.retire import WAITS


class MemoryStage(wiring.Component):
    """Stage MEM, as many cycles deep as an access takes, and WB.

    An instruction waits in the first cycle of MEM for a device. A loaded word is there in the last one.

    Args:
        config: configuration of the machine.

    Members:
        enters: In; an instruction enters in the next cycle.
        brought: In; what it brings, of `BROUGHT`.
        loads: In; register that the instruction in EX loads, 0 for none.
        may_enter: In; that instruction enters in the next cycle unless it is trapped.
        device: In; its word comes from a device.
        at_once: In; memory gives it in the first cycle.
        claimed: In; register that an instruction in EX is certain to give a new value, 0 for none.
        claims: In; the same if it is to be certain in this cycle, as far as is known early in the cycle.
        used, awaited: In, Out; as `operands.answered` says.
        free: Out; whether one may enter in the next cycle.
        ends: Out; an instruction is in its last cycle here, and retires in the next one.
        register: Out; the register for which `loaded` comes with it, 0 for none; also if it is overtaken.
        loaded: Out; word.
        memory: In; word that the memory has read.
        accesses: Out; there is an access to memory in the first cycle, at the address of `store`, until it is done.
        done: In; it takes place in this cycle.
        soon: In; it does not, but does in the next one.
        from_memory: In; the line that it waits for comes from memory, not from L2.
        store: Out; as of the core, `enable` for as long as the access is there.
        console, exit: Out; as of the core.
        busy: Out; whether there is an instruction that does not end in this cycle.
        empty: Out; whether there is none.
        retires, retired: Out; as of the core.
        pc, pc_valid: Out; address of the instruction in the first cycle.
    """

    def __init__(self, config: Config) -> None:
        """Create the stage."""
        self._depth, self._latency = config.l1_latency(config.dcache), config.devices.latency
        self._stages = [Signal(BROUGHT, name=f"mem_{place}") for place in range(self._depth)]
        self._valid = [Signal(name=f"mem_{place}_valid") for place in range(self._depth)]
        self._wait, self._moves = Signal(range(self._latency + 1)), Signal()
        super().__init__(
            {
                "enters": In(1),
                "brought": In(BROUGHT),
                "loads": In(5),
                "may_enter": In(1),
                "device": In(1),
                "at_once": In(1, init=1),
                "claimed": In(5),
                "claims": In(5),
                "used": In(USED),
                "awaited": Out(AWAITED),
                "free": Out(1),
                "ends": Out(1),
                "register": Out(5),
                "loaded": Out(w.WORD),
                "memory": In(w.WORD),
                "accesses": Out(1),
                "done": In(1),
                "soon": In(1),
                "from_memory": In(1),
                "store": Out(WRITE),
                "console": Out(CONSOLE),
                "exit": Out(EXIT),
                "busy": Out(1),
                "empty": Out(1),
                "retires": Out(1),
                "retired": Out(retire.RETIRED),
                "pc": Out(w.WORD),
                "pc_valid": Out(1),
            }
        )

    def _waits(self, number: Value) -> Value:
        """Return whether the word loaded for a register comes in a later cycle."""
        found: Value = Const(0, 1)
        for place, (stage, valid) in enumerate(zip(self._stages, self._valid, strict=True)):
            comes = self.ends if place == self._depth - 1 else Const(0, 1)
            found = found | (valid & (stage.loads == number) & ~comes)
        return ((found & (self.claims != number)) | (self.loads == number)) & (number != 0)

    def _waits_late(self, number: Value) -> Value:
        """Return whether it comes in a later cycle than the next."""
        found: Value = Const(0, 1)
        for place, (stage, valid) in enumerate(zip(self._stages, self._valid, strict=True)):
            comes: Value = Const(0, 1)
            if place == self._depth - 1:
                comes = self.ends | (((self._wait == 1) | self.soon) if self._depth == 1 else Const(0, 1))
            elif place == self._depth - 2:
                comes = self._moves if place == 0 else Const(1, 1)
            found = found | (valid & (stage.loads == number) & ~comes)
        return ((found & (self.claims != number)) | ((self.loads == number) & ~self._comes_next())) & (number != 0)

    def _comes_next(self) -> Value:
        """Return whether the word that the instruction in EX loads comes in the next cycle."""
        if self._depth > 1:
            return Const(0, 1)
        return self.may_enter & Mux(self.device, self._latency == 0, self.at_once)

    def elaborate(self, platform: object) -> Module:
        """Create the registers between the cycles."""
        m = Module()
        stages, valid, moves = self._stages, self._valid, self._moves
        first, final, wait = stages[0], stages[-1], self._wait

        entered = Signal()  # the instruction in the first cycle has just come
        with m.If(self.enters):
            m.d.sync += [first.eq(self.brought), entered.eq(1)]
            m.d.sync += wait.eq(Mux(self.brought.device, self._latency, 0))
        with m.Else():
            m.d.sync += entered.eq(0)
            with m.If(wait != 0):
                m.d.sync += wait.eq(wait - 1)
        m.d.sync += valid[0].eq(self.enters | (valid[0] & ~moves))

        to_device = valid[0] & first.device & first.stores
        writes = to_device & ~first.exits
        sent = Signal()
        m.d.sync += sent.eq(writes & ~moves & (sent | self.console.ready))
        m.d.comb += [
            self.accesses.eq(valid[0] & (first.reads | first.stores) & ~first.device),
            moves.eq(valid[0] & (wait == 0) & (~writes | sent | self.console.ready) & (~self.accesses | self.done)),
            self.free.eq(~valid[0] | moves),
            self.store.address.eq(first.record.address),
            self.store.word.eq(first.record.data),
            self.store.enable.eq(self.accesses & first.stores),
            self.console.valid.eq(writes & ~sent),
            self.console.word.eq(first.record.data),
            self.exit.valid.eq(entered & to_device & first.exits),
            self.exit.word.eq(first.record.data),
            self.pc.eq(first.record.pc),
            self.pc_valid.eq(valid[0]),
        ]

        waits = first.record.met.waits
        with m.If(self.accesses & ~self.done):
            m.d.sync += waits[WAITS.index("data_l2")].eq(1)
            with m.If(self.from_memory):
                m.d.sync += waits[WAITS.index("data_memory")].eq(1)
        with m.If(valid[0] & (wait != 0)):
            m.d.sync += waits[WAITS.index("device")].eq(1)

        words = [Mux(first.reads, self.memory.as_value(), first.record.data.as_value())]
        for place in range(1, self._depth):
            word = Signal(w.WORD, name=f"mem_{place}_word")
            m.d.sync += [
                stages[place].eq(stages[place - 1]),
                word.as_value().eq(words[-1]),
                valid[place].eq(moves if place == 1 else valid[place - 1]),
            ]
            words.append(word.as_value())
        # A later instruction that writes the register of a load has overtaken it.
        for place, stage in enumerate(stages):
            with m.If((stage.loads == self.claimed) & (self.claimed != 0)):
                if place + 1 < self._depth:
                    m.d.sync += stages[place + 1].loads.eq(0)
                if place == 0:
                    with m.If(~self.enters):
                        m.d.sync += stage.loads.eq(0)

        m.d.comb += [
            self.loaded.as_value().eq(words[-1]),
            self.ends.eq(moves if self._depth == 1 else valid[-1]),
            self.register.eq(Mux(self.ends, final.loads, 0)),
        ]
        m.d.comb += answered(self.used, self.awaited, self._waits, self._waits_late)
        busy: Value = Const(0, 1)
        there: Value = Const(0, 1)
        for place, holds in enumerate(valid):
            there = there | holds
            busy = busy | (holds & ~self.ends if place == self._depth - 1 else holds)
        m.d.comb += [self.busy.eq(busy), self.empty.eq(~there)]

        m.d.sync += [self.retires.eq(self.ends), self.retired.eq(final.record)]
        with m.If(final.record.accesses & ~final.stores):
            m.d.sync += [self.retired.value.eq(self.loaded), self.retired.data.eq(self.loaded)]
        return m
