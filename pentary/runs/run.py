"""Interface of training runs of any task, for the command line and the run folder."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pentary.runs.checkpoint import Checkpoint
from pentary.runs.health import Health


@dataclass(frozen=True)
class Record:
    """What is recorded and displayed at one point of a run.

    Attributes:
        step: updates done.
        line: of `steps.jsonl`, a JSON object.
        figures: short text for the progress display.
        health: of every matrix.
        warning: one sentence, to be displayed at once; None if there is no new warning.
    """

    step: int
    line: Mapping[str, Any]
    figures: str
    health: Mapping[str, Health]
    warning: str | None = None


class Run(Protocol):
    """A training run.

    Attributes:
        name: of what is trained.
        seed: of the run.
        steps: updates in the run.
        step: updates done, of which the last ones may have no record yet.
        last: the last record, even if the run was broken off before it was yielded; None before the first.
    """

    name: str
    seed: int
    steps: int
    last: Record | None

    @property
    def step(self) -> int:
        """Updates done."""
        ...

    def config(self) -> dict[str, Any]:
        """Return everything that determines the run, as JSON values by name."""
        ...

    def records(self) -> Generator[Record | None, None, None]:
        """Train; yield a record at the start, and from time to time up to the end, None after a step without one.

        A run that goes on has no record of its start.
        """
        ...

    def close(self) -> None:
        """End what trains: processes, for example."""
        ...

    def checkpoint(self) -> Checkpoint:
        """Return all from which the run goes on after the last step."""
        ...

    def result(self) -> dict[str, Any]:
        """Return the results up to the last record by name; a warning, if any, is called "warning"."""
        ...

    def weights(self) -> bytes:
        """Return the weights at the last record as the content of a safetensors file."""
        ...

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Draw the run up to the last record: yield names of PNG files and their contents."""
        ...

    def summary(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return the main results as texts by name, for display."""
        ...
