"""The low-rank unit beside the vector unit in Verilator: values against the interpreter, cycles against the rules."""

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random
from types import ModuleType
from typing import Any

import pytest

from pentary.isa.table import CONTROL_RESET, CONTROLS, MAX_VL, VECTORS
from pentary.lowrank.generator import MEMBER_MAX
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import WORD_MAX, limit

Checked = Callable[..., Counter[str]]

LANES = 16
SIZES = (1, 3, 4, 5, 15, 16, 17, 100, 255, MAX_VL)


class Program(list[Any]):
    """A program, which methods make longer."""

    def __init__(self, programs: ModuleType, lanes: int = LANES) -> None:
        """Create an empty program."""
        super().__init__()
        self._programs, self._lanes = programs, lanes

    def do(self, name: str, **fields: int) -> None:
        """Add an instruction."""
        self.append(self._programs.Do(name, **fields))

    def set(self, **values: int) -> None:
        """Set control registers."""
        for name, value in values.items():
            self.do("LRSET", d=tuple(CONTROLS).index(name), x=value)

    def load(self, rng: Random, register: int, words: list[int] | None = None) -> None:
        """Load random words, or those given."""
        self.append(self._programs.load(rng, self._lanes, register))
        if words is not None:
            self[-1].words = words

    def store(self, *registers: int) -> None:
        """Store registers, by which they are compared."""
        for register in registers:
            self.append(self._programs.store(self._lanes, register))

    def see_sums(self) -> None:
        """Store the row sums; V7 is 0."""
        self.do("LRACC", d=6, a=7, y=1)
        self.store(6)


@pytest.fixture
def program(programs: ModuleType) -> Program:
    """Return an empty program."""
    return Program(programs)


def random_program(programs: ModuleType, rng: Random, lanes: int, length: int, registers: int) -> list[Any]:
    """Return a random program after loads, half of low-rank instructions."""
    names = [*programs.LOWRANK, *["LRSET"] * 6, "LRMUL", "LRMULX", "LRADD", *programs.NAMES]
    loads = [programs.load(rng, lanes, number) for number in range(registers)]
    return [*loads, *programs.random_program(rng, lanes, length, registers, names)]


@pytest.mark.parametrize("registers", [3, VECTORS])
def test_random_programs(programs: ModuleType, checked: Checked, registers: int) -> None:
    seed = f"low-rank {registers}"
    print("seed", seed)
    rng = Random(seed)
    found = checked(*(random_program(programs, rng, LANES, 500, registers) for _ in range(2)))
    assert all(found[name] and found[f"{name} waits"] for name in programs.LOWRANK) and found["queue full"]


def test_instructions_that_use_the_register_of_the_one_before(programs: ModuleType, checked: Checked) -> None:
    """Each after each, at once, with sources and destinations the same, and the smallest shapes that have factors."""
    seed = "low-rank pairs"
    print("seed", seed)
    rng = Random(seed)
    names = [*programs.LOWRANK, "VADD", "VMUL", "VSEL", "VSET", *programs.MOVES]
    made = Program(programs)
    for number in range(2):
        made.load(rng, number)
    controls = dict(CONTROL_RESET)
    for first, second in product(names, repeat=2):
        if rng.random() < 0.3:
            controls |= {
                "ROWS": rng.choice((1, 16, 20)),
                "COLS": rng.choice((1, 4, 16, 33)),
                "RANK": rng.choice((1, 1, 4)),
            }
            made.set(**controls)
        for name in (first, second):
            if name in programs.MOVES:
                number = rng.randrange(2)
                made.append(programs.store(LANES, number) if name == "STORE" else programs.load(rng, LANES, number))
                continue
            made.append(programs.instruction(rng, name, MAX_VL, 2, LANES, controls))
            if name == "LRSET":  # the shape stays small
                made[-1].d, made[-1].x = rng.choice(((3, rng.randint(2, 8)), (4, programs.word(rng)), (5, 5**8)))
            programs.set_control(controls, made[-1])
    made.store(0, 1)
    checked(made)


