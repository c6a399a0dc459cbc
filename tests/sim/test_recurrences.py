"""Timing of random programs: the model against the reference model of architecture/pipeline.md, cycle by cycle."""

import re
from random import Random
from types import ModuleType

import pytest

from pentary.asm import assemble_text
from pentary.isa import INSTRUCTIONS
from pentary.isa.encoding import operands
from pentary.isa.program import Program
from pentary.isa.system import CSRS
from pentary.isa.table import Instruction
from pentary.machine.config import Config
from pentary.randomprogram import random_program

PARTS = 20

CONFIGS = [
    "",
    "pipeline.queue = 1",
    "pipeline.queue = 2\nlowrank = {lanes = 256, rounds_per_cycle = 8}",
    "predictor.entries = 0\nmemory.latency = 0\nexceptions.overflow_trap = true",
    "predictor.entries = 5\nlowrank = {lanes = 64}\nl2.latency = 3\nmemory.latency = 10",
    "predictor = {entries = 25, returns = 1}\nmemory.latency = 5",
    "predictor = {entries = 5, returns = 0}\nlowrank.lanes = 64",
    "predictor.entries = 1\nl2.latency = 0\nmemory.latency = 0\nlowrank = {lanes = 64, rounds_per_cycle = 8}",
    "icache = {sets = 1, ways = 1}\ndcache = {sets = 1, ways = 1}\nl2 = {sets = 1, ways = 1, latency = 3}",
    """
    caches.line = 5
    icache = {sets = 5, ways = 1}
    dcache = {sets = 1, ways = 3}
    l2 = {sets = 5, ways = 2, latency = 0}
    memory.latency = 3
    pipeline.queue = 1
    predictor.entries = 5
    """,
    """
    caches.line = 125
    dcache = {sets = 1, ways = 2}
    l2 = {sets = 1, ways = 3}
    pipeline.queue = 3
    lowrank = {lanes = 256, rounds_per_cycle = 2}
    """,
    "icache.latency = 3\ndcache.latency = 2\ncaches.critical_first = false",
    "icache.latency = 2\ndcache = {latency = 4, beat = 25, sets = 1, ways = 1}\nl2 = {beat = 1, sets = 1, ways = 1}",
    """
    caches.line = 125
    icache = {sets = 1, ways = 1}
    dcache = {sets = 1, ways = 2, beat = 1}
    l2 = {sets = 1, ways = 2, latency = 1, beat = 25}
    memory = {latency = 2, beat = 5}
    """,
    """
    caches = {line = 5, critical_first = false}
    dcache = {sets = 5, ways = 1, beat = 625, latency = 16}
    l2 = {sets = 1, ways = 4, beat = 625}
    memory = {beat = 25, latency = 5}
    predictor.entries = 5
    """,
    "icache.latency = 16\npredictor.entries = 25\nmemory = {latency = 1, beat = 5}",
    "caches.line = 625\ndcache = {sets = 1, ways = 1}\nl2 = {sets = 1, ways = 1}\nmemory = {latency = 0, beat = 625}",
    "caches.enabled = false\ndcache.sets = 625",
    "caches = {enabled = false, line = 5}\nicache.latency = 3\ndcache = {latency = 2, beat = 1}\npredictor.entries = 5",
]

START = """
        li p16, 10000           ; a place for the stack
        li p10, data
        li p11, 1
        li p12, 37
        li p13, 256
        li p14, 6               ; a width, and a shift
        li p15, data + 500
"""

BLOCKS = [
    "push {r}\n {any}\n pop {r}",
    "push p16\n pop p30",
    "muli p30, p16, 1",
    "vset v7, p0, p16\n vget p30, v7, p0",
    "beq {r}, {r}, {0}\n {any}\n {0}:",
    "blt {r}, {r}, {0}\n {any}\n {any}\n {0}: {any}",
    "jump {0}\n {0}:",
    "muli p31, {r}, 3\n call {0}\n {0}:",
    "li p22, {0}\n {any}\n jumpr p22\n nop\n {0}:",
    "li p31, {0}\n callr p31\n jump {1}\n {0}: muli p31, p31, 1\n ret\n {1}:",
    "li p22, {0}\n csrw EPC, p22\n {any}\n csrw EPC, p22\n tret\n nop\n {0}:",
    "store {r}, -1000(zero)\n load p1, -1002(zero)\n {any}\n store p1, -1003(zero)",
    "call {0}\n jump {1}\n {0}: muli p31, p31, 1\n {any}\n ret\n {1}:",
    "li p20, 3\n {0}: {any}\n {any}\n addi p20, p20, -1\n bgt p20, p0, {0}",
    # If both share a predictor entry, the branch is looked up when the jump is in EX, or one cycle later.
    "li p20, 3\n {0}: addi p20, p20, -1\n jump {1}\n {1}: nop\n bgt p20, p0, {0}",
    "li p20, 3\n {0}: addi p20, p20, -1\n jump {1}\n {1}: nop\n nop\n bgt p20, p0, {0}",
    "li p20, 4\n li p21, {1}\n {0}: {any}\n bne p20, p11, {2}\n li p21, {3}\n {2}: add p31, p21, p0\n ret\n"
    " {1}: addi p20, p20, -1\n jump {0}\n {3}:",
]
"""Templates with stack, jumps and loops; {r} is a register, {any} an instruction, {0} a new label."""


