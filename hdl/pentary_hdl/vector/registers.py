"""Vector registers: a memory for each, which several units read and write row by row."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import VECTORS
from pentary_hdl.vector.arithmetic import WORD_BITS, nothing, picked
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.scoreboard import NUMBER

SOURCES = 2
"""Registers of which a reader gets a row in a cycle."""


def read_port(sizes: Sizes) -> wiring.Signature:
    """Return the signature of a reader's port, as the reader sees it.

    Members:
        numbers: Out; numbers of two registers.
        row: Out; number of the row, the same of both.
        words: In; their rows, in the same cycle.
    """
    return wiring.Signature(
        {
            "numbers": Out(NUMBER).array(SOURCES),
            "row": Out(sizes.row_number),
            "words": In(sizes.row).array(SOURCES),
        }
    )


def write_port(sizes: Sizes) -> wiring.Signature:
    """Return the signature of a writer's port, as the writer sees it.

    Members:
        enable: Out; writes in this cycle.
        number: Out; number of the register.
        row: Out; number of the row.
        mask: Out; a bit for each element that is written; the others keep their value.
        words: Out; the row.
        last: Out; the rows above this one become 0.
    """
    return wiring.Signature(
        {
            "enable": Out(1),
            "number": Out(NUMBER),
            "row": Out(sizes.row_number),
            "mask": Out(sizes.lanes),
            "words": Out(sizes.row),
            "last": Out(1),
        }
    )


class Registers(wiring.Component):
    """Vector register file.

    A register has one writer at a time, as the scoreboard ensures, so its memory has one write port, which any of the
    writers takes. A bit for each row tells whether it has been written since it last became 0.

    What is written can be read from the next cycle on; what the first writer writes, in the same cycle already.

    Args:
        sizes: of the unit.
        readers, writers: numbers of ports.

    Members:
        reads: In; for each reader, of `read_port`.
        writes: In; for each writer, of `write_port`; no two of them write the same register in a cycle.
    """

    def __init__(self, sizes: Sizes, readers: int, writers: int) -> None:
        """Create a register file."""
        self._sizes = sizes
        super().__init__(
            {"reads": In(read_port(sizes)).array(readers), "writes": In(write_port(sizes)).array(writers)}
        )

    def elaborate(self, platform: object) -> Module:
        """Create a memory for each register, and choose among them for each reader."""
        m = Module()
        lanes = self._sizes.lanes
        masked = [Signal(data.ArrayLayout(WORD_BITS, lanes), name=f"masked_{n}") for n in range(len(self.writes))]
        for words, port in zip(masked, self.writes, strict=True):
            for own, word, bit in zip(words, port.words, port.mask, strict=True):
                m.d.comb += own.eq(Mux(bit, word.as_value(), nothing()))
        banks = [self._bank(m, number, masked) for number in range(VECTORS)]
        early = self.writes[0]
        for reader, port in enumerate(self.reads):
            rows, written = ([bank[kind][reader] for bank in banks] for kind in (0, 1))
            for number, words in zip(port.numbers, port.words, strict=True):
                row, there, bypass = Signal(WORD_BITS * lanes), Signal(), Signal()
                m.d.comb += [
                    row.eq(picked(rows, number)),
                    there.eq(picked(written, number)),
                    bypass.eq(early.enable & (early.number == number) & (early.row == port.row)),
                ]
                for lane, (word, now) in enumerate(zip(words, masked[0], strict=True)):
                    kept = Mux(there, row.word_select(lane, WORD_BITS), nothing())
                    m.d.comb += word.eq(Mux(bypass & early.mask[lane], now, kept))
        return m

    def _bank(self, m: Module, number: int, masked: list[Signal]) -> tuple[list[Value], list[Value]]:
        """Add a register.

        Args:
            m: module to which it is added.
            number: of the register.
            masked: for each writer, the words that it writes, and 0 in the elements that it keeps.

        Returns:
            For each reader, the row that it asks for, and whether this has been written since it became 0.
        """
        sizes = self._sizes
        rows, lanes = 1 << sizes.row_number.width, sizes.lanes
        bank = memory.Memory(shape=data.ArrayLayout(WORD_BITS, lanes), depth=rows, init=[])
        m.submodules[f"register_{number}"] = bank
        written, here = Signal(rows, name=f"written_{number}"), Signal(rows, name=f"here_{number}")
        write = bank.write_port(granularity=1)

        hits = Signal(len(self.writes), name=f"hits_{number}")
        row, last, mask = Signal(sizes.row_number), Signal(), Signal(lanes)
        m.d.comb += hits.eq(Cat(port.enable & (port.number == number) for port in self.writes))
        for hit, port, words in zip(hits, self.writes, masked, strict=True):
            with m.If(hit):
                m.d.comb += [row.eq(port.row), last.eq(port.last), mask.eq(port.mask), write.data.eq(words)]
        present = written.bit_select(row, 1)
        m.d.comb += [
            here.eq(1 << row),
            write.addr.eq(row),
            write.en.eq(Mux(hits.any(), mask | (~present).replicate(lanes), 0)),
        ]
        with m.If(hits.any()):
            # The bits below the one of this row are those of the lower rows.
            m.d.sync += written.eq(Mux(last, written & (here - 1), written) | here)

        found = []
        for port in self.reads:
            read = bank.read_port(domain="comb")
            m.d.comb += read.addr.eq(port.row)
            found.append(read.data.as_value())
        return found, [written.bit_select(port.row, 1) for port in self.reads]
