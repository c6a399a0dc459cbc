"""The figures of a run: fitness or bits per byte over the steps, weights before and after, and their health."""

import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pentary.es.tensors import Visible
from pentary.runs.health import Health, by_layer, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = range(-2, 3)

BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#999999"  # Okabe and Ito: distinct for colour-blind readers, too

_LEGEND = 14  # most curves that a legend names
_CELLS = 30  # most classes whose counts are written
_PANELS = 16  # most panels that remain readable


def fitness_png(
    centre: Sequence[float],
    population_mean: Sequence[float],
    best: Sequence[float],
    title: str = "",
    accuracies: Sequence[tuple[int, Mapping[str, float]]] = (),
) -> bytes:
    """Draw the fitness over the steps, and above it the accuracies if there are any.

    Fitness that approaches 0 from below over more than a decade is drawn on a symmetric logarithmic scale, and accuracy
    on a logarithmic scale of the share of errors.

    Args:
        centre: fitness of the centre at steps 0, 1, 2, ...
        population_mean, best: of the members of steps 1, 2, ...; best is one random member's.
        title: of the figure.
        accuracies: of the centre, 0..1 by name, with their steps.

    Returns:
        Content of a PNG file.
    """
    from matplotlib.ticker import MaxNLocator

    if accuracies:
        figure = new_figure(7, 6.6, title)
        above, axes = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        _accuracies(above, accuracies)
    else:
        figure = new_figure(7, 4.2, title)
        axes = figure.subplots()
    # The best of many noisy members says little about the run, so it stays in the background.
    _curve(axes, 1, best, "best member, a random one in each step", color=GREY, alpha=0.5, linewidth=0.8)
    _curve(axes, 1, population_mean, "mean of the members", color=ORANGE, linewidth=1.2)
    _curve(axes, 0, centre, "centre: the trained weights", color=BLUE, linewidth=2)
    axes.set(xlabel="step", ylabel="fitness")
    sizes = [abs(value) for value in centre if value]
    # Beyond these magnitudes, the transform of the scale overflows.
    if sizes and max(centre) <= 0 and 1e-100 < 10 * min(sizes) < max(sizes) < 1e100:
        axes.set_yscale("symlog", linthresh=max(min(sizes), max(sizes) / 1e6), linscale=0.3)
        axes.yaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return as_png(figure)


def weights_png(before: Mapping[str, Visible], after: Mapping[str, Visible], title: str = "") -> bytes:
    """Draw the distribution of the visible weights over the five levels, by matrix, or by layer if there are many.

    Args:
        before, after: weights in -2..2 of each matrix by name.
        title: of the figure.

    Returns:
        Content of a PNG file.
    """
    if len(before) > _PANELS:
        before, after = _pooled(before), _pooled(after)
    across = min(len(before), 4)
    down = -(-len(before) // across)
    figure = new_figure(1.2 + 4 * across, 0.6 + 3.6 * down, title)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(before) :]:
        axes.set_axis_off()
    for axes, name in zip(grid.flat, before, strict=False):
        for offset, weights, label, colour in ((-0.2, before, "before", GREY), (0.2, after, "after", BLUE)):
            share = [100 * np.mean(weights[name] == level) for level in LEVELS]
            bars = axes.bar(np.add(LEVELS, offset), share, width=0.38, color=colour, label=label)
            axes.bar_label(bars, fmt="%.0f", fontsize="small", color="#555555")
        axes.set(title=f"{name}, {' x '.join(map(str, before[name].shape))}", xlabel="level", xticks=LEVELS)
        axes.set_xticklabels([f"{level:+d}".replace("-", "−") if level else "0" for level in LEVELS])
        axes.margins(y=0.12)
    for axes in grid[:, 0]:
        axes.set_ylabel("weights, %")
    grid.flat[len(before) - 1].legend(frameon=False)
    return as_png(figure)


