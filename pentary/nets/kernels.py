"""Element-wise work between the products of a network, compiled by Numba, for a population.

Arrays of activations are (groups, rows, numbers). A group is an antithetic pair, whose first half of rows is of its
plus member; with one side, it is anything without members. Numbers are integers in float32 that keep the bounds of
`pentary.nets.operations`, so every sum is exact in any order, with products in it or not: the only fast-math flags,
`reassoc` and `contract`, are safe.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentary.nets.operations import GATE, GATE_SHIFT, MEAN_SHIFT, OPERAND
from pentary.support.compiled import Store, imported_sources

Array = NDArray[Any]

f32 = np.float32

STORE = Store("networks", "networks", imported_sources(__name__))

_compiled = STORE.compiled(nogil=True, error_model="numpy", fastmath={"contract"})
_compiled_sum = STORE.compiled(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})

_GATE = f32(GATE)
_GATE_UNIT = f32(1 / 5**GATE_SHIFT)
_OPERAND = f32(OPERAND)


@_compiled_sum
def project(x: Array, a: Array, sides: int, out: Array) -> None:
    """Multiply operands by column factors; the products of minus members get their sign.

    x: (groups, rows, inputs), or (1, rows, inputs) for all groups. a: (groups, rank, inputs). out: (groups, rows,
    rank).
    """
    rows, width = x.shape[1], x.shape[2]
    for group in range(a.shape[0]):
        source = group if x.shape[0] > 1 else 0
        for row in range(rows):
            sign = f32(-1) if sides == 2 and 2 * row >= rows else f32(1)
            for term in range(a.shape[1]):
                total = f32(0)
                for i in range(width):
                    total += x[source, row, i] * a[group, term, i]
                out[group, row, term] = sign * total


@_compiled
def finish(
    z: Array,
    coefficients: Array | None,
    b: Array | None,
    bias: Array | None,
    sides: int,
    unit: np.float32,
    low: np.float32,
    high: np.float32,
) -> None:
    """Turn products into results, in place: add the low-rank terms and biases, rescale, round and clamp.

    z: (groups, rows, cols). coefficients: (groups, rows, rank), from `project`. b: (groups, rank, cols) row factors.
    bias: (groups, sides, cols). unit: what a sum is multiplied by; 1 leaves it as it is.
    """
    rows, cols = z.shape[1], z.shape[2]
    for group in range(z.shape[0]):
        for row in range(rows):
            side = 1 if sides == 2 and 2 * row >= rows else 0
            if coefficients is not None and b is not None:
                for term in range(1, b.shape[1]):
                    c = coefficients[group, row, term]
                    for j in range(cols):
                        z[group, row, j] += c * b[group, term, j]
            c = f32(0) if coefficients is None else coefficients[group, row, 0]
            for j in range(cols):
                value = z[group, row, j]
                if b is not None:
                    value += c * b[group, 0, j]
                if bias is not None:
                    value += bias[group, side, j]
                z[group, row, j] = min(max(np.rint(value * unit), low), high)


@_compiled
def finish_shared(
    shared: Array,
    coefficients: Array,
    b: Array,
    bias: Array | None,
    unit: np.float32,
    low: np.float32,
    high: np.float32,
    z: Array,
) -> None:
    """Do the same for products of operands that all members share, and so have one product for all.

    shared: (rows, cols). coefficients: (pairs, rows, rank), of the plus members. z: (pairs, 2 rows, cols), written.
    """
    rows, cols = shared.shape
    term = np.empty(cols, f32)
    for pair in range(z.shape[0]):
        for row in range(rows):
            c = coefficients[pair, row, 0]
            for j in range(cols):
                term[j] = c * b[pair, 0, j]
            for number in range(1, b.shape[1]):
                c = coefficients[pair, row, number]
                for j in range(cols):
                    term[j] += c * b[pair, number, j]
            if bias is None:
                for j in range(cols):
                    plus, minus = shared[row, j] + term[j], shared[row, j] - term[j]
                    z[pair, row, j] = min(max(np.rint(plus * unit), low), high)
                    z[pair, rows + row, j] = min(max(np.rint(minus * unit), low), high)
            else:
                for j in range(cols):
                    plus, minus = shared[row, j] + term[j], shared[row, j] - term[j]
                    z[pair, row, j] = min(max(np.rint((plus + bias[pair, 0, j]) * unit), low), high)
                    z[pair, rows + row, j] = min(max(np.rint((minus + bias[pair, 1, j]) * unit), low), high)


@_compiled
def gather(x: Array, index: Array, out: Array) -> None:
    """Gather the numbers index of every row, 0 for -1. x: (rows, numbers). out: (rows, taken)."""
    for row in range(x.shape[0]):
        for k in range(index.size):
            source = index[k]
            out[row, k] = x[row, source] if source >= 0 else f32(0)


@_compiled
def greatest(x: Array, index: Array, out: Array) -> None:
    """Compute the greatest number of every window. x: (rows, numbers). index: (windows, size). out: (rows, windows)."""
    for row in range(x.shape[0]):
        for k in range(index.shape[0]):
            found = x[row, index[k, 0]]
            for place in range(1, index.shape[1]):
                found = max(found, x[row, index[k, place]])
            out[row, k] = found


@_compiled_sum
def normalise(x: Array, gains: Array, sides: int, unit: np.float64, out: Array) -> None:
    """Normalise every row: see `pentary.nets.operations.Normalise`.

    x: (groups, rows, positions, n). gains: (groups, sides, n). unit: 1 / 5**8, over the units of a gain in 1. out: as
    x.
    """
    rows, width = x.shape[1], x.shape[3]
    for group in range(x.shape[0]):
        for row in range(rows):
            side = 1 if sides == 2 and 2 * row >= rows else 0
            for place in range(x.shape[2]):
                total = f32(0)
                for j in range(width):
                    total += abs(x[group, row, place, j])
                size = f32(width)
                reciprocal = np.rint(np.float64(size) * 5.0**MEAN_SHIFT / np.float64(max(total, size)))
                for j in range(width):
                    product = np.float64(x[group, row, place, j]) * np.float64(gains[group, side, j])
                    z = np.rint(product * reciprocal * unit)
                    out[group, row, place, j] = min(max(f32(z), -_OPERAND), _OPERAND)


@_compiled
def to_operand(hidden: Array, out: Array) -> None:
    """Make operands of hidden states, round(2 h / 5). Both: one axis."""
    for i in range(hidden.size):
        out[i] = np.rint(hidden[i] * f32(0.4))


@_compiled
def open_gates(u: Array, own: Array, hidden: Array, unit: np.float32, gate: Array, operand: Array) -> None:
    """Compute gates, and operands of the gated hidden states.

    u: (rows, 2 units) sums. own, hidden, gate, operand: (rows, units). unit: of the rescale.
    """
    for row in range(own.shape[0]):
        for j in range(own.shape[1]):
            opened = min(max(np.rint((u[row, j] + own[row, j]) * unit), -_GATE), _GATE) + _GATE
            gate[row, j] = opened
            operand[row, j] = np.rint(np.rint(opened * hidden[row, j] * _GATE_UNIT) * f32(0.4))


@_compiled
def move_hidden(u: Array, own: Array, gate: Array, unit: np.float32, hidden: Array) -> None:
    """Move the hidden states towards the candidates, in place. Shapes as of `open_gates`."""
    units = own.shape[1]
    for row in range(own.shape[0]):
        for j in range(units):
            candidate = min(max(np.rint((u[row, units + j] + own[row, j]) * unit), -_GATE), _GATE)
            hidden[row, j] += np.rint(gate[row, j] * (candidate - hidden[row, j]) * _GATE_UNIT)


@_compiled
def add_squared_hinge(outputs: Array, classes: Array, margin: int, sums: Array) -> None:
    """Add squared hinge losses. outputs: (members, examples, classes). classes: (examples,). sums: (members,) int64."""
    for member in range(outputs.shape[0]):
        total = np.int64(0)
        for row in range(outputs.shape[1]):
            right = classes[row]
            threshold = np.int64(outputs[member, row, right]) - margin
            for j in range(outputs.shape[2]):
                lack = max(np.int64(outputs[member, row, j]) - threshold, 0)
                total += lack * lack
            total -= margin * margin  # the right class itself always lacks the margin
        sums[member] += total


@_compiled
def add_cross_entropy(
    outputs: Array, classes: Array, powers: Array, logarithms: Array, logit: int, per_bit: int, sums: Array
) -> None:
    """Add integer cross-entropies: see `pentary.nets.tables`. Shapes as of `add_squared_hinge`."""
    middle = powers.size // 2
    for member in range(outputs.shape[0]):
        total = np.int64(0)
        for row in range(outputs.shape[1]):
            mass = np.int64(0)
            for j in range(outputs.shape[2]):
                mass += powers[np.int64(outputs[member, row, j]) + middle]
            shift = 0
            while mass >= logarithms.size:
                mass >>= 1
                shift += 1
            total += logarithms[mass] + per_bit * shift - logit * np.int64(outputs[member, row, classes[row]])
        sums[member] += total


@_compiled
def add_squared_error(outputs: Array, targets: Array, sums: Array) -> None:
    """Add squared errors. outputs: (members, examples, numbers). targets: (examples, numbers). sums: (members,)."""
    for member in range(outputs.shape[0]):
        total = np.int64(0)
        for row in range(outputs.shape[1]):
            for j in range(outputs.shape[2]):
                error = np.int64(outputs[member, row, j]) - targets[row, j]
                total += error * error
        sums[member] += total
