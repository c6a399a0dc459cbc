"""The command line.

Results go to standard output, progress on a terminal and mistakes to standard error. Exit status: 0, 2 for a mistake
or a failed write, 130 after Ctrl-C.
"""

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from pentary import tasks
from pentary import train as training
from pentary.console import exit_status
from pentary.es import Parameters
from pentary.runfolder import RunFolder, claim
from pentary.text import ASCII_GLYPHS, GLYPHS
from pentary.train import Step, Task
from pentary.word import PentaryError

Show = Callable[[Step], None]

_ELSEWHERE: Final = {
    "asm": "pentary.commands",
    "disasm": "pentary.commands",
    "eval": "pentary.lm.commands",
    "sample": "pentary.lm.commands",
    "run": "pentary_sim.commands",
    "profile": "pentary_sim.commands",
    "debug": "pentary_sim.commands",
    "fpga": "pentary_hdl.fpga.command",
    "prove": "pentary_hdl.prove",
    "verify": "pentary_hdl.verify",
    "verilog": "pentary_hdl.commands",
}
"""Commands that live in other modules, which are imported when one of them is asked for."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            return getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)


@click.group("pentary", cls=_Commands)
@click.version_option(package_name="pentary")
def main() -> None:
    """Train five-level networks with integer evolution strategies, and run programs of a pentary processor.

    \b
    Examples:
      pentary train target
      pentary train digits --seed 7 --out runs/digits-7
      pentary train target --engine sim
      pentary run sim/pentary_sim/programs/target.s
      pentary bench

    `pentary train --help` tells what the tasks are.
    """
    codecs.register_error("pents", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="pents")


@main.command()
@click.argument("task")
@click.option("--population", type=int, help="Members evaluated in a step; even.")
@click.option("--rank", type=int, help="Rank of the perturbations.")
@click.option("--steps", type=int, help="Updates of the weights.")
@click.option("--seed", type=int, help="Number that, with the other options, determines the run.")
@click.option("--perturb", type=click.Choice(["factored", "quantized"]), help="Kind of members.")
@click.option("--shape", metavar="MxN", help="Rows and columns of the weight matrix; 64x64 if not given.")
@click.option(
    "--engine", type=click.Choice(["numpy", "sim", "rtl"]), default="numpy", show_default=True, help="What trains."
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE.toml", help="Settings of the machine of sim.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the run; runs/TASK-seedK if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object, all else on stderr.")
@click.pass_context
def train(
    context: click.Context,
    task: str,
    shape: str | None,
    engine: str,
    config: Path | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train TASK and record the run in a folder.

    \b
    TASK is one of
      target                    one matrix towards a diagonal pattern
      digits                    a network 64-64-10 on images of digits
      FILE.py:FUNCTION          your own fitness of one weight matrix:
      PACKAGE.MODULE:FUNCTION   it takes an int8 array (rows, cols) of
                                -2..2 and returns a number, greater is
                                better
    Options that are not given take values that suit the task.

    \b
    ENGINE is one of
      numpy                     vectorised, for real training
      sim                       an assembly program on the cycle-level model
                                of the processor: target and digits, with the
                                same digests, and counts of cycles and events
      rtl                       the low-rank unit's Verilog in Verilator, which
                                does all low-rank operations, to the same
                                digests: target, and all that takes quantized
                                members

    \b
    Examples:
      pentary train target --steps 200
      pentary train target --engine sim --json
      pentary train target --engine rtl --steps 2
      pentary train digits --population 512 --json
      pentary train balance.py:fitness --shape 16x16 --out runs/balance
    """
    with exit_status(), _all_on_stderr() if as_json else nullcontext():
        chosen = tasks.get(task, _parse_shape(shape))
        given = {name: value for name, value in options.items() if value is not None}
        parameters = replace(chosen.defaults, **given)
        steps, machine = _start(engine, config, chosen, parameters)
        folder = RunFolder(claim(out, chosen.name, parameters.seed), chosen, parameters, engine, machine)
        with _bar(parameters.steps) if sys.stderr.isatty() else _lines(parameters.steps) as show:
            result, failure = _conduct(steps, folder, show)
        click.echo(_summary(result, parameters.steps))
        if failure is not None:
            raise failure
    if as_json:
        with exit_status():
            click.echo(json.dumps(result))
    if "interrupted" in result:
        context.exit(130)


