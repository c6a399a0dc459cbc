"""Data cache of the first level."""

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.caches.directory import Directory, of_way, sweep
from pentary_hdl.caches.fields import Fields, log5
from pentary_hdl.caches.ports import REQUEST, Rows
from pentary_hdl.core import word as w
from pentary_hdl.core.rotation import rotated


class DataCache(wiring.Component):
    """Data cache, write-back, with one miss at a time.

    The line that came last is in a buffer, until the next one is requested: so stores and beats never need the same
    memory in one cycle. The other lines are in banks, one for each word of a line. Those of way k are shifted by k
    banks, so that one word is read in all ways at once.

    An access is looked up while its instruction is in EX, and takes place in MEM. A *beat* is an access to several
    words of a line, of the vector load/store unit.

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
        is_beat: In; with `valid`, the access is a beat.
        mask: In; its words, a bit for each.
        stored: In; the words, if it is a store.
        beat: Out; the words, in the cycle after it has taken place.
    """

    def __init__(self, config: Config) -> None:
        """Create a cache."""
        self._rows, self._fields = Rows(config), Fields.of(config, config.dcache)
        self._critical_first = config.caches.critical_first
        self._beat = min(config.dcache.beat, config.caches.line)
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
                "is_beat": In(1),
                "mask": In(self._beat),
                "stored": In(w.WORD).array(self._beat),
                "beat": Out(w.WORD).array(self._beat),
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
        # Places of the words that are accessed; a beat is one of `beats` parts of the line.
        beat, beats = self._beat, rows.line // self._beat
        part = Signal(range(beats))
        m.d.comb += part.eq(w.packed(at[log5(beat) : fields.place]) if beats > 1 else 0)
        is_place = [own_place == place for place in range(rows.line)]
        in_beat = [self.mask[place % beat] & (part == place // beat) for place in range(rows.line)]
        accessed = Signal(rows.line)  # the places of the words
        has_come = ~(accessed & ~arrived).any()
        m.d.comb += [
            own_place.eq(fields.place_of(at)),
            accessed.eq(Mux(self.is_beat, Cat(in_beat), Cat(is_place))),
            self.done.eq(self.valid & hit & (~buffered | has_come)),
            self.soon.eq(self.valid & hit & buffered & arriving.bit_select(own_place, 1)),
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

        # The buffer takes the rows of the line that comes, and stores; a word is stored only when it has come.
        stores = self.done & self.stores
        for number in range(rows.line):
            row, column = divmod(number, rows.words)
            with m.If(fill.data & (fill.row == row) & fill.mask[column]):
                m.d.sync += buffer[number].eq(fill.words[column])
            with m.Elif(stores & buffered & accessed[number]):
                m.d.sync += buffer[number].eq(Mux(self.is_beat, self.stored[number % beat].as_value(), self.word))

        # The banks: the buffer is written back to them when the next line is requested; then the dirty line is read.
        # The words of a beat are read when their way is known.
        reads_victim, victim_comes, reads_beat = Signal(), Signal(), Signal()
        m.d.sync += [reads_victim.eq(request.taken & request.evicts), victim_comes.eq(reads_victim)]
        m.d.comb += reads_beat.eq(self.done & self.is_beat & ~self.stores)
        spills = request.taken
        written_way = Mux(spills, here[:way_bits], way)
        lines = [
            Mux(spills, word.as_value(), self.stored[place % beat].as_value()) for place, word in enumerate(buffer)
        ]
        written = rotated(m, lines, written_way, 1)
        enabled, is_own = rotated(m, list(accessed), way, 1), rotated(m, is_place, way, 1)
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
            is_word = ~spills & ~self.is_beat
            m.d.comb += [
                reading.addr.eq(Mux(reads_victim, here, Mux(reads_beat, Cat(way, own_set), looked))),
                reading.en.eq(self.enters | reads_victim | reads_beat),
                writing.addr.eq(Cat(written_way, Mux(spills, here[way_bits:], own_set))),
                writing.data.as_value().eq(Mux(is_word, self.word.as_value(), written[number])),
                writing.en.eq((spills & held) | (stores & ~buffered & enabled[number])),
            ]
            outputs.append(reading.data.as_value())
        in_buffer = of_way(is_place, [word.as_value() for word in buffer])
        m.d.comb += self.loaded.as_value().eq(Mux(buffered, in_buffer, of_way(is_own, outputs)))

        # A line that has been read, at its places: one that is evicted, or one with a beat.
        read_way, read_part, was_buffered = Signal(way_bits), Signal.like(part), Signal()
        m.d.sync += [
            read_way.eq(Mux(reads_victim, here[:way_bits], way)),
            read_part.eq(part),
            was_buffered.eq(buffered),
        ]
        line = rotated(m, outputs, read_way, -1)
        for column, word in enumerate(self.beat):
            kept = Signal(w.WORD, name=f"kept_{column}")
            m.d.sync += kept.eq(_of_number(part, list(buffer)[column::beat]))
            m.d.comb += word.as_value().eq(Mux(was_buffered, kept, _of_number(read_part, line[column::beat])))

        evicted = Signal(data.ArrayLayout(rows.layout, rows.count))
        with m.If(victim_comes):
            m.d.sync += evicted.eq(Cat(line))
        m.d.comb += self.words.eq(evicted[self.row] if rows.count > 1 else evicted[0])
        return m


def _of_number(number: Value, values: Sequence[Value]) -> Value:
    """Return one of some values."""
    return of_way([number == place for place in range(len(values))], [Value.cast(value) for value in values])
