"""The vector unit in Verilator: values against the interpreter, cycles against the rules of pipeline.md."""

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random
from types import ModuleType

import pytest

from pentary.isa.table import MAX_VL, VECTORS
from pentary.numbers.word import PENTS, WORD_MAX, limit

Checked = Callable[..., Counter[str]]

LANES = 16
LENGTHS = (1, 2, LANES - 1, LANES, LANES + 1, 50, MAX_VL)


def loads(programs: ModuleType, rng: Random, lanes: int = LANES, registers: int = VECTORS) -> list:
    return [programs.load(rng, lanes, number) for number in range(registers)]


@pytest.mark.parametrize("registers", [4, VECTORS])
def test_random_programs(programs: ModuleType, checked: Checked, registers: int) -> None:
    seed = f"vector {registers}"
    print("seed", seed)
    rng = Random(seed)
    found = checked([*loads(programs, rng), *programs.random_program(rng, LANES, 500, registers)])
    assert all(found[name] and found[f"{name} waits"] for name in programs.NAMES) and found["unit queue full"]


def test_instructions_that_use_the_register_of_the_one_before(programs: ModuleType, checked: Checked) -> None:
    """Each after each, with sources and destinations the same: reads after writes, writes after reads and writes."""
    seed = "pairs"
    print("seed", seed)
    rng = Random(seed)
    program = loads(programs, rng, registers=3)
    for first, second in product([*programs.NAMES, *programs.MOVES], repeat=2):
        vl = rng.choice(LENGTHS)
        for name in (first, second):
            if name in programs.MOVES:
                number = rng.randrange(3)
                program.append(
                    programs.load(rng, LANES, number, vl) if name == "LOAD" else programs.store(LANES, number, vl)
                )
            else:
                program.append(programs.instruction(rng, name, vl, registers=3))
    checked([*program, *programs.ending(LANES, 3)])


def test_results_for_two_scalar_registers_in_one_cycle(programs: ModuleType, checked: Checked) -> None:
    do = programs.Do
    depth = LANES.bit_length() - 1
    program = [*loads(programs, Random(1), registers=2)]
    for name in ("VSUM", "VMAX"):
        program += [do(name, 1, d=3, a=1), *(do("VGET", 1, d=4 + n, a=1, y=0) for n in range(depth + 3))]
    assert checked(program)["two results"] >= 2


def test_groups_of_every_size_in_vectors_of_every_length(programs: ModuleType, checked: Checked) -> None:
    rng = Random("pool")
    program = loads(programs, rng, registers=2)
    for w, vl in product(range(1, PENTS + 1), (1, 15, 16, 17, 33, 100, 255, MAX_VL)):
        program += [programs.Do("POOL", vl, d=2, a=rng.randrange(2), i=w), programs.store(LANES, 2)]
    for w in (1, 3, 16):
        program += [programs.load(rng, LANES, 3), programs.Do("POOL", d=3, a=3, i=w), programs.store(LANES, 3)]
    checked(program)


def test_convolutions_with_every_number_of_taps(programs: ModuleType, checked: Checked) -> None:
    rng = Random("convolution")
    program = loads(programs, rng, registers=4)
    for w, vl in product(range(1, PENTS + 1), (1, 16, 17, 40)):
        taps, source = rng.sample(range(4), 2)
        program += [programs.Do("CONV", vl, d=4, a=source, b=taps, i=w), programs.store(LANES, 4, vl)]
    for source, taps in ((0, 1), (1, 0), (0, 0)):  # the result replaces what it is made of
        program += [programs.Do("CONV", d=0, a=source, b=taps, i=5), programs.store(LANES, 0)]
    checked(program)


def test_extreme_words(programs: ModuleType, checked: Checked) -> None:
    """Sums and products of the greatest magnitudes, with every sign, and those next to where they saturate."""
    do, load = programs.Do, programs.load
    rng = Random(3)
    program = []
    edge = limit(8)
    for one, two in product((WORD_MAX, -WORD_MAX, WORD_MAX - 1), (WORD_MAX, -WORD_MAX, edge, -edge - 1, edge + 1)):
        for number, words in enumerate(([one] * MAX_VL, [two] * MAX_VL)):
            program.append(load(rng, LANES, number))
            program[-1].words = words
        program += [do(name, 40, d=2 + n, a=0, b=1) for n, name in enumerate(("VADD", "VSUB", "VMUL", "VCMP"))]
        program += [do("CONV", 40, d=6, a=0, b=1, i=16), do("VADDS", 40, d=7, a=0, b=1, y=two)]
        program += [do("VSUM", d=1, a=0), do("VMAX", d=2, a=1), do("POPEVAL", d=0, a=0, b=1)]
        program += [programs.store(LANES, number, 40) for number in range(2, VECTORS)]
        program += [do("POPEVAL", d=1, a=0, b=1), do("FITGET", d=4, a=1)]
    checked([*program, do("FITGET", d=3, a=0), do("FITGET", d=3, a=0)])


def test_elements_past_the_length_become_0_and_those_that_are_kept_stay(programs: ModuleType, checked: Checked) -> None:
    do = programs.Do
    program = []
    for vl in (1, 15, 16, 17, 100):
        program += loads(programs, Random(vl), registers=3)
        program += [
            do("VADD", vl, d=0, a=0, b=1),
            do("VSET", d=0, a=1, b=2, x=200, y=-77),
            do("VGET", d=9, a=0, b=1, y=200),
        ]
        program += [programs.store(LANES, 0), do("VSEL", vl, d=1, a=2, b=0), programs.store(LANES, 1)]
        program += [do("VSEL", 60, d=0, a=1, b=2), programs.store(LANES, 0)]
    checked(program)


@pytest.mark.slow
@pytest.mark.parametrize("lanes, queue, length", [(16, 1, 2000), (16, 64, 2000), (64, 4, 3000), (256, 2, 1500)])
def test_long_random_programs_on_other_machines(
    programs: ModuleType, checked: Checked, lanes: int, queue: int, length: int
) -> None:
    seed = f"vector {lanes} {queue}"
    print("seed", seed)
    rng = Random(seed)
    for registers in (3, VECTORS):
        program = [*loads(programs, rng, lanes), *programs.random_program(rng, lanes, length, registers)]
        for w, vl in product(range(1, PENTS + 1), (1, lanes - 1, lanes, MAX_VL)):
            program += [programs.Do("POOL", vl, d=2, a=0, i=w), programs.store(lanes, 2)]
        checked(program, lanes, queue)
