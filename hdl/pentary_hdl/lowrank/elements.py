"""Elements of a beat of LRADD, LRACC and POPAVG: a word, saturated, plus a binary number, in biased digits.

Tables in block memory have the digits of the binary number, in three parts. So what is added takes two carry chains
after each other, and the division by 5^(WIDTH - 1) is the choice of a digit.
"""

from itertools import pairwise
from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import CONTROLS, OPERAND, TOTAL
from pentary.numbers.word import PENTS
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.lowrank import bounds
from pentary_hdl.lowrank.factors import NEVER_BOTH
from pentary_hdl.lowrank.generation import digits_in, pents_of
from pentary_hdl.lralu.digits import PENT, Multiple
from pentary_hdl.lralu.twin import LATENT_BITS, LowRankParameters
from pentary_hdl.lralu.update import STEP_BITS
from pentary_hdl.vector.arithmetic import WORD_BITS, Width, nothing, picked, plus, saturated, widened

_PART: Final = 9
"""Bits of a part; the number has three."""

_PARTS: Final = 3
_AGES: Final = 4
"""Cycles for which a word waits for what is added."""

_WIDEST: Final = CONTROLS["WIDTH"][1]
_ADDEND: Final = bounds.shape_of(bounds.ADDEND)

assert _ADDEND.width <= _PART * _PARTS and _ADDEND.width > STEP_BITS


class Digits(wiring.Component):
    """Tables of the plain digits of binary numbers; `core.conversion` tells what these are.

    Args:
        count: how many numbers.

    Members:
        numbers: In; in two's complement.
        parts: Out; for each number, in the next cycle, words of digits that add up to it, modulo 5^16.
    """

    def __init__(self, count: int) -> None:
        """Create the tables."""
        super().__init__({"numbers": In(_ADDEND).array(count), "parts": Out(unsigned(WORD_BITS)).array(count, _PARTS)})

    def elaborate(self, platform: object) -> Module:
        """Create a table for each part, of which the highest has the sign."""
        m = Module()
        for part in range(_PARTS):
            size, low = 1 << _PART, part * _PART
            signs = size >> 1 if part == _PARTS - 1 else size
            values = [(n if n < signs else n - size) << low for n in range(size)]
            content = [_plain(value) for value in values]
            width = max(line.bit_length() for line in content)
            m.submodules[f"part_{part}"] = table = memory.Memory(shape=width, depth=size, init=content)
            for number, parts in zip(self.numbers, self.parts, strict=True):
                port = table.read_port()
                m.d.comb += [port.addr.eq(number[low:]), parts[part].eq(port.data)]
        return m


