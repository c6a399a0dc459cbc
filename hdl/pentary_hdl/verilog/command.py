"""The command `verilog`: hardware as Verilog, with its description, testbench and C header."""

import json
from dataclasses import asdict
from inspect import cleandoc
from pathlib import Path

import click

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, lowrank_options
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra
from pentary.support.files import write_whole
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.units import UNITS, found, listed


@click.command()
@click.argument("unit", type=click.Choice(list(UNITS)))
@lowrank_options(asdict(LowRankParameters()))
@click.option("-o", "out", type=FILE, metavar="FILE.v", help="UNIT.v here if not given, with _ for -.")
def verilog(unit: str, out: Path | None, **parameters: int) -> None:
    """Write hardware as Verilog, together with the files needed to integrate it.

    \b
    FILE.v.json                 ports, number formats, commands with their ranges, timing
    FILE_tb.v                   of the low-rank ALU, a testbench with the expected outputs: prints PASS or FAIL
    FILE.h                      of lralu-bus, the register map for C and C++

    \b
    UNIT is one of
      {units}

    \b
    Examples:
      pentary verilog lralu && iverilog -o lralu.vvp lralu.v lralu_tb.v && vvp lralu.vvp
      pentary verilog lralu-bus --lanes 64 -o build/bus.v
    """
    with exit_status():
        made_for, name = LowRankParameters(**parameters), unit.replace("-", "_")
        out = Path(f"{name}.v") if out is None else out
        if out.suffix == ".h":
            raise PentaryError(f"{out}: .h is for the header beside the Verilog; name the Verilog FILE.v")
        with extra("hdl", "writing Verilog"):  # imported late: Amaranth is slow to load
            from pentary_hdl.verilog import description, export
        component = found(UNITS[unit].component)(made_for)
        source = export.verilog(component, name)
        described = json.dumps(description.describe(component, name, source), indent=1) + "\n"
        files = {out: source, out.with_name(f"{out.name}.json"): described}
        for file, write in UNITS[unit].beside.items():
            files[out.with_name(file.replace("STEM", out.stem))] = found(write)(component, name)
        for path, text in files.items():
            write_whole(path, text.encode())
        beside = ", ".join(str(path) for path in files if path != out)
        click.echo(f"module {name}, {len(source.splitlines()):,} lines: {out}; beside it {beside}")


verilog.help = cleandoc(str(verilog.help)).replace("  {units}", listed(UNITS))
