"""Errors in a source: each is reported with file, line, column and a correction."""

import pytest

from pentary.asm import AssemblyError, assemble, assemble_text
from pentary.numbers.word import WORD_MAX, limit


def mistakes(*lines, **options):
    """Return the errors in a source as (line, column, message)."""
    with pytest.raises(AssemblyError) as refusal:
        assemble_text("\n".join(lines), **options)
    return [(found.line, found.column, found.message) for found in refusal.value.diagnostics]


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
        ("word 1", 1, "unknown instruction 'word'; did you mean .word?"),
        (" .spice 1", 2, "unknown directive '.spice'; did you mean .space?"),
        ("3 NOP", 1, "expected an instruction"),
        ("ADD p1, p2", 1, "ADD takes rd, rs, rt: 3 operands, not 2"),
        ("HALT 1", 1, "HALT takes no operands"),
        ("dec", 1, "DEC takes rd: 1 operand, not 0"),
        ("ADD p1,, p2", 8, "an operand is missing before the comma"),
        ("ADD p1, p2,", 11, "an operand is missing after the comma"),
        ("ADD p1, p2, v3", 13, "rt: expected a register p0..p31, zero, fp, sp or lr, not 'v3'"),
        ("add p1, p2, 3", 13, "rt: expected a register p0..p31, zero, fp, sp or lr, not '3'; ADDI takes a number"),
        ("mul p1, p2, -3", 13, "rt: expected a register p0..p31, zero, fp, sp or lr, not '-'; MULI takes a number"),
        ("div p1, p2, 3", 13, "rt: expected a register p0..p31, zero, fp, sp or lr, not '3'"),
        ("add p1, 3, p2", 9, "rs: expected a register p0..p31, zero, fp, sp or lr, not '3'"),
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
        (
            "BEQ p1, p2, . + 39063",
            13,
            "the target is 39063 words away, BEQ reaches -39062..39062; "
            "branch around a JUMP, which reaches -4882812..4882812",
        ),
        ("JUMP -5000000", 6, "the target is -5000001 words away, JUMP reaches -4882812..4882812"),
        (f"LI p1, {WORD_MAX + 1}", 8, f"i is {WORD_MAX + 1}, outside {-WORD_MAX}..{WORD_MAX}"),
        (f".word {WORD_MAX + 1}", 7, f"the word is {WORD_MAX + 1}, outside {-WORD_MAX}..{WORD_MAX}"),
        (".word", 1, ".word takes EXPRESSION, ...: at least 1 operand, not 0"),
        (".word 0xff", 7, "'0xff' is no number: numbers are decimal integers, or pents (0p...)"),
        (".word 3.5", 7, "'3.5' is no number: numbers are decimal integers, or pents (0p...)"),
        ("halt // x", 6, "unexpected '//'; a comment begins with ;"),
        ("// x, y", 1, "unexpected '//'; a comment begins with ;"),
        ("x: // y", 4, "unexpected '//'; a comment begins with ;"),
        ("mv p1, p2 // x, y", 1, "MV takes rd, rs: 2 operands, not 3"),
        ("mv p1, p2 // x", 11, "unexpected '//'; a comment begins with ;"),
        (".word 1, // x", 10, "unexpected '//'; a comment begins with ;"),
        ("# x, y", 1, "unexpected character '#'; a comment begins with ;"),
        ("add p1, p2, p3 # x, y", 16, "unexpected character '#'; a comment begins with ;"),
        ("/* x */", 1, "unexpected character '/'; a comment begins with ;, and // divides"),
        (".word 4 / 2", 9, "unexpected character '/'; a comment begins with ;, and // divides"),
        (".space 3", 1, ".space in .text; it belongs after .data"),
        (".align 3", 1, ".align in .text; it belongs after .data"),
        (".equ 3, 3", 6, "expected the name of a symbol"),
        (".equ p3, 3", 6, "p3 cannot be the name of a symbol: it has a meaning already"),
        ("limit: NOP", 1, "limit cannot be the name of a symbol: it has a meaning already"),
        (".param X, Y", 11, "Y is not known here: it must follow from what stands before"),
        (".assert 1", 1, '.assert takes CONDITION, "MESSAGE": 2 operands, not 1'),
        (".assert 1, 2", 12, 'expected a message in "quotes"'),
        (".data 3", 1, ".data takes no operands"),
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


def test_a_value_for_a_constant_that_is_no_param_is_refused():
    told = "COUNTS is given a value, but no .param declares it; did you mean COUNT?"
    assert mistakes(".param COUNT, 1", defines={"COUNTS": 2}) == [(0, 0, told)]
    assert mistakes(".equ N, 1", defines={"N": 2}) == [(0, 0, "N is given a value, but no .param declares it")]


