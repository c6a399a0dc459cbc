"""Retire records, against the interpreter, and as files."""

import pytest

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.interpreter.system import flags_as_word
from pentary.isa import decode
from pentary.isa.program import Fault
from pentary.isa.table import STACK
from pentary.machine.config import Config
from pentary.machine.retire import COLUMNS
from pentary.randomprogram import random_program
from pentary_sim.retire import Retired
from pentary_sim.simulator import Simulator

CONFIG = Config.loads("memory.words = 78125")


def recorded(machine: Simulator) -> dict[str, list[int]]:
    """Run a machine to its end; return its records, made in several parts."""
    retired, found = Retired(machine.program), {column: [] for column in COLUMNS}
    ended = ""
    while not ended:
        try:
            reason = machine.run(max_instructions=machine.instructions + 50)
            ended = reason if reason == "halt" else ""
        except Fault as fault:
            ended = fault.kind
        for column, values in retired.records(machine.take_events()).items():
            found[column] += values.tolist()
    return found


@pytest.mark.parametrize("seed", range(12))
def test_records_are_what_the_interpreter_does(seed: int) -> None:
    print(f"seed {seed}")
    program = random_program(seed, 200, faults=seed % 3 == 0)
    found = recorded(Simulator(program, CONFIG, trace=True))
    golden = Interpreter(program, CONFIG.memory.words)
    for number, pc in enumerate(found["pc"]):
        row = {column: values[number] for column, values in found.items()}
        assert row["order"] == number and golden.pc == pc
        word = int(program.image[pc]) if 0 <= pc < program.text else 0
        assert row["word"] == word
        before = [*golden.registers]
        try:
            golden.step()
        except Fault:
            assert row["trap"] > 0 and number == len(found["pc"]) - 1
            assert (row["register"], row["value"], row["address"], row["data"]) == (0, 0, -1, 0)
            break
        assert row["trap"] == 0 and row["flags"] == flags_as_word(golden.flags)
        name = decode(word).instruction.name
        changed = [n for n, (old, new) in enumerate(zip(before, golden.registers, strict=True)) if old != new]
        assert set(changed) <= {row["register"], *([STACK] if name == "POP" else [])}
        assert row["value"] == (golden.registers[row["register"]] if row["register"] else 0)
        if name in ("LOAD", "STORE", "PUSH", "POP") and row["address"] >= 0:
            assert row["data"] == golden.memory[row["address"]]
        if name == "POP" and row["register"] != STACK:
            assert golden.registers[STACK] == row["address"] + 1


def test_cycles_are_those_of_retirement_and_of_a_trap_its_ex() -> None:
    machine = Simulator(assemble_text("li p1, handler\ncsrw HANDLER, p1\ndiv p2, p1, zero\nhandler: halt"), trace=True)
    machine.run()
    events = machine.take_events()
    records, found = events.records, Retired(machine.program).records(events)
    assert found["cycle"].tolist() == [*records["writeback"][:2], records["execute"][2], records["writeback"][3]]
    assert found["trap"].tolist() == [0, 0, 5, 0]
