"""The command `train`: one command for each task, with the options of that task."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, Final

import click

from pentary import tasks
from pentary.cli.console import UnexpectedError, exit_status
from pentary.cli.options import FILE
from pentary.cli.table import table
from pentary.numbers.word import PentaryError
from pentary.runs import lock, resuming
from pentary.runs.folder import RunFolder, check_free, claim, reason
from pentary.runs.lock import locked
from pentary.runs.past import Past, differences
from pentary.runs.progress import Show, progress
from pentary.runs.run import Record, Run
from pentary.runs.schedule import Schedule
from pentary.support.display import UNWRITABLE, say
from pentary.support.messages import some
from pentary.support.signals import deferred, exit_code
from pentary.tasks.running import engines
from pentary.tasks.running.options import COMMON, TaskEntry, given

_OUTPUT: Final = (
    click.Option(
        ["--out"], type=FILE, metavar="DIR", help="Folder for the run; runs/TASK-seedK, or -2, -3, ..., if not given."
    ),
    click.Option(["--resume"], type=FILE, metavar="DIR", help="Go on with the run in this folder."),
    click.Option(
        ["--checkpoint"],
        metavar="EVERY",
        help="Steps (100) or minutes (5m) between checkpoints; if not given, they take 2% of the time at most.",
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="Print the result as one JSON object, all else on stderr."),
)

_FREE: Final = ("engine", "machine", "backend", "versions", "command", "history", "parameters.steps")
"""What may be another when a run goes on, in the places of `config.json`."""

_MOMENTARY: Final = ("out", "resume", "checkpoint", "as_json", "minutes")
"""Options that no command line of a run that goes on takes over."""


_COMMAND: Final = f"{__name__}.command"
_PAST: Final = f"{__name__}.past"


class _Tasks(click.Group):
    """The tasks as commands; a name with a colon is a user's own function."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(tasks.entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _TaskCommand(tasks.find(cmd_name), cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].partition("=")[0] == "--resume":  # the folder tells the task
            folder = args[0].partition("=")[2] or (args[1] if len(args) > 1 else "")
            if folder:
                with exit_status():
                    lock.check_free(Path(folder))  # first: a run that has just begun has no checkpoint
                    args = [resuming.find(Path(folder), quiet=True).command["task"], *args]
            else:
                raise click.UsageError("--resume takes the folder of a run", ctx)
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
            texts = _texts(self, ctx, args)
            if "resume" in texts:
                with exit_status():
                    texts = self._go_on(ctx, texts)
                args = _arguments(self, ctx, texts)
            ctx.meta[_COMMAND] = {"task": self.name, "options": _lasting(texts)}
            try:
                return super().parse_args(ctx, args)
            except click.UsageError as error:
                if _PAST in ctx.meta:
                    raise PentaryError(error.format_message()) from error
                raise
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

    def _go_on(self, ctx: click.Context, texts: Mapping[str, Any]) -> dict[str, Any]:
        """Lock the folder of a run that is to go on, and return its options with those that are given now."""
        folder = Path(texts["resume"])
        if "out" in texts:
            raise PentaryError(f"--out does not go with --resume: the run goes on in {folder}")
        if "minutes" in texts:
            raise PentaryError("--minutes does not go with --resume: give --steps, of the whole run")
        if folder.is_dir():
            ctx.with_resource(locked(folder))
        past = resuming.find(folder)
        command = past.command
        if command["task"] != self.name:
            raise PentaryError(
                f"{folder} is a run of {command['task']}, not of {self.name}: pentary train --resume {folder}"
            )
        ctx.meta[_PAST] = past
        name = texts.get("engine", command["options"].get("engine", "numpy"))
        options = engines.without_others(name, command["options"])
        for given_now, before in (("workers", "dask"), ("dask", "workers")):  # two ways to say who evaluates
            if given_now in texts:
                options.pop(before, None)
        return {**options, **texts}

    def _train(
        self,
        out: Path | None,
        resume: Path | None,
        checkpoint: str | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        ctx = click.get_current_context()
        command, past = ctx.meta[_COMMAND], ctx.meta.get(_PAST)
        with exit_status(), _all_on_stderr() if as_json else nullcontext():
            schedule = Schedule(checkpoint or "")
            if past is None:
                check_free(out)
                run = self._task.start(self.name, **given(options))
                place = claim(out, run.name, run.seed)
                ctx.with_resource(locked(place))
                command["options"] |= {"steps": str(run.steps), "seed": str(run.seed)}
                folder = RunFolder(place, run, command, schedule)
            else:
                assert resume is not None, "there is a past of this folder"
                with _of_such_a_run(resume, past):
                    run = _resumed(self._task, str(self.name), resume, past, given(options))
                    command["options"] |= {"steps": str(run.steps), "seed": str(run.seed)}
                    folder = RunFolder(resume, run, command, schedule, past)
            with closing(run), progress(run.steps) as show:
                result, failure = _conduct(run, folder, show)
            rows = run.summary(result) | {"digest": result["digest"], "folder": result["out"]}
            if "interrupted" in result:
                rows["steps"] += ", interrupted"
            if "interrupted" in result or "error" in result:
                rows["to go on"] = f"pentary train --resume {result['out']}"
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
      pentary train --resume runs/balance --steps 100
    """


def _texts(command: click.Command, ctx: click.Context, args: list[str]) -> dict[str, Any]:
    """Return the options on a command line, as they are written, by name."""
    texts, _, _ = command.make_parser(ctx).parse_args(list(args))
    return {name: value for name, value in texts.items() if name != "help"}


def _arguments(command: click.Command, ctx: click.Context, texts: Mapping[str, Any]) -> list[str]:
    """Return a command line with some options."""
    arguments: list[str] = []
    for option in command.get_params(ctx):
        if option.name in texts:
            value = texts[option.name]
            for one in value if isinstance(value, (list, tuple)) else [value]:
                arguments += [option.opts[0]] if isinstance(one, bool) else [option.opts[0], str(one)]
    return arguments


def _lasting(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a run that goes on takes over."""
    return {name: value for name, value in texts.items() if name not in _MOMENTARY}


def _resumed(task: TaskEntry, name: str, folder: Path, past: Past, options: dict[str, Any]) -> Run:
    """Prepare a run that goes on.

    Raises:
        PentaryError: the options or the data are those of another run, or the steps are fewer than were made.
    """
    step, then = past.checkpoint.step, past.checkpoint.facts["config"]
    if options["steps"] < step:
        raise PentaryError(f"the run in {folder} has made {step:,} steps: --steps {options['steps']:,} is less")
    try:
        run = task.start(name, **options, past=past)
    except PentaryError:
        _compare(folder, then, task.start(name, **options))  # what differs says more than what cannot be used
        raise
    _compare(folder, then, run)
    if options["steps"] == step:  # it may have been killed while its last files were written
        say(f"The run has made all its {step:,} steps; what it has come to is written again. --steps takes more.")
    return run


def _compare(folder: Path, then: Mapping[str, Any], run: Run) -> None:
    """Raise PentaryError if a run is another one than that of a configuration."""
    if different := differences(then, json.loads(json.dumps(run.config())), _FREE):
        raise PentaryError(
            f"this is another run than that in {folder}: {'; '.join(different)}; leave such options out, or begin anew"
        )


@contextmanager
def _of_such_a_run(folder: Path, past: Past) -> Iterator[None]:
    """Turn what a checkpoint with senseless facts leads to in the body into a message."""
    try:
        yield
    except PentaryError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        step, why = past.checkpoint.step, f"{type(error).__name__}, {error}"
        raise PentaryError(f"the checkpoint of step {step:,} in {folder} is not of such a run: {why}") from error


def _conduct(run: Run, folder: RunFolder, show: Show) -> tuple[dict[str, Any], BaseException | None]:
    """Train, keep every record, and finish the folder whatever ends the run.

    Returns:
        The result, and what ended the run before its time.
    """
    failure: BaseException | None = None
    records = run.records()

    def keep(record: Record | None) -> None:
        with deferred():
            if record is not None:
                folder.add(record)
            folder.keep()
        if record is not None:
            show(record)

    try:
        for record in records:
            try:
                keep(record)
            except BaseException as error:
                keep(records.throw(error))  # a record of what has been done since the last one; if none, the error
                raise
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
