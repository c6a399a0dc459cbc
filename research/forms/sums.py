"""Multiply-accumulate: a pent common to all lanes times a pent per lane, added to the lane's sum or to 0."""

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from forms import LANES, as_signed, chain, lookup
from pentary_hdl.lralu.digits import PENT, Multiple, plus, reduced

_PRODUCT_BITS = 4


class _Sums(wiring.Component):
    """Accumulators for sums of at most `rank` products.

    Members:
        a: In; pent common to all lanes.
        b: In; a pent for each lane. A product of `a` and `b` is accumulated in every cycle.
        first: In; 1 if the product of this cycle starts a new sum.
        sums: Out; accumulated sum of each lane, two cycles after its last product.
    """

    def __init__(self, rank: int, shape: object) -> None:
        """Create accumulators for the maximum number of products, with the shape of a sum."""
        self.rank = rank
        super().__init__(
            {
                "a": In(PENT),
                "b": In(data.ArrayLayout(PENT, LANES)),
                "first": In(1),
                "sums": Out(data.ArrayLayout(shape, LANES)),
            }
        )


def pents_of(largest: int) -> int:
    """Return the number of pents for a number of this magnitude."""
    pents = 1
    while 5**pents // 2 < largest:
        pents += 1
    return pents


def sum_bits(rank: int) -> int:
    """Return the number of bits, in two's complement, of a sum of `rank` products."""
    return (4 * rank).bit_length() + 1


class PentSums(_Sums):
    """Sums in pents with a ripple carry."""

    def __init__(self, rank: int) -> None:
        """Create accumulators for sums of at most `rank` products."""
        super().__init__(rank, data.ArrayLayout(PENT, pents_of(4 * rank)))

    def elaborate(self, platform: object) -> Module:
        """Build the datapath; a product has two pents, of which the upper one is -1, 0 or 1."""
        m = Module()
        digit, first = Multiple.of_pent(self.a), Signal()
        m.d.sync += first.eq(self.first)
        for lane in range(LANES):
            low, high = Signal(PENT, reset_less=True), Signal(signed(2), reset_less=True)
            picked = Cat(self.b[lane], digit.negative, digit.twice)
            m.d.sync += low.eq(lookup(m, picked, PENT, lambda code: (_product(code) + 2) % 5 - 2))
            m.d.sync += high.eq(lookup(m, picked, signed(2), lambda code: (_product(code) + 2) // 5))
            with m.If(digit.none):
                m.d.sync += [low.eq(0), high.eq(0)]
            sums = Signal.like(self.sums[lane], reset_less=True)
            m.d.comb += self.sums[lane].eq(sums)
            carry = Const(0, signed(1))
            for i in range(len(sums)):
                total = Signal(signed(4))
                m.d.comb += total.eq(Mux(first, 0, sums[i]) + (low, high, 0)[min(i, 2)] + carry)
                pent, carry = reduced(m, total)
                m.d.sync += sums[i].eq(pent)
        return m


def _product(code: int) -> int:
    return as_signed(code, 3) * (2 if code & 16 else 1) * (-1 if code & 8 else 1)


class ChainSums(_Sums):
    """Sums plus 22...2, in digits 0..4 added on a binary carry chain, see `chain`."""

    def __init__(self, rank: int) -> None:
        """Create accumulators for sums of at most `rank` products."""
        super().__init__(rank, data.ArrayLayout(3, pents_of(4 * rank)))

    def elaborate(self, platform: object) -> Module:
        """Build the datapath; the upper digits of a product in 5's complement are all 0 or all 4."""
        m = Module()
        digit, first = Multiple.of_pent(self.a), Signal()
        m.d.sync += first.eq(self.first)
        for lane in range(LANES):
            low, below = Signal(3, reset_less=True), Signal(reset_less=True)
            picked = Cat(self.b[lane], digit.negative, digit.twice)
            m.d.sync += low.eq(lookup(m, picked, 3, lambda code: _product(code) % 5 + chain.EXCESS))
            m.d.sync += below.eq(lookup(m, picked, 1, lambda code: _product(code) < 0))
            with m.If(digit.none):
                m.d.sync += [low.eq(chain.EXCESS), below.eq(0)]
            sums = Signal.like(self.sums[lane], reset_less=True)
            m.d.comb += self.sums[lane].eq(sums)
            before = [Mux(first, chain.BIAS, own) for own in sums]
            addend = [low, *[Cat(1, 1, below)] * (len(before) - 1)]
            m.d.sync += [own.eq(new) for own, new in zip(sums, chain.add(m, before, addend, Const(0, 1)), strict=True)]
        return m


class _BinarySums(_Sums):
    def _addends(self, m: Module) -> list[tuple[Signal, Signal]]:
        """Return for each lane the registered product as an addend and a carry-in that completes its negation."""
        digit, addends = Multiple.of_pent(self.a), []
        for lane in range(LANES):
            addend, negative = Signal(signed(_PRODUCT_BITS), reset_less=True), Signal(reset_less=True)
            m.d.sync += [addend.eq(digit.complemented(self.b[lane])), negative.eq(digit.negative)]
            with m.If(digit.none):
                m.d.sync += [addend.eq(0), negative.eq(0)]
            addends.append((addend, negative))
        return addends


class BinarySums(_BinarySums):
    """Sums in two's complement, added on the FPGA's carry chain."""

    def __init__(self, rank: int) -> None:
        """Create accumulators for sums of at most `rank` products."""
        super().__init__(rank, signed(sum_bits(rank)))

    def elaborate(self, platform: object) -> Module:
        """Build the adders."""
        m = Module()
        first = Signal()
        m.d.sync += first.eq(self.first)
        for lane, (addend, negative) in enumerate(self._addends(m)):
            value = Signal(signed(sum_bits(self.rank)), reset_less=True)
            m.d.sync += value.eq(plus(Mux(first, 0, value), addend, negative))
            m.d.comb += self.sums[lane].eq(value)
        return m


class CarrySaveSums(_BinarySums):
    """Sums in carry-save form: two binary numbers that add up to the sum, without carry propagation."""

    def __init__(self, rank: int) -> None:
        """Create accumulators for sums of at most `rank` products."""
        super().__init__(rank, data.ArrayLayout(signed(sum_bits(rank)), 2))

    def elaborate(self, platform: object) -> Module:
        """Build the 3:2 compressors."""
        m = Module()
        bits = sum_bits(self.rank)
        first = Signal()
        m.d.sync += first.eq(self.first)
        for lane, (addend, negative) in enumerate(self._addends(m)):
            sums, carries, x = (Signal(signed(bits), reset_less=True) for _ in range(3))
            m.d.comb += x.eq(addend)
            s, c = (each & (~first).replicate(bits) for each in (sums, carries))
            m.d.sync += [sums.eq(s ^ c ^ x), carries.eq(Cat(negative, (s & c | s & x | c & x)[:-1]))]
            m.d.comb += [self.sums[lane][0].eq(sums), self.sums[lane][1].eq(carries)]
        return m
