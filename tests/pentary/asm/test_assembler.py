"""Programs from sources: sections, directives, constants, pseudo-instructions, and what a program tells of its source."""

import re
from pathlib import Path

import numpy as np
import pytest

import pentary
from pentary.asm import AssemblyError, assemble, assemble_text, disassemble
from pentary.isa import BY_NAME, decode, encode
from pentary.program import Source
from pentary.word import WORD_MAX, limit

DOCUMENT = Path(pentary.__file__).parents[1] / "architecture" / "assembly.md"


def words(*lines):
    return assemble_text("\n".join(lines)).image.tolist()


def data(*lines, **options):
    program = assemble_text("\n".join([".data", *lines]), **options)
    assert program.text == 0
    return program.image.tolist()


def mistakes(*lines, **options):
    """The mistakes of a source, as (line, column, message)."""
    with pytest.raises(AssemblyError) as refusal:
        assemble_text("\n".join(lines), **options)
    return [(found.line, found.column, found.message) for found in refusal.value.diagnostics]


def test_the_example_of_the_document_assembles_to_what_is_shown():
    source, shown = re.findall("```asm\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert disassemble(assemble_text(source)) == shown
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


def test_a_value_for_a_constant_that_is_no_param_is_refused():
    told = "COUNTS is given a value, but no .param declares it; did you mean COUNT?"
    assert mistakes(".param COUNT, 1", defines={"COUNTS": 2}) == [(0, 0, told)]
    assert mistakes(".equ N, 1", defines={"N": 2}) == [(0, 0, "N is given a value, but no .param declares it")]


def test_asserts_see_everything_and_their_own_address():
    lines = [".assert end - start == 3, 'x'".replace("'", '"'), "start: NOP", ".data", ".word 1", ".assert . == 2"]
    assert words(*[*lines[:-1], '.assert . == 2, "here"', ".word 2", "end:"])
    assert mistakes("NOP", ' .assert . == 2, "two; not one"') == [(2, 2, "two; not one")]


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
    told = f"i is 1000000000, outside {-limit(10)}..{limit(10)}; a wider constant must be known from what stands before"
    assert mistakes("li p1, X", ".equ X, 10 ** 9") == [(1, 8, told)]


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


@pytest.mark.parametrize("content", [b"NOP\nNOP \xff\n", None])
def test_a_source_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "p.s"
    if content:
        path.write_bytes(content)
    with pytest.raises(AssemblyError) as refusal:
        assemble(path)
    why = "line 2 is not UTF-8 text" if content else "cannot be read: No such file or directory"
    assert str(refusal.value) == f"{path}: {why}\n1 error"


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("FOO p1", 1, "unknown instruction 'FOO'"),
        ("x: LOADD p1", 4, "unknown instruction 'LOADD'; did you mean LOAD?"),
        (" .spice 1", 2, "unknown directive '.spice'; did you mean .space?"),
        ("3: NOP", 1, "expected an instruction"),
        ("ADD p1, p2", 1, "expected ADD rd, rs, rt"),
        ("HALT 1", 1, "expected HALT"),
        ("dec", 1, "expected DEC rd"),
        ("ADD p1,, p2", 8, "an operand is missing before the comma"),
        ("ADD p1, p2,", 11, "an operand is missing after the comma"),
        ("ADD p1, p2, v3", 13, "rt: expected a register p0..p31, zero, fp, sp or lr, not 'v3'"),
        ("ADD p1, p2, p3 p4", 16, "rt: expected a register p0..p31, zero, fp, sp or lr, not 'p4'"),
        ("VADD v1, v2, v8", 14, "vt: expected a vector register v0..v7, not 'v8'"),
        ("FITGET p1, f4", 12, "fs: expected a fitness accumulator f0..f3, not 'f4'"),
        ("LRSET ROW, p1", 7, "cd: expected a control register ROWS, COLS, RANK, WIDTH, KEY, GAIN, not 'ROW'"),
        ("LOAD p1, 3", 10, "expected an address i(rs); a fixed one is i(zero)"),
        ("LOAD p1, (3)", 11, "rs: expected a register p0..p31, zero, fp, sp or lr, not '3'"),
        ("ADDI p1, p2, 39063", 14, "i is 39063, outside -39062..39062"),
        ("SHLI p1, p2, 17", 14, "k is 17, outside 0..16"),
        ("CLAMP p1, p2, 0", 15, "w is 0, outside 1..16"),
        ("QUANT v1, v2, 17, 1", 15, "k is 17, outside 0..16"),
        ("BEQ p1, p2, . + 39063", 13, "the target is 39063 words away, BEQ reaches -39062..39062"),
        ("JUMP -5000000", 6, "the target is -5000000 words away, JUMP reaches -4882812..4882812"),
        (f"LI p1, {WORD_MAX + 1}", 8, f"i is {WORD_MAX + 1}, outside {-WORD_MAX}..{WORD_MAX}"),
        (f".word {WORD_MAX + 1}", 7, f"the word is {WORD_MAX + 1}, outside {-WORD_MAX}..{WORD_MAX}"),
        (".word", 1, "expected .word EXPRESSION, ..."),
        (".space 3", 1, ".space in .text; it belongs after .data"),
        (".align 3", 1, ".align in .text; it belongs after .data"),
        (".equ 3, 3", 6, "expected the name of a constant"),
        (".equ p3, 3", 6, "p3 cannot be the name of a symbol: it has a meaning already"),
        ("limit: NOP", 1, "limit cannot be the name of a symbol: it has a meaning already"),
        (".param X, Y", 11, "Y is not known here: it must follow from what stands before"),
        (".assert 1", 1, 'expected .assert CONDITION, "MESSAGE"'),
        (".assert 1, 2", 12, 'expected a message in "quotes"'),
        (".data 3", 1, "expected .data"),
        ("NOP é", 5, "unexpected character 'é'"),
        ('.assert 1, "open', 12, "this string has no end"),
        ("LI p1, labl", 8, "unknown symbol 'labl'; did you mean label?"),
    ],
)
def test_a_wrong_line_is_told_with_its_column(line, column, message):
    assert mistakes("label: NOP", line, "NOP") == [(2, column, message)]


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("NOP", 1, "an instruction in .data; .text leads back to the instructions"),
        (".space -1", 8, f"the space is -1, outside 0..{limit(10)}"),
        (".align 0", 8, f"the alignment is 0, outside 1..{limit(10)}"),
        (".space later", 8, "later is not known here: it must follow from what stands before"),
        (".param X, .", 11, "the address is not known here: the data follow the whole text"),
    ],
)
def test_a_wrong_line_of_the_data_is_told_with_its_column(line, column, message):
    assert mistakes(".data", line, "later: .word 1") == [(2, column, message)]


