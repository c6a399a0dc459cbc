"""Expressions: parsed once into postfix order, evaluated as often as wanted in exact integers."""

import operator
from collections.abc import Callable, Sequence
from math import isqrt
from typing import Final, NamedTuple, NoReturn

from pentary.asm.errors import Mistake, suggestion
from pentary.asm.lexer import Token, refuse_comment
from pentary.asm.vocabulary import FUNCTIONS, RESERVED
from pentary.numbers.word import PentaryError, limit

_MAX_BITS: Final = 1024
"""Limit on the bits of an intermediate value, so that no short expression exhausts memory."""

_MAX_DEPTH: Final = 40
"""Nesting limit of parentheses and signs."""


class Expression(NamedTuple):
    """A parsed expression: its first column, and its steps in postfix order.

    A step is a token with the function to apply and its number of arguments; the function is None for an operand.
    """

    column: int
    steps: tuple[tuple[Token, Callable[..., int] | None, int], ...]

    def evaluate(self, lookup: Callable[[Token], int]) -> int:
        """Return the value.

        Args:
            lookup: returns the value of a name, or of `.`.

        Raises:
            Mistake: an operation has no result, or one that is too large; and what `lookup` raises.
        """
        stack: list[int] = []
        for token, function, count in self.steps:
            if function is None:
                stack.append(token.value if token.kind == "number" else lookup(token))
                continue
            arguments = stack[-count:]
            del stack[-count:]
            try:
                value = int(function(*arguments))
            except ZeroDivisionError:
                raise Mistake(token.column, "division by 0") from None
            except PentaryError as error:
                raise Mistake(token.column, f"{token.text}: {error}") from None
            if value.bit_length() > _MAX_BITS:
                raise Mistake(token.column, "the result is too large")
            stack.append(value)
        return stack.pop()


def parse(tokens: Sequence[Token]) -> Expression:
    """Parse the tokens of one expression, at least one.

    Raises:
        Mistake: they are not an expression.

    >>> from pentary.asm.lexer import tokenize
    >>> parse(tokenize("-2 ** 2 + 7 // 2 * min(3, 4)")).evaluate(lambda token: 0)
    5
    """
    parser = _Parser(tokens)
    parser.binary()
    if parser.next.kind != "end":
        parser.fail("expected an operator or a comma")
    return Expression(tokens[0].column, tuple(parser.steps))


class _Parser:
    """Precedence-climbing parser; `next` is the lookahead token."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.steps: list[tuple[Token, Callable[..., int] | None, int]] = []
        self._rest = iter([*tokens, Token("end", "", tokens[-1].end)])
        self._depth = 0
        self.next = next(self._rest)

    def take(self) -> Token:
        token = self.next
        self.next = next(self._rest, token)
        return token

    def expect(self, text: str) -> None:
        if self.next.text != text:
            self.fail(f"expected {text!r}")
        self.take()

    def fail(self, expected: str) -> NoReturn:
        found = "the end" if self.next.kind == "end" else repr(self.next.text)
        raise Mistake(self.next.column, f"{expected}, not {found}")

    def binary(self, least: int = 1) -> None:
        self.unary()
        while self.next.text in _BINARY and _BINARY[self.next.text][0] >= least:
            token = self.take()
            precedence, function = _BINARY[token.text]
            self.binary(precedence + 1)
            self.steps.append((token, function, 2))

    def unary(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Mistake(self.next.column, f"nested more than {_MAX_DEPTH} deep")
        if self.next.text == "-":
            token = self.take()
            self.unary()
            self.steps.append((token, lambda value: -value, 1))
        else:
            self.primary()
            if self.next.text == "**":
                token = self.take()
                self.unary()
                self.steps.append((token, _power, 2))
        self._depth -= 1

    def primary(self) -> None:
        token = self.next
        if token.text == "(":
            self.take()
            self.binary()
            self.expect(")")
        elif token.text in FUNCTIONS:
            self.take()
            self.call(token)
        elif token.kind == "malformed":
            raise Mistake(token.column, token.problem)
        elif token.kind == "number" or token.text == ".":
            self.take()
            self.steps.append((token, None, 0))
        elif token.kind == "name" and not token.text.startswith("."):
            if token.text.upper() in RESERVED:
                raise Mistake(token.column, f"{token.text} is a register, expected a number")
            self.take()
            if self.next.text == "(":
                raise Mistake(token.column, f"unknown function {token.text!r}{suggestion(token.text, FUNCTIONS)}")
            self.steps.append((token, None, 0))
        else:
            refuse_comment(token)
            self.fail("expected a number, a name or '('")

    def call(self, token: Token) -> None:
        function, count = _FUNCTIONS[token.text], FUNCTIONS[token.text]
        self.expect("(")
        for position in range(count):
            if position:
                self.expect(",")
            self.binary()
        self.expect(")")
        self.steps.append((token, function, count))


def _power(base: int, exponent: int) -> int:
    if exponent < 0:
        raise PentaryError(f"the exponent {exponent} is negative")
    if abs(base) > 1 and exponent * (base.bit_length() - 1) > _MAX_BITS:
        raise PentaryError("the result is too large")
    return base**exponent


def _root(value: int) -> int:
    if value < 0:
        raise PentaryError(f"{value} is negative")
    return isqrt(value)


_BINARY: Final[dict[str, tuple[int, Callable[[int, int], int]]]] = {
    "==": (1, operator.eq),
    "!=": (1, operator.ne),
    "<": (1, operator.lt),
    "<=": (1, operator.le),
    ">": (1, operator.gt),
    ">=": (1, operator.ge),
    "+": (2, operator.add),
    "-": (2, operator.sub),
    "*": (3, operator.mul),
    "//": (3, operator.floordiv),
    "%": (3, operator.mod),
}
_FUNCTIONS: Final[dict[str, Callable[..., int]]] = {"limit": limit, "isqrt": _root, "min": min, "max": max}
