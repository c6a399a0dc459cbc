from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from pentary.interpreter import Interpreter
from pentary.isa import BY_NAME, INSTRUCTIONS, Decoded, IllegalInstruction, decode
from pentary.isa.encoding import operands
from pentary.isa.program import Fault, Program
from pentary.isa.system import CAUSES, CSRS, WRITABLE
from pentary.isa.table import STACK
from pentary.numbers.word import PentaryError, as_words
from pentary.randomprogram import INTERRUPTS, LENGTH_MAX, random_program

BRANCHES = {instruction.name for instruction in INSTRUCTIONS if "j7" in instruction.operands}


def executed(program: Program) -> list[tuple[int, Decoded]]:
    """Run a program to HALT; return the executed instructions with their addresses."""
    machine = Interpreter(program, input=range(65, 91))
    trace = []
    while not machine.halted:
        pc, count = machine.pc, machine.instructions
        machine.step()
        if machine.instructions > count:  # else a trap was taken
            trace.append((pc, decode(program.image[pc].item())))
    return trace


@pytest.mark.parametrize("length", [1, 30, 300])
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_programs_end_without_a_fault_within_their_bound(first: int, length: int) -> None:
    for seed in range(first, first + 10):
        program = random_program(seed, length)
        machine = Interpreter(program)
        count = machine.run(program.symbols["BOUND"])
        assert machine.halted, f"seed {seed} has executed {count} instructions"
        assert machine.registers[STACK] == len(machine.memory), f"seed {seed} leaves something on the stack"


def test_every_instruction_is_executed_and_every_branch_goes_both_ways() -> None:
    counts, taken, not_taken = Counter(), set(), set()
    for seed in range(20):
        trace = executed(random_program(seed, 300, system=seed % 2 == 1))
        counts.update(decoded.instruction.name for _, decoded in trace)
        for (pc, decoded), (following, _) in pairwise(trace):
            if decoded.instruction.name in BRANCHES:
                (not_taken if following == pc + 1 else taken).add(decoded.instruction.name)
    assert min(counts[name] for name in BY_NAME) >= 5
    assert taken == not_taken == BRANCHES


