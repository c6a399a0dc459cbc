"""The command line.

Results go to standard output, progress on a terminal and mistakes to standard error; for the exit status see
`pentary.cli.console`.
"""

import json
import logging
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from pentary.cli.console import exit_status, spell_pents_in_ascii
from pentary.cli.options import FILE, json_option
from pentary.cli.table import table
from pentary.numbers.word import PentaryError
from pentary.support.display import say

_ELSEWHERE: Final = {
    "asm": "pentary.cli.assembly",
    "disasm": "pentary.cli.assembly",
    "eval": "pentary.cli.language",
    "export": "pentary.cli.export",
    "sample": "pentary.cli.language",
    "status": "pentary.cli.status:show",
    "train": "pentary.cli.train",
    "run": "pentary_sim.commands",
    "profile": "pentary_sim.commands",
    "debug": "pentary_sim.commands",
    "trace": "pentary.cli.trace",
    "fpga": "pentary_hdl.fpga.command",
    "load": "pentary_hdl.fpga.command",
    "prove": "pentary_hdl.formal.command",
    "verify": "pentary_hdl.bench.command",
    "verilog": "pentary_hdl.verilog.command",
}
"""Commands that live in other modules, which are imported when one is asked for; after a colon, the name there."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            module, _, own = _ELSEWHERE[cmd_name].partition(":")
            return getattr(import_module(module), own or cmd_name)
        return super().get_command(ctx, cmd_name)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with exit_status():  # help that cannot be written, or a signal
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with exit_status():
            return super().invoke(ctx)


class _Told(logging.Handler):
    """Prints log messages of the library, such as that a compilation has begun."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


@click.group("pentary", cls=_Commands)
@click.version_option(package_name="pentary")
def main() -> None:
    """Train five-level networks with integer evolution strategies, and run programs of a pentary processor.

    \b
    Examples:
      pentary train target
      pentary train digits --seed 7 --out runs/digits-7
      pentary train target --engine sim
      pentary run pentary/programs/target.s
      pentary bench

    `pentary train --help` tells what the tasks are.
    """
    spell_pents_in_ascii()
    logger = logging.getLogger("pentary")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Told) for handler in logger.handlers):
        logger.addHandler(_Told())


@main.command()
@click.argument("what", type=click.Choice(["numpy", "sim", "text", "kernels"]), default="numpy")
@click.option("--config", type=FILE, metavar="FILE.toml", help="Settings of the machine that runs the kernels.")
@json_option()
def bench(what: str, config: Path | None, as_json: bool) -> None:
    """Measure how fast this computer trains, or how many cycles kernels take on the processor.

    \b
    WHAT is one of
      numpy     vectorised training; if not given
      sim       the model of the processor
      text      the language model, with every backend
      kernels   small programs on the model, with the causes of their cycles
    """
    with exit_status():
        if what == "kernels":
            kernels = import_module("pentary_sim.kernels")
            found = kernels.run(config)
            click.echo(json.dumps(found) if as_json else kernels.text(found))
            return
        if config is not None:
            raise PentaryError(f"--config is the machine of the kernels: leave it out for {what}")
        modules = {"numpy": "pentary.cli.benchmark", "sim": "pentary_sim.bench", "text": "pentary.cli.benchmark_text"}
        figures = import_module(modules[what]).run()
        click.echo(json.dumps(figures) if as_json else table(figures))
