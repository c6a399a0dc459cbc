"""The units beside the pipeline, as the pipeline sees them: what it hands to them, and what they tell it."""

from typing import Any, Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL, REGISTERS, VECTORS
from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.core.decoder import UNITS, Unit
from pentary_hdl.core.ports import ELEMENT_BITS, MOVE, Order, moves
from pentary_hdl.core.registers import WRITE
from pentary_hdl.crossbar import decoder as crossbar
from pentary_hdl.crossbar.port import Shape, array_port
from pentary_hdl.crossbar.unit import CrossbarUnit
from pentary_hdl.lowrank import decoder as lowrank
from pentary_hdl.lowrank.unit import ACTIVE as LOWRANK_ACTIVE
from pentary_hdl.lowrank.unit import LowRankUnit
from pentary_hdl.vector import decoder as vector
from pentary_hdl.vector.decoder import Decoder
from pentary_hdl.vector.gate import ACTIVE as VECTOR_ACTIVE
from pentary_hdl.vector.indices import Indices
from pentary_hdl.vector.load_store import LoadStoreUnit
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.unit import RESULTS as VECTOR_RESULTS
from pentary_hdl.vector.vector import Vector

RESULTS: Final = VECTOR_RESULTS + 1
"""Words for scalar registers that can come in a cycle: of the vector unit, and of PRNG."""

ACTIVE: Final = data.StructLayout(dict(VECTOR_ACTIVE.members) | dict(LOWRANK_ACTIVE.members))
"""Clock domains of the units beside `sync`."""


class Units(wiring.Component):
    """The units that a machine has, with the vector registers.

    Args:
        config: configuration of the machine, which has the vector unit.
        shape: of the crossbar's array.

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
        first: Out; address of the first element of a LOADVX or STOREVX in EX.
        wrong, value: Out; in its last cycle, whether an address is wrong, and which.
        room: Out; a bit for each unit: another instruction of it may enter EX in the next cycle.
        idle: Out; a bit for each unit: all its instructions are complete from the next cycle on.
        results: Out; words for scalar registers, of `registers.WRITE`.
        announced: Out; registers of those of the next cycle, 0 for none.
        moves: Out; the vector load/store unit has accesses left for this cycle or later ones.
        memory: Out; of `ports.moves`.
        complete: Out; a bit for each vector register: no instruction in EX, or after it, is still to write it from the
            next cycle on.
        array: Out; of `crossbar.port.array_port`, if there is a crossbar.
        active: Out; of `ACTIVE`.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        """Create the units."""
        self._config, self._shape = config, shape
        sizes = Sizes.of(config)
        self._wide = shape.wide(sizes) if config.units.crossbar else 0
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
                **({"array": Out(array_port(sizes, shape))} if config.units.crossbar else {}),
                "active": Out(ACTIVE),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the units, and connect them with the pipeline and with each other."""
        m = Module()
        present = self._config.units
        others = [Unit.MEMORY, *[Unit.CROSSBAR] * present.crossbar, *[Unit.LOWRANK] * present.lowrank]
        users = 1 + len(others)
        m.submodules.vector = shared = Vector(self._config, len(others), self._wide)
        m.d.comb += [
            shared.vl.eq(self.vl),
            *(self.active[name].eq(shared.active[name]) for name, _ in VECTOR_ACTIVE),
        ]
        load_store = LoadStoreUnit(self._config, users)
        units: dict[Unit, Any] = {Unit.VECTOR: shared, Unit.MEMORY: load_store}
        uses = {Unit.VECTOR: self._decode(m, shared, vector.Op), Unit.MEMORY: load_store.vectors.uses}
        results, coming = list(shared.results), list(shared.announced)
        self._connect_moves(m, load_store, shared)
        if present.crossbar:
            units[Unit.CROSSBAR] = unit = CrossbarUnit(self._config, users, self._shape)
            uses[Unit.CROSSBAR] = self._decode(m, unit, crossbar.Op)
            m.d.comb += unit.vl.eq(self.vl)
            wiring.connect(m, unit.array, wiring.flipped(self.array))
            if self._wide:
                wiring.connect(m, unit.wide, shared.wide)
        if present.lowrank:
            units[Unit.LOWRANK] = unit = LowRankUnit(self._config, users)
            uses[Unit.LOWRANK] = self._decode(m, unit, lowrank.Op)
            results, coming = [*results, *unit.results], [*coming, *unit.announced]
            m.d.comb += [self.active[name].eq(unit.active[name]) for name, _ in LOWRANK_ACTIVE]
        for place, other in enumerate(others):
            m.submodules[other.name.lower()] = units[other]
            wiring.connect(m, units[other].vectors, shared.others[place])
        for place, unit in enumerate(UNITS):
            if unit in units:
                m.d.comb += [
                    units[unit].in_ex.eq(self.in_ex[place]),
                    units[unit].enters.eq(self.in_ex[place] & self.enters),
                    self.room[place].eq(units[unit].room),
                    self.idle[place].eq(units[unit].idle),
                ]
            else:
                m.d.comb += [self.room[place].eq(1), self.idle[place].eq(1)]

        def is_written(number: int) -> Value:
            return Cat(
                self.in_ex[UNITS.index(unit)] & own.written.used & (own.written.number == number)
                for unit, own in uses.items()
            ).any()

        m.d.comb += self.complete.eq(shared.complete & ~Cat(is_written(number) for number in range(VECTORS)))
        for port, given in zip(self.results, results, strict=False):
            m.d.comb += [port.register.eq(Mux(given.valid, given.register, 0)), port.word.eq(given.word)]
        for register, announced in zip(self.announced, coming, strict=False):
            m.d.comb += register.eq(Mux(announced.valid, announced.register, 0))
        return m

    def _decode(self, m: Module, unit: Any, op: Any) -> Value:
        """Connect a unit with a decoder for its instruction in EX, and with the operands of that instruction.

        Returns:
            The vector registers that the instruction uses.
        """
        decoder, control = Decoder(op), Signal.like(unit.control)
        m.submodules += decoder
        with m.If(self.decodes):
            m.d.sync += control.eq(decoder.control)
        m.d.comb += [decoder.word.eq(self.word), unit.control.eq(control), unit.x.eq(self.x), unit.y.eq(self.y)]
        return control.uses

    def _connect_moves(self, m: Module, unit: LoadStoreUnit, shared: Vector) -> None:
        """Connect the vector load/store unit, and the checks of its indices."""
        m.submodules.indices = indices = Indices(self._config)
        indexed, last = self.in_ex[UNITS.index(Unit.MEMORY)] & (self.move.order == Order.INDEXED), Signal(ELEMENT_BITS)
        m.d.comb += [
            last.eq(self.vl - 1),
            unit.move.eq(self.move),
            unit.first.eq(Mux(indexed, indices.first.as_value(), self.address.as_value())),
            unit.step.eq(self.y),
            unit.last.eq(last),
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
            self.moves.eq(unit.moves),
        ]
        wiring.connect(m, indices.read, shared.looked)
        for name in ("window", "moved"):
            wiring.connect(m, getattr(unit, name), getattr(shared, name))
        wiring.connect(m, unit.memory, wiring.flipped(self.memory))
