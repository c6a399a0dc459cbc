"""Gateware in the number representations measured by `research/number_form.py`, against Python integers."""

import random

import pytest
from amaranth import Module
from amaranth.sim import Simulator

from forms import LANES
from forms.chain import BIAS
from forms.conversions import ToBinary, ToPents
from forms.latents import BinaryPerturb, ChainPerturb, RipplePerturb
from forms.levels import BinaryLevels, CarrySaveLevels, ChainLevels, PentLevels
from forms.sums import BinarySums, CarrySaveSums, ChainSums, PentSums
from pentary.interpreter.words import rounded, sat
from pentary.isa.table import OPERAND
from pentary.lowrank.operations import pquant_thresholds
from pentary.numbers.word import from_digits, limit, to_digits

SEED = 20261
RANKS = (8, 64)
PERIOD = 1e-6


def pents(number: int, length: int) -> list[int]:
    digits = to_digits(number).tolist()
    assert not any(digits[length:])
    return digits[:length]


def simulate(unit, testbench) -> None:
    m = Module()
    m.submodules.unit = unit
    simulator = Simulator(m)
    simulator.add_clock(PERIOD, if_exists=True)
    simulator.add_testbench(testbench)
    simulator.run()


def decode_sum(unit, value) -> int:
    """Return the value of a lane's sum."""
    match unit:
        case PentSums():
            return from_digits([*value]).item()
        case ChainSums():
            return from_digits([digit - BIAS for digit in value]).item()
        case CarrySaveSums():
            half = 4 * unit.rank
            bits = half.bit_length() + 1
            return (value[0] + value[1] + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    return value


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("form", [PentSums, ChainSums, CarrySaveSums, BinarySums])
def test_sums(form, rank):
    print("seed", SEED)
    random_ = random.Random(SEED)
    unit = form(rank)

    async def testbench(context):
        for kind in range(6):
            # The first lane has the largest sums, of both signs; the others have random sums.
            edge = (2, -2)[kind % 2]
            sums = [0] * LANES
            for term in range(rank):
                a = 2 if kind < 2 else random_.randint(-2, 2)
                b = [edge if kind < 2 else random_.randint(-2, 2)] + [random_.randint(-2, 2) for _ in range(LANES - 1)]
                context.set(unit.first, term == 0)
                context.set(unit.a, a)
                context.set(unit.b, b)
                await context.tick()
                sums = [s + a * each for s, each in zip(sums, b, strict=True)]
            context.set(unit.first, 1)
            await context.tick()
            assert [decode_sum(unit, each) for each in context.get(unit.sums)] == sums

    simulate(unit, testbench)


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("form", [PentLevels, ChainLevels, CarrySaveLevels, BinaryLevels])
def test_levels_of_every_sum(form, rank):
    unit = form(rank)
    one, two = pquant_thresholds(rank)
    sums = list(range(-4 * rank, 4 * rank + 1))
    sums += [0] * (-len(sums) % LANES)
    random_ = random.Random(SEED)
    print("seed", SEED)

    def encode(number: int):
        if form is PentLevels:
            return pents(number, unit.pents)
        if form is ChainLevels:
            return [pent + BIAS for pent in pents(number, unit.pents)]
        if form is BinaryLevels:
            return number
        carries = random_.randrange(1 << unit.bits)
        return [((number - carries + (1 << unit.bits - 1)) % (1 << unit.bits)) - (1 << unit.bits - 1), signed(carries)]

    def signed(number: int) -> int:
        return number - (1 << unit.bits) if number >> unit.bits - 1 else number

    async def testbench(context):
        for name, values in unit.thresholds(one, two).items():
            context.set(getattr(unit, name), values)
        for start in range(0, len(sums), LANES):
            part = sums[start : start + LANES]
            context.set(unit.sums, [encode(number) for number in part])
            await context.delay(2 * PERIOD)
            expected = [((abs(s) >= one) + (abs(s) >= two)) * (1 if s > 0 else -1) for s in part]
            assert list(context.get(unit.levels)) == expected

    simulate(unit, testbench)


@pytest.mark.parametrize("form", [RipplePerturb, ChainPerturb, BinaryPerturb])
def test_perturbed_latent_words(form):
    print("seed", SEED)
    random_ = random.Random(SEED)
    unit = form()
    edge = limit(OPERAND)

    def word(number: int):
        if form is BinaryPerturb:
            return number
        return [pent + (BIAS if form is ChainPerturb else 0) for pent in pents(number, OPERAND)]

    def near_middles(width: int, step: int) -> list[int]:
        middles = [multiple * 5 ** (width - 1) // 2 for multiple in (-5, -3, -1, 1, 3, 5)]
        return [m + off - step for m in middles for off in (-1, 0, 1, 2) if abs(m + off - step) <= edge]

    async def testbench(context):
        for _ in range(60):
            width = random_.randint(2, 8)
            sigma = random_.choice([edge, -edge, 0, 1, -1, random_.randint(-edge, edge), random_.randint(-99, 99)])
            levels = [random_.randint(-2, 2) for _ in range(LANES)]
            latents = [
                random_.choice([*near_middles(width, sigma * level), random_.randint(-edge, edge), edge, -edge])
                for level in levels
            ]
            context.set(unit.width, width)
            context.set(unit.sigma, sigma if form is BinaryPerturb else pents(sigma, OPERAND))
            await context.tick()
            context.set(unit.latents, [word(latent) for latent in latents])
            context.set(unit.levels, levels)
            await context.tick().repeat(2)
            expected = [
                rounded(sat(latent + sigma * level, width), width - 1)
                for latent, level in zip(latents, levels, strict=True)
            ]
            assert list(context.get(unit.results)) == expected

    simulate(unit, testbench)


@pytest.mark.parametrize("form", [ToBinary, ToPents])
def test_conversions(form):
    print("seed", SEED)
    random_ = random.Random(SEED)
    unit = form()
    edge = limit(OPERAND)

    async def testbench(context):
        for _ in range(40):
            numbers = [random_.choice([edge, -edge, random_.randint(-edge, edge)]) for _ in range(LANES)]
            words = [pents(number, OPERAND) for number in numbers]
            if form is ToBinary:
                context.set(unit.words, words)
                await context.delay(2 * PERIOD)
                assert list(context.get(unit.numbers)) == numbers
            else:
                context.set(unit.numbers, numbers)
                await context.delay(2 * PERIOD)
                assert [list(word) for word in context.get(unit.words)] == words

    simulate(unit, testbench)
