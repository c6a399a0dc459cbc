"""Situations of operands that must be covered, derived from an operand's format and range alone.

A situation is a tuple. Of an operand in two's complement, it is one of

    least, d            the least legal number plus d; d is 0 or 1, or negative and so out of range
    greatest, d         the greatest legal number plus d; d is 0 or -1, or positive and so out of range
    lowest, p, s        the significant bits (those that differ between legal numbers) are p, all bits above them s
    highest, p, s       the same for many significant bits: the highest of them are p
    bit, i, s           the bits above the significant ones are s, except for bit i

and of an operand in pents, one of the first two or

    pent, i, code       pent i has this code, and the operand would be legal if that pent were 0
"""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Final

from pentary_hdl.bench.lralu_oracle import Operand, limit

Situation = tuple[str | int, ...]

_FEW: Final = 9
"""Greatest number of significant bits of which all patterns are covered; of more, only the highest bits."""

_HIGHEST: Final = 4

_PENTS: Final = 16


def situations(operand: Operand) -> Iterator[Situation]:
    """Yield the situations of an operand, for the widest range that it has in the hardware."""
    low, high = operand.low, operand.widest
    steps = [5**j for j in range(_PENTS)] if operand.in_pents else [2**j for j in range(_needed(operand))]
    largest = limit(_PENTS) if operand.in_pents else 2 ** (operand.bits - 1) - 1
    for edge, inward, number in (("least", 1, low), ("greatest", -1, high)):
        yield from ((edge, d) for d in (0, inward) if low < high or not d)
        yield from ((edge, -inward * d) for d in steps if abs(number - inward * d) <= largest)
    if operand.in_pents:
        yield from (("pent", i, code) for i, code in product(range(_PENTS), range(8)))
        return
    needed = _needed(operand)
    kind, bits = ("lowest", needed) if needed <= _FEW else ("highest", _HIGHEST)
    yield from ((kind, pattern, sign) for pattern, sign in product(range(1 << bits), (0, 1)))
    yield from (("bit", i, sign) for i, sign in product(range(needed, operand.bits), (0, 1)))


def made(operand: Operand, situation: Situation, random: Random) -> int:
    """Return bits of an operand in a situation, random where the situation leaves them open."""
    match situation:
        case ("least", int(d)):
            return operand.code(operand.low + d)
        case ("greatest", int(d)):
            return operand.code(operand.high + d)
        case ("pent", int(i), int(code)):
            while True:
                others = legal(operand, random) & ~(7 << 3 * i)
                if not operand.refusal(others):
                    return others | code << 3 * i
    needed, above = _needed(operand), 0
    low_bits = random.getrandbits(needed)
    match situation:
        case ("lowest", int(pattern), int(sign)):
            low_bits = pattern
        case ("highest", int(pattern), int(sign)):
            low_bits = low_bits >> _HIGHEST | pattern << needed - _HIGHEST
        case ("bit", int(i), int(sign)):
            above = 1 << i
        case _:
            raise ValueError(f"{situation} is no situation of {operand}")
    upper = -1 << needed if sign else 0
    return ((upper | low_bits) ^ above) & (1 << operand.bits) - 1


def met(operand: Operand, code: int) -> Iterator[Situation]:
    """Yield the situations that bits of an operand are in, including some that `situations` does not yield."""
    value = operand.value(code)
    if value is not None:
        yield ("least", value - operand.low)
        yield ("greatest", value - operand.high)
    if operand.in_pents:
        for i in range(_PENTS):
            pent = code >> 3 * i & 7
            if not operand.refusal(code ^ pent << 3 * i):
                yield ("pent", i, pent)
        return
    needed = _needed(operand)
    upper, whole = code >> needed, (1 << operand.bits - needed) - 1
    for sign, others in ((0, upper), (1, upper ^ whole)):
        if not others:
            yield ("lowest", code & (1 << needed) - 1, sign)
            yield ("highest", code >> max(needed - _HIGHEST, 0) & (1 << _HIGHEST) - 1, sign)
        elif others & (others - 1) == 0:
            yield ("bit", others.bit_length() - 1 + needed, sign)


def legal(operand: Operand, random: Random) -> int:
    """Return random legal bits of an operand."""
    return operand.code(random.randint(operand.low, operand.high))


def reasons(operand: Operand) -> list[str]:
    """Return the reasons for which an operand can be refused."""
    random, codes = Random(0), set[str]()
    for situation in situations(operand):
        codes.add(operand.refusal(made(operand, situation, random)))
    return sorted(codes - {""})


def refused(operand: Operand, reason: str, random: Random) -> int:
    """Return random bits of an operand that are refused for a reason."""
    every = list(situations(operand))
    while True:
        code = made(operand, random.choice(every), random)
        if operand.refusal(code) == reason:
            return code


def _needed(operand: Operand) -> int:
    """Return the number of significant bits: those above them repeat the sign, or are 0."""
    return operand.widest.bit_length() + (operand.low < 0)
