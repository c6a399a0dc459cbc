"""Datapath of LRADD, LRACC and POPAVG: add an addend to each element of a row, and saturate or round the sum."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import OPERAND
from pentary.numbers.word import limit
from pentary_hdl.lralu.alphabet import Alphabet, Balanced, Binary
from pentary_hdl.lralu.digits import Multiple, plus, reaches, saturated
from pentary_hdl.lralu.slots import MOVE
from pentary_hdl.lralu.twin import ELEMENT_BITS, LATENT_BITS, LowRankParameters
from pentary_hdl.lralu.update import STEP_BITS

_COMPARED = LATENT_BITS + 1
"""Bits of the magnitude of a perturbed latent word, |base| + 2 |sigma|."""

assert 3 * limit(OPERAND) < 1 << _COMPARED


def addend_bits(parameters: LowRankParameters, alphabet: Alphabet) -> int:
    """Return the width of an addend in bits: it holds twice a step, and a digit times a sum."""
    return max(STEP_BITS + 1, alphabet.bits + alphabet.sum_bits(parameters.max_rank) - 1)


def elements(parameters: LowRankParameters) -> data.ArrayLayout:
    """Return the layout of a beat of a row: two's complement, the first element in the lowest bits."""
    return data.ArrayLayout(signed(ELEMENT_BITS), parameters.movers)


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
        units, movers = parameters.generators, parameters.movers
        super().__init__(
            {
                "move": In(MOVE),
                "gives": In(1),
                "operand": In(signed(LATENT_BITS)),
                "values": In(data.ArrayLayout(signed(alphabet.sum_bits(parameters.max_rank)), movers)),
                "ready": In(1),
                "lane": In(range(4)),
                "steps": In(signed(STEP_BITS)).array(units),
                "round_up": In(1).array(units),
                "addends": Out(data.ArrayLayout(signed(self._addend_bits), movers)),
                "carries": Out(movers),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Select for each element a number and a multiple of it; a step is taken once."""
        m = Module()
        accumulate, loads = self.move.accumulate, Signal()
        m.d.comb += loads.eq(self.gives & (self.move.perturb | accumulate))
        digit = self.operand[: self._alphabet.bits].as_signed()
        by_operand = self._alphabet.multiple(digit)
        carries = Signal(len(self.carries))
        m.d.comb += self.carries.eq(carries)
        for i, value in enumerate(self.values):
            unit = i // 4
            step = self.ready & (self.lane == i % 4)
            if isinstance(self._alphabet, Binary):
                sigma = self.operand[: self._alphabet.most_sigma.bit_length() + 1].as_signed()
                factor = Mux(accumulate, digit, saturated(value, self._alphabet.bits))
                multiple = Mux(loads, factor * Mux(accumulate, value, sigma), self.steps[unit])
                none, negative = Const(0, 1), Const(0, 1)
            else:
                pairs = zip(vars(_by_sum(value, self._alphabet)).values(), vars(by_operand).values(), strict=True)
                none, twice, negative = Signal(), Signal(), Signal()
                for chosen, (of_value, of_operand) in zip((none, twice, negative), pairs, strict=True):
                    m.d.comb += chosen.eq(loads & Mux(accumulate, of_operand, of_value))

                number = Signal(signed(STEP_BITS))
                m.d.comb += number.eq(Mux(loads, Mux(accumulate, value, self.operand), self.steps[unit]))
                multiple = Multiple(none, twice, negative).complemented(number)
            addend, carry = Signal(signed(self._addend_bits)), Signal()
            m.d.comb += [self.addends[i].eq(addend), carries[i].eq(carry)]
            with m.If(loads | step):
                m.d.sync += addend.eq(multiple)
                m.d.sync += carry.eq(Mux(loads, negative, self.round_up[unit]))
                with m.If(none):
                    m.d.sync += [addend.eq(0), carry.eq(0)]
        return m


def _by_sum(value: Value, alphabet: Balanced) -> Multiple:
    """Return the selection of LRADD for a sum: a digit after PQUANT, else saturated to one."""
    more = Mux(value[-1], ~value[:-1].all(), value[1:-1].any()) if alphabet.greatest > 1 else Const(0, 1)
    return Multiple(~value.any(), more, value[-1])


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
        self._movers, self._alphabet = parameters.movers, alphabet
        super().__init__(
            {
                "move": In(MOVE),
                "mask": In(self._movers),
                "base": In(elements(parameters)),
                "addends": In(data.ArrayLayout(signed(addend_bits(parameters, alphabet)), self._movers)),
                "carries": In(self._movers),
                "results": Out(elements(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Compare each sum's magnitude with the saturation bound, or with the midpoints between levels.

        For binary digits, a level is not found by comparison but by a shift with rounding.
        """
        m = Module()
        alphabet = self._alphabet
        perturb, accumulate = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [perturb.eq(self.move.perturb), accumulate.eq(self.move.accumulate)]
        # Replacements of a sum whose magnitude reaches the bound: of a positive sum, and of a negative one.
        positive, negative = (Signal(_COMPARED, reset_less=True) for _ in range(2))
        gap, level_gap = Signal(_COMPARED, reset_less=True), Signal(_COMPARED, reset_less=True)
        for width in range(alphabet.widths[0], alphabet.widths[1] + 1):
            level, most = alphabet.unit(width), alphabet.most(width)
            with m.If(self.move.width == width):
                m.d.sync += [positive.eq(most), negative.eq(-most), gap.eq((1 << _COMPARED) - most - 1)]
                if isinstance(alphabet, Balanced):
                    m.d.sync += level_gap.eq((1 << _COMPARED) - (level + 1) // 2)
                    highest_middle = ((2 * alphabet.greatest - 1) * level + 1) // 2
                    with m.If(self.move.perturb):
                        m.d.sync += [positive.eq(0), negative.eq(-1), gap.eq((1 << _COMPARED) - highest_middle)]
        dropped = Signal.like(self.move.width, reset_less=True)  # binary digits: bits shifted out, before rounding
        if isinstance(alphabet, Binary):
            m.d.sync += dropped.eq(self.move.width - 1)

        for i, result in enumerate(self.results):
            total, sign = Signal(signed(ELEMENT_BITS)), Signal()
            m.d.sync += total.eq(plus(self.base[i], self.addends[i], self.carries[i]))
            with m.If(~self.mask[i]):
                m.d.sync += total.eq(0)
            compared = Cat(total[:_COMPARED], total[-1]).as_signed()
            beyond, one, keep = reaches(compared, gap), Signal(), Signal()
            m.d.comb += [sign.eq(total[-1]), one.eq(reaches(compared, level_gap) if alphabet.greatest == 2 else beyond)]
            m.d.comb += keep.eq(accumulate | ~perturb & ~beyond)
            if isinstance(alphabet, Balanced):
                below = sign & (one | ~perturb)
                replaced = Mux(below, negative, positive)
                low_bits = [one & ~beyond, one & (beyond | sign)] if alphabet.greatest == 2 else [one]
                level = Cat(low_bits, replaced[len(low_bits) :])
            else:
                digit = saturated((compared >> dropped) + 1 >> 1, alphabet.bits)
                below = Mux(perturb, digit[-1], sign)
                level = Cat(digit, digit[-1].replicate(_COMPARED - alphabet.bits))
                replaced = Mux(sign, negative, positive)
            low = Mux(keep, total[:_COMPARED], Mux(perturb, level, replaced))
            high = Mux(perturb, below.replicate(ELEMENT_BITS - _COMPARED), total[_COMPARED:])
            m.d.comb += result.eq(Cat(low, high).as_signed())
        return m
