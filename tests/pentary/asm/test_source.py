"""Includes and macros: their expansion, and the positions of errors in them."""

import pytest

from pentary.asm import AssemblyError, assemble, assemble_text


def report(text, name="p.s"):
    with pytest.raises(AssemblyError) as refusal:
        assemble_text(text, name)
    return str(refusal.value)


def same(text, plain):
    program, wanted = assemble_text(text), assemble_text(plain)
    assert program.image.tolist() == wanted.image.tolist()
    return program


def test_an_included_file_is_sought_beside_the_including_one(tmp_path, monkeypatch):
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    (tmp_path / "main.s").write_text('LI p1, ONE\n .include "lib/a.s"\nb: HALT')
    (tmp_path / "lib" / "a.s").write_text('.include "deep/b.s" ; one\na: NOP')
    (tmp_path / "lib" / "deep" / "b.s").write_text('.equ ONE, 1\n.macro twice x\n\\x\n\\x\n.endm\nx: .include "../c.s"')
    (tmp_path / "lib" / "c.s").write_text("twice NOP")
    monkeypatch.chdir(tmp_path / "lib")
    program = assemble(tmp_path / "main.s")
    assert program.symbols == {"ONE": 1, "x": 1, "a": 3, "b": 4}
    included = str(tmp_path / "lib" / "deep" / ".." / "c.s")
    assert [(source.file, source.line) for source in program.sources[1:4]] == [
        (included, 1),
        (included, 1),
        (str(tmp_path / "lib" / "a.s"), 2),
    ]


def test_a_file_may_be_included_twice_but_not_in_itself(tmp_path):
    (tmp_path / "a.s").write_text("NOP")
    (tmp_path / "main.s").write_text('.include "a.s"\n.include "a.s"')
    assert assemble(tmp_path / "main.s").text == 2
    (tmp_path / "a.s").write_text('NOP\n.include "./main.s"')
    with pytest.raises(AssemblyError) as refusal:
        assemble(tmp_path / "main.s")
    path = tmp_path / "main.s"
    assert [(found.file, found.line, found.column, found.message) for found in refusal.value.diagnostics] == [
        (str(tmp_path / "a.s"), 2, 10, f"{path} includes itself")
    ]


@pytest.mark.parametrize(
    ("line", "column", "told"),
    [
        ('.include "none.s"', 10, "{}/none.s: cannot be read: No such file or directory"),
        ('.include "."', 10, "{}: cannot be read: Is a directory"),
        ('.include "latin.s"', 10, "{}/latin.s: line 2 is not UTF-8 text"),
        (".include none.s", 1, 'expected .include "FILE"'),
        (".include", 1, 'expected .include "FILE"'),
        ('.include "a.s" "b.s"', 1, 'expected .include "FILE"'),
    ],
)
def test_an_include_that_cannot_be_read_is_told(tmp_path, line, column, told):
    (tmp_path / "latin.s").write_bytes(b"\n\xe9")
    first = report(f"NOP\n{line}", f"{tmp_path}/p.s").splitlines()[0]
    assert first == f"{tmp_path}/p.s:2:{column}: {told.format(tmp_path)}"


def test_a_deep_chain_of_includes_is_refused(tmp_path):
    for n in range(60):
        (tmp_path / f"{n}.s").write_text(f'.include "{n + 1}.s"')
    with pytest.raises(AssemblyError, match="nested more than 50 deep"):
        assemble(tmp_path / "0.s")


def test_parameters_are_replaced_by_the_texts_of_the_operands():
    macro = ".macro m to, from, n ; three\n ADDI \\to, \\from, \\n * 2 ; \\nothing\n .word \\n\n.endm\n"
    same(macro + "M p1, p2, 1 + 2\nm p3,p4,min(1, 2)", "ADDI p1, p2, 5\n.word 3\nADDI p3, p4, 2\n.word 1")
    same('.macro m text\n.assert 1, "\\text;" ; x\n.word 1\n.endm\nm a b\n', ".word 1")


def test_labels_are_unique_through_the_number_of_the_expansion():
    text = ".macro wait r\nagain\\@: DEC \\r\nBNZ \\r, again\\@\n.endm\nwait p1\nx: wait p2"
    program = same(text, "DEC p1\nBNZ p1, 0\nDEC p2\nBNZ p2, 2")
    assert program.symbols["x"] == 2
    assert len(program.symbols) == 3


