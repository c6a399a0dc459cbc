"""Generators with their keys and counters: a word for PRNG, the words of a pair for LRGEN."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank.layout import BLOCK_WIDTH
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import PENTS, limit
from pentary_hdl.core import word as w
from pentary_hdl.lralu.alphabet import PENTARY
from pentary_hdl.lralu.digits import PENT, WORD
from pentary_hdl.lralu.generator import Generator
from pentary_hdl.lralu.twin import LowRankParameters


def digits_in(bits: Value) -> list[Value]:
    """Return the biased digits of which a number's bits are."""
    return [bits[low : low + w.DIGIT_BITS] for low in range(0, len(bits), w.DIGIT_BITS)]


def pents_of(digits: w.Digits) -> Cat:
    """Return biased digits as the generator's pents, in two's complement."""
    return Cat((digit - w.BIAS)[: w.DIGIT_BITS] for digit in digits)


def digits_of(pents: w.Digits) -> Cat:
    """Return the generator's pents as biased digits."""
    return Cat((pent + w.BIAS)[: w.DIGIT_BITS] for pent in pents)


class Generation(wiring.Component):
    """Generators, which draw a word each at a time.

    Args:
        parameters: of the unit.

    Members:
        start: In; PRNG or LRGEN starts in this cycle.
        pair: In; with `start`, it is LRGEN.
        x, y: In; with `start`, the pair; or key and counter of PRNG.
        key: In; with `start`, KEY.
        word: Out; of PRNG, in the cycle in which it is complete.
        begin, store, words: Out; to the factors.
        waiting, finished: In; from the factors.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the generators."""
        self._parameters = parameters
        super().__init__(
            {
                "start": In(1),
                "pair": In(1),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "key": In(w.WORD),
                "word": Out(w.WORD),
                "begin": Out(1),
                "store": Out(1),
                "words": Out(WORD).array(parameters.generators),
                "waiting": In(range(parameters.generators)),
                "finished": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Load the generators, for LRGEN again until the last word of the pair is stored."""
        m = Module()
        parameters = self._parameters
        generators, cycles = parameters.generators, parameters.word_cycles
        m.submodules.generator = generator = Generator(parameters)
        one, pair, drawing, more, counts = Signal(), Signal(), Signal(), Signal(), Signal()
        # Words are stored while the next ones are drawn; the slower of the two sets the pace.
        again = generator.done if cycles >= generators else self.waiting == cycles
        m.d.comb += [
            more.eq(drawing & again & ~self.finished),
            generator.load.eq(one | pair | more),
            self.begin.eq(pair),
            self.store.eq(generator.done & drawing),
            self.word.as_value().eq(digits_of(list(generator.words[0]))),
            *(own.eq(word) for own, word in zip(self.words, generator.words, strict=True)),
        ]
        m.d.sync += [one.eq(self.start & ~self.pair), pair.eq(self.start & self.pair), counts.eq(pair | more)]
        with m.If(generator.load):
            m.d.sync += drawing.eq(~one)
        with m.If(self.finished):
            m.d.sync += drawing.eq(0)

        key = Signal(WORD, reset_less=True)
        m.d.comb += generator.key.eq(key)
        with m.If(self.start):
            m.d.sync += key.as_value().eq(pents_of(w.chosen(self.pair, list(self.key), list(self.x))))
        blocks = 2 * MAX_RANK * parameters.blocks + 2 * generators  # more are drawn than stored
        counted = next(pents for pents in range(1, BLOCK_WIDTH) if limit(pents) >= blocks)
        for number in range(generators):
            counter = Signal(WORD, name=f"counter_{number}", reset_less=True)
            m.d.comb += generator.counters[number].eq(counter)
            with m.If(counts):
                low = [counter[place] for place in range(counted)]
                for own, pent in zip(low, PENTARY.plus_constant(m, low, generators), strict=True):
                    m.d.sync += own.eq(pent)
            with m.If(self.start):
                block = Const(PENTARY.code(number, BLOCK_WIDTH), BLOCK_WIDTH * PENT.width)
                member = pents_of(list(self.x)[: PENTS - BLOCK_WIDTH])
                m.d.sync += counter.as_value().eq(Mux(self.pair, Cat(block, member), pents_of(list(self.y))))
        return m
