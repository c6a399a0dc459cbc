"""The commands `run`, `profile` and `debug` on the command line."""

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.asm import assemble, assemble_text, objectfile
from pentary.cli.commands import main
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary_sim import drive as driving
from pentary_sim.simulator import Simulator

SQUARES = """\
        .param COUNT, 10
main:   LI    p1, COUNT
loop:   MUL   p2, p1, p1        ; the square
        ADD   p3, p3, p2
        DEC   p1
        BNZ   p1, loop
        HALT
"""


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compile the model before the tests, since otherwise commands print a message."""
    Simulator(assemble_text("HALT")).run()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prog.s").write_text(SQUARES)
    return tmp_path


def pentary(*arguments, **options):
    return CliRunner().invoke(main, list(map(str, arguments)), **options)


def write(text, name="bad.s"):
    Path(name).write_text(text)
    return name


def simulated(source="prog.s", defines=None):
    machine = Simulator(assemble(Path(source), defines))
    machine.run()
    return machine


def test_run_prints_figures_and_registers():
    run = pentary("run", "prog.s")
    assert (run.exit_code, run.stderr) == (0, "")
    shown = run.stdout
    machine = simulated()
    assert shown.startswith("halted at loop+4 (prog.s:7)\n")
    assert f"\ncycles             {machine.cycles:,}\n" in shown
    assert "\ninstructions       42\n" in shown
    assert "\nbranches           10, " in shown
    assert "\np2            1  000000000000000+\n" in shown
    assert "\np3          385  00000000000+⊖0⊕0\n" in shown  # 1 + 4 + ... + 100 = 5^4 - 2 * 5^3 + 2 * 5
    assert "p4" not in shown and "p1 " not in shown


def test_json_is_one_object_with_everything():
    run = pentary("run", "prog.s", "--json", "-D", "COUNT=5")
    assert (run.exit_code, run.stderr) == (0, "")
    told, machine = json.loads(run.stdout), simulated(defines={"COUNT": 5})
    assert (told["ended"], told["error"], told["instructions"]) == ("halt", None, 22)
    assert (told["cycles"], told["cpi"]) == (machine.cycles, machine.cycles / 22)
    assert (told["causes"], told["counts"]) == (machine.causes, machine.counts)
    assert told["registers"][2:4] == [1, 1 + 4 + 9 + 16 + 25]


def test_object_files_run_like_their_sources(here):
    assert pentary("asm", "prog.s").exit_code == 0
    objects = sorted(here.glob("prog.*"))
    assert len(objects) == 2
    (built,) = [path for path in objects if path.suffix != ".s"]
    assert pentary("run", built).stdout == pentary("run", "prog.s").stdout


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_programs_from_standard_input_run_and_are_profiled_like_files(name):
    assert pentary("asm", "prog.s").exit_code == 0
    for command in ("run", "profile"):
        wanted = pentary(command, "prog.s").stdout.replace("prog.s", "<stdin>")
        assert pentary(command, name, input=SQUARES).stdout == wanted
        assert pentary(command, name, input=Path("prog.pob").read_bytes()).stdout == pentary(command, "prog.s").stdout
    assert pentary("profile", name, "--picture", "a.png", input=SQUARES).exit_code == 0
    refused = pentary("debug", name, input=SQUARES)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == (
        "Error: commands are read from standard input, so the program cannot be: give it as a file\n"
    )


def test_a_program_from_a_closed_standard_input_is_a_mistake(monkeypatch):
    monkeypatch.setattr("pentary.asm.objectfile.sys.stdin", None)
    with pytest.raises(PentaryError, match=r"^the program is read from standard input, and it is closed$"):
        objectfile.load_program(Path("-"))


def test_a_configuration_changes_the_machine():
    slow = write("[memory]\nlatency = 1000\n[predictor]\nentries = 0\n", "slow.toml")
    told = [json.loads(pentary("run", "prog.s", "--json", *more).stdout) for more in ([], ["--config", slow])]
    assert told[1]["causes"]["fetch_memory"] == told[0]["causes"]["fetch_memory"] // 60 * 1000
    assert told[1]["counts"]["mispredictions"] == 9
    assert told[0]["registers"] == told[1]["registers"]


def test_a_limit_that_is_not_reached_changes_nothing():
    cycles = simulated().cycles
    assert pentary("run", "prog.s", "--max-cycles", cycles).stdout == pentary("run", "prog.s").stdout


def test_a_trace_holds_every_instruction():
    run = pentary("run", "prog.s", "--trace", "prog.kanata")
    assert run.exit_code == 0
    assert run.stdout == pentary("run", "prog.s").stdout
    retired = [line for line in Path("prog.kanata").read_text().splitlines() if line.startswith("R\t")]
    assert len(retired) == 42


def test_a_trace_of_some_cycles_holds_the_instructions_at_work_in_them():
    def traced(*options):
        assert pentary("run", "prog.s", "--trace", "prog.json", *options).exit_code == 0
        return [slice for slice in json.loads(Path("prog.json").read_text())["traceEvents"] if slice["ph"] == "X"]

    def executed(slices):
        return [slice["ts"] for slice in slices if slice["tid"] == 3]

    whole = traced()
    middle = executed(whole)[20]
    fetched = [slice["ts"] for slice in whole if slice["tid"] == 1]
    retired = [slice["ts"] for slice in whole if slice["tid"] == 5]
    assert len(executed(traced("--trace-cycles", ":"))) == 42
    for first, last in ((middle, middle + 10), (middle, middle), (0, middle), (middle, 10**9)):
        options = f"{first or ''}:{last if last < 10**9 else ''}"
        among = [n for n in range(42) if fetched[n] <= last and retired[n] >= first]
        assert executed(traced("--trace-cycles", options)) == [executed(whole)[n] for n in among]
        assert 0 < len(among) < 42


def test_what_is_asked_for_is_shown_in_decimal_and_pents():
    source = write("LI p1, -7\nSTORE p1, days+1(p0)\nHALT\n.data\ndays: .word 28, 0, 31\n")
    asked = [part for what in ("days:3", "p1", "days+2", "KEY") for part in ("--show", what)]
    run = pentary("run", source, *asked)
    assert run.exit_code == 0
    assert run.stdout.startswith(pentary("run", source).stdout)
    assert run.stdout.endswith(
        "\n\n3  days  28  0000000000000++⊖\n4        -7  00000000000000-⊖\n5        31  0000000000000+++\n"
        "\np1 = -7  00000000000000-⊖\n\n5    31  0000000000000+++\n\nKEY = 0  0000000000000000\n"
    )
    told = json.loads(pentary("run", source, *asked, "--json").stdout)
    assert told["shown"] == {"days:3": [28, -7, 31], "p1": -7, "days+2": 31, "KEY": 0}


def test_what_is_asked_for_is_shown_after_a_fault_too():
    run = pentary("run", write("LI p1, 3\nDIV p1, p1, p0\nHALT\n"), "--show", "p1")
    assert (run.exit_code, run.stdout) == (2, "p1 = 3  00000000000000+⊖\n")


def test_a_trace_holds_what_came_before_a_fault_and_the_fault():
    name = write("LI p1, 3\nNOP\nDIV p1, p1, p0\nHALT\n")
    assert pentary("run", name, "--trace", "bad.kanata").exit_code == 2
    lines = Path("bad.kanata").read_text().splitlines()
    ends = dict(line.split("\t")[1::2] for line in lines if line.startswith("R\t"))
    assert ends == {"0": "0", "1": "0", "2": "1"}
    assert "L\t2\t0\t2: DIV p1, p1, p0  [divide fault]" in lines


TRAP = "[exceptions]\noverflow_trap = true\n"
FAULTS = {
    "jump outside": ("here: JUMP here + 3\nHALT", "fetch fault at 3, reached from here (bad.s:1): there is no", 0),
    "return outside": ("LI lr, -9\nhere: RET\nHALT", "fetch fault at -9, reached from here (bad.s:2): there is", 1),
    "past the end": ("NOP\nhere: NOP", "fetch fault at 2, reached from here (bad.s:2): there is no instruction", 1),
    "store outside": (
        "here: STORE p1, (sp)\nHALT",
        "memory fault at here (bad.s:1): STORE to 1953125, outside memory (0..1953124)",
        0,
    ),
    "store to text": ("NOP\nhere: STORE p1, (p0)\nHALT", "memory fault at here (bad.s:2): STORE to 0, inside the", 1),
    "vector outside": ("here: LOADV v1, -2(sp)\nHALT", "memory fault at here (bad.s:1): LOADV from 1953123..", 0),
    "no instruction": ("NOP\nhere: .word 1\nHALT", "illegal instruction fault at here (bad.s:2): ", 1),
    "division": ("LI p1, 3\nhere: NOP\nDIV p2, p1, p3\nHALT", "divide fault at here+1 (bad.s:3): DIV by zero", 2),
    "overflow": (
        "LI p1, 76293945312\nhere: ADD p2, p1, p1\nHALT",
        "overflow fault at here (bad.s:2): the result of ADD does not fit, and exceptions.overflow_trap is on",
        2,
    ),
    "operand": ("LI p1, 257\nhere: SETVL p1\nHALT", "operand fault at here (bad.s:2): SETVL takes 1..256, not 257", 1),
    "no halt": (
        "here: NOP\nJUMP here\n",
        "the program has not halted within 5,000 cycles; it is at here",
        None,
    ),
}


@pytest.mark.parametrize("form", [["run"], ["run", "--json"], ["run", "--trace", "trace.vcd"], ["profile"]])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_program_that_goes_wrong_leaves_a_report_of_its_state(kind, form):
    text, told, arrow = FAULTS[kind]
    options = ["--config", write(TRAP, "trap.toml"), "--max-cycles", "5000"]
    run = pentary(*form, write(text), *options)
    assert run.exit_code == 2
    lines = run.stderr.splitlines()
    assert lines[0].startswith(f"Error: {told}")
    assert "Traceback" not in run.output
    assert lines[1] == "" and lines[2].startswith("after ")
    (pointed,) = [line for line in lines if line.startswith("->")]
    assert arrow is None or pointed.split()[1] == str(arrow)
    assert "here:" in lines
    assert any(line.startswith("flags  ") for line in lines)
    assert any(line.startswith("p30 sp  ") for line in lines)
    if form == ["run", "--json"]:
        result = json.loads(run.stdout)
        assert result["ended"] == ("cycles" if kind == "no halt" else "fault")
        assert lines[0] == f"Error: {result['error']}"
    elif form == ["profile"]:
        assert run.stdout.startswith("label ")
    else:
        assert run.stdout == ""


def truncated():
    objectfile.save(assemble(Path("prog.s")), Path("whole.pob"))
    content = Path("whole.pob").read_bytes()
    Path("part.pob").write_bytes(content[: len(content) // 2])
    return ["part.pob"]


def unwritable(option):
    (path := Path("no")).mkdir()
    return ["prog.s", option, path / "folder" / ("x.vcd" if option == "--trace" else "x.png")]


MISTAKES = {
    "missing source": (lambda: ["none.s"], "none.s: cannot be read: No such file"),
    "missing object": (lambda: ["none.pob"], "Error: cannot read none.pob: No such file"),
    "a folder": (lambda: ["."], "Error: cannot read .: it is a folder, not a program"),
    "truncated object": (truncated, "Error: part.pob is no object file, or only a part of one"),
    "another file": (lambda: [write("hello", "text.pob")], "Error: text.pob is no object file"),
    "define for an object": (
        lambda: [*truncated(), "-D", "COUNT=3"],
        "Error: part.pob is an object file: its constants",
    ),
    "unknown define": (lambda: ["prog.s", "-D", "CONUT=3"], "did you mean COUNT?"),
    "define without value": (lambda: ["prog.s", "-D", "COUNT"], "'COUNT' is not NAME=VALUE"),
    "missing configuration": (
        lambda: ["prog.s", "--config", "no.toml"],
        "Error: cannot read the configuration no.toml",
    ),
    "wrong configuration": (
        lambda: ["prog.s", "--config", write("[l2]\nway = 3", "my.toml")],
        "Error: my.toml: there is no setting l2.way; the nearest is l2.ways",
    ),
    "too large": (
        lambda: [write(".data\n.space 99999\n.text\nHALT"), "--config", write("memory.words = 15625", "my.toml")],
        "Error: the program takes 100000 words, the memory has 15625",
    ),
    "limit beyond all counting": (lambda: ["prog.s", "--max-cycles", 2**64], f"{2**64} is not in the range"),
    "limit of nothing": (lambda: ["prog.s", "--max-cycles", "0"], "0 is not in the range 1<=x<="),
}
OF_RUN = {
    "unknown trace": (lambda: ["prog.s", "--trace", "x.txt"], "Error: the ending of x.txt stands for no trace format"),
    "unknown label to show": (lambda: ["prog.s", "--show", "lop:3"], "Error: the program has no label 'lop'; did you"),
    "more words than there are": (
        lambda: ["prog.s", "--show", "main:999999999999"],
        "Error: from address 0 to the end of memory there are only 1,953,125 words\n",
    ),
    "register with a count": (lambda: ["prog.s", "--show", "p9:3"], "Error: p9 is a register and has no address; a"),
    "trace without an ending": (
        lambda: ["prog.s", "--trace", "-"],
        "Error: the ending of - stands for no trace format",
    ),
    "nothing to show": (lambda: ["prog.s", "--show", ""], "Error: expected a label, LABEL+N, an address or FILE:LINE"),
    "cycles without trace": (lambda: ["prog.s", "--trace-cycles", "3:"], "Error: --trace-cycles says which cycles"),
    "one cycle": (lambda: ["prog.s", "--trace", "x.vcd", "--trace-cycles", "3"], "'3' is not FIRST:LAST"),
    "cycles backwards": (lambda: ["prog.s", "--trace", "x.vcd", "--trace-cycles", "4:3"], "'4:3' ends before it"),
    "unwritable trace": (lambda: unwritable("--trace"), "Error: cannot write the trace no/folder/x.vcd"),
}
OF_PROFILE = {
    "unwritable picture": (lambda: unwritable("--picture"), "Error: cannot write no/folder/x.png"),
    "picture of another kind": (lambda: ["prog.s", "--picture", "x.svg"], "Error: cannot draw x.svg: pictures are PNG"),
    "no rows": (lambda: ["prog.s", "--top", "0"], "0 is not in the range"),
    "unknown row": (lambda: ["prog.s", "--by", "file"], "'file' is not one of 'label', 'line', 'address'"),
}


@pytest.mark.parametrize(
    ("command", "mistake"),
    [
        *((command, mistake) for command in ("run", "profile", "debug") for mistake in MISTAKES),
        *(("run", mistake) for mistake in OF_RUN),
        *(("profile", mistake) for mistake in OF_PROFILE),
    ],
)
def test_a_mistake_is_told_and_nothing_runs(command, mistake):
    make, told = (MISTAKES | OF_RUN | OF_PROFILE)[mistake]
    if command == "debug" and mistake.startswith("limit"):
        told = "No such option"
    run = pentary(command, *make())
    assert run.exit_code == 2
    assert told in run.stderr
    assert "Traceback" not in run.output
    assert mistake == "unwritable picture" or run.stdout == ""


def test_all_mistakes_of_a_source_are_told():
    run = pentary("run", write("NOPE\nLI p1, 3\nADD p1, p2\nJUMP nowhere\n"))
    assert run.exit_code == 2
    assert run.stdout == "" and "Traceback" not in run.stderr
    places = [line.split(": ")[0] for line in run.stderr.splitlines() if line.startswith("bad.s:")]
    assert [place.rsplit(":", 1)[0] for place in places] == ["bad.s:1", "bad.s:3", "bad.s:4"]
    assert run.stderr.endswith("3 errors\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("ending", ["kanata", "vcd", "json"])
@pytest.mark.parametrize("count", [10, 5000])  # a file written only at its end, and one written earlier as well
def test_a_disk_that_fills_up_under_a_trace_is_one_line(ending, count):
    Path(f"full.{ending}").symlink_to("/dev/full")
    run = pentary("run", "prog.s", "-D", f"COUNT={count}", "--trace", f"full.{ending}")
    assert run.exit_code == 2
    assert run.stderr == f"Error: cannot write the trace full.{ending}: {os.strerror(errno.ENOSPC)}\n"


@pytest.mark.parametrize("form", [["run"], ["run", "--json"], ["run", "--trace", "loop.kanata"], ["profile"]])
def test_ctrl_c_ends_a_run_with_its_state(form, monkeypatch):
    on = Simulator.run

    def interrupted(self, *arguments):
        signal.raise_signal(signal.SIGINT)
        return on(self, *arguments)

    monkeypatch.setattr(Simulator, "run", interrupted)
    monkeypatch.setattr(driving, "_SLICE", 7)
    run = pentary(*form, write("here: NOP\nJUMP here\n"))
    assert run.exit_code == 130
    assert run.stderr.startswith("Interrupted at here+1 (bad.s:2)\n\nafter 7 instructions, ")
    assert "\n->   1  JUMP  here  bad.s:2  JUMP here\n" in run.stderr
    if form == ["run", "--json"]:
        assert json.loads(run.stdout)["ended"] == "interrupt"


def test_ctrl_c_ends_a_training_of_short_steps(monkeypatch):
    on, calls = Simulator.run, itertools.count()

    def interrupted(self, *arguments, **options):
        if next(calls) == 10:
            signal.raise_signal(signal.SIGINT)
        return on(self, *arguments, **options)

    monkeypatch.setattr(Simulator, "run", interrupted)
    train = ["train", "target", "--engine", "sim", "--steps", "50", "--population", "4", "--shape", "4x4"]
    run = pentary(*train, "--out", "run")
    assert run.exit_code == 130
    result = json.loads(Path("run", "result.json").read_text())
    assert result["interrupted"] and 0 < result["steps"] < 10


def test_ctrl_c_reaches_a_real_process():
    # Background jobs of a shell ignore Ctrl-C, and so do their children.
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    write("here: NOP\nJUMP here\n")
    command = [sys.executable, "-m", "pentary", "run", "bad.s", "--trace", "trace.kanata"]
    process = subprocess.Popen(command, text=True, stdout=-1, stderr=-1, **heed)  # type: ignore[call-overload]
    while process.poll() is None and not any(path.stat().st_size > 10_000 for path in Path().glob(".pentary-*")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.startswith("Interrupted at here") and "Traceback" not in stderr


def test_profile_prints_its_table_and_draws_its_picture():
    run = pentary("profile", "prog.s", "--picture", "prog.png")
    assert (run.exit_code, run.stderr) == (0, "")
    assert [line.split()[0] for line in run.stdout.splitlines()] == ["label", "total", "loop", "main"]
    assert Path("prog.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("by", "row"), [("line", "prog.s:3  loop: MUL p2, p1, p1"), ("address", "1 "), ("label", "loop ")]
)
def test_profile_has_rows_by_choice(by, row):
    run = pentary("profile", "prog.s", "--by", by)
    assert run.exit_code == 0
    assert any(line.startswith(row) for line in run.stdout.splitlines())


@pytest.mark.parametrize("charset", ["latin-1", "ascii"])
def test_an_output_without_the_glyphs_of_pents_gets_them_in_ascii(charset):
    write("LI p1, -7\nLI p2, 12 ; ≥\nDIV p1, p1, p3\n")
    run = CliRunner(charset=charset).invoke(main, ["run", "bad.s"])
    assert run.exit_code == 2
    assert "  LI p2, 12 ; ?\n" in run.stderr
    assert "\np1           -7  00000000000000-=\n" in run.stderr
    assert "\np2           12  0000000000000022\n" in run.stderr


def test_profile_sums_up_the_rows_beyond_the_top():
    rows = pentary("profile", "prog.s", "--by", "line").stdout.splitlines()
    assert len(rows) == 2 + 6
    few = pentary("profile", "prog.s", "--by", "line", "--top", "2").stdout.splitlines()
    assert [line.split()[0] for line in few] == ["line", "total", *(line.split()[0] for line in rows[2:4]), "4"]


def test_the_folder_of_a_training_holds_the_machine():
    slow = write("[memory]\nlatency = 1000\n", "slow.toml")
    train = ["train", "target", "--engine", "sim", "--steps", "1", "--population", "4", "--shape", "4x4"]
    for out, options in (("a", []), ("b", ["--config", slow])):
        assert pentary(*train, "--out", out, *options).exit_code == 0
    (a, b) = (json.loads(Path(out, "config.json").read_text())["machine"] for out in "ab")
    assert a == asdict(Config())
    assert b == {**a, "memory": {**a["memory"], "latency": 1000}}


def test_debug_without_an_input_is_a_mistake():
    command = [sys.executable, "-c", "import os; os.close(0); os.execvp(os.sys.executable, [os.sys.executable, '-m', "]
    command[2] += "'pentary', 'debug', 'prog.s'])"
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "Error: commands are read from standard input, and it is closed\n"


def test_commands_have_help_with_examples():
    for command in ("run", "profile"):
        assert pentary(command, "--help").stdout.count(f"\n    pentary {command} ") >= 2


def test_help_loads_no_compiler_and_other_engines_load_no_model():
    code = "import sys; from pentary.cli.commands import main; main(sys.argv[1:], standalone_mode=False); "
    code += "print([name for name in ('numba', 'pentary_sim.kernel') if name in sys.modules])"
    for arguments, loaded in (
        (["--help"], "[]"),
        (["run", "--help"], "[]"),
        (
            ["train", "target", "--shape", "4x4", "--population", "4", "--rank", "1", "--steps", "1", "--json"],
            "['numba']",
        ),
    ):
        run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert run.stdout.splitlines()[-1] == loaded
