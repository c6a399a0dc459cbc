"""The command line.

Results go to standard output, progress on a terminal and mistakes to standard error; for the exit status see
`pentary.cli.console`.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from pentary.cli.console import UnexpectedError, exit_status, spell_pents_in_ascii
from pentary.nets import products
from pentary.numbers.word import PentaryError
from pentary.runs.folder import RunFolder, check_free, claim, reason
from pentary.runs.progress import Show, progress
from pentary.runs.run import Run
from pentary.support.display import UNWRITABLE, say
from pentary.support.signals import deferred, exit_code

_file: Final = click.Path(path_type=Path)

_ELSEWHERE: Final = {
    "asm": "pentary.cli.assembly",
    "disasm": "pentary.cli.assembly",
    "eval": "pentary.cli.language",
    "sample": "pentary.cli.language",
    "run": "pentary_sim.commands",
    "profile": "pentary_sim.commands",
    "debug": "pentary_sim.commands",
    "fpga": "pentary_hdl.fpga.command",
    "prove": "pentary_hdl.formal.command",
    "verify": "pentary_hdl.bench.command",
    "verilog": "pentary_hdl.verilog.command",
}
"""Commands that live in other modules, which are imported when one of them is asked for."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            return getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with exit_status():  # help that cannot be written, or a signal
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with exit_status():
            return super().invoke(ctx)


class _Told(logging.Handler):
    """Tells what the library logs, such as that something takes long."""

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
      pentary run sim/pentary_sim/programs/target.s
      pentary bench

    `pentary train --help` tells what the tasks are.
    """
    spell_pents_in_ascii()
    logger = logging.getLogger("pentary")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Told) for handler in logger.handlers):
        logger.addHandler(_Told())


_TEXT_ONLY: Final = ("input", "layers", "dim", "tokens", "minutes")
_NOT_TEXT: Final = ("rank", "perturb", "shape", "engine", "config")


@main.command()
@click.argument("task")
@click.option("--population", type=int, help="Members evaluated in a step; even. Text: 2048 if not given.")
@click.option("--steps", type=int, help="Updates of the weights.")
@click.option("--seed", type=int, help="Number that, with the other options, determines the run.")
@click.option(
    "--backend",
    type=click.Choice(products.NAMES),
    help="What multiplies: text and digits; numpy if not given. int8 needs pentary[int8].",
)
@click.option("--rank", type=int, help="Rank of the perturbations; not of text, where it is 1.")
@click.option("--perturb", type=click.Choice(["factored", "quantized"]), help="Kind of members; not of text.")
@click.option("--shape", metavar="MxN", help="Rows and columns of the weight matrix; 64x64 if not given.")
@click.option("--engine", type=click.Choice(["numpy", "sim", "rtl"]), help="What trains; numpy if not given.")
@click.option("--config", type=_file, metavar="FILE.toml", help="Settings of the machine of sim.")
@click.option("--input", type=_file, metavar="FILE", multiple=True, help="Text: a document; may be repeated.")
@click.option("--layers", type=int, help="Text: layers of the model; 1 if not given.")
@click.option("--dim", type=int, help="Text: width of the model; 64 if not given.")
@click.option("--tokens", type=int, help="Text: bytes that each member reads in a step; 10 if not given.")
@click.option("--minutes", type=float, help="Text: about how long to train, in place of --steps; 10 if not given.")
@click.option(
    "--out", type=_file, metavar="DIR", help="Folder for the run; runs/TASK-seedK, or -2, -3, ..., if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object, all else on stderr.")
@click.pass_context
def train(context: click.Context, task: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Train TASK and record the run in a folder.

    \b
    TASK is one of
      target                    one matrix towards a diagonal pattern
      digits                    a network 64-64-10 on images of digits
      text                      a language model that predicts bytes: of the
                                files given, or of Python's own help
      FILE.py:FUNCTION          your own fitness of one weight matrix:
      PACKAGE.MODULE:FUNCTION   it takes an int64 array (rows, cols) of
                                -2..2 and returns an integer or a float,
                                greater is better
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
      pentary train text --minutes 2
      pentary train text --input book.txt --dim 128 --minutes 60
      pentary train balance.py:fitness --shape 16x16 --out runs/balance
    """
    with exit_status(), _all_on_stderr() if as_json else nullcontext():
        given = {name: value for name, value in options.items() if value not in (None, ())}
        for name in _NOT_TEXT if task == "text" else _TEXT_ONLY:
            if name in given:
                whose = "the other tasks" if task == "text" else "the task text"
                raise PentaryError(f"--{name} is an option of {whose}: leave it out for {task}")
        check_free(out)
        run = import_module("pentary.tasks.textoptions").start(**given) if task == "text" else _start(task, **given)
        folder = RunFolder(claim(out, run.name, run.seed), run)
        with progress(run.steps) as show:
            result, failure = _conduct(run, folder, show)
        rows = run.summary(result) | {"digest": result["digest"], "folder": result["out"]}
        if "interrupted" in result:
            rows["steps"] += ", interrupted"
        with _keeping(failure, result):
            (say if as_json else click.echo)(_table(rows))
    if as_json:
        with exit_status(), _keeping(None, result):
            click.echo(json.dumps(result))
    if "interrupted" in result:
        context.exit(exit_code())


