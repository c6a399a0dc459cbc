"""Conditional and repeated lines."""

import pytest

from pentary.asm import AssemblyError, assemble_text


def report(text: str, **defines: int) -> str:
    with pytest.raises(AssemblyError) as refusal:
        assemble_text(text, "p.s", defines)
    return str(refusal.value)


def data(text: str, **defines: int) -> list[int]:
    return assemble_text(f".data\n{text}", "p.s", defines).image.tolist()


CHOICE = ".param N, 0\n.if N == 1\n.word 1\n.elif N == 2\n.word 2\n.else\n.word 3\n.endif\n.word 9"


@pytest.mark.parametrize(("n", "words"), [(0, [3, 9]), (1, [1, 9]), (2, [2, 9]), (3, [3, 9])])
def test_the_first_branch_whose_condition_holds_is_assembled(n: int, words: list[int]) -> None:
    assert data(CHOICE, N=n) == words


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_choices_nest(a: int, b: int) -> None:
    text = (
        ".param A, 0\n.param B, 0\n.if A\n.if B\n.word 11\n.else\n.word 10\n.endif\n"
        ".else\n.if B\n.word 1\n.endif\n.word 2\n.endif\n.word 9"
    )
    expected = {(0, 0): [2], (0, 1): [1, 2], (1, 0): [10], (1, 1): [11]}[a, b]
    assert data(text, A=a, B=b) == [*expected, 9]


def test_a_branch_that_is_not_taken_is_not_read() -> None:
    text = '.if 0\nFOO "\n.include "none.s"\n.macro m\n.endm\nx: .word 1\n.endif\n.macro m\n.word 2\n.endm\nx: m'
    assert data(text) == [2]


def test_a_later_condition_is_not_evaluated_after_a_branch_that_is_taken() -> None:
    assert data(".if 1\n.word 1\n.elif 1 // 0\n.word 2\n.endif") == [1]


def test_conditions_use_what_stands_before() -> None:
    assert data("a: .word 1\n.equ N, 2\n.if N > 1\n.word N\n.endif") == [1, 2]
    assert "p.s:1:5: N is not known here" in report(".if N\n.endif\n.equ N, 1")
    assert "p.s:2:5: x is not known here" in report(".data\n.if x\n.endif\nx: .word 1")
    assert assemble_text("NOP\n.if . == 1\nHALT\n.endif").text == 2


def test_labels_before_a_block_are_kept() -> None:
    program = assemble_text("a: .if 1\nNOP\n.endif\nb: .rept 2\nNOP\n.endr\nc: HALT")
    assert program.symbols == {"a": 0, "b": 1, "c": 3}


def test_lines_are_repeated_with_the_number_of_the_repetition() -> None:
    assert data(".rept 4, i\n.word \\i * \\i ; \\i\n.endr") == [0, 1, 4, 9]
    assert data(".rept 3\n.word 7\n.endr\n.word 8") == [7, 7, 7, 8]
    assert data(".rept 0, i\n.word \\i\n.endr\n.word 8") == [8]


def test_repetitions_nest_and_stand_in_macros_and_choices() -> None:
    assert data(".rept 2, i\n.rept 3, j\n.word \\i * 10 + \\j\n.endr\n.endr") == [0, 1, 2, 10, 11, 12]
    macro = ".macro table n, by\n.rept \\n, i\n.word \\i * \\by\n.endr\n.endm\ntable 3, 5\ntable 2, 7"
    assert data(macro) == [0, 5, 10, 0, 7]
    assert data(".rept 4, i\n.if \\i % 2\n.word \\i\n.endif\n.endr") == [1, 3]
    assert data(".if 1\n.rept 2\n.word 1\n.endr\n.endif") == [1, 1]


def test_macros_and_labels_in_repetitions() -> None:
    assert data(".rept 3, i\nx\\i: .word .\n.endr\n.word x0, x1, x2") == [0, 1, 2, 0, 1, 2]
    assert data(".macro one x\n.word \\x, \\@ - \\@\n.endm\n.rept 2, i\none \\i\n.endr") == [0, 0, 1, 0]


def test_an_instruction_of_a_repetition_has_the_line_where_it_is_written() -> None:
    program = assemble_text(".rept 2, i\n  LI p1, \\i ; here\n.endr\nHALT", "p.s")
    assert [(source.line, source.text) for source in program.sources] == [(2, "  LI p1, \\i ; here")] * 2 + [
        (4, "HALT")
    ]


def test_a_mistake_in_a_repetition_is_told_with_its_number() -> None:
    told = report(".data\n.rept 3, i\n  .word 1 // (1 - \\i)\n.endr")
    assert told == "p.s:3:3: division by 0 (in repetition 1)\n  .word 1 // (1 - \\i)\n  ^\n1 error"
    assert report(".data\n.rept 3\n.word 1 // 0\n.endr").endswith("1 error")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("NOP\n .if 1\nNOP", "p.s:2:2: no .endif ends this .if"),
        (" .rept 1\n.if 1\n.endr", "p.s:1:2: no .endr ends this .rept"),
        (" .endif", "p.s:1:2: .endif without .if"),
        (".else", "p.s:1:1: .else without .if"),
        (".elif 1", "p.s:1:1: .elif without .if"),
        (".endr", "p.s:1:1: .endr without .rept"),
        (".if\n.endif", "p.s:1:1: .if takes CONDITION: 1 operand, not 0"),
        (".if 1, 2\n.endif", "p.s:1:1: .if takes CONDITION: 1 operand, not 2"),
        (".if 0\n.elif\n.endif", "p.s:2:1: .elif takes CONDITION: 1 operand, not 0"),
        (".if 0\n.else 1\n.endif", "p.s:2:1: an .else takes no condition, and is the last branch of an .if"),
        (".if 0\n.else\n.else\n.endif", "p.s:2:1: an .else takes no condition, and is the last branch of an .if"),
        (".rept\n.endr", "p.s:1:1: .rept takes COUNT: 1 operand, not 0"),
        (".rept 2, 3\n.endr", "p.s:1:1: .rept takes COUNT: 1 operand, not 2"),
        (".rept -1\n.endr", "p.s:1:7: the count is -1, outside 0..100000"),
        (".rept 10 ** 9\n.endr", "p.s:1:7: the count is 1000000000, outside 0..100000"),
        (".rept 2\nNOP \\i\n.endr", "p.s:2:5: unexpected character '\\\\'"),
    ],
)
def test_a_wrong_block_is_told(text: str, told: str) -> None:
    assert told in report(text).splitlines()


def test_repetitions_that_multiply_are_stopped() -> None:
    text = ".data\n" + ".rept 1000\n" * 4 + ".word 1\n" + ".endr\n" * 4
    assert "more than 100000 macros, includes and repetitions" in report(text)


def test_blocks_that_nest_deeply_are_stopped() -> None:
    for begin, end in ((".rept 1\n", ".endr\n"), (".if 1\n", ".endif\n"), (".if 0\n.else\n", ".endif\n")):
        assert assemble_text(begin * 49 + "NOP\n" + end * 49).text == 1
        assert "nested more than 50 deep" in report(begin * 300 + "NOP\n" + end * 300)