def _plain(number: int) -> int:
    """Return the bits of the plain digits of a number, modulo 5^16."""
    return sum(number // 5**place % 5 << w.DIGIT_BITS * place for place in range(PENTS))


class Elements(wiring.Component):
    """Elements of a beat; what belongs to it comes at different ages.

    Args:
        parameters: of the unit.

    Members:
        operand: In; at age 0: rt.
        words: In; at age 1: elements of vs.
        latents: In; at age 1: of LRADD or POPAVG: words and rt are saturated to 8 pents, else to 12 and to one.
        perturbs, accumulates: In; at age 5: of LRADD, of LRACC, else of POPAVG.
        values, levels: In; at age 5: of `sums.Sums`.
        steps, round_up: In; at age 5: of `steps.Steps`.
        weighs: In; at age 8: keep the highest pent of the width.
        width: In; at age 8: to which the results saturate.
        results: Out; at age 8.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the elements."""
        self._count = count = parameters.beat_elements
        super().__init__(
            {
                "operand": In(w.WORD),
                "words": In(w.WORD).array(count),
                "latents": In(1),
                "perturbs": In(1),
                "accumulates": In(1),
                "values": In(bounds.shape_of(bounds.SUM)).array(count),
                "levels": In(PENT).array(count),
                "steps": In(signed(STEP_BITS)).array(count),
                "round_up": In(count),
                "weighs": In(1),
                "width": In(range(PENTS + 1)),
                "results": Out(w.WORD).array(count),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep the words, look up the digits of the addends, add and saturate."""
        m = Module()
        m.submodules.digits = digits = Digits(self._count)
        now = Signal(range(2 * _AGES))
        m.d.sync += now.eq(now + 1)
        width, top = Width(m, self.width), Signal(range(_WIDEST))
        m.d.comb += top.eq(self.width - 1)
        operand = self._operand(m)
        by_operand = Multiple.of_pent(operand[: PENT.width].as_signed())
        for place in range(self._count):
            base = self._kept(m, place, now)
            by_level, step = Multiple.of_pent(self.levels[place]), Multiple(Const(0, 1), Const(0, 1), Const(0, 1))
            chosen = Multiple(
                *(
                    Mux(self.perturbs, of_level, Mux(self.accumulates, of_operand, of_step))
                    for of_level, of_operand, of_step in zip(
                        *(vars(each).values() for each in (by_level, by_operand, step)), strict=True
                    )
                )
            )
            number, carry = Signal(bounds.shape_of(bounds.SUM), name=f"number_{place}"), Signal(name=f"carry_{place}")
            m.d.comb += [
                number.eq(Mux(self.perturbs, operand, Mux(self.accumulates, self.values[place], self.steps[place]))),
                digits.numbers[place].eq(Mux(chosen.none, 0, chosen.complemented(number).as_signed())),
            ]
            m.d.sync += carry.eq(Mux(self.perturbs | self.accumulates, chosen.negative, self.round_up[place]))

            low, middle, high = digits.parts[place]
            below, above, total = (Signal(WORD_BITS, name=f"{name}_{place}") for name in ("below", "above", "total"))
            m.d.sync += [
                below.eq(plus(m, low, middle, carry)),
                above.eq(plus(m, base, high)),
                total.eq(plus(m, above, below)),
            ]
            word = width.saturated(widened(total))
            pent = picked([word.word_select(n, w.DIGIT_BITS) for n in range(_WIDEST)], top)
            weight = Cat(pent, nothing(WORD_BITS - w.DIGIT_BITS))
            m.d.comb += self.results[place].as_value().eq(Mux(self.weighs, weight, word))
        return m

    def _operand(self, m: Module) -> Value:
        """Return sigma in binary, or the pent of LRACC, at age 5."""
        digits = Signal(OPERAND * w.DIGIT_BITS)
        operands = [Signal(signed(LATENT_BITS), name=f"operand_{age}") for age in range(2, 6)]
        sigma, pent = conversion.to_binary(m, digits_in(digits)), pents_of([saturated(digits, 1)]).as_signed()
        m.d.sync += [
            digits.eq(saturated(self.operand.as_value(), OPERAND)),
            operands[0].eq(Mux(self.latents, sigma, pent)),
            *(after.eq(before) for before, after in pairwise(operands)),
        ]
        return operands[-1]

    def _kept(self, m: Module, place: int, now: Value) -> Value:
        """Return the saturated word of age 1 at age 6."""
        word = self.words[place].as_value()
        operand, total = saturated(word, OPERAND), saturated(word, TOTAL)
        bits = TOTAL * w.DIGIT_BITS
        m.submodules[f"kept_{place}"] = kept = memory.Memory(shape=bits, depth=2 * _AGES, init=[], attrs=NEVER_BOTH)
        writes, reads = kept.write_port(), kept.read_port()
        m.d.comb += [
            writes.en.eq(1),
            writes.addr.eq(now),
            writes.data.eq(Mux(self.latents, Cat(operand, nothing(bits - len(operand))), total)),
            reads.addr.eq(now ^ _AGES),
        ]
        return Cat(reads.data, nothing(WORD_BITS - bits))
