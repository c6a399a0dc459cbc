"""The low-rank ALU behind AXI4-Lite: registers for commands, and memory windows for their rows.

`architecture/bus.md` specifies it; its tables are generated from those here.
"""

from dataclasses import asdict
from typing import Final, Literal, NamedTuple

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from pentary_hdl.bus.axilite import AXI_LITE, WORD_BITS, AxiLite
from pentary_hdl.lralu.decoder import COMMAND
from pentary_hdl.lralu.twin import CODE_BITS, ELEMENT_BITS, LATENT_BITS, OPS, LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu

IDENTIFICATION: Final = 0x504C5201
"""Value of the register ID: the letters PLR, and the version of the map."""


class Entry(NamedTuple):
    """Entry of the register map: a register or a window.

    Attributes:
        address: byte address of the register, or of the window's first word.
        name: name of the register or window.
        access: readable, writable, or both.
        bits: width of a value; the upper bits are 0 in a register, and sign-extended in an element of a window.
        meaning: description.
    """

    address: int
    name: str
    access: Literal["r", "w", "rw"]
    bits: int
    meaning: str


REGISTERS: Final = (
    Entry(0x00, "ID", "r", 32, f"0x{IDENTIFICATION:08X}: the letters PLR, and the version of this map"),
    Entry(0x04, "LANES", "r", 9, "the parameter `lanes`"),
    Entry(0x08, "MAX_RANK", "r", 7, "the parameter `max_rank`"),
    Entry(0x0C, "MAX_SIZE", "r", 9, "the parameter `max_size`"),
    Entry(0x10, "ROUNDS_PER_CYCLE", "r", 4, "the parameter `rounds_per_cycle`"),
    Entry(0x14, "STATUS", "r", 2, "bit 0: busy with a command; bit 1: the last command was answered with an error"),
    Entry(0x18, "COMMAND", "rw", 7, "bits 3..0: `op`; bits 6..4: `control`; writing it starts the command"),
    Entry(0x1C, "A_LOW", "rw", 32, "bits 31..0 of `a`"),
    Entry(0x20, "A_HIGH", "rw", 16, "bits 47..32 of `a`"),
    Entry(0x24, "B_LOW", "rw", 32, "bits 31..0 of `b`"),
    Entry(0x28, "B_HIGH", "rw", 16, "bits 47..32 of `b`"),
    Entry(0x2C, "SCALAR_LOW", "r", 32, "bits 31..0 of the word of the last PRNG"),
    Entry(0x30, "SCALAR_HIGH", "r", 16, "bits 47..32 of the word of the last PRNG"),
)

WINDOWS: Final = (
    Entry(0x400, "BASE", "w", ELEMENT_BITS, "the row that LRADD, LRACC and POPAVG move"),
    Entry(0x800, "TOTALS", "w", LATENT_BITS, "the sums for POPAVG"),
    Entry(0xC00, "RESULTS", "r", ELEMENT_BITS, "the row that LRADD, LRACC and POPAVG give"),
)
"""Memory windows; each has an address range of 256 words, of which the first `max_size` exist."""


class Field(NamedTuple):
    """Bit field of a register.

    Attributes:
        name: name of the field.
        low: index of its lowest bit.
        width: width in bits.
    """

    name: str
    low: int
    width: int


FIELDS: Final = {
    "STATUS": (Field("BUSY", 0, 1), Field("ERROR", 1, 1)),
    "COMMAND": (Field("OP", 0, COMMAND["op"].width), Field("CONTROL", COMMAND["op"].width, COMMAND["control"].width)),
}
"""Bit fields of the registers that have more than one."""

_INDEX_BITS = 8
_BITS = {window.name: window.bits for window in WINDOWS}
_PATTERNS = {window.name: f"{window.address >> 2 + _INDEX_BITS:02b}" + "-" * _INDEX_BITS for window in WINDOWS}
_GIVE = tuple(OPS[name] for name in ("PRNG", "LRADD", "LRACC", "POPAVG"))


