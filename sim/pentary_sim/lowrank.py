"""Functional execution of the low-rank unit, compiled: `pentary.lowrank.operations`, one row at a time."""

from typing import Final

import numpy as np

from pentary.isa.table import ACTIVATION, CONTROLS, MAX_VL, TOTAL
from pentary.isa.table import OPERAND as NARROW
from pentary.lowrank.generator import BLOCK_WIDTH, MEMBER_MAX
from pentary.lowrank.operations import GAIN_SHIFT, MAX_RANK, pquant_thresholds
from pentary.numbers.word import PENTS
from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.generator import balanced, permute, prng, schedule
from pentary_sim.layout import Record
from pentary_sim.vectors import copy, count
from pentary_sim.words import mask, nonzero, ones, round_shift, saturate

ROWS, COLS, RANK, WIDTH, KEY, GAIN = range(len(CONTROLS))
assert tuple(CONTROLS) == ("ROWS", "COLS", "RANK", "WIDTH", "KEY", "GAIN")

_RANGES: Final = np.array(list(CONTROLS.values()))
_THRESHOLDS: Final = np.array([(0, 0), *map(pquant_thresholds, range(1, MAX_RANK + 1))])
_GAIN_WIDTH: Final = 15  # pents of the largest GAIN


@compiled
def lowrank(s: Record, op: int, d: int, a: int, b: int) -> tuple[int, int]:
    """Execute an instruction of the low-rank unit; arguments and results as for `pentary_sim.vectors.vector`."""
    rows, cols, rank = s.controls[ROWS], s.controls[COLS], s.controls[RANK]
    value = s.registers[a]
    if op == o.PRNG:
        s.counts[o.GENERATOR_WORDS] += 1
        return o.FINE, prng(value, s.registers[b], s.round_keys, s.pents)
    if op == o.LRSET:
        if value < _RANGES[d, 0] or value > _RANGES[d, 1]:
            return o.OPERAND, value
        s.controls[d] = value
        return o.FINE, value
    elif op == o.LRGEN:
        if value < 0 or value > MEMBER_MAX:
            return o.OPERAND, value
        _draw(s, value, rows, cols, rank)
    elif op == o.LRMUL:
        if value < 0 or value >= rows:
            return o.OPERAND, value
        coefficients = s.coefficients
        for l in range(rank):  # noqa: E741
            coefficients[l] = s.factor_a[l, value]
        _combine(s, coefficients, cols, rank, 1)
        s.counts[o.LOWRANK_MACS] += rank * cols
    elif op == o.LRMULX:
        coefficients = s.coefficients
        for l in range(rank):  # noqa: E741
            total = 0
            for k in range(rows):
                x, pent = saturate(s.vectors[a, k], ACTIVATION), s.factor_a[l, k]
                total += x * pent
                count(s, o.LOWRANK_OPERATIONS, nonzero(s.masks, x) if pent != 0 else 0, ACTIVATION)
            coefficients[l] = total
        _combine(s, coefficients, cols, rank, PENTS)
        s.counts[o.LOWRANK_MACS] += rank * (rows + cols)
    elif op == o.PQUANT:
        one, two = _THRESHOLDS[rank]
        for j in range(0 if s.quantised else MAX_VL):
            x = s.sums[j]
            count(s, o.LOWRANK_OPERATIONS, nonzero(s.masks, x), PENTS)
            s.sums[j] = np.int64(x >= one) + np.int64(x >= two) - np.int64(x <= -one) - np.int64(x <= -two)
        s.quantised = 1
    else:
        _rows(s, op, d, a, b, cols)
    return o.FINE, 0


@compiled
def _draw(s: Record, pair: int, rows: int, cols: int, rank: int) -> None:
    """Draw the factors of a pair: `rank` vectors of A, then of B, each starting with a new block of 16 pents."""
    schedule(s.controls[KEY], s.round_keys, s.pents[0])
    block = pair * 5**BLOCK_WIDTH
    for factor, width in ((s.factor_a, rows), (s.factor_b, cols)):
        for l in range(rank):  # noqa: E741
            for first in range(0, width, PENTS):
                permute(block, s.round_keys, s.pents)
                block += 1
                s.counts[o.GENERATOR_WORDS] += 1
                for j in range(first, min(first + PENTS, width)):
                    factor[l, j] = balanced(s.pents[0, j - first])


@compiled
def _combine(s: Record, coefficients: np.ndarray, cols: int, rank: int, places: int) -> None:
    """Set the row sums to coefficients times B^T; a coefficient has up to `places` pents."""
    s.sums[:] = 0
    s.quantised = 0
    for l in range(rank):  # noqa: E741
        coefficient = coefficients[l]
        used = 0
        for j in range(cols):
            s.sums[j] += coefficient * s.factor_b[l, j]
            used += s.factor_b[l, j] != 0
        count(s, o.LOWRANK_OPERATIONS, used * nonzero(s.masks, coefficient), cols * places)


@compiled
def _rows(s: Record, op: int, d: int, a: int, b: int, cols: int) -> None:
    """Execute LRADD, LRACC or POPAVG: add a scaled row to a base row."""
    width = s.controls[WIDTH]
    base = s.vectors[a]
    out = s.row
    out[:] = 0
    if op == o.POPAVG:
        gain, totals = s.controls[GAIN], s.vectors[b]
        digits = nonzero(s.masks, gain)
        for j in range(cols):
            total = saturate(totals[j], NARROW)
            out[j] = saturate(saturate(base[j], NARROW) + round_shift(total * gain, GAIN_SHIFT), width)
            count(s, o.LOWRANK_OPERATIONS, nonzero(s.masks, total) * digits, NARROW * _GAIN_WIDTH)
    elif op == o.LRADD:
        sigma = saturate(s.registers[b], NARROW)
        for j in range(cols):
            latent, step = saturate(base[j], NARROW), sigma * saturate(s.sums[j], 1)
            count(s, o.LOWRANK_OPERATIONS, ones(mask(s.masks, latent) | mask(s.masks, step)), PENTS)
            out[j] = round_shift(saturate(latent + step, width), width - 1)
    else:  # LRACC
        pent = saturate(s.registers[b], 1)
        for j in range(cols):
            total, step = saturate(base[j], TOTAL), pent * s.sums[j]
            count(s, o.LOWRANK_OPERATIONS, ones(mask(s.masks, total) | mask(s.masks, step)), PENTS)
            out[j] = total + step
    copy(s.vectors[d], out)


assert MAX_VL % PENTS == 0  # so a block of the generator never exceeds a factor's row
