"""The caches of the core: those of the first level at its stages IF and MEM, that of the second, and the bus."""

from typing import Final

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.bus.axi import AXI
from pentary_hdl.caches.data import DataCache
from pentary_hdl.caches.instructions import InstructionCache
from pentary_hdl.caches.second import SecondCache
from pentary_hdl.core import word as w
from pentary_hdl.core.ports import WRITE

WAY_BITS = 6
"""Width of a way's number in the core."""


_PORTS: Final = {
    "pc": In(w.WORD),
    "outside": In(1),
    "certain": In(1),
    "ready": Out(1),
    "read": In(1),
    "instruction": Out(w.WORD),
    "way": Out(WAY_BITS),
    "executed": In(1),
    "executed_pc": In(w.WORD),
    "executed_way": In(WAY_BITS),
    "address": In(w.WORD),
    "enters": In(1),
    "comes": Out(1),
    "valid": In(1),
    "store": In(WRITE),
    "done": Out(1),
    "soon": Out(1),
    "loaded": Out(w.WORD),
    "flush": In(1),
    "flushed": Out(1),
    "axi": Out(AXI),
    "instruction_missed": Out(1),
    "data_missed": Out(1),
    "missed": Out(1),
    "for_data": Out(1),
    "failed": Out(1),
    "failed_at": Out(w.WORD),
}


class Caches(wiring.Component):
    """The caches, connected with each other.

    Args:
        config: configuration of the machine.

    Members:
        pc, outside, certain, ready, read, way, executed, executed_pc, executed_way: as of `InstructionCache`.
        instruction: Out; its word.
        address, enters, comes, valid, done, soon, loaded: as of `DataCache`.
        store: In; address of the access in MEM, and whether it is a store, of which word.
        is_beat, mask, stored, beat: as of `DataCache`.
        flush: In; from now on, what is dirty goes to memory, and there are no accesses.
        flushed: Out; all has.
        axi: Out; bus to memory.
        instruction_missed, data_missed, missed: Out; a line is missed, in the caches of the first level or in L2.
        for_data: Out; with `missed`, whether the line in L2 is one of data.
        failed, failed_at: Out; memory has answered with an error, and an address in the line.
    """

    def __init__(self, config: Config) -> None:
        """Create the caches."""
        self._config = config
        beat = min(config.dcache.beat, config.caches.line)
        super().__init__(
            {
                **_PORTS,
                "is_beat": In(1),
                "mask": In(beat),
                "stored": In(w.WORD).array(beat),
                "beat": Out(w.WORD).array(beat),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the caches."""
        m = Module()
        config = self._config
        m.submodules.instructions = instructions = InstructionCache(config)
        m.submodules.data = data = DataCache(config)
        m.submodules.second = second = SecondCache(config)
        wiring.connect(m, instructions.request, second.instructions)
        wiring.connect(m, data.request, second.data)
        wiring.connect(m, second.axi, wiring.flipped(self.axi))
        m.d.comb += [
            instructions.fill.eq(second.fill),
            data.fill.eq(second.fill),
            data.flush.eq(self.flush),
            second.flush.eq(self.flush & data.flushed),
            self.flushed.eq(second.flushed),
            data.row.eq(second.row),
            second.words.eq(data.words),
            instructions.pc.eq(self.pc),
            instructions.outside.eq(self.outside),
            instructions.certain.eq(self.certain),
            instructions.read.eq(self.read),
            instructions.executed.eq(self.executed),
            instructions.executed_pc.eq(self.executed_pc),
            instructions.executed_way.eq(self.executed_way),
            self.ready.eq(instructions.ready),
            self.instruction.eq(instructions.word),
            self.way.eq(instructions.way),
            data.address.eq(self.address),
            data.enters.eq(self.enters),
            data.valid.eq(self.valid),
            data.at.eq(self.store.address),
            data.stores.eq(self.store.enable),
            data.word.eq(self.store.word),
            data.is_beat.eq(self.is_beat),
            data.mask.eq(self.mask),
            *(own.eq(word) for own, word in zip(data.stored, self.stored, strict=True)),
            *(own.eq(word) for own, word in zip(self.beat, data.beat, strict=True)),
            self.comes.eq(data.comes),
            self.done.eq(data.done),
            self.soon.eq(data.soon),
            self.loaded.eq(data.loaded),
            self.instruction_missed.eq(instructions.request.taken),
            self.data_missed.eq(data.request.taken),
            self.missed.eq(second.missed),
            self.for_data.eq(second.for_data),
            self.failed.eq(second.failed),
            self.failed_at.eq(second.failed_at),
        ]
        return m
