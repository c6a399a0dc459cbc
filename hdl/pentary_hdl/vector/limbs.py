"""Numbers as limbs in two's complement, each the weight of four pents: the form of products and of sums of many words.

A number is the sum of limb k times 625^k. A word has four limbs, each within ±312. Products of limbs add up without
carries between them; `reduced` and `carried` then bring the limbs back into their range, and a table gives their pents.
"""

from collections.abc import Sequence
from typing import Final

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w

PLACES: Final = 4
"""Pents of a limb."""

COUNT: Final = PENTS // PLACES
UNIT: Final = 5**PLACES
GREATEST: Final = UNIT // 2
LIMB: Final = signed(10)
"""Shape of a limb, not all of whose values are within its range."""

_LOOSE: Final = 510
"""Greatest magnitude of a limb that `carried` takes, which adds 1."""

# number * 105 / 2^16 is number / 625 but for 1.4 parts in a thousand: for 105 * 625 - 2^16 = 89.
_SHIFT: Final = 16
_EXCESS: Final = 105 * UNIT - (1 << _SHIFT)


def shape_of(bound: int) -> object:
    """Return the shape of numbers of a greatest magnitude."""
    return signed(bound.bit_length() + 1)


def limb(m: Module, bits: Value) -> Signal:
    """Return the limb of four biased digits."""

    def pair(of: Value) -> Value:
        low, high = of[: w.DIGIT_BITS], of[w.DIGIT_BITS :]
        return (low + (high << 2) + high)[:5]

    middle = 2 * w.DIGIT_BITS
    low, high = pair(bits[:middle]), pair(bits[middle:])
    result = Signal(LIMB)
    m.d.comb += result.eq(low + (high << 4) + (high << 3) + high - GREATEST)
    return result


def reduced(m: Module, numbers: Sequence[Value], bounds: Sequence[int]) -> tuple[list[Value], Value]:
    """Return four limbs that `carried` takes, and what counts 625^4, of a number.

    In each pass, a limb hands about its 625th part to the next one, and keeps the rest.

    Args:
        m: module to which it is added.
        numbers: four limbs, or five; the last one of five counts 625^4.
        bounds: greatest magnitude of each.
    """
    limbs, limits = [*numbers, *[0] * (COUNT + 1 - len(numbers))], [*bounds, *[0] * (COUNT + 1 - len(numbers))]
    while max(limits[:COUNT]) > _LOOSE:
        handed: list[Value | int] = [0]
        handed_limits = [0]
        for place in range(COUNT):
            number, limit = limbs[place], limits[place]
            if limit <= GREATEST:
                handed.append(0)
                handed_limits.append(0)
                continue
            handed_limits.append((limit * 105 + (1 << _SHIFT - 1)) >> _SHIFT)
            limits[place] = (limit * _EXCESS + (UNIT << _SHIFT - 1)) >> _SHIFT
            part, rest = Signal(shape_of(handed_limits[-1])), Signal(shape_of(limits[place]))
            seven = (number << 3) - number
            fivefold, fifteenfold = (part << 2) + part, (part << 4) - part
            m.d.comb += [
                part.eq(((seven << 4) - seven + (1 << _SHIFT - 1)) >> _SHIFT),
                rest.eq(number - ((fivefold << 7) - fifteenfold)),
            ]
            handed.append(part)
            limbs[place] = rest
        for place, (part, limit) in enumerate(zip(handed, handed_limits, strict=True)):
            if limit:
                limits[place] += limit
                total = Signal(shape_of(limits[place]))
                m.d.comb += total.eq(limbs[place] + part)
                limbs[place] = total
    return limbs[:COUNT], limbs[COUNT]


def carried(m: Module, limbs: Sequence[Value], above: Value) -> tuple[list[Signal], list[Value], Value]:
    """Return four limbs with the carries of those below, their own carries, and what counts 625^4.

    Args:
        m: module to which it is added.
        limbs: of magnitudes below 936.
        above: what counts 625^4 already.

    Returns:
        Limbs, each of which is 625 times its carry too great; their carries, -1, 0 or 1; the sum of `above` and the
        last carry.
    """
    found, carries = [], []
    carry: Value | int = 0
    for number in limbs:
        total, own = Signal(signed(11)), Signal(signed(2))
        m.d.comb += [
            total.eq(number + carry),
            own.eq(Mux(total > GREATEST, 1, Mux(total < -GREATEST, -1, 0))),
        ]
        found.append(total)
        carries.append(own)
        carry = own
    return found, carries, above + carry


class Digits(wiring.Component):
    """Table of the digits of limbs, as block memory, for one word.

    Members:
        limbs: In; what is above or below the range of a limb is wrapped.
        digits: Out; four biased digits of each, in the next cycle.
    """

    limbs: In(LIMB).array(COUNT)
    digits: Out(data.ArrayLayout(w.DIGIT, PLACES)).array(COUNT)

    def elaborate(self, platform: object) -> Module:
        """Create the memory."""
        m = Module()
        size = 1 << LIMB.width
        numbers = [(number + size // 2) % size - size // 2 for number in range(size)]  # of each address
        wrapped = [(number + GREATEST) % UNIT - GREATEST for number in numbers]
        content = [sum(d << w.DIGIT_BITS * i for i, d in enumerate(w.biased(n, PLACES))) for n in wrapped]
        m.submodules.table = table = memory.Memory(shape=PLACES * w.DIGIT_BITS, depth=size, init=content)
        for number, digits in zip(self.limbs, self.digits, strict=True):
            port = table.read_port()
            m.d.comb += [port.addr.eq(number), digits.as_value().eq(port.data)]
        return m