class LowRankBus(wiring.Component):
    """The low-rank ALU as a peripheral that executes one command at a time; a bus access never waits for a command.

    Members:
        s_axi: In, `AXI_LITE`.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create a peripheral for the given parameters."""
        self.parameters = parameters
        super().__init__({"s_axi": In(AXI_LITE)})

    def elaborate(self, platform: object) -> Module:
        """Connect bus, registers, windows and unit."""
        m = Module()
        m.submodules.alu = alu = LowRankAlu(self.parameters)
        m.submodules.bus = bus = AxiLite()
        wiring.connect(m, wiring.flipped(self.s_axi), bus.axi)

        command, scalar = Signal(COMMAND), Signal(CODE_BITS)
        start, sending, answering, giving, error = Signal(), Signal(), Signal(), Signal(), Signal()
        registers = {
            "ID": Const(IDENTIFICATION, WORD_BITS),
            **{name.upper(): Const(value) for name, value in asdict(self.parameters).items()},
            "STATUS": Cat(answering | giving, error),
            "COMMAND": Cat(command.op, command.control),
            "A_LOW": command.a[:WORD_BITS],
            "A_HIGH": command.a[WORD_BITS:],
            "B_LOW": command.b[:WORD_BITS],
            "B_HIGH": command.b[WORD_BITS:],
            "SCALAR_LOW": scalar[:WORD_BITS],
            "SCALAR_HIGH": scalar[WORD_BITS:],
        }

        # A command ends with its response and, unless that is an error, its last result or its scalar.
        m.d.comb += [alu.commands.payload.eq(command), alu.commands.valid.eq(sending)]
        m.d.comb += [alu.results.ready.eq(1), alu.scalars.ready.eq(1), alu.responses.ready.eq(1)]
        with m.If(alu.commands.ready):
            m.d.sync += sending.eq(0)
        with m.If(alu.scalars.valid):
            m.d.sync += [scalar.eq(alu.scalars.payload), giving.eq(0)]
        with m.If(alu.results.valid & alu.results.payload.last):
            m.d.sync += giving.eq(0)
        with m.If(alu.responses.valid):
            m.d.sync += [answering.eq(0), error.eq(alu.responses.payload.error)]
            with m.If(alu.responses.payload.error):
                m.d.sync += giving.eq(0)
        with m.If(start):
            op = bus.write_data[: len(command.op)]
            m.d.sync += [sending.eq(1), answering.eq(1), error.eq(0)]
            m.d.sync += giving.eq(Cat(op == code for code in _GIVE).any())

        # An access is refused unless a case below allows it.
        m.d.comb += [bus.write_refused.eq(1), bus.read_refused.eq(1)]
        places = {
            "BASE": self._operands(m, "BASE", alu.base, start, answering, bus),
            "TOTALS": self._operands(m, "TOTALS", alu.totals, start, answering, bus),
        }
        with m.If(bus.write & ~(answering | giving)), m.Switch(bus.write_word):
            for address, name, access, bits, _ in REGISTERS:
                if access == "rw":
                    with m.Case(address // 4), m.If(bus.write_data[bits:] == 0):
                        m.d.comb += bus.write_refused.eq(0)
                        m.d.sync += registers[name].eq(bus.write_data)
                        if name == "COMMAND":
                            m.d.comb += start.eq(1)
            for name, place in places.items():
                sign = bus.write_data[_BITS[name] - 1 :]
                with m.Case(_PATTERNS[name]), m.If(self._exists(bus.write_word) & (sign.all() | ~sign.any())):
                    m.d.comb += [bus.write_refused.eq(0), place.eq(1)]
        result = self._results(m, alu.results, start, bus)
        with m.Switch(bus.read_word):
            for address, name, _, _, _ in REGISTERS:
                with m.Case(address // 4):
                    m.d.comb += [bus.read_refused.eq(0), bus.read_data.eq(registers[name])]
            with m.Case(_PATTERNS["RESULTS"]), m.If(self._exists(bus.read_word)):
                m.d.comb += [bus.read_refused.eq(0), bus.read_data.eq(result)]
        return m

    def _exists(self, word: Value) -> Value:
        """Return whether the element exists to which a word address in a window points."""
        return word[:_INDEX_BITS] < self.parameters.max_size

    def _buffer(self, name: str) -> memory.Memory:
        """Return a memory for a row, with an entry for each beat."""
        shape = data.ArrayLayout(signed(_BITS[name]), self.parameters.beat_elements)
        return memory.Memory(shape=shape, depth=self.parameters.beats, init=[])

    def _split(self, word: Value) -> tuple[Value, Value]:
        """Return the index in its beat, and the index of the beat, of the element at a word address in a window."""
        place_bits = exact_log2(self.parameters.beat_elements)
        return word[:place_bits], word[place_bits:_INDEX_BITS]

    def _operands(
        self, m: Module, name: str, operands: stream.Interface, start: Value, offer: Value, bus: AxiLite
    ) -> Signal:
        """Offer a window's row to the unit, from beat 0 on after each start of a command.

        Args:
            m: module.
            name: name of the window.
            operands: stream of the unit that takes the row.
            start: a command starts in this cycle.
            offer: a command is being executed.
            bus: source of the writes.

        Returns:
            Write enable of the element that the bus addresses.
        """
        m.submodules[name.lower()] = buffer = self._buffer(name)
        write, read = buffer.write_port(granularity=1), buffer.read_port()
        store, beat = Signal(), Signal.like(read.addr)
        place, write_beat = self._split(bus.write_word)
        m.d.comb += [write.addr.eq(write_beat), write.en.eq(store << place)]
        m.d.comb += Value.cast(write.data).eq(bus.write_data[: _BITS[name]].replicate(self.parameters.beat_elements))
        # A row is offered during every command, and ignored by those without operands; never between commands.
        m.d.comb += [operands.valid.eq(offer), operands.payload.eq(read.data)]
        m.d.comb += read.addr.eq(Mux(start, 0, beat + (offer & operands.ready)))
        m.d.sync += beat.eq(read.addr)
        return store

    def _results(self, m: Module, results: stream.Interface, start: Value, bus: AxiLite) -> Value:
        """Store the row of results of a command; returns the element that the bus reads, a cycle after its address."""
        m.submodules.results = buffer = self._buffer("RESULTS")
        write, read = buffer.write_port(), buffer.read_port()
        place, read_beat = self._split(bus.read_word)
        m.d.comb += [write.en.eq(results.valid), write.data.eq(results.payload.elements), read.addr.eq(read_beat)]
        with m.If(start):
            m.d.sync += write.addr.eq(0)
        with m.Elif(results.valid):
            m.d.sync += write.addr.eq(write.addr + 1)
        return Value.cast(read.data).word_select(place, ELEMENT_BITS).as_signed()


def markdown(entries: tuple[Entry, ...]) -> str:
    """Return the entries as a table in Markdown, for architecture/bus.md."""
    lines = ["| address | name | access | bits | |", "|---|---|---|---|---|"]
    lines += [f"| 0x{e.address:03X} | {e.name} | {e.access} | {e.bits} | {e.meaning} |" for e in entries]
    return "\n".join(lines) + "\n"
