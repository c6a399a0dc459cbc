"""Reductions over lanes and rows: the greatest element, sums of words and of squares; the fitness accumulators."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import FITNESS
from pentary_hdl.core import word as w
from pentary_hdl.vector import limbs
from pentary_hdl.vector.arithmetic import WORD_BITS, picked
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.products import PRODUCT_BOUNDS, PRODUCTS, limbs_of, saturated

_SUMS: Final = limbs.COUNT
"""Limbs that are added up: words have so many, and squares of eight pents have fewer."""


class Maximum(wiring.Component):
    """Greatest element of some rows: a level of a binary tree over the lanes in each cycle, then the rows.

    Args:
        sizes: of the unit.

    Members:
        x: In; a row.
        inside: In; with it, a bit for each element that counts.
        begins: In; d cycles later, for d levels: the row is the first one.
        valid: In; with `begins`, there is a row.
        word: Out; d + 1 cycles after a row, the greatest element so far.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create a tree."""
        self._sizes = sizes
        super().__init__(
            {
                "x": sizes.row(In),
                "inside": In(sizes.lanes),
                "begins": In(1),
                "valid": In(1),
                "word": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the levels; the least word has all bits 0."""
        m = Module()
        level: list[Value] = [Mux(inside, word.as_value(), 0) for inside, word in zip(self.inside, self.x, strict=True)]
        number = 0
        while len(level) > 1:
            number += 1
            following = [Signal(WORD_BITS, name=f"greatest_{number}_{place}") for place in range(len(level) // 2)]
            for register, x, y in zip(following, level[::2], level[1::2], strict=True):
                m.d.sync += register.eq(Mux(x < y, y, x))
            level = list(following)
        best = self.word.as_value()
        with m.If(self.valid & (self.begins | (best < level[0]))):
            m.d.sync += best.eq(level[0])
        return m


class Sums(wiring.Component):
    """Sums of the products of all lanes, of some rows; as a word, or added to a fitness accumulator.

    The levels of the tree take d - 2 cycles, for d levels, the last one with the rows before; the sum is brought into
    the form of words in one more.

    Args:
        sizes: of the unit.

    Members:
        products: In; limbs of a row of single products.
        begins: In; d - 3 cycles later: the row is the first one.
        valid: In; with `begins`, there is a row.
        word: Out; d cycles after the last row, the saturated sum.
        adds: In; with `word`, adds the sum to an accumulator instead.
        added: In; with `adds`, number of the accumulator.
        number: In; of an accumulator.
        takes: In; takes its value, and sets it to 0.
        taken: Out; the value, in the next cycle.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create a tree."""
        self._sizes = sizes
        super().__init__(
            {
                "products": In(PRODUCTS).array(sizes.lanes),
                "begins": In(1),
                "valid": In(1),
                "word": Out(w.WORD),
                "adds": In(1),
                "added": In(range(FITNESS)),
                "number": In(range(FITNESS)),
                "takes": In(1),
                "taken": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the tree, the conversion to words and the accumulators."""
        m = Module()
        bounds = [most * self._sizes.lanes * self._sizes.rows for most in PRODUCT_BOUNDS[:_SUMS]]
        totals = [Signal(limbs.shape_of(bound), name=f"total_{place}") for place, bound in enumerate(bounds)]
        for place, own in enumerate(totals):

            def gathered(numbers: Sequence[Value], own: Value = own) -> None:
                with m.If(self.valid):
                    m.d.sync += own.eq(Mux(self.begins, 0, own) + sum(numbers))

            self._tree(m, place, gathered)

        m.submodules.digits = digits = limbs.Digits()
        reduced, top = limbs.reduced(m, totals, bounds)
        found, _, beyond = limbs.carried(m, reduced, top)
        above = Signal(beyond.shape())
        m.d.sync += above.eq(beyond)
        m.d.comb += [address.eq(limb) for address, limb in zip(digits.limbs, found, strict=True)]
        m.d.comb += self.word.as_value().eq(saturated(above, list(digits.digits)))
        self._accumulate(m, reduced, top)
        return m

    def _tree(self, m: Module, place: int, gathered: Callable[[Sequence[Value]], None]) -> None:
        """Add up limb `place` of all lanes, and hand the operands of the last level over."""
        bound = PRODUCT_BOUNDS[place]
        level: list[Value] = []
        for product in self.products:
            *_, number = islice(limbs_of(product), place + 1)
            level.append(number[: bound.bit_length() + 1].as_signed())
        for number, ways in enumerate(levels(self._sizes.depth)[:-1]):
            bound *= ways
            following = []
            for first in range(0, len(level), ways):
                total = Signal(limbs.shape_of(bound), name=f"sum_{place}_{number}_{first // ways}")
                m.d.sync += total.eq(sum(level[first : first + ways]))
                following.append(total)
            level = following
        gathered(level)

    def _accumulate(self, m: Module, reduced: Sequence[Value], top: Value) -> None:
        """Create the fitness accumulators, which are limbs, at least 0 and saturated."""
        fitness = [
            Signal(data.ArrayLayout(limbs.LIMB, limbs.COUNT), name=f"fitness_{number}") for number in range(FITNESS)
        ]
        distance = [Signal(limbs.LIMB, name=f"distance_{place}") for place in range(limbs.COUNT)]
        above = Signal(top.shape())
        m.d.sync += [*(register.eq(limb) for register, limb in zip(distance, reduced, strict=True)), above.eq(top)]
        before = [picked([own[place] for own in fitness], self.added) for place in range(limbs.COUNT)]
        sums, carries, beyond = limbs.carried(m, [x + y for x, y in zip(before, distance, strict=True)], above)
        for number, own in enumerate(fitness):
            with m.If(self.takes & (self.number == number)):
                m.d.sync += own.eq(0)
            with m.Elif(self.adds & (self.added == number)):
                for limb, total, carry in zip(own, sums, carries, strict=True):
                    m.d.sync += limb.eq(Mux(beyond == 0, total - carry * limbs.UNIT, limbs.GREATEST))
        m.submodules.taken_digits = digits = limbs.Digits()
        for place, address in enumerate(digits.limbs):
            m.d.comb += address.eq(picked([own[place] for own in fitness], self.number))
        m.d.comb += self.taken.as_value().eq(Cat(four.as_value() for four in digits.digits))


def levels(depth: int) -> list[int]:
    """Return how many operands a node adds in each level of a tree of 2^depth operands, with depth - 2 levels.

    >>> levels(4), levels(8)
    ([4, 4], [4, 4, 2, 2, 2, 2])
    """
    return [4] * 2 + [2] * (depth - 4)