def test_words_of_the_generator(programs: ModuleType, checked: Checked, program: Program) -> None:
    rng = Random("words")
    for key, counter in product((0, 1, -WORD_MAX, WORD_MAX, programs.word(rng)), repeat=2):
        program.do("PRNG", d=rng.randrange(4), x=key, y=counter)
        if rng.random() < 0.3:
            program.do("LRGEN", x=rng.randint(0, MEMBER_MAX))
    checked(program)


def test_all_is_0_at_the_start_and_after_a_reset(checked: Checked, program: Program) -> None:
    """The same program, which leaves factors and sums behind, gives the same after a reset."""
    rng = Random("reset")
    program.load(rng, 0)
    program.do("LRADD", d=5, a=0, y=1)  # S, quantised or not, is 0
    program.do("PQUANT")
    program.see_sums()
    program.set(ROWS=MAX_VL, COLS=MAX_VL, RANK=MAX_RANK)
    program.do("LRADD", d=4, a=0, y=77)
    program.store(4, 5)
    program.see_sums()
    for row in (0, 77, MAX_VL - 1):
        program.do("LRMUL", x=row)
        program.see_sums()
    program.set(RANK=3)
    program.do("LRGEN", x=5)
    program.set(RANK=MAX_RANK)
    program.do("LRMULX", a=0)
    program.see_sums()
    program.do("PQUANT")
    program.do("POPAVG", d=0, a=0, b=0)
    program.store(0)
    checked(program, program)


def test_factors_of_every_shape(checked: Checked, program: Program) -> None:
    """Those of smaller shapes change a part of the greater ones."""
    rng = Random("factors")
    program.load(rng, 0, [rng.randint(-400, 400) for _ in range(MAX_VL)])
    for rows, cols in product(SIZES, repeat=2):
        rank = rng.choice((1, 2, 3, 5))
        program.set(ROWS=rows, COLS=cols, RANK=rank, KEY=rng.randint(-WORD_MAX, WORD_MAX))
        program.do("LRGEN", x=rng.randint(0, MEMBER_MAX))
        program.do("LRMUL", x=rng.choice((0, rows - 1)))
        program.see_sums()
        program.set(ROWS=MAX_VL, COLS=rng.choice((cols, MAX_VL)), RANK=5)
        program.do("LRMULX", a=0)
        program.see_sums()
        program.do("LRMUL", x=rng.randrange(MAX_VL))
        program.see_sums()
    checked(program)


def test_sums_stay_until_there_are_new_ones(checked: Checked, program: Program) -> None:
    """PQUANT takes RANK as it is then, and once; LRADD and LRACC take COLS as it is then."""
    rng = Random("sums")
    program.load(rng, 0)
    program.set(ROWS=5, COLS=37, RANK=20)
    program.do("LRGEN", x=1)
    for rank, name in product((1, 2, 4, 5, 9, 16, 17, 36, MAX_RANK), ("LRMUL", "LRMULX")):
        program.set(COLS=rng.choice((37, 16)))
        program.do(name, x=4, a=0)
        program.set(COLS=rng.choice((37, 60, 20)))
        program.do("LRADD", d=1, a=0, y=rng.choice((1562, -1562)))
        program.set(RANK=rank)
        program.do("PQUANT")
        program.set(RANK=20, COLS=MAX_VL)
        program.see_sums()
        program.do("PQUANT")
        program.do("LRADD", d=2, a=0, y=rng.choice((1562, -1562)))
        program.see_sums()
        program.store(1, 2)
    checked(program)


def test_latent_words_of_every_width_next_to_where_levels_change(checked: Checked, program: Program) -> None:
    rng = Random("latents")
    program.set(ROWS=1, COLS=MAX_VL, RANK=1)
    program.do("LRGEN", x=3)
    program.do("LRMUL", x=0)
    for width in range(2, 9):
        unit, half = 5 ** (width - 1), limit(width - 1)
        program.set(WIDTH=width)
        for sigma in (half, -half, limit(width), -limit(8), WORD_MAX, 0):
            near = [step * unit + edge + n for step in range(-3, 4) for edge in (half, -half) for n in (-1, 0, 1)]
            words = [rng.choice(near) + rng.choice((0, 1, 2, -1, -2)) * sigma for _ in range(MAX_VL)]
            program.load(rng, 0, [max(-WORD_MAX, min(WORD_MAX, word)) for word in words])
            program.do("LRADD", d=1, a=0, y=sigma)
            program.store(1)
    checked(program)


