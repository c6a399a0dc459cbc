"""Vector registers: several units read and write them row by row, and one by as many elements as memory moves."""

from dataclasses import dataclass

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
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


def _window(sizes: Sizes) -> dict[str, wiring.Member]:
    """Return the members that name a window: consecutive elements of a register, one in each slot."""
    return {"number": Out(NUMBER), "place": Out(sizes.place), "offset": Out(range(sizes.slots))}


def window_read_port(sizes: Sizes) -> wiring.Signature:
    """Return the signature by which a window of consecutive elements is read, as the reader sees it.

    Element j is in slot j modulo `slots`, at place j // `slots`. A window begins anywhere, so it is at one place in the
    slots from `offset` on, and at the next place in those below.

    Members:
        number: Out; number of the register.
        place: Out; of the elements in the slots from `offset` on.
        offset: Out; slot of the first element of the window.
        words: In; the word of each slot, in the same cycle.
    """
    return wiring.Signature({**_window(sizes), "words": In(w.WORD).array(sizes.slots)})


def window_write_port(sizes: Sizes) -> wiring.Signature:
    """Return the signature by which a window of consecutive elements is written, as the writer sees it.

    Members:
        number, place, offset: as of `window_read_port`.
        mask: Out; a bit for each slot that is written.
        words: Out; the word of each slot.
        clears: Out; a register is going to be loaded up to a row: from the next cycle on it counts as written up to
            this row, which becomes 0, as are those above it.
        completes: Out; the same without a change of this row, of a register that has been loaded up to it.
    """
    words = {"mask": Out(sizes.slots), "words": Out(w.WORD).array(sizes.slots)}
    row = data.StructLayout({"valid": 1, "number": NUMBER, "row": sizes.row_number})
    return wiring.Signature({**_window(sizes), **words, "clears": Out(row), "completes": Out(row)})


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


@dataclass
class _Bank:
    """What is read of one register.

    Attributes:
        written: a bit for each row, whether it has been written since it became 0.
        rows: for each reader and slot, the word at the place of the reader's row.
        window: for each slot, the word in the window.
    """

    written: Signal
    rows: list[list[Value]]
    window: list[Value]


