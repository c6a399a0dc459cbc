"""Encoding and decoding against digits placed by hand, at all limits, and rejection of all other words."""

from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.isa import BY_NAME, INSTRUCTIONS, IllegalInstruction, decode, encode
from pentary.isa.document import document
from pentary.isa.encoding import LAYOUTS, OPCODE, operands
from pentary.numbers.notation import format_pents, parse_pents
from pentary.numbers.word import PENTS, WORD_MAX, PentaryError, limit, to_digits

reproducible = settings(deadline=None, print_blob=True)
every_line = pytest.mark.parametrize("line", INSTRUCTIONS, ids=lambda line: line.name)

# Pents of a word from the highest, as drawn in the specification: (field, pents).
DRAWN = {
    "R": (("opcode", 3), ("d", 3), ("a", 3), ("b", 3), ("function", 4)),
    "W": (("opcode", 3), ("d", 3), ("a", 3), ("b", 3), ("i", 4)),
    "I": (("opcode", 3), ("d", 3), ("a", 3), ("i", 7)),
    "J": (("opcode", 3), ("d", 3), ("i", 10)),
}
FIELDS = ("d", "a", "b", "i")


def ranges(line):
    """Return the least and greatest value of each field that the instruction uses."""
    return {operand.field: (operand.low or 0, operand.high or 0) for _, operand in operands(line)}


def spelled(line, **fields):
    """Return the word with the given field values, whether or not it is a legal instruction."""
    values = {"opcode": line.opcode, "function": line.function} | fields
    return parse_pents("".join(format_pents(values.get(name, 0), pents) for name, pents in DRAWN[line.format]))


def refused(word):
    with pytest.raises(IllegalInstruction, match=rf"^{word} is no instruction: "):
        decode(word)
    return True


def is_legal(word):
    try:
        decode(word)
    except IllegalInstruction:
        return False
    return True


