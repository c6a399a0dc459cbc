"""Disassembled programs assemble to the same program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.asm import assemble_text, disassemble
from pentary.isa.encoding import encode, operands
from pentary.isa.program import Program
from pentary.isa.table import BY_NAME, INSTRUCTIONS
from pentary.numbers.word import WORD_MAX

reproducible = settings(deadline=None, print_blob=True)


def assert_identical(program):
    text = disassemble(program)
    again = assemble_text(text)
    assert again.image.tolist() == program.image.tolist()
    assert (again.text, again.size) == (program.text, program.size)
    assert {label: again.symbols[label] for label in program.labels} == {
        label: program.symbols[label] for label in program.labels
    }
    assert disassemble(again) == text
    return text


@st.composite
def instruction_words(draw):
    instruction = draw(st.sampled_from(INSTRUCTIONS))
    fields = {}
    for _, operand in operands(instruction):
        near = operand.kind == "target" and draw(st.booleans())
        low, high = (-8, 8) if near else (operand.low, operand.high)
        fields[operand.field] = draw(st.integers(low, high))
    return encode(instruction, **fields)


@st.composite
def programs(draw):
    text = draw(st.lists(instruction_words() | st.integers(-WORD_MAX, WORD_MAX), max_size=12))
    data = draw(st.lists(st.just(0) | st.integers(-WORD_MAX, WORD_MAX), max_size=12))
    size = len(text + data) + draw(st.integers(0, 3))
    addresses = draw(
        st.dictionaries(st.sampled_from(["a", "L1", "L2", "L2_", "b.c", "_", "ROWS"]), st.integers(0, size))
    )
    labels = tuple(sorted(addresses, key=addresses.__getitem__))
    return Program(np.array(text + data, np.int64), len(text), size, addresses, labels)


@reproducible
@given(programs())
def test_any_program_assembles_to_itself_again(program):
    assert_identical(program)


def test_the_programs_labels_are_kept_and_others_made():
    program = assemble_text("start: bz p1, skip\nnop\nskip: jump start\nbnz p2, 1\njump 50\n.data\nx: .word 3\ny: z:")
    text = assert_identical(program)
    code = [line.split(";")[0].strip() for line in text.splitlines()]
    assert code == [
        "start:",
        "BEQ   p1, p0, skip",
        "L1:",
        "NOP",
        "skip:",
        "JUMP  start",
        "BNE   p2, p0, L1",
        "JUMP  50",
        ".data",
        "x:",
        ".word 3",
        "y:",
        "z:",
    ]


def test_runs_of_zeros_are_space_split_at_labels():
    text = assert_identical(assemble_text(".data\n.space 1000\na: .space 5\n.word 1, 0, 0, 0\n.space 9\nb: .space 2"))
    code = [line.split(";")[0].strip() for line in text.splitlines()[1:]]
    assert code == [".space 1000", "a:", ".space 5", ".word 1", ".space 2", ".word 0", ".space 9", "b:", ".space 2"]


def test_each_word_has_its_address_and_pents():
    line, _, data, _ = disassemble(assemble_text("halt\n.data\n.word -7, 1")).splitlines()
    assert line.split(";")[1].split() == ["0", "00+0000000000+0+"]
    assert data.split() == [".word", "-7", ";", "1", "00000000000000-⊖"]


@pytest.mark.parametrize("text", ["", ".data\n.space 3", "x:", ".data\nx:", "halt", ".word 0\n.data\n.word 0"])
def test_small_programs(text):
    assert_identical(assemble_text(text))


def test_a_program_without_labels_is_written_with_new_ones():
    program = Program(np.array([encode(BY_NAME["JUMP"], i=i) for i in (1, -1, 0, 4)]), 4, 4)
    text = assert_identical(program)
    assert text.count("L") == 3 + 3
