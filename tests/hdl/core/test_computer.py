"""Programs on the core with its block memory, in Amaranth's simulator, against the cycle-level model."""

import os
import re
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator as Bench

from pentary.asm import assemble, assemble_text
from pentary.isa.program import Program
from pentary.machine.config import Caches, Config, Devices, L1Data, Memory, Units
from pentary.numbers.word import WORD_MAX, PentaryError
from pentary.programs.benchmarks import PROGRAMS
from pentary_hdl.core import word as w
from pentary_hdl.core.computer import Computer
from pentary_hdl.core.memory import BlockMemory, check
from pentary_sim.retire import Retired
from pentary_sim.simulator import Simulator

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))
WORDS = 5**6
NO_UNITS = Units(vector=False, crossbar=False, lowrank=False)
CONFIG = Config(caches=Caches(enabled=False), units=NO_UNITS, memory=Memory(words=WORDS))
SLOW_CYCLES = 50_000

TEXT = """
        .include "runtime.s"
start:  print   "7! = "
        li      p1, 7
        call    factorial
        mv      p1, p2
        call    print_number
        newline
        la      p4, 15624               ; the last word: stored, loaded in the next cycle, overwritten
        store   p2, (p4)
        load    p5, (p4)
        store   p4, (p4)
        push    p5
        pop     p6
        li      p7, 11
        div     p8, p6, p7
        rem     p9, p6, p7
echo:   getc    p3
        blt     p3, p0, over
        putc    p3
        jump    echo
over:   la      p10, total
        load    p10, (p10)
        exit    3
factorial:
        push    lr
        push    p1
        bz      p1, one
        dec     p1
        call    factorial
        pop     p1
        mul     p2, p2, p1
        pop     lr
        ret
one:    li      p2, 1
        pop     p1
        pop     lr
        ret
        .data
total:  .word   -7629394531, 1
"""


def number_of(digits: Any) -> int:
    """Return the number of some biased digits."""
    return sum((digit - w.BIAS) * 5**place for place, digit in enumerate(digits))


def run(program: Program, config: Config, input: bytes = b"", ready: Callable[[int], bool] = lambda _: True) -> Any:
    """Run a program, and return its output, the columns of its retire records, exit status and whether it faulted."""
    computer = Computer(config, program)
    core = computer.core
    output, rows, products, waiting = bytearray(), [], [], list(input)

    async def testbench(context: Any) -> None:
        for cycle in range(SLOW_CYCLES):
            if context.get(computer.halted):
                return
            context.set(computer.console.ready, ready(cycle))
            context.set(computer.input.valid, bool(waiting))
            context.set(computer.input.payload, w.biased(waiting[0] if waiting else 0))
            context.set(computer.available, w.biased(len(waiting)))
            if context.get(computer.console.valid & computer.console.ready):
                output.append(number_of(context.get(computer.console.payload)))
            if context.get(core.products):
                products.append(number_of(context.get(core.product.value)))
            if context.get(core.retires):
                found = context.get(core.retired)
                value = None if found.product else number_of(found.value)
                rows.append([number_of(found.pc), found.register, value])
            taken = context.get(computer.input.ready)
            await context.tick()
            if taken:
                waiting.pop(0)
        raise AssertionError("it does not end")

    bench = Bench(computer)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    ended = []

    async def at_end(context: Any) -> None:
        await context.tick().until(computer.halted)
        ended.extend([number_of(context.get(computer.exit_status)), context.get(computer.faulted)])

    bench.add_testbench(at_end)
    bench.run()
    results = iter(products)
    for row in rows:
        if row[2] is None:
            row[2] = next(results)
        row[2] = row[2] if row[1] else 0
    return bytes(output), np.array(rows).T.tolist(), *ended


def of_model(program: Program, config: Config, input: bytes = b"") -> Any:
    """Return the same of the model."""
    model = Simulator(program, config, trace=True, input=list(input))
    assert model.run() == "halt"
    records = Retired(program).records(model.take_events())
    columns = [records[name].tolist() for name in ("pc", "register", "value")]
    return bytes(model.take_output()), columns, model.exit_status, 0


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        Config(caches=CONFIG.caches, units=NO_UNITS, memory=CONFIG.memory, devices=Devices(latency=0)),
    ],
    ids=["as on a board", "quick devices"],
)
def test_a_program_does_what_it_does_on_the_model(config: Config) -> None:
    program = assemble_text(TEXT)
    expected = of_model(program, config, b"echo")
    assert expected[0] == b"7! = 5040\necho" and expected[2] == 3
    assert run(program, config, b"echo") == expected


