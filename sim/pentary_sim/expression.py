"""Expressions over the state of a machine: those of the assembler, with registers and the words of memory."""

from pentary.asm.errors import Mistake
from pentary.asm.expressions import Expression, parse
from pentary.asm.lexer import Token, tokenize
from pentary.asm.vocabulary import FUNCTIONS, NUMBERS
from pentary.isa.system import CSRS
from pentary.isa.table import CONTROLS, MAX_VL
from pentary.numbers.word import WORD_MAX, PentaryError
from pentary.support.messages import shortened
from pentary_sim.show import find, show
from pentary_sim.simulator import Simulator

_MARK = "$"
"""What begins the name of a part of the machine in an expression, so that the assembler takes it for a symbol."""


def read(machine: Simulator, text: str) -> Expression:
    """Read an expression.

    Args:
        machine: whose state it is about.
        text: such as "p1 == N - 1" or "result % 5". A name is a register, pc, acc, vl, a control register, a CSR, a
            constant, or a label, which stands for the word there.

    Raises:
        PentaryError: the text is no expression, or has a name that the machine and its program lack.
    """
    tokens = tokenize(text)
    if not tokens:
        raise PentaryError("an expression is missing")
    marked = [
        token._replace(text=_MARK + token.text) if token.kind == "name" and token.text not in FUNCTIONS else token
        for token in tokens
    ]
    for token in marked:
        if token.text.startswith(_MARK):
            _value(machine, token)
    try:
        return parse(marked)
    except Mistake as mistake:
        raise PentaryError(f"{shortened(text)}: {mistake.message.replace(_MARK, '')}") from None


def evaluate(machine: Simulator, expression: Expression) -> int:
    """Return the value of an expression in the present state of a machine.

    Raises:
        PentaryError: it has none, since it divides by 0, say.
    """
    try:
        return expression.evaluate(lambda token: _value(machine, token))
    except Mistake as mistake:
        raise PentaryError(mistake.message) from None


def write(machine: Simulator, what: str, value: int) -> None:
    """Change a part of a machine's state, as a program cannot: at once, in no cycle, past the caches.

    Args:
        machine: the machine.
        what: p1..p31, f0..f3, pc, vl, a control register, a CSR, or the place of a word in the data.
        value: the new value.

    Raises:
        PentaryError: there is no such part, or it does not take the value.
    """
    name, program = what.upper(), machine.program
    number = NUMBERS["register"].get(name)
    if number == 0:
        raise PentaryError(f"{what} is always 0")
    own = what not in program.symbols
    ranges = {"VL": (1, MAX_VL), "PC": (0, program.text - 1), **CONTROLS, **machine.csr_ranges}
    low, high = ranges.get(name, (-WORD_MAX, WORD_MAX)) if own else (-WORD_MAX, WORD_MAX)
    if not low <= value <= high:
        raise PentaryError(f"{what} takes {low}..{high}, not {shortened(str(value))}")
    if number is not None:
        machine.registers[number] = value
    elif name in NUMBERS["fitness"]:
        machine.fitness[NUMBERS["fitness"][name]] = value
    elif own and name in ranges:
        machine.change(name.lower() if name in ("VL", "PC") else name, value)
    elif own and name in CSRS:
        raise PentaryError(f"{what} can only be read")
    else:
        address = find(program, what)
        if not program.text <= address < len(machine.memory):
            last = len(machine.memory) - 1
            raise PentaryError(f"{what} is at {address}; only the words at {program.text}..{last} can be changed")
        machine.memory[address] = value


def _value(machine: Simulator, token: Token) -> int:
    name = token.text.removeprefix(_MARK)
    value = show(machine, name).values
    if not isinstance(value, int):
        raise PentaryError(f"{name} is not one number")
    return value
