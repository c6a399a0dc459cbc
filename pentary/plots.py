"""The two figures of a run: its fitness over the steps, and its weights before and after."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from pentary.lowrank import Pents

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = range(-2, 3)

BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#999999"  # Okabe and Ito: told apart by colour-blind readers too


def fitness_png(
    centre: Sequence[float], population_mean: Sequence[float], best: Sequence[float], title: str = ""
) -> bytes:
    """Draw the fitness over the steps.

    Args:
        centre: fitness of the centre at steps 0, 1, 2, ...
        population_mean, best: of the members of steps 1, 2, ...; best is one random member's.
        title: above the figure.

    Returns:
        A PNG file.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7, 4.2, title)
    axes = figure.subplots()
    # The luckiest of many noisy members says little about the run, so it stays in the background.
    _curve(axes, 1, best, "best member, a random one in each step", color=GREY, alpha=0.5, linewidth=0.8)
    _curve(axes, 1, population_mean, "mean of the members", color=ORANGE, linewidth=1.2)
    _curve(axes, 0, centre, "centre: the trained weights", color=BLUE, linewidth=2)
    axes.set(xlabel="step", ylabel="fitness")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return as_png(figure)


def weights_png(before: Mapping[str, Pents], after: Mapping[str, Pents], title: str = "") -> bytes:
    """Draw how the visible weights are shared among the five levels, matrix by matrix.

    Args:
        before, after: weights in -2..2 of each matrix by name.
        title: above the figure.

    Returns:
        A PNG file.
    """
    figure = new_figure(1.2 + 4 * len(before), 4.2, title)
    row = figure.subplots(1, len(before), sharey=True, squeeze=False)[0]
    for axes, name in zip(row, before, strict=True):
        for offset, weights, label, colour in ((-0.2, before, "before", GREY), (0.2, after, "after", BLUE)):
            share = [100 * np.mean(weights[name] == level) for level in LEVELS]
            bars = axes.bar(np.add(LEVELS, offset), share, width=0.38, color=colour, label=label)
            axes.bar_label(bars, fmt="%.0f", fontsize="small", color="#555555")
        rows, cols = before[name].shape
        axes.set(title=f"{name}, {rows} x {cols}", xlabel="level", xticks=LEVELS)
        axes.set_xticklabels([f"{level:+d}".replace("-", "−") if level else "0" for level in LEVELS])
        axes.margins(y=0.12)
    row[0].set_ylabel("weights, %")
    row[-1].legend(frameon=False)
    return as_png(figure)


def _curve(axes: "Axes", first: int, values: Sequence[float], label: str, **style: object) -> None:
    marker = "o" if len(values) == 1 else None  # a line through one point is invisible
    axes.plot(range(first, first + len(values)), values, label=label, marker=marker, **style)  # pyright: ignore[reportArgumentType]


def new_figure(width: float, height: float, title: str) -> "Figure":
    """Make a figure of so many inches with a title."""
    from matplotlib.figure import Figure  # takes a second to import, and not pyplot: that would keep global state

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    figure.suptitle(title, parse_math=False)  # a file name may hold dollar signs
    return figure


def as_png(figure: "Figure") -> bytes:
    """Draw a figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