@main.command()
@click.argument("engine", type=click.Choice(["numpy", "sim", "text"]), default="numpy")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(engine: str, as_json: bool) -> None:
    """Measure how fast this computer trains.

    ENGINE is numpy (if not given), sim, the model of the processor, or text, the language model with every backend.
    """
    with exit_status():
        modules = {"numpy": "pentary.cli.benchmark", "sim": "pentary_sim.bench", "text": "pentary.cli.benchmark_text"}
        figures = import_module(modules[engine]).run()
        click.echo(json.dumps(figures) if as_json else _table(figures))


def _start(
    task: str,
    engine: str = "numpy",
    config: Path | None = None,
    shape: str | None = None,
    backend: str = "numpy",
    **given: Any,
) -> Run:
    """Prepare the training of a task; engines are imported only when asked for."""
    if engine != "sim" and config is not None:
        raise PentaryError(f"--config sets the machine of --engine sim; the engine {engine} has none")
    if engine != "numpy" and backend != "numpy":
        raise PentaryError(
            f"--backend chooses what multiplies for the engine numpy; the engine {engine} multiplies itself"
        )
    from pentary import tasks
    from pentary.es import loop as training
    from pentary.tasks.run import TaskRun

    chosen = tasks.get(task, _parse_shape(shape), backend)
    parameters = replace(chosen.defaults, **given)
    if engine == "numpy":
        return TaskRun(chosen, parameters, training.train(chosen, parameters))
    if engine == "rtl":
        try:
            from pentary_hdl.engine import rtl
        except ModuleNotFoundError as error:
            raise PentaryError(f"the engine rtl needs {error.name}: pip install 'amaranth[builtin-yosys]'") from error
        hardware = rtl.hardware_for(chosen, parameters)
        steps = rtl.train(chosen, parameters, hardware, say)
        return TaskRun(chosen, parameters, steps, engine, asdict(hardware))
    from pentary_sim import engine as sim
    from pentary_sim.config import Config

    machine = Config() if config is None else Config.load(config)
    return TaskRun(chosen, parameters, sim.train(chosen, parameters, machine), engine, asdict(machine))


def _conduct(run: Run, folder: RunFolder, show: Show) -> tuple[dict[str, Any], BaseException | None]:
    """Train, keep every record, and finish the folder whatever ends the run.

    Returns:
        The result, and what ended the run before its time.
    """
    failure: BaseException | None = None
    try:
        for record in run.records():
            with deferred():
                folder.add(record)
            show(record)
    except BaseException as error:  # even one that nobody foresaw: what has been trained is kept first
        failure = error
    if folder.is_empty:
        folder.discard()
        assert failure is not None, "a run yields its start, or fails"
        raise failure
    ending: dict[str, Any] = {}
    if isinstance(failure, KeyboardInterrupt):
        ending = {"interrupted": True}
    elif failure is not None:
        ending = reason(failure)
    return folder.finish(ending), failure


@contextmanager
def _keeping(failure: BaseException | None, result: Mapping[str, Any]) -> Iterator[None]:
    """Print the result in the body, and raise what is to be told at the end of a run whose result is kept.

    Args:
        failure: what ended the run before its time.
        result: of the run.
    """
    kept = f"the run is kept in {result['out']}"
    try:
        yield
    except BrokenPipeError:
        if failure is None:
            raise
    except UNWRITABLE as error:
        why = getattr(error, "strerror", None) or error
        failure = failure or PentaryError(f"cannot write the output: {why}; {kept}")
    if "traceback" in result:
        raise UnexpectedError(f"{result['error']}, which is a fault of pentary: {kept}, the traceback in result.json")
    if "unwritten" in result:
        raise PentaryError(f"{result['unwritten']}; {kept}")
    if failure is not None and "interrupted" not in result:
        raise failure


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
