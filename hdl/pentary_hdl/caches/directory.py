"""Directory of a cache: which lines it holds, which are dirty, and which way of a set has not been used for longest."""

from functools import reduce
from operator import or_

from amaranth import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, ReadPort, WritePort
from amaranth.lib.wiring import In, Out

from pentary_hdl.caches.fields import Fields
from pentary_hdl.core import word as w


def row_layout(fields: Fields) -> data.ArrayLayout:
    """Return the layout of a set: an entry for each way.

    The ages of the ways are a permutation of 0 to ways - 1, 0 for the way used last.
    """
    entry = {"valid": 1, "dirty": 1, "tag": fields.tag_layout, "age": range(fields.ways)}
    return data.ArrayLayout(data.StructLayout(entry), fields.ways)


def holds(fields: Fields, row: data.View, address: w.Digits) -> list[Value]:
    """Return for each way whether it holds the line of an address."""
    tag = fields.tag_of(address)
    return [entry.valid & (entry.tag.as_value() == tag) for entry in row]


def oldest(row: data.View) -> list[Value]:
    """Return for each way whether it is to be replaced; one that has never been used is older than all that have."""
    return [entry.age == len(row) - 1 for entry in row]


def after_use(
    fields: Fields, row: data.View, way: list[Value], address: w.Digits, fresh: Value, dirty: Value
) -> list[Value]:
    """Return the entries of a set after the use of one of them, as bits.

    Args:
        fields: of the cache.
        row: the set.
        way: for each way, whether it is used.
        address: in the line that it then holds.
        fresh: whether it did not hold that line before.
        dirty: whether it is written.
    """
    own_age = of_way(way, [entry.age for entry in row])
    entries: list[Value] = []
    for is_used, entry in zip(way, row, strict=True):
        older = (entry.age + (entry.age < own_age))[: len(entry.age)]
        entries.append(
            Cat(
                entry.valid | is_used,
                Mux(is_used, (entry.dirty & ~fresh) | dirty, entry.dirty),
                Mux(is_used, fields.tag_of(address), entry.tag.as_value()),
                Mux(is_used, 0, older)[: len(entry.age)],
            )
        )
    return entries


def of_way(way: list[Value], values: list[Value]) -> Value:
    """Return the value of the way whose bit is 1, 0 if there is none."""
    return reduce(or_, [Mux(is_it, value, 0) for is_it, value in zip(way, values, strict=True)])


def number_of(way: list[Value]) -> Value:
    """Return the number of the way whose bit is 1."""
    bits = (len(way) - 1).bit_length()
    return of_way(way, [Const(number, bits) for number in range(len(way))])[:bits]


def table(m: Module, fields: Fields) -> tuple[Memory, WritePort]:
    """Add the memory of a directory, all of whose entries are empty at the start and after a reset.

    Returns:
        The memory, and a port whose members are to be assigned; in a reset it writes a row in each cycle.
    """
    layout, depth = row_layout(fields), 1 << fields.set_bits
    empty = [{"valid": 0, "dirty": 0, "tag": [0] * fields.tag, "age": age} for age in range(fields.ways)]
    m.submodules.table = memory = Memory(shape=layout, depth=depth, init=[empty] * depth)
    port = memory.write_port()
    cleared, own = Signal(range(depth), reset_less=True), port.signature.flip().create(path=("write",))
    resets = ResetSignal()
    m.d.sync += cleared.eq(cleared + 1)
    m.d.comb += [
        port.addr.eq(Mux(resets, cleared, own.addr)),
        port.data.as_value().eq(Mux(resets, layout.const(empty).as_value(), own.data.as_value())),
        port.en.eq(resets | own.en),
    ]
    return memory, own


def sweep(m: Module, fields: Fields, steps: Value) -> tuple[Signal, Signal, Signal]:
    """Add a counter that goes through all lines of a cache.

    Args:
        m: module to which it is added.
        fields: of the cache.
        steps: whether it goes on to the next line.

    Returns:
        An address in the set, the way, and whether it has gone through all.
    """
    at, way, ended = Signal(w.WORD, init=w.biased(0)), Signal((fields.ways - 1).bit_length()), Signal()
    digits = list(at)[fields.place : fields.place + fields.set]
    following = w.next_of(m, digits)
    with m.If(steps & ~ended):
        m.d.sync += way.eq(way + 1)
        with m.If(way == fields.ways - 1):
            m.d.sync += [way.eq(0), ended.eq(w.is_nothing(following)), *w.assign(digits, following)]
    return at, way, ended


class Directory(wiring.Component):
    """Directory of a first-level cache: combinational lookup, updates at the end of the cycle.

    Args:
        fields: of the cache.

    Members:
        address: In; it is looked up.
        hit, way: Out; whether its line is here, and in which way.
        used: In; address whose set is updated, or may lose a line.
        update: In; a way of that set is used.
        fresh: In; it is the victim, which is replaced by the line of `used`.
        used_way: In; the way that is used otherwise.
        picked: In; `used_way` is the victim.
        dirty: In; the line is written.
        victim: Out; way of the set of `used` that is to be replaced.
        evicts, evicted: Out; whether its line is dirty, and an address in it.
    """

    def __init__(self, fields: Fields) -> None:
        """Create a directory."""
        self._fields = fields
        way = (fields.ways - 1).bit_length()
        super().__init__(
            {
                "address": In(w.WORD),
                "hit": Out(1),
                "way": Out(way),
                "used": In(w.WORD),
                "update": In(1),
                "fresh": In(1),
                "used_way": In(way),
                "picked": In(1),
                "dirty": In(1),
                "victim": Out(way),
                "evicts": Out(1),
                "evicted": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the table with a port for the lookup and one for the set that is updated."""
        m = Module()
        fields = self._fields
        memory, write = table(m, fields)
        looking, updating = (_reading(m, memory, fields, address) for address in (self.address, self.used))

        found = holds(fields, looking.data, list(self.address))
        given = [self.used_way == number if fields.ways > 1 else Const(1, 1) for number in range(fields.ways)]
        replaced = [
            Mux(self.picked, is_it, is_oldest) for is_it, is_oldest in zip(given, oldest(updating.data), strict=True)
        ]
        way = [Mux(self.fresh, is_victim, is_it) for is_it, is_victim in zip(given, replaced, strict=True)]
        lost = data.View(write.data.shape().elem_shape, of_way(replaced, [entry.as_value() for entry in updating.data]))
        entries = after_use(fields, updating.data, way, list(self.used), self.fresh, self.dirty)
        m.d.comb += [
            self.hit.eq(Cat(found).any()),
            self.way.eq(number_of(found)),
            self.victim.eq(number_of(replaced)),
            self.evicts.eq(lost.dirty),
            *w.assign(self.evicted, fields.line_at(list(self.used), lost.tag.as_value())),
            write.addr.eq(fields.set_of(list(self.used))),
            write.en.eq(self.update),
            write.data.as_value().eq(Cat(entries)),
        ]
        return m


def _reading(m: Module, memory: Memory, fields: Fields, address: data.View) -> ReadPort:
    port = memory.read_port(domain="comb")
    m.d.comb += port.addr.eq(fields.set_of(list(address)))
    return port
