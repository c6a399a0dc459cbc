"""A program: what the assembler makes, an object file holds, and every engine loads."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import PentaryError


class Source(NamedTuple):
    """Where an instruction was written: file and line, counted from 1, and the line itself."""

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
        sources: for each instruction where it was written; empty if that is not known.
    """

    image: NDArray[np.int64]
    text: int
    size: int
    symbols: dict[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    def address(self, label: str) -> int:
        """Give the address of a label.

        Raises:
            PentaryError: the program has no such label.
        """
        if label not in self.labels:
            raise PentaryError(f"the program has no label {label!r}")
        return self.symbols[label]

    def label_names(self) -> dict[int, str]:
        """Give the label at each address that has one; the first of several."""
        return {self.symbols[label]: label for label in reversed(self.labels)}

    def place(self, pc: int) -> str:
        """Describe an address for people: the label at or before it, and the source line if it is known.

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
    """An exception of the machine; it ends the program, and the instruction at fault has changed nothing.

    Attributes:
        kind: "illegal instruction", "fetch", "memory", "overflow", "divide" or "operand".
        pc: address of the instruction; of a fetch fault, the address outside the program.
        origin: address of the instruction executed before it, None at the start.
        detail: what was wrong, in words.
    """

    def __init__(self, kind: str, pc: int, detail: str, origin: int | None = None) -> None:
        """Keep the parts; the message is one line."""
        super().__init__(f"{kind} fault at {pc}: {detail}")
        self.kind, self.pc, self.detail, self.origin = kind, pc, detail, origin
