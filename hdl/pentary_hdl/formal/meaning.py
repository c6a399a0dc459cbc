"""What scalar instructions deliver, pent by pent in carries, signs and selections; shares no cell with the core.

`tests/hdl/formal/test_meaning.py` compares it with the interpreter.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from pentary.isa.encoding import LAYOUTS, OPCODE, operands
from pentary.isa.table import BY_NAME, HIGH_SHIFT, INSTRUCTIONS, Instruction
from pentary.numbers.word import PENTS, limit, to_digits

Pents = Sequence[Value]
"""Pents of a number as signed values, the lowest first."""

PENT: Final = signed(3)
_CARRY: Final = signed(2)


class Operands(NamedTuple):
    """Operands of an instruction: its word, and the registers that it reads."""

    word: Pents
    x: Pents
    y: Pents


class Outcome(NamedTuple):
    """Word that an instruction delivers, and the flags V, C and S."""

    pents: Pents
    over: Value
    carry: Value
    limited: Value


Meaning = Callable[[Module, Operands, Pents], Outcome]
"""Outcome of an instruction ; it may look at the word that is delivered, to say whether that is it."""


def pents_of(m: Module, word: data.View) -> list[Value]:
    """Return the pents of a word that is stored in biased digits."""
    return signals(m, [digit - limit(1) for digit in word])


def constant(number: int) -> list[Value]:
    """Return the pents of a constant."""
    found = [Const(pent, PENT) for pent in to_digits(number).tolist()]
    return (found + [Const(0, PENT)] * PENTS)[:PENTS]


def is_(line: Instruction, word: Pents) -> Value:
    """Return whether a word, if it is an instruction, is that one."""
    coded = _holds(word, *OPCODE, line.opcode)
    function = LAYOUTS[line.format].get("function")
    return coded & _holds(word, *function, line.function) if function else coded


def is_instruction(word: Pents, absent: Collection[str]) -> Value:
    """Return whether a word is an instruction of a unit that is not among those absent."""
    return Cat(_is_legal(each, word) for each in INSTRUCTIONS if each.unit not in absent).any()


def field(line: Instruction, name: str, word: Pents) -> list[Value]:
    """Return the pents of a field."""
    lowest, width = LAYOUTS[line.format][name]
    return list(word[lowest : lowest + width])


def number(pents: Pents) -> Value:
    """Return a number of few pents in two's complement."""
    return sum((pent * 5**place for place, pent in enumerate(pents)), start=Const(0, PENT))


def total(m: Module, x: Pents, y: Pents) -> tuple[list[Value], Value]:
    """Return the low pents of the sum of two numbers, and its carry, -1..1."""
    carry: Value = Const(0, _CARRY)
    pents = []
    for one, other in zip(x, y, strict=True):
        both, pent, out = Signal(range(-5, 6)), Signal(PENT), Signal(_CARRY)
        m.d.comb += [
            both.eq(one + other + carry),
            out.eq(Mux(both > 2, 1, Mux(both < -2, -1, 0))),
            pent.eq(both - Mux(both > 2, 5, Mux(both < -2, -5, 0))),
        ]
        pents.append(pent)
        carry = out
    return pents, carry


def signals(m: Module, pents: Pents) -> list[Value]:
    """Return signals of the pents: an expression that is used several times would be built as often."""
    found = []
    for pent in pents:
        same = Signal(PENT)
        m.d.comb += same.eq(pent)
        found.append(same)
    return found


def minus(m: Module, pents: Pents) -> list[Value]:
    """Return minus a number."""
    return signals(m, [-pent for pent in pents])


def sign(m: Module, pents: Pents) -> Value:
    """Return -1, 0 or 1, which is the sign of the highest pent that is not 0."""
    found: Value = Const(0, _CARRY)
    for pent in pents:
        upto = Signal(_CARRY)
        m.d.comb += upto.eq(Mux(pent == 0, found, Mux(pent < 0, -1, 1)))
        found = upto
    return found


def order(m: Module, x: Pents, y: Pents) -> Value:
    """Return -1, 0 or 1 as x is less than, equal to or greater than y, by the highest pents in which they differ."""
    found: Value = Const(0, _CARRY)
    for one, other in zip(x, y, strict=True):
        upto = Signal(_CARRY)
        m.d.comb += upto.eq(Mux(one == other, found, Mux(one < other, -1, 1)))
        found = upto
    return found


def chosen(condition: Value, pents: Pents, others: Pents) -> list[Value]:
    """Return one number if a condition holds, else the other."""
    return [Mux(condition, one, other) for one, other in zip(pents, others, strict=True)]


def equal(pents: Pents, others: Pents) -> Value:
    """Return whether two numbers are the same."""
    return Cat(one == other for one, other in zip(pents, others, strict=True)).all()


def flags(m: Module, outcome: Outcome) -> Value:
    """Return the flags of an outcome, in the order Z, N, P, V, C, S."""
    signed_as = sign(m, outcome.pents)
    return Cat(signed_as == 0, signed_as < 0, signed_as > 0, outcome.over, outcome.carry, outcome.limited)


def _holds(word: Pents, lowest: int, width: int, value: int) -> Value:
    return equal(word[lowest : lowest + width], constant(value)[:width])


def _is_legal(line: Instruction, word: Pents) -> Value:
    used = {operand.field: operand for _, operand in operands(line)}
    fits = [is_(line, word)]
    for name, (lowest, width) in LAYOUTS[line.format].items():
        if name in used:
            low, high = used[name].low, used[name].high
            assert low is not None and high is not None
            if (low, high) != (-limit(width), limit(width)):
                held = number(word[lowest : lowest + width])
                fits.append((held >= low) & (held <= high))
        elif name != "function":
            fits.append(_holds(word, lowest, width, 0))
    return Cat(fits).all()


