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


# --- characters, strings, files of bytes, numeric labels ---


def test_characters_are_their_code_points():
    assert data(r".word 'a', 'z' - 'a', ';', '\'', '\n', '\t', '\r', '\0', '\\', '\"', '⊕', ' '") == [
        *(97, 25, 59, 39, 10, 9, 13, 0, 92, 34, 0x2295, 32)
    ]
    assert words("LI p1, 'A' ; not 'B'") == [encode(BY_NAME["LI"], d=1, i=65)]


def test_texts_are_a_word_a_character_with_or_without_a_zero_at_the_end():
    assert data(r'.ascii "aé", ";\n"', ".word 7") == [97, 0xE9, 59, 10, 7]
    assert data(r'.string "a", "", "\""', ".word 7") == [97, 0, 0, 34, 0, 7]
    assert data('x: .string "ab"', "y: .word x, y") == [97, 98, 0, 0, 3]


def test_fill_repeats_a_word():
    assert data(".equ N, 3", ".fill N, -2", ".fill 0, 1", "x: .fill 2, .", ".word x") == [-2, -2, -2, 3, 4, 3]


def test_a_file_of_bytes_is_a_word_a_byte(tmp_path):
    (tmp_path / "bytes.bin").write_bytes(bytes(range(256)))
    (tmp_path / "p.s").write_text('HALT\n.data\nx: .incbin "bytes.bin"\ny:')
    program = assemble(tmp_path / "p.s")
    assert program.image[1:].tolist() == list(range(256))
    assert program.symbols == {"x": 1, "y": 257}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('.incbin "none"', "2:9: {}/none: cannot be read: No such file or directory"),
        ('.incbin "empty"', "2:9: {}/empty: has 0 bytes, outside 1..4,882,812"),
        ('.incbin "large"', "2:9: {}/large: has 4,882,813 bytes, outside 1..4,882,812"),
        ('.incbin "."', "2:9: {}: cannot be read: Is a directory"),
        (".incbin none", '2:9: expected a text in "quotes"'),
        ('.ascii "a" "b"', '2:8: expected a text in "quotes"'),
        (".string", '2:1: .string takes "TEXT", ...: at least 1 operand, not 0'),
        (r'.string "\q"', r"2:9: \q is no escape; there are \n, \t, \r, \0, \\, \', "),
        (r".word '\q'", r"2:7: \q is no escape; there are "),
        (".word 'ab'", "2:7: a character is one in single quotes, such as 'a' or '\\n'"),
        (".word ''", "2:7: a character is one in single quotes, such as 'a' or '\\n'"),
        ('.string "a', "2:9: this string has no end"),
        ('.string "a\\"', "2:9: this string has no end"),
        (".fill 3", "2:1: .fill takes COUNT, EXPRESSION: 2 operands, not 1"),
        (".fill -1, 2", "2:7: the count is -1, outside 0..4882812"),
        (".fill n, 2", "2:7: n is not known here: it must follow from what stands before"),
        (".fill 2, 5 ** 16", "2:10: the word is 152587890625, outside -76293945312..76293945312"),
    ],
)
def test_wrong_data_is_told(line, told, tmp_path):
    (tmp_path / "empty").touch()
    with (tmp_path / "large").open("wb") as file:
        file.truncate(4_882_813)
    path = tmp_path / "p.s"
    path.write_text(f".data\n{line}\nn:\n.text\nHALT")
    with pytest.raises(AssemblyError) as refusal:
        assemble(path)
    assert str(refusal.value).startswith(f"{path}:{told.format(tmp_path)}")


def test_texts_belong_to_the_data():
    for line in ('.ascii "a"', '.string "a"', ".fill 1, 2", '.incbin "x"'):
        with pytest.raises(AssemblyError, match=r"in \.text; it belongs after \.data"):
            assemble_text(line)


def test_numeric_labels_are_the_nearest_before_and_after():
    program = assemble_text("1: jump 1f\njump 1b\n1: jump 1b\njump 1f\n01: 2: jump 2b\n.word 1b, 10f - 2b\n10:")
    assert [decode(word).i for word in program.image[:5].tolist()] == [2, -1, 0, 1, 0]
    assert program.image[5:].tolist() == [4, 3]
    assert program.symbols == {} and program.labels == ()


def test_numeric_labels_work_in_macros_beside_those_of_their_user():
    text = ".macro wait r\n1: dec \\r\nbnz \\r, 1b\n.endm\n1: wait p1\nwait p2\njump 1b"
    assert [decode(word).i for word in words(text)] == [-1, -1, -1, -1, -2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jump 1b\n1:", "1:6: no label 1: stands before"),
        ("1: jump 1f", "1:9: no label 1: follows"),
        (".equ 1f, 2", "1:6: expected the name of a symbol"),
        ("1b: NOP", "1:1: expected an instruction"),
        ("1_0: NOP", "1:1: expected an instruction"),
    ],
)
def test_a_wrong_numeric_label_is_told(text, told):
    with pytest.raises(AssemblyError, match=f"^p.s:{told}"):
        assemble_text(text, "p.s")