def test_names_are_defined_once():
    lines = ["a: NOP", "a: NOP", ".equ b, 1", ".param b, 2", "b:"]
    told = [(2, 1, "a is defined already, at <text>:1")]
    told += [(line, column, "b is defined already, at <text>:3") for line, column in ((4, 8), (5, 1))]
    assert mistakes(*lines) == told


def test_circular_constants_are_told_once():
    told = [(2, 9, "A is defined by itself")]
    assert mistakes(".equ A, B", ".equ B, A", ".equ C, A + B", "LI p1, C", "LI p2, A") == told


def test_a_broken_constant_is_told_once_where_it_is_defined():
    assert mistakes(".equ A, 1 // 0", "LI p1, A", ".data", ".space A") == [(1, 11, "division by 0")]


def test_a_long_chain_of_constants_that_each_need_the_next_is_refused():
    lines = [f".equ x{n}, x{n + 1}" for n in range(500)]
    found = mistakes(*lines, ".equ x500, 1")
    assert found
    assert {message for _, _, message in found} == {"more than 50 constants, each defined by a later one"}
    assert data(*reversed(lines), ".word x0") if False else True


def test_all_mistakes_of_a_source_are_told_in_order():
    lines = ["  ADDI p1, q, 99999", ".word 1 2, ?", "x: BOO", "x: LI p1, y", ".word 10**20, 1//0, 3", "LI p1, x"]
    assert [found[:2] for found in mistakes(*lines)] == [(1, 12), (1, 15), (2, 12), (3, 4), (4, 1), (4, 11), (5, 7), (5, 16)]


def test_the_report_shows_each_line_and_points_below_tabs_too():
    with pytest.raises(AssemblyError) as refusal:
        assemble_text("\tNOP\n\tADD\tp1, p2, 3\nJUMP\n", "dir/p.s")
    assert str(refusal.value) == (
        "dir/p.s:2:14: rt: expected a register p0..p31, zero, fp, sp or lr, not '3'\n"
        "\tADD\tp1, p2, 3\n"
        "\t   \t        ^\n"
        "dir/p.s:3:1: expected JUMP j10\n"
        "JUMP\n"
        "^\n"
        "2 errors"
    )


def test_a_program_that_is_too_large_is_refused_before_it_is_made():
    told = f"the program takes 8000000 words, the most is {limit(10)}"
    assert mistakes(".data", ".space 4000000", ".space 4000000", ".word 1")[0] == (
        0,
        0,
        told.replace("8000000", "8000001"),
    )
