"""LRADD: a latent word of 8 pents plus sigma times a level, saturated to WIDTH pents; the result is the highest pent.

Two pipeline registers: for the addend, and for the sum. Values common to all lanes are computed once, a cycle earlier.
"""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from forms import LANES, as_signed, chain, lookup
from forms.levels import level
from pentary.isa.table import CONTROLS, OPERAND
from pentary_hdl.lralu.digits import PENT, Multiple, plus, reaches, reduced

PENTS = OPERAND + 1
"""Number of pents of a latent word plus twice another."""

ELEMENT = signed(19)
"""Shape of a latent word of 8 pents in two's complement."""

_TOTAL = signed(21)
_WIDTHS = range(CONTROLS["WIDTH"][0], CONTROLS["WIDTH"][1] + 1)


class _Perturb(wiring.Component):
    """Perturbation of latent words in 16 lanes.

    Members:
        sigma, width: In; operands common to all lanes, stable for three cycles from the one before `latents`.
        latents: In; a latent word for each lane.
        levels: In; a pent for each lane.
        results: Out; a pent for each lane, two cycles after `latents`.
    """

    def __init__(self, word: object, sigma: object) -> None:
        super().__init__(
            {
                "sigma": In(sigma),
                "width": In(4),
                "latents": In(data.ArrayLayout(word, LANES)),
                "levels": In(data.ArrayLayout(PENT, LANES)),
                "results": Out(data.ArrayLayout(PENT, LANES)),
            }
        )


class BinaryPerturb(_Perturb):
    """In two's complement: the sum's magnitude is compared with the midpoints between the levels."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__(ELEMENT, ELEMENT)

    def elaborate(self, platform: object) -> Module:
        """Build adders and comparators."""
        m = Module()
        gaps = [Signal(_TOTAL.width - 1, reset_less=True) for _ in range(2)]
        for width in _WIDTHS:
            with m.If(self.width == width):
                middle = 5 ** (width - 1)
                for gap, multiple in zip(gaps, (1, 3), strict=True):
                    m.d.sync += gap.eq((1 << _TOTAL.width - 1) - (multiple * middle + 1) // 2)
        for lane in range(LANES):
            latent, total = Signal(ELEMENT, reset_less=True), Signal(_TOTAL, reset_less=True)
            addend, negative = Signal(signed(ELEMENT.width + 1), reset_less=True), Signal(reset_less=True)
            digit = Multiple.of_pent(self.levels[lane])
            m.d.sync += [latent.eq(self.latents[lane]), negative.eq(digit.negative)]
            m.d.sync += addend.eq(digit.complemented(self.sigma))
            with m.If(digit.none):
                m.d.sync += [addend.eq(0), negative.eq(0)]
            m.d.sync += total.eq(plus(latent, addend, negative))
            one, two = Signal(), Signal()
            m.d.comb += [one.eq(reaches(total, gaps[0])), two.eq(reaches(total, gaps[1]))]
            m.d.comb += self.results[lane].eq(level(one, two, total[-1]))
        return m


class _PentPerturb(_Perturb):
    """In pents: the result is a pent of the sum if those above it are 0, else it saturates."""

    def __init__(self, digit: object) -> None:
        super().__init__(data.ArrayLayout(digit, OPERAND), data.ArrayLayout(PENT, OPERAND))

    def _selection(self, m: Module) -> tuple[Signal, Signal]:
        """Return one-hot selection of the result's pent, and a mask of the pents above it, common to all lanes."""
        chosen, above = Signal(PENTS, reset_less=True), Signal(PENTS, reset_less=True)
        for width in _WIDTHS:
            with m.If(self.width == width):
                m.d.sync += [chosen.eq(1 << width - 1), above.eq((1 << PENTS) - (1 << width))]
        return chosen, above

    @staticmethod
    def _highest(pents: list[Value], chosen: Value, above: Value) -> Value:
        pairs = [((pent[0] | pent[1]) & mask, pent[2]) for pent, mask in zip(pents, above, strict=True)]
        while len(pairs) > 1:  # a pair: whether any of some pents is not 0, and the sign of the highest such pent
            merged = [
                (high[0] | low[0], Mux(high[0], high[1], low[1]))
                for low, high in zip(pairs[::2], pairs[1::2], strict=False)
            ]
            pairs = merged + pairs[2 * len(merged) :]
        beyond, negative = pairs[0]
        own = Const(0, 3)
        for pent, mask in zip(pents, chosen, strict=True):
            own |= pent[:3] & mask.replicate(3)
        return Mux(beyond, Cat(Const(0, 1), Const(1, 1), negative), own)


