"""The low-rank ALU with pents, trits and binary digits of 4 and 8 bits: the whole unit against Python integers."""

import math
import random
from dataclasses import dataclass, field

import pytest
from amaranth.sim import Simulator

from pentary.lowrank.operations import pquant_thresholds
from pentary_hdl.lralu.alphabet import ALPHABETS, Alphabet, Binary
from pentary_hdl.lralu.twin import OPS, LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu

PARAMETERS = LowRankParameters(max_size=32, max_rank=3, rounds_per_cycle=4)
CONTROL = {"ROWS": 0, "COLS": 1, "RANK": 2, "WIDTH": 3, "KEY": 4}
ROWS, COLS, RANK = 18, 30, 3
SEED = 7


@dataclass
class Reference:
    """Reference model of the unit in digits and Python integers."""

    alphabet: Alphabet
    factors: list = field(default_factory=list)
    sums: list = field(default_factory=list)
    width: int = 6

    def split(self, code: int) -> list[int]:
        """Return the 16 digits of a word."""
        bits = self.alphabet.bits
        digits = [code >> bits * i & (1 << bits) - 1 for i in range(16)]
        return [d - (1 << bits) if d >> bits - 1 else d for d in digits]

    def modulo(self, *digits: int) -> int:
        least = self.alphabet.least
        return (sum(digits) - least) % self.alphabet.levels + least

    def random_word(self, key: list[int], counter: list[int]) -> list[int]:
        """Return a pseudo-random word: the key is added before each of 8 rounds and after the last."""
        levels, word = self.alphabet.levels, counter
        for number in range(9):
            numbers = [number // levels**place % levels for place in range(2)] + [0] * 14
            word = [self.modulo(word[i], key[(i + number) % 16], numbers[i]) for i in range(16)]
            if number < 8:
                word = self.substituted(word)
                word = [self.modulo(*(word[(3 * i + tap) % 16] for tap in (0, 1, 3))) for i in range(16)]
        return word

    def substituted(self, word: list[int]) -> list[int]:
        bits = self.alphabet.bits
        if self.alphabet.name == "pents":
            return [self.modulo(d**3) for d in word]
        if self.alphabet.name == "trits":
            return [d if i % 2 else self.modulo(d, word[i + 1] ** 2) for i, d in enumerate(word)]
        met = [d if i % 2 else d ^ (word[i + 1] & word[(i + 3) % 16]) for i, d in enumerate(word)]
        unsigned = [d % (1 << bits) for d in met]
        return [self.modulo(u << 1 | u >> bits - 1) for u in unsigned]

    def generate(self, key: int, pair: int) -> None:
        half = 8 * self.alphabet.bits

        def vector(block: int, length: int) -> list[int]:
            counter = self.split((pair << half) + number_code(self.alphabet, block))
            return self.random_word(self.split(key), counter)[:length]

        a = [vector(2 * k, 16) + vector(2 * k + 1, ROWS - 16) for k in range(RANK)]
        b = [vector(2 * RANK + 2 * k, 16) + vector(2 * RANK + 2 * k + 1, COLS - 16) for k in range(RANK)]
        self.factors = [a, b]

    def multiply(self, row: int) -> None:
        a, b = self.factors
        self.sums = [sum(a[k][row] * b[k][j] for k in range(RANK)) for j in range(COLS)]

    def clamped(self, number: int) -> int:
        return max(self.alphabet.least, min(self.alphabet.greatest, number))

    def quantise(self) -> None:
        if isinstance(self.alphabet, Binary):
            shift = self.alphabet.shift(RANK)
            self.sums = [self.clamped(math.floor(s / 2**shift + 0.5)) for s in self.sums]
            return
        thresholds = pquant_thresholds(RANK)[: self.alphabet.greatest]
        self.sums = [math.copysign(1, s) * sum(abs(s) >= t for t in thresholds) for s in self.sums]

    def perturb(self, base: list[int], sigma: int) -> list[int]:
        """Return the top digits, rounded; ties occur only with binary digits, and are rounded up."""
        unit = 2**self.width if isinstance(self.alphabet, Binary) else self.alphabet.levels ** (self.width - 1)
        steps = [sigma * self.clamped(s) for s in self.sums]
        return [self.clamped(math.floor((b + step) / unit + 0.5)) for b, step in zip(base, steps, strict=True)]

    def accumulate(self, base: list[int], digit: int) -> list[int]:
        return [b + digit * s for b, s in zip(base, self.sums, strict=True)]


def number_code(alphabet: Alphabet, number: int) -> int:
    """Return the bits of a nonnegative number, in balanced digits or in binary."""
    if isinstance(alphabet, Binary):
        return number
    code, place = 0, 0
    while number:
        digit = (number + alphabet.greatest) % alphabet.levels - alphabet.greatest
        code |= (digit % (1 << alphabet.bits)) << place
        number, place = (number - digit) // alphabet.levels, place + alphabet.bits
    return code


def run(alphabet: Alphabet, script: list) -> list[tuple[list[int], list[int]]]:
    """Execute a script of (name, control, a, base, expected results); return pairs of actual and expected rows."""
    unit, beat_elements = LowRankAlu(PARAMETERS, alphabet), PARAMETERS.beat_elements
    rows, errors = [], []

    async def feed(ctx) -> None:
        for name, control, a, base, _ in script:
            ctx.set(unit.commands.payload, {"op": OPS[name], "control": control, "a": a % (1 << 48), "b": 0})
            ctx.set(unit.commands.valid, 1)
            await ctx.tick().until(unit.commands.ready)
            ctx.set(unit.commands.valid, 0)
            padded = base + [0] * (-len(base) % beat_elements)
            for at in range(0, len(padded), beat_elements):
                ctx.set(unit.base.payload, padded[at : at + beat_elements])
                ctx.set(unit.base.valid, 1)
                await ctx.tick().until(unit.base.ready)
                ctx.set(unit.base.valid, 0)

    async def collect(ctx) -> None:
        ctx.set(unit.responses.ready, 1)
        ctx.set(unit.results.ready, 1)
        ctx.set(unit.scalars.ready, 1)
        row = []
        while len(errors) < len(script):
            if ctx.get(unit.results.valid):
                row += [ctx.get(unit.results.payload.elements[i]) for i in range(beat_elements)]
                if ctx.get(unit.results.payload.last):
                    rows.append(row[:COLS])
                    row = []
            if ctx.get(unit.responses.valid):
                errors.append(ctx.get(unit.responses.payload.error))
            await ctx.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed, background=True)
    simulator.add_testbench(collect)
    simulator.run()
    assert not any(errors)
    return rows


