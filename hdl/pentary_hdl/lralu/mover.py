"""Datapath of LRADD, LRACC and POPAVG: add an addend to each element of a row, and saturate or round the sum."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.lralu.alphabet import Alphabet
from pentary_hdl.lralu.alphabet.base import COMPARED_BITS
from pentary_hdl.lralu.digits import plus
from pentary_hdl.lralu.slots import MOVE
from pentary_hdl.lralu.twin import ELEMENT_BITS, LATENT_BITS, LowRankParameters
from pentary_hdl.lralu.update import STEP_BITS


def addend_bits(parameters: LowRankParameters, alphabet: Alphabet) -> int:
    """Return the width of an addend in bits: it holds twice a step, and a digit times a sum."""
    return max(STEP_BITS + 1, alphabet.bits + alphabet.sum_bits(parameters.max_rank) - 1)


def elements(parameters: LowRankParameters) -> data.ArrayLayout:
    """Return the layout of a beat of a row: two's complement, the first element in the lowest bits."""
    return data.ArrayLayout(signed(ELEMENT_BITS), parameters.beat_elements)


class Addends(wiring.Component):
    """Addends of a beat: sigma times the quantised sums (LRADD), a pent times the sums (LRACC), or POPAVG's steps.

    Members:
        move, gives: In, operation of the slot, if it produces a beat of results.
        operand: In, sigma, or the pent of LRACC.
        values: In, row sums, or their levels.
        ready, lane, steps, round_up: In, a step for one of every four elements, see `Update`.
        addends, carries: Out, registered: addend and carry-in of each element.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet) -> None:
        """Create the addends for the given parameters and alphabet of the digits."""
        self._parameters, self._alphabet = parameters, alphabet
        self._addend_bits = addend_bits(parameters, alphabet)
        units, beat_elements = parameters.generators, parameters.beat_elements
        super().__init__(
            {
                "move": In(MOVE),
                "gives": In(1),
                "operand": In(signed(LATENT_BITS)),
                "values": In(data.ArrayLayout(signed(alphabet.sum_bits(parameters.max_rank)), beat_elements)),
                "ready": In(1),
                "lane": In(range(4)),
                "steps": In(signed(STEP_BITS)).array(units),
                "round_up": In(1).array(units),
                "addends": Out(data.ArrayLayout(signed(self._addend_bits), beat_elements)),
                "carries": Out(beat_elements),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Select for each element a number and a multiple of it; a step is taken once."""
        m = Module()
        accumulate, loads = self.move.accumulate, Signal()
        m.d.comb += loads.eq(self.gives & (self.move.perturb | accumulate))
        carries = Signal(len(self.carries))
        m.d.comb += self.carries.eq(carries)
        for i, value in enumerate(self.values):
            unit = i // 4
            step = self.ready & (self.lane == i % 4)
            multiple, none, negative = self._alphabet.addend(
                m, value, self.operand, self.steps[unit], loads, accumulate
            )
            addend, carry = Signal(signed(self._addend_bits)), Signal()
            m.d.comb += [self.addends[i].eq(addend), carries[i].eq(carry)]
            with m.If(loads | step):
                m.d.sync += addend.eq(multiple)
                m.d.sync += carry.eq(Mux(loads, negative, self.round_up[unit]))
                with m.If(none):
                    m.d.sync += [addend.eq(0), carry.eq(0)]
        return m


class Mover(wiring.Component):
    """Adder of a beat of base and addends, which saturates or rounds the sums.

    Members:
        move: In, operation.
        mask: In, which elements exist; the results of the others are 0.
        base, addends, carries: In, operands of the addition, see `Addends`.
        results: Out, one cycle later.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet) -> None:
        """Create a mover for the elements of a beat and an alphabet of the digits."""
        self._beat_elements, self._alphabet = parameters.beat_elements, alphabet
        super().__init__(
            {
                "move": In(MOVE),
                "mask": In(self._beat_elements),
                "base": In(elements(parameters)),
                "addends": In(data.ArrayLayout(signed(addend_bits(parameters, alphabet)), self._beat_elements)),
                "carries": In(self._beat_elements),
                "results": Out(elements(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Add, and replace a sum unless it is LRACC's, or POPAVG's and within the bound."""
        m = Module()
        perturb, accumulate = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [perturb.eq(self.move.perturb), accumulate.eq(self.move.accumulate)]
        replace = self._alphabet.bounds(m, self.move.width, self.move.perturb)
        for i, result in enumerate(self.results):
            total, keep = Signal(signed(ELEMENT_BITS)), Signal()
            m.d.sync += total.eq(plus(self.base[i], self.addends[i], self.carries[i]))
            with m.If(~self.mask[i]):
                m.d.sync += total.eq(0)
            beyond, below, level, latent = replace(m, Cat(total[:COMPARED_BITS], total[-1]).as_signed(), perturb)
            m.d.comb += keep.eq(accumulate | ~perturb & ~beyond)
            low = Mux(keep, total[:COMPARED_BITS], Mux(perturb, level, latent))
            high = Mux(perturb, below.replicate(ELEMENT_BITS - COMPARED_BITS), total[COMPARED_BITS:])
            m.d.comb += result.eq(Cat(low, high).as_signed())
        return m
