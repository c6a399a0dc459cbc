"""Front end of the unit, stages 0 to 7: control registers, slots, and the datapaths that compute the addends."""

from itertools import pairwise

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import CONTROL_RESET, CONTROLS
from pentary.numbers.word import PENTS
from pentary_hdl.lralu.alphabet import Alphabet
from pentary_hdl.lralu.decoder import COMMAND, OPERATION, Decoder
from pentary_hdl.lralu.factors import Factors
from pentary_hdl.lralu.generator import Generator
from pentary_hdl.lralu.lanes import Lanes
from pentary_hdl.lralu.mover import Addends, addend_bits
from pentary_hdl.lralu.quantiser import Quantiser
from pentary_hdl.lralu.slots import Slot
from pentary_hdl.lralu.twin import CODE_BITS, LATENT_BITS, PENT_BITS, LowRankParameters
from pentary_hdl.lralu.update import GAIN_PENTS, PERIOD, SETUP, Update, totals

STAGES = 7
"""Stages of the front end after stage 0."""

_MEMBER_DIGITS = PENTS // 2
_GAIN = tuple(CONTROLS).index("GAIN")
_UPDATE_LAST = SETUP + 4 * PERIOD - 1


class Front(wiring.Component):
    """Pipeline stages 0 to 7, clock-enabled by the parent.

    Members:
        command, valid: In, payload and valid of the stream of commands.
        accept: Out, a command can be taken in this cycle.
        totals: In, beat of totals for POPAVG.
        look_totals: Out, POPAVG reads `totals` in this cycle.
        take_totals: Out, it does so for the last time, so the beat can be transferred.
        scalar: Out, the word of PRNG.
        scalar_follows: Out, `scalar` will be valid in the next cycle.
        slot: Out, the slot in stage 7.
        addends, carries: Out, for that slot, see `Addends`.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet) -> None:
        """Create a front end for the given parameters and alphabet of the weights."""
        self._parameters, self._alphabet = parameters, alphabet
        super().__init__(
            {
                "command": In(COMMAND),
                "valid": In(1),
                "accept": Out(1),
                "totals": In(totals(parameters)),
                "look_totals": Out(1),
                "take_totals": Out(1),
                "scalar": Out(alphabet.word),
                "scalar_follows": Out(1),
                "slot": Out(Slot(parameters)),
                "addends": Out(data.ArrayLayout(signed(addend_bits(parameters, alphabet)), parameters.beat_elements)),
                "carries": Out(parameters.beat_elements),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Issue slots in stage 0, and connect the components of the later stages."""
        m = Module()
        parameters, alphabet = self._parameters, self._alphabet
        m.submodules.decoder = decoder = Decoder(parameters, alphabet)
        m.submodules.generator = generator = Generator(parameters, alphabet)
        m.submodules.factors = factors = Factors(parameters, alphabet)
        m.submodules.lanes = lanes = Lanes(parameters, alphabet)
        m.submodules.quantiser = quantiser = Quantiser(parameters, alphabet)
        m.submodules.addends = addends = Addends(parameters, alphabet)
        m.submodules.update = update = Update(parameters)
        slots = [Signal(Slot(parameters), name=f"slot_{stage}") for stage in range(STAGES + 1)]
        for earlier, later in pairwise(slots):
            m.d.sync += later.eq(earlier)

        # Stage 0. Control registers hold sizes less 1, as they are compared with counters from 0.
        rows_last, cols_last = (Signal(range(parameters.max_size)) for _ in range(2))
        rank_last = Signal(range(parameters.max_rank))
        width, key = Signal(4, init=CONTROL_RESET["WIDTH"]), Signal(CODE_BITS)
        active, kept = Signal(), Signal(OPERATION)
        start, proceeds = Signal(), Signal()
        operation = Signal(OPERATION)
        m.d.comb += [
            decoder.command.eq(self.command),
            decoder.rows_last.eq(rows_last),
            self.accept.eq(~active),
            start.eq(~active & self.valid),
            proceeds.eq(active | start & ~decoder.error),
            operation.eq(Mux(active, kept, decoder.operation)),
        ]

        # A slot for each value of `inner` in each value of `outer`; a refused command has a single slot.
        inner = Signal(range(max(_UPDATE_LAST + 1, parameters.max_rank)))
        outer = Signal(range(parameters.beats))
        moves = operation.lradd | operation.lracc | operation.popavg
        inner_end, outer_end = Signal.like(inner), Signal.like(outer)
        with m.If(operation.lrmul):
            m.d.comb += inner_end.eq(rank_last)
        with m.If(operation.prng):
            m.d.comb += inner_end.eq(parameters.word_cycles - 1)
        with m.If(operation.popavg):
            m.d.comb += inner_end.eq(_UPDATE_LAST)
        with m.If(operation.lrmul):
            m.d.comb += outer_end.eq(cols_last >> ceil_log2(parameters.lanes))
        with m.If(moves):
            m.d.comb += outer_end.eq(cols_last >> ceil_log2(parameters.beat_elements))
        inner_done, outer_done, last = Signal(), Signal(), Signal()
        m.d.comb += [
            inner_done.eq(inner == inner_end),
            outer_done.eq(outer == outer_end),
            last.eq(Mux(operation.lrgen, factors.finished, inner_done & outer_done)),
        ]
        with m.If(proceeds):
            m.d.sync += [active.eq(~last), kept.eq(operation), inner.eq(inner + 1)]
            with m.If(inner_done):
                m.d.sync += [inner.eq(Mux(operation.popavg, SETUP, 0)), outer.eq(outer + 1)]
            with m.If(last):
                m.d.sync += [inner.eq(0), outer.eq(0)]

        a, operand = Signal(CODE_BITS), Signal(LATENT_BITS)
        row, row_now = Signal.like(rows_last), Signal.like(rows_last)
        m.d.comb += [a.eq(self.command.a), row_now.eq(Mux(active, row, a))]
        m.d.sync += row.eq(row_now)
        with m.If(start):
            m.d.sync += operand.eq(a)
        for number, register in enumerate((rows_last, cols_last, rank_last, width, key)):
            with m.If(start & decoder.writes[number]):
                m.d.sync += register.eq(a - 1 if number < 3 else a)
        m.d.comb += [
            slots[0].respond.eq(Mux(proceeds, last, start)),
            slots[0].error.eq(~active & decoder.error),
            slots[0].rank_last.eq(rank_last),
            slots[0].cols_last.eq(cols_last),
            slots[0].group.eq(outer),
            slots[0].store.eq(proceeds & operation.lrmul & inner_done),
            slots[0].gives.eq(proceeds & moves & inner_done),
            slots[0].beat.eq(outer),
            slots[0].last_beat.eq(outer_done),
            slots[0].move.perturb.eq(operation.lradd),
            slots[0].move.accumulate.eq(operation.lracc),
            slots[0].move.width.eq(width),
            slots[0].operand.eq(Mux(active, operand, a)),
            update.gain.eq(a[: GAIN_PENTS * PENT_BITS]),
            update.set_gain.eq(start & decoder.writes[_GAIN]),
        ]
        with m.If(proceeds):
            m.d.comb += slots[0].operation.eq(operation)
        m.d.comb += [
            factors.rows_last.eq(rows_last),
            factors.cols_last.eq(cols_last),
            factors.rank_last.eq(rank_last),
            factors.level.eq(inner),
            factors.group.eq(outer),
            factors.block.eq(row_now >> ceil_log2(PENTS)),
        ]

        # Stage 1: the factors have been read. The generator and POPAVG's datapath start, and run in parallel.
        coefficient, b = Signal(alphabet.digit, reset_less=True), Signal.like(factors.b, reset_less=True)
        m.d.sync += [coefficient.eq(factors.a[row[: ceil_log2(PENTS)]]), b.eq(factors.b)]
        self._generate(m, generator, factors, start, operation, ~decoder.error, key)
        m.d.comb += [
            update.active.eq(slots[1].operation.popavg),
            update.last_beat.eq(slots[1].last_beat),
            update.totals.eq(self.totals),
            self.look_totals.eq(update.look),
            self.take_totals.eq(update.take),
        ]

        # Stages 2 and 3: products, and their accumulation. Stage 3 also addresses the sums of a beat.
        m.d.comb += [
            lanes.multiply.eq(slots[2].operation.lrmul),
            lanes.coefficient.eq(coefficient),
            lanes.b.eq(b),
            lanes.store.eq(slots[2].store),
            lanes.group.eq(slots[2].group),
            lanes.cols_last.eq(slots[2].cols_last),
            lanes.beat.eq(slots[3].beat),
        ]

        # Stages 4 and 5: sums, quantised after PQUANT.
        sums, values = Signal.like(lanes.sums, reset_less=True), Signal.like(lanes.sums, reset_less=True)
        m.d.sync += [sums.eq(lanes.sums), values.eq(quantiser.values)]
        m.d.comb += [
            quantiser.mark.eq(slots[4].operation.pquant),
            quantiser.clear.eq(slots[4].operation.lrmul),
            quantiser.rank_last.eq(slots[4].rank_last),
            quantiser.sums.eq(sums),
        ]

        # Stage 6: addends.
        m.d.comb += [
            addends.move.eq(slots[6].move),
            addends.gives.eq(slots[6].gives),
            addends.operand.eq(slots[6].operand),
            addends.values.eq(values),
            addends.ready.eq(update.ready),
            addends.lane.eq(update.lane),
            self.slot.eq(slots[7]),
            self.addends.eq(addends.addends),
            self.carries.eq(addends.carries),
        ]
        for unit in range(parameters.generators):
            m.d.comb += [addends.steps[unit].eq(update.steps[unit]), addends.round_up[unit].eq(update.round_up[unit])]
        return m

    def _generate(
        self,
        m: Module,
        generator: Generator,
        factors: Factors,
        start: Value,
        operation: data.View,
        right: Value,
        set_key: Value,
    ) -> None:
        """Run the generator: once for PRNG, and for LRGEN until the last word of the pair is stored.

        Args:
            m: module.
            generator: the generator.
            factors: memories that store the words of LRGEN.
            start: a command is transferred in this cycle.
            operation: its operation.
            right: it is not refused.
            set_key: control register KEY.
        """
        generators, cycles = self._parameters.generators, self._parameters.word_cycles
        alphabet = self._alphabet
        word = alphabet.word
        key, counters = Signal(word, reset_less=True), [Signal(word, reset_less=True) for _ in range(generators)]
        begin_one, begin_pair, one, drawing, counts = (Signal() for _ in range(5))
        m.d.sync += [begin_one.eq(start & operation.prng & right), begin_pair.eq(start & operation.lrgen & right)]

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
            self.scalar_follows.eq(generator.finishing & one),
        ]
        m.d.sync += counts.eq(begin_pair | more)  # a cycle late, for timing: not needed earlier
        a, b = Value.cast(self.command.a), Value.cast(self.command.b)
        words = 2 * self._parameters.max_rank * self._parameters.blocks + 2 * generators  # overruns the last
        counted = next(digits for digits in range(1, PENTS) if alphabet.levels**digits // 2 >= words)
        member_bits = _MEMBER_DIGITS * alphabet.bits
        for i, counter in enumerate(counters):
            m.d.comb += [generator.counters[i].eq(counter), factors.words[i].eq(generator.words[i])]
            with m.If(counts):
                low = [counter[k] for k in range(counted)]
                following = alphabet.plus_constant(m, low, generators)
                m.d.sync += [counter[k].eq(digit) for k, digit in enumerate(following)]
            with m.If(start):
                m.d.sync += [Value.cast(key).eq(Mux(operation.prng, a, set_key))]
                of_pair = Cat(Const(alphabet.code(i, _MEMBER_DIGITS), member_bits), a[:member_bits])
                m.d.sync += Value.cast(counter).eq(Mux(operation.prng, b, of_pair))
