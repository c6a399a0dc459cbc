"""Options of the commands that run a program, and what they stand for."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pentary.cli.options import FILE, define_option
from pentary.numbers.word import PentaryError

if TYPE_CHECKING:
    from pentary.machine.engines import Setup


def machine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the program argument and the options of the machine to a command."""
    config = click.option("--config", type=FILE, metavar="FILE.toml", help="Settings of the machine.")
    input = click.option("--input", type=FILE, metavar="FILE", help="Text that the program reads; - is standard input.")
    interrupts = click.option(
        "--interrupt",
        "interrupts",
        type=click.IntRange(0, 2**62),
        metavar="CYCLE",
        multiple=True,
        help="Raise the external interrupt in this cycle; may be repeated.",
    )
    return click.argument("program", type=FILE)(config(define_option(input(interrupts(command)))))


max_cycles_option = click.option(
    "--max-cycles", type=click.IntRange(min=1, max=2**62), help="Give up after this many cycles."
)

engine_option = click.option(
    "--engine",
    type=click.Choice(["sim", "core", "netlist", "netlist-ecp5"]),
    default="sim",
    show_default=True,
    help="The cycle-level model; or, in Verilator, the Verilog of the core, or what synthesis makes of it: generic "
    "gates, or the ECP5's cells.",
)


def set_up(
    path: Path, config: Path | None, defines: dict[str, int], input: Path | None, interrupts: tuple[int, ...]
) -> "Setup":
    """Return what the options of `machine_options` ask for.

    Raises:
        PentaryError: a file cannot be read, or is wrong.
    """
    from pentary.asm.objectfile import is_standard_input, load_program
    from pentary.machine.config import Config
    from pentary.machine.console import read_input
    from pentary.machine.engines import Setup

    if is_standard_input(path) and input is not None and is_standard_input(input):
        raise PentaryError("the program is read from standard input, so the input cannot be: give it as a file")
    settings = Config.load(config) if config else Config()
    return Setup(load_program(path, defines), settings, read_input(input) if input else (), interrupts)
