"""Steps of POPAVG: total * GAIN / 5^8, rounded, for four elements in 44 cycles.

Each datapath has a single adder, which computes `value = value / 4 + digit * number` in each cycle:

- In the first 16 cycles the digits are the pents of GAIN and the numbers are constants: `value` becomes GAIN / 5^8, in
  binary and with FRACTION bits after the point.
- Then, in 11 cycles for each element, the number is that value, and the digits are the total's radix-4 Booth digits,
  also in -2..2.

The rounded result is exact although the binary fraction is not: the scaled GAIN has an error of at most 2.7 units in
the last place, which a total scales to at most 2.7 * 5^8 / 2 * 2^-40 < 4.8e-7, and the divisions by 4 truncate at most
1.4 * 2^-22 < 3.4e-7. The exact quotient is a multiple of 5^-8 = 2.56e-6, and no such multiple lies nearer than 1.28e-6
to a midpoint between two integers.
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
"""Width of a step after saturation: it holds the difference of any two latent words."""

ELEMENTS = 4
"""Elements of a beat that share a datapath."""

SETUP, PERIOD = 16, 11
"""Cycles that compute the scaled gain, and cycles that each element then takes."""

FRACTION = 40
_DIGITS = PERIOD - 1
_POINT = FRACTION - 2 * (_DIGITS - 1)
_NUMBER_BITS, _VALUE_BITS = FRACTION + 17, FRACTION + 18

_WEIGHTS = [round(Fraction(5) ** (k - GAIN_SHIFT) * 2**FRACTION * 4 ** (GAIN_PENTS - 1 - k)) for k in range(GAIN_PENTS)]


def totals(parameters: LowRankParameters) -> data.ArrayLayout:
    """Return the layout of a beat of totals: two's complement, the first element in the lowest bits."""
    return data.ArrayLayout(signed(LATENT_BITS), parameters.beat_elements)


class Update(wiring.Component):
    """Datapaths for the steps of a beat's elements, one for every four elements, all in lockstep.

    Members:
        gain, set_gain: In, with `set_gain`: the 15 pents of GAIN to load.
        active: In, a slot of POPAVG is in this stage.
        last_beat: In, with `active`: the slot belongs to the row's last beat.
        totals: In, a beat of totals, read in the cycles in which `look` is 1.
        look, take: Out, `totals` is read in this cycle; it is read for the last time.
        ready: Out, a step of each datapath is valid in this cycle.
        lane: Out, with `ready`: which of its four elements each step is for.
        steps, round_up: Out, with `ready`: of each datapath, the step rounded down and saturated, and whether to add 1.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the datapaths for the elements of a beat."""
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
        """Count the cycles, and control all datapaths alike."""
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
        # Registered a cycle ahead, so that a stall for totals is known early in the cycle.
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
            # The total with a 0 below it and its sign above: a Booth digit is two bits and the one below them.
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
