"""Products of the lanes, 16 by 8 pents, and what is made of them: words, or limbs that reductions add up."""

from collections.abc import Iterator, Sequence
from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import OPERAND
from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.vector import arithmetic, limbs
from pentary_hdl.vector.arithmetic import SUM, WORD_BITS, nothing
from pentary_hdl.vector.parameters import Sizes

_FACTORS: Final = OPERAND // limbs.PLACES
"""Limbs of the second factor."""

_SUMS: Final = limbs.COUNT + _FACTORS - 1
_LARGEST: Final = [
    limbs.GREATEST**2 * sum(0 <= place - other < limbs.COUNT for other in range(_FACTORS)) for place in range(_SUMS)
]
_MOST: Final = PENTS
"""Products that CONV adds up."""

BOUNDS: Final = [most * _MOST for most in _LARGEST]
PRODUCTS: Final = wiring.Signature(
    {f"limb{place}": Out(limbs.shape_of(bound)) for place, bound in enumerate(BOUNDS)}  # type: ignore[arg-type]
)
"""Limbs of a sum of products; a single one has the magnitudes `PRODUCT_BOUNDS`."""

PRODUCT_BOUNDS: Final = _LARGEST


class Products(wiring.Component):
    """Products, in four stages: limbs of the factors; their products, and sums of those; digits; saturation.

    Args:
        sizes: of the unit.

    Members:
        x: In; words.
        y: In; for each lane, a number of which it takes the nearest of eight pents.
        squares: In; takes y for x, too.
        inside: In; a bit for each lane whose product is not 0.
        begins: In; the product is not added to the one before.
        sums: Out; limbs of the product or sum, two cycles later, of `PRODUCTS`.
        words: Out; the same as words, three cycles later.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create the lanes."""
        self._sizes = sizes
        lanes = sizes.lanes
        super().__init__(
            {
                "x": sizes.row(In),
                "y": In(SUM).array(lanes),
                "squares": In(1),
                "inside": In(lanes),
                "begins": In(1),
                "sums": Out(PRODUCTS).array(lanes),
                "words": sizes.row(Out),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the lanes."""
        m = Module()
        begins = Signal()
        m.d.sync += begins.eq(self.begins)
        for lane in range(self._sizes.lanes):
            m.submodules[f"digits_{lane}"] = digits = limbs.Digits()
            self._multiply(m, lane, begins)
            numbers = list(limbs_of(self.sums[lane]))
            found, _, beyond = limbs.carried(m, *limbs.reduced(m, numbers, BOUNDS))
            above = Signal(beyond.shape(), name=f"above_{lane}")
            m.d.sync += above.eq(beyond)
            m.d.comb += [
                *(address.eq(limb) for address, limb in zip(digits.limbs, found, strict=True)),
                self.words[lane].as_value().eq(saturated(above, list(digits.digits))),
            ]
        return m

    def _multiply(self, m: Module, lane: int, begins: Value) -> None:
        """Multiply in a lane, and add up."""
        y = Signal(OPERAND * w.DIGIT_BITS, name=f"y_{lane}")
        x = Signal(WORD_BITS, name=f"x_{lane}")
        squared = Cat(y, nothing(WORD_BITS - len(y)))
        m.d.comb += [
            y.eq(arithmetic.saturated(self.y[lane], OPERAND)),
            x.eq(Mux(self.squares, squared, self.x[lane].as_value())),
        ]
        factors: list[list[Signal]] = []
        for name, word, count in (("x", x, limbs.COUNT), ("y", y, _FACTORS)):
            parts = [Signal(limbs.LIMB, name=f"{name}_{lane}_{place}") for place in range(count)]
            for part, bits in zip(parts, _fours(word), strict=True):
                m.d.sync += part.eq(limbs.limb(m, bits))
            factors.append(parts)
        xs, ys = factors
        with m.If(~self.inside[lane]):
            m.d.sync += [part.eq(0) for part in xs]
        for place, total in enumerate(limbs_of(self.sums[lane])):
            product = sum(xs[place - k] * ys[k] for k in range(_FACTORS) if 0 <= place - k < limbs.COUNT)
            m.d.sync += total.eq(Mux(begins, 0, total) + product)


def limbs_of(products: wiring.PureInterface) -> Iterator[Value]:
    """Yield the limbs of a sum of `PRODUCTS`."""
    return (getattr(products, f"limb{place}") for place in range(_SUMS))


def _fours(word: Value) -> list[Value]:
    bits = limbs.PLACES * w.DIGIT_BITS
    return [word[first : first + bits] for first in range(0, len(word), bits)]


def saturated(above: Value, digits: Sequence[data.View]) -> Value:
    """Return a word from its digits, or the greatest or least one if what is above them is not 0, by its sign."""
    edge = Mux(above < 0, arithmetic.repeated(0, PENTS), arithmetic.repeated(4, PENTS))[:WORD_BITS]
    return Mux(above == 0, Cat(each.as_value() for each in digits), edge)
