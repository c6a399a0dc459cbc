"""Directives of the assembler beyond those of the source reader: each adds items to the program, or defines symbols."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pentary.asm.assembly import Assembly
from pentary.asm.errors import Line, Mistake
from pentary.asm.expressions import Expression, parse
from pentary.asm.lexer import Token, characters
from pentary.asm.symbols import Symbol
from pentary.numbers.word import WORD_MAX, PentaryError, limit

MAX_SIZE: Final = limit(10)
"""Largest size of a program in words: a single LI loads any address in it."""


def _switch(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    to.section = operation.text.lower()


def _word(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    for tokens in operands:
        with to.reporting(line):
            to.add(line, lambda _: 1, partial(_one_word, to, parse(tokens)))


def _one_word(to: Assembly, value: Expression, address: int) -> list[int]:
    return [to.in_range(value, address, "the word", -WORD_MAX, WORD_MAX)]


def _space(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    _only_in_data(to, operation)
    count = parse(operands[0])
    to.add(line, lambda address: to.in_range(count, address, "the space", 0, MAX_SIZE))


def _fill(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    _only_in_data(to, operation)
    count, value = parse(operands[0]), parse(operands[1])

    def words(address: int) -> list[int]:
        words = to.in_range(count, address, "the count", 0, MAX_SIZE)
        return [word for each in range(words) for word in _one_word(to, value, address + each)]

    to.add(line, lambda address: to.in_range(count, address, "the count", 0, MAX_SIZE), words)


def _string(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    _only_in_data(to, operation)
    end = [0] if operation.text.lower() == ".string" else []
    for tokens in operands:
        with to.reporting(line):
            try:
                text = characters(_quoted(tokens)) + end
            except PentaryError as error:
                raise Mistake(tokens[0].column, str(error)) from None
            to.add(line, partial(_length, text), partial(_content, text))


def _incbin(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    _only_in_data(to, operation)
    path = Path(line.source.file).parent / _quoted(operands[0])[1:-1]
    column = operands[0][0].column
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_SIZE else b""
    except (OSError, ValueError) as error:
        raise Mistake(column, f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not 0 < size <= MAX_SIZE:
        raise Mistake(column, f"{path}: has {size:,} bytes, outside 1..{MAX_SIZE:,}")
    to.add(line, partial(_length, content), partial(_content, content))


def _declare(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    for tokens in operands:
        to.symbols.declare_global(_name(tokens), line)


def _align(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    _only_in_data(to, operation)
    unit = parse(operands[0])
    to.add(line, lambda address: -address % to.in_range(unit, address, "the alignment", 1, MAX_SIZE))


def _equ(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    symbol = to.symbols.define(_name(operands[0]), Symbol(line, broken=True))
    symbol.expression = parse(operands[1])
    symbol.broken = False
    to.symbols.settle(symbol)  # sizes after it may need it; if it depends on addresses, it is settled below

    def settle(address: int) -> int:
        symbol.here = address
        to.symbols.settle(symbol)
        return 0

    to.add(line, settle)


def _param(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    name = _name(operands[0])
    to.parameters.add(name.text)
    symbol = to.symbols.define(name, Symbol(line, broken=True))
    expression = parse(operands[1])
    here = to.text if to.section == ".text" else None
    given = to.defines.get(name.text)
    symbol.value = to.symbols.evaluate(expression, here) if given is None else given


def _assert(to: Assembly, line: Line, operation: Token, operands: list[list[Token]]) -> None:
    condition, message = parse(operands[0]), operands[1][0]
    if len(operands[1]) > 1 or message.kind != "string":
        raise Mistake(message.column, 'expected a message in "quotes"')

    def words(address: int) -> list[int]:
        if not to.symbols.evaluate(condition, address):
            raise Mistake(operation.column, message.text[1:-1])
        return []

    to.add(line, lambda _: 0, words)


def _only_in_data(to: Assembly, operation: Token) -> None:
    if to.section != ".data":
        raise Mistake(operation.column, f"{operation.text} in .text; it belongs after .data")


def _length(content: Sequence[int], address: int) -> int:
    return len(content)


def _content(content: Sequence[int], address: int) -> list[int]:
    return list(content)


def _quoted(operand: list[Token]) -> str:
    if len(operand) > 1 or operand[0].kind != "string":
        raise Mistake(operand[0].column, 'expected a text in "quotes"')
    return operand[0].text


def _name(operand: list[Token]) -> Token:
    if len(operand) > 1 or operand[0].kind != "name" or operand[0].text[0].isdigit():
        raise Mistake(operand[0].column, "expected the name of a symbol")
    return operand[0]


_Method = Callable[[Assembly, Line, Token, list[list[Token]]], None]
DIRECTIVES: Final[dict[str, tuple[str, _Method]]] = {
    ".text": ("", _switch),
    ".data": ("", _switch),
    ".word": ("EXPRESSION, ...", _word),
    ".space": ("COUNT", _space),
    ".fill": ("COUNT, EXPRESSION", _fill),
    ".ascii": ('"TEXT", ...', _string),
    ".string": ('"TEXT", ...', _string),
    ".incbin": ('"FILE"', _incbin),
    ".global": ("NAME, ...", _declare),
    ".align": ("UNIT", _align),
    ".equ": ("NAME, EXPRESSION", _equ),
    ".param": ("NAME, EXPRESSION", _param),
    ".assert": ('CONDITION, "MESSAGE"', _assert),
}
"""Operands and function of each directive."""
