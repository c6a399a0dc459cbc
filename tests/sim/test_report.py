"""Text reports on a machine."""

import re

import pytest

from pentary.asm import assemble_text
from pentary.isa.program import Program
from pentary.isa.system import CSRS, WRITABLE
from pentary.machine.config import Caches, Config, Memory
from pentary.numbers.notation import GLYPHS
from pentary_sim import report
from pentary_sim.drive import drive
from pentary_sim.events import CAUSES, COUNTS
from pentary_sim.simulator import Simulator

SMALL = Config(memory=Memory(words=5**6))
PROGRAM = """\
; squares of 3 and 2
start:
begin:  LI   p1, 3
        LI   p2, 12345678901    ; two words
loop:   MUL  p3, p1, p1         ; the square
        STORE p3, squares(p1)
        DEC  p1
        BGT  p1, zero, loop
finish: HALT
        .data
squares: .space 4
"""


def run(source, config=SMALL, **options):
    machine = Simulator(assemble_text(source, "squares.s"), config)
    return machine, drive(machine, **options)


def value(pents):
    """Return the value of pents by their definition."""
    return sum((GLYPHS.index(pent) - 2) * 5**place for place, pent in enumerate(reversed(pents)))


def shown_registers(machine, **options):
    lines = (line.split() for line in report.registers(machine, **options).splitlines()[3:])
    return {words[0]: (int(words[-2]), value(words[-1])) for words in lines}


def test_a_listing_has_labels_an_arrow_and_each_line_of_the_source_once():
    program = assemble_text(PROGRAM, "squares.s")
    assert report.listing(program, range(1, 5), 3).splitlines() == [
        "     1  LI    p2, 1928901   squares.s:4  LI p2, 12345678901 ; two words",
        "     2  ADDHI p2, p2, 1264",
        "loop:",
        "->   3  MUL   p3, p1, p1    squares.s:5  loop: MUL p3, p1, p1 ; the square",
        "     4  STORE p3, 8(p1)     squares.s:6  STORE p3, squares(p1)",
    ]


def test_a_listing_of_a_program_without_sources_has_its_instructions():
    program = assemble_text("a: b: LI p1, 3\nJUMP b")
    stripped = Program(program.image, program.text, program.size, program.symbols, program.labels)
    assert report.listing(stripped, range(-3, 9)).splitlines() == ["a:", "     0  LI    p1, 3", "     1  JUMP  a"]


def test_a_long_line_of_the_source_is_cut():
    shown = report.listing(assemble_text("HALT ; " + "x" * 500, "a.s"), [0])
    assert len(shown) < 120 and shown.endswith("x…")


@pytest.mark.parametrize(("pc", "first", "last"), [(0, 0, 4), (6, 2, 7), (7, 3, 7)])
def test_around_an_address_there_is_nothing_that_is_no_instruction(pc, first, last):
    shown = report.around(assemble_text(PROGRAM), pc, pc)
    addresses = re.findall(r"^(?:->|  ) +(\d+)  ", shown, re.MULTILINE)
    assert list(map(int, addresses)) == list(range(first, last + 1))
    assert re.findall(r"^-> +(\d+)  ", shown, re.MULTILINE) == [str(pc)]


def test_registers_are_told_in_decimal_and_pents():
    machine, _ = run(PROGRAM)
    lines = report.registers(machine).splitlines()
    assert lines[:3] == ["pc      finish (squares.s:9)", "flags   Z", "VL      256"]
    assert shown_registers(machine) == {"p2": (12345678901,) * 2, "p3": (1, 1), "p30": (5**6,) * 2}
    assert "p30 sp" in report.registers(machine)


def test_all_registers_are_told_on_request():
    machine, _ = run("LI p1, -7\nHALT")
    shown = shown_registers(machine, everything=True)
    assert list(shown) == [*(f"p{n}" for n in range(32)), "f0", "f1", "f2", "f3", "acc", *list(CSRS)[:WRITABLE]]
    assert [name for name, (decimal, _) in shown.items() if decimal] == ["p1", "p30"]
    assert all(decimal == pents for decimal, pents in shown.values())


