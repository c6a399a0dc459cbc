"""Parser and encoder of single instructions: a mnemonic and its operands to words."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from pentary.asm.errors import Mistake, NotKnown, Reporting, miscount, suggestion
from pentary.asm.expressions import Expression, parse
from pentary.asm.lexer import Token, refuse_comment, tokenize
from pentary.asm.vocabulary import EXPECTED, NUMBERS, PSEUDO
from pentary.isa.encoding import LAYOUTS, Operand, encode, operands
from pentary.isa.table import BY_NAME, HIGH_SHIFT, Instruction
from pentary.numbers.word import WORD_MAX, limit, split

Evaluate = Callable[[Expression, int | None], int]

_NARROW: Final = limit(HIGH_SHIFT)
"""Largest constant that one LI loads."""

_FAR: Final = limit(LAYOUTS["J"]["i"].width)
"""Largest distance of a JUMP in words."""


@dataclass(slots=True)
class Parsed:
    """A parsed instruction: register numbers by field, and expressions that are evaluated once symbols are known.

    `length` is the number of words: 2 where LI loads a wide constant.
    """

    instruction: Instruction
    registers: dict[str, int] = field(default_factory=dict)
    numbers: list[tuple[str, Operand, Expression]] = field(default_factory=list)
    length: int = 1

    def size(self, evaluate: Evaluate, address: int) -> int:
        """Set the number of words by the symbols known so far, and return it."""
        if self.instruction.name == "LI" and self.numbers:
            with suppress(NotKnown):
                self.length = 1 if abs(evaluate(self.numbers[0][2], address)) <= _NARROW else 2
        return self.length

    def words(self, evaluate: Evaluate, attempt: Reporting, address: int) -> list[int]:
        """Return the words at an address; none if an operand has an error."""
        fields = dict(self.registers)
        for name, operand, expression in self.numbers:
            with attempt:
                fields[operand.field] = self._value(name, operand, expression, evaluate, address)
        if len(fields) < len(operands(self.instruction)):
            return []
        if self.length == 1:
            return [encode(self.instruction, **fields)]
        high, low = (part.item() for part in split(fields["i"], HIGH_SHIFT))
        d = fields["d"]
        return [encode(self.instruction, d=d, i=low), encode(BY_NAME["ADDHI"], d=d, a=d, i=high)]

    def _value(self, name: str, operand: Operand, expression: Expression, evaluate: Evaluate, address: int) -> int:
        value = evaluate(expression, address)
        low, high = (-WORD_MAX, WORD_MAX) if self.length == 2 else (operand.low, operand.high)
        assert low is not None and high is not None
        if operand.kind == "target":
            value -= address
            if not low <= value <= high:
                told = f"the target is {value} words away, {self.instruction.name} reaches {low}..{high}"
                around = f"; branch around a JUMP, which reaches {-_FAR}..{_FAR}" if high < _FAR else ""
                raise Mistake(expression.column, told + around)
        elif not low <= value <= high:
            wide = self.instruction.name == "LI" and self.length == 1 and abs(value) <= WORD_MAX
            early = "; a wider constant must be known from what stands before" if wide else ""
            raise Mistake(expression.column, f"{name} is {value}, outside {low}..{high}{early}")
        return value


def parse_instruction(operation: Token, given: list[list[Token]], attempt: Reporting) -> Parsed:
    """Parse an instruction or a pseudo-instruction.

    Args:
        operation: its mnemonic, which must be a known one.
        given: the tokens of each operand.
        attempt: reports the errors in single operands.

    Returns:
        The instruction, without the operands that have errors.

    Raises:
        Mistake: there are more or fewer operands than the instruction takes.
    """
    name = operation.text.upper()
    taken = PSEUDO[name].operands if name in PSEUDO else BY_NAME[name].operands
    if len(given) != len(taken):
        raise Mistake(operation.column, miscount(name, taken, len(given)))
    if name in PSEUDO:
        by_name = dict(zip(taken, given, strict=True))
        given = [by_name.get(text) or tokenize(text) for text in PSEUDO[name].given]
        name = PSEUDO[name].instruction
    parsed = Parsed(BY_NAME[name])
    kinds = dict(operands(parsed.instruction))
    for operand, tokens in zip(parsed.instruction.operands, given, strict=True):
        with attempt:
            for part, its_tokens in _parts(operand, tokens):
                with attempt:
                    _add(parsed, part, kinds[part], its_tokens)
    return parsed


def _parts(operand: str, tokens: list[Token]) -> list[tuple[str, list[Token]]]:
    """Split the tokens of an "i(rs)" operand into those of "i" and of "rs"; any other operand is one part."""
    if not operand.endswith(")"):
        return [(operand, tokens)]
    offset, base = operand.rstrip(")").split("(")
    if [token.text for token in tokens[-3::2]] != ["(", ")"]:
        raise Mistake(tokens[0].column, f"expected an address {operand}; a fixed one is {offset}(zero)")
    # Without a number in front, the offset is 0.
    return [(offset, tokens[:-3] or tokenize("0")), (base, tokens[-2:-1])]


def _add(parsed: Parsed, name: str, operand: Operand, tokens: list[Token]) -> None:
    """Add an operand to a parsed instruction."""
    if operand.kind not in NUMBERS:
        parsed.numbers.append((name, operand, parse(tokens)))
        return
    number = NUMBERS[operand.kind].get(tokens[0].text.upper())
    if number is None or len(tokens) > 1:
        wrong = tokens[0] if number is None else tokens[1]
        refuse_comment(wrong)
        immediate = f"{parsed.instruction.name}I"
        takes_number = immediate in BY_NAME and name == "rt" and number is None and wrong.kind != "name"
        hint = f"; {immediate} takes a number" if takes_number else ""
        if operand.kind == "csr":
            near = suggestion(wrong.text, NUMBERS["csr"])
            hint = near or f"; they are {', '.join(NUMBERS['csr'])}"
        raise Mistake(wrong.column, f"{name}: expected {EXPECTED[operand.kind]}, not {wrong.text!r}{hint}")
    if operand.high is not None and number > operand.high:
        raise Mistake(tokens[0].column, f"{name}: {tokens[0].text.upper()} can only be read")
    parsed.registers[operand.field] = number
