"""Health metrics of integer weights: entropy, saturation, and changes in the last step.

A float that learns too fast becomes NaN; an integer saturates without any sign. So every run records for each matrix:
the entropy of the visible digits (log2 5 = 2.32 bits if all five levels are equally frequent, 0 if only one is used),
the share of latent words at the end of their range, and the share of visible digits that the last step changed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True)
class Health:
    """Health of one matrix.

    Attributes:
        entropy: of its visible numbers, bits.
        saturation: share of latent words at the end of their range.
        changed: share of visible numbers that the last step changed; 0 at the start.
    """

    entropy: float
    saturation: float
    changed: float


def of_weights(
    latents: Mapping[str, NDArray[np.int64]],
    largest: int,
    visible: Mapping[str, NDArray[np.integer]],
    before: Mapping[str, NDArray[np.integer]] | None = None,
) -> dict[str, Health]:
    """Return the health of every matrix of a run.

    Args:
        latents: latent words by name.
        largest: magnitude at which they saturate.
        visible: visible numbers by name.
        before: visible numbers one step earlier; None at the start.

    Returns:
        Health by name.

    >>> words, weights = np.array([[312, 0, -312, 5]]), np.array([[2, 0, -2, 0]])
    >>> of_weights({"w": words}, 312, {"w": weights}, {"w": weights + 1})
    {'w': Health(entropy=1.5, saturation=0.5, changed=1.0)}
    """
    return {
        name: Health(
            entropy(weights),
            share(np.abs(latents[name]) >= largest),
            0.0 if before is None else share(weights != before[name]),
        )
        for name, weights in visible.items()
    }


def entropy(values: NDArray[np.integer]) -> float:
    """Return the entropy of the distribution of some integers, in bits."""
    counts = np.bincount(values.reshape(-1).astype(np.int64) - int(values.min()))
    shares = counts[counts > 0] / values.size
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # never -0.0


def share(marks: NDArray[np.bool_]) -> float:
    """Return the share of values that are true, 0..1."""
    return int(np.count_nonzero(marks)) / marks.size


def by_layer(matrices: Mapping[str, Health]) -> dict[str, Health]:
    """Return the health of each layer, of matrices LAYER.NAME: lowest entropy, highest saturation and most changes.

    >>> by_layer({"0.up": Health(2.3, 0.01, 0.5), "0.down": Health(1.9, 0.2, 0.25), "head": Health(2, 0, 0)})
    {'0': Health(entropy=1.9, saturation=0.2, changed=0.5), 'head': Health(entropy=2, saturation=0, changed=0)}
    """
    return {
        layer: Health(
            min(one.entropy for one in some), max(one.saturation for one in some), max(one.changed for one in some)
        )
        for layer, some in grouped(matrices).items()
    }


def grouped(matrices: Mapping[str, T]) -> dict[str, list[T]]:
    """Return the values of matrices LAYER.NAME as lists by layer."""
    layers: dict[str, list[T]] = {}
    for name, own in matrices.items():
        layers.setdefault(name.partition(".")[0], []).append(own)
    return layers


def as_dicts(matrices: Mapping[str, Health]) -> dict[str, dict[str, float]]:
    """Return health by matrix as dicts for JSON, rounded to six decimals."""
    return {name: {key: round(value, 6) for key, value in asdict(own).items()} for name, own in matrices.items()}


def summary(matrices: Mapping[str, Health]) -> str:
    """Return a one-line summary of health by matrix: the extremes over all matrices.

    >>> summary({"a": Health(2.3, 0.01, 0.5), "b": Health(1.9, 0.2, 0.25)})
    'entropy 1.90-2.30 bits, at most 20.0% saturated, at most 50.00% changed'
    """
    entropies = [own.entropy for own in matrices.values()]
    spread = "-".join(sorted({f"{min(entropies):.2f}", f"{max(entropies):.2f}"}))
    saturated = max(own.saturation for own in matrices.values())
    changed = max(own.changed for own in matrices.values())
    return f"entropy {spread} bits, at most {saturated:.1%} saturated, at most {changed:.2%} changed"
