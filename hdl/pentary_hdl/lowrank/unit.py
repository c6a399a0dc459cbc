"""The low-rank unit: takes instructions from its queue, and passes their slots through the stages.

The cycle of a slot is its age 0; `architecture/lowrank_unit.md` says what happens at which age.
"""

from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final

from amaranth import Cat, DomainRenamer, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import ACTIVATION, MAX_VL, VECTORS
from pentary.lowrank.operations import MAX_RANK
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.lowrank.controls import NUMBER, Controls
from pentary_hdl.lowrank.decoder import CONTROL, MOVES, NAMES, Op
from pentary_hdl.lowrank.elements import Elements
from pentary_hdl.lowrank.factors import Factors
from pentary_hdl.lowrank.generation import Generation
from pentary_hdl.lowrank.lanes import Lanes, Projection
from pentary_hdl.lowrank.sequence import Sequence, entry_layout, slot_layout
from pentary_hdl.lowrank.steps import Steps
from pentary_hdl.lowrank.sums import BEATS, Sums
from pentary_hdl.lralu.digits import thermometer
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.vector.arithmetic import WORD_BITS, nothing, picked, saturated
from pentary_hdl.vector.decoder import is_any
from pentary_hdl.vector.limbs import limb
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.queue import Queue
from pentary_hdl.vector.scoreboard import ticket_layout
from pentary_hdl.vector.unit import ANNOUNCED, RESULT
from pentary_hdl.vector.vector import user_port

ACTIVE: Final = data.StructLayout({"lowrank": 1, "lowrank_products": 1, "lowrank_beats": 1})
"""Clock domains of the unit beside `sync`: `lowrank` for what all need, then those of its lanes and of its beats."""

_PRODUCTS: Final = ("LRMUL", "LRMULX")

_LAST: Final = Sizes.lag(Sizes(PENTS, 1), "LRADD")
"""Age of a beat of results."""


