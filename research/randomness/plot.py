"""Figure of the measurements."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from reference import CHOSEN
from structure import APPROXIMATED, ROUNDS, SAMPLES

from pentary.lowrank import generator

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def figure(found: dict[str, Any], path: Path) -> None:
    """Plot related inputs and linear approximations by rounds, and the sorted p-values of all tests."""
    picture, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    for (name, rows), marker in zip(found["avalanche"].items(), "osD^v", strict=True):
        left.plot(ROUNDS, [row["largest"] for row in rows], marker=marker, label=name)
    chance = 0.4 * np.sqrt(2 * np.log(16 * 16 * 5) / SAMPLES)
    left.axhline(chance, color="gray", ls="--", label="about what chance gives")
    left.set(yscale="log", xlabel="rounds", ylabel="largest deviation from 1/5")
    left.legend(loc="upper right")
    left.set_title("Related inputs: differences of result pents")
    for (mixing, rows), marker in zip(found["linear"].items(), "os", strict=True):
        label = f"{mixing} ({'the generator' if mixing == str(CHOSEN) else 'rejected'})"
        middle.plot(ROUNDS, [row["largest"] for row in rows], marker=marker, label=label)
    masks = 16 + 120 * 4
    chance = np.sqrt(np.log(4 * masks**2) / APPROXIMATED)
    middle.axhline(chance, color="gray", ls="--", label="about what chance gives")
    middle.set(yscale="log", xlabel="rounds", ylabel="largest correlation")
    middle.legend()
    middle.set_title("Two pents of the counter against two of the result")
    groups = {"tests on pents": [p for t in found["streams"]["full"].values() for values in t.values() for p in values]}
    if found["battery"]:
        groups["dieharder"] = [row["p"] for row in found["battery"]["results"]]
    right.plot([1e-4, 1], [1e-4, 1], color="gray", ls="--", label="uniform")
    for (name, p), marker in zip(groups.items(), ".s", strict=False):
        right.plot((np.arange(len(p)) + 0.5) / len(p), np.sort(p), marker, ms=4, label=f"{name} ({len(p):,})")
    right.set(xscale="log", yscale="log", xlabel="rank of the p-value / number of p-values", ylabel="p-value")
    right.legend()
    right.set_title(f"All p-values at {generator.ROUNDS} rounds")
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
    picture.savefig(path, dpi=110)
    plt.close(picture)
