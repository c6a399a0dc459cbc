"""Commands for boards: `fpga` makes bitstreams, of a unit's self-test or of a computer; `load` loads programs."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, define_option, json_option, lowrank_options
from pentary.isa.system import STATUS_MAX
from pentary.numbers.word import PentaryError
from pentary.support.display import say
from pentary.support.extras import extra
from pentary.support.files import write_whole
from pentary_hdl.fpga.protocol import BAUD, Status
from pentary_hdl.fpga.timing import spread
from pentary_hdl.lralu.twin import LowRankParameters

if TYPE_CHECKING:
    from pentary_hdl.fpga.boards import Board, Built, Routed

_DEFAULT = LowRankParameters()
_OF_UNIT = {"lralu": tuple(asdict(_DEFAULT)), "core": ("program", "config", "defines")}
"""Parameters of the command that are for one unit only."""


@click.command()
@click.argument("board", type=click.Choice(["icebreaker", "hx8k", "ulx3s"]))
@click.option("--unit", type=click.Choice(list(_OF_UNIT)), default="lralu", show_default=True, help="What is built.")
@lowrank_options({"lanes": _DEFAULT.lanes, "max_rank": _DEFAULT.max_rank, "max_size": _DEFAULT.max_size})
@click.option("--program", type=FILE, metavar="FILE", help="Of the core: the program that it runs at once.")
@click.option("--config", type=FILE, metavar="FILE.toml", help="Of the core: settings of the machine.")
@define_option
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of vectors and placer.")
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=1, show_default=True, help="Placements to make, from --seed on."
)
@click.option("-o", "out", type=FILE, metavar="FILE", help="UNIT-BOARD.bin or .bit if not given.")
@json_option()
@click.pass_context
def fpga(
    context: click.Context,
    board: str,
    unit: str,
    program: Path | None,
    config: Path | None,
    defines: dict[str, int],
    seed: int,
    seeds: int,
    out: Path | None,
    as_json: bool,
    **parameters: int,
) -> None:
    """Make a bitstream for BOARD, and print the resources and the clock that it reaches.

    With the unit lralu the board plays test vectors on the low-rank ALU, at full speed and with stalls. It shows the
    outcome on two LEDs, and on its serial port (115200 baud, 8N1) as "PASS 256", or as "FAIL 012" with the first vector
    that differed.

    With the unit core the board is a computer that runs --program, a source (.s) or an object file, from block memory:
    the processor's core without caches and without the units beside its pipeline. Without --program it waits for
    `pentary load`. Its console and its input are the serial port. When the program has ended, one LED is on after exit
    status 0, the other one after any other and after a fault.

    \b
    BOARD is one of
      icebreaker                iCEBreaker, iCE40 UP5K: lralu only
      hx8k                      iCE40-HX8K breakout board: lralu only
      ulx3s                     ULX3S, ECP5 85F

    With several --seeds the bitstream is that of the fastest placement.

    \b
    Examples:
      pentary fpga ulx3s
      pentary fpga hx8k --max-rank 4 --json
      pentary fpga ulx3s --unit core --program hello.s --seeds 5
    """
    with exit_status():
        _check_options(context, unit)
        with extra("fpga", "making bitstreams"):  # imported late: Amaranth is slow to load
            from pentary_hdl.fpga import boards, flow
        chosen = boards.BOARDS[board]
        device = flow.DEVICES[chosen.device]
        out = Path(f"{unit}-{board}{device.family.suffix}") if out is None else out
        began = time.monotonic()

        if unit == "lralu":
            made_for = LowRankParameters(**parameters)
            built = boards.build(chosen, made_for, seed, say, seeds)
            routed, what = built.whole, {**asdict(made_for), "vectors": boards.VECTORS, "alone": asdict(built.alone)}
            table = _compared(built)
            about = f"parameters    {', '.join(f'{name} {value}' for name, value in asdict(made_for).items())}"
        else:
            routed, what = _computer(chosen, program, config, defines, seed, seeds, say)
            table = [f"{name.replace('_', ' '):14}{value:8,}" for name, value in asdict(routed.best.usage).items()]
            taken = f"{what['text']:,} instructions, {what['size']:,} words of {what['words']:,}"
            about = f"program       {f'{program}: {taken}' if program else 'none: pentary load PORT FILE'}"
        write_whole(out, routed.bitstream)
        summary = {
            "board": board,
            "device": device.name,
            "unit": unit,
            **what,
            "seed": seed,
            **_figures(routed),
            "bitstream": str(out),
            "seconds": round(time.monotonic() - began, 1),
        }
        told = [*table, "", f"board         {chosen.name}", about, *_clock(routed), *_bitstream(out, chosen)]
        click.echo(json.dumps(summary) if as_json else "\n".join(told))


@click.command()
@click.argument("port")
@click.argument("program", metavar="FILE", type=FILE)
@define_option
@click.option("--baud", type=click.IntRange(min=1), default=BAUD, show_default=True, help="Of the board's serial port.")
def load(port: str, program: Path, defines: dict[str, int], baud: int) -> None:
    """Load the program FILE into the board at PORT, run it, and show its console.

    FILE is a source (.s), an object file, or - for standard input. The board has a bitstream of `pentary fpga --unit
    core`; what runs on it is stopped. The exit status is the one that the program has stored to EXIT. Ctrl-C ends the
    command, not the program.

    \b
    Examples:
      pentary load /dev/ttyUSB0 hello.s
      pentary asm hello.s -o hello.pob && pentary load COM3 hello.pob
    """
    with exit_status():
        from pentary.asm.objectfile import load_program

        with extra("fpga", "loading programs"):
            from pentary_hdl.fpga.host import Board
        loaded = load_program(program, defines)
        with Board(port, baud) as board:
            with _bar() as sent:
                memory = board.load(loaded, sent)
            say(f"Loaded {loaded.text:,} instructions, {loaded.size:,} words of {memory:,}.")
            end = board.console(lambda text: click.echo(text.decode("latin-1"), nl=False))
        if end.status == Status.FAULTED:
            raise PentaryError("a fault without a handler has ended the program: pentary run tells which one")
        if not 0 <= end.word <= STATUS_MAX:
            raise PentaryError(f"the program ends with the exit status {end.word}, outside 0..{STATUS_MAX}")
        raise click.exceptions.Exit(end.word)


@contextmanager
def _bar() -> Iterator[Callable[[int], None]]:
    """Show a bar while a program is sent, on a terminal; yield a function to be called with percent."""
    if not sys.stderr.isatty():
        yield lambda percent: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Loading", total=100)
        yield lambda percent: progress.update(task, completed=percent)


def _check_options(context: click.Context, unit: str) -> None:
    """Refuse options that are for another unit."""
    for other, names in _OF_UNIT.items():
        for name in names:
            if other != unit and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                flag = "-D" if name == "defines" else f"--{name.replace('_', '-')}"
                raise PentaryError(f"{flag} is for --unit {other}, not for {unit}")
    if context.params["defines"] and context.params["program"] is None:
        raise PentaryError("-D gives values to constants of --program, and there is none")


def _computer(
    board: "Board",
    program: Path | None,
    config: Path | None,
    defines: dict[str, int],
    seed: int,
    seeds: int,
    say: Callable[[str], None],
) -> "tuple[Routed, dict[str, Any]]":
    """Build a computer, and return what is told of it beside the figures."""
    from pentary.asm.objectfile import load_program
    from pentary.machine.config import Config
    from pentary_hdl.fpga import computer

    loaded = load_program(program, defines) if program else None
    settings = Config.load(config) if config else computer.CONFIG
    routed = computer.build(board, settings, loaded, seed, say, seeds)
    held = loaded or computer.EMPTY
    sizes = {"text": held.text, "size": held.size, "words": settings.memory.words}
    return routed, {"program": str(program) if program else None, **sizes}


def _figures(routed: "Routed") -> dict[str, Any]:
    clocks = {seed: round(placed.fmax_mhz, 2) for seed, placed in routed.placed.items()}
    path = routed.worst.path
    return {
        **asdict(routed.best.usage),
        "clock_mhz": routed.clock_mhz,
        "fmax_mhz": round(routed.best.fmax_mhz, 2),
        "fmax_mhz_by_seed": clocks,
        "fmax_mhz_median": round(median(clocks.values()), 2),
        "critical_path": path and asdict(path),
    }


def _clock(routed: "Routed") -> list[str]:
    clocks = [placed.fmax_mhz for placed in routed.placed.values()]
    path = routed.worst.path
    return [
        f"clock         {routed.clock_mhz:g} MHz on the board, {spread(clocks)}",
        *([f"slowest path  {path}"] if path else []),
    ]


def _bitstream(out: Path, board: "Board") -> list[str]:
    return [f"bitstream     {out}", f"to load it    {board.load} {out}"]


def _compared(built: "Built") -> list[str]:
    """Return a table of the unit's resources, without and with its test."""
    alone, whole = asdict(built.alone), asdict(built.whole.best.usage)
    lines = [f"{'':14}{'unit':>8}  {'with the test':>13}"]
    return lines + [f"{name.replace('_', ' '):14}{alone[name]:8,}  {whole[name]:13,}" for name in whole]
