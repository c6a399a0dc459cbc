"""Programs from sources: sections, directives, constants, pseudo-instructions, source lines."""

import re
from pathlib import Path

import numpy as np
import pytest

import pentary
from pentary.asm import AssemblyError, assemble, assemble_text, disassemble
from pentary.interpreter import Interpreter
from pentary.isa import BY_NAME, decode, encode
from pentary.isa.program import Source
from pentary.numbers.word import WORD_MAX, limit

DOCUMENT = Path(pentary.__file__).parents[1] / "architecture" / "assembly.md"


def words(*lines):
    return assemble_text("\n".join(lines)).image.tolist()


def data(*lines, **options):
    program = assemble_text("\n".join([".data", *lines]), **options)
    assert program.text == 0
    return program.image.tolist()


def test_the_example_of_the_document_assembles_to_what_is_shown_and_does_what_it_says():
    source, shown = re.findall("```asm\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    program = assemble_text(source)
    assert disassemble(program) == shown
    machine = Interpreter(program, memory=100)
    machine.run(max_instructions=100)
    assert machine.memory[program.address("greatest")] == max(31, 41, -59, 2 * 25 - 5 - 2, 12)
    with pytest.raises(AssemblyError, match="COUNT is 2 to 5"):
        assemble_text(source, defines={"COUNT": 6})


def test_an_empty_source_is_an_empty_program():
    program = assemble_text("; nothing\n\n   \t\n")
    assert program.image.size == program.text == program.size == 0


def test_instructions_come_first_and_data_after_them_each_in_order():
    program = assemble_text(
        ".data\nx: .word 1\n.text\na: NOP\n.data\ny: .word 2\n.text\nb: LI p1, y\n HALT\n.data\n.word x, b\n"
    )
    li = encode(BY_NAME["LI"], d=1, i=4)
    assert program.image.tolist() == [encode(BY_NAME["NOP"]), li, encode(BY_NAME["HALT"]), 1, 2, 3, 1]
    assert (program.text, program.size) == (3, 7)
    assert program.symbols == {"x": 3, "a": 0, "y": 4, "b": 1}
    assert program.labels == ("a", "b", "x", "y")
    assert program.image.dtype == np.int64


def test_labels_stand_alone_several_before_an_instruction_and_at_the_end():
    program = assemble_text("a:\n b: c : NOP\n\nd:\n.data\ne: .space 2\nf:")
    assert program.symbols == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 3}
    assert program.labels == ("a", "b", "c", "d", "e", "f")


def test_mnemonics_and_registers_in_any_case_symbols_in_one():
    lines = ["addi P3, Sp, x", "AdDi p3, SP, X", ".equ x, 1", ".equ X, 2"]
    assert words(*lines) == [encode(BY_NAME["ADDI"], d=3, a=30, i=value) for value in (1, 2)]


def test_register_names():
    assert words("ADD zero, fp, lr") == words("ADD p0, p29, p31")
    assert words("LRSET gain, p1") == [encode(BY_NAME["LRSET"], d=5, a=1)]
    assert words("POPEVAL f3, v7, v0") == [encode(BY_NAME["POPEVAL"], d=3, a=7, b=0)]


@pytest.mark.parametrize(("written", "offset"), [("(p2)", 0), ("-7(p2)", -7), ("(1+2)(p2)", 3), ("limit(1) (p2)", 2)])
def test_an_address_is_an_expression_before_a_register(written, offset):
    assert words(f"LOAD p1, {written}") == [encode(BY_NAME["LOAD"], d=1, a=2, i=offset)]


def test_targets_are_addresses_and_fields_distances():
    lines = ["NOP", "a: JUMP a", "JUMP a + 2", "BEQ p1, p2, a", "CALL b", "BNE p1, p2, .", "b: JUMP . - 6"]
    assert [decode(word).i for word in words(*lines)[1:]] == [0, 1, -2, 2, 0, -6]


def test_control_register_names_are_free_for_symbols():
    assert words(".equ ROWS, 3", "LRSET ROWS, p1", "LI p1, ROWS")[1] == encode(BY_NAME["LI"], d=1, i=3)


def test_word_takes_each_word_and_its_own_address():
    assert data(f".word {-WORD_MAX}, {WORD_MAX}", "x: .word ., ., x") == [-WORD_MAX, WORD_MAX, 2, 3, 2]


def test_word_in_the_text_need_not_be_an_instruction():
    program = assemble_text("NOP\n.word 0, 1\n")
    assert program.image.tolist() == [encode(BY_NAME["NOP"]), 0, 1]
    assert program.text == 3


def test_space_within_the_data_is_zeros_and_at_the_end_only_memory():
    program = assemble_text(".data\n.word 1\n.space 2\n.word 2, 0\n.space 1000000\n.align 7\nend:")
    assert program.image.tolist() == [1, 0, 0, 2, 0]
    assert program.size == program.symbols["end"] == 1_000_006
    assert program.size % 7 == 0


