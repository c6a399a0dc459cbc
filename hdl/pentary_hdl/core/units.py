"""The units beside the pipeline, as the pipeline sees them: what it hands to them, and what they tell it."""

from collections.abc import Mapping
from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL, REGISTERS, VECTORS
from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.core.decoder import UNITS, Unit
from pentary_hdl.core.ports import ELEMENT_BITS, MOVE, Order, moves
from pentary_hdl.core.registers import WRITE
from pentary_hdl.vector.decoder import CONTROL, Decoder
from pentary_hdl.vector.gate import ACTIVE
from pentary_hdl.vector.indices import Indices
from pentary_hdl.vector.load_store import LoadStoreUnit
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.unit import RESULTS as VECTOR_RESULTS
from pentary_hdl.vector.vector import Vector

RESULTS: Final = VECTOR_RESULTS
"""Words for scalar registers that can come in a cycle."""


class Units(wiring.Component):
    """The units that a machine has, with the vector registers.

    Args:
        config: configuration of the machine, which has at least one unit.

    Members:
        word: In; instruction word in ID.
        decodes: In; it enters EX in the next cycle.
        in_ex: In; a bit for each of `decoder.UNITS`: its instruction is in EX.
        enters: In; that instruction leaves EX in this cycle, and is certain to complete.
        move: In; what it asks of the vector load/store unit.
        address: In; address of the first element that it moves, unless that depends on an index.
        x, y: In; its operands, words.
        vl, last_row: In; VL, and the number of the last row of a vector.
        text: In; number of words in the text.
        row: In; how many cycles the instruction in EX has been there.
        first: Out; address of the first element of a LOADVX or STOREVX in EX, in its first cycle.
        wrong, value: Out; in its last cycle, whether an address is wrong, and which.
        room: Out; a bit for each unit: another instruction of it may enter EX in the next cycle.
        idle: Out; a bit for each unit: all its instructions are complete from the next cycle on.
        results: Out; words for scalar registers, of `registers.WRITE`.
        announced: Out; registers of those of the next cycle, 0 for none.
        moves: Out; the vector load/store unit has accesses left for this cycle or later ones.
        memory: Out; of `ports.moves`.
        complete: Out; a bit for each vector register: no instruction in EX, or after it, is still to write it from the
            next cycle on.
        active: Out; of `vector.gate.ACTIVE`.
    """

    def __init__(self, config: Config) -> None:
        """Create the units."""
        self._config = config
        sizes = Sizes.of(config)
        super().__init__(
            {
                "word": In(w.WORD),
                "decodes": In(1),
                "in_ex": In(len(UNITS)),
                "enters": In(1),
                "move": In(MOVE),
                "address": In(w.WORD),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "vl": In(range(MAX_VL + 1)),
                "last_row": In(sizes.row_number),
                "text": In(w.WORD),
                "row": In(sizes.row_number),
                "first": Out(w.WORD),
                "wrong": Out(1),
                "value": Out(w.WORD),
                "room": Out(len(UNITS)),
                "idle": Out(len(UNITS)),
                "results": Out(WRITE).array(RESULTS),
                "announced": Out(range(REGISTERS)).array(RESULTS),
                "moves": Out(1),
                "memory": Out(moves(sizes.beat)),
                "complete": Out(VECTORS),
                "active": Out(ACTIVE),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the units with the pipeline and with each other."""
        m = Module()
        config = self._config
        m.submodules.decoder = decoder = Decoder()
        m.submodules.vector = vector = Vector(config, 1)
        m.submodules.load_store = load_store = LoadStoreUnit(config, 2)
        m.submodules.indices = indices = Indices(config)
        control, last = Signal(CONTROL), Signal(ELEMENT_BITS)
        indexed = self.in_ex[UNITS.index(Unit.MEMORY)] & (self.move.order == Order.INDEXED)
        with m.If(self.decodes):
            m.d.sync += control.eq(decoder.control)
        uses = {Unit.VECTOR: control.uses, Unit.MEMORY: load_store.registers.uses}

        def is_written(number: int) -> Value:
            written = [
                self.in_ex[UNITS.index(unit)] & own.written.used & (own.written.number == number)
                for unit, own in uses.items()
            ]
            return Cat(written).any()

        m.d.comb += [
            decoder.word.eq(self.word),
            vector.control.eq(control),
            vector.vl.eq(self.vl),
            last.eq(self.vl - 1),
            load_store.move.eq(self.move),
            load_store.first.eq(Mux(indexed, indices.first.as_value(), self.address.as_value())),
            load_store.step.eq(self.y),
            load_store.last.eq(last),
            indices.valid.eq(indexed),
            indices.number.eq(self.move.indices),
            indices.row.eq(self.row),
            indices.last.eq(last),
            indices.base.eq(self.y),
            indices.stores.eq(~self.move.loads),
            indices.text.eq(self.text),
            self.first.eq(indices.first),
            self.wrong.eq(indices.wrong & (self.row == self.last_row)),
            self.value.eq(indices.value),
            self.moves.eq(load_store.moves),
            self.complete.eq(vector.complete & ~Cat(is_written(number) for number in range(VECTORS))),
            self.active.eq(vector.active),
        ]
        wiring.connect(m, load_store.registers, vector.others[0])
        for name in ("window", "moved"):
            wiring.connect(m, getattr(load_store, name), getattr(vector, name))
        wiring.connect(m, indices.read, vector.looked)
        wiring.connect(m, load_store.memory, wiring.flipped(self.memory))

        units: Mapping[Unit, wiring.Component] = {Unit.VECTOR: vector, Unit.MEMORY: load_store}
        for place, unit in enumerate(UNITS):
            if unit not in units:
                m.d.comb += [self.room[place].eq(1), self.idle[place].eq(1)]
                continue
            own = units[unit]
            m.d.comb += [
                own.in_ex.eq(self.in_ex[place]),
                own.enters.eq(self.in_ex[place] & self.enters),
                self.room[place].eq(own.room),
                self.idle[place].eq(own.idle),
            ]
        m.d.comb += [vector.x.eq(self.x), vector.y.eq(self.y)]
        for port, register, given, coming in zip(
            self.results, self.announced, vector.results, vector.announced, strict=True
        ):
            m.d.comb += [
                port.register.eq(Mux(given.valid, given.register, 0)),
                port.word.eq(given.word),
                register.eq(Mux(coming.valid, coming.register, 0)),
            ]
        return m
