"""Programs as the assembler makes them, object files hold them and every engine loads them; and machine faults."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import PentaryError


class Source(NamedTuple):
    """Source location of an instruction: file, line number from 1, and the line itself."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Program:
    """A program, to be loaded at address 0.

    Attributes:
        image: (n,) int64 words: the instructions, then the data.
        text: number of instructions; a machine runs and protects these addresses.
        size: words of memory that the program takes, at least n; those past the image start as 0.
        symbols: address of each label, value of each constant.
        labels: names of the symbols that are labels, in the order of their addresses.
        sources: source location of each instruction; empty if not known.
    """

    image: NDArray[np.int64]
    text: int
    size: int
    symbols: dict[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    def address(self, label: str) -> int:
        """Return the address of a label.

        Raises:
            PentaryError: the program has no such label.
        """
        if label not in self.labels:
            raise PentaryError(f"the program has no label {label!r}")
        return self.symbols[label]

    def label_names(self) -> dict[int, str]:
        """Return the label at each address that has one, the first of several."""
        return {self.symbols[label]: label for label in reversed(self.labels)}

    def place(self, pc: int) -> str:
        """Return a readable form of an address: the label at or before it, and the source line if it is known.

        >>> program = Program(np.zeros(3, np.int64), 3, 3, {"start": 0}, ("start",), (Source("a.s", 1, "NOP"),) * 3)
        >>> program.place(2)
        'start+2 (a.s:1)'
        """
        before = [label for label in self.labels if self.symbols[label] <= pc]
        name = str(pc)
        if before:
            offset = pc - self.symbols[before[-1]]
            name = f"{before[-1]}+{offset}" if offset else before[-1]
        if not 0 <= pc < len(self.sources):
            return name
        return f"{name} ({self.sources[pc].file}:{self.sources[pc].line})"


class Fault(PentaryError):
    """A machine exception that ends the program, since no handler takes it; the instruction has changed no state.

    Attributes:
        kind: "illegal instruction", "fetch", "memory", "overflow", "divide" or "operand"; or "double" for any of them
            in a trap handler that has not cleared TRAPPED.
        pc: address of the instruction; of a fetch fault, the address outside the program.
        origin: address of the instruction executed before it, None at the start.
        detail: what was wrong, in words.
    """

    def __init__(self, kind: str, pc: int, detail: str, origin: int | None = None) -> None:
        """Create a fault with a one-line message."""
        super().__init__(f"{kind} fault at {pc}: {detail}")
        self.kind, self.pc, self.detail, self.origin = kind, pc, detail, origin
