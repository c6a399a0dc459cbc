"""Base of the trace writers: converts events to records of the format, and writes these in the order of cycles."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from math import inf
from typing import Any, Final, NamedTuple, Self

import numpy as np

from pentary.asm import disassemble_word
from pentary.isa.encoding import IllegalInstruction, decode, operands
from pentary.isa.program import Program
from pentary.isa.system import CSRS
from pentary.isa.table import CONTROLS, LINK, STACK
from pentary.numbers.alu import Flags
from pentary.numbers.notation import format_pents
from pentary.numbers.word import PENTS, PentaryError
from pentary.support.files import GrowingFile
from pentary_sim.events import CAUSES, EVENT, FAULTS, INTERRUPTS, NONE, UNITS, Events

STAGES: Final = ("fetch", "decode", "execute", "memory", "writeback")

_BATCH: Final = 4096  # events converted at a time

_IMPLIED_SOURCES: Final = {"PUSH": (STACK,), "POP": (STACK,), "RET": (LINK,)}
_FLAG_NAMES: Final = [" ".join(flag.name or "" for flag in Flags if flag & number) for number in range(64)]


class Event(NamedTuple):
    """A record of `pentary_sim.events.EVENT` as Python integers, which are faster to access individually."""

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
    flags: int
    acc_high: int
    acc_low: int
    vector: int
    fault: int

    @property
    def stages(self) -> list[tuple[str, int, int]]:
        """Stages passed, each as (name, first cycle, cycle after the last); the stage of a fault takes one cycle."""
        entered = [cycle for cycle in self[2:7] if cycle != NONE]
        ends = [*entered[1:], entered[-1] + 1]
        return list(zip(STAGES, entered, ends, strict=False))  # a fault has fewer stages

    @property
    def complete(self) -> int:
        """First cycle in which the instruction is in neither the pipeline nor a unit."""
        return max(self.writeback + 1, self.done) if not self.fault else self.stages[-1][2]


assert Event._fields == EVENT.names


class Instruction:
    """Static information on the instruction at an address.

    Attributes:
        text: disassembled instruction.
        label: label at its address, or None.
        place: label and source line.
        sources: scalar registers that it reads, without P0.
        vector: name of the vector register that it writes, or None.
        flags: whether it writes the flags.
        accumulator: whether it writes ACC.
    """

    def __init__(self, program: Program, pc: int, labels: dict[int, str]) -> None:
        """Decode the instruction at pc; outside the text section there is none."""
        self.label = labels.get(pc)
        self._mnemonic = self._named = self._csr = ""
        self.sources: list[int] = []
        self.vector: str | None = None
        self.flags = self.accumulator = False
        if not 0 <= pc < program.text:
            self.text, self.place = "no instruction", str(pc)
            return
        word = int(program.image[pc])
        self.text = " ".join(disassemble_word(word, pc, labels).split())  # without the alignment into columns
        self.place = program.place(pc)
        with suppress(IllegalInstruction):
            decoded = decode(word)
            fields = {name: getattr(decoded, o.field) for name, o in operands(decoded.instruction)}
            self._mnemonic = name = decoded.instruction.name
            read = {fields[role] for role in ("rs", "rt", "ru") if role in fields}
            self.sources = sorted(read.union(_IMPLIED_SOURCES.get(name, ())) - {0})
            self.vector = f"V{fields['vd']}" if "vd" in fields else None
            self.flags = bool(decoded.instruction.flags) or name == "TRET"
            self.accumulator = name in ("MAC", "ACCSET")
            if name == "LRSET":
                self._named = list(CONTROLS)[fields["cd"]]
            elif name in ("POPEVAL", "FITGET"):
                self._named = f"F{fields['fd' if name == 'POPEVAL' else 'fs']}"
            elif name == "CSRW":
                self._csr = list(CSRS)[fields["sd"]]
            elif name == "SETVL":
                self._named = "VL"

    def writes(self, event: Event) -> dict[int, int]:
        """Return the values written to scalar registers, by register number."""
        if event.fault:
            return {}
        if self._mnemonic == "PUSH":
            return {STACK: event.address}
        written = {STACK: event.address + 1} if self._mnemonic == "POP" else {}
        if event.register > 0:
            written[event.register] = event.value
        return written

    def writes_named(self, event: Event) -> dict[str, int]:
        """Return the value written to VL, a control register or a fitness accumulator, by register name."""
        if event.fault or not self._named:
            return {}
        return {self._named: 0 if self._mnemonic == "FITGET" else event.value}

    def details(self, event: Event, pents: str, elements: str) -> dict[str, str]:
        """Return the effects of an execution as text, by heading.

        Args:
            event: record of the execution.
            pents: its value, in pents.
            elements: the vector written, formatted by `spell_elements`.
        """
        told = {"at": self.place}
        if event.fault:
            kind, is_interrupt = FAULTS[event.fault], event.fault in INTERRUPTS
            told["interrupt" if is_interrupt else "fault"] = kind.removesuffix(" interrupt")
        elif self._mnemonic in ("STORE", "PUSH"):
            told["stores"] = f"{event.value} = {pents}"
        elif event.register > 0:
            told[f"P{event.register}"] = f"{event.value} = {pents}"
        elif self._csr:
            told[self._csr] = str(event.value)
        told |= {name: str(value) for name, value in self.writes_named(event).items()}
        if self.flags and not event.fault:
            told["flags"] = _FLAG_NAMES[event.flags]
        if self.accumulator and not event.fault:
            told["ACC"] = " = ".join(map(str, accumulator(event)))
        if self.vector and not event.fault:
            told[self.vector] = elements
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


def accumulator(event: Event, ascii: bool = False) -> tuple[int, str]:
    """Return ACC after an instruction, as a number and in pents."""
    high, low = (format_pents(half, ascii=ascii) for half in (event.acc_high, event.acc_low))
    return event.acc_high * 5**PENTS + event.acc_low, high + low


def spell_elements(vector: Sequence[int]) -> str:
    """Return the elements of a vector up to the last that is not 0, separated by commas.

    >>> spell_elements([120, 0, -7, 0, 0]), spell_elements([0, 0])
    ('120,0,-7', '0')
    """
    length = len(vector)
    while length > 1 and not vector[length - 1]:
        length -= 1
    return ",".join(map(str, vector[:length]))


class Trace(ABC):
    """Abstract writer of a trace file; each format is a subclass.

    Attributes:
        cycles: first and last cycle to be traced; only instructions that are in the pipeline or a unit in one of these
            cycles are written.
    """

    alphabet_is_ascii = False

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Create a writer.

        Args:
            file: the output file; `close` closes it.
            program: the program that runs.
        """
        self.file = file
        self.cycles: tuple[float, float] = (0, inf)
        self._program = program
        self._instructions: dict[int, Instruction] = {}
        self._count = 0
        self._pending: defaultdict[int, list[Any]] = defaultdict(list)  # records, by cycle

    def add(self, events: Events) -> None:
        """Write the records of some instructions.

        Args:
            events: events in program order, following those added before.

        Raises:
            PentaryError: the file cannot be written; it is discarded.
        """
        first_cycle, last_cycle = self.cycles
        records, vectors = events
        # The stages after that of a fault are NONE.
        complete = np.maximum(np.maximum.reduce([records[stage] for stage in STAGES]) + 1, records["done"])
        records = records[(records["fetch"] <= last_cycle) & (complete > first_cycle)]
        with self._writing():
            for first in range(0, len(records), _BATCH):
                batch = records[first : first + _BATCH]
                spelled = format_pents(batch["value"], ascii=self.alphabet_is_ascii).tolist()
                for row, pents in zip(batch.tolist(), spelled, strict=True):
                    event = Event._make(row)
                    elements = "" if event.vector == NONE else spell_elements(vectors[event.vector].tolist())
                    told = self.records(self._count, event, self._instruction(event.pc), pents, elements)
                    for cycle, record in told:
                        self._pending[cycle].append(record)
                    self._count += 1
                # Later instructions have no records before their fetch, and fetches are in order.
                self._release(batch["fetch"][-1].item())

    def close(self) -> None:
        """Write the remaining records and close the file; do nothing if it is closed already.

        Raises:
            PentaryError: the file cannot be written; it is discarded.
        """
        if not self.file.closed:
            with self._writing(), self.file:
                self._release(inf)
                self.finish()

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file, also after an error, since a trace up to a fault is useful."""
        self.close()

    @abstractmethod
    def records(
        self, number: int, event: Event, instruction: Instruction, pents: str, elements: str
    ) -> Iterator[tuple[int, Any]]:
        """Yield the format's records of an instruction as (cycle, record).

        Args:
            number: sequence number of the instruction in the trace, from 0.
            event: record of its execution.
            instruction: static information on it.
            pents: its value, in pents.
            elements: the vector written, formatted by `spell_elements`; empty if none.
        """

    @abstractmethod
    def write(self, cycle: int, records: list[Any]) -> None:
        """Write all records of a cycle; cycles come in ascending order, records of a cycle in program order."""

    @abstractmethod
    def finish(self) -> None:
        """Write the trailer of the file."""

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.file.discard()
            raise PentaryError(f"cannot write the trace {self.file.name}: {error.strerror or error}") from None

    def _release(self, before: float) -> None:
        for cycle in sorted(cycle for cycle in self._pending if cycle < before):
            self.write(cycle, self._pending.pop(cycle))

    def _instruction(self, pc: int) -> Instruction:
        known = self._instructions.get(pc)
        if known is None:
            known = self._instructions[pc] = Instruction(self._program, pc, self._labels)
        return known

    @cached_property
    def _labels(self) -> dict[int, str]:
        return self._program.label_names()
