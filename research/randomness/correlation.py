"""Pearson correlation between outputs for neighbouring inputs: of the pents, and of perturbations E = A B^T."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import MEMBER, SEED, STEP, Generator
from scipy import stats

NEIGHBOURS = 2000  # disjoint pairs of neighbours
SIDE = 32  # E is 32 x 32


def _pairs(relation: str, pents: int) -> NDArray[Any]:
    """Return pents (2 * NEIGHBOURS, pents); rows 2i and 2i + 1 are neighbours."""
    index, same = np.arange(2 * NEIGHBOURS), np.zeros(2 * NEIGHBOURS, np.int64)
    inputs = {"seeds": SEED + same, "steps": 1 + same, "matrices": same, "members": same}
    inputs[relation] = inputs[relation] + index
    g = Generator()
    keys = g.words(inputs["seeds"], inputs["steps"] * STEP + inputs["matrices"])
    counters = inputs["members"][:, None] * MEMBER + np.arange(pents // 16)
    return g.pents(keys[:, None], counters).reshape(len(index), -1)


def _perturbations(factors: NDArray[Any], rank: int) -> NDArray[Any]:
    """Return E = A B^T of each row, in which the first SIDE * rank pents are A and the next are B."""
    a, b = np.moveaxis(factors.astype(np.float64).reshape(len(factors), 2, SIDE, rank), 1, 0)
    return (a @ b.transpose(0, 2, 1)).reshape(len(factors), -1)


def _row(values: NDArray[Any]) -> dict[str, float]:
    """Correlate rows 2i and 2i + 1; compare the mean with 0 and the mean square with that of independent rows."""
    left, right = values[0::2].astype(np.float64), values[1::2].astype(np.float64)
    # All entries have mean 0 and the same variance, so these are not estimated per row.
    r = (left * right).sum(1) / (np.square(values, dtype=np.float64).mean() * values.shape[1])
    square = r**2 * values.shape[1]
    row: dict[str, float] = {}
    for name, sample, expected in (("mean", r, 0), ("square", square, 1)):
        error = sample.std(ddof=1) / np.sqrt(len(sample))
        p = 2 * stats.norm.sf(abs(sample.mean() - expected) / error)
        row |= {name: float(sample.mean()), f"{name} error": float(error), f"{name} p": float(p)}
    return row


def measure() -> list[dict[str, Any]]:
    """Return a row for each relation and each of: the pents themselves, E of rank 1, E of rank 8."""
    rows = []
    for relation in ("members", "steps", "matrices", "seeds"):
        pents = _pairs(relation, 2 * SIDE * 8)
        values = {
            "512 pents": pents,
            "E, rank 1": _perturbations(pents[:, : 2 * SIDE], 1),
            "E, rank 8": _perturbations(pents, 8),
        }
        rows += [{"neighbours": relation, "of": name, **_row(value)} for name, value in values.items()]
    return rows
