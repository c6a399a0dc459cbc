"""The instruction table: every line is well-formed, and its text agrees with the constants."""

import re
from collections import Counter, defaultdict
from typing import get_args

import pytest

from pentary.isa import table
from pentary.isa.encoding import LAYOUTS, OPCODE, OPERANDS, operands
from pentary.isa.table import BY_NAME, CONTROL_RESET, CONTROLS, INSTRUCTIONS, Format, Unit
from pentary.lowrank.generator import MEMBER_MAX
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import PENTS, WORD_MAX, limit

every_line = pytest.mark.parametrize("line", INSTRUCTIONS, ids=lambda line: line.name)

TERM = "v|b|rn|rm|d|p|g|wv|x"
COST = re.compile(rf"(\d+|\d*({TERM}))(\+(\d+|\d*({TERM})))*")
EXAMPLE = {"v": 16, "b": 16, "rn": 32, "rm": 32, "d": 4, "p": 9, "g": 576, "wv": 48, "x": 11}


def cycles(cost):
    parts = (re.fullmatch(r"(\d*)([a-z]*)", part) for part in cost.split("+"))
    return sum(int(part[1] or 1) * EXAMPLE.get(part[2], 1) for part in parts if part)


def names(line):
    return [name for name, _ in operands(line)]


def has(name, semantics):
    return re.search(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])", semantics)


def test_names_are_unique_and_in_capitals():
    assert list(BY_NAME) == [line.name for line in INSTRUCTIONS]
    assert len(BY_NAME) == len(INSTRUCTIONS)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]*", name) for name in BY_NAME)


def test_groups_are_those_that_the_class_names_and_stand_together():
    named = re.search(r"group: of the specification: ([a-z, ]+)\.", str(table.Instruction.__doc__))
    assert named
    assert list(dict.fromkeys(line.group for line in INSTRUCTIONS)) == named[1].split(", ")


@every_line
def test_operands_are_known_and_each_has_a_field_of_its_own_in_the_format(line):
    assert line.format in get_args(Format)
    assert all(re.fullmatch(r"\w+|i\(rs\)", operand) for operand in line.operands)
    assert set(names(line)) <= OPERANDS.keys()
    fields = [operand.field for _, operand in operands(line)]
    assert len(set(fields)) == len(fields)
    assert set(fields) <= LAYOUTS[line.format].keys() - {"function"}
    for _, operand in operands(line):
        largest = limit(LAYOUTS[line.format][operand.field].width)
        assert operand.low is not None and operand.high is not None
        assert -largest <= operand.low < operand.high <= largest


def test_every_known_operand_is_used():
    assert {name for line in INSTRUCTIONS for name in names(line)} == OPERANDS.keys()


@every_line
def test_a_destination_stands_first(line):
    assert not [name for name in names(line)[1:] if name.endswith("d")]


@pytest.mark.parametrize("form", get_args(Format))
def test_the_fields_of_a_format_fill_the_word_without_overlap(form):
    fields = [OPCODE, *LAYOUTS[form].values()]
    assert sorted(field.lowest + i for field in fields for i in range(field.width)) == list(range(PENTS))


@every_line
def test_opcode_and_function_fit_and_are_never_0(line):
    assert 1 <= line.opcode <= limit(OPCODE.width)
    if line.format == "R":
        assert 1 <= line.function <= limit(LAYOUTS["R"]["function"].width)
    else:
        assert line.function == 0


def test_only_instructions_of_format_r_share_an_opcode_and_no_two_a_function_of_it():
    by_opcode = defaultdict(list)
    for line in INSTRUCTIONS:
        by_opcode[line.opcode].append(line)
    for lines in by_opcode.values():
        assert len(lines) == 1 or {line.format for line in lines} == {"R"}
        assert max(Counter(line.function for line in lines).values()) == 1


@every_line
def test_flags_are_in_order_and_tell_the_sign_if_they_tell_anything(line):
    assert re.fullmatch(r"(ZNPV?C?S?)?", line.flags)
    assert "V" not in line.flags or "C" in line.flags  # an overflow has a carry out


