"""The command `verilog`."""

import json
from pathlib import Path

import click

from pentary.console import exit_status
from pentary.files import write_whole
from pentary.lralu import LowRankParameters
from pentary.word import PentaryError

_DEFAULT = LowRankParameters()


@click.command()
@click.argument("unit", type=click.Choice(["lralu", "lralu-bus"]))
@click.option("--lanes", type=int, default=_DEFAULT.lanes, show_default=True, help="16, 64 or 256.")
@click.option("--max-rank", type=int, default=_DEFAULT.max_rank, show_default=True, help="1 to 64.")
@click.option("--max-size", type=int, default=_DEFAULT.max_size, show_default=True, help="A multiple of 16, up to 256.")
@click.option(
    "--rounds-per-cycle", type=int, default=_DEFAULT.rounds_per_cycle, show_default=True, help="1, 2, 4 or 8."
)
@click.option(
    "-o", "out", type=click.Path(path_type=Path), metavar="FILE.v", help="lralu.v or lralu_bus.v here if not given."
)
def verilog(unit: str, out: Path | None, **parameters: int) -> None:
    """Write hardware as Verilog, and a description of its ports, commands and timing beside it as FILE.v.json.

    \b
    UNIT is one of
      lralu                     the low-rank ALU with streams
      lralu-bus                 the same behind AXI4-Lite
    """
    with exit_status():
        made_for = LowRankParameters(**parameters)
        try:
            from pentary_hdl import export  # late: Amaranth takes its time, and only this needs it
        except ModuleNotFoundError as error:
            raise PentaryError(f"writing Verilog needs {error.name}: pip install 'amaranth[builtin-yosys]'") from error
        name = unit.replace("-", "_")
        component = export.UNITS[unit](made_for)
        source = export.verilog(component, name)
        out = Path(f"{name}.v") if out is None else out
        description = out.with_name(out.name + ".json")
        write_whole(out, source.encode())
        write_whole(description, (json.dumps(export.describe(component, name, source), indent=1) + "\n").encode())
        click.echo(f"module {name}, {len(source.splitlines()):,} lines: {out}, described in {description}")
