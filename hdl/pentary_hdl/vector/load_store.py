"""Vector load/store unit: moves words between memory and the vector registers, a beat in a cycle.

In the cycle before an access its line is looked up, and in the cycle of the access the words of a store are read from
the vector register and written. The words of a load come in the cycle after, are turned to their slots, and written to
the vector register in the one after that.
"""

from itertools import pairwise

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import VECTORS
from pentary.machine.config import Config
from pentary_hdl.caches.fields import log5
from pentary_hdl.core import word as w
from pentary_hdl.core.ports import ELEMENT_BITS, MOVE, Order, moves
from pentary_hdl.core.rotation import rotated
from pentary_hdl.vector.arithmetic import WORD_BITS, nothing, picked
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.queue import Queue
from pentary_hdl.vector.registers import window_read_port, window_write_port
from pentary_hdl.vector.scoreboard import NUMBER, ticket_layout
from pentary_hdl.vector.vector import user_port


class LoadStoreUnit(wiring.Component):
    """Vector load/store unit.

    Args:
        config: configuration of the machine.
        users: units that use vector registers.

    Members:
        in_ex: In; an instruction of the unit is in EX.
        enters: In; it leaves EX in this cycle, and is certain to complete.
        move: In; with `enters`, of `MOVE`.
        first: In; with `enters`, address of the first element.
        step: In; with `enters`, the stride, or the base that is added to an index.
        last: In; with `enters`, VL less 1.
        room: Out; another instruction of the unit may enter EX in the next cycle.
        idle: Out; all instructions are complete from the next cycle on.
        moves: Out; accesses of instructions that have left EX are left for this cycle or later ones.
        memory: Out; of `ports.moves`.
        vectors: Out; of `user_port`.
        window, moved: Out; of the vector registers.
    """

    def __init__(self, config: Config, users: int) -> None:
        """Create a unit."""
        self._sizes = sizes = Sizes.of(config)
        self._queue, self._latency = config.pipeline.queue, config.l1_latency(config.dcache)
        self._line_digits, self._beat_digits = log5(config.caches.line), log5(sizes.beat)
        self._entry = data.StructLayout(
            {
                "ticket": ticket_layout(users, self._queue),
                "move": MOVE,
                "first": w.WORD,
                "step": w.WORD,
                "last": ELEMENT_BITS,
            }
        )
        super().__init__(
            {
                "in_ex": In(1),
                "enters": In(1),
                "move": In(MOVE),
                "first": In(w.WORD),
                "step": In(w.WORD),
                "last": In(ELEMENT_BITS),
                "room": Out(1),
                "idle": Out(1),
                "moves": Out(1),
                "memory": Out(moves(sizes.beat)),
                "vectors": Out(user_port(config, users)),
                "window": Out(window_read_port(sizes)),
                "moved": Out(window_write_port(sizes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the queue, the sequence of accesses and the way of the words."""
        m = Module()
        m.submodules.queue = queue = Queue(self._queue, self._entry)
        move, uses = self.move, self.vectors.uses
        m.d.comb += [
            queue.in_ex.eq(self.in_ex),
            queue.enters.eq(self.enters),
            self.vectors.enters.eq(self.enters),
            uses.first.used.eq(~move.loads),
            uses.first.number.eq(move.register),
            uses.second.used.eq(move.order == Order.INDEXED),
            uses.second.number.eq(move.indices),
            uses.written.used.eq(move.loads),
            uses.written.number.eq(move.register),
            queue.entry.ticket.eq(self.vectors.ticket),
            *(queue.entry[name].eq(getattr(self, name)) for name in ("move", "first", "step", "last")),
        ]

        # The access in this cycle, and the address of the next one.
        active, now, element = Signal(), Signal(self._entry), Signal(ELEMENT_BITS)
        address, following = Signal(w.WORD), Signal(w.WORD)
        beat, low, line = self._sizes.beat, self._beat_digits, self._line_digits
        consecutive, one_by_one = now.move.order == Order.CONSECUTIVE, now.move.order != Order.CONSECUTIVE
        place = Signal(range(beat))  # of the address in its beat
        base = Signal(signed(ELEMENT_BITS + 2))  # number of the element at place 0, if there were one
        takes_place, is_last, starts, goes_on = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            place.eq(w.packed(list(address)[:low]) if low else 0),
            base.eq(element - place),
            takes_place.eq(active & self.memory.done),
            is_last.eq(Mux(consecutive, base + (beat - 1) >= now.last, element == now.last)),
            goes_on.eq(takes_place & ~is_last),
            starts.eq(queue.valid & self.vectors.ready & (~active | (takes_place & is_last))),
            queue.takes.eq(starts),
            self.vectors.asked.eq(queue.oldest.ticket),
            self.room.eq(queue.room),
            self.moves.eq(active | ~queue.empty),
            self.memory.looks.eq(starts | goes_on),
            self.memory.next.eq(Mux(starts, queue.oldest.first.as_value(), following.as_value())),
            self.memory.starts_line.eq(
                starts
                | one_by_one
                | (Cat(list(address)[low:line]) == Cat(Const(4, w.DIGIT) for _ in range(line - low)))
            ),
            self.memory.valid.eq(active),
            self.memory.address.eq(address),
            self.memory.stores.eq(~now.move.loads),
            self.memory.ends.eq(is_last),
        ]
        after = self._after(m, starts, Mux(starts, queue.oldest, now), element)
        m.d.sync += active.eq(starts | (active & ~(takes_place & is_last)))
        with m.If(starts):
            m.d.sync += [now.eq(queue.oldest), element.eq(0)]
        with m.Elif(goes_on):
            m.d.sync += element.eq(Mux(consecutive, base + beat, element + 1))
        with m.If(starts | goes_on):
            m.d.sync += [address.eq(self.memory.next), following.eq(after)]
        self._move(m, now, place, base, element, takes_place, is_last, starts)
        self._complete(m, now, takes_place & is_last, active | ~queue.empty)
        return m

    def _after(self, m: Module, starts: Value, entry: Value, element: Value) -> Signal:
        """Return the address of the access after the one at `memory.next`, of an entry."""
        now, lane_bits = Signal(self._entry), ceil_log2(self._sizes.lanes)
        number, read, low = Signal(ELEMENT_BITS), self.vectors.read, self._beat_digits
        m.d.comb += [
            now.eq(entry),
            number.eq(Mux(starts, 1, element + 2)),
            read.numbers[0].eq(now.move.indices),
            read.row.eq(number >> lane_bits),
        ]
        index = picked([word.as_value() for word in read.words[0]], number[:lane_bits])
        addend, after = Signal(w.WORD), Signal(w.WORD)
        m.d.comb += addend.as_value().eq(
            Mux(now.move.order == Order.INDEXED, index, self.memory.next.as_value()),
        )
        apart, _ = w.add(m, list(addend), list(now.step))
        beside = [*[Const(0, w.DIGIT)] * low, *w.next_of(m, list(self.memory.next)[low:])]
        m.d.comb += w.assign(after, w.chosen(now.move.order == Order.CONSECUTIVE, beside, apart))
        return after

    def _move(
        self,
        m: Module,
        now: data.View,
        place: Value,
        base: Value,
        element: Value,
        takes_place: Value,
        is_last: Value,
        starts: Value,
    ) -> None:
        """Turn words between their places in a beat and their slots in a register."""
        sizes, memory, window, moved = self._sizes, self.memory, self.window, self.moved
        bits, lane_bits = ceil_log2(sizes.slots), ceil_log2(sizes.lanes)
        consecutive, turn = now.move.order == Order.CONSECUTIVE, base[:bits]
        first = Mux(consecutive, base, element)
        inside = [
            Mux(consecutive, (base + number >= element) & (base + number <= now.last), place == number)
            for number in range(sizes.beat)
        ]
        m.d.comb += [
            memory.mask.eq(Cat(inside)),
            window.number.eq(now.move.register),
            window.place.eq(first >> bits),
            window.offset.eq(first[:bits]),
        ]
        stored = rotated(m, [word.as_value() for word in window.words], turn, -1)
        m.d.comb += [own.as_value().eq(word) for own, word in zip(memory.words, stored, strict=False)]

        def row_of(number: Value) -> Value:
            row = Signal(sizes.row_number)
            m.d.comb += row.eq(number >> lane_bits)
            return row

        # The words of a load are here a cycle later, and another one later at their slots.
        coming = {"mask": sizes.beat, "turn": bits, "number": NUMBER, "place": sizes.place, "offset": bits}
        here = Signal(data.StructLayout({**coming, "valid": 1, "completes": 1, "last": ELEMENT_BITS}))
        begins = Signal()
        m.d.sync += [
            here.valid.eq(takes_place & now.move.loads),
            here.mask.eq(memory.mask),
            here.turn.eq(turn),
            *(here[name].eq(getattr(window, name)) for name in ("number", "place", "offset")),
            # Indices may be in the register that is loaded, which is not to change before they have been read.
            here.completes.eq(takes_place & is_last & (now.move.order == Order.INDEXED)),
            here.last.eq(now.last),
            begins.eq(starts),
        ]
        missing = sizes.slots - sizes.beat
        loaded = [*(word.as_value() for word in memory.loaded), *[Const(0, WORD_BITS)] * missing]
        slots = rotated(m, loaded, here.turn, 1)
        mask = rotated(m, [*here.mask, *[Const(0, 1)] * missing], here.turn, 1)
        in_last_row = [here.last[lane_bits:bits] == slot // sizes.lanes for slot in range(sizes.slots)]
        after = [
            here.completes & in_row & (here.last[:lane_bits] < slot % sizes.lanes)
            for slot, in_row in enumerate(in_last_row)
        ]
        m.d.sync += [
            moved.mask.eq(Mux(here.valid, Cat(mask) | Cat(after), 0)),
            *(
                own.as_value().eq(Mux(is_after, nothing(), word))
                for own, word, is_after in zip(moved.words, slots, after, strict=True)
            ),
            *(getattr(moved, name).eq(here[name]) for name in ("number", "place", "offset")),
            moved.completes.eq(Cat(here.valid & here.completes, here.number, row_of(here.last))),
        ]
        m.d.comb += moved.clears.eq(
            Cat(begins & now.move.loads & (now.move.order != Order.INDEXED), now.move.register, row_of(now.last))
        )

    def _complete(self, m: Module, now: data.View, ends: Value, busy: Value) -> None:
        """Drive `reads` and `writes` of the scoreboard, and `idle`."""
        vectors, move = self.vectors, now.move
        # A load is complete in the second cycle after that of the latency 1, a store in the first one.
        layout = data.StructLayout({"loads": 1, "stores": 1, "register": NUMBER})
        ended = [Signal(layout, name=f"ended_{age}") for age in range(self._latency + 1)]
        m.d.sync += [
            ended[0].eq(Cat(ends & move.loads, ends & ~move.loads, move.register)),
            *(after.eq(before) for before, after in pairwise(ended)),
        ]
        pending = [each.loads for each in ended[:-1]] + [each.stores for each in ended[:-2]]
        read = [
            (~move.loads & (move.register == number)) | ((move.order == Order.INDEXED) & (move.indices == number))
            for number in range(VECTORS)
        ]
        written = [ended[-1].loads & (ended[-1].register == number) for number in range(VECTORS)]
        m.d.comb += [
            self.idle.eq(~busy & ~self.in_ex & ~Cat(pending).any()),
            vectors.reads.eq(Mux(ends, Cat(read), 0)),
            vectors.writes.eq(Cat(written)),
        ]