def test_a_wide_constant_must_be_known_where_li_loads_it():
    told = f"i is 1000000000, outside {-limit(10)}..{limit(10)}; a wider constant must be known from what stands before"
    assert mistakes("li p1, X", ".equ X, 10 ** 9") == [(1, 8, told)]


def test_an_assertion_that_fails_tells_its_message():
    assert mistakes("NOP", ' .assert . == 2, "two; not one"') == [(2, 2, "two; not one")]


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
    assert assemble_text("\n".join([".equ x500, 1", *reversed(lines)])).symbols["x0"] == 1


def test_only_the_first_unknown_symbols_get_a_suggestion():
    found = mistakes("label: NOP", *["LI p1, labl"] * 1000)
    assert [message.endswith("; did you mean label?") for _, _, message in found] == [True] * 20 + [False] * 980


def test_all_mistakes_of_a_source_are_told_in_order():
    lines = ["  ADDI p1, q, 99999", ".word 1 2, ?", "x: BOO", "x: LI p1, y", ".word 10**20, 1//0, 3", "LI p1, x"]
    assert [found[:2] for found in mistakes(*lines)] == [
        (1, 12),
        (1, 15),
        (2, 12),
        (3, 4),
        (4, 1),
        (4, 11),
        (5, 7),
        (5, 16),
    ]


def test_each_operand_of_a_line_has_its_own_mistake():
    found = mistakes(".data", ".word 5 // 0, 1 << 2, 0xff, 3.5, 0p3, 7", ".word 0x1(")
    assert [(line, column) for line, column, _ in found] == [(2, 9), (2, 18), (2, 23), (2, 29), (2, 34), (3, 7)]
    assert [found[:2] for found in mistakes("addi q1, q2, 0xff", "load p1, 0xff(q2)")] == [
        (1, 6),
        (1, 10),
        (1, 14),
        (2, 10),
        (2, 15),
    ]


def test_the_report_shows_each_line_and_points_below_tabs_too():
    with pytest.raises(AssemblyError) as refusal:
        assemble_text("\tNOP\n\tADD\tp1, p2, 3\nJUMP\n", "dir/p.s")
    assert str(refusal.value) == (
        "dir/p.s:2:14: rt: expected a register p0..p31, zero, fp, sp or lr, not '3'; ADDI takes a number\n"
        "\tADD\tp1, p2, 3\n"
        "\t   \t        ^\n"
        "dir/p.s:3:1: JUMP takes j10: 1 operand, not 0\n"
        "JUMP\n"
        "^\n"
        "2 errors"
    )


def test_of_thousands_of_mistakes_the_first_twenty_are_shown_and_the_others_counted():
    lines = [f"fo{n} p1" if n % 2 else f"li p1, x{n}" for n in range(3000)]
    with pytest.raises(AssemblyError) as refusal:
        assemble_text("\n".join(["foo: nop", *lines]), "p.s")
    assert len(refusal.value.diagnostics) == 3000
    *report, last = str(refusal.value).splitlines()
    assert [line.split(":")[1] for line in report[::3]] == [str(n + 2) for n in range(20)]
    assert len(report) == 20 * 3
    assert last == "3,000 errors; the first 20 are shown"


@pytest.mark.parametrize("before", [0, 50, 100_000])
def test_of_a_long_line_the_part_around_the_mistake_is_shown(before):
    line = f"        .word {'1, ' * before}{'y' * 100_000}, 2{', 3' * 100_000}"
    with pytest.raises(AssemblyError) as refusal:
        assemble_text(f".data\n{line}", "p.s")
    message, text, caret, _ = str(refusal.value).splitlines()
    assert all(len(part) <= 230 for part in (message, text, caret))
    assert message.startswith(f"p.s:2:{15 + 3 * before}: unknown symbol 'yyy")
    assert text[len(caret) - 1 :].startswith("yyyy")
    assert before == 0 or text[: len(caret) - 1].endswith("1, 1, ")


@pytest.mark.parametrize("text", ["", "; nothing", ".equ N, 1", ".data\n.word 1"])
def test_a_file_without_instructions_is_no_program_but_may_be_included(tmp_path, text):
    (tmp_path / "part.s").write_text(text)
    (tmp_path / "main.s").write_text('halt\n.include "part.s"')
    with pytest.raises(AssemblyError) as refusal:
        assemble(tmp_path / "part.s")
    assert str(refusal.value) == f"{tmp_path}/part.s: the program has no instructions\n1 error"
    assert assemble(tmp_path / "main.s").text == 1


def test_a_program_that_is_too_large_is_refused_before_it_is_made():
    told = f"the program takes 8000001 words, the most is {limit(10)}"
    assert mistakes(".data", ".space 4000000", ".space 4000000", ".word 1") == [(0, 0, told)]