def test_a_console_that_is_not_ready_holds_the_program() -> None:
    program = assemble_text(TEXT)
    assert run(program, CONFIG, b"ab", lambda cycle: cycle % 31 == 0) == of_model(program, CONFIG, b"ab")


@pytest.mark.slow
def test_a_kernel_does_what_it_does_on_the_model() -> None:
    program = assemble(PROGRAMS / "quicksort.s", {"N": 20})
    assert run(program, CONFIG) == of_model(program, CONFIG)


@pytest.mark.slow
def test_vectors_move_through_the_block_memory() -> None:
    units = Units(crossbar=False, lowrank=False)
    config = Config(caches=CONFIG.caches, units=units, dcache=L1Data(beat=1), memory=CONFIG.memory)
    program = assemble_text("""
            li      p1, 5
            setvl   p1
            la      p2, numbers
            loadv   v1, (p2)
            vadd    v2, v1, v1
            storev  v2, 7(p2)
            li      p3, 2
            loadvs  v3, p2, p3
            storev  v3, 20(p2)
            load    p4, 9(p2)
            load    p5, 22(p2)
            halt
            .data
    numbers: .word  1, -2, 3, -4, 5, -6, 7, 8, 9
            .space  30
    """)
    found = run(program, config)
    assert found == of_model(program, config) and found[1][2][-3:] == [6, 5, 0]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (Config(caches=CONFIG.caches), "no array for the crossbar: set units.crossbar = false"),
        (
            Config(caches=CONFIG.caches, units=Units(crossbar=False)),
            "moves a word a cycle: set dcache.beat = 1, not 25",
        ),
        (Config(units=NO_UNITS), "set caches.enabled = false"),
    ],
)
def test_a_machine_that_it_cannot_be_is_told(config: Config, told: str) -> None:
    with pytest.raises(PentaryError, match=re.escape(told)):
        check(config, assemble_text("halt"))


def test_a_fault_without_a_handler_is_told() -> None:
    output, _, exit_status, faulted = run(assemble_text("li p1, 7\nload p2, -1(p0)\nhalt"), CONFIG)
    assert (output, exit_status, faulted) == (b"", 0, 1)


def test_a_program_that_is_too_large_is_told() -> None:
    program = assemble_text("halt\n.data\n.space 15625")
    with pytest.raises(PentaryError, match=r"the program takes 15,626 words, but memory\.words is 15,625"):
        check(CONFIG, program)


def test_the_memory_holds_what_is_stored_and_a_load_sees_the_store_of_its_cycle() -> None:
    random, text = Random(SEED), 50
    words = [random.randint(-WORD_MAX, WORD_MAX) for _ in range(2 * text)]
    memory, held = BlockMemory(CONFIG, Program(np.array(words), text, len(words))), dict(enumerate(words))

    async def testbench(context: Any) -> None:
        loaded = fetched = None
        for _ in range(1000):
            to_fetch, to_load = random.randrange(text), random.choice((random.randrange(2 * text), WORDS - 1))
            to_store = random.choice((to_load, random.randrange(WORDS))) if to_load >= text else WORDS - 1
            number = random.randint(-WORD_MAX, WORD_MAX)
            for port, address in ((memory.fetch, to_fetch), (memory.load, to_load), (memory.store, to_store)):
                context.set(port.address, w.biased(address))
            fetches, loads, stores = (random.random() < 0.7 for _ in range(3))
            stores = stores and to_store >= text  # the core stores nothing to the text
            for port, enable in ((memory.fetch, fetches), (memory.load, loads), (memory.store, stores)):
                context.set(port.enable, enable)
            context.set(memory.store.word, w.biased(number))
            await context.tick()
            if stores:
                held[to_store] = number
            fetched = held[to_fetch] if fetches else fetched
            loaded = held.get(to_load, 0) if loads else loaded
            for port, expected in ((memory.fetch, fetched), (memory.load, loaded)):
                if expected is not None:
                    assert number_of(context.get(port.word)) == expected, f"seed {SEED}"

    bench = Bench(memory)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()