@every_line
def test_unit_and_costs_parse(line):
    assert line.unit in get_args(Unit)
    assert COST.fullmatch(line.occupancy), line.occupancy
    assert COST.fullmatch(line.latency), line.latency
    assert 1 <= cycles(line.occupancy) <= cycles(line.latency)


@every_line
def test_costs_of_the_pipelines_own_units_are_plain_numbers(line):
    assert line.unit not in ("scalar", "multiplier", "divider") or (line.occupancy + line.latency).isdigit()


def test_every_term_of_the_costs_is_defined_in_the_modules_text():
    defined = str(table.__doc__).split("sums of these terms")[1]
    for term in TERM.split("|"):
        assert re.search(rf"(?m)(^|  ){term}  ", defined), term


@every_line
def test_semantics_mention_every_operand_and_no_register_that_is_none(line):
    mentioned = {name for name in OPERANDS if has(name, line.semantics)}
    assert mentioned >= set(names(line))
    assert mentioned - set(names(line)) <= {"i"}  # `i` is also used as a summation index


@every_line
def test_semantics_assign_every_destination(line):
    for name in names(line):
        if name.endswith("d"):
            assert re.search(rf"\b{name}\]?(\[\w+\])? = ", line.semantics), name


@every_line
def test_what_saturates_and_has_flags_says_so(line):
    assert ("S" in line.flags) == ("sat" in line.semantics and "Z" in line.flags)


@pytest.mark.parametrize(
    ("name", "part", "value"),
    [
        ("MULH", "5^{}", PENTS),
        ("ADDHI", "5^{}", table.HIGH_SHIFT),
        ("MAC", "low {} pents", 2 * PENTS),
        ("SETVL", "1..{}", table.MAX_VL),
        ("LOADX", "j < {}", table.MAX_VL),
        ("LOADX", "0..{}", table.MAX_VL - 1),
        ("MATVEC", "i < {}", table.MAX_VL),
        ("VMULS", "sat_{}(rt)", table.OPERAND),
        ("CONV", "sat_{}(vt[i])", table.OPERAND),
        ("LRMULX", "sat_{}(vs[i])", table.ACTIVATION),
        ("LRADD", "sat_{}(rt)", table.OPERAND),
        ("LRADD", "sat_{}(vs[j])", table.OPERAND),
        ("LRACC", "sat_{}(vs[j])", table.TOTAL),
        ("POPEVAL", "sat_{}(vs[j] - vt[j])", table.OPERAND),
        ("POPAVG", "sat_{}(vs[j])", table.OPERAND),
        ("POPAVG", "sat_{}(vt[j])", table.OPERAND),
        ("POPAVG", "5^{}", table.GAIN_SHIFT),
        ("LRGEN", "rs > {}", MEMBER_MAX),
        ("PUSH", "P{}", table.STACK),
        ("POP", "P{}", table.STACK),
        ("CALL", "P{}", table.LINK),
        ("RET", "P{}", table.LINK),
    ],
)
def test_numbers_in_semantics_are_the_machines(name, part, value):
    assert has(re.escape(part.format(value)), BY_NAME[name].semantics)


def test_registers_with_a_role_have_an_alias():
    expected = {"zero": 0, "fp": table.FRAME, "sp": table.STACK, "lr": table.LINK}
    assert expected == table.REGISTER_ALIASES
    assert max(expected.values()) < table.REGISTERS


def test_controls_start_within_their_ranges_which_are_those_of_the_low_rank_operations():
    assert list(CONTROL_RESET) == list(CONTROLS)
    assert all(low <= CONTROL_RESET[name] <= high for name, (low, high) in CONTROLS.items())
    assert CONTROLS["ROWS"] == CONTROLS["COLS"] == (1, table.MAX_VL)
    assert CONTROLS["RANK"] == (1, MAX_RANK)
    assert CONTROLS["KEY"] == (-WORD_MAX, WORD_MAX)


def test_after_a_reset_the_low_rank_unit_has_the_smallest_matrix_words_of_6_pents_and_no_step():
    assert CONTROL_RESET == {"ROWS": 1, "COLS": 1, "RANK": 1, "WIDTH": 6, "KEY": 0, "GAIN": 0}


def test_the_product_in_popavg_fits_23_pents():
    assert limit(table.OPERAND) * CONTROLS["GAIN"][1] <= limit(23)
