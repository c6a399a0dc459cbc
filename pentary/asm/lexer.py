"""Lexer: splits a line into tokens, and these into labels, operation and operands."""

import re
from typing import Final, NamedTuple

from pentary.asm.errors import Line, Mistake
from pentary.numbers.notation import ASCII_GLYPHS, GLYPHS, parse_pents
from pentary.numbers.word import PentaryError

_MAX_DIGITS: Final = 300
"""Most decimal digits of a number."""


class Token(NamedTuple):
    """One token: kind, text, column from 0, value of a number, and the error message of one that is not valid.

    `kind` is "name", "number", "local" (1b or 1f, a reference to a numeric label), "string", "operator", "malformed"
    (an invalid number), or "error": the rest of a line that cannot be read further. A name may start with a dot. A
    character in single quotes is a number.
    """

    kind: str
    text: str
    column: int
    value: int = 0
    problem: str = ""

    @property
    def end(self) -> int:
        """Column just after the token."""
        return self.column + len(self.text)


class Statement(NamedTuple):
    """One parsed line: its labels, its operation (None if no name follows the labels), and the remaining tokens."""

    line: Line
    labels: list[Token]
    operation: Token | None
    rest: list[Token]

    def operands(self) -> list[list[Token]]:
        """Return the tokens of each operand.

        Raises:
            Mistake: the line cannot be read to its end, an operand is empty, or a comment begins with //.
        """
        if not self.rest:
            return []
        refuse_comment(self.rest[0])
        if self.rest[-1].kind == "error":
            raise Mistake(self.rest[-1].column, self.rest[-1].problem)
        found: list[list[Token]] = [[]]
        depth = 0
        for token in self.rest:
            depth += (token.text == "(") - (token.text == ")")
            if token.text != "," or depth:
                found[-1].append(token)
                continue
            if not found[-1]:
                raise Mistake(token.column, "an operand is missing before the comma")
            found.append([])
        if not found[-1]:
            raise Mistake(self.rest[-1].column, "an operand is missing after the comma")
        return found


_TOKEN: Final = re.compile(
    rf"""
      (?P<space>    \s+ | ;.* )
    | (?P<pents>    0p[{re.escape(ASCII_GLYPHS + GLYPHS)}\u2212_]* )
    | (?P<local>    [0-9]+ [bf] (?![0-9A-Za-z_.]) )
    | (?P<number>   [0-9][0-9A-Za-z_.]* )
    | (?P<character> '(?:[^'\\]|\\.)' )
    | (?P<name>     \.?[A-Za-z_][A-Za-z0-9_.]* )
    | (?P<string>   "(?:[^"\\]|\\.)*" )
    | (?P<operator> \*\* | // | [=!<>]= | [-+*%<>(),:.] )
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", "'": "'", '"': '"'}
_DECIMAL: Final = re.compile("[0-9]+(_[0-9]+)*")
_HINTS: Final = {"#": "; a comment begins with ;", "/": "; a comment begins with ;, and // divides"}


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a line; the last is of kind "error" if the line cannot be read to its end.

    >>> [token.text for token in tokenize("loop: ADDI p1, p1, 0p2-= ; comment")]
    ['loop', ':', 'ADDI', 'p1', ',', 'p1', ',', '0p2-=']
    """
    tokens: list[Token] = []
    column = 0
    while column < len(text):
        match = _TOKEN.match(text, column)
        if match is None:
            return [*tokens, Token("error", text[column:], column, problem=_unreadable(text[column]))]
        kind, found = match.lastgroup or "", match.group()
        try:
            if kind == "pents":
                tokens.append(Token("number", found, column, parse_pents(found[2:])))
            elif kind == "number":
                tokens.append(Token("number", found, column, _decimal(found)))
            elif kind == "character":
                tokens.append(Token("number", found, column, characters(found)[0]))
            elif kind != "space":
                tokens.append(Token(kind, found, column))
        except PentaryError as error:
            tokens.append(Token("malformed", found, column, problem=str(error)))
        column = match.end()
    return tokens


def refuse_comment(token: Token) -> None:
    """Reject // where it cannot be a division, with a hint how comments are written.

    Raises:
        Mistake: the token is //.
    """
    if token.text == "//":
        raise Mistake(token.column, f"unexpected '//'{_HINTS['#']}")


def parse_line(line: Line) -> Statement:
    """Parse a line: `name:` and `1:` are labels, the first name without a colon is the operation."""
    tokens = tokenize(line.text)
    labels = []
    while len(tokens) > 1 and (tokens[0].kind == "name" or tokens[0].text.isdigit()) and tokens[1].text == ":":
        labels.append(tokens[0])
        tokens = tokens[2:]
    if tokens and tokens[0].kind == "name":
        return Statement(line, labels, tokens[0], tokens[1:])
    return Statement(line, labels, None, tokens)


def characters(quoted: str) -> list[int]:
    r"""Return the code points of a string or a character with its quotes.

    Raises:
        PentaryError: a backslash is followed by what is no escape.

    >>> characters(r'"a\n\"⊕"'), characters("';'")
    ([97, 10, 34, 8853], [59])
    """

    def escaped(match: re.Match[str]) -> str:
        if match[1] not in ESCAPES:
            known = ", ".join("\\" + name for name in ESCAPES)
            raise PentaryError(f"\\{match[1]} is no escape; there are {known}")
        return ESCAPES[match[1]]

    return [ord(character) for character in re.sub(r"\\(.)", escaped, quoted[1:-1], flags=re.DOTALL)]


def _unreadable(character: str) -> str:
    if character == '"':
        return "this string has no end"
    if character == "'":
        return "a character is one in single quotes, such as 'a' or '\\n'"
    return f"unexpected character {character!r}{_HINTS.get(character, '')}"


def _decimal(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise PentaryError(f"{text!r} is no number: numbers are decimal integers, or pents (0p...)")
    if len(text) > _MAX_DIGITS:
        raise PentaryError(f"a number has at most {_MAX_DIGITS} digits")
    return int(text)
