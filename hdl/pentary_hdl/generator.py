"""The generator: PRNG, some rounds of it in a cycle, for several counters under one key.

`architecture/randomness.md` specifies it.
"""

from amaranth import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.lralu import LowRankParameters
from pentary.prng import ROUNDS
from pentary.word import PENTS
from pentary_hdl.digits import PENT, WORD, cube, reduced

_TAPS = (0, 1, 3)


class Generator(wiring.Component):
    """One generator for every 16 lanes; all of them work in step.

    Members:
        load: begin the words of `key` and `counters`.
        words: the results, complete in the cycle in which `done` is 1, `word_cycles` cycles after `load`.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the number of generators, and of rounds in a cycle."""
        self._generators, self._rounds = parameters.generators, parameters.rounds_per_cycle
        super().__init__(
            {
                "load": In(1),
                "key": In(WORD),
                "counters": In(WORD).array(self._generators),
                "words": Out(WORD).array(self._generators),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep the key in a ring that turns by a pent a round, and the words beside it."""
        m = Module()
        cycles = ROUNDS // self._rounds
        cycle, busy = Signal(range(cycles)), Signal()
        ring = Signal(WORD, reset_less=True)
        m.d.comb += self.done.eq(busy & (cycle == cycles - 1))
        with m.If(self.load):
            m.d.sync += [cycle.eq(0), busy.eq(1)]
        with m.Elif(busy):
            m.d.sync += cycle.eq(cycle + 1)
            with m.If(self.done):
                m.d.sync += [cycle.eq(0), busy.eq(0)]

        keys = []
        for number in range(self._rounds):
            key = [ring[(i + number) % PENTS] for i in range(PENTS)]
            rounds = [1 + number + self._rounds * c for c in range(cycles)]
            for pent, part in enumerate(([r % 5 for r in rounds], [r // 5 for r in rounds])):
                total = Signal(range(-2, 7))
                m.d.comb += total.eq(key[pent] + Array(part)[cycle])
                key[pent], _ = reduced(m, total)
            keys.append(key)
        for i in range(PENTS):
            step = Signal(PENT)
            m.d.comb += step.eq(ring[(i + self._rounds) % PENTS])
            with m.If(self.load):
                m.d.sync += ring[i].eq(self.key[(i + 1) % PENTS])
            with m.Else():
                m.d.sync += ring[i].eq(step)

        for counter, word in zip(self.counters, self.words, strict=True):
            state = Signal(WORD, reset_less=True)
            rounded = [state[i] for i in range(PENTS)]
            for key in keys:
                cubes = [cube(pent) for pent in rounded]
                rounded = []
                for i in range(PENTS):
                    total = Signal(range(-8, 9))
                    m.d.comb += total.eq(sum((cubes[(3 * i + tap) % PENTS] for tap in _TAPS), start=key[i]))
                    rounded.append(reduced(m, total)[0])
            m.d.comb += [word[i].eq(rounded[i]) for i in range(PENTS)]
            for i in range(PENTS):
                total = Signal(range(-4, 5))
                m.d.comb += total.eq(self.key[i] + counter[i])
                whitened, _ = reduced(m, total)
                with m.If(self.load):
                    m.d.sync += state[i].eq(whitened)
                with m.Else():
                    m.d.sync += state[i].eq(rounded[i])
        return m
