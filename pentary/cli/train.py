"""The command `train`: one command for each task, with the options of that task."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, Final

import click

from pentary import tasks
from pentary.cli.console import UnexpectedError, exit_status
from pentary.cli.options import FILE
from pentary.cli.table import table
from pentary.numbers.word import PentaryError
from pentary.runs.folder import RunFolder, check_free, claim, reason
from pentary.runs.progress import Show, progress
from pentary.runs.run import Run
from pentary.support.display import UNWRITABLE, say
from pentary.support.messages import some
from pentary.support.signals import deferred, exit_code
from pentary.tasks.running import engines
from pentary.tasks.running.options import COMMON, TaskEntry, given

_OUTPUT: Final = (
    click.Option(
        ["--out"], type=FILE, metavar="DIR", help="Folder for the run; runs/TASK-seedK, or -2, -3, ..., if not given."
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="Print the result as one JSON object, all else on stderr."),
)


class _Tasks(click.Group):
    """The tasks as commands; a name with a colon is a user's own function."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(tasks.entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _TaskCommand(tasks.find(cmd_name), cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"{error.option_name} stands before the task; the task comes first: pentary train TASK [OPTIONS]", ctx
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Tasks"):
            formatter.write_dl([(task.name, task.help.partition("\n")[0]) for task in tasks.entries().values()])
        with formatter.section("Engines (--engine), which train to the same digests"):
            formatter.write_dl([(name, engines.engine(name).help) for name in engines.MODULES])


class _TaskCommand(click.Command):
    """The training of a task."""

    def __init__(self, task: TaskEntry, name: str) -> None:
        options: list[click.Parameter] = [*task.options, *COMMON, *engines.options(), *_OUTPUT]
        super().__init__(name, params=options, callback=self._train, help=task.help)
        self._task = task

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            own = {
                task.name
                for task in tasks.entries().values()
                if any(error.option_name in option.opts for option in task.options)
            }
            if not own:
                raise
            raise PentaryError(
                f"{error.option_name} is an option of {some(sorted(own))}: leave it out for {self._task.name}"
            ) from error

    def _train(self, out: Path | None, as_json: bool, **options: Any) -> None:
        with exit_status(), _all_on_stderr() if as_json else nullcontext():
            check_free(out)
            run = self._task.start(self.name, **given(options))
            folder = RunFolder(claim(out, run.name, run.seed), run)
            with progress(run.steps) as show:
                result, failure = _conduct(run, folder, show)
            rows = run.summary(result) | {"digest": result["digest"], "folder": result["out"]}
            if "interrupted" in result:
                rows["steps"] += ", interrupted"
            with _keeping(failure, result):
                (say if as_json else click.echo)(table(rows))
        if as_json:
            with exit_status(), _keeping(None, result):
                click.echo(json.dumps(result))
        if "interrupted" in result:
            click.get_current_context().exit(exit_code())


@click.command(cls=_Tasks, subcommand_metavar="TASK [OPTIONS]", options_metavar="")
def train() -> None:
    """Train TASK and record the run in a folder.

    Options that are not given take values that suit the task; `pentary train TASK --help` lists them.

    \b
    Examples:
      pentary train target --steps 200
      pentary train target --engine sim --json
      pentary train digits --population 512 --json
      pentary train text --minutes 2
      pentary train nets.py:NETWORK --data nets.py:data --out runs/mine
      pentary train balance.py:fitness --shape 16x16 --out runs/balance
    """


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
