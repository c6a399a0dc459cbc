import random

import numpy as np
import pytest

from pentary.interpreter.lowrank import LOWRANK
from pentary.interpreter.state import State, Trap
from pentary.isa.program import Program
from pentary.isa.table import CONTROLS
from pentary.numbers.word import WORD_MAX, PentaryError, saturate
from pentary_hdl.lralu.twin import (
    OPS,
    Command,
    LowRankModel,
    LowRankParameters,
    Outcome,
    binary_code,
    code_binary,
    code_word,
    command,
    pents_code,
)

WHOLE = LowRankParameters(max_rank=64, max_size=256)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lanes": 32},
        {"max_rank": 0},
        {"max_rank": 65},
        {"max_size": 0},
        {"max_size": 24},
        {"max_size": 272},
        {"rounds_per_cycle": 3},
        {"max_rank": True},
    ],
)
def test_parameters_that_cannot_be_built_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(PentaryError, match=f"^{next(iter(wrong))} is .*; it must be "):
        LowRankParameters(**wrong)


@pytest.mark.parametrize("number", [0, 1, -1, 13, WORD_MAX, -WORD_MAX])
def test_codes_are_undone(number: int) -> None:
    assert code_word(pents_code(number)) == number
    assert code_binary(binary_code(number)) == number


@pytest.mark.parametrize("pent", [3, 4, 5])
@pytest.mark.parametrize("place", [0, 7, 15])
def test_bits_that_are_no_pent_are_no_word(pent: int, place: int) -> None:
    assert code_word(pent << 3 * place) is None


@pytest.mark.parametrize(
    "refused",
    [
        *(Command(op) for op in range(16) if op not in OPS.values()),
        command("PRNG", 0, 0)._replace(a=3),
        command("PRNG", 0, 0)._replace(b=4 << 45),
        command("LRSET", "ROWS", 0),
        command("LRSET", "ROWS", 65),
        command("LRSET", "COLS", -1),
        command("LRSET", "RANK", 9),
        command("LRSET", "WIDTH", 1),
        command("LRSET", "WIDTH", 9),
        command("LRSET", "GAIN", 5**15),
        command("LRSET", "KEY", 0)._replace(a=5),
        command("LRSET", "KEY", 0)._replace(control=6),
        command("LRGEN", -1),
        command("LRGEN", 195313),
        command("LRMUL", 1),
        command("LRMUL", -1),
        command("LRADD", 195313),
        command("LRADD", -195313),
        command("LRACC", 3),
        command("LRACC", -3),
    ],
)
def test_a_refused_command_changes_nothing(refused: Command) -> None:
    model = LowRankModel(LowRankParameters())
    before = dict(model.controls)
    assert model.execute(refused) == Outcome(True, (), None, 1, 1)
    assert model.controls == before
    assert not model.factor_a.any()


@pytest.mark.parametrize("lanes", [16, 64, 256])
def test_results_past_the_columns_are_zero(lanes: int) -> None:
    model = LowRankModel(LowRankParameters(lanes=lanes))
    model.execute(command("LRSET", "COLS", 20))
    outcome = model.execute(command("LRACC", 0), base=[7] * 20)
    assert outcome.results == (7,) * 20 + (0,) * (-20 % model.parameters.beat_elements)


def test_occupancy_and_latency_are_those_of_the_instruction_table() -> None:
    model = LowRankModel(LowRankParameters())
    for name, value in (("ROWS", 64), ("COLS", 64), ("RANK", 8)):
        model.execute(command("LRSET", name, value))
    row = [0] * 64
    timing = {
        each.op: (outcome.occupancy, outcome.latency)
        for each in (
            command("PRNG", 0, 0),
            command("LRGEN", 0),
            command("LRMUL", 0),
            Command(OPS["PQUANT"]),
            command("LRADD", 0),
            command("LRACC", 0),
            command("POPAVG"),
        )
        for outcome in [model.execute(each, base=row, totals=row)]
    }
    assert timing == {1: (9, 11), 3: (578, 578), 4: (32, 36), 6: (1, 1), 7: (16, 24), 8: (16, 24), 9: (720, 728)}


@pytest.mark.parametrize("seed", range(6))
def test_the_twin_does_what_the_interpreter_does(seed: int) -> None:
    rng = random.Random(seed)
    state = State(Program(np.zeros(0, np.int64), 0, 0), memory=1, overflow_trap=False, input=())
    model = LowRankModel(WHOLE)
    for _ in range(60):
        name = rng.choice([*OPS, "LRSET", "LRSET", "LRMUL", "PQUANT"])
        control = rng.choice(list(CONTROLS))
        value = rng.choice([0, 1, 2, 8, rng.randint(-5, 300), rng.randint(-WORD_MAX, WORD_MAX)])
        vs, vt = ([rng.randint(-(2 ** rng.choice([3, 18, 27])), 2**18) for _ in range(256)] for _ in range(2))
        taken = 12 if name == "LRACC" else 8  # pents of the elements that the processor passes to the unit
        match name:
            case "PRNG":
                given, operands = command(name, value, -value), (1, value, -value)
            case "LRSET":
                value = rng.choice([*CONTROLS[control], value])
                given, operands = command(name, control, value), (list(CONTROLS).index(control), value)
            case "LRADD":
                value = rng.randint(-195312, 195312)
                given, operands = command(name, value), (0, vs, value)
            case "LRACC":
                value = rng.randint(-2, 2)
                given, operands = command(name, value), (0, vs, value)
            case "POPAVG":
                given, operands = command(name), (0, vs, vt)
            case "PQUANT":
                given, operands = command(name), ()
            case _:
                given, operands = command(name, value), (value,)
        outcome = model.execute(given, base=saturate(vs, taken).tolist(), totals=saturate(vt, taken).tolist())
        try:
            LOWRANK[name](state, *operands)
        except Trap:
            assert outcome.error
            continue
        assert not outcome.error, given
        assert model.controls == state.controls
        assert (model.quantised, model.sums) == (state.quantised, state.sums)
        assert outcome.scalar is None or code_word(outcome.scalar) == state.registers[1]
        assert not outcome.results or list(outcome.results) == state.vectors[0][: len(outcome.results)]
    assert model.factor_a.tolist() == state.factor_a
    assert model.factor_b.tolist() == state.factor_b
