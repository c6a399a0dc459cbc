"""Cache of the second level, for instructions and data."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.bus.axi import AXI
from pentary_hdl.caches.directory import after_use, holds, number_of, of_way, oldest, sweep, table
from pentary_hdl.caches.fields import Fields
from pentary_hdl.caches.memory import MemoryPort
from pentary_hdl.caches.ports import REQUEST, Rows
from pentary_hdl.core import word as w

MIN_LATENCY: Final = 3
"""Least `l2.latency` that the hardware can have."""


class SecondCache(wiring.Component):
    """Cache of the second level, write-back, which serves one request after the other.

    In the cycle after a request it looks the line up. The beats of a line that it has come from its own words, those of
    another line from the port to memory, and are written here, too. If they overwrite a dirty line, its words go to a
    buffer, and from there to memory. Then the dirty line that the request evicts from the cache below is written here.

    Args:
        config: configuration of the machine.

    Members:
        instructions, data: In; requests, of `ports.REQUEST`; those for data go first.
        fill: Out; beats, of `ports.Rows.fill`.
        row: Out; number of the row of the line that is handed down.
        words: In; its words.
        flush: In; from now on, dirty lines go to memory one after the other, and there are no requests.
        flushed: Out; all have.
        axi: Out; bus to memory.
        missed: Out; a line is not here.
        for_data: Out; the request that is served, or was the last one, is for data.
        failed, failed_at: Out; memory has answered with an error, and an address in the line.
    """

    def __init__(self, config: Config) -> None:
        """Create a cache."""
        self._rows, self._fields = Rows(config), Fields.of(config, config.l2)
        self._latency, self._port = config.l2_latency(), MemoryPort(config)
        super().__init__(
            {
                "instructions": In(REQUEST),
                "data": In(REQUEST),
                "fill": Out(self._rows.fill),
                "row": Out(self._rows.bits),
                "words": In(self._rows.layout),
                "flush": In(1),
                "flushed": Out(1),
                "axi": Out(AXI),
                "missed": Out(1),
                "for_data": Out(1),
                "failed": Out(1),
                "failed_at": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the directory, the memory of the words and the states of a request."""
        m = Module()
        rows, fields = self._rows, self._fields
        m.submodules.port = port = self._port
        wiring.connect(m, port.axi, wiring.flipped(self.axi))
        m.d.comb += [self.failed.eq(port.failed), self.failed_at.eq(port.failed_at)]

        memory, update = table(m, fields)
        looking = memory.read_port()
        way_bits = (fields.ways - 1).bit_length()

        # The request that is served
        wanted, evicted, for_data, evicts = Signal(w.WORD), Signal(w.WORD), Signal(), Signal()
        time = Signal(range(self._latency + 1))  # since the cycle of the request, up to the latency
        way = Signal(way_bits)
        lost, lost_line = Signal(), Signal(w.WORD)  # to memory, when the line has come
        put_way, put_lost, put_line = Signal(way_bits), Signal(), Signal(w.WORD)  # of the line that is handed down
        looks_up, looks_up_evicted = Signal(), Signal()

        address = Signal(w.WORD)  # whose set has been read
        m.d.comb += address.eq(Mux(looks_up, wanted.as_value(), evicted.as_value()))
        row = looking.data
        found = holds(fields, row, list(address))
        hit = Cat(found).any()
        used = [Mux(hit, is_it, is_oldest) for is_it, is_oldest in zip(found, oldest(row), strict=True)]
        replaced = data.View(row.shape().elem_shape, of_way(used, [entry.as_value() for entry in row]))
        loses = ~hit & replaced.dirty
        loses_line = fields.line_at(list(address), replaced.tag.as_value())
        m.d.comb += [
            update.addr.eq(fields.set_of(list(address))),
            update.en.eq(looks_up | looks_up_evicted),
            update.data.as_value().eq(Cat(after_use(fields, row, used, list(address), ~hit, looks_up_evicted))),
            self.missed.eq(looks_up & ~hit),
            self.for_data.eq(for_data),
        ]
        with m.If(looks_up):
            m.d.sync += [way.eq(number_of(used)), lost.eq(loses), *w.assign(lost_line, loses_line)]
        with m.If(looks_up_evicted):
            m.d.sync += [put_way.eq(number_of(used)), put_lost.eq(loses), *w.assign(put_line, loses_line)]
        way_now = Mux(looks_up, number_of(used), way)

        # The words. A row that is written is also read, and if a dirty line is overwritten, kept in a buffer.
        m.submodules.words = words = Memory(
            shape=rows.layout, depth=1 << (fields.set_bits + way_bits + rows.bits), init=[]
        )
        m.submodules.leaving = leaving = Memory(shape=rows.layout, depth=rows.count, init=[])
        reading, writing = words.read_port(), words.write_port(granularity=1)
        keeping, sending = leaving.write_port(granularity=1), leaving.read_port(domain="comb")
        sweeps = Signal()  # a row is read for memory
        reads, read_row, puts, put_row = Signal(), Signal(rows.bits), Signal(), Signal(rows.bits)
        memory_row = w.lookup(m, port.place, rows.bits, lambda n: n // rows.words) if rows.bits else Const(0, 0)
        memory_mask = w.lookup(m, port.place, rows.words, lambda n: 1 << n % rows.words)
        with m.If(puts):
            m.d.comb += [
                writing.addr.eq(Cat(put_row, put_way, fields.set_of(list(evicted)))),
                writing.data.eq(self.words),
                writing.en.eq((1 << rows.words) - 1),
            ]
        with m.Else():
            m.d.comb += [
                writing.addr.eq(Cat(memory_row, way, fields.set_of(list(wanted)))),
                writing.data.as_value().eq(port.word.as_value().replicate(rows.words)),
                writing.en.eq(Mux(port.comes, memory_mask, 0)),
            ]
        m.d.comb += [
            self.row.eq(put_row),
            reading.addr.eq(Mux(reads, Cat(read_row, way_now, fields.set_of(list(wanted))), writing.addr)),
            reading.en.eq(reads | writing.en.any()),
            keeping.data.eq(reading.data),
        ]
        m.d.sync += [
            keeping.addr.eq(Mux(sweeps, read_row, Mux(puts, put_row, memory_row))),
            keeping.en.eq(Mux(sweeps, (1 << rows.words) - 1, Mux(Mux(puts, put_lost, lost), writing.en, 0))),
        ]
        sent_row = w.lookup(m, port.sends, rows.bits, lambda n: n // rows.words) if rows.bits else Const(0, 0)
        sent_word = w.lookup(m, port.sends, rows.words, lambda n: 1 << n % rows.words)
        m.d.comb += [
            sending.addr.eq(sent_row),
            port.sent.as_value().eq(of_way(list(sent_word), [word.as_value() for word in sending.data])),
            port.address.eq(wanted),
        ]

        # Beats to the caches below
        beats, comes, comes_row, comes_last = Signal(range(rows.count)), Signal(), Signal(rows.bits), Signal()
        ends_read = beats == rows.count - 1
        m.d.sync += [comes.eq(reads & ~sweeps), comes_row.eq(read_row), comes_last.eq(ends_read)]
        with m.If(reads):
            m.d.sync += [beats.eq(beats + 1), read_row.eq(Mux(read_row == rows.count - 1, 0, read_row + 1))]
        some = comes | port.comes
        m.d.comb += [
            self.fill.instructions.eq(some & ~for_data),
            self.fill.data.eq(some & for_data),
            self.fill.row.eq(Mux(comes, comes_row, memory_row)),
            self.fill.mask.eq(Mux(comes, (1 << rows.words) - 1, memory_mask)),
            self.fill.words.as_value().eq(
                Mux(comes, reading.data.as_value(), port.word.as_value().replicate(rows.words))
            ),
            self.fill.last.eq(Mux(comes, comes_last, port.last)),
        ]

        # A request, and how far it is
        latency, request = (
            self._latency,
            Mux(self.data.valid, self.data.address.as_value(), self.instructions.address.as_value()),
        )
        looked, to_memory, to_memory_line = Signal(), Signal(), Signal(w.WORD)
        m.d.sync += [looked.eq(looks_up & evicts), looks_up_evicted.eq(looked), to_memory.eq(0)]
        m.d.comb += [port.write.eq(to_memory), port.written.eq(to_memory_line)]
        m.d.comb += looking.en.eq(0)
        with m.If(looked):
            m.d.comb += [looking.addr.eq(fields.set_of(list(evicted))), looking.en.eq(1)]
        goes_on = Signal()
        swept, swept_way, ended = sweep(m, fields, goes_on)
        own = data.View(row.shape().elem_shape, row.as_value().word_select(swept_way, len(row[0].as_value())))
        m.d.comb += self.flushed.eq(ended & port.idle)
        with m.If(time != latency):
            m.d.sync += time.eq(time + 1)
        with m.FSM():
            with m.State("free"):
                m.d.comb += [
                    self.data.taken.eq(self.data.valid),
                    self.instructions.taken.eq(self.instructions.valid & ~self.data.valid),
                ]
                with m.If(self.data.valid | self.instructions.valid):
                    chosen = data.View(w.WORD, request)
                    m.d.comb += [looking.addr.eq(fields.set_of(list(chosen))), looking.en.eq(1)]
                    m.d.sync += [
                        wanted.eq(chosen),
                        read_row.eq(rows.row_of(list(chosen), fields.place)),
                        for_data.eq(self.data.valid),
                        evicts.eq(self.data.valid & self.data.evicts),
                        evicted.eq(self.data.evicted),
                        time.eq(1),
                        beats.eq(0),
                        put_row.eq(0),
                    ]
                    m.next = "look up"
                    with m.If(self.data.valid & self.data.alone):
                        m.d.sync += [looked.eq(1), lost.eq(0)]
                        m.next = "end of read"
                with m.Elif(self.flush & ~ended):
                    m.d.comb += [looking.addr.eq(fields.set_of(list(swept))), looking.en.eq(1)]
                    m.d.sync += [read_row.eq(0), beats.eq(0), wanted.eq(swept), way.eq(swept_way)]
                    m.next = "sweep"
            with m.State("look up"):
                m.d.comb += looks_up.eq(1)
                m.next = "wait"
                with m.If(~hit):
                    m.next = "miss"
                if latency == MIN_LATENCY:
                    with m.Else():
                        m.d.comb += reads.eq(1)
                        m.next = "read" if rows.count > 1 else "end of read"
            with m.State("wait"), m.If(time == latency - MIN_LATENCY + 1):
                m.d.comb += reads.eq(1)
                m.next = "read" if rows.count > 1 else "end of read"
            with m.State("read"):
                m.d.comb += reads.eq(1)
                with m.If(ends_read):
                    m.next = "end of read"
            with m.State("end of read"):
                m.next = "end"
            with m.State("miss"), m.If((time == latency) & port.free):
                m.d.comb += port.read.eq(1)
                m.next = "fill"
            with m.State("fill"), m.If(port.comes & port.last):
                m.next = "end"
            with m.State("end"):
                m.d.sync += [to_memory.eq(lost), to_memory_line.eq(lost_line)]
                with m.If(evicts):
                    m.next = "put"
                with m.Else():
                    m.next = "free"
            with m.State("sweep"):
                m.d.sync += w.assign(to_memory_line, fields.line_at(list(swept), own.tag.as_value()))
                with m.If(~own.dirty):
                    m.d.comb += goes_on.eq(1)
                    m.next = "free"
                with m.Elif(port.free):
                    m.next = "sweep rows"
            with m.State("sweep rows"):
                m.d.comb += [reads.eq(1), sweeps.eq(1)]
                with m.If(ends_read):
                    m.next = "sweep end"
            with m.State("sweep end"):
                m.d.sync += to_memory.eq(1)
                m.d.comb += goes_on.eq(1)
                m.next = "free"
            with m.State("put"), m.If(~put_lost | port.free | (put_row != 0)):
                m.d.comb += puts.eq(1)
                m.d.sync += put_row.eq(put_row + 1)
                with m.If(put_row == rows.count - 1):
                    m.d.sync += [to_memory.eq(put_lost), to_memory_line.eq(put_line)]
                    m.next = "free"
        return m
