"""The crossbar's unit: takes instructions from its queue, passes vectors to the array, and writes its sums."""

from functools import reduce
from itertools import pairwise
from operator import or_

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL
from pentary.machine.config import Config
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.crossbar.decoder import CONTROL, Op
from pentary_hdl.crossbar.port import STEPS, Shape, array_port
from pentary_hdl.vector.arithmetic import nothing, picked, saturated
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.queue import Queue
from pentary_hdl.vector.registers import wide_port
from pentary_hdl.vector.scoreboard import NUMBER, ticket_layout
from pentary_hdl.vector.vector import user_port

_RESULT = data.StructLayout({"valid": 1, "d": NUMBER, "vl": range(MAX_VL + 1)})
"""What is kept of MATVEC until its sums are written."""

_ROW_DIGITS = 4
"""Pents of the number of a row of devices, which is 0..255."""


class CrossbarUnit(wiring.Component):
    """Crossbar's unit, without the array of devices.

    Args:
        config: configuration of the machine.
        users: units that use vector registers, the vector unit and this one included.
        shape: of the array.

    Members:
        in_ex: In; an instruction of the unit is in EX.
        enters: In; it leaves EX in this cycle, and is certain to complete.
        control: In; with `enters`, of `decoder.CONTROL`.
        x, y: In; with `enters`, the words of the registers in its fields a and b.
        vl: In; with `enters`, VL.
        room: Out; another instruction of the unit may enter EX in the next cycle.
        starts: Out; an instruction starts in the next cycle.
        idle: Out; all instructions are complete from the next cycle on.
        vectors: Out; of `vector.user_port`.
        wide: Out; of `registers.wide_port`; only there if the sums are more than two rows of a vector register.
        array: Out; of `port.array_port`.
    """

    def __init__(self, config: Config, users: int, shape: Shape) -> None:
        """Create a unit."""
        self._sizes, self._shape = Sizes.of(config), shape
        self._queue = config.pipeline.queue
        self._ticket = ticket_layout(users, self._queue)
        self._wide = shape.wide(self._sizes)
        super().__init__(
            {
                "in_ex": In(1),
                "enters": In(1),
                "control": In(CONTROL),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "vl": In(range(MAX_VL + 1)),
                "room": Out(1),
                "starts": Out(1),
                "idle": Out(1),
                "vectors": Out(user_port(config, users)),
                **({"wide": Out(wide_port(self._sizes, self._wide))} if self._wide else {}),
                "array": Out(array_port(self._sizes, shape)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the queue, count the steps, and follow each MATVEC until it is complete."""
        m = Module()
        entry = data.StructLayout(
            {"ticket": self._ticket, "multiplies": 1, "d": NUMBER, "a": NUMBER, "row": 8, "vl": range(MAX_VL + 1)}
        )
        m.submodules.queue = queue = Queue(self._queue, entry)
        now, valid, step = Signal(entry), Signal(), Signal(range(STEPS))
        ends = valid & (step == STEPS - 1)
        m.d.comb += [
            self.starts.eq(queue.valid & self.vectors.ready & (~valid | ends)),
            queue.takes.eq(self.starts),
            self.vectors.asked.eq(queue.oldest.ticket),
            self.room.eq(queue.room),
        ]
        with m.If(self.starts):
            m.d.sync += [now.eq(queue.oldest), valid.eq(1), step.eq(0)]
        with m.Elif(valid):
            m.d.sync += [valid.eq(~ends), step.eq(step + 1)]
        self._enter(m, queue)
        self._pass(m, now, valid, step)

        # results[age] is MATVEC in the cycle age cycles after its last step.
        results = [Signal(_RESULT, name=f"result_{age}") for age in range(5)]
        m.d.comb += [
            results[0].valid.eq(ends & now.multiplies),
            results[0].d.eq(now.d),
            results[0].vl.eq(now.vl),
        ]
        for before, after in pairwise(results):
            m.d.sync += after.eq(before)
        busy = (valid & (~ends | now.multiplies)) | reduce(or_, [result.valid for result in results[1:-1]])
        m.d.comb += [
            self.idle.eq(queue.empty & ~busy),
            self.vectors.reads.eq(ends << now.a),
            self.vectors.writes.eq(results[-1].valid << results[-1].d),
        ]
        self._write(m, results[-2], results[-1])
        return m

    def _enter(self, m: Module, queue: Queue) -> None:
        """Make an instruction that leaves EX an entry of the queue."""
        control, entering = self.control, queue.entry
        m.d.comb += [
            queue.in_ex.eq(self.in_ex),
            queue.enters.eq(self.enters),
            self.vectors.enters.eq(self.enters),
            self.vectors.uses.eq(control.uses),
            entering.ticket.eq(self.vectors.ticket),
            entering.multiplies.eq(control.op == Op.MATVEC),
            entering.d.eq(control.d),
            entering.a.eq(control.a),
            entering.row.eq(conversion.to_binary(m, list(self.y)[:_ROW_DIGITS])),
            entering.vl.eq(self.vl),
        ]

    def _pass(self, m: Module, now: data.View, valid: Value, step: Value) -> None:
        """Read a sixteenth of the elements that have devices, and pass them to the array."""
        array, read, shape = self.array, self.vectors.read, self._shape
        multiplies = valid & now.multiplies
        m.d.comb += [
            array.step.eq(step),
            array.loads.eq(valid & ~now.multiplies & (now.row < shape.rows)),
            array.row.eq(now.row),
            array.multiplies.eq(multiplies),
            read.numbers[0].eq(now.a),
            read.row.eq(Mux(multiplies, self._row(step, shape.inputs), self._row(step, shape.levels))),
        ]
        words, levels = (self._part(step, count) for count in (shape.inputs, shape.levels))
        for own, word in zip(array.words, words, strict=True):
            m.d.comb += own.as_value().eq(word)
        for own, word in zip(array.levels, levels, strict=True):
            m.d.comb += own.eq(saturated(word, 1))

    def _row(self, step: Value, count: int) -> Value:
        """Return the row of the register with the elements of a step, of which each has so many."""
        return step >> (self._sizes.lanes // count).bit_length() - 1

    def _part(self, step: Value, count: int) -> list[Value]:
        """Return the elements of a step, so many, from the row that is read."""
        parts = min(STEPS, self._sizes.lanes // count)
        index = step[: parts.bit_length() - 1]
        row = [word.as_value() for word in self.vectors.read.words[0]]
        return [picked(row[place : parts * count : count], index) for place in range(count)]

    def _write(self, m: Module, first: data.View, second: data.View) -> None:
        """Write the sums in one beat or two, and 0 for all elements from VL on."""
        beats, rows = self._shape.beats(self._sizes), self._shape.written(self._sizes)
        port = self.wide if self._wide else self.vectors.write
        result, last = Signal(_RESULT), Signal()
        m.d.comb += [result.eq(first), last.eq(beats == 1)]
        if beats > 1:
            with m.If(second.valid):
                m.d.comb += [result.eq(second), last.eq(1)]
        beat = last if beats > 1 else Const(0, 1)
        m.d.comb += [
            port.enable.eq(result.valid),
            port.number.eq(result.d),
            port.row.eq(Mux(beat, rows, 0)),
            port.last.eq(last),
        ]
        if not self._wide:
            m.d.comb += port.mask.eq(~Const(0, len(port.mask)))
        elements = len(port.words)
        full, some = result.vl // elements, result.vl % elements
        for place, word in enumerate(port.words):
            inside = (beat < full) | ((beat == full) & (place < some))
            there = self.array.sums[place].as_value() if place < len(self.array.sums) else nothing()
            m.d.comb += word.as_value().eq(Mux(inside, there, nothing()))
