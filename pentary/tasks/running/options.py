"""Options of `pentary train`, and the entry that a task makes of them for the command line."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from pentary.lowrank.operations import check_shape
from pentary.nets.products import NAMES
from pentary.numbers.word import PentaryError
from pentary.runs.run import Run


@dataclass(frozen=True)
class TaskEntry:
    """A task on the command line.

    Attributes:
        name: as given to `pentary train`; with a colon, what stands for every name that has one.
        help: text of its `--help`; the first line, without a full stop, is also in the list of tasks.
        options: its own options beside those of all tasks, `COMMON`.
        start: prepares a run: called with the name that was given, and each option that was given by its name.
    """

    name: str
    help: str
    options: Sequence[click.Option]
    start: Callable[..., Run]


def _shape(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """Return the numbers of ROWSxCOLUMNS."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", text)
    if match is None:
        raise PentaryError(f"shape {text!r} is not ROWSxCOLUMNS, such as 64x64")
    rows, cols = int(match[1]), int(match[2])
    check_shape(rows, cols, rank=1)
    return rows, cols


POPULATION: Final = click.Option(["--population"], type=int, help="Members evaluated in a step; even.")

COMMON: Final = (
    click.Option(["--steps"], type=int, help="Updates of the weights."),
    click.Option(["--seed"], type=int, help="Number that, with the other options, determines the run."),
)
"""Options of every task."""

EVOLUTION: Final = (
    POPULATION,
    click.Option(["--rank"], type=int, help="Rank of the perturbations."),
    click.Option(["--perturb"], type=click.Choice(["factored", "quantized"]), help="Kind of members."),
    click.Option(["--shift"], type=int, help="Factored perturbations are A B^T / 5**SHIFT levels, 1 to 3."),
)
"""Options of tasks whose population is that of `pentary.es`."""

SHAPE: Final = click.Option(
    ["--shape"], metavar="MxN", callback=_shape, help="Rows and columns of the weight matrix; 64x64 if not given."
)

BACKEND: Final = click.Option(
    ["--backend"],
    type=click.Choice(NAMES),
    help="What multiplies; numpy if not given. int8 needs pentary[int8].",
)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value not in (None, ())}