class RipplePerturb(_PentPerturb):
    """In pents with a ripple carry."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__(PENT)

    def elaborate(self, platform: object) -> Module:
        """Build the datapath; sigma is doubled once for all lanes, and negated digit by digit."""
        m = Module()
        chosen, above = self._selection(m)
        once, twice = ([Signal(PENT, reset_less=True) for _ in range(PENTS)] for _ in range(2))
        carry: Value = Const(0, signed(1))
        for i in range(PENTS):
            doubled = Signal(signed(4))
            own = self.sigma[i] if i < OPERAND else Const(0, PENT)
            m.d.comb += doubled.eq((own << 1) + carry)
            pent, carry = reduced(m, doubled)
            m.d.sync += [once[i].eq(own), twice[i].eq(pent)]
        for lane in range(LANES):
            digit = Multiple.of_pent(self.levels[lane])
            pents, carry = [], Const(0, signed(1))
            for i in range(PENTS):
                latent, addend, pent = (Signal(PENT, reset_less=True) for _ in range(3))
                picked = Mux(digit.twice, twice[i], once[i])[:3]
                m.d.sync += latent.eq(self.latents[lane][i] if i < OPERAND else 0)
                m.d.sync += addend.eq(lookup(m, Cat(picked, digit.negative), PENT, _negated))
                with m.If(digit.none):
                    m.d.sync += addend.eq(0)
                total = Signal(signed(4))
                m.d.comb += total.eq(latent + addend + carry)
                low, carry = reduced(m, total)
                m.d.sync += pent.eq(low)
                pents.append(pent)
            m.d.comb += self.results[lane].eq(self._highest(pents, chosen, above))
        return m


def _negated(code: int) -> int:
    return -as_signed(code, 3) if code & 8 else as_signed(code, 3)


class ChainPerturb(_PentPerturb):
    """In digits 0..4 on a binary carry chain, see `chain`; sigma is given in pents."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__(3)

    def elaborate(self, platform: object) -> Module:
        """Build the datapath; sigma, its double and their complements are computed once for all lanes."""
        m = Module()
        chosen, above = self._selection(m)
        multiples = []
        for factor in (1, 2):
            for complement in (False, True):
                digits = [Signal(3, reset_less=True) for _ in range(PENTS)]
                for digit, own in zip(digits, chain.five_complement(m, list(self.sigma), factor, PENTS), strict=True):
                    m.d.sync += digit.eq((4 - own if complement else own) + chain.EXCESS)
                multiples.append(digits)
        for lane in range(LANES):
            which, negative = Multiple.of_pent(self.levels[lane]), Signal(reset_less=True)
            m.d.sync += negative.eq(which.negative)
            latents, addends = ([Signal(3, reset_less=True) for _ in range(PENTS)] for _ in range(2))
            for i in range(PENTS):
                m.d.sync += latents[i].eq(self.latents[lane][i] if i < OPERAND else chain.BIAS)
                once, minus_once, twice, minus_twice = (multiple[i] for multiple in multiples)
                m.d.sync += addends[i].eq(
                    Mux(which.twice, Mux(which.negative, minus_twice, twice), Mux(which.negative, minus_once, once))
                )
                with m.If(which.none):
                    m.d.sync += addends[i].eq(chain.EXCESS)
            pents = [Signal(PENT, reset_less=True) for _ in range(PENTS)]
            m.d.sync += [p.eq(s) for p, s in zip(pents, chain.add(m, latents, addends, negative, True), strict=True)]
            m.d.comb += self.results[lane].eq(self._highest(pents, chosen, above))
        return m
