"""Expressions have the value that Python computes; invalid ones are rejected with their column."""

from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.asm.errors import Mistake
from pentary.asm.expressions import parse
from pentary.asm.lexer import tokenize
from pentary.numbers.notation import format_pents
from pentary.numbers.word import WORD_MAX, limit

NAMES = {"limit": limit, "isqrt": isqrt, "min": min, "max": max, "x": 7, "y.z": -3}
OPERATORS = ["+", "-", "*", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="]


def evaluate(text):
    return parse(tokenize(text)).evaluate(lambda token: 1000 if token.text == "." else NAMES[token.text])


atoms = st.integers(0, 10**12).map(str) | st.sampled_from(["x", "limit(3)", "1_000", "min(x, 2)", "max(1, -x)"])
sums = st.recursive(
    atoms,
    lambda inner: (
        st.tuples(inner, st.sampled_from(OPERATORS[:5]), inner).map(" ".join)
        | inner.map("({})".format)
        | inner.map("-{}".format)
        | st.tuples(inner, st.integers(0, 3)).map(lambda pair: f"{pair[0]} ** {pair[1]}")
    ),
    max_leaves=12,
)


@settings(deadline=None, print_blob=True)
@given(sums)
def test_arithmetic_is_that_of_python(text):
    try:
        wanted = eval(text, {"__builtins__": {}}, NAMES)
    except ZeroDivisionError:
        with pytest.raises(Mistake, match="division by 0"):
            evaluate(text)
        return
    if abs(wanted) < 2**200:
        assert evaluate(text) == wanted


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_with_small_numbers(operator):
    for a in range(-4, 5):
        for b in range(-4, 5):
            text = f"(0 - {-a}) {operator} {b}"
            if (b == 0 and operator in ("//", "%")) or (b < 0 and operator == "**"):
                with pytest.raises(Mistake):
                    evaluate(text)
            else:
                assert evaluate(text) == int(eval(text))


@settings(deadline=None, print_blob=True)
@given(st.integers(-WORD_MAX, WORD_MAX), st.booleans(), st.integers(1, 15))
def test_pents_are_read_as_they_are_written(value, ascii, cut):
    pents = format_pents(value, ascii=ascii)
    assert evaluate(f"0p{pents}") == evaluate(f"0p{pents[:cut]}_{pents[cut:]}") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2 ** 2", -4),
        ("2 ** 3 ** 2", 512),
        ("2 ** -0", 1),
        ("10 - 4 - 3", 3),
        ("-7 // 2", -4),
        ("-7 % 3 + 7 % -3", 0),
        ("1 + 1 == 2", 1),
        ("1 + (1 == 2)", 1),
        ("- - 3", 3),
        (". + y.z", 997),
        ("0p1-1", 21),
        ("0p1 - 1", 0),
        ("0p⊕−⊖ == 0p2-=", 1),
        ("limit(16)", WORD_MAX),
        ("isqrt(99) + min(3, -4) * max(3, -4)", -3),
    ],
)
def test_precedence_and_functions(text, value):
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1 +", 3, "expected a number, a name or '(', not the end"),
        ("1 + * 2", 4, "expected a number, a name or '(', not '*'"),
        ("(1 + 2", 6, "expected ')', not the end"),
        ("1 2", 2, "expected an operator or a comma, not '2'"),
        ("min(1)", 5, "expected ',', not ')'"),
        ("limit 3", 6, "expected '(', not '3'"),
        ("lmit(3)", 0, "unknown function 'lmit'; did you mean limit?"),
        ("1 + SP", 4, "SP is a register, expected a number"),
        ("1 + .word", 4, "expected a number, a name or '(', not '.word'"),
        ('"1"', 0, "expected a number, a name or '(', not '\"1\"'"),
        ("1 // (2 - 2)", 2, "division by 0"),
        ("1 % 0", 2, "division by 0"),
        ("2 ** -1", 2, "**: the exponent -1 is negative"),
        ("2 ** 2000", 2, "**: the result is too large"),
        ("7 ** 7 ** 7 ** 7", 7, "**: the result is too large"),
        ("2 ** 1000 * 2 ** 1000", 10, "the result is too large"),
        ("isqrt(1 - 2)", 0, "isqrt: -1 is negative"),
        ("limit(28)", 0, "limit: width 28 is outside 1..27"),
        ("(" * 100 + "1" + ")" * 100, 40, "nested more than 40 deep"),
        ("-" * 100 + "1", 40, "nested more than 40 deep"),
    ],
)
def test_what_has_no_value_is_refused_at_its_column(text, column, message):
    with pytest.raises(Mistake) as refusal:
        evaluate(text)
    assert (refusal.value.column, refusal.value.message) == (column, message)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1 + 0x10 + 0y", 4, "'0x10' is no number: numbers are decimal integers, or pents (0p...)"),
        ("1__0", 0, "'1__0' is no number: numbers are decimal integers, or pents (0p...)"),
        ("1.0", 0, "'1.0' is no number: numbers are decimal integers, or pents (0p...)"),
        ("1e3", 0, "'1e3' is no number: numbers are decimal integers, or pents (0p...)"),
        ("9" * 301, 0, "a number has at most 300 digits"),
        ("0p", 0, "'' has 0 pents, a word has 1 to 16"),
        ("0p" + "1" * 17, 0, "'11111111111111111' has 17 pents, a word has 1 to 16"),
    ],
)
def test_what_is_no_number_is_refused_where_it_stands(text, column, message):
    with pytest.raises(Mistake) as refusal:
        evaluate(text)
    assert (refusal.value.column, refusal.value.message) == (column, message)
    assert all(token.kind != "error" for token in tokenize(text))


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1 = 2", 2, "unexpected character '='"),
        ("1 & 2", 2, "unexpected character '&'"),
        ('x "', 2, "this string has no end"),
    ],
)
def test_what_is_no_token_ends_the_line_with_an_error(text, column, message):
    last = tokenize(text)[-1]
    assert (last.kind, last.text, last.column, last.problem) == ("error", text[column:], column, message)


def test_a_long_sum_needs_no_deep_stack():
    assert evaluate("1" + " + 1" * 5000) == 5001