def _exact(pents: Pents, carry: Value | int = 0, limited: Value | int = 0) -> Outcome:
    return Outcome(pents, Const(0), Value.cast(carry), Value.cast(limited))


def _edge(positive: Value, width: Value | int = PENTS) -> list[Value]:
    return [Mux(place < width, Mux(positive, 2, -2), 0) for place in range(PENTS)]


def _sum(m: Module, x: Pents, y: Pents, beyond: Value | int = 0) -> Outcome:
    pents, carry = total(m, x, y)
    over = carry + beyond != 0
    return Outcome(pents, over, over, Const(0))


def _saturated(m: Module, x: Pents, y: Pents) -> Outcome:
    pents, carry = total(m, x, y)
    over = carry != 0
    return Outcome(chosen(over, _edge(carry > 0), pents), over, over, over)


def _immediate(name: str, word: Pents, shift: int = 0) -> list[Value]:
    pents = [*constant(0)[:shift], *field(BY_NAME[name], "i", word)]
    return (pents + constant(0))[: max(PENTS, len(pents))]


def _high(m: Module, o: Operands) -> Outcome:
    addend = _immediate("ADDHI", o.word, HIGH_SHIFT)
    return _sum(m, o.x, addend[:PENTS], addend[PENTS])


def _shifted(m: Module, pents: Pents, distance: Value, left: bool) -> Outcome:
    result, lost = constant(0), Const(0)
    by = Signal(range(PENTS + 1))
    m.d.comb += by.eq(distance)
    for k in range(PENTS + 1):
        moved = [*constant(0)[:k], *pents[: PENTS - k]] if left else [*pents[k:], *constant(0)[:k]]
        dropped = pents[PENTS - k :] if left else pents[:k]
        result = chosen(by == k, moved, result)
        lost = Mux(by == k, ~equal(dropped, constant(0)[:k]) if k else 0, lost)
    return Outcome(result, lost if left else Const(0), lost, Const(0))


def _clamped(m: Module, o: Operands) -> Outcome:
    width = Signal(range(PENTS + 1))
    m.d.comb += width.eq(number(field(BY_NAME["CLAMP"], "i", o.word)[:3]))
    beyond = Cat((place >= width) & (pent != 0) for place, pent in enumerate(o.x)).any()
    return _exact(chosen(beyond, _edge(sign(m, o.x) > 0, width), o.x), limited=beyond)


def _consensus(x: Pents, y: Pents) -> list[Value]:
    return [
        Mux((a > 0) & (b > 0), Mux(a < b, a, b), Mux((a < 0) & (b < 0), Mux(a > b, a, b), 0))
        for a, b in zip(x, y, strict=True)
    ]


def _of_sign(number: Value) -> list[Value]:
    return [number, *constant(0)[1:]]


def _halved(m: Module, x: Pents, value: Pents) -> Outcome:
    """Return the outcome of DIV2: the value, if x less twice the value is 0, or 1 with the sign of x, and carried."""
    less, one = total(m, x, minus(m, value))
    rest, other = total(m, less, minus(m, value))
    signed_as = sign(m, x)
    odd = ~equal(rest, constant(0))
    right = (one == 0) & (other == 0) & (~odd | ((signed_as != 0) & equal(rest, _of_sign(signed_as))))
    return _exact(chosen(right, value, [pent ^ 1 for pent in value]), carry=odd)


def _by_immediate(name: str, left: bool) -> Meaning:
    return lambda m, o, _: _shifted(m, o.x, number(field(BY_NAME[name], "i", o.word)[:3]), left)


def _by_register(left: bool) -> Meaning:
    return lambda m, o, _: _shifted(m, o.x, number(o.y[:3]), left)


OUTCOMES: Final[dict[str, Meaning]] = {
    "ADD": lambda m, o, _: _sum(m, o.x, o.y),
    "SUB": lambda m, o, _: _sum(m, o.x, minus(m, o.y)),
    "ADDS": lambda m, o, _: _saturated(m, o.x, o.y),
    "SUBS": lambda m, o, _: _saturated(m, o.x, minus(m, o.y)),
    "MUL2": lambda m, o, _: _sum(m, o.x, o.x),
    "DIV2": lambda m, o, value: _halved(m, o.x, value),
    "ADDI": lambda m, o, _: _sum(m, o.x, _immediate("ADDI", o.word)),
    "ADDHI": lambda m, o, _: _high(m, o),
    "NEG": lambda m, o, _: _exact(minus(m, o.x)),
    "ABS": lambda m, o, _: _exact(chosen(sign(m, o.x) < 0, minus(m, o.x), o.x)),
    "SHLI": _by_immediate("SHLI", left=True),
    "SHRI": _by_immediate("SHRI", left=False),
    "SHL": _by_register(left=True),
    "SHR": _by_register(left=False),
    "LI": lambda m, o, _: _exact(_immediate("LI", o.word)),
    "MIN": lambda m, o, _: _exact(chosen(order(m, o.x, o.y) < 0, o.x, o.y)),
    "MAX": lambda m, o, _: _exact(chosen(order(m, o.x, o.y) > 0, o.x, o.y)),
    "CONS": lambda m, o, _: _exact(_consensus(o.x, o.y)),
    "SIGN": lambda m, o, _: _exact(_of_sign(sign(m, o.x))),
    "CLAMP": lambda m, o, _: _clamped(m, o),
    "CMP": lambda m, o, _: _exact(_of_sign(order(m, o.x, o.y))),
    "CMP3": lambda m, o, _: _exact(_of_sign(order(m, o.x, o.y))),
}
"""Outcomes by name of the instructions that compute in one cycle, of those without an accumulator."""
