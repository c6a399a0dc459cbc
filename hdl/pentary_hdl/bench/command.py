"""The command `verify`: the gateware against its reference models, in a Verilog simulator."""

import json
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final

import click

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, json_option, lowrank_options
from pentary.numbers.word import PentaryError
from pentary_hdl.bench.presets import PRESETS
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.netlist.technologies import TECHNOLOGIES
from pentary_hdl.tools.toolchain import BUILDING, cache, check_installed
from pentary_hdl.units import VERIFIED, found, listed

if TYPE_CHECKING:
    from pentary_hdl.bench.report import Report

_NEEDS: Final = {"cocotb": "cocotb", "cocotbext.axi": "cocotbext-axi"}
"""Modules that the benches need, and the packages that provide them."""

Say = Callable[[str], None]


@click.command()
@click.argument("unit", type=click.Choice([*VERIFIED, "core"]), default="lralu")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True, help="The hardware.")
@click.option(
    "--simulator", type=click.Choice(["verilator", "icarus"]), default="verilator", show_default=True, help="Runs it."
)
@lowrank_options()
@click.option("--config", type=FILE, metavar="FILE.toml", help="Configuration of the core, instead of the preset's.")
@click.option("--verilog", type=FILE, metavar="FILE.v", help="A core of yours to be checked, instead of ours.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Of the random commands; drawn if not given.")
@click.option("--operations", type=click.IntRange(0), help="Random commands or instructions, at least.")
@click.option("--waves", is_flag=True, help="Record all signals in a file; much slower.")
@click.option("--netlist", "technology", flag_value="netlist", help="Of the generic gates after synthesis.")
@click.option("--netlist-ecp5", "technology", flag_value="netlist-ecp5", help="Of the ECP5's cells after synthesis.")
@json_option("Print a line of JSON for each hardware.")
def verify(
    unit: str,
    preset: str,
    simulator: str,
    config: Path | None,
    verilog: Path | None,
    seed: int | None,
    operations: int | None,
    waves: bool,
    technology: str | None,
    as_json: bool,
    **parameters: int | None,
) -> None:
    """Verify the gateware's Verilog against the reference model and the specification.

    Of the low-rank ALU, runs directed cases and random commands with random stalls and resets, checks values and
    cycle-exact timing, and prints the coverage. The core runs random programs with traps and interrupts, in lockstep
    with the model, and is compared in every record of an instruction, its cycle included. The exit status is 2 if
    anything differs, or if a coverage bin was never hit. With --netlist or --netlist-ecp5, the same is done with the
    hardware after synthesis.

    \b
    UNIT is one of (lralu if not given)
      {units}

    \b
    Presets:
      quick                     the smallest hardware
      default                   the hardware that the other commands take too
      wide                      more lanes, and all rounds in one cycle
      all                       many kinds of hardware, one after the other

    \b
    Examples:
      pentary verify
      pentary verify lralu-bus
      pentary verify --preset all
      pentary verify --simulator icarus --preset quick --operations 0
      pentary verify --seed 7 --operations 200 --waves
      pentary verify --netlist
      pentary verify core
      pentary verify core --config small.toml --operations 100000
      pentary verify core --config small.toml --verilog changed.v
    """
    with exit_status():
        given = {name: value for name, value in parameters.items() if value is not None}
        seed = random.randrange(2**31) if seed is None else seed
        if unit == "core":
            _verify_core(preset, simulator, config, verilog, seed, operations, waves, technology, as_json, given)
            return
        if config or verilog:
            option = "--config" if config else "--verilog"
            raise PentaryError(f"{option} is of the core, not of {unit}: pentary verify core {option} FILE")
        chosen = PRESETS[preset]
        if given and len(chosen.hardware) > 1:
            option = next(iter(given)).replace("_", "-")
            raise PentaryError(f"--{option} does not go with --preset {preset}, which is of several kinds of hardware")
        hardware = [replace(each, **given) for each in chosen.hardware]
        operations = VERIFIED[unit].operations[preset] if operations is None else operations
        differences: list[str] = []
        for number, each in enumerate(hardware):
            if number and not as_json:
                click.echo()
            differences += _verify_one(unit, simulator, each, seed, operations, waves, technology, as_json)
        if differences:
            raise PentaryError(differences[0])


verify.help = cleandoc(str(verify.help)).replace("  {units}", f"{listed(VERIFIED)}\n  {'core':24}  the scalar core")


def _verify_core(
    preset: str,
    simulator: str,
    config: Path | None,
    verilog: Path | None,
    seed: int,
    operations: int | None,
    waves: bool,
    technology: str | None,
    as_json: bool,
    given: dict[str, int],
) -> None:
    if given or simulator != "verilator" or waves:
        option = f"--{next(iter(given)).replace('_', '-')}" if given else "--waves" if waves else "--simulator"
        raise PentaryError(f"{option} does not go with core, which runs in Verilator with the settings of --config")
    if verilog and technology:
        raise PentaryError("--verilog and --netlist do not go together: a core of yours is simulated as it is written")
    from pentary_hdl.bench.core_command import verify_core

    verify_core(preset, config, seed, operations, as_json, technology, verilog)


