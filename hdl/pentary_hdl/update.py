"""Steps of POPAVG: a sum times the gain, divided by 5^8 and rounded, for 16 elements in 256 cycles.

One adder does it all, as `value = value / 4 + digit * number`:

- In the first 16 cycles the digits are the pents of GAIN, and the numbers constants: `value` becomes GAIN / 5^8, in
  binary and with FRACTION bits after the point.
- Then 15 cycles for each element: the number is that value, and the digits those of the element in base 4, -2..2 too.

The result is exact, though binary fractions are not: GAIN is known within 2.7 units of its last place, which an element
makes 2.7 * 5^12 / 2 * 2^-50 < 3.0e-7 at most, and the division by 4 cuts off 1.4 * 2^-24 < 0.9e-7. The exact quotient
is a multiple of 5^-8 = 2.56e-6, none of which lies nearer than 1.28e-6 to the middle between two integers.
"""

from fractions import Fraction

from amaranth import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.es import GAIN_SHIFT
from pentary.isa.table import TOTAL
from pentary.lralu import ELEMENT_BITS, PENT_BITS
from pentary.word import PENTS, limit
from pentary_hdl.digits import Multiple, exceeds, plus

GAIN_PENTS = 15
STEP_BITS = 20
"""A step is that wide after saturation: wider than the greatest difference of two latent words."""

FRACTION = 50
_DIGITS = ELEMENT_BITS // 2
_POINT = FRACTION - 2 * (_DIGITS - 1)
_NUMBER_BITS, _VALUE_BITS = FRACTION + 17, FRACTION + 18

_WEIGHTS = [round(Fraction(5) ** (k - GAIN_SHIFT) * 2**FRACTION * 4 ** (GAIN_PENTS - 1 - k)) for k in range(GAIN_PENTS)]


class Update(wiring.Component):
    """Steps of 16 lanes for each of `units` blocks of totals, in step.

    Members:
        gain, set_gain: pents, and whether to take them over.
        start: begin the 256 cycles of a beat.
        totals: the beat of totals; looked at in the cycles in which `take` is 1, and with `last` for the last time.
        lane: whose step is ready, if `ready`.
        steps: of each unit: the integer below, saturated, and whether to round it up.
    """

    def __init__(self, units: int) -> None:
        """Take the number of datapaths, each for 16 lanes."""
        self._units = units
        super().__init__(
            {
                "gain": In(GAIN_PENTS * PENT_BITS),
                "set_gain": In(1),
                "start": In(1),
                "totals": In(data.ArrayLayout(signed(ELEMENT_BITS), PENTS * units)),
                "take": Out(1),
                "last": Out(1),
                "ready": Out(1),
                "lane": Out(range(PENTS)),
                "steps": Out(signed(STEP_BITS)).array(units),
                "round_up": Out(1).array(units),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count the cycles, and give each datapath the same commands."""
        m = Module()
        # Period 0 makes the gain, period e + 1 the step of element e. `cycle` counts within a period.
        cycle, period, busy = Signal(range(16)), Signal(range(PENTS + 1)), Signal()
        ending = Signal()
        first = period == 0
        active = self.start | busy
        m.d.comb += ending.eq(active & (cycle == Mux(first, 15, _DIGITS)))
        with m.If(active):
            m.d.sync += [busy.eq(1), cycle.eq(cycle + 1)]
        with m.If(ending):
            m.d.sync += [cycle.eq(0), period.eq(period + 1)]
            with m.If(period == PENTS):
                m.d.sync += [period.eq(0), busy.eq(0)]
        m.d.comb += self.take.eq(active & (cycle == Mux(first, 14, _DIGITS - 1)) & (period != PENTS))
        m.d.comb += self.last.eq(self.take & (period == PENTS - 1))
        m.d.sync += [self.ready.eq(ending & ~first), self.lane.eq(period - 1)]

        gain = Signal(GAIN_PENTS * PENT_BITS)
        with m.If(self.set_gain):
            m.d.sync += gain.eq(self.gain)
        with m.Elif(active & first & (cycle != 15)):
            m.d.sync += gain.eq(gain.rotate_right(PENT_BITS))

        scaled = Signal(signed(_NUMBER_BITS), reset_less=True)
        number = Signal(signed(_NUMBER_BITS))
        weight = Array([Const(w, signed(_NUMBER_BITS)) for w in [*_WEIGHTS, 0]])[cycle]
        m.d.comb += number.eq(Mux(first, weight, scaled))
        for unit in range(self._units):
            total = Signal(ELEMENT_BITS + 1, reset_less=True)
            raw = Signal(signed(ELEMENT_BITS), reset_less=True)
            m.d.sync += raw.eq(Array(self.totals[PENTS * unit + lane] for lane in range(PENTS))[period[:4]])
            with m.If(ending):
                largest = Const(limit(TOTAL), ELEMENT_BITS)
                saturated = Mux(raw[-1], -largest, largest)[:ELEMENT_BITS]
                m.d.sync += total.eq(Cat(Const(0, 1), Mux(exceeds(raw, limit(TOTAL)), saturated, raw)))
            with m.Else():
                m.d.sync += total.eq(total >> 2)

            pent, booth = Multiple.of_pent(gain[:PENT_BITS]), Multiple.of_booth(total[:3])
            digit = Multiple(Signal(), Signal(), Signal())
            for chosen, of_pent, of_booth in zip(*(vars(each).values() for each in (digit, pent, booth)), strict=True):
                m.d.comb += chosen.eq(Mux(first, of_pent, of_booth))
            addend, negative = Signal(_NUMBER_BITS + 1, reset_less=True), Signal(reset_less=True)
            m.d.sync += [addend.eq(digit.complemented(number)), negative.eq(digit.negative)]
            with m.If(digit.none | (cycle == Mux(first, 15, _DIGITS))):
                m.d.sync += [addend.eq(0), negative.eq(0)]

            value, following = Signal(signed(_VALUE_BITS), reset_less=True), Signal(signed(_VALUE_BITS))
            m.d.comb += following.eq(plus(value >> 2, addend, negative))
            m.d.sync += value.eq(following)
            with m.If(cycle == 0):
                m.d.sync += value.eq(0)
            if unit == 0:
                with m.If(ending & first):
                    m.d.sync += scaled.eq(following)
            step = value[_POINT:].as_signed()
            beyond = (step[STEP_BITS - 1 :] ^ step[-1].replicate(len(step) - STEP_BITS + 1)).any()
            edge = Cat((~step[-1]).replicate(STEP_BITS - 1), step[-1]).as_signed()
            m.d.comb += [self.steps[unit].eq(Mux(beyond, edge, step)), self.round_up[unit].eq(value[_POINT - 1])]
        return m
