"""Encoding and decoding of instructions: the fields of the 16-pent instruction word.

    pents   15..13   12..10   9..7   6..4   3..0
    R       opcode   d        a      b      function
    W       opcode   d        a      b      i
    I       opcode   d        a      i ..........
    J       opcode   d        i .................

Every field is a balanced number, so an immediate needs no sign rule and the word is the sum of field * 5^lowest pent.
A word is legal only if its unused fields are 0 and the others are in range: an instruction with given operands has
exactly one word, and the word 0 is illegal.
"""

from collections.abc import Collection
from functools import cache, lru_cache
from typing import Final, NamedTuple

from pentary.isa.system import CSRS, WRITABLE
from pentary.isa.table import CONTROLS, FITNESS, INSTRUCTIONS, REGISTERS, VECTORS, Format, Instruction
from pentary.numbers.word import PENTS, PentaryError, as_words, limit


class Field(NamedTuple):
    """A field of an instruction word: `width` pents from pent `lowest` up."""

    lowest: int
    width: int


OPCODE: Final = Field(13, 3)
LAYOUTS: Final[dict[Format, dict[str, Field]]] = {
    "R": {"d": Field(10, 3), "a": Field(7, 3), "b": Field(4, 3), "function": Field(0, 4)},
    "W": {"d": Field(10, 3), "a": Field(7, 3), "b": Field(4, 3), "i": Field(0, 4)},
    "I": {"d": Field(10, 3), "a": Field(7, 3), "i": Field(0, 7)},
    "J": {"d": Field(10, 3), "i": Field(0, 10)},
}


class Operand(NamedTuple):
    """One operand of the table: its field, and the numbers it may hold (None: whatever the field holds).

    `kind` is "register", "vector", "fitness", "control", "csr", "immediate" or "target".
    """

    kind: str
    field: str
    low: int | None = None
    high: int | None = None


OPERANDS: Final = {
    "rd": Operand("register", "d", 0, REGISTERS - 1),
    "rs": Operand("register", "a", 0, REGISTERS - 1),
    "rt": Operand("register", "b", 0, REGISTERS - 1),
    "ru": Operand("register", "d", 0, REGISTERS - 1),
    "vd": Operand("vector", "d", 0, VECTORS - 1),
    "vs": Operand("vector", "a", 0, VECTORS - 1),
    "vt": Operand("vector", "b", 0, VECTORS - 1),
    "vu": Operand("vector", "d", 0, VECTORS - 1),
    "fd": Operand("fitness", "d", 0, FITNESS - 1),
    "fs": Operand("fitness", "a", 0, FITNESS - 1),
    "cd": Operand("control", "d", 0, len(CONTROLS) - 1),
    "sd": Operand("csr", "d", 0, WRITABLE - 1),
    "ss": Operand("csr", "a", 0, len(CSRS) - 1),
    "i": Operand("immediate", "i"),
    "k": Operand("immediate", "k", 0, PENTS),
    "w": Operand("immediate", "i", 1, PENTS),
    "j7": Operand("target", "i"),
    "j10": Operand("target", "i"),
}


class Decoded(NamedTuple):
    """An instruction and its fields: register numbers d, a, b (b also the shift of QUANT) and the immediate i.

    Branch and jump targets are in i, relative to the instruction's own address.
    """

    instruction: Instruction
    d: int
    a: int
    b: int
    i: int


class IllegalInstruction(PentaryError):
    """A word that encodes no instruction, or none that the machine has; or field values that cannot be encoded."""


@cache
def operands(instruction: Instruction) -> tuple[tuple[str, Operand], ...]:
    """Return the operands of an instruction in assembly order, "i(rs)" as "i" and "rs".

    >>> from pentary.isa.table import BY_NAME
    >>> [(name, operand.field) for name, operand in operands(BY_NAME["STORE"])]
    [('ru', 'd'), ('i', 'i'), ('rs', 'a')]
    """
    names = [name for operand in instruction.operands for name in operand.rstrip(")").split("(")]
    return tuple((name, _operand(name, instruction.format)) for name in names)


