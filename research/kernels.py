"""Cycles of the benchmark kernels on the default machine, in three sizes, and the causes of the cycles.

Run `python research/kernels.py` to regenerate kernels.json, kernels.md and kernels.png in its folder (half a minute).
"""

import json
from pathlib import Path
from typing import Any, Final

from pentary.programs.benchmarks import PROGRAMS, SIZES
from pentary.runs.plots import as_png, new_figure
from pentary_sim.events import CAUSES
from pentary_sim.kernels import figures, lost, measure
from pentary_sim.profile import COLOURS

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "kernels.json"

TELLS: Final = {
    "median": "Minima and maxima replace all branches on the data; what is left is memory, read and written once.",
    "quicksort": "Branches that depend on the data: most lost cycles are flushes, or waits for a word to branch on.",
    "towers": "Calls and the stack: every RET but the first is predicted; the branch that ends the recursion is not.",
    "multiply": "A step for each pent and no sign to take care of; the branch over -2..2 is mispredicted.",
    "spmv": "Columns and values are read once, so most lost cycles wait for memory, whatever the size.",
    "spmv-vector": "A row loaded through indices by one instruction, multiplied and summed: what is left is memory.",
    "matmul-vector": "Rows scaled and added by the vector unit: the scalar loads between them wait for its loads.",
    "matmul": "A counted loop is predicted; of the six instructions in it, one multiplies.",
    "sieve": "Stores with a growing stride: beyond the first level of the cache, a line is fetched for a word.",
    "crc": "Arithmetic modulo 5 out of shifts: no load or branch to wait for.",
    "strings": "A character a word: short loops over texts, predicted but for their ends.",
    "jumps": "More targets than the branch target buffer has entries; in the largest size, more code than the cache.",
}


def measured() -> dict[str, list[dict[str, Any]]]:
    """Return the figures of every kernel and size."""
    return {name: [figures(measure(name, size)) for size in sizes] for name, sizes in SIZES.items()}


def picture(found: dict[str, list[dict[str, Any]]]) -> bytes:
    """Draw the cycles for an instruction of every kernel and size, by cause."""
    bars = [(f"{name} {own['size']}", own) for name, runs in found.items() for own in runs]
    present = [cause for cause in CAUSES if any(cause in own["causes"] for _, own in bars)]
    figure = new_figure(9, 8.5, "Cycles for an instruction, by cause")
    axes = figure.subplots()
    places = [number + 0.6 * (number // 3) for number in range(len(bars))]
    starts = [0.0] * len(bars)
    for cause in present:
        widths = [own["causes"].get(cause, 0) / own["instructions"] for _, own in bars]
        axes.barh(places, widths, 0.8, starts, color=COLOURS[cause], label=cause)
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    axes.set_yticks(places, [name for name, _ in bars])
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="cycles for an instruction", xlim=(0, None), ylim=(places[-1] + 0.7, -0.7))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=6, fontsize="small", frameon=False)
    return as_png(figure)


def document(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return the text of kernels.md."""
    lines = [
        "# Kernels",
        "",
        "Written by `python research/kernels.py`: small programs, each of which checks its result, on the default",
        "machine, and the cycles between their labels `kernel` and `kernel_end`. `pentary bench kernels --config",
        "FILE.toml` runs the middle sizes on another machine.",
        "",
        "![Cycles for an instruction, by cause](kernels.png)",
        "",
        "| kernel | N | instructions | cycles | cycles for an instruction | cycles lost |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, runs in found.items():
        for own in runs:
            link = f"[{name}](../pentary/programs/kernels/{name.partition('-')[0]}.s)"
            counts = f"{own['size']:,} | {own['instructions']:,} | {own['cycles']:,} | {own['cpi']:.2f}"
            lines.append(f"| {link} | {counts} | {lost(own)} |")
    lines += ["", "| kernel | is | tells of the machine |", "|---|---|---|"]
    for name, told in TELLS.items():
        source, _, variant = name.partition("-")
        first = (PROGRAMS / f"{source}.s").read_text().splitlines()[0].removeprefix("; ")
        first = f"the same with {variant.upper()} = 1" if variant else first
        lines.append(f"| {name} | {first} | {told} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the record."""
    found = measured()
    RECORD.write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "kernels.md").write_text(document(found), encoding="utf-8")
    (HERE / "kernels.png").write_bytes(picture(found))


if __name__ == "__main__":
    main()
