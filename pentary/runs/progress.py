"""Progress of a run: a bar and a table of health on a terminal, and elsewhere a line for every tenth of the run.

Warnings go to standard error, at once.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import click

from pentary.runs import health
from pentary.runs.health import Health
from pentary.runs.run import Record
from pentary.support.display import UNWRITABLE, say

if TYPE_CHECKING:
    from rich.table import Table

Show = Callable[[Record], None]

_TALLEST = 12  # most rows of the table, so that earlier output on the terminal stays in sight


@contextmanager
def progress(steps: int) -> Iterator[Show]:
    """Show the progress of a run: a context manager.

    Args:
        steps: updates in the run.

    Yields:
        A function to be called with every record. If the display cannot be written, since the terminal or the reader of
        a pipe has gone, it ends, and the run continues.
    """
    display = _Display(_bar(steps) if sys.stderr.isatty() else _lines(steps))
    try:
        yield display.show
    finally:
        display.close()


class _Display:
    """Progress display that ends silently when it cannot be written."""

    def __init__(self, made: AbstractContextManager[Show]) -> None:
        self._open = ExitStack()
        self._show: Show | None = None
        try:
            self._show = self._open.enter_context(made)
        except UNWRITABLE:
            self.close()

    def show(self, record: Record) -> None:
        if self._show is not None:
            try:
                self._show(record)
            except UNWRITABLE:
                self.close()

    def close(self) -> None:
        self._show = None
        with suppress(*UNWRITABLE):
            self._open.close()


@contextmanager
def _bar(steps: int) -> Iterator[Show]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    columns = (
        TextColumn("step {task.completed}/{task.total}"),
        BarColumn(bar_width=20),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns)
    task = bar.add_task("", total=steps)
    # Output of user code to the same terminal appears above the bar; output to elsewhere is left alone.
    with Live(bar, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as live:

        def show(record: Record) -> None:
            if record.warning is not None:
                live.console.print(Text(f"Warning: {record.warning}"))
            bar.update(task, completed=record.step)
            live.update(Group(bar, Text(record.figures), _table(record.health)))

        yield show


def _table(matrices: Mapping[str, Health]) -> "Table":
    from rich.table import Table

    layers = health.by_layer(matrices)
    table = Table("layer" if len(layers) < len(matrices) else "matrix", "entropy, bits", "saturated", "changed")
    table.box, table.padding = None, (0, 2)
    rows = list(layers.items())
    for name, own in rows[:_TALLEST]:
        table.add_row(name, f"{own.entropy:.2f}", f"{own.saturation:.1%}", f"{own.changed:.2%}")
    if len(rows) > _TALLEST:
        table.add_row(f"and {len(rows) - _TALLEST} more")
    return table


@contextmanager
def _lines(steps: int) -> Iterator[Show]:
    told = -1

    def show(record: Record) -> None:
        nonlocal told
        if record.warning is not None:
            say(f"Warning: {record.warning}")
        tenth = record.step * 10 // steps
        if tenth > told:
            told = tenth
            click.echo(
                f"step {record.step:{len(str(steps))}}/{steps}  {record.figures}  {health.summary(record.health)}"
            )

    yield show