class Registers(wiring.Component):
    """Vector register file.

    A register has a memory for each *slot*, and one writer at a time, as the scoreboard ensures: so its memories have
    one write port, which any of the writers takes. A bit for each row tells whether it has been written since it last
    became 0.

    What is written can be read from the next cycle on; what the first writer writes, in the same cycle already.

    Args:
        sizes: of the unit.
        readers, writers: numbers of ports.
        wide: rows that one more writer writes at once; 0 if there is none.

    Members:
        reads: In; for each reader, of `read_port`.
        writes: In; for each writer, of `write_port`; no two writers write the same register in a cycle.
        wide: In; of `wide_port`, if there is one.
        window, moved: In; of `window_read_port` and `window_write_port`.
    """

    def __init__(self, sizes: Sizes, readers: int, writers: int, wide: int = 0) -> None:
        """Create a register file."""
        self._sizes, self._wide = sizes, wide
        self._parts = sizes.slots // sizes.lanes  # rows of a register at one place
        super().__init__(
            {
                "reads": In(read_port(sizes)).array(readers),
                "writes": In(write_port(sizes)).array(writers),
                "window": In(window_read_port(sizes)),
                "moved": In(window_write_port(sizes)),
                **({"wide": In(wide_port(sizes, wide))} if wide else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the memories, and choose among them for each reader."""
        m = Module()
        lanes = self._sizes.lanes
        masked = [
            [Signal(WORD_BITS, name=f"masked_{writer}_{lane}") for lane in range(lanes)]
            for writer in range(len(self.writes))
        ]
        for words, port in zip(masked, self.writes, strict=True):
            for own, word, bit in zip(words, port.words, port.mask, strict=True):
                m.d.comb += own.eq(Mux(bit, word.as_value(), nothing()))
        banks = [self._bank(m, number, masked) for number in range(VECTORS)]
        early = self.writes[0]
        for reader, port in enumerate(self.reads):
            part, _ = self._split(port.row)
            for source, (number, words) in enumerate(zip(port.numbers, port.words, strict=True)):
                there, bypass = Signal(name=f"there_{reader}_{source}"), Signal(name=f"bypass_{reader}_{source}")
                m.d.comb += [
                    there.eq(picked([bank.written.bit_select(port.row, 1) for bank in banks], number)),
                    bypass.eq(early.enable & (early.number == number) & (early.row == port.row)),
                ]
                for lane, (word, now) in enumerate(zip(words, masked[0], strict=True)):
                    parts = [picked(bank.rows[reader][lane::lanes], part) for bank in banks]
                    kept = Mux(there, picked(parts, number), nothing())
                    m.d.comb += word.as_value().eq(Mux(bypass & early.mask[lane], now, kept))
        self._read_window(m, banks, masked[0])
        return m

    def _split(self, row: Value) -> tuple[Value, Value]:
        """Return which of the rows at one place a row is, and the place."""
        bits = self._parts.bit_length() - 1
        return row[:bits], row[bits:] if len(row) > bits else Cat(0)

    def _read_window(self, m: Module, banks: list[_Bank], early_words: list[Signal]) -> None:
        """Add the read port of the window."""
        port, early, parts, lanes = self.window, self.writes[0], self._parts, self._sizes.lanes
        part, place = self._split(early.row)
        both = [
            Signal(self._sizes.place, name=f"window_place_{n}") for n in range(2)
        ]  # from the offset on, and below it
        m.d.comb += [both[0].eq(port.place), both[1].eq(port.place + 1)]
        written = Signal.like(banks[0].written, name="window_written")
        m.d.comb += written.eq(picked([bank.written for bank in banks], port.number))
        is_early = early.enable & (early.number == port.number)
        for own_part in range(parts):
            there = [Signal(name=f"window_there_{own_part}_{n}") for n in range(2)]
            bypass = [Signal(name=f"window_bypass_{own_part}_{n}") for n in range(2)]
            for n in range(2):
                rows = Cat(written[own_part::parts])
                m.d.comb += [
                    there[n].eq(rows.bit_select(both[n], 1)),
                    bypass[n].eq(is_early & (part == own_part) & (place == both[n])),
                ]
            for lane in range(lanes):
                slot = own_part * lanes + lane
                below = slot < port.offset
                kept = picked([bank.window[slot] for bank in banks], port.number)
                kept = Mux(Mux(below, there[1], there[0]), kept, nothing())
                passes = Mux(below, bypass[1], bypass[0]) & early.mask[lane]
                m.d.comb += port.words[slot].as_value().eq(Mux(passes, early_words[lane], kept))

    def _bank(self, m: Module, number: int, masked: list[list[Signal]]) -> _Bank:
        """Add a register: a memory for each slot.

        Args:
            m: module to which it is added.
            number: of the register.
            masked: for each writer and lane, the word that it writes, and 0 for an element that it keeps.
        """
        sizes, moved, window = self._sizes, self.moved, self.window
        rows, lanes = 1 << sizes.row_number.width, sizes.lanes
        written, here = Signal(rows, name=f"written_{number}"), Signal(rows, name=f"here_{number}")
        hits = Signal(len(self.writes), name=f"hits_{number}")
        row, last, mask = Signal(sizes.row_number), Signal(), Signal(lanes)
        clears, completes = Signal(name=f"clears_{number}"), Signal(name=f"completes_{number}")
        m.d.comb += [
            hits.eq(Cat(port.enable & (port.number == number) for port in self.writes)),
            clears.eq(moved.clears.valid & (moved.clears.number == number)),
            completes.eq(moved.completes.valid & (moved.completes.number == number)),
        ]
        for hit, port in zip(hits, self.writes, strict=True):
            with m.If(hit):
                m.d.comb += [row.eq(port.row), last.eq(port.last), mask.eq(port.mask)]
        for happens, rows_moved in ((clears, moved.clears), (completes, moved.completes)):
            with m.If(happens):
                m.d.comb += row.eq(rows_moved.row)
        enables = Signal(lanes, name=f"enables_{number}")
        m.d.comb += [
            here.eq(1 << row),
            # A row that is 0 so far becomes 0 in the other elements, too.
            enables.eq(Mux(hits.any(), mask | (~written.bit_select(row, 1)).replicate(lanes), clears.replicate(lanes))),
        ]
        # The bits below the one of this row are those of the lower rows.
        with m.If(clears | completes):
            m.d.sync += written.eq(here | (here - 1))
        with m.Elif(hits.any()):
            m.d.sync += written.eq(Mux(last, written & (here - 1), written) | here)

        widely = Signal(name=f"widely_{number}")
        if self._wide:
            first = Signal(rows, name=f"first_{number}")
            m.d.comb += [
                widely.eq(self.wide.enable & (self.wide.number == number)),
                first.eq(1 << self.wide.row),
            ]
            these = Cat(first[place - place % self._wide] for place in range(rows))
            with m.If(widely):
                m.d.sync += written.eq(Mux(self.wide.last, written & (first - 1), written) | these)

        comes = (moved.number == number) & moved.mask.any()
        part, place = self._split(row)
        found = _Bank(written, [[] for _ in self.reads], [])
        for slot in range(sizes.slots):
            own_part, lane = divmod(slot, lanes)
            bank = memory.Memory(shape=WORD_BITS, depth=1 << sizes.place.width, init=[])
            m.submodules[f"register_{number}_{slot}"] = bank
            write = bank.write_port()
            word: Value = masked[0][lane]
            for hit, words in zip(hits[1:], masked[1:], strict=True):
                word = Mux(hit, words[lane], word)
            m.d.comb += [
                write.addr.eq(Mux(comes, moved.place + (slot < moved.offset), place)),
                write.en.eq(Mux(comes, moved.mask[slot], enables[lane] & (part == own_part))),
                write.data.eq(Mux(comes, moved.words[slot].as_value(), Mux(clears, nothing(), word))),
            ]
            for own_row in range(own_part, self._wide, self._parts):
                wide = bank.write_port(domain="wide")
                m.d.comb += [
                    wide.addr.eq(self._split(self.wide.row | own_row)[1]),
                    wide.en.eq(widely),
                    wide.data.eq(self.wide.words[own_row * lanes + lane].as_value()),
                ]
            for port, words in zip(self.reads, found.rows, strict=True):
                read = bank.read_port(domain="comb")
                m.d.comb += read.addr.eq(self._split(port.row)[1])
                words.append(read.data)
            read = bank.read_port(domain="comb")
            m.d.comb += read.addr.eq(window.place + (slot < window.offset))
            found.window.append(read.data)
        return found
