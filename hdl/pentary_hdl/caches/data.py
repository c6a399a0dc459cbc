"""Data cache of the first level."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.caches.directory import Directory, of_way, sweep
from pentary_hdl.caches.fields import Fields
from pentary_hdl.caches.ports import REQUEST, Rows
from pentary_hdl.core import word as w


class DataCache(wiring.Component):
    """Data cache, write-back, with one miss at a time.

    The line that came last is in a buffer, until the next one is requested: so stores and beats never need the same
    memory in one cycle. The other lines are in banks, one for each word of a line. Those of way k are shifted by k
    banks, so that one word is read in all ways at once.

    An access is looked up while its instruction is in EX, and takes place in MEM.

    Args:
        config: configuration of the machine.

    Members:
        address: In; of an access in EX.
        enters: In; it enters MEM in the next cycle.
        comes: Out; whether it then takes place at once.
        valid: In; there is an access in MEM, which has not taken place.
        at: In; its address.
        stores, word: In; whether it is a store, and the datum.
        done: Out; it takes place in this cycle.
        loaded: Out; the word of a load, in that cycle.
        soon: Out; it waits, and takes place in the next cycle.
        request: Out; of `ports.REQUEST`.
        fill: In; of `ports.Rows.fill`.
        flush: In; from now on, dirty lines are handed down one after the other, and there are no accesses.
        flushed: Out; all have been.
        row: In; number of a row of the dirty line that has been evicted last.
        words: Out; its words.
    """

    def __init__(self, config: Config) -> None:
        """Create a cache."""
        self._rows, self._fields = Rows(config), Fields.of(config, config.dcache)
        self._critical_first = config.caches.critical_first
        super().__init__(
            {
                "address": In(w.WORD),
                "enters": In(1),
                "comes": Out(1),
                "valid": In(1),
                "at": In(w.WORD),
                "stores": In(1),
                "word": In(w.WORD),
                "done": Out(1),
                "loaded": Out(w.WORD),
                "soon": Out(1),
                "request": Out(REQUEST),
                "fill": In(self._rows.fill),
                "flush": In(1),
                "flushed": Out(1),
                "row": In(self._rows.bits),
                "words": Out(self._rows.layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the directory, the banks and the buffers."""
        m = Module()
        rows, fields, fill, request = self._rows, self._fields, self.fill, self.request
        m.submodules.directory = directory = Directory(fields)
        way_bits, set_bits = len(directory.way), fields.set_bits

        # The line in the buffer, and which of its words have come.
        buffer = Signal(data.ArrayLayout(w.WORD, rows.line))
        held, here, arrived = Signal(), Signal(set_bits + way_bits), Signal(rows.line)
        arriving = Signal(rows.line)
        if self._critical_first:
            m.d.comb += arriving.eq(Mux(fill.data, rows.arriving(fill), 0))
        else:
            m.d.comb += arriving.eq((fill.data & fill.last).replicate(rows.line))

        # EX: lookup
        looked = Cat(directory.way, fields.set_of(list(self.address)))
        place = fields.place_of(list(self.address))
        in_buffer = held & (looked == here)
        there = ~in_buffer | (arrived | arriving).bit_select(place, 1)
        m.d.comb += [directory.address.eq(self.address), self.comes.eq(directory.hit & there)]
        hit, buffered, way = Signal(), Signal(), Signal(way_bits)
        with m.If(self.enters):
            m.d.sync += [hit.eq(directory.hit), buffered.eq(in_buffer), way.eq(directory.way)]

        # MEM: the access
        steps = Signal()
        swept, swept_way, ended = sweep(m, fields, steps)
        own = Signal(w.WORD)
        m.d.comb += [
            own.eq(Mux(self.flush, swept.as_value(), self.at.as_value())),
            steps.eq(self.flush & (~directory.evicts | request.taken)),
            self.flushed.eq(ended),
        ]
        at = list(own)
        own_place, own_set = Signal(range(rows.line)), fields.set_of(at)
        has_come = arrived.bit_select(own_place, 1)
        m.d.comb += [
            own_place.eq(fields.place_of(at)),
            self.done.eq(self.valid & hit & (~buffered | has_come)),
            self.soon.eq(hit & buffered & arriving.bit_select(own_place, 1)),
            request.valid.eq(Mux(self.flush, directory.evicts & ~ended, self.valid & ~hit)),
            request.address.eq(self.at),
            request.alone.eq(self.flush),
            request.evicts.eq(directory.evicts),
            request.evicted.eq(directory.evicted),
            directory.used.eq(own),
            directory.update.eq((request.taken & ~self.flush) | self.done),
            directory.fresh.eq(request.taken),
            directory.used_way.eq(Mux(self.flush, swept_way, way)),
            directory.picked.eq(self.flush),
            directory.dirty.eq(self.done & self.stores),
        ]
        with m.If(request.taken):
            m.d.sync += [hit.eq(1), buffered.eq(1), way.eq(directory.victim)]
            m.d.sync += [held.eq(1), here.eq(Cat(directory.victim, own_set)), arrived.eq(0)]
        with m.Else():
            m.d.sync += arrived.eq(arrived | arriving)

        # The buffer takes beats and stores; a word is stored only when it has come.
        stores = self.done & self.stores
        is_place = [own_place == number for number in range(rows.line)]
        for number in range(rows.line):
            row, column = divmod(number, rows.words)
            with m.If(fill.data & (fill.row == row) & fill.mask[column]):
                m.d.sync += buffer[number].eq(fill.words[column])
            with m.Elif(stores & buffered & is_place[number]):
                m.d.sync += buffer[number].eq(self.word)

        # The banks: the buffer is written back to them when the next line is requested; then the dirty line is read.
        reads_victim, victim_comes = Signal(), Signal()
        m.d.sync += [reads_victim.eq(request.taken & request.evicts), victim_comes.eq(reads_victim)]
        spilled = _shifted(m, [word.as_value() for word in buffer], here[:way_bits], 1)
        is_own = _shifted(m, is_place, way, 1)
        outputs: list[Value] = []
        for number in range(rows.line):
            bank = Memory(shape=w.WORD, depth=1 << len(here), init=[])
            m.submodules[f"bank_{number}"] = bank
            writing = bank.write_port()
            reading = bank.read_port(transparent_for=(writing,))  # for a load behind a store
            asked = Const(0, 0)  # the way whose word of this place is in this bank
            if fields.ways > 1:
                asked = w.lookup(m, place, way_bits, lambda n, number=number: (number - n) % rows.line)
            looked = Cat(asked, fields.set_of(list(self.address)))
            m.d.comb += [
                reading.addr.eq(Mux(reads_victim, here, looked)),
                reading.en.eq(self.enters | reads_victim),
                writing.addr.eq(Mux(request.taken, here, Cat(way, own_set))),
                writing.data.as_value().eq(Mux(request.taken, spilled[number], self.word.as_value())),
                writing.en.eq((request.taken & held) | (stores & ~buffered & is_own[number])),
            ]
            outputs.append(reading.data.as_value())
        in_buffer = of_way(is_place, [word.as_value() for word in buffer])
        m.d.comb += self.loaded.as_value().eq(Mux(buffered, in_buffer, of_way(is_own, outputs)))

        evicted = Signal(data.ArrayLayout(rows.layout, rows.count))
        with m.If(victim_comes):
            m.d.sync += evicted.eq(Cat(_shifted(m, outputs, way, -1)))
        m.d.comb += self.words.eq(evicted[self.row] if rows.count > 1 else evicted[0])
        return m


def _shifted(m: Module, values: list[Value], way: Value, direction: int) -> list[Value]:
    """Return values that are moved up by the number of a way, or down, from the last place to the first."""
    for step in range(len(way)):
        by = direction * (1 << step)
        moved = []
        for place, value in enumerate(values):
            chosen = Signal(len(value))
            m.d.comb += chosen.eq(Mux(way[step], values[(place - by) % len(values)], value))
            moved.append(chosen)
        values = moved
    return values
