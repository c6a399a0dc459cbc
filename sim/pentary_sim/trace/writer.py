"""What the writers of all formats share: events become records, and records leave in the order of their cycles."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby, pairwise
from math import inf
from operator import itemgetter
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pentary.asm import disassemble_word
from pentary.files import GrowingFile
from pentary.isa.encoding import decode, operands
from pentary.isa.table import LINK, STACK
from pentary.program import Program
from pentary.text import format_pents
from pentary.word import PentaryError
from pentary_sim.events import CAUSES, EVENT, NONE, UNITS

STAGES: Final = ("fetch", "decode", "execute", "memory", "writeback")

_BATCH: Final = 4096  # events whose records are held at a time

_IMPLIED_SOURCES: Final = {"PUSH": (STACK,), "POP": (STACK,), "RET": (LINK,)}


class Event(NamedTuple):
    """A record of `pentary_sim.events.EVENT` in Python's own numbers, which are faster one at a time."""

    pc: int
    unit: int
    fetch: int
    decode: int
    execute: int
    memory: int
    writeback: int
    start: int
    free: int
    done: int
    register: int
    value: int
    address: int
    lost: int
    cause: int
    mispredicted: bool

    @property
    def stages(self) -> list[tuple[str, int, int]]:
        """Each stage with its first cycle and the one after its last."""
        edges = (*self[2:7], self.writeback + 1)
        return [(stage, *span) for stage, span in zip(STAGES, pairwise(edges), strict=True)]

    @property
    def complete(self) -> int:
        """The cycle in which neither the pipeline nor a unit is at work on the instruction any more."""
        return max(self.writeback + 1, self.done)


assert Event._fields == EVENT.names


class Instruction:
    """What a trace tells of the instruction at an address, whenever it runs."""

    def __init__(self, program: Program, pc: int, labels: dict[int, str]) -> None:
        """Look it up."""
        word = int(program.image[pc])
        decoded = decode(word)
        self.mnemonic = decoded.instruction.name
        self.text = " ".join(disassemble_word(word, pc, labels).split())  # no columns in a narrow slice
        self.label = labels.get(pc)
        self.place = program.place(pc)
        read = {getattr(decoded, o.field) for name, o in operands(decoded.instruction) if name in ("rs", "rt", "ru")}
        self.sources = sorted(read.union(_IMPLIED_SOURCES.get(self.mnemonic, ())) - {0})

    def writes(self, event: Event) -> dict[int, int]:
        """Give the registers that it wrote, with their values."""
        written = {}
        if self.mnemonic == "PUSH":
            return {STACK: event.address}
        if self.mnemonic == "POP":
            written[STACK] = event.address + 1
        if event.register > 0:
            written[event.register] = event.value
        return written

    def details(self, event: Event, pents: str) -> dict[str, str]:
        """Describe what it did, by headings.

        Args:
            event: the record.
            pents: its value, spelled.
        """
        told = {"at": self.place}
        value = f"{event.value} = {pents}"
        if self.mnemonic in ("STORE", "PUSH"):
            told["stores"] = value
        elif event.register > 0:
            told[f"P{event.register}"] = value
        if event.address != NONE:
            told["address"] = str(event.address)
        if event.lost:
            told["lost cycles"] = f"{event.lost} ({CAUSES[event.cause]})"
        if event.mispredicted:
            told["predicted"] = "wrongly"
        if event.start != NONE:
            told[f"{UNITS[event.unit]} unit"] = (
                f"arrives in cycle {event.memory}, starts {event.start}, free {event.free}, complete {event.done}"
            )
        return told


class Trace(ABC):
    """A trace that is being written; the formats are its subclasses.

    Attributes:
        cycles: the first and the last to be traced: of the instructions that are added, those that the pipeline or a
            unit is at work on in one of these cycles are written.
    """

    alphabet_is_ascii = False

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Begin.

        Args:
            file: where to write; `close` closes it.
            program: what runs.
        """
        self.file = file
        self.cycles: tuple[float, float] = (0, inf)
        self._program = program
        self._instructions: dict[int, Instruction] = {}
        self._count = 0
        self._pending: list[tuple[int, Any]] = []

    def add(self, events: NDArray[Any]) -> None:
        """Write what instructions did.

        Args:
            events: (n,) of `pentary_sim.events.EVENT`: those that retired after the ones added before, in order.

        Raises:
            PentaryError: the file cannot be written; it is discarded.
        """
        first_cycle, last_cycle = self.cycles
        complete = np.maximum(events["writeback"] + 1, events["done"])
        events = events[(events["fetch"] <= last_cycle) & (complete > first_cycle)]
        with self._writing():
            for first in range(0, len(events), _BATCH):
                batch = events[first : first + _BATCH]
                spelled = format_pents(batch["value"], ascii=self.alphabet_is_ascii).tolist()
                for row, pents in zip(batch.tolist(), spelled, strict=True):
                    event = Event._make(row)
                    self._pending += self.records(self._count, event, self._instruction(event.pc), pents)
                    self._count += 1
                # No later instruction has a record before its own fetch, and fetches are in order.
                self._release(batch["fetch"][-1].item())

    def close(self) -> None:
        """Write what is left and close the file; nothing if it is closed.

        Raises:
            PentaryError: the file cannot be written; it is discarded.
        """
        if not self.file.closed:
            with self._writing(), self.file:
                self._release(inf)
                self.finish()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file, after an error too: what ran up to a fault is what one wants to see."""
        self.close()

    @abstractmethod
    def records(self, number: int, event: Event, instruction: Instruction, pents: str) -> Iterator[tuple[int, Any]]:
        """Give what the format has to write of an instruction, each piece with its cycle.

        Args:
            number: of the instruction in the run, from 0.
            event: what it did.
            instruction: what it is.
            pents: its value, spelled.
        """

    @abstractmethod
    def write(self, cycle: int, records: list[Any]) -> None:
        """Write all records of a cycle; cycles are in order, and within one the instructions are."""

    @abstractmethod
    def finish(self) -> None:
        """Write the end of the file."""

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.file.discard()
            raise PentaryError(f"cannot write the trace {self.file.name}: {error.strerror or error}") from None

    def _release(self, before: float) -> None:
        self._pending.sort(key=itemgetter(0))  # a stable sort: it keeps the order of the program within a cycle
        ready = bisect_left(self._pending, before, key=itemgetter(0))
        leaving, self._pending = self._pending[:ready], self._pending[ready:]
        for cycle, group in groupby(leaving, key=itemgetter(0)):
            self.write(cycle, [record for _, record in group])

    def _instruction(self, pc: int) -> Instruction:
        known = self._instructions.get(pc)
        if known is None:
            known = self._instructions[pc] = Instruction(self._program, pc, self._labels)
        return known

    @cached_property
    def _labels(self) -> dict[int, str]:
        return self._program.label_names()
