"""Timelines for Perfetto (https://ui.perfetto.dev) and chrome://tracing: trace events in JSON.

These viewers know time only in microseconds, so one stands for a cycle.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pentary.files import GrowingFile
from pentary.program import Program
from pentary_sim.events import CAUSES, NONE, UNITS
from pentary_sim.trace.writer import STAGES, Event, Instruction, Trace

_TRACKS: Final = {
    name: number for number, name in enumerate((*STAGES, "lost cycles", *(f"{u} unit" for u in UNITS[1:])), 1)
}


class PerfettoTrace(Trace):
    """A track for each stage, one for lost cycles by cause, one for each unit, and how many wait in each queue.

    What an instruction did is told with its slice in execute, and again with that in its unit.
    """

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Name the tracks."""
        super().__init__(file, program)
        self._waiting: Counter[str] = Counter()
        named = [("process_name", 0, {"name": "pentary"})]
        for name, track in _TRACKS.items():
            named += [("thread_name", track, {"name": name}), ("thread_sort_index", track, {"sort_index": track})]
        lines = (json.dumps({"ph": "M", "pid": 1, "tid": tid, "name": name, "args": args}) for name, tid, args in named)
        file.write('{"traceEvents": [\n' + ",\n".join(lines))

    def records(
        self, number: int, event: Event, instruction: Instruction, pents: str
    ) -> Iterator[tuple[int, str | tuple[str, int]]]:
        """Give the slices of an instruction, and the steps of its unit's queue."""
        details = instruction.details(event, pents)
        for stage, first, end in event.stages:
            yield first, _slice(stage, first, end, instruction.text, details if stage == "execute" else None)
        if event.lost:
            first = event.writeback - event.lost
            told = {"instruction": instruction.text, "at": instruction.place}
            yield first, _slice("lost cycles", first, event.writeback, CAUSES[event.cause], told)
        if event.start != NONE:
            unit = UNITS[event.unit]
            yield event.memory, (unit, 1)
            yield event.start, (unit, -1)
            yield event.start, _slice(f"{unit} unit", event.start, event.free, instruction.text, details)

    def write(self, cycle: int, records: list[str | tuple[str, int]]) -> None:
        """Write the slices that begin in a cycle, and the queues that change."""
        before = self._waiting.copy()
        for record in records:
            if isinstance(record, str):
                self.file.write(f",\n{record}")
            else:
                self._waiting[record[0]] += record[1]
        for unit, count in self._waiting.items():
            if count != before[unit]:
                counter = {"ph": "C", "pid": 1, "ts": cycle, "name": f"{unit} queue", "args": {"waiting": count}}
                self.file.write(f",\n{json.dumps(counter)}")

    def finish(self) -> None:
        """End the list."""
        self.file.write("\n]}\n")


def _slice(track: str, first: int, end: int, name: str, args: Mapping[str, Any] | None) -> str:
    told = f', "args": {json.dumps(args)}' if args else ""
    return (
        f'{{"ph": "X", "pid": 1, "tid": {_TRACKS[track]}, "ts": {first}, "dur": {end - first}, '
        f'"name": {json.dumps(name)}{told}}}'
    )