def test_updates_of_every_width(checked: Checked, program: Program) -> None:
    """Steps next to midpoints and of the greatest magnitude, and rows of every number of beats in a row of lanes."""
    rng = Random("updates")
    for width, cols in zip(
        (*range(2, 9), *range(2, 9)), (1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 24, 28, 32, 33), strict=True
    ):
        for gain in (0, 5**8, limit(8), limit(15), -limit(15), rng.randint(-limit(15), limit(15)), rng.randint(0, 999)):
            most = min(limit(8), limit(width) * 5**8 // max(1, abs(gain)))
            program.load(rng, 0, [rng.randint(-limit(width), limit(width)) for _ in range(MAX_VL)])
            program.load(
                rng, 1, [rng.choice((1, -1)) * rng.choice((most, rng.randint(0, most))) for _ in range(MAX_VL)]
            )
            if gain == 0:
                program.load(rng, 1)
            program.set(WIDTH=width, COLS=cols, GAIN=gain)
            program.do("POPAVG", d=2, a=0, b=1)
            program.do("POPAVG", d=rng.randrange(3), a=rng.randrange(3), b=rng.randrange(3))
            program.store(0, 1, 2)
    checked(program)


def test_elements_past_the_columns_become_0_whatever_was_there(checked: Checked, program: Program) -> None:
    rng = Random("elements")
    program.set(ROWS=MAX_VL, COLS=MAX_VL, RANK=2)
    program.do("LRGEN", x=9)
    program.do("LRMUL", x=100)
    for cols, name in product((*SIZES, 8, 9, 12, 13, 31, 33), ("LRADD", "LRACC")):
        program.set(COLS=MAX_VL)
        for source, destination in ((0, 1), (0, 0), (1, 1)):
            if rng.random() < 0.5:
                program.load(rng, 0)
                program.load(rng, 1)
            program.set(COLS=cols)
            program.do(name, d=destination, a=source, y=rng.choice((1, -2, 1562)))
            program.store(0, 1)
            # After fewer elements, the register has rows that are 0 and have not been written.
            program.set(COLS=rng.choice((cols, MAX_VL)))
            program.do(name, d=destination, a=source, y=2)
            program.store(destination)
    checked(program)


def test_totals_and_factors_saturate(checked: Checked, program: Program) -> None:
    rng = Random("totals")
    edges = [limit(12) + n for n in range(-2, 3)] + [limit(4) + n for n in range(-2, 3)] + [WORD_MAX, 0, 1]
    program.set(ROWS=MAX_VL, COLS=MAX_VL, RANK=MAX_RANK)
    program.do("LRGEN", x=11)
    for factor in (0, 1, -1, 2, -2, 3, -3, WORD_MAX, -WORD_MAX, 5**12):
        program.load(rng, 0, [rng.choice((1, -1)) * rng.choice(edges) for _ in range(MAX_VL)])
        program.do("LRMULX", a=0)
        program.do("LRACC", d=1, a=0, y=factor)
        program.store(1)
    checked(program)


@pytest.mark.slow
@pytest.mark.parametrize("lanes, rounds, queue, length", [(16, 2, 1, 2000), (64, 8, 4, 2000), (256, 4, 2, 1500)])
def test_long_random_programs_on_other_machines(
    programs: ModuleType, checked: Checked, lanes: int, rounds: int, queue: int, length: int
) -> None:
    seed = f"low-rank {lanes} {rounds} {queue}"
    print("seed", seed)
    rng = Random(seed)
    for registers in (3, VECTORS):
        run = [random_program(programs, rng, lanes, length // 2, registers) for _ in range(2)]
        found = checked(*run, lanes=lanes, rounds=rounds, queue=queue)
        assert all(found[name] for name in programs.LOWRANK)
