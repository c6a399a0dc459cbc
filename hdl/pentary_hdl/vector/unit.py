"""The vector unit: takes instructions from its queue, and passes their rows through the lanes.

The cycle in which a row of the sources is read is its age 0; `architecture/vector.md` says what happens at which age.
"""

from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final

from amaranth import Cat, Const, DomainRenamer, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL, REGISTERS, VECTORS
from pentary.machine.config import Config
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.vector.arithmetic import WORD_BITS, nothing, picked, widened
from pentary_hdl.vector.decoder import CONTROL, Op, is_any
from pentary_hdl.vector.elements import Elements
from pentary_hdl.vector.gate import ACTIVE
from pentary_hdl.vector.parameters import NAMES, Sizes, having
from pentary_hdl.vector.pool import Pool
from pentary_hdl.vector.products import Products, limbs_of
from pentary_hdl.vector.queue import Queue
from pentary_hdl.vector.reductions import Maximum, Sums
from pentary_hdl.vector.registers import read_port, write_port
from pentary_hdl.vector.scoreboard import ticket_layout
from pentary_hdl.vector.sequence import Sequence, entry_layout, slot_layout
from pentary_hdl.vector.window import Window

RESULT: Final = data.StructLayout({"valid": 1, "register": range(REGISTERS), "word": w.WORD})
"""Word for a scalar register."""

ANNOUNCED: Final = data.StructLayout({"valid": 1, "register": range(REGISTERS)})

RESULTS: Final = 2
"""Results that can come in a cycle: of VGET or FITGET, and of VSUM or VMAX."""

_SCALAR: Final = (("VGET", "FITGET"), ("VSUM", "VMAX"))
_MULTIPLIED: Final = ("VMUL", "VMULS", "CONV")
_PRODUCTS: Final = (*_MULTIPLIED, "VSUM", "POPEVAL")
"""Instructions that multiply, VSUM by 1."""


