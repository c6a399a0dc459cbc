"""Runs whose traces are read back: one worked out by hand, and random ones."""

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.isa import decode
from pentary_sim.events import CAUSES, EVENT, NONE, UNITS

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
STAGES = (  # IF ID EX MEM WB, by the rules of architecture/pipeline.md with nothing missing a cache
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
    for name in ("start", "free", "done", "register", "address"):
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
    return program, events


def at_random(seed, count=300):
    """Instructions of all units that wait for random reasons, within the rules of the pipeline."""
    rng = np.random.default_rng(seed)
    program = assemble_text(
        "top: addi p1, p1, 1\nload p2, 0(p1)\nstore p2, 0(p1)\nend: vadd v1, v1, v1\nvget p3, v1, p0\nloadv v1, 0(p1)\n"
        "matvec v2, v1\nlrmul p1\nprng p4, p1, p2\npush p3\npop p6",
        "random.s",
    )
    events = np.zeros(count, EVENT)
    decode_, execute, memory, writeback = 0, 0, 0, -1
    free, known = dict.fromkeys(UNITS, 0), dict.fromkeys(range(32), 0)
    for event in events:
        pc = int(rng.integers(program.text))
        decoded = decode(int(program.image[pc]))
        instruction = decoded.instruction
        unit = UNITS[UNITS.index(instruction.unit)]
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
    return program, events


@pytest.fixture(params=["by hand", *range(4)])
def a_run(request):
    """A program and the events of a run."""
    return by_hand() if request.param == "by hand" else at_random(request.param)


@pytest.fixture
def hand():
    """The program and the events worked out by hand."""
    return by_hand()
