"""Properties of the generator: components with an output `holds`, to be proved 1."""

from collections.abc import Callable

from amaranth import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank.generator import ROUNDS
from pentary.numbers.word import PENTS
from pentary_hdl.formal.arithmetic import are_pents, is_pent
from pentary_hdl.lralu.digits import PENT, WORD, cube, reduced
from pentary_hdl.lralu.generator import Generator
from pentary_hdl.lralu.twin import LowRankParameters

_TAPS = (0, 1, 3)
"""Pent j after the mix is the sum of pents 3j + tap."""


class _Generated(wiring.Component):
    """Base class: one generator with a single round a cycle, so that the word after each round is visible."""

    def __init__(self) -> None:
        super().__init__(
            {"load": In(1), "key": In(WORD), "counter": In(WORD), "word": Out(WORD), "done": Out(1), "holds": Out(1)}
        )

    def _module(self) -> tuple[Module, Signal, Signal]:
        """Return the module, whether a word is being computed, and the number of rounds done since the load."""
        m = Module()
        m.submodules.generator = unit = Generator(LowRankParameters(rounds_per_cycle=1))
        m.d.comb += [unit.load.eq(self.load), unit.key.eq(self.key), unit.counters[0].eq(self.counter)]
        m.d.comb += [Value.cast(self.word).eq(Value.cast(unit.words[0])), self.done.eq(unit.done)]
        working, number = Signal(), Signal(range(ROUNDS + 2))
        with m.If(self.load):
            m.d.sync += [working.eq(1), number.eq(0)]
        with m.Elif(working):
            m.d.sync += [working.eq(number < ROUNDS), number.eq(number + 1)]
        return m, working, number


class Rounds(_Generated):
    """Correctness of every round, and so of the whole word, for every key and counter.

    The first word is the sum of key and counter, pent by pent modulo 5. Pent j of the next word is the sum modulo 5 of
    the cubes of pents 3j, 3j + 1 and 3j + 3 and of pent j of the round key, which is the key rotated by the index of
    the round, plus that index. All cells are look-up tables computed with Python integers here.
    """

    def elaborate(self, platform: object) -> Module:
        """Compare the generator with the specified rounds, computed beside it."""
        m, working, number = self._module()
        key, mixed, word = Signal(WORD, reset_less=True), Signal(WORD, reset_less=True), Signal(WORD)
        given = Signal()
        with m.If(self.load):
            m.d.sync += [
                given.eq(are_pents(self.key) & are_pents(self.counter)),
                key.eq(self.key),
                mixed.eq(self.counter),
            ]
        for i in range(PENTS):
            total = key[i] + mixed[i]
            if i < 2:
                total = total + Array((r % 5, r // 5)[i] for r in range(PENTS))[number]
            m.d.comb += word[i].eq(_of(_residue, total))
            with m.If(working & ~self.load):
                m.d.sync += key[i].eq(key[(i + 1) % PENTS])
                m.d.sync += mixed[i].eq(_of(_residue, sum(_of(_cube, word[(3 * i + tap) % PENTS]) for tap in _TAPS)))
        m.d.comb += self.holds.eq(~working | ~given | (Value.cast(self.word) == Value.cast(word)))
        return m


class Recovery(_Generated):
    """From any state, a load leads to `done` exactly when the last key is added, and the word's codes are pents."""

    SETTLED = ROUNDS + 2

    def elaborate(self, platform: object) -> Module:
        """Check `done` and the codes of the word."""
        m, working, number = self._module()
        m.d.comb += self.holds.eq((self.done == (working & (number == ROUNDS))) & are_pents(self.word))
        return m


class Bijection(wiring.Component):
    """Injectivity of a round: the cube is its own inverse, and the mix maps only the zero word to zero.

    The mix is linear, so it is injective if its kernel is zero. Adding a key is undone by subtracting it. As the number
    of words is finite, an injective round is a bijection: every state of the generator has exactly one predecessor.
    """

    def __init__(self) -> None:
        """Create the property, which has no parameters."""
        super().__init__({"word": In(WORD), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Apply the generator's cells to a word."""
        m = Module()
        mixed, cubed = [], []
        for i, pent in enumerate(self.word):
            total = Signal(range(-6, 7))
            m.d.comb += total.eq(sum(self.word[(3 * i + tap) % PENTS] for tap in _TAPS))
            mixed.append(reduced(m, total)[0])
            cubed.append((cube(cube(pent)) == pent) & is_pent(cube(pent)))
        becomes_zero, is_zero = ~Cat(mixed).any(), ~Value.cast(self.word).any()
        m.d.comb += self.holds.eq(~are_pents(self.word) | Cat(cubed).all() & (~becomes_zero | is_zero))
        return m


def _residue(number: int) -> int:
    return (number + 2) % 5 - 2


def _cube(number: int) -> int:
    return _residue(number**3)


def _of(function: Callable[[int], int], number: Value) -> Value:
    """Return a function of a small signed number, as a look-up table."""
    half = 1 << len(number) - 1
    table = [Const(function(value), PENT) for value in [*range(half), *range(-half, 0)]]
    return Array(table)[number.as_unsigned()]
