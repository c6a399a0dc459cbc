"""Sessions of the debugger."""

import builtins
import re
import signal
import sys
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.asm import assemble, assemble_text
from pentary.cli.commands import main
from pentary.isa.system import CSRS, WRITABLE
from pentary_sim import drive as driving
from pentary_sim.debugger import Debugger
from pentary_sim.simulator import Simulator

SOURCE = """\
        .equ  N, 5
main:   LI    p1, N
        CALL  factorial
        STORE p2, result(zero)
        LI    p3, 2
        SETVL p3
        LOADV v1, result(zero)
        HALT

factorial:                      ; p2 = 1 * 2 * ... * p1
        PUSH  lr
        PUSH  p1
        LI    p2, 1
        BZ    p1, done
        DEC   p1
        CALL  factorial
        LOAD  p1, (sp)
        MUL   p2, p2, p1
done:   POP   p1
        POP   lr
        RET
        .data
result: .word 0, -7
"""
DIGITS = "⊖-0+⊕"


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compile the model before the tests, since otherwise commands print a message."""
    Simulator(assemble_text("HALT")).run()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prog.s").write_text(SOURCE)
    (tmp_path / "small.toml").write_text("memory.words = 15625\n")
    return tmp_path


def debug(*commands, file="prog.s"):
    """Return the output of each command."""
    marked = "".join(f"{command}\nhelp mark\n" for command in commands)
    run = CliRunner().invoke(main, ["debug", file, "--config", "small.toml"], input=f"help mark\n{marked}")
    assert run.exit_code == 0, run.output
    assert run.stderr == ""
    parts = re.split("Error: there is no command 'mark'.*\n", run.stdout)
    return parts[1 : len(commands) + 1]


def source(text, name="other.s"):
    Path(name).write_text(text)
    return name


def places(printed):
    """Return the addresses marked with an arrow."""
    return [int(address) for address in re.findall("^-> +([0-9]+) ", printed, re.MULTILINE)]


def test_it_begins_with_the_first_instruction_and_ends_with_the_input():
    run = CliRunner().invoke(main, ["debug", "prog.s"], input="")
    assert run.exit_code == 0
    assert run.stdout == (
        "18 instructions; `help` lists the commands\nmain:\n->   0  LI    p1, 5  prog.s:2  main: LI p1, N\n"
    )


@pytest.mark.parametrize("leave", ["quit", "q"])
def test_quit_leaves_at_once(leave):
    run = CliRunner().invoke(main, ["debug", "prog.s"], input=f"{leave}\nstep\n")
    assert run.exit_code == 0
    assert places(run.stdout) == [0]


def test_every_command_has_a_line_of_help_and_a_short_form():
    (shown,) = debug("help")
    lines = shown.splitlines()
    commands = {name.removeprefix("do_") for name in dir(Debugger) if name.startswith("do_")}
    told = {line.split()[1]: line.split()[0] for line in lines[:-1]}
    assert told.keys() == commands
    assert all(len(short) == 1 for short in told.values()) and len(set(told.values())) == len(told)
    assert all(len(line) < 100 for line in lines)
    for name, short in told.items():
        by_name, by_short = debug(f"help {name}", f"h {short}")
        assert by_name == by_short and len(by_name.splitlines()) == 1


def test_steps_by_every_spelling():
    printed = debug("step", "s 2", "", "step 1")
    assert [places(part) for part in printed] == [[1], [8], [9], [10]]


def test_a_step_past_the_end_says_so():
    printed = debug("step 1000", "step", "continue", "print p2")
    assert all(part.startswith("the program has halted\n->   6  HALT") for part in printed[:3])
    assert printed[3].startswith("p2 = 120  ")


def test_next_steps_over_a_call_although_it_is_recursive():
    assert [places(part) for part in debug("next", "next", "n")] == [[1], [2], [3]]
    # In the outermost factorial, the call at 12 is that of factorial(4).
    printed = debug("break factorial+5", "c", "delete", "next", "print p2")
    assert [places(part) for part in printed] == [[], [12], [], [13], []]
    assert printed[4].startswith("p2 = 24  ")


def test_next_stops_at_a_breakpoint_within_the_call():
    printed = debug("b done", "s", "n", "p p1", "n")
    assert printed[2].startswith("breakpoint\n")
    assert [places(part) for part in printed] == [[], [1], [15], [], [16]]


def test_next_stops_at_a_breakpoint_to_which_an_inner_call_returns():
    printed = debug("b factorial+6", "n", "n", "p p2")
    assert places(printed[2]) == [13] and printed[3].startswith("p2 = 1  ")


@pytest.mark.parametrize("slices", [1, 3, 100_000])
def test_continue_stops_at_each_breakpoint_and_goes_on_from_it(slices, monkeypatch):
    monkeypatch.setattr(driving, "_SLICE", slices)
    printed = debug("break factorial", *["continue"] * 7)
    assert [places(part) for part in printed] == [[], *[[7]] * 6, [6]]
    assert printed[1].startswith("breakpoint\n") and printed[7].startswith("the program has halted\n")


def test_a_step_of_many_instructions_stops_at_a_breakpoint():
    assert places(debug("b done", "s 1000")[1]) == [15]


@pytest.mark.parametrize(
    ("where", "address"),
    [("factorial", 7), ("factorial+5", 12), ("12", 12), ("prog.s:2", 0), ("prog.s:1", 0), ("prog.s:10", 7)],
)
def test_a_breakpoint_is_placed_by_label_address_or_line(where, address):
    placed, listed, deleted, left = debug(f"break {where}", "info breaks", f"delete {where}", "i")
    assert re.fullmatch(r"breakpoint at .*\(prog.s:[0-9]+\)\n", placed)
    assert re.search(rf"^(?:->|  ) +{address}  ", listed, re.MULTILINE)
    assert (deleted, left) == ("", "no breakpoints\n")


def test_a_line_is_found_in_an_included_file(here):
    (here / "parts").mkdir()
    source("back: RET\n", "parts/part.s")
    name = source('CALL back\nHALT\n.include "parts/part.s"\n')
    printed = debug("b part.s:1", "b parts/part.s:1", "b other.s:2", "c", file=name)
    assert printed[:3] == [
        "breakpoint at back (parts/part.s:1)\n",
        "breakpoint at back (parts/part.s:1)\n",
        "breakpoint at 1 (other.s:2)\n",
    ]
    assert places(printed[3]) == [2]


def test_delete_without_a_place_forgets_all_breakpoints():
    assert debug("b 3", "b done", "d", "info")[2:] == ["", "no breakpoints\n"]


def test_registers_shows_all_of_them():
    shown = debug("s 9", "registers")[1]
    names, writable = [line.split()[0] for line in shown.splitlines()], list(CSRS)[:WRITABLE]
    assert names == ["pc", "flags", "VL", *(f"p{n}" for n in range(32)), "f0", "f1", "f2", "f3", "acc", *writable]
    assert re.search("^p1 +4  0{14}[+]-$", shown, re.MULTILINE)


def test_print_shows_what_a_name_stands_for():
    commands = ("p1", "P30", "sp", "lr", "zero", "v1", "f2", "N", "result", "result+1", "19", "main")
    printed = debug("continue", *(f"print {name}" for name in commands))[1:]
    assert printed == [
        "p1 = 5  00000000000000+0\n",
        "P30 = 15625  000000000+000000\n",
        "sp = 15625  000000000+000000\n",
        "lr = 2  000000000000000⊕\n",
        "zero = 0  0000000000000000\n",
        "VL = 2\nv1[0]   120   -7\nv1[2..255] are 0\n",
        "f2 = 0  0000000000000000\n",
        "N = 5\n",
        "18  result  120  000000000000+0-0\n",
        "19    -7  00000000000000-⊖\n",
        "19    -7  00000000000000-⊖\n",
        "0  main  10996093755  0⊕-00+00000000+0  LI    p1, 5\n",
    ]


def test_print_shows_accumulator_length_and_controls():
    name = source("LI p1, 7\nMAC p1, p1\nSETVL p1\nLRSET key, p1\nHALT\n")
    assert debug("c", "p acc", "p VL", "p KEY", "p width", file=name)[1:] == [
        "acc = 49  " + "0" * 29 + "⊕0-\n",
        "VL = 7  00000000000000+⊕\n",
        "KEY = 7  00000000000000+⊕\n",
        "width = 6  00000000000000++\n",
    ]


def test_names_of_the_program_come_before_those_of_controls():
    name = source(".equ RANK, 30\nHALT\n.data\nvl: .word 11\nx: .word 12\n")
    assert debug("p RANK", "p rank", "p vl", "p x:1", file=name) == [
        "RANK = 30\n",
        "rank = 1  000000000000000+\n",
        "1  vl  11  00000000000000⊕+\n",
        "2  x  12  00000000000000⊕⊕\n",
    ]


def test_print_shows_as_many_words_as_it_is_told():
    assert debug("print result:2", "p result+1:1", "p 18:2", "p prog.s:2") == [
        *debug("memory result 2", "memory result+1 1", "memory 18 2", "memory 0 1")
    ]


def test_crossbar_shows_a_row():
    name = source("LOADV v1, row(p0)\nLI p1, 3\nLOADX v1, p1\nHALT\n.data\nrow: .word -2, 1, 0, 9\n.space 252\n")
    none, _, shown, printed, empty, bare = debug("x", "c", "crossbar 3", "print x:3", "x 4", "x", file=name)
    assert none == "all rows are 0\n"
    assert bare == shown == printed == f"x[3]  ⊖+0⊕{'0' * 252}\n"
    assert empty == f"x[4]  {'0' * 256}\n"


def test_restart_begins_anew_with_the_same_breakpoints():
    first, value, begun, again, stats = debug("b done", "c", "p p2", "restart", "stats", "c")[1:]
    assert places(first) == [15] and value.startswith("p2 = 1  ")
    assert places(begun) == [0] and places(stats) == [15]
    assert re.search("^instructions +0$", again, re.MULTILINE)


def test_memory_shows_words_and_instructions_up_to_its_end():
    assert debug("memory 17 3", "m 15623", "m main", "m result 2") == [
        "17          1220703149  00+0000000000+0-  RET\n18  result           0  0000000000000000\n"
        "19                  -7  00000000000000-⊖\n",
        "15623    0  0000000000000000\n15624    0  0000000000000000\n",
        debug("m 0 10")[0],
        debug("m 18 2")[0],
    ]


def test_list_is_around_the_next_instruction_or_a_place():
    here, there, line = debug("list", "l factorial+5", "list prog.s:20")
    assert "->   0  LI    p1, 5" in here and "     4  SETVL p3" in here and "     5" not in here
    assert "     8  PUSH" in there and "    16  POP" in there and not places(there)
    assert "    15  POP" in line


def test_vectors_shows_those_that_are_not_zero():
    before, after, one = debug(
        "vectors",
        "s 1000",
        "v",
    )[0::2] + debug("v v3")
    assert before == "VL = 256\n"
    assert after == "VL = 2\nv1[0]   120   -7\nv1[2..255] are 0\n"
    assert one == "VL = 256\nv3[0..255] are 0\n"


def test_a_vector_is_shown_in_lines_of_ten_to_its_end():
    name = source("LOADV v2, table(zero)\nHALT\n.data\ntable: .word " + ", ".join(map(str, range(1, 257))) + "\n")
    shown = debug("c", "v v2", file=name)[1].splitlines()
    assert shown[0] == "VL = 256" and len(shown) == 1 + 26
    assert [int(text) for line in shown[1:] for text in line.split("]")[1].split()] == list(range(1, 257))
    assert [int(n) for n in re.findall(r"v2\[([0-9]+)\]", "\n".join(shown))] == list(range(0, 257, 10))


def test_unit_shows_controls_factors_and_sums():
    name = source("LI p1, 3\nLRSET cols, p1\nLI p1, 2\nLRSET rank, p1\nLRGEN p1\nLRMUL p0\nHALT\n")
    shown = debug("c", "unit", file=name)[1].splitlines()
    assert shown[0] == "ROWS 1  COLS 3  RANK 2  WIDTH 6  KEY 0  GAIN 0"
    spelled = {line.split()[0]: line.split()[1] for line in shown[1:5]}
    assert list(spelled) == ["A[0]", "A[1]", "B[0]", "B[1]"]
    a, b = ([[DIGITS.index(pent) - 2 for pent in spelled[f"{m}[{row}]"]] for row in (0, 1)] for m in "AB")
    assert [len(row) for row in a + b] == [1, 1, 3, 3]
    sums = [a[0][0] * b[0][j] + a[1][0] * b[1][j] for j in range(3)]
    while sums and not sums[-1]:
        sums.pop()
    assert [int(n) for n in re.findall("-?[0-9]+", shown[5].removeprefix("S[0]"))][: len(sums)] == sums
    assert shown[-1] == f"S[{len(sums)}..255] are 0"


def test_stats_are_those_so_far():
    before, after = debug("stats", "s 5", "t")[0::2]
    assert re.search("^instructions +0$", before, re.MULTILINE)
    assert re.search("^instructions +5$", after, re.MULTILINE)
    assert re.search("^  issue +5 ", after, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("foo", "there is no command 'foo'"),
        ("brek main", "there is no command 'brek'; did you mean break?"),
        ("!ls", "there is no command '!ls'"),
        ("= 3", "there is no command '='"),
        ("help foo", "there is no command 'foo'"),
        ("break", "expected a label, LABEL+N, an address or FILE:LINE"),
        ("break factoral", "the program has no label 'factoral'; did you mean factorial?"),
        ("break N", "the program has no label 'N'"),
        ("break result", "there is no instruction at 18: the program is at 0..17"),
        ("break 18", "there is no instruction at 18: the program is at 0..17"),
        ("break -1", "there is no instruction at -1: the program is at 0..17"),
        ("break other.s:1", "no instruction was written in other.s; the program's files are prog.s"),
        ("break prog.s:99", "no instruction was written at prog.s:99 or after it"),
        ("break " + "9" * 5000, "there is no instruction at 99999"),
        ("break p9", "p9 is a register and has no address; a place is a label, LABEL+N"),
        ("memory main 999999999999", "from address 0 to the end of memory there are only 15,625 words"),
        ("memory main 99999999999999999999", "from address 0 to the end of memory there are only 15,625 words"),
        ("delete 3", "there is no breakpoint at main+3 (prog.s:5)"),
        ("info registers", "there is no information about 'registers'"),
        ("step many", "'many' is not a number of 1 or more"),
        ("step 0", "'0' is not a number of 1 or more"),
        ("step -1", "'-1' is not a number of 1 or more"),
        ("next 2", "nothing was expected after the command, not '2'"),
        ("continue main", "nothing was expected after the command, not 'main'"),
        ("quit now", "nothing was expected after the command, not 'now'"),
        ("registers p1", "nothing was expected after the command, not 'p1'"),
        ("print", "expected a label, LABEL+N, an address or FILE:LINE"),
        ("print p32", "the program has no label 'p32'"),
        ("print 15625", "address 15625 is outside memory (0..15624)"),
        ("memory -1", "address -1 is outside memory (0..15624)"),
        ("memory main x", "'x' is not a number of 1 or more"),
        ("crossbar 256", "there is no row 256 of the crossbar; they are 0..255"),
        ("x -1", "'-1' is not the number of a row"),
        ("print x:256", "there is no row 256 of the crossbar; they are 0..255"),
        ("restart now", "nothing was expected"),
        ("memory", "expected a label, LABEL+N, an address or FILE:LINE"),
        ("list nowhere", "the program has no label 'nowhere'"),
        ("list result", "there is no instruction at 18"),
        ("vectors v8", "there is no vector register 'v8'; they are v0..v7"),
        ("vectors p1", "there is no vector register 'p1'; they are v0..v7"),
        ("unit 1", "nothing was expected"),
        ("stats 1", "nothing was expected"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(command, told):
    said, after = debug(command, "list")
    assert said.startswith(f"Error: {told}") and said.count("\n") == 1
    assert places(after) == [0]


@pytest.mark.parametrize(
    ("text", "told", "pc"),
    [
        ("LI p1, 7\na: STORE p1, -6(p1)\nHALT", "memory fault at a (other.s:2): STORE to 1, inside", [1]),
        ("LI p1, 7\na: DIV p2, p1, p0\nHALT", "divide fault at a (other.s:2): DIV by zero", [1]),
        ("LI p1, 7\na: LOAD p1, -9(p1)\nHALT", "memory fault at a (other.s:2): LOAD from -2, outside memory", [1]),
        ("LI p1, 7\na: .word 0\nHALT", "illegal instruction fault at a (other.s:2): ", [1]),
        ("LI p1, 7\na: NOP", "fetch fault at 2, reached from a (other.s:2): there is no instruction", []),
    ],
)
def test_after_a_fault_one_can_look_around(text, told, pc):
    fault, again, value, step = debug("continue", "c", "print p1", "s", file=source(text))
    assert fault.startswith(f"Error: {told}")
    assert fault == again == step
    assert places(fault) == pc
    assert value.startswith("p1 = 7  ")


def test_ctrl_c_stops_a_program_that_runs(monkeypatch):
    run, calls = Simulator.run, count()

    def interrupted(self, *arguments):
        if next(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return run(self, *arguments)

    monkeypatch.setattr(Simulator, "run", interrupted)
    monkeypatch.setattr(driving, "_SLICE", 10)
    printed = debug("continue", "step", file=source("a: NOP\nJUMP a\n"))
    assert printed[0].startswith("Interrupted at a (other.s:1)\n")
    assert [places(part) for part in printed] == [[0], [1]]


def test_ctrl_c_at_the_prompt_is_no_end(monkeypatch):
    lines = iter([KeyboardInterrupt, "step", "quit"])

    def typed(prompt):
        line = next(lines)
        if line is KeyboardInterrupt:
            raise KeyboardInterrupt
        return line

    monkeypatch.setattr(builtins, "input", typed)
    run = CliRunner().invoke(main, ["debug", "prog.s"])
    assert run.exit_code == 0
    assert places(run.stdout) == [0, 1]


def test_input_that_is_no_text_is_a_mistake():
    run = CliRunner().invoke(main, ["debug", "prog.s"], input=b"step\n\xff\n")
    assert run.exit_code == 2
    assert run.stderr == "Error: the input is not text\n"


def test_there_is_a_prompt_on_a_terminal_only(monkeypatch):
    machine = Simulator.__new__(Simulator)
    machine.program = None  # type: ignore[assignment]
    assert Debugger(machine).prompt == ""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert Debugger(machine).prompt == "(pentary) "


def test_names_of_the_program_are_completed():
    debugger = Debugger(Simulator(assemble(Path("prog.s"))))
    assert debugger.completedefault("fa") == ["factorial"]
    assert debugger.completenames("reg") == ["registers"]


# --- conditions, watching, finishing, writing ---

COUNTING = """\
        .equ  LAST, 6
        LI    p1, 0
