"""The library that programs include, on the interpreter."""

import re
from pathlib import Path
from random import Random

import pytest

from pentary.asm import AssemblyError, assemble, assemble_text
from pentary.asm.source import LIBRARY
from pentary.interpreter import Interpreter
from pentary.isa.system import CAUSES, DEVICES
from pentary.numbers.notation import format_pents
from pentary.numbers.word import WORD_MAX

RUNTIME = '        .include "runtime.s"\n'


def ran(source: str, input: str = "") -> Interpreter:
    """Return a machine after a program that includes the runtime has ended."""
    machine = Interpreter(assemble_text(RUNTIME + source), input=[ord(character) for character in input])
    machine.run(1_000_000)
    assert machine.halted
    return machine


def printed(source: str, input: str = "") -> str:
    return "".join(map(chr, ran(source, input).output))


def test_the_addresses_of_devices_are_those_of_the_machine() -> None:
    program = assemble_text(RUNTIME + "halt")
    assert {name: program.symbols[name] for name in DEVICES} == {n: each.address for n, each in DEVICES.items()}


def test_numbers_are_printed_in_decimal_and_in_pents() -> None:
    rng = Random(5)
    numbers = [0, 1, -1, 9, 10, -10, WORD_MAX, -WORD_MAX, *(rng.randint(-(10**k), 10**k) for k in range(1, 11))]
    for number in numbers:
        assert printed(f"li p1, {number}\ncall print_number\nhalt") == str(number)
        assert printed(f"li p1, {number}\ncall print_pents\nhalt") == format_pents(number)


def test_texts_are_printed() -> None:
    assert printed('print "a;b, \\"é\\" \\t\\\\"\nnewline\nprint "-"\nhalt') == 'a;b, "é" \t\\\n-'


def test_input_is_read_to_its_end() -> None:
    source = "1: getc p1\nblt p1, zero, 2f\nputc p1\njump 1b\n2: halt"
    assert printed(source, "née 7\n") == "née 7\n"
    assert printed(source) == ""


@pytest.mark.parametrize("words", [0, 1, 255, 256, 257, 600])
@pytest.mark.parametrize("distance", [-3, -700, 1000])
def test_words_are_copied_and_no_others(words: int, distance: int) -> None:
    source = f"la p1, from + {distance}\nla p2, from\nli p3, {words}\ncall copy\nhalt\n.data\n.space 800\nfrom: "
    source += "\n".join(f".word {number * number + 1}" for number in range(700)) + "\n.space 1000"
    machine = Interpreter(assemble_text(RUNTIME + source))
    first = machine.program.address("from")
    before = machine.memory.copy()
    expected = before.copy()
    expected[first + distance : first + distance + words] = before[first : first + words]
    machine.run(10_000)
    assert machine.halted
    assert machine.memory[machine.program.text : 5000].tolist() == expected[machine.program.text : 5000].tolist()


def test_an_assertion_that_fails_tells_its_place() -> None:
    machine = ran("li p11, 3\nli p12, 4\nassert_equal p11, p11\nassert_equal p11, p12\nexit 0")
    place = re.fullmatch("assertion failed at address ([0-9]+)\n", "".join(map(chr, machine.output)))
    assert place and machine.exit_status == 1
    assert machine.program.sources[int(place[1])].text.startswith("assert_equal p11, p12")
    assert ran("li p11, 3\nassert_equal p11, p11\nexit 7").exit_status == 7


def test_a_trap_is_reported_with_its_cause_place_and_operand() -> None:
    machine = ran("report_traps\nli p1, 99\nhere: setvl zero\nhalt")
    here = machine.program.address("here")
    assert "".join(map(chr, machine.output)) == f"operand fault at {here}, address or operand 0\n"
    assert machine.exit_status == 1
    assert "memory fault at" in printed("report_traps\nload p1, INPUT(zero)\nhalt")


def test_a_region_counts_its_runs() -> None:
    source = """
            region  loop
            li      p20, 3
    1:      region_begin loop
            nop
            region_end loop
            dec     p20
            bnz     p20, 1b
            region_print loop, "loop"
            halt
    """
    # On the interpreter an instruction takes a cycle: nothing but NOP is counted.
    assert printed(source) == "loop: 3 cycles in 3 runs\n"


def test_the_registers_that_a_caller_keeps_are_kept() -> None:
    keeps = [f"p{number}" for number in range(10, 31)]
    setting = "\n".join(f"li {name}, {100 + number}" for number, name in enumerate(keeps[:-1]))
    calls = (
        'li p1, -9\ncall print_number\nli p1, 5\ncall print_pents\nprint "x"\nregion r\nregion_begin r\nregion_end r'
    )
    machine = ran(f"{setting}\n{calls}\nla p1, to\nla p2, to\nli p3, 9\ncall copy\nhalt\n.data\nto: .space 9")
    assert machine.registers[10:30] == [100 + number for number in range(20)]
    assert machine.registers[30] == len(machine.memory)


def test_a_file_beside_the_source_comes_before_that_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "runtime.s").write_text("li p1, 7\n")
    (tmp_path / "main.s").write_text('.include "runtime.s"\nhalt\n')
    assert assemble(tmp_path / "main.s").text == 2


def test_errors_in_the_use_of_the_library_are_at_the_line_of_the_user() -> None:
    with pytest.raises(AssemblyError) as caught:
        assemble_text(RUNTIME + "putc 7\n", "main.s")
    assert str(caught.value).startswith("main.s:2:1: ")
    assert "library/runtime.s" in str(caught.value)


def test_no_folder_of_this_computer_is_in_the_program() -> None:
    program = assemble_text(RUNTIME + "halt")
    assert not any(str(LIBRARY) in source.file for source in program.sources)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_is_reported_by_its_name(cause: str) -> None:
    told = printed(f"li p1, {CAUSES[cause]}\ncsrw CAUSE, p1\njump trap_handler")
    assert told.startswith(cause)


def test_a_handler_that_uses_the_library_leaves_the_program_as_it_was() -> None:
    source = """
            la      p1, handler
            csrw    HANDLER, p1
            li      p2, 200
            csrw    TIMER, p2
            li      p3, 1
            csrw    ENABLE, p3
            li      p10, 300
    1:      sub     p11, p10, p3
            flags   p12
            assert_equal p12, p3
            call    count
            sub     p11, p3, p10
            dec     p10
            bnz     p10, 1b
            print   "."
            exit    0
    count:  inc     p20
            ret
    handler:
            handler_begin
            print   "tick "
            csrr    p1, TIMER
            addi    p1, p1, 400
            csrw    TIMER, p1
            handler_end
    """
    machine = ran(source.replace("li      p10, 300", "li p10, 300\ninc p10").replace("bnz     p10", "bne p10, p3"))
    told = "".join(map(chr, machine.output))
    assert machine.exit_status == 0 and machine.registers[20] == 300
    assert told.count("tick ") == machine.traps >= 3


def test_an_exit_status_that_is_none_is_refused() -> None:
    with pytest.raises(AssemblyError, match="an exit status is 0 to 255"):
        assemble_text(RUNTIME + "exit 256")
