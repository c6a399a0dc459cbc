"""The whole instruction space: text to word and back, and illegal instruction words."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.asm import assemble_text, disassemble_word
from pentary.asm.vocabulary import NUMBERS
from pentary.isa.encoding import LAYOUTS, OPCODE, IllegalInstruction, decode, encode, operands
from pentary.isa.table import BY_NAME, INSTRUCTIONS
from pentary.numbers.word import WORD_MAX, limit

reproducible = settings(deadline=None, print_blob=True)
words = st.integers(-WORD_MAX, WORD_MAX)


def one(line):
    (word,) = assemble_text(line).image.tolist()
    return word


def write(instruction, values):
    """Return the assembly line of an instruction, from the values of its operands in order."""
    texts = {}
    for (name, operand), value in zip(operands(instruction), values, strict=True):
        names = {number: name for name, number in NUMBERS.get(operand.kind, {}).items()}
        texts[name] = names.get(value, str(value))
    address = {"i(rs)": "{i}({rs})"}
    listed = [address.get(operand, f"{{{operand}}}").format(**texts) for operand in instruction.operands]
    return f"{instruction.name} {', '.join(listed)}"


def by_hand(instruction, values):
    """Return the instruction word, computed from the weights of the fields."""
    word = instruction.opcode * 5**OPCODE.lowest
    if instruction.function:
        word += instruction.function * 5 ** LAYOUTS["R"]["function"].lowest
    for (_, operand), value in zip(operands(instruction), values, strict=True):
        word += value * 5 ** LAYOUTS[instruction.format][operand.field].lowest
    return word


def bounds(instruction):
    """Return the field, and the least and greatest value, of each operand."""
    return [(operand.field, operand.low or 0, operand.high or 0) for _, operand in operands(instruction)]


def round_trip(instruction, values):
    line = write(instruction, values)
    word = one(line)
    decoded = decode(word)
    assert word == by_hand(instruction, values)
    assert decoded.instruction is instruction
    assert [getattr(decoded, operand.field) for _, operand in operands(instruction)] == list(values)
    assert encode(instruction, *decoded[1:]) == word
    for text in (disassemble_word(word), disassemble_word(word, 0)):
        assert one(text) == word


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda instruction: instruction.name)
def test_every_instruction_at_the_extremes_of_its_operands(instruction):
    extremes = [{low, high, min(high, 1)} for _, low, high in bounds(instruction)]
    for values in product(*extremes):
        round_trip(instruction, values)


@reproducible
@given(st.data())
def test_every_instruction_with_any_operands(data):
    instruction = data.draw(st.sampled_from(INSTRUCTIONS))
    round_trip(instruction, [data.draw(st.integers(low, high)) for _, low, high in bounds(instruction)])


def is_instruction(word):
    try:
        decoded = decode(word)
    except IllegalInstruction:
        assert disassemble_word(word) == f".word {word}"
        return False
    assert encode(*decoded) == word
    assert one(disassemble_word(word)) == word
    return True


@reproducible
@given(words)
def test_any_word_is_one_instruction_or_none(word):
    is_instruction(word)


@reproducible
@given(st.data())
def test_an_instruction_with_one_pent_changed_is_one_instruction_or_none(data):
    instruction = data.draw(st.sampled_from(INSTRUCTIONS))
    values = [data.draw(st.integers(low, high)) for _, low, high in bounds(instruction)]
    changed = by_hand(instruction, values) + data.draw(st.integers(-4, 4)) * 5 ** data.draw(st.integers(0, 15))
    if abs(changed) <= WORD_MAX:
        is_instruction(changed)


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda instruction: instruction.name)
def test_a_field_that_is_not_used_or_out_of_range_makes_an_illegal_word(instruction):
    used = {name: (low, high) for name, low, high in bounds(instruction)}
    word = by_hand(instruction, [low for low, _ in used.values()])
    for name, field in LAYOUTS[instruction.format].items():
        low, high = used.get(name, (0, 0))
        if name == "function":
            continue
        for value in {-limit(field.width), low - 1, high + 1, limit(field.width)}:
            if abs(value) <= limit(field.width) and not low <= value <= high:
                with pytest.raises(IllegalInstruction):
                    decode(word + (value - low) * 5**field.lowest)


def test_codes_that_the_table_does_not_have_are_illegal():
    opcodes = {instruction.opcode for instruction in INSTRUCTIONS}
    for opcode in set(range(-62, 63)) - opcodes:
        with pytest.raises(IllegalInstruction, match=f"there is no opcode {opcode}$"):
            decode(opcode * 5**13)
    for opcode in (1, 2, 3):
        functions = {instruction.function for instruction in INSTRUCTIONS if instruction.opcode == opcode}
        for function in set(range(-312, 313)) - functions:
            with pytest.raises(IllegalInstruction, match=f"has no function {function}$"):
                decode(opcode * 5**13 + function)


def test_targets_are_written_with_labels_addresses_or_distances():
    word = encode(BY_NAME["BEQ"], a=1, d=2, i=-3)
    assert disassemble_word(word) == "BEQ   p1, p2, . - 3"
    assert disassemble_word(word, 1) == "BEQ   p1, p2, -2"
    assert disassemble_word(word, 10, {7: "loop", 10: "here"}) == "BEQ   p1, p2, loop"
    assert disassemble_word(encode(BY_NAME["JUMP"], i=0)) == "JUMP  ."
    assert disassemble_word(np.int64(word).item(), 5, {7: "loop"}) == "BEQ   p1, p2, 2"