class VectorUnit(wiring.Component):
    """Vector unit.

    Args:
        config: configuration of the machine.
        users: units that use vector registers, this one included.

    Members:
        in_ex: In; an instruction of the unit is in EX.
        enters: In; it leaves EX in this cycle, and is certain to complete.
        control: In; with `enters`, of `decoder.CONTROL`.
        x, y: In; with `enters`, words of the registers in its fields a and b.
        vl: In; with `enters`, VL.
        ticket: In; with `enters`, from the scoreboard.
        room: Out; another instruction of the unit may enter EX in the next cycle.
        asked: Out; ticket of the instruction that would start next, for the scoreboard.
        ready: In; the scoreboard's answer.
        reads, writes: Out; registers that are read and written, for the scoreboard.
        read: rows of the sources, of `registers.read_port`.
        write: rows of the result, of `registers.write_port`; sums and the like, which can be read in the same cycle;
            then products.
        results: Out; words for scalar registers, in the cycle before the one of start + latency.
        announced: Out; the registers of those that come in the next cycle.
        starts: Out; an instruction starts in the next cycle.
        idle: Out; all instructions are complete from the next cycle on.
        active: Out; of `gate.ACTIVE`: something in a clock domain changes at the end of this cycle.
    """

    def __init__(self, config: Config, users: int) -> None:
        """Create a vector unit."""
        self._sizes = sizes = Sizes.of(config)
        self._queue = config.pipeline.queue
        self._ticket = ticket_layout(users, self._queue)
        super().__init__(
            {
                "in_ex": In(1),
                "enters": In(1),
                "control": In(CONTROL),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "vl": In(range(MAX_VL + 1)),
                "ticket": In(self._ticket),
                "room": Out(1),
                "asked": Out(self._ticket),
                "ready": In(1),
                "reads": Out(VECTORS),
                "writes": Out(VECTORS),
                "read": Out(read_port(sizes)),
                "write": Out(write_port(sizes)).array(2),
                "results": Out(RESULT).array(RESULTS),
                "announced": Out(ANNOUNCED).array(RESULTS),
                "starts": Out(1),
                "idle": Out(1),
                "active": Out(ACTIVE),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the queue, the sequence of rows and the lanes."""
        m = Module()
        sizes = self._sizes
        longest = max(sizes.lag(name) for name in NAMES)
        slots = [Signal(slot_layout(sizes), name=f"slot_{age}") for age in range(longest)]
        for before, after in pairwise(slots):
            m.d.lanes += after.eq(before)

        sequence = Sequence(sizes, self._ticket)
        m.submodules.sequence = DomainRenamer("lanes")(sequence)
        m.d.comb += [
            slots[0].eq(sequence.slot),
            sequence.starts.eq(self.starts),
            self.reads.eq(sequence.reads),
            self.read.row.eq(sequence.row),
            *(own.eq(number) for own, number in zip(self.read.numbers, sequence.numbers, strict=True)),
        ]
        self._take(m, slots, sequence)
        sources = [
            [Signal(w.WORD, name=f"source_{number}_{lane}") for lane in range(sizes.lanes)]
            for number in range(len(self.read.words))
        ]
        for row, words in zip(sources, self.read.words, strict=True):
            m.d.lanes += [own.eq(word) for own, word in zip(row, words, strict=True)]
        self._compute(m, slots, sequence.accumulator, sources)
        self._complete(m, slots)
        return m

    def _take(self, m: Module, slots: list[Signal], sequence: Sequence) -> None:
        """Add the queue, and decide when its oldest instruction starts."""
        sizes, control = self._sizes, self.control
        layout = entry_layout(self._ticket)
        m.submodules.queue = queue = Queue(self._queue, layout)
        entering = queue.entry
        number = Mux(control.op == Op.VSET, Cat(*list(self.x)[:4]), Cat(*list(self.y)[:4]))
        element = conversion.to_binary(m, [number[first : first + 3] for first in range(0, 12, 3)])
        count = Signal(range(-MAX_VL, MAX_VL + 1))
        m.d.comb += [
            count.eq(self.vl - Mux(control.op == Op.CONV, control.width, 0)),
            queue.in_ex.eq(self.in_ex),
            queue.enters.eq(self.enters),
            entering.ticket.eq(self.ticket),
            entering.op.eq(control.op),
            entering.d.eq(control.d),
            entering.a.eq(control.a),
            entering.b.eq(control.b),
            entering.width.eq(control.width),
            entering.word.eq(self.y),
            entering.element.eq(element),
            entering.last.eq(self.vl - 1),
            entering.count.eq(Mux(count < 0, 0, count)),
        ]
        next_ = queue.oldest
        # FITGET waits for the sums that its accumulator is still to get.
        added = [slot.valid & (slot.op == Op.POPEVAL) & (slot.d == next_.a) for slot in slots]
        waits = (next_.op == Op.FITGET) & reduce(or_, added)
        m.d.comb += [
            self.asked.eq(next_.ticket),
            self.starts.eq(queue.valid & self.ready & ~waits & (~slots[0].valid | slots[0].last)),
            queue.takes.eq(self.starts),
            sequence.entry.eq(next_),
            self.room.eq(queue.room),
        ]

        pending = [
            slot.valid & is_any(slot.op, [name for name in NAMES if sizes.lag(name) > age])
            for age, slot in enumerate(slots)
        ]
        m.d.comb += [
            self.idle.eq(queue.empty & ~reduce(or_, pending)),
            self.active.lanes.eq(self.starts | reduce(or_, [slot.valid for slot in slots])),
            self.active.products.eq(
                (slots[0].valid & (slots[0].op == Op.FITGET))
                | reduce(or_, [slot.valid & is_any(slot.op, _PRODUCTS) for slot in slots[1 : sizes.depth + 3]])
            ),
        ]

    def _compute(self, m: Module, slots: list[Signal], fitness: Value, sources: list[list[Signal]]) -> None:
        """Connect the lanes."""
        sizes = self._sizes
        window = Window(sizes)
        elements = Elements(sizes)
        products = Products(sizes)
        pool = Pool(sizes)
        maximum = Maximum(sizes)
        sums = Sums(sizes)
        parts = {"window": window, "elements": elements, "pool": pool, "maximum": maximum}
        for name, part in parts.items():
            m.submodules[name] = DomainRenamer("lanes")(part)
        for name, part in {"products": products, "sums": sums}.items():
            m.submodules[name] = DomainRenamer("products")(part)
        one, (first, second) = slots[1], sources
        converts = one.op == Op.CONV
        m.d.comb += [
            window.enable.eq(one.valid & converts),
            window.begins.eq(one.first),
            window.number.eq(one["pass"]),
        ]
        by_scalar, by_row = is_any(one.op, ["VADDS", "VMULS", "VSET"]), Signal()
        common = Signal(WORD_BITS)
        m.d.comb += [
            by_row.eq(~by_scalar & ~converts & (one.op != Op.VSUM)),
            common.eq(Mux(by_scalar, one.word, Mux(converts, window.tap, Cat(*w.constant(1))))),
            elements.op.eq(one.op),
            elements.k.eq(one.b),
            elements.width.eq(one.width),
            elements.inside.eq(one.inside | (one.op == Op.VSET).replicate(sizes.lanes)),
            products.squares.eq(one.op == Op.POPEVAL),
            products.inside.eq(one.inside),
            products.begins.eq(one.begins),
            pool.enable.eq(slots[0].valid & (slots[0].op == Op.POOL)),
            pool.width.eq(slots[0].width),
            pool.phase.eq(slots[0]["pass"]),
            pool.inside.eq(one.inside),
            maximum.inside.eq(one.inside),
        ]
        for lane in range(sizes.lanes):
            operand = Signal(WORD_BITS, name=f"operand_{lane}")
            pairs = limbs_of(sums.products[lane]), limbs_of(products.sums[lane])
            m.d.comb += [
                *(
                    part.eq(first[lane])
                    for part in (window.first[lane], elements.x[lane], pool.x[lane], maximum.x[lane])
                ),
                window.second[lane].eq(second[lane]),
                operand.eq(Mux(by_row, second[lane].as_value(), common)),
                elements.y[lane].as_value().eq(operand),
                products.x[lane].as_value().eq(Mux(converts, window.words[lane].as_value(), first[lane].as_value())),
                products.y[lane].eq(Mux(one.op == Op.POPEVAL, elements.sums[lane], widened(operand))),
                *(own.eq(limb) for own, limb in zip(*pairs, strict=True)),
            ]
        self._write(m, slots, elements, products, pool)
        self._deliver(m, slots, fitness, maximum, sums, first)

    def _write(self, m: Module, slots: list[Signal], elements: Elements, products: Products, pool: Pool) -> None:
        """Write the rows of the results."""
        sizes = self._sizes
        (early, late), (two, four) = self.write, (slots[2], slots[4])
        pools = two.op == Op.POOL
        sets = two.op == Op.VSET
        written = [name for name in having("vd") if name not in _MULTIPLIED]
        m.d.comb += [
            early.enable.eq(two.valid & is_any(two.op, written)),
            early.mask.eq(Mux(sets, Const(1, sizes.lanes) << two.lane, Mux(pools, pool.mask, elements.mask))),
            early.last.eq(two.last & ~sets),
            late.enable.eq(four.valid & is_any(four.op, _MULTIPLIED) & four.ends),
            late.mask.eq(~Const(0, sizes.lanes)),
            late.last.eq(four.last),
        ]
        for lane in range(sizes.lanes):
            word = Mux(four.inside[lane], products.words[lane].as_value(), nothing())
            m.d.comb += [
                early.words[lane].eq(Mux(pools, pool.words[lane], elements.words[lane])),
                late.words[lane].as_value().eq(word),
            ]
        for port, slot in ((early, two), (late, four)):
            m.d.comb += [port.number.eq(slot.d), port.row.eq(slot.target)]

    def _deliver(
        self, m: Module, slots: list[Signal], fitness: Value, maximum: Maximum, sums: Sums, row: list[Signal]
    ) -> None:
        """Deliver words for scalar registers, and connect the fitness accumulators."""
        depth = self._sizes.depth
        soon, one, before_last, last = (slots[age] for age in (0, 1, depth + 1, depth + 2))
        rows, added = slots[depth], last
        m.d.comb += [
            maximum.begins.eq(before_last.first),
            maximum.valid.eq(before_last.valid & (before_last.op == Op.VMAX)),
            sums.begins.eq(rows.first),
            sums.valid.eq(rows.valid & is_any(rows.op, ["VSUM", "POPEVAL"])),
            sums.adds.eq(added.valid & added.last & (added.op == Op.POPEVAL)),
            sums.added.eq(added.d),
            sums.number.eq(fitness),
            sums.takes.eq(soon.valid & (soon.op == Op.FITGET)),
        ]
        element = picked([word.as_value() for word in row], one.lane)
        words = (
            Mux(one.op == Op.VGET, element, sums.taken.as_value()),
            Mux(last.op == Op.VMAX, maximum.word.as_value(), sums.word.as_value()),
        )
        ages = ((soon, one), (before_last, last))
        for number, (names, (coming, there)) in enumerate(zip(_SCALAR, ages, strict=True)):
            for port, slot in ((self.announced[number], coming), (self.results[number], there)):
                m.d.comb += [
                    port.valid.eq(slot.valid & slot.last & (slot.d != 0) & is_any(slot.op, names)),
                    port.register.eq(slot.d),
                ]
            m.d.comb += self.results[number].word.as_value().eq(words[number])

    def _complete(self, m: Module, slots: list[Signal]) -> None:
        """Report completed registers to the scoreboard."""
        complete = []
        for age, slot in enumerate(slots):
            if names := [name for name in having("vd") if self._sizes.lag(name) == age]:
                ends = slot.valid & slot.last & is_any(slot.op, names)
                complete.append(Cat(ends & (slot.d == register) for register in range(VECTORS)))
        m.d.comb += self.writes.eq(reduce(or_, complete))
