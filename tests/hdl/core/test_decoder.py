"""The core's decoder against the encoding of the instruction set."""

from random import Random
from typing import Any

from amaranth import Module
from amaranth.sim import Simulator

from pentary.isa.encoding import LAYOUTS, IllegalInstruction, decode, encode, operands
from pentary.isa.table import BY_NAME, INSTRUCTIONS, LINK, STACK
from pentary.numbers.word import WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.core.decoder import KINDS, Decoder, Kind

ABSENT = frozenset({"vector", "memory", "crossbar", "lowrank"})
PRESENT = [line for line in INSTRUCTIONS if line.unit not in ABSENT]


def drawn(rng: Random) -> list[int]:
    """Return words of every instruction, words near them that are none, and random ones."""
    words = []
    for line in INSTRUCTIONS:
        for _ in range(6):
            fields = {operand.field: rng.randint(operand.low or 0, operand.high or 0) for _, operand in operands(line)}
            word = encode(line, **fields)
            field = rng.choice(list(LAYOUTS[line.format].values()))
            words += [word, word + rng.choice((-1, 1, 5, 32)) * 5**field.lowest, word + 5 ** rng.randrange(16)]
    return [word for word in words if abs(word) <= WORD_MAX] + [rng.randint(-WORD_MAX, WORD_MAX) for _ in range(200)]


def expected(word: int) -> tuple[Any, ...] | None:
    """Return kind, registers read and written, immediate and flags of an instruction; None for a word that is none."""
    try:
        decoded = decode(word, ABSENT)
    except IllegalInstruction:
        return None
    name, taken = decoded.instruction.name, {name for name, _ in operands(decoded.instruction)}
    x = {"PUSH": STACK, "POP": STACK, "RET": LINK}.get(name, decoded.a if "rs" in taken else 0)
    y = decoded.b if "rt" in taken else decoded.d if "ru" in taken and name != "STORE" else 0
    late = {"PUSH": decoded.a, "STORE": decoded.d}.get(name, 0)
    written = {"PUSH": STACK, "CALL": LINK, "CALLR": LINK}.get(name, decoded.d if "rd" in taken else 0)
    return KINDS.get(name, Kind.ALU), x, y, late, written, decoded.instruction.flags != ""


def test_words_are_decoded_as_the_encoding_says() -> None:
    rng = Random(14)
    unit = Decoder(ABSENT)
    words = drawn(rng)
    m = Module()
    m.submodules.unit = unit
    legal = 0

    async def testbench(context: Any) -> None:
        nonlocal legal
        for word in words:
            context.set(unit.word, w.biased(word))
            await context.delay(1e-9)
            found = context.get(unit.control)
            golden = expected(word)
            assert found.legal == (golden is not None), word
            if golden is None:
                assert context.get(unit.control.as_value()) == 0, word
                continue
            legal += 1
            kind, x, y, late, written, sets_flags = golden
            told = (found.kind, found.x, found.y, found.late, found.written, found.sets_flags)
            assert told == (kind, x, y, late, written, sets_flags), (word, decode(word))
            decoded = decode(word)
            if decoded.instruction.format in ("I", "J"):
                assert list(found.immediate) == w.biased(decoded.i)[:10], word
            if "k" in {name for name, _ in operands(decoded.instruction)}:
                assert found.k == decoded.i

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()
    assert legal >= 6 * len(PRESENT) and legal < len(words)


def test_every_instruction_of_the_scalar_pipeline_has_a_kind() -> None:
    assert set(KINDS) <= set(BY_NAME) and {line.name for line in PRESENT if line.group in ("control", "system")} <= set(
        KINDS
    )
