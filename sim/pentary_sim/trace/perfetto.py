"""Timelines for Perfetto (https://ui.perfetto.dev) and chrome://tracing: trace events in JSON.

These viewers measure time in microseconds; one microsecond stands for one cycle.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pentary.isa.program import Program
from pentary.support.files import GrowingFile
from pentary_sim.events import CAUSES, NONE, UNITS, spelled
from pentary_sim.trace.writer import STAGES, Event, Instruction, Trace

_TRACKS: Final = {
    name: number for number, name in enumerate((*STAGES, "lost cycles", *(f"{u} unit" for u in UNITS[1:])), 1)
}


class PerfettoTrace(Trace):
    """Perfetto timeline: a track for each stage and each unit, one for lost cycles by cause, a counter for each queue.

    Details of an instruction are attached to its slices in execute and in its unit. A fault is a mark across all
    tracks.
    """

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Write the names of the tracks."""
        super().__init__(file, program)
        self._waiting: Counter[str] = Counter()
        named = [("process_name", 0, {"name": "pentary"})]
        for name, track in _TRACKS.items():
            named += [("thread_name", track, {"name": name}), ("thread_sort_index", track, {"sort_index": track})]
        lines = (json.dumps({"ph": "M", "pid": 1, "tid": tid, "name": name, "args": args}) for name, tid, args in named)
        file.write('{"traceEvents": [\n' + ",\n".join(lines))

    def records(
        self, number: int, event: Event, instruction: Instruction, pents: str, elements: str
    ) -> Iterator[tuple[int, str | tuple[str, int]]]:
        """Yield slices of an instruction and changes (unit, +1 or -1) of queue occupancy, each with its cycle."""
        name, details = _json(instruction.text), _json(instruction.details(event, pents, elements))
        stages = event.stages
        for stage, first, end in stages:
            told = stage == "execute" or (event.fault and first == stages[-1][1])
            yield first, _slice(stage, first, end, name, details if told else None)
        if event.fault:
            stage, first, _ = stages[-1]
            yield (
                first,
                f'{{"ph": "i", "s": "g", {_on(stage, first)}, "name": {_json(spelled(event.fault))}}}',
            )
        if event.lost:
            first = event.writeback - event.lost
            told = _json({"instruction": instruction.text, "at": instruction.place})
            yield first, _slice("lost cycles", first, event.writeback, _json(CAUSES[event.cause]), told)
        if event.start != NONE:
            unit = UNITS[event.unit]
            yield event.memory, (unit, 1)
            yield event.start, (unit, -1)
            yield event.start, _slice(f"{unit} unit", event.start, event.free, name, details)

    def write(self, cycle: int, records: list[str | tuple[str, int]]) -> None:
        """Write the slices that begin in a cycle, and the queue counters that change."""
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
        """Close the JSON list."""
        self.file.write("\n]}\n")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _on(track: str, cycle: int) -> str:
    return f'"pid": 1, "tid": {_TRACKS[track]}, "ts": {cycle}'


def _slice(track: str, first: int, end: int, name: str, args: str | None) -> str:
    """Return a slice as JSON; `name` and `args` are JSON already."""
    told = f', "args": {args}' if args else ""
    return f'{{"ph": "X", {_on(track, first)}, "dur": {end - first}, "name": {name}{told}}}'
