"""What moves a row: LRADD, LRACC and POPAVG add to each element a multiple of something, and saturate or round it."""

from amaranth import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import CONTROLS, OPERAND, TOTAL
from pentary.lralu import ELEMENT_BITS, LowRankParameters
from pentary.word import limit
from pentary_hdl.digits import Multiple, exceeds, plus, reaches
from pentary_hdl.update import STEP_BITS

SIGMA_BITS = STEP_BITS - 1

MOVE = data.StructLayout({"perturb": unsigned(1), "accumulate": unsigned(1), "width": unsigned(4)})
"""Which of the three operations a beat is for (if neither bit is 1, POPAVG), and WIDTH."""

_COMPARED = ELEMENT_BITS - 1


class Addends(wiring.Component):
    """Makes what is added: sigma times a pent of the sums, a pent times the sums, or the steps that come one by one.

    Members:
        move, beat, mask: what the slot does, if it has a beat, and in which lanes.
        operand: sigma, or the pent of LRACC.
        sums: row sums.
        base: of the beat.
        ready, lane, steps, round_up: a step for each 16 lanes, see `Update`.
        latents, addends, carries: the three to be added, in the next cycle; 0 where the mask is.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take sizes and lanes."""
        self._parameters = parameters
        lanes, units = parameters.lanes, parameters.generators
        self._per_unit = lanes // units
        super().__init__(
            {
                "move": In(MOVE),
                "beat": In(1),
                "mask": In(lanes),
                "operand": In(signed(SIGMA_BITS)),
                "sums": In(data.ArrayLayout(signed(parameters.sum_bits), lanes)),
                "base": In(data.ArrayLayout(signed(ELEMENT_BITS), lanes)),
                "ready": In(1),
                "lane": In(range(self._per_unit)),
                "steps": In(signed(STEP_BITS)).array(units),
                "round_up": In(1).array(units),
                "latents": Out(data.ArrayLayout(signed(ELEMENT_BITS), lanes)),
                "addends": Out(data.ArrayLayout(signed(STEP_BITS), lanes)),
                "carries": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Choose for each lane the number and its multiple, and saturate the element."""
        m = Module()
        scaled = self.move.perturb | self.move.accumulate
        latents, addends = Signal.like(self.latents, reset_less=True), Signal.like(self.addends, reset_less=True)
        carries = Signal.like(self.carries, reset_less=True)
        m.d.comb += [self.latents.eq(latents), self.addends.eq(addends), self.carries.eq(carries)]
        by_operand = Multiple.of_pent(self.operand[:3])
        sum_bits = self._parameters.sum_bits
        edges = [
            Mux(
                self.move.accumulate,
                Const(sign * limit(TOTAL), ELEMENT_BITS),
                Const(sign * limit(OPERAND), ELEMENT_BITS),
            )
            for sign in (1, -1)
        ]
        for lane in range(self._parameters.lanes):
            sum_, mask = self.sums[lane], self.mask[lane]
            step, round_up = self.steps[lane // self._per_unit], self.round_up[lane // self._per_unit]

            # 0, +-1 or more: LRADD takes the sum as a pent, which it is after PQUANT, and saturates if it is not.
            more = Mux(sum_[-1], ~sum_[:-1].all(), sum_[1:-1].any())
            by_sum = Multiple(~sum_.any(), more, sum_[-1])
            pairs = zip(vars(by_sum).values(), vars(by_operand).values(), strict=True)
            none, twice, negative = Signal(), Signal(), Signal()
            for chosen, (sum_bit, operand) in zip((none, twice, negative), pairs, strict=True):
                m.d.comb += chosen.eq(scaled & Mux(self.move.accumulate, operand, sum_bit))

            # A sum is shorter than the other numbers, so the bits past it are its sign, wherever it is what is taken.
            low, common, sign = Signal(signed(sum_bits)), Signal(signed(STEP_BITS)), Signal()
            m.d.comb += [
                common.eq(Mux(self.move.accumulate, 0, Mux(self.move.perturb, self.operand, step))),
                low.eq(Mux(self.move.accumulate, sum_, common)),
                sign.eq(negative ^ (self.move.accumulate & sum_[-1])),
            ]
            lower = Multiple(none, twice, negative).complemented(low)[:sum_bits]
            upper = Multiple(none, twice, sign).complemented(common)[sum_bits:STEP_BITS]
            stepped = self.ready & (self.lane == lane % self._per_unit)

            with m.If(self.beat & scaled | stepped):
                m.d.sync += addends[lane].eq(Cat(lower, upper))
                m.d.sync += carries[lane].eq(Mux(scaled, negative, round_up))
                with m.If(none | ~mask):
                    m.d.sync += [addends[lane].eq(0), carries[lane].eq(0)]

            element = self.base[lane]
            over = Signal()
            m.d.comb += over.eq(
                Mux(self.move.accumulate, exceeds(element, limit(TOTAL)), exceeds(element, limit(OPERAND)))
            )
            m.d.sync += latents[lane].eq(Mux(over, Mux(element[-1], edges[1], edges[0]), element))
            with m.If(~mask):
                m.d.sync += latents[lane].eq(0)
        return m


class Mover(wiring.Component):
    """Adds, and saturates or rounds the sum.

    Members:
        move: what to do with the sum.
        latents, addends, carries: what is added, see `Addends`.
        results: in the next cycle.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the number of lanes."""
        self._lanes = parameters.lanes
        super().__init__(
            {
                "move": In(MOVE),
                "latents": In(data.ArrayLayout(signed(ELEMENT_BITS), self._lanes)),
                "addends": In(data.ArrayLayout(signed(STEP_BITS), self._lanes)),
                "carries": In(self._lanes),
                "results": Out(data.ArrayLayout(signed(ELEMENT_BITS), self._lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Compare each sum's magnitude with what is too much, or with the middles between the levels."""
        m = Module()
        perturb = Signal(reset_less=True)
        positive, negative = (
            Signal(ELEMENT_BITS, reset_less=True) for _ in range(2)
        )  # what replaces a sum beyond the gap
        gap, level_gap = Signal(_COMPARED, reset_less=True), Signal(STEP_BITS, reset_less=True)
        m.d.sync += perturb.eq(self.move.perturb)

        def replace(largest: int) -> None:
            m.d.sync += [positive.eq(largest), negative.eq(-largest), gap.eq((1 << _COMPARED) - largest - 1)]

        with m.If(self.move.accumulate):
            replace(limit(TOTAL))
        for width in range(CONTROLS["WIDTH"][0], CONTROLS["WIDTH"][1] + 1):
            with m.If(~self.move.accumulate & (self.move.width == width)):
                level = 5 ** (width - 1)
                replace(limit(width))
                m.d.sync += level_gap.eq((1 << STEP_BITS) - (level + 1) // 2)
                with m.If(self.move.perturb):
                    m.d.sync += [positive.eq(0), negative.eq(-1), gap.eq((1 << _COMPARED) - (3 * level + 1) // 2)]

        for lane in range(self._lanes):
            total = Signal(signed(ELEMENT_BITS), reset_less=True)
            m.d.sync += total.eq(plus(self.latents[lane], self.addends[lane], self.carries[lane]))
            beyond, one = Signal(), Signal()
            m.d.comb += [beyond.eq(reaches(total, gap)), one.eq(reaches(total, level_gap))]
            keep, below = Signal(), Signal()
            m.d.comb += [keep.eq(~perturb & ~beyond), below.eq(total[-1] & (one | ~perturb))]
            replaced = Signal(ELEMENT_BITS)
            m.d.comb += replaced.eq(Mux(below, negative, positive))
            level = Cat(one & ~beyond, beyond | below, replaced[2:])
            m.d.comb += self.results[lane].eq(Mux(keep, total, Mux(perturb, level, replaced)).as_signed())
        return m