def _operand(name: str, form: Format) -> Operand:
    operand = OPERANDS[name]
    # A shift is in field i of the I format, and in field b of the W format.
    field = {"I": "i", "W": "b"}[form] if operand.field == "k" else operand.field
    width = LAYOUTS[form][field].width
    low = -limit(width) if operand.low is None else operand.low
    high = limit(width) if operand.high is None else operand.high
    return Operand(operand.kind, field, low, high)


def encode(instruction: Instruction, d: int = 0, a: int = 0, b: int = 0, i: int = 0) -> int:
    """Return the word that encodes an instruction.

    Args:
        instruction: from the table.
        d, a, b, i: its fields; those that it does not use must be 0.

    Returns:
        The word.

    Raises:
        IllegalInstruction: a field is out of its range.

    >>> from pentary.isa.table import BY_NAME
    >>> from pentary.numbers.notation import format_pents
    >>> format_pents(encode(BY_NAME["ADDI"], d=3, a=1, i=-7))
    '0+-0+⊖00+00000-⊖'
    """
    fields = {"d": d, "a": a, "b": b, "i": i}
    used = {operand.field: operand for _, operand in operands(instruction)}
    for name, value in fields.items():
        operand = used.get(name)
        low, high = (0, 0) if operand is None else (operand.low, operand.high)
        assert low is not None and high is not None
        if not low <= value <= high:
            raise IllegalInstruction(f"{instruction.name}: field {name} is {value}, outside {low}..{high}")
    word = instruction.opcode * 5**OPCODE.lowest
    for name, field in LAYOUTS[instruction.format].items():
        word += (instruction.function if name == "function" else fields[name]) * 5**field.lowest
    return word


def decode(word: int, absent: Collection[str] = ()) -> Decoded:
    """Return the instruction that a word encodes.

    Args:
        word: any word.
        absent: units that the machine does not have, by their names in the table.

    Returns:
        The instruction and its fields.

    Raises:
        IllegalInstruction: the word encodes none, or one of an absent unit; the message says why.

    >>> decode(0)
    Traceback (most recent call last):
    pentary.isa.encoding.IllegalInstruction: 0 is no instruction: there is no opcode 0
    """
    decoded = _decoded(word)
    unit = decoded.instruction.unit
    if unit in absent:
        raise IllegalInstruction(f"{decoded.instruction.name} needs {_UNITS[unit]}, which this machine does not have")
    return decoded


@lru_cache(maxsize=2**16, typed=True)
def _decoded(word: int) -> Decoded:
    """Return what `decode` does for a machine with all units; kept, as programs are decoded by several engines."""
    word = as_words(word).item()
    opcode = _extract(word, OPCODE)
    form = _FORMATS.get(opcode)
    if form is None:
        raise IllegalInstruction(f"{word} is no instruction: there is no opcode {opcode}")
    fields = {name: _extract(word, field) for name, field in LAYOUTS[form].items()}
    function = fields.pop("function", 0)
    instruction = _BY_CODE.get((opcode, function))
    if instruction is None:
        raise IllegalInstruction(f"{word} is no instruction: opcode {opcode} has no function {function}")
    try:
        encode(instruction, **fields)
    except IllegalInstruction as error:
        raise IllegalInstruction(f"{word} is no instruction: {error}") from None
    return Decoded(instruction, **({"d": 0, "a": 0, "b": 0, "i": 0} | fields))


def _extract(word: int, field: Field) -> int:
    below = 5**field.lowest
    shifted = (word + below // 2) // below
    size = 5**field.width
    return (shifted + size // 2) % size - size // 2


_FORMATS: Final[dict[int, Format]] = {instruction.opcode: instruction.format for instruction in INSTRUCTIONS}
_UNITS: Final = {
    "vector": "the vector unit",
    "memory": "the vector load/store unit",
    "crossbar": "the crossbar",
    "lowrank": "the low-rank unit",
}
_BY_CODE: Final = {(instruction.opcode, instruction.function): instruction for instruction in INSTRUCTIONS}
assert len(_BY_CODE) == len(INSTRUCTIONS), "two instructions share a code"
