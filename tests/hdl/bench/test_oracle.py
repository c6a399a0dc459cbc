"""The oracle of the test bench agrees with the twin, detects faults in code shared with it, and covers all operands."""

import ast
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pentary.isa.table import CONTROLS
from pentary.lowrank import generator, operations
from pentary.numbers import word
from pentary_hdl.bench import lralu_oracle as oracle
from pentary_hdl.bench.lralu_coverage import bins, kinds_of
from pentary_hdl.bench.lralu_directed import DirectedTraffic
from pentary_hdl.bench.lralu_fields import made, met, reasons, refused, situations
from pentary_hdl.bench.lralu_oracle import Operand
from pentary_hdl.bench.lralu_shared import CONSTANTS, FUNCTIONS, CheckedModel, differences
from pentary_hdl.lralu import twin
from pentary_hdl.lralu.twin import LowRankParameters

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))
GATEWARE = Path(__file__).parents[3] / "hdl" / "pentary_hdl"
HARDWARE = [
    LowRankParameters(max_rank=1, max_size=16),
    LowRankParameters(),
    LowRankParameters(lanes=64, max_rank=5, max_size=80, rounds_per_cycle=8),
    LowRankParameters(lanes=256, max_rank=64, max_size=16, rounds_per_cycle=4),
]


def play(parameters: LowRankParameters, commands: int) -> None:
    """Execute random commands of every kind on twin and oracle."""
    print("seed", SEED)
    traffic = DirectedTraffic(random.Random(SEED), CheckedModel(parameters))
    traffic.witnesses()
    traffic.fresh()
    for _ in (*traffic.fields(), *traffic.pairs()):
        pass
    while commands > 0:
        commands -= len([*traffic.size(), *traffic.mix(30)])


@pytest.mark.parametrize("parameters", HARDWARE, ids=str)
def test_the_twin_and_the_oracle_agree(parameters: LowRankParameters) -> None:
    assert list(differences(parameters)) == []
    play(parameters, 100)


def test_it_makes_the_words_of_the_specification() -> None:
    # The test vectors of architecture/randomness.md.
    for key, counter, result in (
        (1, 0, -63398079864),
        (2026, 46876, -69292630845),
        (76293945312, -76293945312, -28613421675),
    ):
        pents = oracle.word(key, counter)
        assert sum(pent * 5**i for i, pent in enumerate(pents)) == result


def test_its_levels_are_the_rounded_quotients() -> None:
    for rank in range(1, 65):
        for s in range(-4 * rank, 4 * rank + 1):
            quotient = abs(s) / rank**0.5
            nearest = int(np.ceil(quotient - 0.5))  # exact in floats: ranks with ties have integer roots
            assert oracle.level(s, rank) == min(nearest, 2) * np.sign(s)


def one_too_high(rank: int) -> tuple[int, int]:
    one, two = operations.pquant_thresholds(rank)
    return one, two + 1


def other_way_round(*args: Any) -> tuple[Any, Any]:
    a, b = operations.lrgen(*args)
    return a[..., ::-1], b