@pytest.mark.parametrize("sign", ["", "-"])
def test_the_accumulator_is_told_in_32_pents(sign):
    machine, _ = run(f"LI p1, {sign}76293945312\nLI p2, 76293945312\nMAC p1, p2\nMAC p1, p2\nHALT")
    total = int(f"{sign}2") * 76293945312**2
    assert shown_registers(machine)["acc"] == (total, total)
    assert re.search(f" [{re.escape(GLYPHS)}]{{32}}$", report.registers(machine))


def test_fitness_accumulators_are_told():
    machine, _ = run("LI p1, 3\nVSET v1, p0, p1\nPOPEVAL f2, v0, v1\nHALT")
    assert shown_registers(machine)["f2"] == (9, 9)


def test_figures_say_where_every_cycle_went():
    machine, _ = run(PROGRAM)
    lines = report.figures(machine).splitlines()
    rows = {line[:19].strip(): line[19:] for line in lines}
    assert int(rows["cycles"]) == machine.cycles
    assert int(rows["instructions"]) == 16  # 3, three times 4, HALT
    assert float(rows["CPI"]) == pytest.approx(machine.cycles / 16, abs=0.001)
    causes = [(name, int(rows[name].split()[0])) for name in rows if name in CAUSES]
    assert causes == sorted(causes, key=lambda cause: -cause[1])
    assert {name: cycles for name, cycles in causes} == {name: n for name, n in machine.causes.items() if n}
    shares = [float(rows[name].split()[1].rstrip("%")) for name, _ in causes]
    assert sum(shares) == pytest.approx(100, abs=0.06 * len(shares))
    assert rows["branches"].startswith("3, ")
    assert rows["data cache"].startswith("3 accesses, ")
    assert not any(name.endswith("unit") for name in rows)


def test_figures_of_a_machine_that_has_not_run():
    machine = Simulator(assemble_text("HALT"), SMALL)
    assert report.figures(machine).splitlines() == ["cycles        0", "instructions  0"]


def test_figures_of_a_machine_without_caches_have_no_hit_rates():
    machine, _ = run(PROGRAM, Config(memory=Memory(words=5**6), caches=Caches(enabled=False)))
    lines = report.figures(machine).splitlines()
    assert [line.split() for line in lines if "accesses" in line] == [
        ["instruction", "memory", f"{machine.instructions}", "accesses"],
        ["data", "memory", "3", "accesses"],
    ]


def test_figures_of_the_low_rank_unit():
    source = "LI p1, 32\nLRSET cols, p1\nLRMUL p0\nLRMUL p0\nLRACC v1, v0, p0\nHALT"
    machine, _ = run(source)
    counts = machine.counts
    rows = dict(line.split("  ", 1) for line in map(str.strip, report.figures(machine).splitlines()))
    # 32 columns in 16 lanes: two cycles for each LRMUL, all lanes used.
    assert (counts["lowrank_multiply_cycles"], counts["lowrank_macs"]) == (4, 64)
    assert rows["LRMUL, LRMULX"].strip() == f"busy {4 / machine.cycles:.1%}, lanes used 100.0%"
    assert rows["lowrank unit"].strip() == f"busy {counts['lowrank_busy_cycles'] / machine.cycles:.1%}"


@pytest.mark.parametrize(
    ("source", "options", "told"),
    [
        ("a: HALT", {}, None),
        ("a: NOP\nHALT", {"max_instructions": 1}, None),
        ("a: NOP\nHALT", {"stop_at": [1]}, None),
        ("a: JUMP a", {"max_cycles": 5000}, "the program has not halted within 5,000 cycles; it is at a (squares.s:1)"),
        ("a: NOP\nDIV p1, p0, p0", {}, "divide fault at a+1 (squares.s:2): DIV by zero"),
        ("LI lr, 5000\na: RET", {}, "fetch fault at 5000, reached from a (squares.s:2): there is no instruction: the "),
        ("a: NOP\nb: NOP", {}, "fetch fault at 2, reached from b (squares.s:2): there is no instruction: "),
    ],
)
def test_the_problem_is_one_line_with_its_place(source, options, told):
    machine, ending = run(source, **options)
    problem = report.problem(machine, ending, options.get("max_cycles"))
    if told is None:
        assert problem is None
    else:
        assert problem and problem.startswith(told) and "\n" not in problem