def dense_program(seed: int, length: int) -> Program:
    """Return a random program of all instructions on few registers, for many hazards."""
    rng = Random(seed)
    labels = 0
    plain = [
        line for line in INSTRUCTIONS if line.group != "control" and line.name not in ("HALT", "PUSH", "POP", "TRET")
    ]
    lines = [START]
    for _ in range(length):
        if rng.random() < 0.85:
            lines.append(dense_line(rng, rng.choice(plain)))
            continue
        block = re.sub("{any}", lambda _: dense_line(rng, rng.choice(plain)), rng.choice(BLOCKS))
        block = re.sub("{r}", lambda _: f"p{rng.randint(0, 3)}", block)
        lines.append(block.format(*(f"at{labels + n}" for n in range(4))))
        labels += 4
    return assemble_text("\n".join([*lines, "halt", ".data", "data: .space 3000"]) + "\n")


def dense_line(rng: Random, instruction: Instruction) -> str:
    """Return a line with an instruction that does not fault, with operands shared by others."""
    name = instruction.name
    if name in ("LOADVX", "STOREVX"):
        index = rng.randint(1, 3)
        return f"quant v{index}, v{rng.randint(1, 3)}, 1, 2\n {name} v{rng.randint(1, 3)}, v{index}, p15"
    control = rng.choice(["ROWS", "COLS", "RANK", "WIDTH", "KEY", "GAIN"])
    size = f"p{rng.randint(11, 13)}"
    safe = {
        ("SETVL", "rs"): size,
        ("LRSET", "rs"): {"ROWS": size, "COLS": size, "RANK": f"p{rng.randint(11, 12)}"}.get(control, "p14"),
        ("LRGEN", "rs"): size,
        **dict.fromkeys([("LOADVS", "rs"), ("STOREVS", "rs")], "p10"),
        **dict.fromkeys([("LOADVS", "rt"), ("STOREVS", "rt")], rng.choice(["p0", "p11"])),
        **dict.fromkeys([("SHL", "rt"), ("SHR", "rt")], rng.choice(["p0", "p11", "p14"])),
        **dict.fromkeys([("DIV", "rt"), ("REM", "rt"), ("LOADX", "rt")], f"p{rng.randint(11, 12)}"),
        **dict.fromkeys([("VGET", "rt"), ("VSET", "rs"), ("LRMUL", "rs")], "p0"),
    }

    def chosen(operand: str) -> str:
        if (name, operand) in safe:
            return safe[name, operand]
        if operand == "i(rs)":
            return f"{rng.choice([rng.randint(0, 60), rng.randint(0, 2700)])}(p10)"
        kind = dict(operands(instruction))[operand].kind
        if kind == "csr":
            return rng.choice(["SCRATCH", "CAUSE", "EPC", "FAULT"] if name == "CSRW" else list(CSRS))
        letters = {"register": "p", "vector": "v", "fitness": "f"}
        return control if kind == "control" else f"{letters.get(kind, '')}{rng.randint(operand == 'w', 3)}"

    return f"{name} {', '.join(map(chosen, instruction.operands))}"


@pytest.mark.parametrize("settings", CONFIGS)
@pytest.mark.parametrize("seed", range(2))
def test_dense_programs_take_the_cycles_of_the_rules(
    lockstep: ModuleType, reference: ModuleType, settings: str, seed: int
) -> None:
    seed += 100 * CONFIGS.index(settings)
    print(f"seed {seed}")
    lockstep.check(reference, dense_program(seed, 250), Config.loads(settings), 10_000)


@pytest.mark.parametrize("settings", CONFIGS)
@pytest.mark.parametrize("faults", [False, True])
def test_random_programs_take_the_cycles_of_the_rules(
    lockstep: ModuleType, reference: ModuleType, settings: str, faults: bool
) -> None:
    for seed in range(100 * CONFIGS.index(settings), 100 * CONFIGS.index(settings) + 4):
        print(f"seed {seed}, faults {faults}")
        program = random_program(seed, 200, faults)
        lockstep.check(reference, program, Config.loads(settings), program.symbols["BOUND"])


@pytest.mark.parametrize("part", range(PARTS))
def test_random_programs_with_traps_interrupts_and_devices_on_random_machines(
    lockstep: ModuleType, reference: ModuleType, part: int
) -> None:
    seed, instructions = 100_000 * part, 0
    while instructions < 100_000 // PARTS:
        print(f"seed {seed}")
        instructions += lockstep.check_random(reference, seed, 150)["instructions"]
        seed += 1
