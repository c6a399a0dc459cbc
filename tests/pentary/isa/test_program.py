import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.isa.program import Fault, Program, Source
from pentary.numbers.word import PentaryError

TEXT = """
        .equ LAST, 2
first:  nop
second:
same:   nop
        nop
        nop
        halt
        .data
numbers: .word 4, 5
end:
"""


@pytest.fixture
def program() -> Program:
    return assemble_text(TEXT, "here.s")


@pytest.mark.parametrize(("label", "address"), [("first", 0), ("second", 1), ("same", 1), ("numbers", 5), ("end", 7)])
def test_labels_have_addresses(program: Program, label: str, address: int) -> None:
    assert program.address(label) == address


@pytest.mark.parametrize("name", ["LAST", "First", "nop", ""])
def test_other_names_have_none(program: Program, name: str) -> None:
    with pytest.raises(PentaryError, match=f"^the program has no label {name!r}$"):
        program.address(name)


@pytest.mark.parametrize(
    ("pc", "place"),
    [
        (0, "first (here.s:3)"),
        (1, "same (here.s:5)"),
        (2, "same+1 (here.s:6)"),
        (4, "same+3 (here.s:8)"),
        (5, "numbers"),
        (6, "numbers+1"),
        (100, "end+93"),
        (-1, "-1"),
    ],
)
def test_a_place_is_the_nearest_label_and_the_line(program: Program, pc: int, place: str) -> None:
    assert program.place(pc) == place


@pytest.mark.parametrize(
    ("labels", "sources", "place"),
    [
        ({}, (), "1"),
        ({"later": 2}, (), "1"),
        ({"start": 0}, (), "start+1"),
        ({}, (Source("a.s", 1, "NOP"), Source("b.s", 7, "HALT")), "1 (b.s:7)"),
    ],
)
def test_a_place_is_told_with_what_is_known(labels: dict[str, int], sources: tuple[Source, ...], place: str) -> None:
    program = Program(np.zeros(2, np.int64), 2, 2, labels, tuple(labels), sources)
    assert program.place(1) == place


def test_a_fault_is_one_line_and_keeps_its_parts() -> None:
    fault = Fault("memory", 12, "LOAD from -1, outside memory (0..99)", origin=11)
    assert isinstance(fault, PentaryError)
    assert str(fault) == "memory fault at 12: LOAD from -1, outside memory (0..99)"
    assert (fault.kind, fault.pc, fault.detail, fault.origin) == (
        *("memory", 12, "LOAD from -1, outside memory (0..99)", 11),
    )
    assert Fault("fetch", 0, "nothing").origin is None