def test_the_state_at_a_fault_is_that_before_it():
    machine, ending = run("LI p1, 1\nLI p2, 2\nDIV p1, p2, p0\nLI p2, 3\nHALT")
    shown = report.state(machine, ending)
    assert shown.startswith(f"after 2 instructions, {machine.cycles} cycles\n\n")
    assert "->   2  DIV   p1, p2, p0  squares.s:3  DIV p1, p2, p0\n" in shown
    assert shown_registers(machine) == {"p1": (1, 1), "p2": (2, 2), "p30": (5**6,) * 2}


def test_the_state_at_a_fetch_fault_shows_where_it_came_from():
    machine, ending = run("LI lr, -1\nNOP\nRET\nHALT")
    shown = report.state(machine, ending)
    assert "->   2  RET" in shown
    assert "\npc      -1\n" in shown


@pytest.mark.parametrize(("address", "missing"), [(3, True), (4, False), (5000, False), (-1, False)])
def test_an_address_outside_of_the_program_is_not_told_by_a_label(address, missing):
    machine, ending = run(f"LI lr, {address}\nlast: RET\nHALT")
    assert f"\npc      {address}\n" in report.state(machine, ending)
    problem = report.problem(machine, ending)
    assert problem and problem.endswith("0..2; is a HALT missing?" if missing else "0..2")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("LI p1, 0\na: SETVL p1", "SETVL takes 1..256, not 0"),
        ("LI p1, 300000\na: VSET v1, p1, p1", "VSET element 300000 is outside 0..255 (VL 256)"),
        ("LI p1, 9\nSETVL p1\na: VGET p2, v1, p1", "VGET element 9 is outside 0..8 (VL 9)"),
        ("LI p1, 256\na: LOADX v1, p1", "LOADX row 256 is outside 0..255"),
        ("a: LRSET rank, p0", "LRSET RANK takes 1..64, not 0"),
        ("LI p1, 9\na: LRSET width, p1", "LRSET WIDTH takes 2..8, not 9"),
        ("a: LRSET gain, p2", None),
        ("LI p1, -1\na: LRGEN p1", "LRGEN takes pairs 0..195312, not -1"),
        ("LI p1, 7\nLRSET rows, p1\na: LRMUL p1", "LRMUL row 7 is outside 0..6 (ROWS 7)"),
    ],
)
def test_an_operand_fault_says_what_is_outside_which_range(source, told):
    machine, ending = run(f"{source}\nHALT")
    problem = report.problem(machine, ending)
    assert problem == (told and f"operand fault at a (squares.s:{source.count(chr(10)) + 1}): {told}")


def test_one_instruction_is_told_in_the_singular():
    machine, ending = run("NOP\nDIV p1, p0, p0")
    assert report.state(machine, ending).startswith("after 1 instruction, ")


def test_json_holds_everything():
    machine, ending = run(PROGRAM)
    told = report.as_json(machine, ending, None)
    assert (told["ended"], told["error"]) == ("halt", None)
    assert told["cycles"] == sum(told["causes"].values())
    assert (list(told["causes"]), list(told["counts"])) == (list(CAUSES), list(COUNTS))
    assert told["registers"] == [0, 0, 12345678901, 1, *[0] * 26, 5**6, 0]
    assert told["cpi"] == told["cycles"] / told["instructions"]
    assert told["flags"] == ["Z"]


def test_json_of_a_machine_that_has_not_run_has_no_cpi():
    machine, ending = run("RET", max_instructions=0)
    assert report.as_json(machine, ending, None)["cpi"] is None
