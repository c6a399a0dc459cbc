"""Branch predictions of a run against a plain Python model of the branch target buffer, driven by its records."""

from random import Random
from types import ModuleType

import pytest

from pentary.asm import assemble_text
from pentary.isa import decode
from pentary.isa.program import Program
from pentary.machine.config import Config, Predictor
from pentary.randomprogram import random_program
from pentary_sim.simulator import Simulator

ENTRIES = [0, 1, 2, 7, 125, 15625]

DRAW = "muli p1, p1, 2477\n addi p1, p1, 1337\n shri p2, p1, 11\n"
FORMS = [
    *(f"{DRAW} {name} p{{a}}, p{{b}}, {{any}}" for name in ("BEQ", "BNE", "BLT", "BGT", "BLE", "BGE")),
    *(f"{name} p{{a}}, p{{b}}, {{ahead}}" for name in ("BLT", "BGT")),
    "jump {ahead}",
    "call {ahead}",
    "{DRAW} blt p2, p0, {ahead}\n ret",
    "li p31, {ahead}",
    "nop",
]


def branchy_program(rng: Random, length: int) -> Program:
    """Return an endless program that branches on random numbers; backward branches are taken at random only."""
    lines = []
    for number in range(length):
        names = {"ahead": f"at{min(number + rng.randint(1, 5), length)}", "any": f"at{rng.randrange(length)}"}
        form = rng.choice(FORMS).format(a=rng.randint(0, 2), b=rng.randint(0, 2), DRAW=DRAW, **names)
        lines.append(f"at{number}: {form}")
    return assemble_text("\n".join([*lines, f"at{length}: {DRAW} bgt p2, p0, at0", "jump at1"]))


def check(reference: ModuleType, machine: Simulator, program: Program) -> None:
    """Compare every prediction with the reference model."""
    events = machine.take_events().records
    following = [*events["pc"].tolist(), machine.pc][1:]
    buffer = reference.Predictor(machine.config.predictor.entries, machine.config.predictor.returns)
    branches = wrong = 0
    for number, (event, after) in enumerate(zip(events, following, strict=True)):
        pc = event["pc"].item()
        instruction = decode(program.image[pc].item()).instruction
        mispredicted = False
        if instruction.group == "control":
            is_branch = instruction.name.startswith("B")
            mispredicted = buffer.next_address(pc, instruction.name, event["fetch"]) != after
            buffer.decide(event["execute"], pc, after, not is_branch or after != pc + 1)
            branches += 1
            wrong += mispredicted
        assert event["mispredicted"] == mispredicted, f"record {number}, {instruction.name} at {pc}"
    assert (machine.counts["branches"], machine.counts["mispredictions"]) == (branches, wrong)


@pytest.mark.parametrize("entries", ENTRIES)
@pytest.mark.parametrize("length", [3, 12, 100])
def test_predictions_of_branchy_programs(reference: ModuleType, entries: int, length: int) -> None:
    for seed in range(2):
        print(f"seed {seed}")
        program = branchy_program(Random(1000 * length + seed), length)
        machine = Simulator(program, Config(predictor=Predictor(entries)), trace=True)
        machine.run(max_instructions=2000)
        check(reference, machine, program)


@pytest.mark.parametrize("entries", ENTRIES)
def test_predictions_of_random_programs(reference: ModuleType, entries: int) -> None:
    for seed in range(3):
        print(f"seed {seed}")
        program = random_program(seed, 300)
        machine = Simulator(program, Config(predictor=Predictor(entries)), trace=True)
        assert machine.run() == "halt"
        check(reference, machine, program)


def mispredictions(outcomes: str, entries: int) -> int:
    """Run a branch with the given outcomes (1 taken, 0 not taken), and return the number of mispredictions."""
    program = assemble_text(f"""
                li p1, outcomes
                li p3, 1
        next:   load p2, 0(p1)
                addi p1, p1, 1
                bgt p2, p3, finish
        decide: beq p2, p3, taken
                jump next
        taken:  jump next
        finish: halt
                .data
        outcomes: .word {", ".join(outcomes)}, 2
    """)
    machine = Simulator(program, Config(predictor=Predictor(entries)), trace=True)
    assert machine.run() == "halt"
    events = machine.take_events().records
    return int(events["mispredicted"][events["pc"] == program.address("decide")].sum())


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("1", 1),  # no entry yet
        ("0", 0),
        ("1111", 1),
        ("10101010", 8),  # counter 2, 1, 2, 1: always wrong
        ("11010101", 4),  # from 3, one outcome does not change the prediction
        ("1100", 3),
        ("110000", 3),
        ("11000011", 5),
        ("111111100", 3),  # the counter saturates at 3
        ("110000000011", 5),  # and at 0
        ("110000000001", 4),
    ],
)
def test_two_bit_counter(pattern: str, wrong: int) -> None:
    assert mispredictions(pattern, 125) == wrong
    assert mispredictions(pattern, 0) == pattern.count("1")