def corners(line):
    """Return all combinations of the least, the next, the greatest and a middle value of each field."""
    marks = [sorted({low, low + 1, (low + high) // 2, high}) for low, high in ranges(line).values()]
    return [dict(zip(ranges(line), values, strict=True)) for values in product(*marks)]


@pytest.mark.parametrize(("form", "drawn"), DRAWN.items())
def test_layouts_are_as_drawn(form, drawn):
    lowest, places = PENTS, {}
    for name, pents in drawn:
        lowest -= pents
        places[name] = (lowest, pents)
    assert places == {"opcode": OPCODE} | LAYOUTS[form]


@every_line
def test_round_trip_at_every_combination_of_extremes(line):
    for fields in corners(line):
        word = encode(line, **fields)
        assert word == spelled(line, **fields)
        assert decode(word) == (line, *(fields.get(name, 0) for name in FIELDS))


def test_no_two_instructions_share_a_word():
    words = [encode(line, **fields) for line in INSTRUCTIONS for fields in corners(line)]
    assert len(set(words)) == len(words)


def legal(line):
    return st.fixed_dictionaries({name: st.integers(low, high) for name, (low, high) in ranges(line).items()})


def any_fields(line):
    def values(name, pents):
        return st.integers(*ranges(line).get(name, (0, 0))) | st.integers(-limit(pents), limit(pents))

    return st.fixed_dictionaries({name: values(name, pents) for name, pents in DRAWN[line.format] if name in FIELDS})


lines = st.sampled_from(list(BY_NAME)).map(BY_NAME.__getitem__)
words = st.integers(-WORD_MAX, WORD_MAX)
likely_words = lines.flatmap(lambda line: any_fields(line).map(lambda fields: spelled(line, **fields)))


@reproducible
@given(lines.flatmap(lambda line: st.tuples(st.just(line), legal(line))))
def test_round_trip_of_any_operands(line_and_fields):
    line, fields = line_and_fields
    word = encode(line, **fields)
    assert word == spelled(line, **fields)
    assert decode(word) == (line, *(fields.get(name, 0) for name in FIELDS))


def meaning(word):
    """Return the instruction and fields of a word, or None, from its digits and the table alone."""
    digits = to_digits(word).tolist()[::-1]
    for line in INSTRUCTIONS:
        place, values = 0, {}
        for name, pents in DRAWN[line.format]:
            values[name] = sum(digit * 5**i for i, digit in enumerate(reversed(digits[place : place + pents])))
            place += pents
        if values.pop("opcode") == line.opcode and values.pop("function", 0) == line.function:
            fits = {name: (0, 0) for name in values} | ranges(line)
            inside = all(low <= values[name] <= high for name, (low, high) in fits.items())
            return (line, *(values.get(name, 0) for name in FIELDS)) if inside else None
    return None


@reproducible
@given(words | likely_words)
def test_any_word_is_what_its_digits_say_or_refused(word):
    expected = meaning(word)
    if expected is None:
        refused(word)
    else:
        decoded = decode(word)
        assert decoded == expected
        assert encode(*decoded) == word


@every_line
def test_every_violation_of_a_single_field_is_refused_both_ways(line):
    used = ranges(line)
    legal = {name: low for name, (low, _) in used.items()}
    for name in FIELDS:
        low, high = used.get(name, (0, 0))
        held = dict(DRAWN[line.format]).get(name)
        for value in (low - 1, high + 1, -(5**PENTS), 5**PENTS):
            with pytest.raises(IllegalInstruction, match=rf"^{line.name}: field {name} is {value}, outside {low}\.\."):
                encode(line, **legal | {name: value})
        if held:
            edges = {-limit(held), low - 1, high + 1, limit(held)}
            assert all(
                refused(spelled(line, **legal | {name: v}))
                for v in edges
                if abs(v) <= limit(held) and not low <= v <= high
            )


def test_every_opcode_and_function_that_the_table_does_not_have_is_refused():
    functions = {(line.opcode, line.function) for line in INSTRUCTIONS if line.format == "R"}
    opcodes = {line.opcode for line in INSTRUCTIONS}
    assert all(refused(opcode * 5**13) for opcode in range(-62, 63) if opcode not in opcodes)
    for opcode in {opcode for opcode, _ in functions}:
        assert all(refused(opcode * 5**13 + f) for f in range(-312, 313) if (opcode, f) not in functions)


def test_the_word_0_and_the_words_of_small_numbers_are_no_instruction():
    assert all(refused(word) for word in range(-1000, 1001))


@pytest.mark.parametrize("word", [WORD_MAX + 1, -WORD_MAX - 1, 1.5, True])
def test_what_is_no_word_is_refused(word):
    with pytest.raises(PentaryError):
        decode(word)


def count_legal(line, name, pents):
    """Return the number of legal values of a field if the others are legal; all, if both limits of the field are."""
    least = {field: low for field, (low, _) in ranges(line).items()}
    place = 5 ** LAYOUTS[line.format][name].lowest
    zero = encode(line, **least) - least.get(name, 0) * place
    if is_legal(zero - limit(pents) * place) and is_legal(zero + limit(pents) * place):
        return 5**pents
    return sum(is_legal(zero + value * place) for value in range(-62, 63))


def test_the_number_of_instruction_words_is_that_of_the_specification():
    fields = {form: [(name, pents) for name, pents in drawn if name in FIELDS] for form, drawn in DRAWN.items()}
    total = sum(prod(count_legal(line, *field) for field in fields[line.format]) for line in INSTRUCTIONS)
    assert f"; {total:,} of the" in document()


def test_an_example_by_hand():
    assert format_pents(encode(BY_NAME["STORE"], d=30, a=31, i=-39_062)) == "+⊖⊖++0+++⊖⊖⊖⊖⊖⊖⊖"


@pytest.mark.parametrize(
    ("unit", "named"),
    [
        ("vector", "the vector unit"),
        ("memory", "the vector load/store unit"),
        ("crossbar", "the crossbar"),
        ("lowrank", "the low-rank unit"),
    ],
)
def test_an_instruction_of_an_absent_unit_is_illegal(unit, named):
    for line in INSTRUCTIONS:
        word = encode(line, **{field: low for field, (low, _) in ranges(line).items()})
        if line.unit != unit:
            assert decode(word, {unit}) == decode(word)
            continue
        with pytest.raises(IllegalInstruction) as refusal:
            decode(word, {unit})
        assert str(refusal.value) == f"{line.name} needs {named}, which this machine does not have"
