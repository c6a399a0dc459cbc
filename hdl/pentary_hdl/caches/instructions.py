"""Instruction cache of the first level."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.caches.directory import Directory
from pentary_hdl.caches.fields import Fields
from pentary_hdl.caches.ports import REQUEST, Rows
from pentary_hdl.core import word as w


class InstructionCache(wiring.Component):
    """Instruction cache, with one miss at a time.

    The lookup is combinational, and does not change anything: a line is requested, and counts as used, only when the
    instruction is certain to be executed, or a trap in its place.

    Args:
        config: configuration of the machine.

    Members:
        pc: In; address of an instruction.
        outside: In; it is outside the program, and is not looked up.
        certain: In; all instructions before it have left EX, and have looked up their data.
        ready: Out; its word may be read in this cycle.
        read: In; it is read.
        word: Out; from the next cycle on, until the next read.
        way: Out; way of the line that is read.
        executed: In; the instruction with the address `executed_pc`, which was read from `executed_way`, counts.
        executed_pc, executed_way: In.
        request: Out; of `ports.REQUEST`.
        fill: In; of `ports.Rows.fill`.
    """

    def __init__(self, config: Config) -> None:
        """Create a cache."""
        self._rows, self._fields = Rows(config), Fields.of(config, config.icache)
        self._critical_first = config.caches.critical_first
        way = (config.icache.ways - 1).bit_length()
        super().__init__(
            {
                "pc": In(w.WORD),
                "outside": In(1),
                "certain": In(1),
                "ready": Out(1),
                "read": In(1),
                "word": Out(w.WORD),
                "way": Out(way),
                "executed": In(1),
                "executed_pc": In(w.WORD),
                "executed_way": In(way),
                "request": Out(REQUEST),
                "fill": In(self._rows.fill),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the directory and the memory of the words."""
        m = Module()
        rows, fields, fill = self._rows, self._fields, self.fill
        pc = list(self.pc)
        m.submodules.directory = directory = Directory(fields)
        m.d.comb += [
            directory.address.eq(self.pc),
            directory.used.eq(Mux(self.executed, self.executed_pc.as_value(), self.pc.as_value())),
            directory.used_way.eq(self.executed_way),
            directory.fresh.eq(self.request.taken),
            directory.update.eq(self.request.taken | self.executed),
            self.way.eq(directory.way),
        ]

        # The line that is on its way
        filling, place, arrived = Signal(), Signal(fields.set_bits + len(directory.way)), Signal(rows.line)
        own_place = Cat(directory.way, fields.set_of(pc))
        arrives = fill.instructions & (Const(1, 1) if self._critical_first else fill.last)
        there = ~filling | (own_place != place) | arrived.bit_select(fields.place_of(pc), 1)
        m.d.comb += [
            self.ready.eq(self.outside | (directory.hit & there)),
            self.request.valid.eq(~self.outside & ~directory.hit & self.certain),
            self.request.address.eq(self.pc),
        ]
        with m.If(self.request.taken):
            m.d.sync += [filling.eq(1), place.eq(Cat(directory.victim, fields.set_of(pc))), arrived.eq(0)]
        with m.Elif(arrives):
            m.d.sync += arrived.eq(arrived | rows.arriving(fill))
            with m.If(fill.last):
                m.d.sync += filling.eq(0)

        m.submodules.words = words = Memory(shape=rows.layout, depth=1 << (rows.bits + len(place)), init=[])
        writing, reading = words.write_port(granularity=1), words.read_port()
        number = Signal(range(rows.words))
        m.d.comb += [
            writing.addr.eq(Cat(fill.row, place)),
            writing.data.eq(fill.words),
            writing.en.eq(Mux(fill.instructions, fill.mask, 0)),
            reading.addr.eq(Cat(rows.row_of(pc, fields.place), own_place)),
            reading.en.eq(self.read),
            self.word.eq(reading.data[number] if rows.words > 1 else reading.data[0]),
        ]
        with m.If(self.read):
            m.d.sync += number.eq(rows.word_of(pc))
        return m
