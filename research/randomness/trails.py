"""Lower bounds, without sampling, on the number of active cubes in differential and linear trails."""

from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import Mixing

from pentary.numbers.word import PENTS

MOST = 5


def _inverse(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the inverse modulo 5: the last power of the matrix before the identity."""
    power, identity = matrix, np.eye(PENTS, dtype=np.uint8)
    while ((following := power @ matrix % 5) != identity).any():
        power = following
    return power


def _reached(matrix: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return pairs of bit sets: at most MOST active input pents, and active output pents that can result from them."""
    bits = 1 << np.arange(PENTS)
    sources, targets = [], []
    for size in range(1, MOST + 1):
        values = np.array(list(product([1], *[range(1, 5)] * (size - 1))), np.uint8)  # up to a scalar factor
        for chosen in combinations(range(PENTS), size):
            found = np.unique((values @ matrix[:, chosen].T % 5 != 0) @ bits)
            sources.append(np.full(len(found), bits[list(chosen)].sum()))
            targets.append(found)
    return np.concatenate(sources), np.concatenate(targets)


def active_cubes(mixing: Mixing, masks: bool = False) -> list[int]:
    """Return lower bounds on the total number of active cubes (nonzero input difference) in 1, 2, ... 8 rounds.

    The search uses the exact transitions of the mixing layer with at most MOST active pents before or after it, and
    permits all others, so the bounds hold, but need not be tight.

    Args:
        mixing: mixing layer.
        masks: bound the masks of linear approximations, propagated by the transposed layer, instead of differences.
    """
    matrix = mixing.matrix().T if masks else mixing.matrix()
    (sources, targets), (after, before) = _reached(matrix), _reached(_inverse(matrix))
    sources, targets = np.concatenate([sources, before]), np.concatenate([targets, after])
    sizes = np.array([pents.bit_count() for pents in range(1 << PENTS)])
    many = sizes > MOST
    cost = np.where(sizes > 0, sizes, 999)
    bounds = [int(cost.min())]
    for _ in range(7):
        following = np.where(many, cost[many].min() + sizes, 999)
        np.minimum.at(following, targets, cost[sources] + sizes[targets])
        cost = following
        bounds.append(int(cost.min()))
    return bounds


def cube() -> dict[str, float]:
    """Return the largest differential probability and the largest squared linear correlation of a cube."""
    x = np.arange(5)
    differences = [np.mean(((x + a) ** 3 - x**3) % 5 == b) for a in range(1, 5) for b in range(5)]
    waves = [abs(np.exp(2j * np.pi * (a * x**3 - b * x) / 5).mean()) ** 2 for a in range(1, 5) for b in range(5)]
    return {"difference": float(np.max(differences)), "linear": float(np.max(waves))}
