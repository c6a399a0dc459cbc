"""The front of the unit: control registers, the slots of commands, and all that works until the sums are known."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import CONTROL_RESET, CONTROLS
from pentary.lralu import CODE_BITS, ELEMENT_BITS, PENT_BITS, LowRankParameters, pents_code
from pentary.word import PENTS, limit, to_digits
from pentary_hdl.decoder import COMMAND, OPERATION, Decoder
from pentary_hdl.digits import WORD, add_constant, thermometer
from pentary_hdl.factors import Factors
from pentary_hdl.generator import Generator
from pentary_hdl.lanes import Lanes
from pentary_hdl.mover import MOVE, SIGMA_BITS, Addends
from pentary_hdl.update import GAIN_PENTS, STEP_BITS, Update

FRONT_SLOT = data.StructLayout({"move": MOVE, "beat": 1, "respond": 1, "error": 1})
"""What a slot does after the front: gives a beat; answers the command, whose last slot it is, perhaps with an error."""

_UPDATE_CYCLES = 256
_MEMBER_PENTS = PENTS // 2
_GAIN = tuple(CONTROLS).index("GAIN")


class Front(wiring.Component):
    """Stages 0 to 2. It is the surrounding unit that says when they move.

    Members:
        command, valid, accept: of the stream of commands; `accept` asks for one.
        base, take_base: what the slot in stage 2 takes, and whether it does.
        totals, take_totals, last_totals: what POPAVG takes, if so; looked at for the last time.
        scalar, has_scalar: the word of PRNG, in this cycle.
        slot: in stage 2.
        latents, addends, carries: in stage 3, see `Addends`.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the parameters that the hardware is made from."""
        self._parameters = parameters
        lanes = parameters.lanes
        elements = data.ArrayLayout(signed(ELEMENT_BITS), lanes)
        super().__init__(
            {
                "command": In(COMMAND),
                "valid": In(1),
                "accept": Out(1),
                "base": In(elements),
                "take_base": Out(1),
                "totals": In(elements),
                "take_totals": Out(1),
                "last_totals": Out(1),
                "scalar": Out(WORD),
                "has_scalar": Out(1),
                "slot": Out(FRONT_SLOT),
                "latents": Out(elements),
                "addends": Out(data.ArrayLayout(signed(STEP_BITS), lanes)),
                "carries": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count slots in stage 0, and hand them on."""
        m = Module()
        parameters = self._parameters
        lane_bits = ceil_log2(parameters.lanes)
        m.submodules.decoder = decoder = Decoder(parameters)
        m.submodules.generator = generator = Generator(parameters)
        m.submodules.factors = factors = Factors(parameters)
        m.submodules.lanes = lanes = Lanes(parameters)
        m.submodules.addends = addends = Addends(parameters)
        m.submodules.update = update = Update(parameters.generators)

        # Control registers; sizes less 1, as they are compared with what counts from 0.
        rows_last, cols_last = (Signal(range(parameters.max_size)) for _ in range(2))
        rank_last = Signal(range(parameters.max_rank))
        width, key = Signal(4, init=CONTROL_RESET["WIDTH"]), Signal(CODE_BITS)

        # Stage 0.
        active, kept = Signal(), Signal(OPERATION)
        start, valid = Signal(), Signal()
        operation = Signal(OPERATION)
        m.d.comb += operation.eq(Mux(active, kept, decoder.operation))
        inner, group, row = Signal(8), Signal(range(parameters.groups)), Signal.like(rows_last)
        m.d.comb += [
            decoder.command.eq(self.command),
            decoder.rows_last.eq(rows_last),
            self.accept.eq(~active),
            start.eq(~active & self.valid),
            valid.eq(active | start),
        ]
        error = ~active & decoder.error
        inner_end = Mux(operation.lrmul, rank_last, 0)
        inner_end = Mux(operation.prng, parameters.word_cycles - 1, inner_end)
        inner_end = Mux(operation.popavg, _UPDATE_CYCLES - 1, inner_end)
        inner_done, group_done, last = Signal(), Signal(), Signal()
        by_groups = operation.lrmul | operation.pquant | operation.lradd | operation.lracc | operation.popavg
        groups_last = cols_last[lane_bits:]
        m.d.comb += [
            inner_done.eq(inner == inner_end),
            group_done.eq(~by_groups | (group == groups_last)),
            last.eq(error | Mux(operation.lrgen, factors.finished, inner_done & group_done)),
        ]
        with m.If(valid):
            m.d.sync += [active.eq(~last), kept.eq(operation), inner.eq(inner + 1)]
            with m.If(inner_done):
                m.d.sync += [inner.eq(0), group.eq(group + 1)]
            with m.If(last):
                m.d.sync += [inner.eq(0), group.eq(0)]

        a = Signal(CODE_BITS)
        m.d.comb += a.eq(self.command.a)
        for number, register in enumerate((rows_last, cols_last, rank_last, width, key)):
            with m.If(start & decoder.operation.lrset & (self.command.control == number)):
                m.d.sync += register.eq(a - 1 if number < 3 else a)
        m.d.comb += [
            update.gain.eq(a[: GAIN_PENTS * PENT_BITS]),
            update.set_gain.eq(start & decoder.operation.lrset & (self.command.control == _GAIN)),
        ]

        row_now = Signal.like(row)
        m.d.comb += row_now.eq(Mux(active, row, a))
        m.d.sync += row.eq(row_now)
        m.d.comb += [
            factors.rows_last.eq(rows_last),
            factors.cols_last.eq(cols_last),
            factors.rank_last.eq(rank_last),
            factors.level.eq(inner),
            factors.group.eq(group),
            factors.block.eq(row_now >> ceil_log2(PENTS)),
        ]
        mask = Signal(parameters.lanes)
        m.d.comb += mask.eq(thermometer(cols_last[:lane_bits]) | (group != groups_last).replicate(parameters.lanes))

        # Stage 1.
        does = Signal(OPERATION)
        slot = Signal(FRONT_SLOT)
        first, store, operand = Signal(), Signal(), Signal(signed(SIGMA_BITS), reset_less=True)
        m.d.sync += [
            Value.cast(does).eq(Value.cast(operation) & valid.replicate(len(Value.cast(operation)))),
            slot.beat.eq(valid & (operation.lradd | operation.lracc | operation.popavg) & inner_done),
            slot.respond.eq(valid & last),
            slot.error.eq(error),
            slot.move.perturb.eq(operation.lradd),
            slot.move.accumulate.eq(operation.lracc),
            slot.move.width.eq(width),
            first.eq(operation.lrmul & (inner == 0)),
            store.eq(valid & (operation.lrmul & inner_done | operation.pquant)),
            lanes.group.eq(group),
            lanes.mask.eq(mask),
        ]
        with m.If(start):
            m.d.sync += operand.eq(a)
        m.d.comb += [
            lanes.rank_last.eq(rank_last),
            lanes.groups_last.eq(groups_last),
            lanes.coefficient.eq(factors.a[row[: ceil_log2(PENTS)]]),
            lanes.b.eq(factors.b),
            lanes.multiply.eq(does.lrmul),
            lanes.first.eq(first),
            lanes.store.eq(store),
            lanes.quantise.eq(does.pquant),
            lanes.read.eq(does.lradd | does.lracc),
        ]
        self._generate(m, generator, factors, start, decoder.operation, key)
        starting = Signal()
        m.d.sync += starting.eq(valid & operation.popavg & (inner == 0))
        m.d.comb += [
            update.start.eq(starting),
            update.totals.eq(self.totals),
            self.take_totals.eq(update.take),
            self.last_totals.eq(update.last),
        ]

        # Stage 2.
        m.d.sync += [self.slot.eq(slot), addends.operand.eq(operand)]
        m.d.comb += [
            self.take_base.eq(self.slot.beat),
            addends.move.eq(self.slot.move),
            addends.beat.eq(self.slot.beat),
            addends.mask.eq(lanes.mask_of_sums),
            addends.sums.eq(lanes.sums),
            addends.base.eq(self.base),
            addends.ready.eq(update.ready),
            addends.lane.eq(update.lane),
            self.latents.eq(addends.latents),
            self.addends.eq(addends.addends),
            self.carries.eq(addends.carries),
        ]
        for unit in range(parameters.generators):
            m.d.comb += [addends.steps[unit].eq(update.steps[unit]), addends.round_up[unit].eq(update.round_up[unit])]
        return m

    def _generate(
        self, m: Module, generator: Generator, factors: Factors, start: Value, operation: data.View, set_key: Value
    ) -> None:
        """Run the generator: once for PRNG, for LRGEN until the last word is stored."""
        generators, cycles = self._parameters.generators, self._parameters.word_cycles
        key, counters = Signal(WORD, reset_less=True), [Signal(WORD, reset_less=True) for _ in range(generators)]
        begin_one, begin_pair, one, drawing = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [begin_one.eq(start & operation.prng), begin_pair.eq(start & operation.lrgen)]

        # The words of one batch are stored while the next is drawn; the slower of the two sets the pace.
        more = Signal()
        again = generator.done if cycles >= generators else factors.waiting == cycles
        with m.If(generator.load):
            m.d.sync += [one.eq(begin_one), drawing.eq(~begin_one)]
        with m.Elif(generator.done):
            m.d.sync += one.eq(0)
        with m.If(factors.finished):
            m.d.sync += drawing.eq(0)
        m.d.comb += [
            more.eq(drawing & again),
            generator.load.eq(begin_one | begin_pair | more & ~factors.finished),
            generator.key.eq(key),
            factors.begin.eq(begin_pair),
            factors.store.eq(generator.done & drawing),
            self.scalar.eq(generator.words[0]),
            self.has_scalar.eq(generator.done & one),
        ]
        a, b = Value.cast(self.command.a), Value.cast(self.command.b)
        words = 2 * self._parameters.max_rank * self._parameters.blocks + 2 * generators  # some past the last are begun
        counted = next(pents for pents in range(1, PENTS) if limit(pents) >= words)
        for i, counter in enumerate(counters):
            m.d.comb += [generator.counters[i].eq(counter), factors.words[i].eq(generator.words[i])]
            with m.If(begin_pair | more):
                low = [counter[k] for k in range(counted)]
                following = add_constant(m, low, to_digits(generators, counted).tolist())
                m.d.sync += [counter[k].eq(pent) for k, pent in enumerate(following)]
            with m.If(start):
                m.d.sync += [Value.cast(key).eq(Mux(operation.prng, a, set_key))]
                of_pair = Cat(Const(pents_code(i), _MEMBER_PENTS * PENT_BITS), a[: _MEMBER_PENTS * PENT_BITS])
                m.d.sync += Value.cast(counter).eq(Mux(operation.prng, b, of_pair))