class LowRankUnit(wiring.Component):
    """Low-rank unit.

    Args:
        config: configuration of the machine.
        users: units that use vector registers, this one included.

    Members:
        in_ex: In; an instruction of the unit is in EX.
        enters: In; it leaves EX in this cycle, and is certain to complete.
        control: In; with `enters`, of `decoder.CONTROL`.
        x, y: In; with `enters`, words of the registers in its fields a and b.
        room: Out; another instruction of the unit may enter EX in the next cycle.
        results: Out; the word of PRNG, in the cycle before the one of start + latency.
        announced: Out; the register of the one that comes in the next cycle.
        starts: Out; an instruction starts in the next cycle.
        idle: Out; all instructions are complete from the next cycle on.
        active: Out; of `ACTIVE`: something in a clock domain changes at the end of this cycle.
        vectors: vector registers, of `vector.user_port`.
    """

    def __init__(self, config: Config, users: int) -> None:
        """Create a low-rank unit."""
        self._sizes, self._queue = Sizes.of(config), config.pipeline.queue
        self._parameters = LowRankParameters(config.lowrank.lanes, MAX_RANK, MAX_VL, config.lowrank.rounds_per_cycle)
        self._ticket = ticket_layout(users, self._queue)
        super().__init__(
            {
                "in_ex": In(1),
                "enters": In(1),
                "control": In(CONTROL),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "room": Out(1),
                "results": Out(RESULT).array(1),
                "announced": Out(ANNOUNCED).array(1),
                "starts": Out(1),
                "idle": Out(1),
                "active": Out(ACTIVE),
                "vectors": Out(user_port(config, users)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the queue, the sequence of slots and the stages."""
        m = Module()
        sizes, parameters, vectors = self._sizes, self._parameters, self.vectors
        # The products of all lanes are added up at the age 3 + depth.
        slots = [Signal(slot_layout(parameters), name=f"slot_{age}") for age in range(max(_LAST, 3 + sizes.depth) + 1)]
        for before, after in pairwise(slots):
            m.d.lowrank += after.eq(before)
        sequence, controls = Sequence(parameters, self._ticket), Controls()
        generation, factors = Generation(parameters), Factors(parameters)
        lanes, projection = Lanes(sizes), Projection(sizes)
        sums, elements, steps = Sums(parameters), Elements(parameters), Steps(parameters)
        domains = {
            "lowrank": {
                **{"sequence": sequence, "controls": controls, "generation": generation, "factors": factors},
                "sums": sums,
            },
            "lowrank_products": {"lanes": lanes, "projection": projection},
            "lowrank_beats": {"elements": elements, "steps": steps},
        }
        for domain, parts in domains.items():
            for name, part in parts.items():
                m.submodules[name] = DomainRenamer(domain)(part)

        executed, slot = sequence.executed, slots[0]
        self._take(m, slots, sequence)
        m.d.comb += [
            slot.eq(sequence.slot),
            controls.write.eq(slot.valid & (slot.op == Op.LRSET)),
            controls.register.eq(executed.d),
            controls.number.eq(executed.number),
            controls.word.eq(executed.x),
            *(getattr(sequence, n).eq(getattr(controls, n)) for n in ("rows_last", "cols_last", "rank_last", "width")),
            sequence.finished.eq(factors.finished),
        ]
        self._generate(m, slots, executed, controls, generation, factors)

        # Vector registers are read at age 0.
        m.d.comb += [
            vectors.read.numbers[0].eq(Mux(slot.reads_totals, executed.b, executed.a)),
            vectors.read.row.eq(Mux(slot.projects, slot.group, slot.beat >> ceil_log2(BEATS))),
        ]
        row = [Signal(w.WORD, name=f"word_{lane}") for lane in range(sizes.lanes)]
        with m.If(slot.valid & (slot.projects | slot.gives | slot.reads_totals)):
            m.d.lowrank += [own.eq(word) for own, word in zip(row, vectors.read.words[0], strict=True)]

        self._multiply(m, slots, executed, controls, row, factors, lanes, projection, sums)
        self._move(m, slots, executed, row, sums, elements, steps)
        self._write(m, slots[_LAST], elements)
        return m

    def _take(self, m: Module, slots: list[Signal], sequence: Sequence) -> None:
        """Add the queue, and decide when its oldest instruction starts."""
        control, vectors = self.control, self.vectors
        m.submodules.queue = queue = Queue(self._queue, entry_layout(self._ticket))
        entering = queue.entry
        m.d.comb += [
            queue.in_ex.eq(self.in_ex),
            queue.enters.eq(self.enters),
            vectors.enters.eq(self.enters),
            vectors.uses.eq(control.uses),
            entering.ticket.eq(vectors.ticket),
            *(entering[name].eq(control[name]) for name in ("op", "d", "a", "b")),
            entering.x.eq(self.x),
            entering.y.eq(self.y),
            entering.number.eq(conversion.to_binary(m, list(self.x)[:4])),
            vectors.asked.eq(queue.oldest.ticket),
            self.starts.eq(queue.valid & vectors.ready & (~slots[0].valid | slots[0].last)),
            queue.takes.eq(self.starts),
            sequence.starts.eq(self.starts),
            sequence.entry.eq(queue.oldest),
            vectors.reads.eq(sequence.reads),
            self.room.eq(queue.room),
        ]
        pending = [
            slot.valid & is_any(slot.op, [name for name in NAMES if self._sizes.lag(name) > age])
            for age, slot in enumerate(slots)
        ]
        goes_on = slots[0].valid & ~slots[0].last
        m.d.comb += [
            self.idle.eq(queue.empty & ~goes_on & ~reduce(or_, pending)),
            self.active.lowrank.eq(self.starts | reduce(or_, [slot.valid for slot in slots])),
            self.active.lowrank_products.eq(
                reduce(or_, [slot.valid & is_any(slot.op, _PRODUCTS) for slot in slots[1:]])
            ),
            self.active.lowrank_beats.eq(
                (slots[0].valid & (slots[0].op == Op.LRSET))  # GAIN is with POPAVG's datapath
                | reduce(or_, [slot.valid & is_any(slot.op, MOVES) for slot in slots[:_LAST]])
            ),
        ]

    def _generate(
        self,
        m: Module,
        slots: list[Signal],
        executed: data.View,
        controls: Controls,
        generation: Generation,
        factors: Factors,
    ) -> None:
        """Connect generators and factors, and deliver the words of PRNG."""
        slot = slots[0]
        m.d.comb += [
            generation.start.eq(slot.valid & slot.first & is_any(slot.op, ["PRNG", "LRGEN"])),
            generation.pair.eq(slot.op == Op.LRGEN),
            generation.x.eq(executed.x),
            generation.y.eq(executed.y),
            generation.key.eq(controls.key),
            generation.waiting.eq(factors.waiting),
            generation.finished.eq(factors.finished),
            factors.begin.eq(generation.begin),
            factors.store.eq(generation.store),
            *(own.eq(word) for own, word in zip(factors.words, generation.words, strict=True)),
            *(getattr(factors, n).eq(getattr(controls, n)) for n in ("rows_last", "cols_last", "rank_last")),
        ]
        for port, coming in ((self.announced[0], slots[1]), (self.results[0], slots[2])):
            m.d.comb += [
                port.valid.eq(coming.valid & coming.last & (coming.op == Op.PRNG) & (coming.d != 0)),
                port.register.eq(coming.d),
            ]
        m.d.comb += self.results[0].word.eq(generation.word)

    def _multiply(
        self,
        m: Module,
        slots: list[Signal],
        executed: data.View,
        controls: Controls,
        row: list[Signal],
        factors: Factors,
        lanes: Lanes,
        projection: Projection,
        sums: Sums,
    ) -> None:
        """Connect the lanes for LRMUL and LRMULX: their factors at age 1, their sums at age 3."""
        sizes = self._sizes
        zero, one, three, added = slots[0], slots[1], slots[3], slots[3 + sizes.depth]
        number, last_row = Signal(range(MAX_VL)), Signal(range(MAX_VL))
        m.d.comb += [
            factors.level.eq(zero.level),
            factors.group_a.eq(Mux(zero.projects, zero.group, executed.number >> sizes.depth)),
            factors.group_b.eq(zero.group),
            projection.read.eq(zero.level),
        ]
        m.d.lowrank += [number.eq(executed.number), last_row.eq(controls.rows_last)]
        inside = Signal(sizes.lanes)
        m.d.comb += [
            inside.eq(Mux(one.ends, thermometer(last_row[: sizes.depth]), ~0)),
            lanes.projects.eq(one.projects),
            lanes.coefficient.eq(
                Mux(
                    one.op == Op.LRMULX,
                    projection.projected,
                    picked([factors.a[lane] for lane in range(sizes.lanes)], number[: sizes.depth]).as_signed(),
                )
            ),
            lanes.a.eq(factors.a),
            lanes.b.eq(factors.b),
            lanes.multiplies.eq(three.valid & three.multiplies),
            lanes.store.eq(three.ends),
            projection.negative.eq(lanes.negative),
            projection.valid.eq(added.valid & added.projects),
            projection.begins.eq(added.begins),
            projection.ends.eq(added.ends),
            projection.level.eq(added.level),
            sums.multiplies.eq(three.valid & three.multiplies),
            sums.cols_last.eq(three.cols_last),
            sums.store.eq(three.valid & three.multiplies & three.ends),
            sums.group.eq(three.group),
            sums.mark.eq(three.valid & (three.op == Op.PQUANT)),
            sums.rank_last.eq(three.rank_last),
            sums.beat.eq(three.beat),
        ]
        for lane, word in enumerate(row):
            activation = saturated(word.as_value(), ACTIVATION)
            m.d.comb += [
                lanes.inputs[lane].eq(Mux(inside[lane], limb(m, activation), 0)),
                projection.products[lane].eq(lanes.products[lane]),
                sums.sums[lane].eq(lanes.sums[lane]),
            ]

    def _move(
        self,
        m: Module,
        slots: list[Signal],
        executed: data.View,
        row: list[Signal],
        sums: Sums,
        elements: Elements,
        steps: Steps,
    ) -> None:
        """Connect the elements of a beat: those of vs, or of vt for the steps of POPAVG, at age 1."""
        one, five, end = slots[1], slots[5], slots[_LAST]
        count = self._parameters.beat_elements
        quarter = Cat(one.beat)[: ceil_log2(BEATS)]
        beat = [picked([row[place + count * n].as_value() for n in range(BEATS)], quarter) for place in range(count)]

        m.d.comb += [
            elements.operand.eq(executed.y),
            elements.latents.eq(one.op != Op.LRACC),
            elements.perturbs.eq(five.op == Op.LRADD),
            elements.accumulates.eq(five.op == Op.LRACC),
            elements.weighs.eq(end.op == Op.LRADD),
            elements.width.eq(Mux(end.op == Op.LRACC, PENTS, end.width)),
            *(own.as_value().eq(word) for own, word in zip(elements.words, beat, strict=True)),
            *(own.eq(value) for own, value in zip(elements.values, sums.values, strict=True)),
            *(own.eq(level) for own, level in zip(elements.levels, sums.levels, strict=True)),
            *(own.eq(step) for own, step in zip(elements.steps, steps.steps, strict=True)),
            elements.round_up.eq(steps.round_up),
            steps.gain.eq(executed.x),
            steps.set_gain.eq(slots[0].valid & (slots[0].op == Op.LRSET) & (executed.d == NUMBER("GAIN"))),
            steps.active.eq(one.valid & (one.op == Op.POPAVG)),
            steps.last_beat.eq(one.last_beat),
            steps.take.eq(one.valid & one.reads_totals),
            *(own.as_value().eq(word) for own, word in zip(steps.words, beat, strict=True)),
        ]

    def _write(self, m: Module, slot: data.View, elements: Elements) -> None:
        """Write a beat of results: a quarter of a row; after the last one, the elements above it become 0."""
        parameters, write = self._parameters, self.vectors.write
        count = parameters.beat_elements
        quarter = Cat(slot.beat)[: ceil_log2(BEATS)]
        inside, gives = Signal(count), Signal()
        m.d.comb += [
            inside.eq(Mux(slot.last_beat, thermometer(slot.cols_last[: ceil_log2(count)]), ~0)),
            gives.eq(slot.valid & slot.gives),
            write.enable.eq(gives),
            write.number.eq(slot.d),
            write.row.eq(slot.beat >> ceil_log2(BEATS)),
            write.last.eq(slot.last_beat),
            write.mask.eq(
                Cat(((quarter == n) | (slot.last_beat & (quarter < n))).replicate(count) for n in range(BEATS))
            ),
            self.vectors.writes.eq(Cat(gives & slot.last & (slot.d == register) for register in range(VECTORS))),
        ]
        for lane, word in enumerate(write.words):
            n, place = divmod(lane, count)
            result = elements.results[place].as_value()
            m.d.comb += word.as_value().eq(Mux((quarter == n) & inside[place], result, nothing(WORD_BITS)))


assert all(Sizes(PENTS, 1).lag(name) == _LAST for name in MOVES)
