"""The command `verify`: the gateware of the low-rank ALU against its software twin, in a Verilog simulator."""

import json
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final

import click

from pentary.console import exit_status
from pentary.isa.table import MAX_VL
from pentary.lowrank import MAX_RANK
from pentary.lralu import LowRankParameters
from pentary.word import PentaryError
from pentary_hdl.toolchain import BUILDING, cache, check_installed

if TYPE_CHECKING:
    from pentary_hdl.bench.report import Report

_DEFAULT: Final = LowRankParameters()

Say = Callable[[str], None]


@click.command()
@click.option(
    "--simulator", type=click.Choice(["verilator", "icarus"]), default="verilator", show_default=True, help="Runs it."
)
@click.option("--lanes", type=int, default=_DEFAULT.lanes, show_default=True, help="16, 64 or 256.")
@click.option("--max-rank", type=int, default=_DEFAULT.max_rank, show_default=True, help=f"1 to {MAX_RANK}.")
@click.option(
    "--max-size", type=int, default=_DEFAULT.max_size, show_default=True, help=f"A multiple of 16, up to {MAX_VL}."
)
@click.option(
    "--rounds-per-cycle", type=int, default=_DEFAULT.rounds_per_cycle, show_default=True, help="1, 2, 4 or 8."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Of the random commands; drawn if not given.")
@click.option(
    "--operations", type=click.IntRange(0), default=20_000, show_default=True, help="Random commands, at least."
)
@click.option("--waves", is_flag=True, help="Record all signals in a file; much slower.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(
    simulator: str,
    lanes: int,
    max_rank: int,
    max_size: int,
    rounds_per_cycle: int,
    seed: int | None,
    operations: int,
    waves: bool,
    as_json: bool,
) -> None:
    """Verify the low-rank ALU: the gateware's Verilog against the software twin.

    Directed cases, random commands with random stalls and resets, timing to the cycle, and the coverage reached. The
    exit status is 2 if anything differs, or if a situation of the coverage never occurred.

    \b
    Examples:
      pentary verify
      pentary verify --simulator icarus --max-rank 1 --max-size 16 --operations 500
      pentary verify --seed 7 --operations 200 --waves
    """
    with exit_status():
        parameters = LowRankParameters(lanes, max_rank, max_size, rounds_per_cycle)
        seed = random.randrange(2**31) if seed is None else seed
        began = time.monotonic()
        report, recorded = check(
            simulator, parameters, seed, operations, waves, lambda text: click.echo(text, err=True), cache("verify")
        )
        seconds = time.monotonic() - began
        summary = {
            "simulator": simulator,
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
        if report.differences:
            case, difference = next(iter(report.differences.items()))
            raise PentaryError(f"seed {seed}, case {case}: {difference}")


def check(
    simulator: str,
    parameters: LowRankParameters,
    seed: int,
    operations: int,
    waves: bool,
    say: Say,
    folder: Path,
) -> tuple["Report", Path | None]:
    """Build the hardware, unless it has been built, and run the bench.

    Args:
        simulator: "verilator" or "icarus".
        parameters: of the hardware.
        seed: of the random commands.
        operations: how many of them there are, at least.
        waves: whether to record all signals.
        say: tells what takes long.
        folder: for builds and runs.

    Returns:
        What the bench has found, and the file of the waves.

    Raises:
        PentaryError: something is not installed, or the simulation broke off.
    """
    if find_spec("cocotb") is None:
        raise PentaryError("cocotb is not installed: pip install cocotb")
    from pentary_hdl.bench import runner
    from pentary_hdl.bench.harness import harness
    from pentary_hdl.bench.report import Report, Task
    from pentary_hdl.lralu import LowRankAlu

    check_installed(simulator)
    verilog = harness(LowRankAlu(parameters), "lralu")
    if not runner.is_built(simulator, verilog, folder, waves):
        say(BUILDING.format(simulator))
    build = runner.build(simulator, verilog, folder, waves)
    out = Path(mkdtemp(prefix="pentary-verify-"))
    task = Task(parameters, operations, out / "report.json")
    try:
        recorded = runner.run(
            simulator, build, "pentary_hdl.bench.lralu_tests", out, seed, {Task.VARIABLE: task.as_json()}, waves
        )
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
        "hardware": ", ".join(f"{name} {summary[name]}" for name in asdict(_DEFAULT)),
        "simulator": summary["simulator"],
        "operations": f"{summary['operations']:,} in {summary['cycles']:,} cycles, {summary['seconds']:.1f} s",
        "mismatches": summary["mismatches"],
        "seed": summary["seed"],
        **({"waves": summary["waves"]} if summary["waves"] else {}),
    }
    told = [f"{name:10}  {value}" for name, value in facts.items()]
    return "\n".join([*lines, "", report.table, "", *told])