@main.command()
@click.argument("engine", type=click.Choice(["numpy", "sim"]), default="numpy")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(engine: str, as_json: bool) -> None:
    """Measure how fast this computer trains with ENGINE: numpy (the default) or sim."""
    with exit_status():
        if engine == "sim":
            import_module("pentary_sim.commands").announce_compilation()
        figures = import_module("pentary.bench" if engine == "numpy" else "pentary_sim.bench").run()
        click.echo(json.dumps(figures) if as_json else _table(figures))


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Spell pents in ASCII where an output has no glyphs for them; what else it lacks becomes a question mark."""
    assert isinstance(error, UnicodeEncodeError)
    ascii_of = dict(zip(GLYPHS, ASCII_GLYPHS, strict=True))
    return "".join(ascii_of.get(glyph, "?") for glyph in error.object[error.start : error.end]), error.end


def _start(
    engine: str, config: Path | None, task: Task, parameters: Parameters
) -> tuple[Iterator[Step], dict[str, Any] | None]:
    """Give the steps of a training, and the settings of its machine; engines are imported only when asked for."""
    if engine != "sim" and config is not None:
        raise PentaryError(f"--config sets the machine of --engine sim; the engine {engine} has none")
    if engine == "numpy":
        return training.train(task, parameters), None
    if engine == "rtl":
        try:
            from pentary_hdl import engine as rtl
        except ModuleNotFoundError as error:
            raise PentaryError(f"the engine rtl needs {error.name}: pip install 'amaranth[builtin-yosys]'") from error
        hardware = rtl.hardware_for(task, parameters)
        return rtl.train(task, parameters, hardware, lambda text: click.echo(text, err=True)), asdict(hardware)
    from pentary_sim import engine as sim
    from pentary_sim.commands import announce_compilation
    from pentary_sim.config import Config

    machine = Config() if config is None else Config.load(config)
    steps = sim.train(task, parameters, machine)  # refuses what the machine cannot run
    announce_compilation()
    return steps, asdict(machine)


def _conduct(steps: Iterator[Step], folder: RunFolder, show: Show) -> tuple[dict[str, Any], PentaryError | None]:
    """Train, record every step, and finish the folder however the run ends; give the result, and what failed."""
    try:
        for step in steps:
            folder.add(step)
            show(step)
    except (KeyboardInterrupt, BrokenPipeError, PentaryError) as error:
        if folder.is_empty:
            folder.discard()
            raise
        if isinstance(error, PentaryError):
            return folder.finish({"error": str(error)}), error
        return folder.finish({"interrupted": True}), None
    return folder.finish({}), None


@contextmanager
def _bar(steps: int) -> Iterator[Show]:
    """Show progress as a bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("step {task.completed}/{task.total}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    # What a black box prints goes above the bar if it goes to the same terminal, and where it is sent if not.
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        bar = progress.add_task("", total=steps, figures="")
        yield lambda step: progress.update(bar, completed=step.step, figures=_figures(step))


@contextmanager
def _lines(steps: int) -> Iterator[Show]:
    """Show progress as a line for every tenth of the run."""

    def show(step: Step) -> None:
        if step.step * 10 // steps > (step.step - 1) * 10 // steps:
            click.echo(f"step {step.step:{len(str(steps))}}/{steps}  {_figures(step)}")

    yield show


def _figures(step: Step) -> str:
    fitness = f"fitness {step.fitness:.6g}"
    return f"{fitness}  {_rate(step.evaluations, step.seconds)}" if step.evaluations else fitness


def _rate(evaluations: int, seconds: float) -> str:
    return f"{evaluations / seconds:,.0f} evaluations/s"


def _summary(result: Mapping[str, Any], steps: int) -> str:
    rows = {
        "steps": f"{result['steps']} of {steps}",
        "fitness": f"{result['fitness_first']:.6g} -> {result['fitness_last']:.6g}",
        "evaluations": f"{result['evaluations']:,} in {result['seconds']:.2f} s, "
        + _rate(result["evaluations"], result["seconds"]),
        **{name.replace("_", " "): f"{share:.2%}" for name, share in result.items() if name.endswith("accuracy")},
        **_cycles(result),
        "digest": result["digest"],
        "folder": result["out"],
    }
    return _table(rows)


def _cycles(result: Mapping[str, Any]) -> dict[str, str]:
    """Give the rows of the summary that only an engine with a clock has."""
    if "cycles" not in result:
        return {}
    if "operations" in result:
        return {
            "cycles": f"{result['cycles']:,} of the low-rank unit, {result['lanes']} lanes, "
            f"busy {result['lowrank_busy_cycles'] / result['cycles']:.1%} of them",
            "operations": ", ".join(f"{name} {count:,}" for name, count in result["operations"].items() if count),
        }
    most = sorted(((cycles, cause) for cause, cycles in result["causes"].items() if cycles), reverse=True)[:4]
    return {
        "cycles": f"{result['cycles']:,} for {result['instructions']:,} instructions, CPI {result['cpi']:.2f}",
        "spent on": ", ".join(f"{cause} {cycles / result['cycles']:.1%}" for cycles, cause in most),
        "low-rank unit": f"{result['lanes']} lanes, busy {result['lowrank_busy']:.1%} of the cycles, "
        f"utilization while multiplying {result['lowrank_utilization']:.1%}",
    }


def _table(rows: Mapping[str, object]) -> str:
    width = max(map(len, rows), default=0)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows.items())


def _parse_shape(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", text)
    if match is None:
        raise PentaryError(f"shape {text!r} is not ROWSxCOLUMNS, such as 64x64")
    return int(match[1]), int(match[2])


@contextmanager
def _all_on_stderr() -> Iterator[None]:
    """Send all that is printed to standard error: by us, by a black box, and by programs that it starts."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
