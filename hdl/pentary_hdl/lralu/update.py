"""Steps of POPAVG: a total times the gain, divided by 5^8 and rounded, for four elements in 44 cycles.

One adder does it all, as `value = value / 4 + digit * number`:

- In the first 16 cycles the digits are the pents of GAIN, and the numbers constants: `value` becomes GAIN / 5^8, in
  binary and with FRACTION bits after the point.
- Then 11 cycles for each element: the number is that value, and the digits those of the element in base 4, -2..2 too.

The result is exact, though binary fractions are not: GAIN is known within 2.7 units of its last place, which an element
makes 2.7 * 5^8 / 2 * 2^-40 < 4.8e-7 at most, and the division by 4 cuts off 1.4 * 2^-22 < 3.4e-7. The exact quotient
is a multiple of 5^-8 = 2.56e-6, none of which lies nearer than 1.28e-6 to the middle between two integers.
"""

from fractions import Fraction

from amaranth import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank.operations import GAIN_SHIFT
from pentary_hdl.lralu.digits import Multiple, plus
from pentary_hdl.lralu.twin import LATENT_BITS, PENT_BITS, LowRankParameters

GAIN_PENTS = 15
STEP_BITS = 20
"""A step is that wide after saturation: wider than the greatest difference of two latent words."""

ELEMENTS = 4
"""Elements of a beat that share a datapath."""

SETUP, PERIOD = 16, 11
"""Cycles that make the scaled gain, and that then each element takes."""

FRACTION = 40
_DIGITS = PERIOD - 1
_POINT = FRACTION - 2 * (_DIGITS - 1)
_NUMBER_BITS, _VALUE_BITS = FRACTION + 17, FRACTION + 18

_WEIGHTS = [round(Fraction(5) ** (k - GAIN_SHIFT) * 2**FRACTION * 4 ** (GAIN_PENTS - 1 - k)) for k in range(GAIN_PENTS)]


def totals(parameters: LowRankParameters) -> data.ArrayLayout:
    """Give the layout of a beat of totals: binary numbers, the first element in the lowest bits."""
    return data.ArrayLayout(signed(LATENT_BITS), parameters.movers)


class Update(wiring.Component):
    """Steps of the elements of beats, four for each of `units` datapaths, in step.

    Members:
        gain, set_gain: pents, and whether to take them over.
        active: a slot of POPAVG passes.
        last_beat: it belongs to the row's last beat.
        totals: a beat of totals; looked at in the cycles in which `look` is 1, and with `take` for the last time.
        lane: whose step is ready, if `ready`.
        steps: of each datapath: the integer below, saturated, and whether to round it up.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the number of elements in a beat."""
        self._units = units = parameters.generators
        super().__init__(
            {
                "gain": In(GAIN_PENTS * PENT_BITS),
                "set_gain": In(1),
                "active": In(1),
                "last_beat": In(1),
                "totals": In(totals(parameters)),
                "look": Out(1),
                "take": Out(1),
                "ready": Out(1),
                "lane": Out(range(ELEMENTS)),
                "steps": Out(signed(STEP_BITS)).array(units),
                "round_up": Out(1).array(units),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count the cycles, and give each datapath the same commands."""
        m = Module()
        # `cycle` counts within the setup or the period of an element.
        cycle, element, setup, ending = Signal(range(SETUP)), Signal(range(ELEMENTS)), Signal(init=1), Signal()
        look, take, following_element = Signal(), Signal(), Signal.like(element)
        end = Mux(setup, SETUP - 1, PERIOD - 1)
        ends_row = ~setup & (element == ELEMENTS - 1) & self.last_beat
        m.d.comb += [
            ending.eq(self.active & (cycle == end)),
            following_element.eq(Mux(setup, 0, element + 1)),
            self.look.eq(look),
            self.take.eq(take),
        ]
        # Known a cycle before, so that what waits for totals is told early in the cycle.
        m.d.sync += [look.eq(self.active & (cycle == end - 2) & ~ends_row)]
        m.d.sync += take.eq(self.active & (cycle == end - 2) & ~setup & (element == ELEMENTS - 2))
        with m.If(self.active):
            m.d.sync += cycle.eq(cycle + 1)
        with m.If(ending):
            m.d.sync += [cycle.eq(0), element.eq(following_element), setup.eq(ends_row)]
        m.d.sync += [self.ready.eq(ending & ~setup), self.lane.eq(element)]

        gain = Signal(GAIN_PENTS * PENT_BITS)
        with m.If(self.set_gain):
            m.d.sync += gain.eq(self.gain)
        with m.Elif(self.active & setup & (cycle != SETUP - 1)):
            m.d.sync += gain.eq(gain.rotate_right(PENT_BITS))

        scaled = Signal(signed(_NUMBER_BITS), reset_less=True)
        number = Signal(signed(_NUMBER_BITS))
        weight = Array([Const(w, signed(_NUMBER_BITS)) for w in [*_WEIGHTS, 0]])[cycle]
        m.d.comb += number.eq(Mux(setup, weight, scaled))
        for unit in range(self._units):
            # The total with a 0 below it and its sign above: a digit in base 4 is two bits and the one below them.
            total = Signal(signed(2 * _DIGITS + 1), reset_less=True)
            raw = Signal(signed(LATENT_BITS), reset_less=True)
            m.d.sync += raw.eq(Array(list(self.totals)[ELEMENTS * unit :][:ELEMENTS])[following_element])
            m.d.sync += total.eq(total >> 2)
            with m.If(ending):
                m.d.sync += total.eq(Cat(Const(0, 1), raw).as_signed())

            pent, booth = Multiple.of_pent(gain[:PENT_BITS]), Multiple.of_booth(total[:3])
            digit = Multiple(Signal(), Signal(), Signal())
            for chosen, of_pent, of_booth in zip(*(vars(each).values() for each in (digit, pent, booth)), strict=True):
                m.d.comb += chosen.eq(Mux(setup, of_pent, of_booth))
            addend, negative = Signal(_NUMBER_BITS + 1, reset_less=True), Signal(reset_less=True)
            m.d.sync += [addend.eq(digit.complemented(number)), negative.eq(digit.negative)]
            with m.If(digit.none | (cycle == end)):
                m.d.sync += [addend.eq(0), negative.eq(0)]

            value, following = Signal(signed(_VALUE_BITS), reset_less=True), Signal(signed(_VALUE_BITS))
            m.d.comb += following.eq(plus(value >> 2, addend, negative))
            m.d.sync += value.eq(following)
            with m.If(cycle == 0):
                m.d.sync += value.eq(0)
            if unit == 0:
                with m.If(ending & setup):
                    m.d.sync += scaled.eq(following)
            step = value[_POINT:].as_signed()
            beyond = (step[STEP_BITS - 1 :] ^ step[-1].replicate(len(step) - STEP_BITS + 1)).any()
            edge = Cat((~step[-1]).replicate(STEP_BITS - 1), step[-1]).as_signed()
            m.d.comb += [self.steps[unit].eq(Mux(beyond, edge, step)), self.round_up[unit].eq(value[_POINT - 1])]
        return m
