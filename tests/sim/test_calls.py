"""Profiles by call against the interpreter with a stack of its own, and between two places of a program."""

import json
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.asm import assemble, assemble_text, disassemble_word
from pentary.cli.commands import main
from pentary.interpreter import Interpreter
from pentary.isa.program import Program
from pentary.numbers.word import PentaryError
from pentary.programs import benchmarks
from pentary_sim import kernels
from pentary_sim.calls import Call, CallProfile, write
from pentary_sim.drive import drive, drive_between
from pentary_sim.events import Events
from pentary_sim.simulator import Simulator

SOURCE = """\
start:  li    p1, 3
loop:   call  outer
        dec   p1
        bnz   p1, loop
        call  inner
        halt
outer:  push  lr
        call  inner
        call  inner
        pop   lr
        ret
inner:  nop
        mul   p2, p1, p1
        inc   p2
        ret
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prog.s").write_text(SOURCE)


def pentary(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.stdout, result.stderr


def interpreted(program: Program) -> Counter[tuple[str, ...]]:
    """Return the instructions executed in each chain of calls."""
    machine, names = Interpreter(program), program.label_names()
    stack, counts = [names.get(0, "program")], Counter[tuple[str, ...]]()
    while not machine.halted:
        name = disassemble_word(int(program.image[machine.pc])).split()[0]
        counts[tuple(stack)] += 1
        machine.step()
        if name in ("CALL", "CALLR"):
            stack.append(names.get(machine.pc, str(machine.pc)))
        elif name == "RET" and len(stack) > 1:
            stack.pop()
    return counts


def batches(machine: Simulator, size: int) -> list[Events]:
    found = []
    while machine.run(max_instructions=machine.instructions + size) != "halt":
        found.append(machine.take_events())
    return [*found, machine.take_events()]


PROGRAMS = {
    "source": assemble_text(SOURCE),
    "towers": assemble(benchmarks.PROGRAMS / "towers.s", {"N": 5}),
    "strings": assemble(benchmarks.PROGRAMS / "strings.s", {"N": 2}),
    "jumps": assemble(benchmarks.PROGRAMS / "jumps.s", {"N": 25}),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_instructions_are_counted_by_chains_of_calls(name: str, size: int) -> None:
    profile = CallProfile(PROGRAMS[name])
    for events in batches(Simulator(PROGRAMS[name], trace=True), size):
        records = events.records.copy()
        records["lost"] = 0  # a cycle for each instruction
        profile.add(events._replace(records=records))
    assert dict(profile.root.chains()) == dict(interpreted(PROGRAMS[name]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_cycles_are_those_of_the_profile(name: str) -> None:
    program = PROGRAMS[name]
    machine, profile = Simulator(program, trace=True), CallProfile(program)
    assert drive(machine, trace=profile) == "halt"
    assert profile.root.total == machine.profile.sum()
    names = [program.label_names().get(pc) for pc in range(program.text)]
    leaves = Counter[str]()
    for chain, cycles in profile.root.chains():
        leaves[chain[-1]] += cycles
    if name == "source":
        for subroutine, length in (("outer", 5), ("inner", 4)):
            first = names.index(subroutine)
            assert leaves[subroutine] == machine.profile[first : first + length].sum()


def test_what_is_called_stands_on_its_callers() -> None:
    profile = CallProfile(PROGRAMS["source"])
    drive(Simulator(PROGRAMS["source"], trace=True), trace=profile)
    root = profile.root
    assert (root.name, set(root.called), set(root.called["outer"].called)) == ("start", {"outer", "inner"}, {"inner"})
    assert root.total == root.cycles + root.called["outer"].total + root.called["inner"].total


def test_a_return_without_a_call_stays_in_the_program() -> None:
    program = assemble_text("la lr, end\nret\nend: halt")
    profile = CallProfile(program)
    drive(Simulator(program, trace=True), trace=profile)
    assert [chain for chain, _ in profile.root.chains()] == [("program",)]


def test_folded_lines_have_every_chain() -> None:
    status, _, _ = pentary("profile", "prog.s", "--calls", "prog.folded")
    assert status == 0
    lines = [line.rsplit(" ", 1) for line in Path("prog.folded").read_text().splitlines()]
    assert [chain for chain, _ in lines] == ["start", "start;outer", "start;outer;inner", "start;inner"]
    total = json.loads(pentary("profile", "prog.s", "--json")[1])["cycles"]
    assert sum(int(cycles) for _, cycles in lines) == total


def test_a_flame_graph_is_an_svg_with_the_names_and_the_same_every_time() -> None:
    assert pentary("profile", "prog.s", "--calls", "prog.svg")[0] == 0
    content = Path("prog.svg").read_text()
    assert {"start", "outer", "inner"} <= {
        (element.text or "").split()[0]
        for element in xml.etree.ElementTree.fromstring(content).iter()
        if element.text and element.text.strip()
    }
    assert pentary("profile", "prog.s", "--calls", "again.svg")[0] == 0
    assert Path("again.svg").read_text() == content


def test_a_deep_recursion_is_drawn_up_to_a_limit() -> None:
    root = call = Call("start", cycles=1)
    for _ in range(300):
        call = call.enter("deeper")
        call.cycles = 1
    write(Path("deep.svg"), root, "deep")
    assert Path("deep.svg").read_text().count("deeper") < 100


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(PentaryError, match=r"^no instruction has retired, so there is no profile of calls$"):
        write(Path("none.svg"), Call("start"), "none")


# In crc, `kernel` is a subroutine, entered by its name and left by RET, so it does not reach `kernel_end`.
@pytest.mark.parametrize("name", [name for name in benchmarks.SIZES if name != "crc"])
def test_between_two_places_is_what_a_kernel_counts(name: str) -> None:
    size = benchmarks.SIZES[name][0]
    program = benchmarks.assembled(name, size)
    machine = Simulator(program)
    first, last = program.address("kernel"), program.address("kernel_end")
    ending, counted, entered = drive_between(machine, first, last)
    assert ending == "halt" and entered == 1
    assert counted.sum() == kernels.measure(name, size).cycles


def test_a_part_that_is_run_many_times_counts_each_time() -> None:
    program = PROGRAMS["source"]
    machine = Simulator(program)
    ending, counted, entered = drive_between(machine, program.address("outer"), program.address("loop") + 1)
    outer, inner = program.address("outer"), program.address("inner")
    assert (ending, entered) == ("halt", 3)
    assert np.array_equal(counted[outer:inner], machine.profile[outer:inner])
    assert counted[:outer, 0].sum() == 0
    assert counted[inner:, 0].sum() == 6 * 4  # the call at the end is outside


def test_calls_between_two_places_are_counted_in_their_chains() -> None:
    status, _, _ = pentary("profile", "prog.s", "--calls", "part.folded", "--between", "outer", "loop+1")
    assert status == 0
    chains = [line.rsplit(" ", 1)[0] for line in Path("part.folded").read_text().splitlines()]
    assert chains == ["start;outer", "start;outer;inner"]


def test_json_has_the_rows_of_the_table() -> None:
    status, stdout, _ = pentary("profile", "prog.s", "--json", "--by", "address")
    found = json.loads(stdout)
    machine = Simulator(PROGRAMS["source"])
    machine.run()
    assert (status, found["by"]) == (0, "address")
    assert found["cycles"] == machine.cycles - 4 == sum(row["cycles"] for row in found["rows"])
    assert all(sum(row["causes"].values()) == row["cycles"] for row in found["rows"])
    assert {int(row["name"]): row["instructions"] for row in found["rows"]} == {
        pc: int(counts[0]) for pc, counts in enumerate(machine.profile) if counts.any()
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--calls", "a.png"], "the ending of a.png stands for no profile of calls: use .svg for a flame graph"),
        (["--between", "none", "loop"], "the program has no label 'none'"),
        (["--between", "loop", "99"], "there is no instruction at 99: the program is at 0..14"),
        (["--between", "14+1", "loop"], "the program has no label '14'"),
        (["--calls", "none/a.svg"], "cannot write none/a.svg: No such file or directory"),
    ],
)
def test_a_wrong_profile_is_told(arguments: list[str], told: str) -> None:
    status, _, stderr = pentary("profile", "prog.s", *arguments)
    assert status == 2 and told in stderr and len(stderr.splitlines()) == 1


def test_a_part_that_is_never_reached_is_told() -> None:
    Path("prog.s").write_text("jump end\nloop: nop\nend: halt")
    status, _, stderr = pentary("profile", "prog.s", "--between", "loop", "end")
    assert (status, stderr) == (2, "Error: the program halts, but never reaches loop\n")