def health_png(
    steps: Sequence[int],
    records: Sequence[Mapping[str, Health]],
    title: str = "",
    activations: Sequence[Mapping[str, float]] = (),
) -> bytes:
    """Draw the health of every matrix, or of every layer if there are many: entropy, saturation, and changes.

    Args:
        steps: step of each record.
        records: health by matrix, the start first.
        title: of the figure.
        activations: of each record, shares of activations at a limit by name; drawn below if there are any.

    Returns:
        Content of a PNG file.
    """
    if len(records[0]) > _LEGEND:
        records = [by_layer(record) for record in records]
    names = list(records[0])
    panels = {
        "entropy, bits": {name: [record[name].entropy for record in records] for name in names},
        "latent words at their limit, %": {
            name: [100 * record[name].saturation for record in records] for name in names
        },
        # The record of the start has no earlier step to compare with.
        "changed in the step, %": {name: [100 * record[name].changed for record in records[1:]] for name in names},
    }
    if activations:
        panels["activations at their limit, %"] = {
            name: [100 * shares[name] for shares in activations] for name in activations[0]
        }
    figure = new_figure(8, 2.5 * len(panels), title)
    rows = figure.subplots(len(panels), 1, sharex=True)
    for axes, (label, curves) in zip(rows, panels.items(), strict=True):
        for (name, values), colour in zip(curves.items(), _colours(len(curves)), strict=True):
            marker = "o" if len(values) == 1 else None
            axes.plot(steps[len(steps) - len(values) :], values, label=name, color=colour, marker=marker, linewidth=1.2)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    rows[-1].set_xlabel("step")
    for axes in (rows[0], rows[-1]) if activations else rows[:1]:
        handles, labels = axes.get_legend_handles_labels()
        few = slice(None, None, -(-len(handles) // _LEGEND))
        axes.legend(
            handles[few], labels[few], loc="upper left", bbox_to_anchor=(1, 1.05), frameon=False, fontsize="small"
        )
    return as_png(figure)


def bits_png(
    tokens: Sequence[float],
    held_out: Sequence[float],
    train: Sequence[float],
    lines: Mapping[str, float],
    title: str = "",
) -> bytes:
    """Draw bits per byte over a run against n-gram models.

    Args:
        tokens: member-tokens (bytes, summed over all members) read up to each record.
        held_out, train: bits per byte of the unperturbed model on the held-out text and on as much training text.
        lines: bits per byte of the n-gram models by name.
        title: of the figure.

    Returns:
        Content of a PNG file.
    """
    from matplotlib.ticker import EngFormatter

    figure = new_figure(7, 4.5, title)
    axes = figure.subplots()
    marker = "o" if len(tokens) == 1 else None  # a line through one point is invisible
    axes.plot(tokens, train, color=ORANGE, linewidth=1.2, label="training text", marker=marker)
    axes.plot(tokens, held_out, color=BLUE, linewidth=2, label="held-out text", marker=marker)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    for name, bits in lines.items():
        axes.axhline(bits, color=GREY, linewidth=1, linestyle="--")
        axes.annotate(
            f"{name} {bits:.2f}",
            (1, bits),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            color="#555555",
            fontsize="small",
        )
    axes.set(
        xlabel="member-tokens read", ylabel="bits per byte", ylim=(0.9 * min(*held_out, *train, *lines.values()), None)
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return as_png(figure)


def confusion_png(counts: NDArray[np.int64], classes: Sequence[str], title: str = "") -> bytes:
    """Draw a confusion matrix; classes that are mistaken for others stand out from the diagonal.

    Args:
        counts: (right class, class taken for it) examples.
        classes: labels.
        title: of the figure.

    Returns:
        Content of a PNG file.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import MaxNLocator

    size = min(12.0, 3 + 0.35 * len(classes))
    figure = new_figure(size, size, title)
    axes = figure.subplots()
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1))
    if len(classes) <= _CELLS:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.4 else "#333333"
            axes.text(column, row, str(count) if count else "", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(classes)), classes, rotation=45 if max(map(len, classes)) > 3 else 0)
        axes.set_yticks(range(len(classes)), classes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    right = np.trace(counts) / max(1, counts.sum())
    axes.set(xlabel=f"taken for, of the test part; {right:.1%} right", ylabel="class")
    return as_png(figure)


def predictions_png(targets: NDArray[np.float64], results: NDArray[np.float64], title: str = "") -> bytes:
    """Draw the results of a regression over the targets.

    Args:
        targets, results: (examples, outputs).
        title: of the figure.

    Returns:
        Content of a PNG file.
    """
    figure = new_figure(4.8, 4.8, title)
    axes = figure.subplots()
    for number, colour in enumerate((BLUE, ORANGE, *_colours(targets.shape[1]))[: targets.shape[1]]):
        axes.plot(targets[:, number], results[:, number], ".", color=colour, alpha=0.6, label=f"result {number + 1}")
    ends = [min(targets.min(), results.min()), max(targets.max(), results.max())]
    axes.plot(ends, ends, color=GREY, linewidth=1, linestyle="--")
    axes.set(xlabel="target, of the test part", ylabel="result", aspect="equal")
    axes.grid(alpha=0.3)
    if targets.shape[1] > 1:
        axes.legend(frameon=False, fontsize="small")
    return as_png(figure)


def _pooled(weights: Mapping[str, Visible]) -> dict[str, Visible]:
    """Return the weights of each layer: those of the matrices LAYER.NAME, concatenated."""
    layers = grouped(weights)
    return {layer: np.concatenate([matrix.reshape(-1) for matrix in some]) for layer, some in layers.items()}


def _colours(count: int) -> list[Any]:
    """Return `count` colours that keep their order in greyscale."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.9 * number / max(1, count - 1)) for number in range(count)]


def _accuracies(axes: "Axes", accuracies: Sequence[tuple[int, Mapping[str, float]]]) -> None:
    """Draw accuracies; the last value of each is written beside its curve."""
    from matplotlib.ticker import FixedLocator, NullLocator

    steps = [step for step, _ in accuracies]
    marker = "o" if len(steps) == 1 else None  # a line through one point is invisible
    names = list(accuracies[0][1])
    for name, colour in zip(names, (ORANGE, BLUE, *_colours(len(names))), strict=False):
        shares = [each[name] for _, each in accuracies]
        label = f"{name.replace('_', ' ')}, {shares[-1]:.1%} at the end"
        axes.plot(steps, shares, label=label, color=colour, marker=marker, linewidth=1.5)

    def down(shares: Any) -> Any:
        return -np.log10(1.002 - np.asarray(shares))  # 100% is drawn where 0.2% of errors would be

    def up(heights: Any) -> Any:
        return 1.002 - 10.0 ** -np.asarray(heights)

    axes.set_yscale("function", functions=(down, up))
    axes.set(ylabel="correctly classified", ylim=(min(0.5, *(min(each.values()) for _, each in accuracies)), 1))
    axes.yaxis.set_major_locator(FixedLocator([0, 0.5, 0.8, 0.9, 0.95, 0.98, 1]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")


def _curve(axes: "Axes", first: int, values: Sequence[float], label: str, **style: object) -> None:
    marker = "o" if len(values) == 1 else None  # a line through one point is invisible
    axes.plot(range(first, first + len(values)), values, label=label, marker=marker, **style)  # pyright: ignore[reportArgumentType]


def new_figure(width: float, height: float, title: str) -> "Figure":
    """Return a new figure with a title; its size is in inches."""
    from matplotlib.figure import Figure  # slow to import; not pyplot, which keeps global state

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    drawable = title.encode(errors="replace").decode()  # a file name may hold bytes that are no text, and dollar signs
    figure.suptitle(drawable, parse_math=False)
    return figure


def as_png(figure: "Figure") -> bytes:
    """Return a figure as the content of a PNG file."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a box is drawn in its place
        figure.savefig(buffer, format="png")
    return buffer.getvalue()
