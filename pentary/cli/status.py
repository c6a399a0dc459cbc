"""The command `status`: where a run stands."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, json_option
from pentary.cli.table import table
from pentary.runs.status import Status, status

_MOMENT: Final = 1.0
"""Seconds between two looks."""


@click.command("status")
@click.argument("run", type=FILE)
@click.option("--watch", is_flag=True, help="Look again every second, as long as the run goes on.")
@json_option()
def show(run: Path, watch: bool, as_json: bool) -> None:
    """Show the progress of the run in the folder RUN, also while it trains.

    \b
    Examples:
      pentary status runs/text-seed0
      pentary status runs/text-seed0 --watch
    """
    with exit_status():
        if not watch:
            found = status(run)
            click.echo(json.dumps(asdict(found)) if as_json else table(rows(found, run)))
        elif as_json or not sys.stdout.isatty():
            _lines(run, as_json)
        else:
            _live(run)


def rows(found: Status, run: Path) -> dict[str, str]:
    """Return what a person wants to know, as texts by name."""
    state = f"{found.state}{f', {found.detail}' if found.detail else ''}"
    if found.state in ("stopped", "interrupted"):
        state += f"; pentary train --resume {run} goes on"
    told = {
        "task": f"{found.task}, engine {found.engine}",
        "state": state,
        "step": f"{found.step:,} of {found.steps:,}",
    }
    if found.seconds_left is not None:
        told["to go"] = f"about {_time(found.seconds_left)}"
    told["measured"] = f"at step {found.recorded:,}, after {_time(found.seconds)}"
    for name in ("fitness", "bits_per_byte_validation", "test_accuracy", "test_r2", "cycles", "digest"):
        if name in found.figures:
            told[name.replace("_", " ")] = _number(found.figures[name])
    if found.checkpoint is not None and found.checkpoint_age is not None:
        told["checkpoint"] = f"of step {found.checkpoint:,}, {_time(found.checkpoint_age)} ago"
    return told


def _lines(run: Path, as_json: bool) -> None:
    """Print a line whenever something is new, up to the end of the run."""
    before = ""
    while True:
        found = status(run)
        facts = asdict(found) | {"checkpoint_age": None, "seconds_left": None}
        if (now := json.dumps(facts)) != before:
            line = "  ".join(f"{name} {value}" for name, value in rows(found, run).items() if name != "digest")
            click.echo(json.dumps(asdict(found)) if as_json else line)
        if found.state != "running":
            return
        before = now
        time.sleep(_MOMENT)


def _live(run: Path) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(refresh_per_second=4) as live:
        while True:
            found = status(run)
            live.update(Text(table(rows(found, run))))
            if found.state != "running":
                return
            time.sleep(_MOMENT)


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _time(seconds: float) -> str:
    """Return a span of time as people write it.

    >>> [_time(seconds) for seconds in (3.21, 75, 7322)]
    ['3.2 s', '1 min 15 s', '2 h 2 min']
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
