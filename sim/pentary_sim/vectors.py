"""Functional execution of the vector unit and the crossbar, compiled, with their digit operations.

Digit operations of all units are counted by two rules. An addition, comparison or shift has a position for each of the
16 pents: an operation if a pent of any operand is not 0, skipped if all are 0. A product has a position for each pair
of pents: an operation if both are not 0, else skipped.
"""

import numpy as np

from pentary.isa.table import MAX_VL, VECTORS
from pentary.isa.table import OPERAND as NARROW
from pentary.numbers.word import PENTS
from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.layout import Record
from pentary_sim.words import mask, nonzero, ones, round_shift, saturate


@compiled
def count(s: Record, operations: int, done: int, places: int) -> None:
    """Add `done` to the digit operations at index `operations`, and the rest of `places` to those skipped."""
    s.counts[operations] += done
    s.counts[operations + 1] += places - done


@compiled
def copy(target: Record, source: Record) -> None:
    """Copy a vector; an assignment of slices would count references to arrays, which takes time in the whole model."""
    for j in range(MAX_VL):
        target[j] = source[j]


@compiled
def vector(s: Record, op: int, d: int, a: int, b: int, i: int) -> tuple[int, int]:
    """Execute an instruction of the vector unit.

    Args:
        s: machine state, updated.
        op: opcode, see `pentary_sim.opcodes`.
        d, a, b, i: fields of the instruction.

    Returns:
        Status, and the value written to a scalar register, fitness accumulator or control register; for an operand
        fault, the operand at fault.
    """
    n = s.vl
    # The modulus keeps the index in range where a field is not a vector register; that vector is not used.
    x, y = s.vectors[a % VECTORS], s.vectors[b % VECTORS]
    scalar = s.registers[b]
    if op == o.VGET or op == o.VSET:
        place = scalar if op == o.VGET else s.registers[a]
        if place < 0 or place >= n:
            return o.OPERAND, place
        if op == o.VGET:
            return o.FINE, x[place]
        s.vectors[d, place] = scalar
        return o.FINE, 0
    if op == o.FITGET:
        value = s.fitness[a]
        s.fitness[a] = 0
        return o.FINE, value
    if op == o.POPEVAL:
        total = 0
        for j in range(n):
            difference = saturate(x[j] - y[j], NARROW)
            total += difference * difference
            digits = nonzero(s.masks, difference)
            count(s, o.VECTOR_OPERATIONS, ones(mask(s.masks, x[j]) | mask(s.masks, y[j])), PENTS)
            count(s, o.VECTOR_OPERATIONS, digits * digits, NARROW * NARROW)
        s.fitness[d] = saturate(s.fitness[d] + total, PENTS)
        return o.FINE, s.fitness[d]
    if op == o.VSUM or op == o.VMAX:
        total, greatest = 0, x[0]
        for j in range(n):
            total += x[j]
            greatest = max(greatest, x[j])
            count(s, o.VECTOR_OPERATIONS, nonzero(s.masks, x[j]), PENTS)
        return o.FINE, saturate(total, PENTS) if op == o.VSUM else greatest
    out = s.row
    out[:] = 0
    if op == o.VADD or op == o.VSUB or op == o.VADDS:
        for j in range(n):
            other = scalar if op == o.VADDS else y[j]
            out[j] = saturate(x[j] - other if op == o.VSUB else x[j] + other, PENTS)
            count(s, o.VECTOR_OPERATIONS, ones(mask(s.masks, x[j]) | mask(s.masks, other)), PENTS)
    elif op == o.VMULS:
        factor = saturate(scalar, NARROW)
        digits = nonzero(s.masks, factor)
        for j in range(n):
            out[j] = saturate(x[j] * factor, PENTS)
            count(s, o.VECTOR_OPERATIONS, nonzero(s.masks, x[j]) * digits, PENTS * NARROW)
    elif op == o.VMUL:
        for j in range(n):
            factor = saturate(y[j], NARROW)
            out[j] = saturate(x[j] * factor, PENTS)
            count(s, o.VECTOR_OPERATIONS, nonzero(s.masks, x[j]) * nonzero(s.masks, factor), PENTS * NARROW)
    elif op == o.VCMP:
        for j in range(n):
            out[j] = np.int64(x[j] > y[j]) - np.int64(x[j] < y[j])
            count(s, o.VECTOR_OPERATIONS, ones(mask(s.masks, x[j]) | mask(s.masks, y[j])), PENTS)
    elif op == o.VSEL:
        for j in range(n):
            out[j] = y[j] if x[j] > 0 else s.vectors[d, j]
    elif op == o.RELU or op == o.QUANT:
        for j in range(n):
            out[j] = max(x[j], 0) if op == o.RELU else saturate(round_shift(x[j], b), i)
            count(s, o.VECTOR_OPERATIONS, nonzero(s.masks, x[j]), PENTS)
    elif op == o.POOL:
        for j in range(n // i):
            out[j] = x[j * i]
            for k in range(i):
                out[j] = max(out[j], x[j * i + k])
                count(s, o.VECTOR_OPERATIONS, nonzero(s.masks, x[j * i + k]), PENTS)
    else:  # CONV
        for j in range(n - i + 1):
            total = 0
            for k in range(i):
                weight = saturate(y[k], NARROW)
                total += x[j + k] * weight
                digits = nonzero(s.masks, x[j + k]) * nonzero(s.masks, weight)
                count(s, o.VECTOR_OPERATIONS, digits, PENTS * NARROW)
            out[j] = saturate(total, PENTS)
    copy(s.vectors[d], out)
    return o.FINE, 0


@compiled
def crossbar(s: Record, op: int, d: int, a: int, b: int) -> tuple[int, int]:
    """Execute LOADX or MATVEC; arguments and results as for `vector`."""
    x = s.vectors[a]
    if op == o.LOADX:
        row = s.registers[b]
        if row < 0 or row >= MAX_VL:
            return o.OPERAND, row
        for j in range(MAX_VL):
            s.crossbar[row, j] = saturate(x[j], 1)
        return o.FINE, 0
    n = s.vl
    out = s.row
    out[:] = 0
    for k in range(MAX_VL):
        value = x[k]
        if value != 0:
            weights = s.crossbar[k]
            used = 0
            for j in range(n):
                out[j] += value * weights[j]
                used += weights[j] != 0
            s.counts[o.CROSSBAR_OPERATIONS] += used * nonzero(s.masks, value)
            s.counts[o.CROSSBAR_SKIPPED] -= used * nonzero(s.masks, value)
    s.counts[o.CROSSBAR_SKIPPED] += MAX_VL * n * PENTS
    for j in range(n):
        out[j] = saturate(out[j], PENTS)
    copy(s.vectors[d], out)
    return o.FINE, 0
