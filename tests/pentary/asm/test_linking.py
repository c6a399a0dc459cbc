"""Programs of several sources: global symbols, and names that each source has for itself."""

from pathlib import Path

import pytest

from pentary.asm import AssemblyError, assemble_files
from pentary.interpreter import Interpreter
from pentary.isa.program import Program


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def linked(*texts: str, **defines: int) -> Program:
    paths = [Path(f"{name}.s") for name, _ in zip("abc", texts, strict=False)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return assemble_files(paths, defines)


def report(*texts: str, **defines: int) -> list[str]:
    with pytest.raises(AssemblyError) as refusal:
        linked(*texts, **defines)
    return str(refusal.value).splitlines()


def test_a_program_calls_what_another_source_defines() -> None:
    program = linked(
        "start: li p1, 20\n call twice\n la p2, result\n store p1, (p2)\n halt\n.data\n.global result\nresult: .word 0",
        ".global twice\ntwice: add p1, p1, p1\n add p1, p1, p1\n ret",
    )
    machine = Interpreter(program, memory=100)
    machine.run(100)
    assert machine.memory[program.address("result")] == 80


def test_instructions_come_in_the_order_of_the_sources_and_then_the_data() -> None:
    program = linked(".data\nx: .word 1\n.text\na: NOP", "b: HALT\n.data\ny: .word 2", ".data\n.word 3")
    assert program.text == 2
    assert program.image[2:].tolist() == [1, 2, 3]
    assert program.symbols == {"a.x": 2, "a.a": 0, "b.b": 1, "b.y": 3}
    assert program.labels == ("a.a", "b.b", "a.x", "b.y")
    assert [source.file for source in program.sources] == ["a.s", "b.s"]


def test_names_that_are_not_global_may_be_used_again() -> None:
    source = ".equ N, {}\n.macro m\n.word N\n.endm\nloop: m\n1: .word 1b, loop"
    program = linked("HALT\n" + source.format(5), source.format(7))
    assert program.image[1:].tolist() == [5, 2, 1, 7, 5, 4]
    assert program.symbols == {"a.N": 5, "a.loop": 1, "b.N": 7, "b.loop": 4}


def test_the_own_symbol_comes_before_a_global_one() -> None:
    program = linked(".global N\n.equ N, 5\n.word N", ".equ N, 7\n.word N", ".word N")
    assert program.image.tolist() == [5, 7, 5]
    assert program.symbols == {"N": 5, "b.N": 7}


def test_a_global_constant_may_depend_on_symbols_of_its_source_alone() -> None:
    program = linked("HALT\n.word N", ".global N\n.equ N, hidden * 2\n.equ hidden, 4", ".equ hidden, 100")
    assert program.image[1] == 8


def test_a_value_from_outside_goes_to_every_source_that_declares_it() -> None:
    program = linked(".param N, 1\n.word N", ".param N, 2\n.word N", N=9)
    assert program.image.tolist() == [9, 9]


def test_sources_of_one_name_are_numbered() -> None:
    for folder in ("x", "y"):
        Path(folder).mkdir()
        Path(folder, "io.s").write_text("go: HALT")
    assert assemble_files([Path("x/io.s"), Path("y/io.s")]).symbols == {"io_1.go": 0, "io_2.go": 1}


def test_a_name_of_a_file_becomes_one_of_a_symbol() -> None:
    for name in ("2-main.s", "b.s"):
        Path(name).write_text("go: HALT")
    assert assemble_files([Path("2-main.s"), Path("b.s")]).symbols == {"_2_main.go": 0, "b.go": 1}


def test_one_source_is_as_if_alone() -> None:
    assert linked(".global go\ngo: HALT\nx: NOP").symbols == {"go": 0, "x": 1}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (
            ("call go", "go: HALT"),
            "a.s:1:6: unknown symbol 'go': b.s:1 defines it, but no .global there names it",
        ),
        (("call gone", ".global go\ngo: HALT"), "a.s:1:6: unknown symbol 'gone'; did you mean go?"),
        (("HALT\n .global go", "NOP"), "a.s:2:10: go is global, but not defined in this source"),
        (
            (".global go\ngo: HALT", "\n.global go\ngo: NOP"),
            "b.s:3:1: go is global already, defined at a.s:2",
        ),
        (("a: NOP\na: NOP", "HALT"), "a.s:2:1: a is defined already, at a.s:1"),
        (("HALT", "1: NOP\njump 1f"), "b.s:2:6: no label 1: follows"),
        (("1: NOP", "jump 1b + 0 * 1f"), "b.s:1:6: no label 1: stands before"),
        ((".global 3", "HALT"), "a.s:1:9: expected the name of a symbol"),
        ((".global", "HALT"), "a.s:1:1: .global takes NAME, ...: at least 1 operand, not 0"),
        (("m 1\nHALT", ".macro m x\n.endm"), "a.s:1:1: unknown instruction 'm'"),
        ((".data\n.word 1", ".data\n.word 2"), "a.s: the program has no instructions"),
    ],
)
def test_a_mistake_between_sources_is_told(texts: tuple[str, ...], told: str) -> None:
    assert told in [line.partition("; did you mean MV")[0] for line in report(*texts)]


def test_a_source_that_cannot_be_read_is_told() -> None:
    Path("a.s").write_text("HALT")
    with pytest.raises(AssemblyError, match=r"^none\.s: cannot be read: No such file or directory"):
        assemble_files([Path("a.s"), Path("none.s")])
