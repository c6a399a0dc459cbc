"""Lockstep of two engines: what differs is found, and told with its place."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.machine import engines
from pentary.machine.config import Config
from pentary.machine.engines import Engine, Setup
from pentary.machine.lockstep import compare

PROGRAM = """
        li p1, 30
loop:   mul p2, p1, p1
        store p2, 100(p1)
        dec p1
        bnz p1, loop
        li p3, 65
        store p3, -1000(zero)
        halt
"""
SETUP = Setup(assemble_text(PROGRAM), Config.loads("memory.words = 15625"))
MODEL = engines.engine("sim")


class Altered:
    """A run of the model in which something is altered afterwards."""

    def __init__(self, setup: Setup, max_cycles: int | None, alter: Callable[[Any], None]) -> None:
        with MODEL.start(setup, max_cycles) as run:
            self.records, self.output = list(run), run.take_output()
        self.outcome = run.outcome
        alter(self)

    def __iter__(self):
        return iter(self.records)

    def take_output(self) -> list[int]:
        return self.output


def altered(alter: Callable[[Any], None]) -> Engine:
    return Engine("altered", lambda setup, limit: nullcontext(Altered(setup, limit, alter)))


def test_an_engine_agrees_with_itself() -> None:
    found = compare(MODEL, MODEL, SETUP, 10_000)
    assert found.difference == "" and found.cycle is None
    assert len(found.records["pc"]) == found.outcome.instructions == 124


@pytest.mark.parametrize("column", ["cycle", "pc", "register", "value", "address", "data", "flags", "trap"])
def test_a_record_that_differs_is_found_with_its_cycle(column: str) -> None:
    def alter(run: Altered) -> None:
        run.records[0][column] = run.records[0][column].copy()
        run.records[0][column][50] += 1

    found = compare(MODEL, altered(alter), SETUP, 10_000)
    assert found.difference.startswith("record 50 differs, at loop+1") and f"{column} is" in found.difference
    assert found.cycle == found.records["cycle"][50]


def test_missing_records_are_told() -> None:
    def alter(run: Altered) -> None:
        run.records[0] = {name: values[:100] for name, values in run.records[0].items()}

    assert "the model has 24 more" in compare(MODEL, altered(alter), SETUP, 10_000).difference


STATE = {
    "cycles": lambda outcome: {"cycles": outcome.cycles + 1},
    "exit_status": lambda outcome: {"exit_status": 3},
    "registers": lambda outcome: {"registers": outcome.registers + 1},
    "memory": lambda outcome: {"memory": np.zeros_like(outcome.memory)},
}


@pytest.mark.parametrize("name", STATE)
def test_a_state_that_differs_at_the_end_is_told(name: str) -> None:
    def alter(run: Altered) -> None:
        run.outcome = replace(run.outcome, **STATE[name](run.outcome))

    found = compare(MODEL, altered(alter), SETUP, 10_000)
    assert found.difference == f"all records agree, but these differ at the end: {name}" and found.cycle is None


def test_an_output_that_differs_is_told() -> None:
    def alter(run: Altered) -> None:
        run.output = [66]

    assert compare(MODEL, altered(alter), SETUP, 10_000).difference.endswith("console")


def test_an_engine_on_which_the_program_does_not_end_is_stopped_soon() -> None:
    endless = assemble_text(PROGRAM.replace("halt", "again: jump again"))
    other = Engine("endless", lambda setup, limit: MODEL.start(replace(setup, program=endless), limit))
    found = compare(MODEL, other, SETUP, 10**12)
    assert found.difference.startswith(f"record {found.outcome.instructions - 1} differs, at loop+6")


def test_a_program_that_does_not_end_is_stopped() -> None:
    endless = Setup(assemble_text("loop: jump loop"), SETUP.config)
    found = compare(MODEL, MODEL, endless, 1000)
    assert found.difference == "" and found.outcome.ending == "cycles"
    assert found.outcome.error == "the program has not halted within 1,000 cycles; it is at loop (<text>:1)"
