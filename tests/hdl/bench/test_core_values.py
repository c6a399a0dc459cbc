"""The program of values: it ends without a fault, and shows what an instruction of a unit gets wrong."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pentary.interpreter import Interpreter, machine
from pentary.interpreter.rows import quantised
from pentary.interpreter.state import State
from pentary.isa.table import INSTRUCTIONS, MAX_VL
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary_hdl.bench.core_presets import configuration
from pentary_hdl.bench.core_values import values
from pentary_sim.simulator import Simulator

SETUP: Setup = next(values(configuration("plain")))

VECTORS = [line.name for line in INSTRUCTIONS if line.operands[:1] == ("vd",)]
SCALARS = [line.name for line in INSTRUCTIONS if line.operands[:1] == ("rd",) and line.unit in ("vector", "lowrank")]


def memory(setup: Setup = SETUP) -> NDArray[np.int64]:
    """Return what memory holds at the end."""
    ran = Interpreter(setup.program, setup.config.memory.words)
    ran.run(10_000)
    assert ran.halted
    return ran.memory


def test_the_model_has_the_values_of_the_interpreter() -> None:
    model = Simulator(SETUP.program, SETUP.config)
    model.run()
    assert np.array_equal(model.memory, memory())


def changed(monkeypatch: pytest.MonkeyPatch, name: str, function: Any) -> bool:
    """Return whether memory is another one if an instruction does something else."""
    right = memory()
    monkeypatch.setitem(machine.SEMANTICS, name, function)
    return not np.array_equal(memory(), right)


@pytest.mark.parametrize("place", ["first", "last", "beyond"])
@pytest.mark.parametrize("name", VECTORS)
def test_each_element_is_seen(monkeypatch: pytest.MonkeyPatch, name: str, place: str) -> None:
    right = machine.SEMANTICS[name]

    def wrong(m: State, vd: int, *operands: Any) -> None:
        right(m, vd, *operands)
        count = m.controls["COLS"] if name in ("LRADD", "LRACC", "POPAVG") else m.vl
        element = {"first": 0, "last": MAX_VL - 1, "beyond": min(count, MAX_VL - 1)}[place]
        m.vectors[vd] = [*m.vectors[vd]]
        m.vectors[vd][element] ^= 1

    assert changed(monkeypatch, name, wrong)


@pytest.mark.parametrize("name", SCALARS)
def test_each_scalar_result_is_seen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    right = machine.SEMANTICS[name]

    def wrong(m: State, rd: int, *operands: Any) -> None:
        right(m, rd, *operands)
        m.registers[rd] ^= 1

    assert changed(monkeypatch, name, wrong)


@pytest.mark.parametrize("name", ["STOREV", "STOREVS", "STOREVX"])
def test_each_vector_store_is_seen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    right = machine.SEMANTICS[name]

    def wrong(m: State, vu: list[int], *operands: Any) -> None:
        right(m, [*vu[: m.vl - 1], vu[m.vl - 1] ^ 1, *vu[m.vl :]], *operands)

    assert changed(monkeypatch, name, wrong)


def test_a_second_quantisation_at_another_rank_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(m: State) -> None:
        m.sums, m.quantised = quantised(m.sums, m.controls["RANK"]), True

    assert changed(monkeypatch, "PQUANT", wrong)


def test_an_element_of_a_convolution_too_many_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = machine.SEMANTICS["CONV"]

    def wrong(m: State, vd: int, vs: list[int], vt: list[int], w: int) -> None:
        m.vl = min(m.vl + w - 1, MAX_VL)
        right(m, vd, vs, vt, w)

    assert changed(monkeypatch, "CONV", wrong)


def test_a_machine_without_units_has_none() -> None:
    assert not list(values(Config.loads("units = {vector = false, crossbar = false, lowrank = false}")))