@pytest.mark.parametrize("instructions", range(9))
def test_align_makes_the_address_a_multiple(instructions):
    program = assemble_text("NOP\n" * instructions + ".data\n.word 5\n.align 4\nx: .word 6\n.align 4\n.align 1\n")
    address = program.symbols["x"]
    assert address % 4 == 0
    assert instructions < address <= instructions + 4
    assert program.image[address] == 6
    assert program.image.size == address + 1
    assert program.size == address + 4


def test_sizes_in_the_data_follow_from_the_text_and_the_data_before():
    lines = [".equ LENGTH, end - start", "start: NOP", "NOP", "end:", ".data", "a: .word 1, 2, 3", ".equ A, . - a"]
    program = assemble_text("\n".join([*lines, ".space LENGTH + A", ".space . - a", "b:"]))
    assert program.symbols["LENGTH"] == 2
    assert program.symbols["b"] == 2 + 3 + 5 + 8


def test_equ_may_come_before_what_it_is_made_of():
    assert data(".equ A, B + 1", ".word A, C", ".equ B, C * 2", ".equ C, end", "end:") == [5, 2]


def test_constants_may_be_wider_than_a_word_until_they_are_used():
    assert data(".equ HUGE, 5 ** 30", ".word HUGE // 5 ** 29") == [5]


def test_param_takes_the_value_from_outside_or_its_own():
    lines = [".param N, 3", ".param M, N * 2", ".word N, M"]
    assert data(*lines) == [3, 6]
    assert data(*lines, defines={"N": 5}) == [5, 10]
    assert data(*lines, defines={"N": 5, "M": -1}) == [5, -1]


def test_param_from_outside_makes_its_own_value_unnecessary():
    assert data(".param N, 1 // 0", ".word N", defines={"N": 2}) == [2]


def test_asserts_see_everything_and_their_own_address():
    lines = [
        '.assert end - start == 3, "x"',
        "start: NOP",
        ".data",
        ".word 1",
        '.assert . == 2, "y"',
        ".word 2",
        "end:",
    ]
    assert words(*lines)[1:] == [1, 2]


@pytest.mark.parametrize(
    ("pseudo", "plain"),
    [
        ("mv p1, p2", "ADDI p1, p2, 0"),
        ("inc p1", "ADDI p1, p1, 1"),
        ("dec p1", "ADDI p1, p1, -1"),
        ("bz p1, 5", "BEQ p1, zero, 5"),
        ("bnz p1, 5", "BNE p1, zero, 5"),
        ("la p1, 5", "LI p1, 5"),
    ],
)
def test_pseudo_instructions(pseudo, plain):
    assert words(pseudo) == words(plain)


@pytest.mark.parametrize(
    "value",
    [0, limit(10), -limit(10), limit(10) + 1, -limit(10) - 1, 5**10, 10**10, WORD_MAX, -WORD_MAX, 5**15 * 2],
)
def test_li_loads_any_word_with_one_or_two_instructions(value):
    loaded = 0
    found = words(f"li p7, {value}")
    for word in found:
        instruction, d, a, _, i = decode(word)
        assert (instruction.name, d, a) in (("LI", 7, 0), ("ADDHI", 7, 7))
        loaded = i if instruction.name == "LI" else loaded + i * 5**10
    assert loaded == value
    assert len(found) == (1 if abs(value) <= limit(10) else 2)


def test_li_of_a_value_that_is_not_known_yet_takes_one_word():
    lines = ["a: li p1, LATER", "b: li p2, EARLY", "c:", ".equ LATER, 3"]
    program = assemble_text("\n".join([".equ EARLY, 10 ** 9", *lines]))
    assert program.symbols | {"EARLY": 0} == {"EARLY": 0, "a": 0, "b": 1, "c": 3, "LATER": 3}


def test_each_instruction_has_its_source_line():
    program = assemble_text("  NOP ; first\n\nx: li p1, 10**9\n.word 3\n.data\n.word 4", "dir/p.s")
    lines = [(1, "  NOP ; first"), (3, "x: li p1, 10**9"), (3, "x: li p1, 10**9"), (4, ".word 3")]
    assert program.sources == tuple(Source("dir/p.s", line, text) for line, text in lines)
    assert program.place(2) == "x+1 (dir/p.s:3)"


def test_lines_end_as_any_system_ends_them(tmp_path):
    path = tmp_path / "p.s"
    path.write_bytes("\ufeffNOP ; ⊕\r\nHALT\rNOP\n".encode())
    assert [source.line for source in assemble(path).sources] == [1, 2, 3]


def test_a_form_feed_or_another_odd_space_ends_no_line():
    assert [source.line for source in assemble_text("NOP\f\nNOP \u2028 \n\u00a0NOP").sources] == [1, 2, 3]
