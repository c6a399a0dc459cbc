"""The core's divider against Python's integers."""

from random import Random
from typing import Any

from amaranth import Module
from amaranth.sim import Simulator

from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.core.divider import CYCLES, Divider

CORNERS = (1, 2, 3, 4, 5, 6, WORD_MAX, WORD_MAX - 1, WORD_MAX // 2, WORD_MAX // 2 + 1, WORD_MAX // 3, WORD_MAX // 5)


def number_of(digits: Any) -> int:
    """Return the number of some biased digits."""
    return sum((digit - w.BIAS) * 5**place for place, digit in enumerate(digits))


def numbers(rng: Random) -> int:
    """Return a number of any length, often a corner case."""
    power = 5 ** rng.randrange(PENTS)
    near = rng.choice((*CORNERS, power, power // 2, power // 2 + 1, rng.randint(1, power)))
    return rng.choice((near, -near, rng.randint(-WORD_MAX, WORD_MAX) or 1))


def divide(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return quotients and remainders, and check that they come in the last cycle and no other."""
    unit, found = Divider(), []

    async def testbench(context: Any) -> None:
        for x, y in pairs:
            context.set(unit.x, w.biased(x))
            context.set(unit.y, w.biased(y))
            context.set(unit.start, 1)
            assert not context.get(unit.done)
            await context.tick()
            context.set(unit.start, 0)
            context.set(unit.x, w.biased(0))
            context.set(unit.y, w.biased(0))
            for _ in range(CYCLES - 2):
                assert not context.get(unit.done)
                await context.tick()
            assert context.get(unit.done)
            found.append((number_of(context.get(unit.quotient)), number_of(context.get(unit.remainder))))
            await context.tick()

    m = Module()
    m.submodules.unit = unit
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


def exact(x: int, y: int) -> tuple[int, int]:
    """Return quotient, towards zero, and remainder."""
    quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    return quotient, x - y * quotient


def test_random_and_corner_cases() -> None:
    seed = "divider"
    print("seed", seed)
    rng = Random(seed)
    pairs = [(numbers(rng), numbers(rng)) for _ in range(60)]
    for _ in range(10):  # near a multiple, and halfway between two
        y = rng.choice((1, -1)) * rng.randint(1, 5 ** rng.randint(1, PENTS - 1))
        middle = rng.randint(-(WORD_MAX // abs(y)), WORD_MAX // abs(y)) * y
        pairs += [(max(-WORD_MAX, min(WORD_MAX, middle + near)), y) for near in (-1, 0, 1, y // 2)]
    assert divide(pairs) == [exact(x, y) for x, y in pairs]


def test_extremes() -> None:
    pairs = [(x, y) for x in (WORD_MAX, 0, 1) for y in CORNERS]
    pairs = [(x if place % 3 else -x, y if place % 2 else -y) for place, (x, y) in enumerate(pairs)]
    assert divide(pairs) == [exact(x, y) for x, y in pairs]


def test_small_numbers() -> None:
    pairs = [(x, y if (x + y) % 2 else -y) for y in range(1, 6) for x in range(-12, 13)]
    assert divide(pairs) == [exact(x, y) for x, y in pairs]
