"""Instructions that train with low-rank perturbations: generator, low-rank unit, fitness accumulators."""

from typing import Final

import numpy as np

from pentary.interpreter.rows import accumulated, multiplied, perturbed, quantised, updated
from pentary.interpreter.state import Semantics, State, check_operand
from pentary.interpreter.words import sat
from pentary.isa.table import ACTIVATION, CONTROLS, MAX_VL, OPERAND
from pentary.lowrank.generator import MEMBER_MAX, prng
from pentary.lowrank.operations import lrgen

_CONTROL_NAMES: Final = tuple(CONTROLS)


def _lrset(m: State, cd: int, rs: int) -> None:
    name = _CONTROL_NAMES[cd]
    check_operand(name, rs, *CONTROLS[name])
    m.controls[name] = rs


def _lrgen(m: State, rs: int) -> None:
    check_operand("pair", rs, 0, MEMBER_MAX)
    rows, cols, rank = m.controls["ROWS"], m.controls["COLS"], m.controls["RANK"]
    a, b = lrgen(m.controls["KEY"], np.array([rs]), rows, cols, rank)
    for level in range(rank):
        m.factor_a[level][:rows] = a[0, level].tolist()
        m.factor_b[level][:cols] = b[0, level].tolist()


def _multiply_b(m: State, left: list[int]) -> None:
    """Set S[j], j < COLS, to the sum over the ranks of left[l] * B[l][j], and the others to 0."""
    cols = m.controls["COLS"]
    m.sums = multiplied(left, m.factor_b, cols) + [0] * (MAX_VL - cols)
    m.quantised = False


def _lrmul(m: State, rs: int) -> None:
    check_operand("row", rs, 0, m.controls["ROWS"] - 1)
    _multiply_b(m, [m.factor_a[level][rs] for level in range(m.controls["RANK"])])


def _lrmulx(m: State, vs: list[int]) -> None:
    rows, rank = m.controls["ROWS"], m.controls["RANK"]
    inputs = [sat(vs[i], ACTIVATION) for i in range(rows)]
    _multiply_b(m, [sum(inputs[i] * m.factor_a[level][i] for i in range(rows)) for level in range(rank)])


def _pquant(m: State) -> None:
    if not m.quantised:
        m.sums = quantised(m.sums, m.controls["RANK"])
    m.quantised = True


def _lradd(m: State, vd: int, vs: list[int], rt: int) -> None:
    cols = m.controls["COLS"]
    m.deliver_vector(vd, perturbed(vs[:cols], m.sums[:cols], rt, m.controls["WIDTH"]))


def _lracc(m: State, vd: int, vs: list[int], rt: int) -> None:
    cols = m.controls["COLS"]
    m.deliver_vector(vd, accumulated(vs[:cols], m.sums[:cols], rt))


def _popeval(m: State, fd: int, vs: list[int], vt: list[int]) -> None:
    distance = sum(sat(vs[j] - vt[j], OPERAND) ** 2 for j in range(m.vl))
    m.fitness[fd] = sat(m.fitness[fd] + distance)


def _fitget(m: State, rd: int, fs: int) -> None:
    m.write(rd, m.fitness[fs])
    m.fitness[fs] = 0


def _popavg(m: State, vd: int, vs: list[int], vt: list[int]) -> None:
    cols = m.controls["COLS"]
    m.deliver_vector(vd, updated(vs[:cols], vt[:cols], m.controls["GAIN"], m.controls["WIDTH"]))


LOWRANK: Final[dict[str, Semantics]] = {
    "PRNG": lambda m, rd, rs, rt: m.write(rd, prng(rs, rt).item()),
    "LRSET": _lrset,
    "LRGEN": _lrgen,
    "LRMUL": _lrmul,
    "LRMULX": _lrmulx,
    "PQUANT": _pquant,
    "LRADD": _lradd,
    "LRACC": _lracc,
    "POPEVAL": _popeval,
    "FITGET": _fitget,
    "POPAVG": _popavg,
}