def _verify_one(
    unit: str,
    simulator: str,
    parameters: LowRankParameters,
    seed: int,
    operations: int,
    waves: bool,
    technology: str | None,
    as_json: bool,
) -> list[str]:
    """Verify one set of parameters and print a summary; returns the differences, a line each."""
    began = time.monotonic()
    say, folder = partial(click.echo, err=True), cache("verify")
    report, recorded = check(simulator, parameters, seed, operations, waves, say, folder, unit, technology)
    seconds = time.monotonic() - began
    summary = {
        "unit": unit,
        "simulator": simulator,
        "netlist": technology and TECHNOLOGIES[technology].help,
        **asdict(parameters),
        "seed": seed,
        "cases": report.cases,
        "operations": sum(report.cases.values()),
        "cycles": report.cycles,
        "seconds": round(seconds, 1),
        "mismatches": len(report.differences),
        "differences": report.differences,
        "coverage": report.coverage,
        "missing": report.missing,
        "waves": str(recorded) if recorded else None,
    }
    click.echo(json.dumps(summary) if as_json else _told(summary, report))
    return [f"seed {seed}, case {case}: {difference}" for case, difference in report.differences.items()]


def check(
    simulator: str,
    parameters: LowRankParameters,
    seed: int,
    operations: int,
    waves: bool,
    say: Say,
    folder: Path,
    unit: str = "lralu",
    technology: str | None = None,
) -> tuple["Report", Path | None]:
    """Build the hardware, unless the build exists, and run the bench.

    Args:
        simulator: "verilator" or "icarus".
        parameters: parameters of the hardware.
        seed: seed of the random commands.
        operations: minimum number of random commands.
        waves: whether to record all signals.
        say: called with a message before each slow step.
        folder: folder of the builds.
        unit: key in `pentary_hdl.units.VERIFIED`.
        technology: what the hardware is synthesised to, of TECHNOLOGIES; None for the Verilog before synthesis.

    Returns:
        Report of the bench, and the file of the waves or None.

    Raises:
        PentaryError: something is not installed, or the simulation aborted.
    """
    for module, package in _NEEDS.items():
        if find_spec(module) is None and (module == "cocotb" or unit == "lralu-bus"):
            raise PentaryError(f"{package} is not installed: pip install 'pentary[hdl]'")
    from pentary_hdl.bench import runner
    from pentary_hdl.bench.harness import harness
    from pentary_hdl.bench.report import Report, Task
    from pentary_hdl.netlist.synthesis import netlist
    from pentary_hdl.verilog import export

    check_installed(simulator)
    if technology:
        check_installed("yosys")
    component, module = found(VERIFIED[unit].component)(parameters), unit.replace("-", "_")
    verilog = harness(component, module)
    if technology:
        verilog = verilog.replace(export.verilog(component, module), netlist(component, module, technology, say))
    if not runner.is_built(simulator, verilog, folder, waves):
        say(BUILDING.format(simulator))
    build = runner.build(simulator, verilog, folder, waves)
    out = Path(mkdtemp(prefix="pentary-verify-"))
    task = Task(parameters, operations, out / "report.json")
    try:
        bench = str(VERIFIED[unit].bench)
        recorded = runner.run(simulator, build, bench, out, seed, {Task.VARIABLE: task.as_json()}, waves)
    except KeyboardInterrupt:
        shutil.rmtree(out, ignore_errors=True)
        raise
    if not task.report.exists():
        raise PentaryError(f"the bench did not start; {out / 'log.txt'} tells why")
    report = Report.read(task.report)
    if not waves and not report.differences:
        shutil.rmtree(out)
    return report, recorded


def _told(summary: dict[str, Any], report: "Report") -> str:
    width = max(map(len, report.cases))
    lines = [
        f"{case:{width}}  {operations:7,} operations  {'DIFFERS' if case in report.differences else 'passed'}"
        for case, operations in report.cases.items()
    ]
    facts = {
        "unit": summary["unit"],
        "hardware": ", ".join(f"{name} {summary[name]}" for name in asdict(LowRankParameters())),
        "simulator": summary["simulator"],
        **({"netlist": summary["netlist"]} if summary["netlist"] else {}),
        "operations": f"{summary['operations']:,} in {summary['cycles']:,} cycles, {summary['seconds']:.1f} s",
        "mismatches": summary["mismatches"],
        "seed": summary["seed"],
        **({"waves": summary["waves"]} if summary["waves"] else {}),
    }
    told = [f"{name:10}  {value}" for name, value in facts.items()]
    return "\n".join([*lines, "", report.table, "", *told])
