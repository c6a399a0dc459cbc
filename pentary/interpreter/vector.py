"""Semantics of the vector and neural instructions, and of the vector loads and stores."""

from typing import Final

from pentary.interpreter.state import Semantics, State, check_operand
from pentary.interpreter.words import rounded, sat
from pentary.isa.table import MAX_VL, OPERAND


def _setvl(m: State, rs: int) -> None:
    check_operand("VL", rs, 1, MAX_VL)
    m.vl = rs


def _vget(m: State, rd: int, vs: list[int], rt: int) -> None:
    check_operand("element", rt, 0, m.vl - 1)
    m.write(rd, vs[rt])


def _vset(m: State, vd: int, rs: int, rt: int) -> None:
    check_operand("element", rs, 0, m.vl - 1)
    m.vectors[vd][rs] = rt


def _vmuls(m: State, vd: int, vs: list[int], rt: int) -> None:
    factor = sat(rt, OPERAND)
    m.deliver_vector(vd, [sat(vs[j] * factor) for j in range(m.vl)])


def _strided(m: State, first: int, stride: int) -> list[int]:
    return [first + j * stride for j in range(m.vl)]


def _indexed(m: State, indices: list[int], base: int) -> list[int]:
    return [base + indices[j] for j in range(m.vl)]


def _vmul(m: State, vd: int, vs: list[int], vt: list[int]) -> None:
    m.deliver_vector(vd, [sat(vs[j] * sat(vt[j], OPERAND)) for j in range(m.vl)])


def _vcmp(m: State, vd: int, vs: list[int], vt: list[int]) -> None:
    m.deliver_vector(vd, [(vs[j] > vt[j]) - (vs[j] < vt[j]) for j in range(m.vl)])


def _vsel(m: State, vd: int, vs: list[int], vt: list[int]) -> None:
    m.deliver_vector(vd, [vt[j] if vs[j] > 0 else m.vectors[vd][j] for j in range(m.vl)])


def _loadx(m: State, vs: list[int], rt: int) -> None:
    check_operand("crossbar row", rt, 0, MAX_VL - 1)
    m.crossbar[rt] = [sat(vs[j], 1) for j in range(MAX_VL)]


def _matvec(m: State, vd: int, vs: list[int]) -> None:
    sums = [sum(vs[i] * m.crossbar[i][j] for i in range(MAX_VL)) for j in range(m.vl)]
    m.deliver_vector(vd, [sat(total) for total in sums])


def _conv(m: State, vd: int, vs: list[int], vt: list[int], w: int) -> None:
    taps = [sat(vt[i], OPERAND) for i in range(w)]
    m.deliver_vector(vd, [sat(sum(vs[j + i] * taps[i] for i in range(w))) for j in range(m.vl - w + 1)])


VECTOR: Final[dict[str, Semantics]] = {
    "LOADV": lambda m, vd, i, rs: m.deliver_vector(vd, m.load(rs + i, m.vl)),
    "STOREV": lambda m, vu, i, rs: m.store(rs + i, vu[: m.vl]),
    "LOADVS": lambda m, vd, rs, rt: m.deliver_vector(vd, m.gather(_strided(m, rs, rt), rs)),
    "STOREVS": lambda m, vu, rs, rt: m.scatter(_strided(m, rs, rt), vu[: m.vl], rs),
    "LOADVX": lambda m, vd, vs, rt: m.deliver_vector(vd, m.gather(_indexed(m, vs, rt))),
    "STOREVX": lambda m, vu, vs, rt: m.scatter(_indexed(m, vs, rt), vu[: m.vl]),
    "SETVL": _setvl,
    "VADD": lambda m, vd, vs, vt: m.deliver_vector(vd, [sat(vs[j] + vt[j]) for j in range(m.vl)]),
    "VSUB": lambda m, vd, vs, vt: m.deliver_vector(vd, [sat(vs[j] - vt[j]) for j in range(m.vl)]),
    "VADDS": lambda m, vd, vs, rt: m.deliver_vector(vd, [sat(vs[j] + rt) for j in range(m.vl)]),
    "VMULS": _vmuls,
    "VMUL": _vmul,
    "VSUM": lambda m, rd, vs: m.write(rd, sat(sum(vs[: m.vl]))),
    "VMAX": lambda m, rd, vs: m.write(rd, max(vs[: m.vl])),
    "VCMP": _vcmp,
    "VSEL": _vsel,
    "VGET": _vget,
    "VSET": _vset,
    "LOADX": _loadx,
    "MATVEC": _matvec,
    "RELU": lambda m, vd, vs: m.deliver_vector(vd, [max(vs[j], 0) for j in range(m.vl)]),
    "QUANT": lambda m, vd, vs, k, w: m.deliver_vector(vd, [sat(rounded(vs[j], k), w) for j in range(m.vl)]),
    "POOL": lambda m, vd, vs, w: m.deliver_vector(vd, [max(vs[w * j : w * j + w]) for j in range(m.vl // w)]),
    "CONV": _conv,
}
