"""The command `verilog`: hardware as Verilog, with its description, testbench and C header."""

import json
from dataclasses import asdict
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, lowrank_options
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra
from pentary.support.files import write_whole
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.units import UNITS, found, listed

CORE: Final = "the scalar pipeline of the processor"

_WORD: Final = "16 digits 0..4 of three bits, the lowest first, each a pent plus 2"
_FIRST_COUNTS: Final = """\
/* verilator lint_off CASEOVERLAP */  // of several conditions the first one that holds counts
{}/* verilator lint_on CASEOVERLAP */
"""
_GIVEN: Final = ParameterSource.COMMANDLINE


@click.command()
@click.argument("unit", type=click.Choice([*UNITS, "core"]))
@lowrank_options(asdict(LowRankParameters()))
@click.option("--config", type=FILE, metavar="FILE.toml", help="Configuration of the core, which has no other options.")
@click.option("-o", "out", type=FILE, metavar="FILE.v", help="UNIT.v here if not given, with _ for -.")
@click.pass_context
def verilog(context: click.Context, unit: str, config: Path | None, out: Path | None, **parameters: int) -> None:
    """Write hardware as Verilog, together with the files needed to integrate it.

    \b
    FILE.v.json                 ports, number formats, commands with their ranges, timing
    FILE_tb.v                   of the low-rank ALU, a testbench with the expected outputs: prints PASS or FAIL
    FILE.h                      of lralu-bus, the register map for C and C++
    FILE.core                   of the core, a core description for FuseSoC

    \b
    UNIT is one of
      {units}

    \b
    Examples:
      pentary verilog lralu && iverilog -o lralu.vvp lralu.v lralu_tb.v && vvp lralu.vvp
      pentary verilog lralu-bus --lanes 64 -o build/bus.v
      pentary verilog core --config small.toml
    """
    with exit_status():
        given = [name for name in (*parameters, "config") if context.get_parameter_source(name) == _GIVEN]
        for other in given:
            if (other == "config") != (unit == "core"):
                raise PentaryError(f"--{other.replace('_', '-')} does not go with {unit}")
        name = unit.replace("-", "_")
        out = Path(f"{name}.v") if out is None else out
        if out.suffix == ".h":
            raise PentaryError(f"{out}: .h is for the header beside the Verilog; name the Verilog FILE.v")
        with extra("hdl", "writing Verilog"):  # imported late: Amaranth is slow to load
            from pentary_hdl.verilog import description, export
        settings = Config.load(config) if config else Config()
        if unit == "core":
            found("pentary_hdl.core.parameters:check")(settings)
            component = found("pentary_hdl.core.core:Core")(settings)
        else:
            component = found(UNITS[unit].component)(LowRankParameters(**parameters))
        source = export.verilog(component, name)
        if unit == "core":
            source = _FIRST_COUNTS.format(source)
        described = description.describe(component, name, source)
        files = {out: source}
        if unit == "core":
            described |= {"configuration": asdict(settings), "word": _WORD}
            files[out.with_name(f"{out.stem}.core")] = fusesoc(name, out.name)
        else:
            for file, write in UNITS[unit].beside.items():
                files[out.with_name(file.replace("STEM", out.stem))] = found(write)(component, name)
        files[out.with_name(f"{out.name}.json")] = json.dumps(described, indent=1) + "\n"
        for path, text in files.items():
            write_whole(path, text.encode())
        beside = ", ".join(str(path) for path in files if path != out)
        click.echo(f"module {name}, {len(source.splitlines()):,} lines: {out}; beside it {beside}")


verilog.help = cleandoc(str(verilog.help)).replace("  {units}", f"{listed(UNITS)}\n  {'core':24}  {CORE}")


def fusesoc(name: str, file: str) -> str:
    """Return a core description (CAPI2) for FuseSoC.

    Args:
        name: of the module.
        file: its Verilog, in the same folder.
    """
    return f"""CAPI=2:
name: pentary::{name}:{version("pentary")}
description: {CORE}, balanced quinary
filesets:
  rtl:
    files: [{file}]
    file_type: verilogSource
targets:
  default:
    filesets: [rtl]
    toplevel: {name}
"""