loop:   INC   p1
        STORE p1, count(zero)
        LI    p2, LAST
        BLT   p1, p2, loop
        HALT
        .data
count:  .word 0, 7
"""


@pytest.mark.parametrize(
    ("condition", "p1"),
    [
        ("p1 == 4", 4),
        ("p1 >= LAST // 2", 3),
        ("(p1 > 2) * (count % 2 == 0)", 3),  # `count` is still that of the round before
        ("max(p1, 5) == p1", 5),
        ("count", 2),
        ("pc == 2", 1),
    ],
)
def test_a_breakpoint_stops_only_where_its_condition_holds(condition, p1):
    file = source(COUNTING)
    made, stopped, value = debug(f"break loop+1 if {condition}", "continue", "print p1", file=file)
    assert made.endswith(f" if {condition}\n")
    assert stopped.startswith("breakpoint\n") and places(stopped) == [2]
    assert value.startswith(f"p1 = {p1} ")


def test_a_condition_that_never_holds_does_not_stop():
    file = source(COUNTING)
    assert debug("break loop if p1 > 100", "continue", file=file)[1].startswith("the program has halted")


def test_a_condition_without_a_value_stops_and_says_why():
    _, stopped = debug("break loop if 1 // p1", "continue", file=source(COUNTING))
    assert stopped.startswith("Error: 1 // p1: division by 0\nbreakpoint\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p1 ==", "p1 ==: expected a number, a name or '(', not the end"),
        ("p99 == 1", "the program has no label 'p99'"),
        ("v1 == 1", "v1 is not one number"),
        ("flags", "flags is not one number"),
        ("p1 = 1", "p1 = 1: expected an operator or a comma, not '= 1'"),
        ("foo(1)", "the program has no label 'foo'"),
    ],
)
def test_a_wrong_condition_is_told_and_sets_no_breakpoint(text, told):
    refused, listed = debug(f"break loop if {text}", "info breaks", file=source(COUNTING))
    assert refused.startswith(f"Error: {told}")
    assert listed == "no breakpoints\n"


def test_a_breakpoint_is_listed_with_its_condition_and_replaced():
    file = source(COUNTING)
    _, listed, _, again = debug("break loop if p1 == 3", "info", "break loop", "info", file=file)
    assert "loop (other.s:3) if p1 == 3" in listed
    assert " if " not in again


@pytest.mark.parametrize(("what", "place"), [("p1", 2), ("count", 3), ("count:2", 3)])
def test_watching_stops_after_each_change(what, place):
    printed = debug(f"watch {what}", "continue", "continue", "delete", "continue", file=source(COUNTING))
    assert [places(part) for part in printed[1:3]] == [[place], [place]]
    if what != "count:2":
        assert [part.splitlines()[0] for part in printed[1:3]] == [f"{what}: 0 -> 1", f"{what}: 1 -> 2"]
    assert printed[4].startswith("the program has halted")


def test_what_never_changes_does_not_stop():
    printed = debug("watch other.s:2", "continue", file=source(COUNTING))  # an instruction
    assert printed[1].startswith("the program has halted")


def test_watching_and_breakpoints_stop_together():
    printed = debug("watch count", "break loop+3", "continue", "continue", "continue", file=source(COUNTING))
    assert [places(part) for part in printed[2:]] == [[3], [4], [3]]
    assert printed[3].startswith("breakpoint\n")


def test_steps_end_early_at_a_change_and_restart_keeps_what_is_watched():
    file = source(COUNTING)
    printed = debug("watch p1", "step 100", "restart", "continue", "info", "delete p1", "info", file=file)
    assert places(printed[1]) == places(printed[3]) == [2]
    assert printed[4] == "watching p1\n" and printed[6] == "no breakpoints\n"


def test_finish_runs_to_the_end_of_the_present_subroutine():
    _, stopped, _, done, value = debug("break done", "continue", "delete", "finish", "print p2")
    assert places(stopped) == [15]  # in the innermost call, where p1 is 0
    assert places(done) == [13]  # behind the CALL of the one above
    assert value.startswith("p2 = 1 ")


def test_finish_of_the_outermost_call_passes_all_inner_ones():
    printed = debug("step 2", "finish", "print p2")
    assert places(printed[0]) == [7] and places(printed[1]) == [2]
    assert printed[2].startswith("p2 = 120 ")


def test_finish_outside_of_any_subroutine_runs_to_the_end_and_stops_at_breakpoints():
    assert debug("finish")[0].startswith("the program has halted")
    assert debug("break done", "finish")[1].startswith("breakpoint\n")


def test_registers_and_memory_are_changed():
    commands = ["set p1 = LAST - 2", "set count+1 = -count - 5", "set pc = 2", "print count+1", "step", "print count"]
    printed = debug(*commands, file=source(COUNTING))
    assert printed[0].startswith("p1 = 4 ") and printed[1].split()[1] == "-5"
    assert printed[3].split()[1] == "-5"
    assert places(printed[4]) == [3] and printed[5].split()[2] == "4"


def test_other_parts_of_the_state_are_changed():
    commands = ["set f1 = 9", "set vl = 17", "set RANK = 3", "print f1", "print vl", "print RANK"]
    printed = debug(*commands, file=source(COUNTING))
    assert [part.split()[:3] for part in printed[3:]] == [["f1", "=", "9"], ["vl", "=", "17"], ["RANK", "=", "3"]]


def test_a_program_that_has_halted_goes_on_from_a_new_place():
    printed = debug("continue", "set pc = 0", "continue", "print p1", file=source(COUNTING))
    assert printed[2].startswith("the program has halted") and printed[3].startswith("p1 = 6 ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p1", "expected set NAME = EXPRESSION"),
        ("= 3", "expected set NAME = EXPRESSION"),
        ("p1 =", "an expression is missing"),
        ("p0 = 1", "p0 is always 0"),
        ("p1 = 5 ** 16", "p1 takes -76293945312..76293945312, not 152587890625"),
        ("vl = 0", "vl takes 1..256, not 0"),
        ("pc = 6", "pc takes 0..5, not 6"),
        ("RANK = 65", "RANK takes 1..64, not 65"),
        ("loop = 1", "loop is at 1; only the words at 6..15624 can be changed"),
        ("15625 = 1", "15625 is at 15625; only the words at 6..15624 can be changed"),
        ("LAST = 1", "the program has no label 'LAST'"),
        ("v1 = 1", "v1 is a register and has no address"),
    ],
)
def test_a_wrong_change_is_told_and_changes_nothing(text, told):
    assert debug(f"set {text}", file=source(COUNTING))[0].startswith(f"Error: {told}")


@pytest.mark.parametrize("what", ["none", "p77", "count:99999", ""])
def test_what_cannot_be_watched_is_told(what):
    refused, listed = debug(f"watch {what}", "info", file=source(COUNTING))
    assert refused.startswith("Error: ") and listed == "no breakpoints\n"


def test_next_passes_a_breakpoint_behind_the_call_whose_condition_does_not_hold():
    printed = debug("step 7", "break factorial+6 if p1 > 100", "next", "print p1")
    assert places(printed[0]) == [12]  # the CALL within factorial
    assert places(printed[2]) == [13] and not printed[2].startswith("breakpoint")
    assert printed[3].startswith("p1 = 4 ")  # that of the CALL, not of a deeper one
