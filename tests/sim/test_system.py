"""Control and status registers, traps, interrupts and devices of the model: times by hand, and the command line."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.asm import assemble, assemble_text
from pentary.cli.commands import main
from pentary.isa import decode
from pentary.isa.program import Fault
from pentary.isa.system import CSRS, WRITABLE
from pentary.machine.config import Config
from pentary.programs.training import PROGRAMS
from pentary_sim.events import FAULTS, NONE
from pentary_sim.simulator import Simulator

NO_MISSES = "l2.latency = 0\nmemory.latency = 0\nl2.beat = 625\nmemory.beat = 625\n"
"""A line comes at once."""


def ran(source: str, settings: str = "", **options: object) -> tuple[Simulator, list[tuple[Any, ...]]]:
    """Return a machine that has halted, and what it has done: address, cycles of IF, EX and WB, why not executed."""
    machine = Simulator(assemble_text(source), Config.loads(NO_MISSES + settings), trace=True, **options)  # type: ignore
    assert machine.run(max_instructions=10_000) == "halt"
    records = machine.take_events().records
    names = ("pc", "fetch", "execute", "writeback")
    return machine, [(*(int(event[name]) for name in names), FAULTS[event["fault"]]) for event in records]


def pentary(*arguments: object, **options: object):
    return CliRunner().invoke(main, list(map(str, arguments)), **options)  # type: ignore[arg-type]


INSTALL = "li p1, handler\ncsrw HANDLER, p1\n"
SKIP = "handler: csrr p4, EPC\ninc p4\ncsrw EPC, p4\ntret"


def test_the_handler_is_fetched_in_the_cycle_after_the_ex_of_the_fault() -> None:
    machine, rows = ran(f"{INSTALL}div p2, p1, zero\nhandler: halt")
    assert rows == [
        (0, 0, 2, 4, ""),
        (1, 1, 3, 5, ""),
        (2, 2, 4, NONE, "divide"),
        (3, 5, 7, 9, ""),
    ]
    assert {cause: cycles for cause, cycles in machine.causes.items() if cycles} == {"fill": 4, "issue": 3, "trap": 3}
    assert machine.counts["traps"] == 1 and machine.counts["icache_accesses"] == 4
    assert machine.profile[2].sum() == 0  # all is charged to the handler


def test_what_is_no_instruction_and_a_fetch_outside_wait_for_ex_too() -> None:
    _, rows = ran(f"{INSTALL}.word 0\nhandler: halt")
    assert rows[2:] == [(2, 2, 4, NONE, "illegal instruction"), (3, 5, 7, 9, "")]
    _, rows = ran(f"{INSTALL}li p2, -9\njumpr p2\nhandler: halt")
    # JUMPR enters EX in cycle 5, so that address -9 is fetched in 6.
    assert rows[3:] == [(3, 3, 5, 7, ""), (-9, 6, 8, NONE, "fetch"), (4, 9, 11, 13, "")]


def test_an_overflow_of_a_product_is_known_after_four_cycles() -> None:
    source = f"{INSTALL}li p2, 4000000\nshli p2, p2, 6\nmul p3, p2, p2\nhandler: halt"
    _, rows = ran(source, "exceptions.overflow_trap = true")
    fault = next(row for row in rows if row[-1] == "overflow")
    assert rows[-1][1] == fault[2] + 4


def test_the_addresses_of_indexed_accesses_are_known_after_their_check() -> None:
    source = f"{INSTALL}li p2, 100\nsetvl p2\nli p3, -100000\nloadvx v0, v1, p3\nhandler: halt"
    for lanes in (16, 64, 256):
        _, rows = ran(source, f"lowrank.lanes = {lanes}")
        assert rows[-2][-1] == "memory"
        assert rows[-1][1] == rows[-2][2] + -(-100 // lanes)


def test_the_waits_of_a_trapped_instruction_are_charged_to_the_handler() -> None:
    # SETVL waits for the product, four cycles after its EX.
    machine, rows = ran(f"{INSTALL}mul p2, p1, zero\nsetvl p2\nhandler: halt")
    assert rows[3:] == [(3, 3, 8, NONE, "operand"), (4, 9, 11, 13, "")]
    assert machine.profile[4].sum() == 13 - 6
    assert (machine.causes["multiply_use"], machine.causes["trap"]) == (3, 3)


def test_tret_is_followed_two_cycles_later_and_costs_a_flush() -> None:
    machine, rows = ran(f"{INSTALL}.word 0\nhandler: li p2, end\ncsrw EPC, p2\ntret\nend: halt")
    assert rows[-2:] == [(5, 7, 9, 11, ""), (6, 10, 12, 14, "")]
    assert machine.causes["flush"] == 2


def test_an_interrupt_is_taken_by_the_instruction_that_enters_ex_then_or_later() -> None:
    source = f"{INSTALL}li p2, 1\ncsrw ENABLE, p2\n" + "nop\n" * 9 + "halt\nhandler: csrr p3, CYCLE\ntret"
    for cycle in (6, 7, 8, 11):
        machine, rows = ran(source, interrupts=[cycle])
        [(pc, _, execute, writeback, why)] = [row for row in rows if row[-1]]
        assert (pc, execute, writeback, why) == (cycle - 2, cycle, NONE, "external interrupt")
        assert machine.registers[3] == cycle + 3  # EX of the handler's first instruction
        assert machine.instructions == 4 + 9 + 1 + 2
    # A division keeps what follows from entering EX.
    machine, rows = ran(source.replace("nop", "div p5, p2, p2", 1), interrupts=[8])
    assert [row[2] for row in rows if row[-1]] == [24]


def test_the_timer_asks_from_its_cycle_on() -> None:
    source = f"{INSTALL}li p2, 9\ncsrw TIMER, p2\nli p3, 1\ncsrw ENABLE, p3\n" + "nop\n" * 9 + "handler: halt"
    _, rows = ran(source)
    assert [row[:3] for row in rows if row[-1] == "timer interrupt"] == [(7, 7, 9)]


def test_cycle_is_that_of_ex_and_the_counts_are_those_before() -> None:
    machine, rows = ran("csrr p1, CYCLE\nnop\ncsrr p2, CYCLE\ncsrr p3, INSTRET\njump 1f\n1: csrr p4, BRANCHES\nhalt")
    assert machine.registers[1:5].tolist() == [rows[0][2], rows[2][2], 3, 1]
    machine, _ = ran("load p9, 500(zero)\ncsrr p1, DCACHE_MISSES\ncsrr p2, ICACHE_MISSES\ncsrr p3, L2_MISSES\nhalt")
    assert machine.registers[1:4].tolist() == [1, 1, 2]


def test_counters_of_data_wait_for_all_accesses_and_the_others_do_not() -> None:
    memory = "memory.latency = 40\nicache = {sets = 1}\n"
    for name, waits in (("DCACHE_MISSES", True), ("L2_MISSES", True), ("CYCLE", False)):
        machine = Simulator(assemble_text(f"load p9, 500(zero)\ncsrr p1, {name}\nhalt"), Config.loads(memory), True)
        machine.run()
        load, read, _ = machine.take_events().records
        assert (read["execute"] >= load["writeback"]) == waits
    source = "li p1, 256\nsetvl p1\nli p2, 700\nloadv v0, (p2)\ncsrr p3, DCACHE_MISSES\nhalt"
    machine = Simulator(assemble_text(source))
    machine.run()
    assert machine.registers[3] == 11 == machine.counts["dcache_misses"]
    assert machine.causes["memory_order"] > 0


def test_devices_pass_no_cache_and_take_their_latency() -> None:
    source = "store p1, -1000(zero)\nload p2, -1002(zero)\nhalt"
    for latency in (0, 7):
        machine, rows = ran(source, f"devices.latency = {latency}", input=[1, 2])
        assert [row[3] for row in rows] == [4 + latency, 5 + 2 * latency, 6 + 2 * latency]
        assert machine.causes["device"] == 2 * latency and machine.counts["dcache_accesses"] == 0
    assert machine.registers[2] == 2


def test_what_is_written_is_kept_until_it_is_taken() -> None:
    machine = Simulator(assemble_text("li p1, 5000\n1: store p1, -1000(zero)\ndec p1\nbnz p1, 1b\nhalt"))
    taken: list[int] = []
    while machine.run() == "output":
        taken += machine.take_output()
    assert machine.halted
    assert taken + machine.take_output() == list(range(5000, 0, -1))


def test_a_double_fault_ends_the_program_with_the_state_before_it() -> None:
    machine = Simulator(assemble_text(f"{INSTALL}li p5, 9\ndiv p2, p1, zero\nhalt\nhandler: li p5, 3\nsetvl zero"))
    with pytest.raises(Fault) as caught:
        machine.run()
    assert (caught.value.kind, caught.value.pc, machine.registers[5]) == ("double", 6, 3)
    assert machine.csrs["CAUSE"] == 5 and machine.counts["traps"] == 1
    assert "operand fault before the handler of the divide fault at 3 has cleared TRAPPED" in str(caught.value)


def test_a_debugger_changes_the_registers_that_programs_do() -> None:
    machine = Simulator(assemble_text(f"{INSTALL}nop\nnop\nnop\nnop\nhalt\nhandler: halt"), interrupts=[0])
    machine.run(max_instructions=3)
    machine.change("ENABLE", 1)
    assert machine.run() == "halt" and machine.counts["traps"] == 1
    assert machine.csr_ranges == {
        name: (csr.low, 7 if name == "HANDLER" else csr.high) for name, csr in list(CSRS.items())[:WRITABLE]
    }


def test_a_machine_starts_again_with_its_input_and_interrupts() -> None:
    source = f"{INSTALL}li p2, 1\ncsrw ENABLE, p2\nload p3, -1001(zero)\nnop\nhalt\nhandler: tret"
    machine = Simulator(assemble_text(source), input=[7], interrupts=[100_000, 8])
    machine.run()
    assert machine.interrupts_left == 1
    again = machine.again()
    again.run()
    assert again.registers[3] == 7 and again.cycles == machine.cycles and again.counts == machine.counts
    assert machine.counts["traps"] == 1


ECHO = """\
        .include "runtime.s"
