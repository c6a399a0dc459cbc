"""Generator: PRNG with one or more rounds a cycle, for several counters under one key.

`architecture/randomness.md` specifies it: the key is added to the counter, then each round cubes and mixes the pents
and adds its round key. Here a round key is added at the beginning of the next round instead, and the last one in a
cycle of its own, in which the next counter can be loaded: so the first addition takes no extra cycle.
"""

from amaranth import Array, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank.generator import ROUNDS
from pentary.numbers.word import PENTS
from pentary_hdl.lralu.alphabet import PENTARY, Alphabet
from pentary_hdl.lralu.twin import LowRankParameters

_TAPS = (0, 1, 3)


class Generator(wiring.Component):
    """Generators in lockstep, one for every 16 lanes.

    Members:
        load: In, load `key` and `counters` and start their words.
        key, counters: In, with `load`.
        words: Out, the results, valid in the cycle in which `done` is 1.
        done: Out, `word_cycles` cycles after `load`.
        finishing: Out, `done` will be 1 in the next cycle.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Create generators for the given parameters and alphabet of the digits."""
        self._alphabet = alphabet
        self._generators, self._rounds = parameters.generators, parameters.rounds_per_cycle
        super().__init__(
            {
                "load": In(1),
                "key": In(alphabet.word),
                "counters": In(alphabet.word).array(self._generators),
                "words": Out(alphabet.word).array(self._generators),
                "done": Out(1),
                "finishing": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Rotate the key by one digit a round, and apply the rounds to each word."""
        m = Module()
        cycles = ROUNDS // self._rounds
        cycle, busy, done = Signal(range(cycles + 1)), Signal(), Signal()
        m.d.comb += [self.done.eq(done), self.finishing.eq(busy & ~done & (cycle >= cycles - 1))]
        m.d.sync += done.eq(self.finishing)
        with m.If(self.load):
            m.d.sync += [cycle.eq(0), busy.eq(1), done.eq(0)]
        with m.Elif(busy):
            m.d.sync += [cycle.eq(cycle + 1), busy.eq(~done)]

        ring = Signal(self._alphabet.word, reset_less=True)
        keys = [self._key(m, ring, cycle, number) for number in range(self._rounds)]
        for i in range(PENTS):
            with m.If(self.load):
                m.d.sync += ring[i].eq(self.key[i])
            with m.Elif(busy):
                m.d.sync += ring[i].eq(ring[(i + self._rounds) % PENTS])

        for counter, word in zip(self.counters, self.words, strict=True):
            state = Signal(self._alphabet.word, reset_less=True)
            following = [state[i] for i in range(PENTS)]
            for number, key in enumerate(keys):
                added = [self._alphabet.modulo(m, pent, part) for pent, part in zip(following, key, strict=True)]
                if number == 0:
                    m.d.comb += [word[i].eq(pent) for i, pent in enumerate(added)]
                cubes = self._alphabet.substitute(m, added)
                mixed = [[cubes[(3 * i + tap) % PENTS] for tap in _TAPS] for i in range(PENTS)]
                following = [self._alphabet.modulo(m, *digits) for digits in mixed]
            for i in range(PENTS):
                with m.If(self.load):
                    m.d.sync += state[i].eq(counter[i])
                with m.Elif(busy):
                    m.d.sync += state[i].eq(following[i])
        return m

    def _key(self, m: Module, ring: Value, cycle: Value, number: int) -> list[Value]:
        """Return round key `number` of this cycle: the rotated key, with the round index added to its lowest digits."""
        key: list[Value] = [ring[(i + number) % PENTS] for i in range(PENTS)]
        rounds = [number + self._rounds * at for at in range(ROUNDS // self._rounds + 1)]
        levels = self._alphabet.levels
        places = next(n for n in range(1, PENTS) if levels**n > ROUNDS)
        for place in range(places):
            constant = Signal(self._alphabet.digit)
            m.d.comb += constant.eq(Array(self._alphabet.centred(r // levels**place) for r in rounds)[cycle])
            key[place] = self._alphabet.modulo(m, key[place], constant)
        return key
