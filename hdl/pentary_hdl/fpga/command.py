"""The command `fpga`: a self-test of a unit as a bitstream for a board."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, json_option, lowrank_options
from pentary.support.extras import extra
from pentary.support.files import write_whole
from pentary_hdl.lralu.twin import LowRankParameters

if TYPE_CHECKING:
    from pentary_hdl.fpga.boards import Built

_DEFAULT = LowRankParameters()


@click.command()
@click.argument("board", type=click.Choice(["icebreaker", "hx8k", "ulx3s"]))
@click.option("--unit", type=click.Choice(["lralu"]), default="lralu", show_default=True, help="What is tested.")
@lowrank_options({"lanes": _DEFAULT.lanes, "max_rank": _DEFAULT.max_rank, "max_size": _DEFAULT.max_size})
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of vectors and placer.")
@click.option("-o", "out", type=FILE, metavar="FILE", help="UNIT-BOARD.bin or .bit if not given.")
@json_option()
def fpga(board: str, unit: str, seed: int, out: Path | None, as_json: bool, **parameters: int) -> None:
    """Make a bitstream with which BOARD tests a unit, and print the resources and the clock that it reaches.

    The board plays test vectors on the unit, at full speed and with stalls. It shows the outcome on two LEDs, and on
    its serial port (115200 baud, 8N1) as "PASS 256", or as "FAIL 012" with the first vector that differed.

    \b
    BOARD is one of
      icebreaker                iCEBreaker, iCE40 UP5K
      hx8k                      iCE40-HX8K breakout board
      ulx3s                     ULX3S, ECP5 85F

    \b
    Examples:
      pentary fpga ulx3s
      pentary fpga hx8k --max-rank 4 --json
    """
    with exit_status():
        with extra("fpga", "making bitstreams"):  # imported late: Amaranth is slow to load
            from pentary_hdl.fpga import boards, flow
        chosen, made_for = boards.BOARDS[board], LowRankParameters(**parameters)
        device = flow.DEVICES[chosen.device]
        out = Path(f"{unit}-{board}{device.family.suffix}") if out is None else out
        began = time.monotonic()
        built = boards.build(chosen, made_for, seed, lambda text: click.echo(text, err=True))
        write_whole(out, built.bitstream)
        summary = {
            "board": board,
            "device": device.name,
            "unit": unit,
            **asdict(made_for),
            "seed": seed,
            "vectors": boards.VECTORS,
            **asdict(built.whole),
            "clock_mhz": built.clock_mhz,
            "fmax_mhz": round(built.fmax_mhz, 2),
            "alone": asdict(built.alone),
            "bitstream": str(out),
            "seconds": round(time.monotonic() - began, 1),
        }
        click.echo(json.dumps(summary) if as_json else _told(chosen.name, made_for, built, out, chosen.load))


def _told(board: str, made_for: LowRankParameters, built: "Built", out: Path, load: str) -> str:
    alone, whole = asdict(built.alone), asdict(built.whole)
    lines = [f"{'':14}{'unit':>8}  {'with the test':>13}"]
    lines += [f"{name.replace('_', ' '):14}{alone[name]:8,}  {whole[name]:13,}" for name in whole]
    lines += [
        "",
        f"board         {board}",
        f"parameters    {', '.join(f'{name} {value}' for name, value in asdict(made_for).items())}",
        f"clock         {built.clock_mhz:g} MHz on the board, {built.fmax_mhz:.1f} MHz reached",
        f"bitstream     {out}",
        f"to load it    {load} {out}",
    ]
    return "\n".join(lines)