@pytest.mark.parametrize("length", [30, 300])
@pytest.mark.parametrize("trap", [False, True])
def test_programs_with_a_handler_take_all_traps_and_end_within_their_bound(length: int, trap: bool) -> None:
    causes = Counter()
    for seed in range(60):
        print(f"seed {seed}")
        program = random_program(seed, length, system=True)
        machine = Interpreter(
            program, overflow_trap=trap, input=range(5), interrupts=range(0, 2000, 2000 // INTERRUPTS)
        )
        while not machine.halted:
            assert machine.instructions < program.symbols["BOUND"]
            traps = machine.traps
            machine.step()
            causes[machine.csrs["CAUSE"]] += machine.traps - traps
        assert machine.registers[STACK] == len(machine.memory)
    never = {"bus"} if trap else {"bus", "overflow"}
    possible = {number for name, number in CAUSES.items() if name not in never}
    assert {*+causes} == possible if length == 300 else {*+causes} <= possible


def test_a_program_with_a_handler_that_is_to_fault_ends_in_a_double_fault() -> None:
    for seed in range(30):
        print(f"seed {seed}")
        program = random_program(seed, 60, faults=True, system=True)
        with pytest.raises(Fault) as caught:
            Interpreter(program).run(program.symbols["BOUND"])
        assert caught.value.kind == "double"


def test_every_register_is_read_and_written_and_every_vector_used_in_each_field() -> None:
    seen = {name: set() for instruction in INSTRUCTIONS for name, _ in operands(instruction)}
    for seed in range(40):
        for _, decoded in executed(random_program(seed, 300, system=seed % 2 == 1)):
            for name, operand in operands(decoded.instruction):
                seen[name].add(getattr(decoded, operand.field))
    for name in ("rd", "rs", "rt", "ru"):
        assert seen[name] == set(range(32)), name
    for name in ("vd", "vs", "vt", "vu"):
        assert seen[name] == set(range(8)), name
    assert seen["fd"] == seen["fs"] == set(range(4))
    assert seen["cd"] == set(range(6))
    assert seen["ss"] == set(range(len(CSRS)))
    assert seen["sd"] == set(range(WRITABLE))
    assert seen["k"] == set(range(17))
    assert seen["w"] == set(range(1, 17))


def test_results_of_every_kind_are_read_at_every_age() -> None:
    ages = Counter()
    for seed in range(10):
        writers = {}
        for time, (_, decoded) in enumerate(executed(random_program(seed, 300))):
            registers = {name: getattr(decoded, operand.field) for name, operand in operands(decoded.instruction)}
            for name in {"rs", "rt", "ru"} & registers.keys():
                writer, written = writers.get(registers[name], ("nothing", 0))
                ages[writer, time - written] += 1
            if registers.get("rd"):
                loads = decoded.instruction.group == "memory"
                writers[registers["rd"]] = "load" if loads else decoded.instruction.unit, time
    for writer, oldest in {"scalar": 4, "multiplier": 5, "divider": 3, "load": 3, "vector": 4, "lowrank": 2}.items():
        for age in range(1, oldest + 1):
            assert ages[writer, age], f"no result of {writer} is read after {age} instructions"


def test_the_same_arguments_give_the_same_program_and_others_another() -> None:
    one, same, other = random_program(5, 100, True), random_program(5, 100, True), random_program(6, 100, True)
    assert one.image.tolist() == same.image.tolist()
    assert one.image.tolist() != other.image.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_programs_hold_words_and_their_body_has_the_length_asked_for(seed: int) -> None:
    program = random_program(seed, 500)
    assert as_words(program.image).dtype == np.int64
    assert 500 <= program.text < 900
    assert program.text < len(program.image) <= program.size < 30_000


def test_the_longest_program_can_be_encoded_and_longer_ones_are_refused() -> None:
    program = random_program(0, LENGTH_MAX)
    assert program.text >= LENGTH_MAX
    assert Interpreter(program).run(program.symbols["BOUND"]) <= program.symbols["BOUND"]
    for length in (0, LENGTH_MAX + 1):
        with pytest.raises(PentaryError, match=f"^length {length} is outside 1..20000$"):
            random_program(0, length)


def ending(program: Program, overflow_trap: bool) -> str:
    machine = Interpreter(program, overflow_trap=overflow_trap)
    try:
        machine.run(program.symbols["BOUND"])
    except Fault as fault:
        return fault.kind
    assert machine.halted
    return "none"


@pytest.mark.parametrize("length", [1, 40])
def test_faults_of_every_kind_occur(length: int) -> None:
    programs = [random_program(seed, length, faults=True) for seed in range(60)]
    untrapped, trapped = ([ending(program, overflow_trap=trap) for program in programs] for trap in (False, True))
    kinds = {"illegal instruction", "fetch", "memory", "divide", "operand"}
    assert set(untrapped) == kinds | {"none"}
    assert set(trapped) == kinds | {"overflow"}
    assert all(after == before or after == "overflow" for before, after in zip(untrapped, trapped, strict=True))


ABSENT = [{"crossbar"}, {"lowrank"}, {"crossbar", "lowrank"}, {"vector", "memory", "crossbar", "lowrank"}]


def unit_at(program: Program, pc: int) -> str | None:
    """Return the unit of the instruction at an address, None if there is none."""
    try:
        return decode(program.image[pc].item()).instruction.unit if 0 <= pc < program.text else None
    except IllegalInstruction:
        return None


@pytest.mark.parametrize("absent", ABSENT, ids=lambda units: ",".join(sorted(units)))
@pytest.mark.parametrize("faults", [False, True])
def test_an_instruction_of_an_absent_unit_is_only_met_as_an_illegal_one(absent: set[str], faults: bool) -> None:
    executed, refused, kinds = Counter(), Counter(), Counter()
    for seed in range(90):
        print(f"seed {seed}")
        program = random_program(seed, 100, faults, seed % 3 == 0, absent)
        machine = Interpreter(program, input=range(65, 91), absent=absent)
        ended = False
        while not (ended or machine.halted):
            assert machine.instructions < program.symbols["BOUND"]
            pc, count = machine.pc, machine.instructions
            try:
                machine.step()
            except Fault as fault:
                kinds[fault.kind] += 1
                ended = True
            (executed if machine.instructions > count else refused)[unit_at(program, pc)] += 1
    units = {line.unit for line in INSTRUCTIONS}
    assert {*executed} == units - absent
    assert refused.keys() & absent
    assert not faults or {"illegal instruction", "fetch", "memory", "divide", "operand", "double"} == {*kinds}
