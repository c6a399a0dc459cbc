"""Tests of the core with memory on AXI4, run by cocotb; VARIABLE says what they run."""

import json
import os
from random import Random
from typing import Any

import cocotb

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.isa.system import CAUSES
from pentary.machine.config import Config
from pentary_hdl.bench.core_bench import CoreBench

VARIABLE = "PENTARY_CORE_BUS"
"""Environment variable with a configuration as TOML, a program and a limit of cycles, as JSON."""


def _bench(unit: Any, share: float = 1, rng: Random | None = None) -> tuple[CoreBench, list[int], int]:
    """Return a bench whose memory has a share of its lines, what the program writes, and the limit."""
    settings, source, limit = json.loads(os.environ[VARIABLE])
    config, program = Config.loads(settings), assemble_text(source)
    golden = Interpreter(program, config.memory.words, absent=config.absent)
    golden.run(max_instructions=limit)
    lines = int(share * (config.memory.words // config.caches.line + 1))
    return CoreBench(unit, config, program, lines, rng), list(golden.output), limit


@cocotb.test()
async def at_full_speed(unit: Any) -> None:
    """A program writes what it writes on the interpreter."""
    bench, expected, limit = _bench(unit)
    assert await bench.run(limit), f"not ended after {limit} cycles"
    assert (bench.console, bench.causes) == (expected, [])


@cocotb.test()
async def with_wait_states(unit: Any) -> None:
    """It does so with memory that pauses at random in each channel."""
    bench, expected, limit = _bench(unit, rng=Random(cocotb.RANDOM_SEED))
    assert await bench.run(limit), f"not ended after {limit} cycles"
    assert (bench.console, bench.causes) == (expected, [])


@cocotb.test()
async def with_errors(unit: Any) -> None:
    """An access where memory answers with an error ends the program by a bus fault."""
    bench, _, limit = _bench(unit, 0.5)
    assert await bench.run(limit), f"not ended after {limit} cycles"
    assert bench.fatal and bench.causes == [CAUSES["bus"]], bench.causes
