"""Arithmetic of the lanes against Python integers."""

from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

from amaranth import Cat, Module, Signal, Value, signed
from amaranth.sim import Simulator

from pentary.interpreter.words import rounded, sat, wrap
from pentary.numbers.word import PENTS, WORD_MAX, limit
from pentary_hdl.vector import arithmetic, limbs


def bits(number: int, pents: int = PENTS) -> int:
    """Return the biased digits of a number, three bits each."""
    number += 5**pents // 2
    return sum(number // 5**place % 5 << 3 * place for place in range(pents))


def simulated(m: Module, inputs: list[Signal], outputs: list[Value], cases: list[tuple[int, ...]]) -> list[list[int]]:
    """Return the outputs for each of some inputs."""
    found: list[list[int]] = []

    async def testbench(context: Any) -> None:
        for case in cases:
            for signal, value in zip(inputs, case, strict=True):
                context.set(signal, value)
            await context.delay(1e-9)
            found.append([context.get(output) for output in outputs])

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


def test_sums_shifts_and_saturation(programs: ModuleType) -> None:
    word: Callable[[Random], int] = programs.word
    rng = Random(11)
    cases = [
        (word(rng), word(rng), rng.randrange(2), rng.randrange(PENTS + 1), rng.randint(1, PENTS)) for _ in range(150)
    ]
    m = Module()
    x, y, minus = Signal(48), Signal(48), Signal()
    k, width = Signal(5), Signal(5)
    total = arithmetic.total(m, x, y, minus)
    outputs = [
        total,
        arithmetic.shifted_right(x, k),
        arithmetic.Width(m, width).saturated(total),
        arithmetic.saturated(total, 8),
    ]
    for case, found in zip(
        cases,
        simulated(m, [x, y, minus, k, width], outputs, [(bits(a), bits(b), *rest) for a, b, *rest in cases]),
        strict=True,
    ):
        a, b, subtracts, shift, pents = case
        exact = a - b if subtracts else a + b
        wanted = [bits(exact, PENTS + 1), bits(rounded(a, shift)), bits(sat(exact, pents)), bits(sat(exact, 8), 8)]
        assert found == wanted, case


def test_sums_of_limbs_are_brought_into_the_form_of_words() -> None:
    rng = Random(12)
    bounds = [limit(4) ** 2 * 16, 2 * limit(4) ** 2 * 256, 2 * limit(4) ** 2 * 16, limit(4) * 256, limit(4) ** 2 * 16]
    cases = [tuple(rng.choice((-bound, bound, rng.randint(-bound, bound))) for bound in bounds) for _ in range(150)]
    # The same with small limbs, so that the sum is often next to the greatest word, or 0.
    cases += [(*(rng.randint(-400, 400) for _ in bounds[:4]), rng.randint(-1, 1)) for _ in range(150)]
    cases += [tuple(sign * limb for limb in (312 + more, 312, 312, 312, 0)) for sign in (1, -1) for more in (0, 1)]
    m = Module()
    inputs = [Signal(limbs.shape_of(bound)) for bound in bounds]  # type: ignore[arg-type]
    found, carries, above = limbs.carried(m, *limbs.reduced(m, inputs, bounds))
    top = Signal(signed(40))
    m.d.comb += top.eq(above)
    for case, results in zip(cases, simulated(m, inputs, [*found, *carries, top], cases), strict=True):
        exact = sum(limb * limbs.UNIT**place for place, limb in enumerate(case))
        parts, handed, high = results[:4], results[4:8], results[8]
        low = sum(
            (limb - limbs.UNIT * carry) * limbs.UNIT**place
            for place, (limb, carry) in enumerate(zip(parts, handed, strict=True))
        )
        assert all(
            -512 <= limb < 512 and wrap(limb, 4) == limb - limbs.UNIT * carry
            for limb, carry in zip(parts, handed, strict=True)
        )
        assert abs(low) <= WORD_MAX and low + high * limbs.UNIT**4 == exact, case


def test_a_limb_is_the_number_of_four_digits() -> None:
    numbers = range(-limbs.GREATEST, limbs.GREATEST + 1)
    m = Module()
    digits = Signal(12)
    found = simulated(m, [digits], [limbs.limb(m, Cat(*digits))], [(bits(number, 4),) for number in numbers])
    assert found == [[number] for number in numbers]
