"""Gateware of word operations in three forms, which `research/word_form.py` measures, against Python integers."""

import random
from collections.abc import Callable, Iterator

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from forms import words
from pentary.interpreter.words import rounded, wrap
from pentary.numbers.word import PENTS, WORD_MAX, to_digits
from pentary_hdl.core import word as core

SEED = 20262
COUNT = 300
FORMS: dict[object, Callable[[int], object]] = {
    "pents": lambda number: to_digits(number).tolist(),
    "biased": lambda number: [digit + 2 for digit in to_digits(number).tolist()],
    "binary": lambda number: number,
}


def numbers() -> Iterator[int]:
    """Yield words, many of them corner cases."""
    rng = random.Random(SEED)
    print("seed", SEED)
    while True:
        power = 5 ** rng.randrange(PENTS)
        near = rng.choice((power, power // 2, power // 2 + 1, WORD_MAX, WORD_MAX - 1, 0, 1))
        yield rng.choice((near, -near, rng.randint(-WORD_MAX, WORD_MAX)))


def outputs(unit: wiring.Component, inputs: list[dict[str, object]], wait: int = 0) -> list[dict[str, object]]:
    """Return the outputs for each set of inputs, `wait` cycles later."""
    found: list[dict[str, object]] = []
    names = [name for name, member in unit.signature.members.items() if member.flow is wiring.Out]

    def value(context: object, name: str) -> object:
        read = context.get(getattr(unit, name))  # type: ignore[attr-defined]
        return read if isinstance(read, int) else list(read)

    async def testbench(context: object) -> None:
        for number in range(len(inputs) + wait):
            for name, given in inputs[min(number, len(inputs) - 1)].items():
                context.set(getattr(unit, name), given)  # type: ignore[attr-defined]
            if wait:
                await context.tick()  # type: ignore[attr-defined]
            else:
                await context.delay(1e-9)  # type: ignore[attr-defined]
            if number >= max(wait - 1, 0) and len(found) < len(inputs):
                found.append({name: value(context, name) for name in names})

    m = Module()
    m.submodules.unit = unit
    simulator = Simulator(m)
    simulator.add_clock(1e-6, if_exists=True)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


@pytest.mark.parametrize(
    ("unit", "form"), [(words.PentAdd, "pents"), (words.BiasedAdd, "biased"), (words.BinaryAdd, "binary")]
)
def test_sums_wrap_and_tell_so(unit: Callable[[], wiring.Component], form: str) -> None:
    draw, spell = numbers(), FORMS[form]
    pairs = [(next(draw), next(draw)) for _ in range(COUNT)]
    found = outputs(unit(), [{"x": spell(x), "y": spell(y)} for x, y in pairs])
    assert found == [{"z": spell(wrap(x + y)), "v": wrap(x + y) != x + y} for x, y in pairs]
    assert {bool(each["v"]) for each in found} == {False, True}


@pytest.mark.parametrize(
    ("unit", "form"),
    [
        (words.PentLess, "pents"),
        (lambda: words.PlainLess(core.WORD), "biased"),
        (lambda: words.PlainLess(words.BINARY), "binary"),
    ],
)
def test_words_are_compared(unit: Callable[[], wiring.Component], form: str) -> None:
    draw, spell = numbers(), FORMS[form]
    pairs = [(next(draw), next(draw)) for _ in range(COUNT)]
    pairs += [(x, min(x + 1, WORD_MAX)) for x, _ in pairs]
    found = outputs(unit(), [{"x": spell(x), "y": spell(y)} for x, y in pairs])
    assert [each["less"] for each in found] == [x < y for x, y in pairs]


@pytest.mark.parametrize(
    ("unit", "form"),
    [
        (words.PentShift, "pents"),
        (words.BiasedShift, "biased"),
        (words.BinaryShift, "binary"),
    ],
)
def test_words_are_shifted(unit: Callable[[], wiring.Component], form: str) -> None:
    draw, spell = numbers(), FORMS[form]
    pairs = [(next(draw), k) for _ in range(COUNT // 10) for k in range(PENTS + 1)]
    found = outputs(unit(), [{"x": spell(x), "k": k} for x, k in pairs])
    assert found == [{"z": spell(rounded(x, k)), "lost": rounded(x, k) * 5**k != x} for x, k in pairs]


def test_products_are_two_words_four_cycles_later() -> None:
    draw = numbers()
    pairs = [(next(draw), next(draw)) for _ in range(COUNT)]
    found = outputs(words.BinaryProduct(), [{"x": x, "y": y} for x, y in pairs], wait=4)
    assert found == [{"high": rounded(x * y, PENTS), "low": wrap(x * y)} for x, y in pairs]


def test_words_are_converted() -> None:
    draw, pents = numbers(), FORMS["pents"]
    drawn = [next(draw) for _ in range(COUNT)]
    assert outputs(words.ToBinary(), [{"x": pents(x)} for x in drawn]) == [{"z": x} for x in drawn]
    assert outputs(words.ToPents(), [{"x": x} for x in drawn]) == [{"z": pents(x)} for x in drawn]


def test_the_carries_of_a_digit_are_closed_under_composition() -> None:
    functions = set(words.CARRIES)
    of_digits = {tuple((total + into + 2) // 5 for into in (-1, 0, 1)) for total in range(-4, 5)}
    composed = {tuple(second[into + 1] for into in first) for first in functions for second in functions}
    assert of_digits <= functions and composed <= functions
