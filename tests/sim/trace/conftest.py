"""Runs for the trace tests: one written by hand, one of random records, and programs run on the model."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.isa import decode
from pentary.isa.program import Fault, Program
from pentary.machine.config import Config, Exceptions, Memory
from pentary.numbers.alu import Flags
from pentary.randomprogram import random_program
from pentary_sim.events import CAUSES, EVENT, NONE, UNITS, Events
from pentary_sim.simulator import Simulator

SOURCE = """
start:  li    p1, 7
loop:   load  p2, 3(p1)
        add   p3, p2, p1
        push  p3
        vadd  v1, v2, v3
        vget  p4, v1, p0
        pop   p5
        bne   p1, p0, done
        nop
done:   sync
        halt
"""
TOP = 1_000_000  # address of the word that is pushed
PCS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10)
STAGES = (  # IF ID EX MEM WB by the rules of architecture/pipeline.md, without cache misses
    (0, 1, 2, 3, 4),
    (1, 2, 3, 4, 5),
    (2, 3, 5, 6, 7),
    (3, 5, 6, 7, 8),
    (5, 6, 7, 8, 9),
    (6, 7, 8, 9, 10),
    (7, 8, 9, 11, 12),
    (8, 9, 11, 12, 13),
    (12, 13, 28, 29, 30),
    (13, 28, 29, 30, 31),
)


def by_hand():
    program = assemble_text(SOURCE, "hand.s")
    events = np.zeros(10, EVENT)
    for name in ("start", "free", "done", "register", "address", "vector"):
        events[name] = NONE
    events["pc"] = PCS
    for stage, cycles in zip(
        ("fetch", "decode", "execute", "memory", "writeback"), zip(*STAGES, strict=True), strict=True
    ):
        events[stage] = cycles
    for index, register, value in ((0, 1, 7), (1, 2, -62), (2, 3, -55), (3, 30, -55), (5, 4, 12), (6, 5, -55)):
        events["register"][index], events["value"][index] = register, value
    for index, address in ((1, 10), (3, TOP), (6, TOP)):
        events["address"][index] = address
    for index, start, free, done in ((4, 8, 24, 26), (5, 26, 27, 28)):
        events["unit"][index] = UNITS.index("vector")
        events["start"][index], events["free"][index], events["done"][index] = start, free, done
    for index, lost, cause in ((2, 1, "load_use"), (6, 1, "execute"), (8, 16, "sync")):
        events["lost"][index], events["cause"][index] = lost, CAUSES.index(cause)
    events["mispredicted"][7] = True
    events["flags"][2:] = Flags.N  # of ADD, the only one that writes them
    events["vector"][4] = 0
    vectors = np.zeros((1, 256), np.int64)
    vectors[0, :3] = 12, 0, -3
    return program, Events(events, vectors)


def at_random(seed, count=300):
    """Return random records of instructions of all units, with random stalls that obey the rules of the pipeline."""
    rng = np.random.default_rng(seed)
    program = assemble_text(
        "top: addi p1, p1, 1\nload p2, 0(p1)\nstore p2, 0(p1)\nend: vadd v1, v1, v1\nvget p3, v1, p0\nloadv v1, 0(p1)\n"
        "matvec v2, v1\nlrmul p1\nprng p4, p1, p2\npush p3\npop p6\nmac p1, p2\nsetvl p1\npopeval f1, v1, v2\n"
        "fitget p5, f2\nlrset KEY, p1",
        "random.s",
    )
    events, vectors = np.zeros(count, EVENT), rng.integers(-9, 10, (count, 256)) * rng.integers(2, size=(count, 1))
    decode_, execute, memory, writeback = 0, 0, 0, -1
    free, known = dict.fromkeys(UNITS, 0), dict.fromkeys(range(32), 0)
    for number, event in enumerate(events):
        pc = int(rng.integers(program.text))
        decoded = decode(int(program.image[pc]))
        instruction = decoded.instruction
        unit = instruction.unit if instruction.unit in UNITS else "scalar"
        register = decoded.d if instruction.operands and instruction.operands[0] == "rd" else NONE

        def wait(rng=rng):
            return int(rng.integers(30)) if rng.random() < 0.2 else 0

        event["pc"], event["unit"] = pc, UNITS.index(unit)
        event["fetch"] = fetch = decode_ + wait()
        event["decode"] = decode_ = max(fetch + 1 + wait(), execute)
        event["execute"] = execute = max(decode_ + 1, memory, known[register] if register > 0 else 0) + wait()
        event["memory"] = memory = max(execute + 1, writeback)
        previous = writeback
        event["writeback"] = writeback = max(memory + 1 + wait(), writeback + 1)
        event["lost"] = writeback - previous - 1 if previous >= 0 else writeback - 4
        event["cause"] = rng.integers(2, len(CAUSES)) if event["lost"] else 0
        event["start"], event["free"], event["done"], event["register"], event["address"] = (NONE,) * 5
        if unit != "scalar":
            event["start"] = max(memory, free[unit]) + wait()
            event["free"] = free[unit] = event["start"] + rng.integers(1, 20)
            event["done"] = event["free"] + rng.integers(20)
        if register > 0:
            event["register"], known[register] = register, max(writeback, event["done"])
        event["value"] = rng.integers(-76_293_945_312, 76_293_945_313)
        if instruction.group == "memory":
            event["address"] = rng.integers(1, 1000)
        event["flags"] = rng.integers(64)
        event["acc_high"], event["acc_low"] = rng.integers(-76_293_945_312, 76_293_945_313, 2)
        event["vector"] = number if "vd" in instruction.operands else NONE
    return program, Events(events, vectors)


@pytest.fixture(params=["by hand", *range(4)])
def a_run(request):
    """Return a program and the events of a run."""
    return by_hand() if request.param == "by hand" else at_random(request.param)


@pytest.fixture
def hand():
    """Return the program and the events written by hand."""
    return by_hand()


@dataclass
class Replayed:
    """Results of a program on the model and on the interpreter.

    Attributes:
        events: events of the model.
        states: registers of the interpreter as text, at the start and after each instruction.
        fault: fault of the interpreter, or None.
    """

    program: Program
    events: Events
    states: list[dict[str, str]]
    fault: Fault | None


def in_words(machine: Interpreter) -> dict[str, str]:
    told = {f"P{number}": str(value) for number, value in enumerate(machine.registers)} | {"VL": str(machine.vl)}
    told |= {f"F{number}": str(value) for number, value in enumerate(machine.fitness)}
    told |= {name: str(value) for name, value in machine.controls.items()}
    told |= {"ACC": str(machine.acc)}
    told |= {"flags": " ".join(str(flag.name) for flag in Flags if machine.flags & flag)}
    for number, vector in enumerate(machine.vectors):
        told[f"V{number}"] = ",".join(map(str, np.trim_zeros(np.array(vector), "b").tolist())) or "0"
    return told


def replay(program: Program, trap: bool) -> Replayed:
    memory = 5**7
    golden = Interpreter(program, memory, trap)
    states, fault = [in_words(golden)], None
    while not golden.halted and fault is None:
        try:
            golden.step()
            states.append(in_words(golden))
        except Fault as error:
            fault = error
    model = Simulator(program, Config(memory=Memory(words=memory), exceptions=Exceptions(trap)), trace=True)
    with suppress(Fault):
        assert model.run() == "halt"
    return Replayed(program, model.take_events(), states, fault)


EVERY_REGISTER = """
        li      p1, 3
        lrset   RANK, p1
        lrset   KEY, p1
        accset  p1
        li      p2, 0p⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕⊕
        mac     p2, p2
        mac     p2, p2
        setvl   p1
        loadv   v3, table(zero)
        vadds   v4, v3, p1
        vset    v4, p0, p2
        popeval f2, v3, v4
        popeval f2, v3, v0
        fitget  p4, f2
        loadv   v7, table+3(zero)
        push    p4
        pop     p5
        push    p4
        pop     sp
        adds    p6, p2, p2
        div     p7, p6, p0
        .data
table:  .word   5, 0, -7, 0, 0, 0, 1
"""


MEMORY_FAULTS = {
    "load": "li p1, -1\nmul p2, p1, p1\npop p3\nhalt",
    "store": "li p1, -9\npush p1\nstore p1, 3(p1)\nhalt",
    "text": "li p1, 1\nvadds v1, v0, p1\nstorev v1, (p1)\nhalt",
}
ENDINGS = ["every register", "load", "store", "text", *range(1, 4), *(f"fault {n}" for n in (1, 4, 6, 8, 10, 16, 17))]


@pytest.fixture(scope="session", params=ENDINGS)
def replayed(request) -> Replayed:
    """Return a program's run on the model, with its sequence of states on the interpreter."""
    if request.param == "every register":
        return replay(assemble_text(EVERY_REGISTER, "registers.s"), False)
    if request.param in MEMORY_FAULTS:
        return replay(assemble_text(MEMORY_FAULTS[request.param], "memory.s"), False)
    seed = int(str(request.param).split()[-1])
    faults = str(request.param).startswith("fault")
    return replay(random_program(seed, 60, faults), trap=faults and seed % 2 == 1)
