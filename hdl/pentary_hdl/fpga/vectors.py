"""Vectors of the self-test: commands, and a signature of what each must give, from the software twin."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from pentary.isa.table import OPERAND
from pentary.numbers.word import limit
from pentary_hdl.bench.lralu_traffic import Traffic
from pentary_hdl.lralu.twin import Command, LowRankModel
from pentary_hdl.lralu.unit import LowRankAlu

RANDOM_BITS: Final = limit(OPERAND).bit_length()
"""Bits of the random elements that rings give: two's complement of so many bits is always a latent word."""

SIGNATURE_BITS: Final = 23
"""A prime, so that the same bit of elements that lie near each other falls onto different bits of the signature."""

SIGNATURE_START: Final = 1

TURN: Final = 13
"""Bits by which a ring turns for the next beat."""


@dataclass(frozen=True)
class Vector:
    """A command and what it must give.

    Attributes:
        command: its bits.
        error: whether it is refused.
        signature: of the beats of its results, or of its scalar.
        occupancy: cycles until the unit has done it.
    """

    command: Command
    error: bool
    signature: int
    occupancy: int


@dataclass(frozen=True)
class Vectors:
    """What a self-test plays.

    Attributes:
        vectors: in order, such that they give the same whatever the unit holds before.
        rings: bits in a ring for each stream of operands. An element of a beat is the next `RANDOM_BITS` of them, and
            the ring is turned by `TURN` bits to the left when a beat is taken.
    """

    vectors: list[Vector]
    rings: dict[str, int]


def vectors(unit: LowRankAlu, count: int, seed: int) -> Vectors:
    """Draw vectors: every operation, all that a command can be refused for, and random commands.

    Args:
        unit: what they are for.
        count: how many.
        seed: of all that is random.
    """
    random = Random(seed)
    beat = unit.base.payload.shape().length
    rings = {name: random.getrandbits(beat * RANDOM_BITS) for name in ("base", "totals")}
    turning, model = dict(rings), LowRankModel(unit.parameters)
    result = []
    for command in _commands(Traffic(random, LowRankModel(unit.parameters)), count):
        after, rows = dict(turning), {name: [] for name in model.operands(command)}
        for name, row in rows.items():
            for _ in range(model.beats()):
                row += elements(after[name], beat)
                after[name] = turned(after[name], beat * RANDOM_BITS)
        outcome = model.execute(command, **rows)
        if not outcome.error:
            turning = after
        words = [] if outcome.scalar is None else [outcome.scalar]
        for at in range(0, len(outcome.results), beat):
            shown = {"elements": outcome.results[at : at + beat], "last": at + beat == len(outcome.results)}
            words.append(unit.results.payload.shape().const(shown).as_bits())
        result.append(Vector(command, outcome.error, signature(words), outcome.occupancy))
    return Vectors(result, rings)


def signature(words: Iterable[int]) -> int:
    """Give the signature of words: each is cut into parts that are added without carries, and turns what was before."""
    whole, result = (1 << SIGNATURE_BITS) - 1, SIGNATURE_START
    for word in words:
        result = (result << 1 | result >> SIGNATURE_BITS - 1) & whole
        while word:
            result ^= word & whole
            word >>= SIGNATURE_BITS
    return result


def elements(ring: int, count: int) -> list[int]:
    """Give the elements of a beat."""
    sign = 1 << RANDOM_BITS - 1
    return [((ring >> RANDOM_BITS * i & (sign << 1) - 1) ^ sign) - sign for i in range(count)]


def turned(ring: int, bits: int) -> int:
    """Give a ring of so many bits for the next beat."""
    return (ring << TURN | ring >> bits - TURN) & (1 << bits) - 1


def _commands(traffic: Traffic, count: int) -> list[Command]:
    # First what makes all of the state known: factors of the largest size, control registers, sums.
    steps = [*traffic.fresh(), *traffic.set(WIDTH=8, GAIN=traffic.gain()), traffic.any("LRMUL")]
    for name in ("LRACC", "PQUANT", "LRADD", "POPAVG", "LRACC", "PRNG"):
        steps.append(traffic.any(name))
    for reason in traffic.reasons:
        steps.append(traffic.refused(reason))
    while len(steps) < count:
        steps += [*traffic.size(), traffic.any("LRGEN"), traffic.any("LRMUL"), *traffic.mix(10, each=False)]
    return [step.command for step in steps[:count]]
