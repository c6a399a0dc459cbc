"""Vector registers: a memory for each, which several units read and write row by row."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import VECTORS
from pentary_hdl.core import word as w
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
            "words": In(w.WORD).array(SOURCES, sizes.lanes),
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
            "words": sizes.row(Out),
            "last": Out(1),
        }
    )


def wide_port(sizes: Sizes, rows: int) -> wiring.Signature:
    """Return the signature of a writer's port for several rows at once, as the writer sees it.

    Args:
        sizes: of the unit.
        rows: how many, a power of two.

    Members:
        enable, number: Out; as of `write_port`.
        row: Out; number of the first row, a multiple of `rows`.
        words: Out; the rows, one after the other.
        last: Out; the rows above them become 0.
    """
    return wiring.Signature(
        {
            "enable": Out(1),
            "number": Out(NUMBER),
            "row": Out(sizes.row_number),
            "words": Out(w.WORD).array(rows * sizes.lanes),
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
        wide: rows that one more writer writes at once; 0 if there is none.

    Members:
        reads: In; for each reader, of `read_port`.
        writes: In; for each writer, of `write_port`; no two of them write the same register in a cycle.
        wide: In; of `wide_port`, if there is one; it does not write a register that another writes in this cycle.
    """

    def __init__(self, sizes: Sizes, readers: int, writers: int, wide: int = 0) -> None:
        """Create a register file."""
        self._sizes, self._wide = sizes, wide
        super().__init__(
            {
                "reads": In(read_port(sizes)).array(readers),
                "writes": In(write_port(sizes)).array(writers),
                **({"wide": In(wide_port(sizes, wide))} if wide else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the memories, and choose among them for each reader."""
        m = Module()
        masked = [
            [Signal(WORD_BITS, name=f"masked_{writer}_{lane}") for lane in range(self._sizes.lanes)]
            for writer in range(len(self.writes))
        ]
        for words, port in zip(masked, self.writes, strict=True):
            for own, word, bit in zip(words, port.words, port.mask, strict=True):
                m.d.comb += own.eq(Mux(bit, word.as_value(), nothing()))
        banks = [self._bank(m, number, masked) for number in range(VECTORS)]
        early = self.writes[0]
        for reader, port in enumerate(self.reads):
            for source, (number, words) in enumerate(zip(port.numbers, port.words, strict=True)):
                there, bypass = Signal(name=f"there_{reader}_{source}"), Signal(name=f"bypass_{reader}_{source}")
                m.d.comb += [
                    there.eq(picked([written.bit_select(port.row, 1) for written, _ in banks], number)),
                    bypass.eq(early.enable & (early.number == number) & (early.row == port.row)),
                ]
                for lane, (word, now) in enumerate(zip(words, masked[0], strict=True)):
                    kept = Mux(there, picked([rows[reader][lane] for _, rows in banks], number), nothing())
                    m.d.comb += word.as_value().eq(Mux(bypass & early.mask[lane], now, kept))
        return m

    def _bank(self, m: Module, number: int, masked: list[list[Signal]]) -> tuple[Signal, list[list[Value]]]:
        """Add a register: a memory for each lane.

        Args:
            m: module to which it is added.
            number: of the register.
            masked: for each writer and lane, the word that it writes, and 0 for an element that it keeps.

        Returns:
            A bit for each row, whether it has been written since it became 0; for each reader and lane, the word in the
            row that the reader asks for.
        """
        sizes = self._sizes
        rows, lanes = 1 << sizes.row_number.width, sizes.lanes
        written, here = Signal(rows, name=f"written_{number}"), Signal(rows, name=f"here_{number}")
        hits = Signal(len(self.writes), name=f"hits_{number}")
        row, last, mask = Signal(sizes.row_number), Signal(), Signal(lanes)
        m.d.comb += hits.eq(Cat(port.enable & (port.number == number) for port in self.writes))
        for hit, port in zip(hits, self.writes, strict=True):
            with m.If(hit):
                m.d.comb += [row.eq(port.row), last.eq(port.last), mask.eq(port.mask)]
        enables = Signal(lanes, name=f"enables_{number}")
        m.d.comb += [
            here.eq(1 << row),
            # A row that is 0 so far becomes 0 in the other elements, too.
            enables.eq(Mux(hits.any(), mask | (~written.bit_select(row, 1)).replicate(lanes), 0)),
        ]
        with m.If(hits.any()):
            # The bits below the one of this row are those of the lower rows.
            m.d.sync += written.eq(Mux(last, written & (here - 1), written) | here)
        if self._wide:
            widely, first = Signal(name=f"widely_{number}"), Signal(rows, name=f"first_{number}")
            m.d.comb += [widely.eq(self.wide.enable & (self.wide.number == number)), first.eq(1 << self.wide.row)]
            these = Cat(first[place - place % self._wide] for place in range(rows))
            with m.If(widely):
                m.d.sync += written.eq(Mux(self.wide.last, written & (first - 1), written) | these)

        found: list[list[Value]] = [[] for _ in self.reads]
        for lane in range(lanes):
            bank = memory.Memory(shape=WORD_BITS, depth=rows, init=[])
            m.submodules[f"register_{number}_{lane}"] = bank
            write = bank.write_port()
            word: Value = masked[0][lane]
            for hit, words in zip(hits[1:], masked[1:], strict=True):
                word = Mux(hit, words[lane], word)
            m.d.comb += [write.addr.eq(row), write.en.eq(enables[lane]), write.data.eq(word)]
            for place in range(self._wide):
                write = bank.write_port(domain="wide")
                m.d.comb += [
                    write.addr.eq(self.wide.row | place),
                    write.en.eq(widely),
                    write.data.eq(self.wide.words[place * lanes + lane].as_value()),
                ]
            for port, words in zip(self.reads, found, strict=True):
                read = bank.read_port(domain="comb")
                m.d.comb += read.addr.eq(port.row)
                words.append(read.data)
        return written, found
