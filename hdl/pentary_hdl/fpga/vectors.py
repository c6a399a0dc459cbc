"""Test vectors of the self-test: commands, and signatures of their expected outputs from the reference model."""

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
"""Bits of a random element: few enough that every value in two's complement is a latent word."""

SIGNATURE_BITS: Final = 23
"""Width of a signature: a prime, so that equal bits of neighbouring elements reach different signature bits."""

SIGNATURE_START: Final = 1

TURN: Final = 13
"""Bits by which a register of random bits rotates for the next beat."""


@dataclass(frozen=True)
class Vector:
    """Command with its expected outputs.

    Attributes:
        command: fields of the command.
        error: whether it is refused.
        signature: signature of the beats of its results, or of its scalar.
        occupancy: cycles for which it occupies the unit.
    """

    command: Command
    error: bool
    signature: int
    occupancy: int


@dataclass(frozen=True)
class Vectors:
    """Stimulus and expected outputs of a self-test.

    Attributes:
        vectors: in order; their outputs do not depend on the state of the unit before them.
        rings: initial bits of the rotating register of each stream of operands. A beat's elements are consecutive
            groups of `RANDOM_BITS`, from the lowest on; after a transfer the register rotates left by `TURN` bits.
    """

    vectors: list[Vector]
    rings: dict[str, int]


def vectors(unit: LowRankAlu, count: int, seed: int) -> Vectors:
    """Return vectors for a unit: every operation, every reason for a refusal, and random commands.

    Args:
        unit: the unit under test.
        count: number of vectors.
        seed: seed of all random choices.
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
    """Return the signature of words: for each, rotate left by one, then XOR with the word's parts."""
    whole, result = (1 << SIGNATURE_BITS) - 1, SIGNATURE_START
    for word in words:
        result = (result << 1 | result >> SIGNATURE_BITS - 1) & whole
        while word:
            result ^= word & whole
            word >>= SIGNATURE_BITS
    return result


def elements(ring: int, count: int) -> list[int]:
    """Return the first `count` elements of a beat, from the lowest bits of the ring on."""
    sign = 1 << RANDOM_BITS - 1
    return [((ring >> RANDOM_BITS * i & (sign << 1) - 1) ^ sign) - sign for i in range(count)]


def turned(ring: int, bits: int) -> int:
    """Return a ring of `bits` bits, rotated for the next beat."""
    return (ring << TURN | ring >> bits - TURN) & (1 << bits) - 1


def _commands(traffic: Traffic, count: int) -> list[Command]:
    # First set all state to known values: factors of the largest size, control registers, sums.
    steps = [*traffic.fresh(), *traffic.set(WIDTH=8, GAIN=traffic.gain()), traffic.any("LRMUL")]
    for name in ("LRACC", "PQUANT", "LRADD", "POPAVG", "LRACC", "PRNG"):
        steps.append(traffic.any(name))
    for reason in traffic.reasons:
        steps.append(traffic.refused(reason))
    while len(steps) < count:
        steps += [*traffic.size(), traffic.any("LRGEN"), traffic.any("LRMUL"), *traffic.mix(10, each=False)]
    return [step.command for step in steps[:count]]