FAULTS: dict[str, tuple[str, Any]] = {
    "a threshold of PQUANT of a rank that the hardware has": (
        "pentary.interpreter.rows.pquant_thresholds",
        one_too_high,
    ),
    "a threshold of PQUANT that is shared, of a rank that it lacks": (
        "pentary.lowrank.operations.pquant_thresholds",
        lambda rank: (1, 2) if rank == 63 else (operations.isqrt(rank // 4) + 1, operations.isqrt(9 * rank // 4) + 1),
    ),
    "the generator's key": (
        "pentary_hdl.lralu.twin.prng",
        lambda key, counter: generator.prng(np.asarray(key) + 1, counter),
    ),
    "the order of the factors": ("pentary_hdl.lralu.twin.lrgen", other_way_round),
    "rounding": ("pentary.interpreter.rows.rounded", lambda number, pents: number // 5**pents),
    "saturation": (
        "pentary.interpreter.rows.sat",
        lambda number, width: max(-word.limit(width), min(word.limit(width) + 1, number)),
    ),
    "the shift of the gain": ("pentary.interpreter.rows.GAIN_SHIFT", 7),
    "the shift of the gain that is shared": ("pentary.lowrank.operations.GAIN_SHIFT", 7),
    "the greatest pair": ("pentary_hdl.lralu.twin.MEMBER_MAX", 195_313),
    "the width of sigma": ("pentary_hdl.lralu.twin.OPERAND", 7),
    "rounds": ("pentary.lowrank.generator.ROUNDS", 9),
    "codes": ("pentary_hdl.lralu.twin.OPS", twin.OPS | {"LRADD": 8, "LRACC": 7}),
    "the delay of responses": ("pentary_hdl.lralu.twin.RESPONSE_DELAY", 8),
    "the order of the control registers": (
        "pentary.isa.table.CONTROLS",
        dict(reversed(CONTROLS.items())),
    ),
    "the value of a control register at reset": (
        "pentary_hdl.lralu.twin.CONTROL_RESET",
        {**twin.CONTROL_RESET, "WIDTH": 5},
    ),
    "bits of an element": ("pentary_hdl.lralu.twin.ELEMENT_BITS", 27),
    "cycles of a word": (
        "pentary_hdl.lralu.twin.LowRankParameters.word_cycles",
        property(lambda self: 8 // self.rounds_per_cycle),
    ),
    "elements in a beat": (
        "pentary_hdl.lralu.twin.LowRankParameters.beat_elements",
        property(lambda self: self.lanes // 8),
    ),
    "a formula of the table of latencies": ("pentary_hdl.lralu.twin.cycles", lambda name, terms: (1, 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_what_twin_and_gateware_share_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, replacement = FAULTS[fault]
    monkeypatch.setattr(target, replacement)
    with pytest.raises((AssertionError, KeyError, IndexError, word.PentaryError)):
        assert list(differences(LowRankParameters())) == []
        play(LowRankParameters(), 300)


def test_all_that_the_gateware_takes_from_the_twin_is_compared() -> None:
    # These are documentation or host-side helpers, or are compared through the listed ones.
    others = {"pentary.numbers.word.PentaryError", "pentary_hdl.lralu.twin.LowRankParameters"}
    twin = "pentary_hdl.lralu.twin"
    unit = [path for path in GATEWARE.glob("lralu/*.py") if path.stem != "twin"]
    for path in (*unit, GATEWARE / "bus" / "wrapper.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("pentary.", twin)):
                taken = {f"{node.module}.{each.name}" for each in node.names}
                assert taken <= {*CONSTANTS, *FUNCTIONS, *others}, path.name


@pytest.mark.parametrize("parameters", HARDWARE, ids=str)
def test_every_situation_of_an_operand_can_be_made(parameters: LowRankParameters) -> None:
    rng = random.Random(SEED)
    for kind in kinds_of(parameters).values():
        for operand in (*kind.operands, *kind.streams):
            for situation in situations(operand):
                assert situation in set(met(operand, made(operand, situation, rng))), (SEED, operand, situation)
            for reason in reasons(operand):
                assert operand.refusal(refused(operand, reason, rng)) == reason


def test_operands_just_outside_a_limit_are_among_them() -> None:
    pent, pair = (kinds_of(LowRankParameters())[name].operands[0] for name in ("LRACC", "LRGEN"))
    drawn = {pent.value(made(pent, each, random.Random(SEED))) for each in situations(pent)}
    assert {*range(-8, 8)} <= drawn
    assert {1 << i for i in range(3, 47)} <= {abs(each or 0) & ~7 for each in drawn}
    assert {("pent", 0, code) for code in range(8)} <= set(situations(pair))


def test_a_new_operand_gets_its_situations_from_shape_and_range() -> None:
    new = Operand("new", "a", 12, False, 3, 17, 17)
    found = {new.value(made(new, each, random.Random(SEED))) for each in situations(new)}
    assert {*range(-32, 32), 17 + 16, 3 - 16} <= found
    assert {("bit", i, sign) for i in range(5, 12) for sign in (0, 1)} <= set(situations(new))


def test_the_coverage_names_every_situation_and_every_lrset_beside_every_operation() -> None:
    every = set(bins(LowRankParameters(max_rank=2, max_size=16)))
    registers = [f"LRSET {name}" for name in ("ROWS", "COLS", "RANK", "WIDTH", "KEY", "GAIN")]
    for register in registers:
        for other in ("PRNG", "LRGEN", "LRMUL", "PQUANT", "LRADD", "LRACC", "POPAVG", *registers):
            assert {("pair", register, other), ("pair", other, register)} <= every
    for value in (6, 7):
        assert ("field", "LRACC", "pent", "lowest", value, 0) in every
