"""Every source either assembles or is rejected with error messages."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pentary.asm import AssemblyError, assemble_text, disassemble
from pentary.support.messages import MOST

reproducible = settings(deadline=None, print_blob=True)

VALID = """
        .param  N, 5
        .equ    LAST, array + (N - 1) * 2 ** 0 - 4 // 5 % 3
        .macro  add3 to, value          ; adds three times
again\\@: inc    \\to
        addi    \\to, \\to, \\value
        bnz     \\to, again\\@
        .endm
        .macro  both x
        add3    \\x, 3
        .endm
start:  li      p1, array
        LI      p9, 10**9 + 7
        load    p4, -3(p1)
        quant   v1, v2, 3, 8
        lrset   ROWS, sp
        both    p7
        call    start
        .word   0, 0p2-=⊕+⊖, limit(3), min(isqrt(17), max(1, 2))
        halt
        .data
        .align  4
array:  .word   1, 2, ., LAST == array, N <= 3
        .assert N != 4, "four; not"
        .if     N > 4
        .string "é\\"\\n", ";"
        .elif   N
        .fill   N, 'x'
        .else
        .word   1f, '\\''
        .endif
1:      .rept   3, i
        .word   \\i * N, 1b
        .endr
        .space  100
end:    .space  end - array
"""
assemble_text(VALID)

LINES = VALID.splitlines()
PIECES = [
    *[
        "\\",
        "\\@",
        "\\to",
        '"',
        ";",
        ":",
        ",",
        "(",
        ")",
        "-",
        "**",
        "//",
        "%",
        ".",
        "..",
        " ",
        "\t",
        "\n",
        "\r",
        "\0",
        "é",
    ],
    *["0p", "0p=", "_", "9" * 50, "10**9", "1//0", "x", "p3", "p99", "zero", "v1", "ROWS", "limit", "isqrt(", "array"],
    *[
        ".if N",
        ".elif 0",
        ".else",
        ".endif",
        ".rept 2, i",
        ".endr",
        "1:",
        "1b",
        "1f",
        "'",
        "\\i",
        ".global N",
        ".fill 2,",
    ],
    *[".macro m a", ".endm", '.include "."', ".equ x, x", ".equ N, end", ".param end, 1", ".text", ".data", ".align 0"],
    *[".space 10**6", ".space -1", ".assert 0, ", "both p1", "m 1", "li p1, ", "again1:", "\ud800", "\u2028"],
]


def check(text, defines=None):
    try:
        program = assemble_text(text, defines=defines)
    except AssemblyError as error:
        assert error.diagnostics
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for found in error.diagnostics:
            assert found.line == 0 or found.text == lines[found.line - 1]
            assert found.line == 0 or 1 <= found.column <= len(found.text) + 1
        count = len(error.diagnostics)
        told = f"{count} error{'s' * (count > 1)}" if count <= MOST else f"{count:,} errors; the first {MOST} are shown"
        assert str(error).endswith(told)
        return
    assert 0 <= program.text == len(program.sources) <= program.image.size <= program.size
    addresses = [program.address(label) for label in program.labels]
    assert addresses == sorted(addresses)
    again = assemble_text(disassemble(program))
    assert again.image.tolist() == program.image.tolist()
    assert (again.text, again.size) == (program.text, program.size)


@reproducible
@given(st.data())
def test_a_program_with_pieces_inserted_and_removed(data):
    text = VALID
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        removed = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(st.sampled_from(["", *PIECES])) + text[at + removed :]
    check(text)


@reproducible
@given(st.lists(st.sampled_from(LINES), max_size=40), st.dictionaries(st.sampled_from(["N", "x"]), st.integers()))
def test_lines_in_any_order_and_number(lines, defines):
    check("\n".join(lines), defines)


@reproducible
@given(st.lists(st.sampled_from([*PIECES, *VALID.split()]), max_size=30).map(" ".join))
def test_words_in_any_order(text):
    check(text)


@reproducible
@given(st.text(max_size=200))
@example("\ufeff")
def test_any_text(text):
    check(text)
