"""Pipeline diagrams for Konata: the Kanata log format, version 4.

A log consists of lines with tab-separated fields, in the order of the cycles: C advances time by some cycles, I begins
an instruction, L adds text to it (0 beside the diagram, 1 on hovering), S and E begin and end a stage in a lane, W
draws an arrow from the producer of a value to its consumer, R ends an instruction: 0 if it retires, 1 if it is flushed.
"""

from collections.abc import Iterator
from typing import Final

from pentary.isa.program import Program
from pentary.support.files import GrowingFile
from pentary_sim.events import NONE, UNITS, spelled
from pentary_sim.trace.writer import Event, Instruction, Trace

_LETTERS: Final = {"fetch": "F", "decode": "D", "execute": "X", "memory": "M", "writeback": "W"}


class KonataTrace(Trace):
    """Konata log: lane 0 shows the pipeline stages; lane 1 the other units: Q in a unit's queue, then the unit's name.

    Arrows lead to an instruction from those producers of its source registers that had not completed the write when it
    was decoded. An instruction at fault, or in whose place an interrupt is taken, ends in the stage where
    that is known and is shown as flushed.
    """

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Write the header."""
        super().__init__(file, program)
        file.write("Kanata\t0004\n")
        self._cycle: int | None = None
        self._writers: dict[int, tuple[int, int]] = {}  # by register: last writer, and cycle in which it completes

    def records(
        self, number: int, event: Event, instruction: Instruction, pents: str, elements: str
    ) -> Iterator[tuple[int, str]]:
        """Yield the log lines of an instruction with their cycles."""
        label = f"{instruction.label}: " if instruction.label else ""
        fault = f"  [{spelled(event.fault)}]" if event.fault else ""
        details = instruction.details(event, pents, elements)
        hover = "\\n".join([f"{name}: {text}" for name, text in details.items()])
        yield (
            event.fetch,
            f"I\t{number}\t{number}\t0\nL\t{number}\t0\t{event.pc}: {label}{instruction.text}{fault}\n"
            f"L\t{number}\t1\t{hover}\n",
        )
        stages = event.stages
        for stage, first, _ in stages:
            yield first, f"S\t{number}\t0\t{_LETTERS[stage]}\n"
        last, _, end = stages[-1]
        yield end, f"E\t{number}\t0\t{_LETTERS[last]}\n"
        if event.start != NONE:
            if event.start > event.memory:
                yield event.memory, f"S\t{number}\t1\tQ\n"
            yield event.start, f"S\t{number}\t1\t{UNITS[event.unit]}\n"
            yield event.done, f"E\t{number}\t1\t{UNITS[event.unit]}\n"
        if event.execute != NONE:
            for register in instruction.sources:
                producer, complete = self._writers.get(register, (0, 0))
                if complete > event.decode:
                    yield event.execute, f"W\t{number}\t{producer}\t0\n"
        complete = event.complete
        for register in instruction.writes(event):
            self._writers[register] = number, complete
        yield complete, f"R\t{number}\t{number}\t{1 if event.fault else 0}\n"

    def write(self, cycle: int, records: list[str]) -> None:
        """Write the log lines of a cycle."""
        self.file.write(f"C=\t{cycle}\n" if self._cycle is None else f"C\t{cycle - self._cycle}\n")
        self.file.writelines(records)
        self._cycle = cycle

    def finish(self) -> None:
        """Write nothing: a log has no end mark."""