1:      getc    p1
        blt     p1, zero, 2f
        putc    p1
        jump    1b
2:      newline
        exit    STATUS
        .param  STATUS, 0
"""


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("echo.s").write_text(ECHO)
    Path("in.txt").write_text("né\n1")
    return "echo.s"


def test_run_connects_console_input_and_exit_status(echo: str) -> None:
    done = pentary("run", echo, "--input", "in.txt", "-D", "STATUS=3")
    assert (done.exit_code, done.stderr) == (3, "")
    assert done.stdout.startswith("né\n1\n\nhalted at ")
    piped = pentary("run", echo, "--input", "-", input="xy")
    assert piped.exit_code == 0 and piped.stdout.startswith("xy\n\nhalted at ")
    assert pentary("run", echo).stdout.startswith("\n\nhalted")
    assert pentary("run", echo, "--input", "in.txt", "--quiet").stdout == "né\n1\n"
    told = json.loads(pentary("run", echo, "--input", "in.txt", "-D", "STATUS=3", "--json").stdout)
    assert (told["console"], told["exit_status"], told["ended"]) == ("né\n1\n", 3, "halt")
    assert told["csrs"]["INSTRET"] == told["instructions"]


def test_profile_leaves_the_console_to_standard_error(echo: str) -> None:
    done = pentary("profile", echo, "--input", "in.txt", "--json")
    assert done.exit_code == 0 and "né\n1" in done.stderr
    assert json.loads(done.stdout)


def test_debug_shows_the_console_and_starts_again_with_its_input(echo: str) -> None:
    done = pentary("debug", echo, "--input", "in.txt", input="c\nrestart\nc\nprint CYCLE\nset CYCLE = 1\nprint EPC\n")
    assert done.exit_code == 0 and done.stdout.count("né\n1\n") == 2
    assert "Error: CYCLE can only be read" in done.stdout and "\nEPC = 0" in done.stdout


def test_interrupts_come_in_the_cycles_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "wait.s"
    source.write_text(f"{INSTALL}li p2, 1\ncsrw ENABLE, p2\n1: jump 1b\nhandler: csrr p3, CAUSE\nhalt")
    done = pentary("run", source, "--interrupt", 500, "--interrupt", 300, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["registers"][3], told["counts"]["traps"]) == (0, -2, 1)
    assert 300 <= told["cycles"] < 400


MISTAKES = {
    "a handler outside the program": (
        "li p1, 9\ncsrw HANDLER, p1\nhalt",
        "operand fault at 1 (bad.s:2): CSRW HANDLER takes 0..2, not 9",
    ),
    "a double fault": (
        f"{INSTALL}div p2, p1, zero\nhandler: setvl zero",
        "double fault at handler (bad.s:4): operand fault before the handler of the divide fault at 2 has cleared "
        "TRAPPED: SETVL takes 1..256, not 0",
    ),
    "a read at the end of the input": (
        "load p1, -1001(zero)",
        "memory fault at 0 (bad.s:1): LOAD from INPUT (-1001) at the end of the input; AVAILABLE tells how much is "
        "left",
    ),
    "a read from the console": (
        "load p1, -1000(zero)",
        "memory fault at 0 (bad.s:1): LOAD from CONSOLE (-1000), which is only written",
    ),
    "an exit status that is none": (
        "li p1, 256\nstore p1, -1003(zero)\nhalt",
        "the program ends with the exit status 256, outside 0..255",
    ),
    "an unknown register": (
        "csrr p1, CYCLES",
        "bad.s:1:10: ss: expected a control and status register, not 'CYCLES'; did you mean CYCLE?",
    ),
    "a register that is only read": ("csrw CYCLE, p1", "bad.s:1:6: sd: CYCLE can only be read"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line_with_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, told = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    Path("bad.s").write_text(source)
    done = pentary("run", "bad.s")
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_input_that_is_no_text_or_missing_is_a_mistake(echo: str) -> None:
    Path("bytes").write_bytes(b"ab\xff")
    done = pentary("run", echo, "--input", "bytes")
    assert (done.exit_code, done.stderr) == (2, "Error: bytes: byte 2 is not UTF-8; the input must be text\n")
    done = pentary("run", echo, "--input", "missing")
    assert (done.exit_code, done.stderr) == (2, "Error: cannot read the input missing: No such file or directory\n")
    for command in ("run", "profile"):
        done = pentary(command, "-", "--input", "-", input="halt")
        assert done.exit_code == 2 and "so the input cannot be" in done.stderr
    done = pentary("debug", echo, "--input", "-", input="c")
    assert done.exit_code == 2 and "so the input cannot be" in done.stderr


def test_characters_that_are_none_are_replaced(tmp_path: Path) -> None:
    source = tmp_path / "odd.s"
    source.write_text("\n".join([*(f"li p1, {word}\nstore p1, -1000(zero)" for word in (-1, 55296, 0x110000)), "halt"]))
    told = json.loads(pentary("run", source, "--json").stdout)
    assert told["console"] == "\ufffd\ufffd\ufffd"


def test_a_profile_of_calls_shows_the_handler_below_what_it_has_interrupted(tmp_path: Path) -> None:
    source = f"start: {INSTALL}call work\nhalt\nwork: nop\n.word 0\nnop\nret\n{SKIP}"
    (tmp_path / "traps.s").write_text(source)
    done = pentary("profile", tmp_path / "traps.s", "--calls", tmp_path / "traps.folded")
    assert done.exit_code == 0
    chains = dict(line.rsplit(" ", 1) for line in (tmp_path / "traps.folded").read_text().splitlines())
    assert chains.keys() == {"start", "start;work", "start;work;handler"}
    machine = Simulator(assemble_text(source))
    machine.run()
    assert sum(map(int, chains.values())) == machine.cycles - machine.causes["fill"]


def test_traces_hold_traps(tmp_path: Path) -> None:
    source = f"{INSTALL}div p2, p1, zero\nli p3, 1\ncsrw ENABLE, p3\nnop\nnop\nnop\nhalt\n{SKIP}"
    (tmp_path / "traps.s").write_text(source)
    told = {}
    for ending in ("kanata", "vcd", "json"):
        file = tmp_path / f"traps.{ending}"
        assert pentary("run", tmp_path / "traps.s", "--interrupt", 0, "--trace", file).exit_code == 0
        told[ending] = file.read_text()
    assert "[divide fault]" in told["kanata"] and "[external interrupt]" in told["kanata"]
    assert '"divide fault"' in told["json"] and '"external interrupt"' in told["json"]
    kinds = [line for line in told["vcd"].splitlines() if line.startswith("sdivide ") or line.startswith("sexternal")]
    assert len(kinds) == 2
    assert "ENABLE: 1" in told["kanata"]


def test_a_region_of_the_runtime_measures_what_lies_between_its_marks(tmp_path: Path) -> None:
    body = "li p10, 50\n2: mul p11, p10, p10\nadd p12, p12, p11\ndec p10\nbnz p10, 2b"
    source = f"""
            .include "runtime.s"
            region  loop
            li      p20, 4
    1:      region_begin loop
            {body}
            region_end loop
            la      p1, loop
            load    p2, 1(p1)
            store   zero, 1(p1)
            dec     p20
            bnz     p20, 1b
            halt
    """
    machine = Simulator(assemble_text(source))
    machine.run()
    measured = int(machine.registers[2])
    # By the rules: LI; in a pass MUL, ADD 4 cycles later, DEC and BNZ; at the end the misprediction of the last BNZ.
    assert measured == 1 + 50 * (4 + 3) + 2
    assert np.all(machine.registers[13:20] == 0)


def test_a_program_that_times_its_kernel_finds_what_the_profile_does() -> None:
    program = assemble(PROGRAMS / "timed.s")
    machine = Simulator(program)
    calls = [pc for pc in range(program.text) if decode(int(program.image[pc])).instruction.name == "CALL"]
    starts = {program.address(name): name for name in ("by_scalars", "by_vectors")}
    found: dict[str, list[int]] = {name: [] for name in starts.values()}
    while machine.run(stop_at=[*calls, *(pc + 1 for pc in calls)]) == "breakpoint":
        pc = machine.pc
        target = pc + decode(int(program.image[pc])).i
        if pc in calls and target in starts:
            before = machine.cycles
            machine.run(stop_at=[pc + 2])  # SYNC has waited for the units
            found[starts[target]].append(machine.cycles - before)
    console = "".join(map(chr, machine.take_output()))
    assert machine.halted and machine.exit_status == 0
    for name, word in (("by_scalars", "scalar"), ("by_vectors", "vector")):
        told = [int(number) for number in re.findall(f"{word} code, all runs so far: ([0-9]+) cycles", console)]
        cold, warm = told[0], told[1] - told[0]
        assert warm == pytest.approx(found[name][1], abs=3)
        assert cold > warm


TRAPPING = f"{INSTALL}li p5, 9\ndiv p2, p5, zero\nhalt\nhandler: csrr p6, EPC\ninc p6\ncsrw EPC, p6\ntret"


def debugged(tmp_path: Path, source: str, *commands: str, **options: object) -> str:
    (tmp_path / "trap.s").write_text(source)
    done = pentary("debug", tmp_path / "trap.s", input="\n".join(commands) + "\n", **options)
    assert done.exit_code == 0
    return done.stdout


def test_a_step_of_the_debugger_ends_at_the_handler_and_tells_the_trap(tmp_path: Path) -> None:
    for command in ("step", "next", "step 9"):
        shown = debugged(tmp_path, TRAPPING, "step 3", command)
        assert "divide fault at 3 (" in shown
        assert shown.splitlines()[-1].startswith("->   5  CSRR")


def test_finish_leaves_a_handler_and_calls_over_traps_in_a_subroutine(tmp_path: Path) -> None:
    shown = debugged(tmp_path, TRAPPING, "break handler+1", "continue", "finish")
    assert shown.splitlines()[-1].startswith("->   4  HALT")
    source = TRAPPING.replace("div p2", "call work\nhalt\nwork: nop\ndiv p2").replace("zero\nhalt", "zero\nret", 1)
    shown = debugged(tmp_path, source, "step 5", "finish")
    assert shown.splitlines()[-1].startswith("->   4  HALT")


def test_a_label_is_an_address_for_what_holds_one(tmp_path: Path) -> None:
    source = "halt\nnop\ntwo: nop\nhalt"
    shown = debugged(tmp_path, source, "set HANDLER = two", "set EPC = two + 0", "set pc = two", "step")
    assert "HANDLER = 2 " in shown and "->   3  HALT" in shown and f"EPC = {assemble_text(source).image[2]} " in shown


def test_the_console_is_not_broken_into_lines_by_the_debugger(tmp_path: Path) -> None:
    source = '.include "runtime.s"\ncall work\nexit 4\nwork: push lr\nprint "a"\nprint "b"\npop lr\nret'
    shown = debugged(tmp_path, source, "break work", "continue", "finish", "continue")
    assert "\nab\n\n" in shown and "the program has halted with exit status 4" in shown


def test_interrupts_that_nobody_takes_are_told(tmp_path: Path) -> None:
    (tmp_path / "deaf.s").write_text("nop\nhalt")
    assert "\ninterrupts  " in (shown := pentary("run", tmp_path / "deaf.s", "--interrupt", 1).stdout)
    assert "1 not taken" in shown


def test_a_jump_far_outside_is_traced(tmp_path: Path) -> None:
    far = 5 * 10**9
    for source in (f"li p1, {far}\njumpr p1", f"{INSTALL}li p1, {far}\njumpr p1\nhandler: halt"):
        (tmp_path / "far.s").write_text(source)
        pentary("run", tmp_path / "far.s", "--trace", tmp_path / "far.kanata")
        assert f"{far}: no instruction  [fetch fault]" in (tmp_path / "far.kanata").read_text()