@pytest.mark.parametrize("alphabet", ALPHABETS, ids=lambda alphabet: alphabet.name)
def test_the_unit_in_each_alphabet_computes_as_integers_do(alphabet):
    print("seed", SEED)
    rng, reference = random.Random(SEED), Reference(alphabet)
    key_digits = [rng.randint(alphabet.least, alphabet.greatest) for _ in range(min(16, 48 // alphabet.bits))]
    key = sum(d % (1 << alphabet.bits) << alphabet.bits * i for i, d in enumerate(key_digits))
    pair = number_code(alphabet, 5)
    script = [("LRSET", CONTROL[n], v, [], None) for n, v in (("ROWS", ROWS), ("COLS", COLS), ("RANK", RANK))]
    script += [("LRSET", CONTROL["KEY"], key, [], None), ("LRGEN", 0, pair, [], None)]
    reference.generate(key, pair)
    low, high = alphabet.widths
    for row in (0, 9, ROWS - 1):
        script.append(("LRMUL", 0, row, [], None))
        reference.multiply(row)
        for quantised in (False, True):
            if quantised:
                script.append(("PQUANT", 0, 0, [], None))
                reference.quantise()
            for width in (low, high, rng.randint(low, high)):
                script.append(("LRSET", CONTROL["WIDTH"], width, [], None))
                reference.width = width
                most = alphabet.most(width)
                sigma = rng.choice([alphabet.unit(width) // 2, -rng.randint(1, alphabet.most_sigma)])
                sigma = max(-alphabet.most_sigma, min(alphabet.most_sigma, sigma))
                base = [rng.choice([most, -most, rng.randint(-most, most)]) for _ in range(COLS)]
                script.append(("LRADD", 0, sigma, base, reference.perturb(base, sigma)))
            digit = rng.choice([alphabet.least, alphabet.greatest, rng.randint(alphabet.least, alphabet.greatest)])
            base = [rng.randint(-(10**8), 10**8) for _ in range(COLS)]
            script.append(("LRACC", 0, digit, base, reference.accumulate(base, digit)))
    expected = [step[-1] for step in script if step[-1] is not None]
    assert any(abs(level) > 0 for row in expected for level in row)
    assert run(alphabet, script) == expected


@pytest.mark.parametrize("alphabet", ALPHABETS, ids=lambda alphabet: alphabet.name)
def test_no_two_words_are_drawn_alike_from_counters_that_differ_in_a_digit(alphabet):
    """The generator is a bijection, so different inputs give different words, in which most digits change."""
    rng, reference = random.Random(SEED), Reference(alphabet)
    key = [rng.randint(alphabet.least, alphabet.greatest) for _ in range(16)]
    changed = []
    for place in range(16):
        counter = [rng.randint(alphabet.least, alphabet.greatest) for _ in range(16)]
        other = [reference.modulo(d, int(i == place)) for i, d in enumerate(counter)]
        pairs = zip(reference.random_word(key, counter), reference.random_word(key, other), strict=True)
        changed.append(sum(one != two for one, two in pairs))
    assert min(changed) > 0
    assert sum(changed) / (16 * 16) == pytest.approx(1 - 1 / alphabet.levels, abs=0.1)
