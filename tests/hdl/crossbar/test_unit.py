"""The crossbar in Verilator beside the vector unit: values against the interpreter, cycles against pipeline.md."""

from collections import Counter
from collections.abc import Callable
from random import Random
from types import ModuleType

import pytest

from pentary.isa.table import MAX_VL, VECTORS
from pentary.numbers.word import WORD_MAX
from pentary_hdl.crossbar.port import Shape

Checked = Callable[..., Counter[str]]

LANES = 16
NAMES = ("LOADX", "MATVEC")
LENGTHS = (1, 15, 16, 17, 127, 128, 129, 200, MAX_VL)


def devices(programs: ModuleType, rng: Random, rows: int = MAX_VL) -> list:
    """Return instructions that load rows with random levels."""
    program = []
    for row in rng.sample(range(MAX_VL), rows):
        if not program or rng.random() < 0.3:
            program.append(programs.Do("LOAD", d=0, words=[rng.randint(-3, 3) for _ in range(MAX_VL)], beats=16))
        program.append(programs.Do("LOADX", a=0, y=row))
    return program


def random_program(programs: ModuleType, rng: Random, lanes: int, length: int, registers: int) -> list:
    """Return loads of all registers, then random instructions, a quarter of them of the crossbar."""
    names = [*programs.NAMES, *NAMES * 8]
    loads = [programs.load(rng, lanes, number) for number in range(registers)]
    return [*loads, *programs.random_program(rng, lanes, length, registers, names)]


@pytest.mark.parametrize("registers", [3, VECTORS])
def test_random_programs(programs: ModuleType, checked: Checked, registers: int) -> None:
    seed = f"crossbar {registers}"
    print("seed", seed)
    rng = Random(seed)
    program = [*devices(programs, rng, 40), *random_program(programs, rng, LANES, 400, registers)]
    found = checked(program)
    assert all(found[name] and found[f"{name} waits"] for name in NAMES) and found["crossbar queue full"]


def test_products_of_all_lengths(programs: ModuleType, checked: Checked) -> None:
    """Of a full matrix, and read in the cycle in which they are complete."""
    rng = Random("lengths")
    program = [*devices(programs, rng), programs.load(rng, LANES, 1)]
    for vl in LENGTHS:
        element = rng.randrange(vl)
        program += [
            programs.Do("MATVEC", vl, d=2, a=1),
            programs.Do("VGET", vl, d=5, a=2, y=element),
            programs.Do("VSET", vl, d=2, x=vl - 1, y=7),
            programs.store(LANES, 2),
        ]
    checked(program)


def test_sums_one_after_another(programs: ModuleType, checked: Checked) -> None:
    """The result replaces the vector, is the next vector, becomes a row, and is overwritten while others follow."""
    do = programs.Do
    rng = Random("sums")
    program = [*devices(programs, rng, 60), programs.load(rng, LANES, 1), programs.load(rng, LANES, 2)]
    program[-2].words = [rng.randint(-2, 2) for _ in range(MAX_VL)]
    program += [do("MATVEC", d=1, a=1), do("MATVEC", d=3, a=1), do("LOADX", a=3, y=200), do("MATVEC", d=4, a=1)]
    program += [do("MATVEC", d=5, a=4), do("MATVEC", d=6, a=2), do("MATVEC", d=7, a=2)]
    for number in range(8):
        program += [do("VSET", d=6, x=number * 30, y=number), do("MATVEC", 100, d=6, a=2)]
    program += [programs.store(LANES, number) for number in range(VECTORS)]
    checked(program)


def test_greatest_sums(programs: ModuleType, checked: Checked) -> None:
    do = programs.Do
    program = [do("LOAD", d=0, words=[-3, 2, 1, -1] * 64, beats=16)]
    program += [do("LOADX", a=0, y=row) for row in range(MAX_VL)]
    for words in ([WORD_MAX] * 256, [-WORD_MAX] * 256, [WORD_MAX, *[0] * 254, 1], [-WORD_MAX, 1, *[0] * 254]):
        program += [do("LOAD", d=1, words=words, beats=16), do("MATVEC", d=2, a=1), programs.store(LANES, 2)]
    checked(program)


@pytest.mark.slow
@pytest.mark.parametrize(
    "lanes, queue, shape",
    [
        *((16, 1, Shape()), (64, 4, Shape()), (256, 2, Shape())),
        *((16, 4, Shape(32, 32)), (16, 64, Shape(16, 64)), (64, 2, Shape(32, 16))),
    ],
)
def test_other_machines(programs: ModuleType, checked: Checked, lanes: int, queue: int, shape: Shape) -> None:
    seed = f"crossbar {lanes} {queue} {shape}"
    print("seed", seed)
    rng = Random(seed)
    for registers in (3, VECTORS):
        program = [*devices(programs, rng, 100), *random_program(programs, rng, lanes, 800, registers)]
        checked(program, lanes, queue, shape)