def test_macros_use_macros_and_each_expansion_has_its_number():
    text = ".macro one\n.word \\@\n.endm\n.macro two\none\none\n.word \\@\n.endm\ntwo\none"
    first, second, third, fourth = assemble_text(text).image.tolist()
    assert len({first, second, third, fourth}) == 4


def test_an_instruction_of_an_expansion_has_the_source_line_of_the_invocation():
    program = assemble_text(".macro a\nNOP\nli p1, 10**9\n.endm\n.macro b\na\nNOP\n.endm\nHALT\nx: b ; here\n", "p.s")
    assert [(source.line, source.text) for source in program.sources] == [(9, "HALT")] + [(10, "x: b ; here")] * 4


def test_a_mistake_in_an_expansion_is_shown_at_the_invocation_and_names_the_macros_line():
    text = ".macro inner x\n\n  FOO \\x\n.endm\n.macro outer\n inner 1\n.endm\n\tNOP\nlabel: outer ; why\n"
    assert report(text) == (
        "p.s:9:8: unknown instruction 'FOO' (in macro inner, p.s:3)\nlabel: outer ; why\n       ^\n1 error"
    )
    assert "p.s:4:3: unknown symbol 'Y' (in macro m, p.s:2)" in report(".macro m x\nLI p1, \\x\n.endm\n  m Y")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("NOP\n .macro m\nNOP", "p.s:2:2: no .endm ends this .macro"),
        ("NOP\n .endm", "p.s:2:2: .endm without .macro"),
        (".macro", "p.s:1:1: no .endm ends this .macro"),
        (".macro\n.endm", "p.s:1:1: expected .macro NAME PARAMETER, ..."),
        (".macro 3\n.endm", "p.s:1:1: expected .macro NAME PARAMETER, ..."),
        (".macro Add a\n.endm", "p.s:1:8: Add cannot be the name of a macro"),
        (".macro li\n.endm", "p.s:1:8: li cannot be the name of a macro"),
        (".macro .x\n.endm", "p.s:1:8: .x cannot be the name of a macro"),
        (".macro m a b\n.endm", "p.s:1:10: a parameter is one name of letters, digits and underscores"),
        (".macro m a.b\n.endm", "p.s:1:10: a parameter is one name of letters, digits and underscores"),
        (".macro m a,\n.endm", "p.s:1:11: an operand is missing after the comma"),
        (".macro m a, a\n.endm", "p.s:1:10: two parameters have one name"),
        (".macro m\n.endm\n.macro M\n.endm", "p.s:3:8: macro M is defined already, at p.s:1"),
        (".macro m a\n NOP \\b\n.endm", "p.s:2:6: macro m has no parameter b"),
        (".macro m a\n .macro n\n.endm", "p.s:2:2: a .macro within a .macro"),
        (".macro m a\n.endm\n m", "p.s:3:2: m takes a: 1 operand, not 0"),
        (".macro m\n.endm\n m 1", "p.s:3:2: m takes no operands"),
        (".macro m\n m\n.endm\n m", "p.s:4:2: macro m uses itself (in macro m, p.s:2)"),
        (".macro m\n n\n.endm\n.macro n\n m\n.endm\n n", "p.s:7:2: macro n uses itself (in macro m, p.s:2)"),
        (".macro m a\n NOP \\ \n.endm\nm 1", "p.s:4:1: unexpected character '\\\\' (in macro m, p.s:2)"),
        (".macro m a\n.endm\n mm 1", "p.s:3:2: unknown instruction 'mm'; did you mean m?"),
    ],
)
def test_a_wrong_macro_is_told(text, told):
    assert told in report(text).splitlines()


def test_macros_that_double_are_stopped(monkeypatch):
    monkeypatch.setattr("pentary.asm.source._MAX_EXPANSIONS", 1000)
    macros = ["\n".join([f".macro m{n}", f"m{n - 1}", f"m{n - 1}", ".endm"]) for n in range(1, 40)]
    text = "\n".join([".macro m0", "NOP", ".endm", *macros, "m39", "NOP"])
    assert "more than 1000 macros, includes and repetitions" in report(text)
    assert report(text).endswith("\n1 error")


def test_a_text_that_doubles_is_stopped():
    macros = ["\n".join([f".macro m{n} x", f"m{n - 1} \\x + \\x", ".endm"]) for n in range(1, 40)]
    text = "\n".join([".macro m0 x", ".word \\x", ".endm", *macros, "m39 1"])
    assert "a line of macro m28 grows beyond 10000 characters (in macro m29" in report(text)
