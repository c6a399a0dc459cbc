"""A training run as the command line and the run folder see it, whatever is trained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pentary.runs.health import Health


@dataclass(frozen=True)
class Record:
    """What is told at one moment of a run.

    Attributes:
        step: updates done.
        line: for `steps.jsonl`.
        figures: for the progress display, in a few words.
        health: of every matrix.
        warning: what a person should know at once, in a sentence; each is told once.
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
    """

    name: str
    seed: int
    steps: int

    def config(self) -> dict[str, Any]:
        """Give everything that determines the run."""
        ...

    def records(self) -> Iterator[Record]:
        """Train; yield a record at the start, and from time to time up to the end."""
        ...

    def result(self) -> dict[str, Any]:
        """Give what the run has come to, up to the last record; a warning under that name."""
        ...

    def weights(self) -> bytes:
        """Give the weights of the last record as a safetensors file."""
        ...

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Draw the run up to the last record: names of PNG files and their contents."""
        ...

    def summary(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Give what a person wants to know of the result, by name."""
        ...
