"""Waveforms for GTKWave, Surfer and other viewers: a value change dump, in which a nanosecond is a cycle.

Texts are of the type `string`, an extension that these viewers know; pents are spelled `=-012`.
"""

from collections.abc import Iterator
from typing import Any, Final

from vcd import VCDWriter
from vcd.writer import Variable

from pentary.files import GrowingFile
from pentary.isa.table import REGISTERS
from pentary.program import Program
from pentary.text import format_pents
from pentary_sim.events import CAUSES, NONE, UNITS
from pentary_sim.trace.writer import STAGES, Event, Instruction, Trace

# Signals by scope, each a name and a type of VCD.
_PLACE: Final = {"pc": "integer", "instruction": "string"}
_UNIT: Final = {**_PLACE, "busy": "wire", "waiting": "integer"}
_REGISTERS: Final = [f"P{register}" for register in range(REGISTERS)]
_SCOPES: Final = {
    **{f"pipeline.{stage}": _PLACE for stage in STAGES},
    "pipeline.memory": {**_PLACE, "address": "integer"},
    "pipeline.lost": {"cause": "string"},
    **{f"units.{unit}": _UNIT for unit in UNITS[1:]},
    "registers.pents": dict.fromkeys(_REGISTERS[1:], "string"),
    "registers.numbers": dict.fromkeys(_REGISTERS[1:], "integer"),
}
_WIDTHS: Final = {"wire": 1, "integer": 64, "string": 1}
_COUNTED: Final = ("busy", "waiting")  # changed in steps of one; the others are set

_Record = tuple[int, tuple[Variable, Any]]


class VcdTrace(Trace):
    """The signals, by scope.

    pipeline.fetch, .decode, .execute, .memory, .writeback
        pc and instruction in the stage; in .memory also the address that it accesses.
    pipeline.lost
        cause to which the cycles between two retirements are charged.
    units.vector, .memory, .crossbar, .lowrank
        pc and instruction that keeps the unit; busy until all are complete; waiting: how many are in the queue.
    registers.pents, registers.numbers
        P1 to P31, both ways. A value appears in the writeback of its writer, or when a unit delivers it.

    What is not there, and a register before its first write, is z or an empty text.
    """

    alphabet_is_ascii = True

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Declare the signals."""
        super().__init__(file, program)
        # Without a date, equal runs give equal files.
        self._vcd = VCDWriter(file, timescale="1 ns", date="", comment="a nanosecond is one cycle")
        self._signals: dict[tuple[str, str], Variable] = {}
        self._counts: dict[Variable, int] = {}
        for scope, signals in _SCOPES.items():
            for name, kind in signals.items():
                initial = 0 if name in _COUNTED else "" if kind == "string" else "z"
                signal = self._vcd.register_var(scope, name, kind, _WIDTHS[kind], initial)
                self._signals[scope, name] = signal
                if name in _COUNTED:
                    self._counts[signal] = 0

    def records(self, number: int, event: Event, instruction: Instruction, pents: str) -> Iterator[_Record]:
        """Give the changes that an instruction makes."""
        place = {"pc": event.pc, "instruction": instruction.text}
        for stage, first, end in event.stages:
            yield from self._span(f"pipeline.{stage}", place, first, end)
        if event.address != NONE:
            yield from self._span("pipeline.memory", {"address": event.address}, event.memory, event.writeback)
        if event.lost:
            first = event.writeback - event.lost
            yield from self._span("pipeline.lost", {"cause": CAUSES[event.cause]}, first, event.writeback)
        if event.start != NONE:
            unit = f"units.{UNITS[event.unit]}"
            yield from self._span(unit, place, event.start, event.free)
            for name, first, end in (("waiting", event.memory, event.start), ("busy", event.start, event.done)):
                yield first, (self._signals[unit, name], 1)
                yield end, (self._signals[unit, name], -1)
        for register, value in instruction.writes(event).items():
            name, known = _REGISTERS[register], max(event.writeback, event.done)
            spelled = pents if value == event.value else format_pents(value, ascii=True)
            yield known, (self._signals["registers.pents", name], spelled)
            yield known, (self._signals["registers.numbers", name], value)

    def write(self, cycle: int, records: list[tuple[Variable, Any]]) -> None:
        """Write the last change of each signal: what one instruction leaves, the next has entered."""
        changes: dict[Variable, Any] = {}
        for signal, value in records:
            if signal in self._counts:
                self._counts[signal] += value
                value = min(self._counts[signal], 1) if signal.size == 1 else self._counts[signal]
            changes[signal] = value
        for signal, value in changes.items():
            self._vcd.change(signal, cycle, value)

    def finish(self) -> None:
        """Write the header if nothing has changed yet; a dump has no end mark."""
        self._vcd.close()

    def _span(self, scope: str, values: dict[str, Any], first: int, end: int) -> Iterator[_Record]:
        for name, value in values.items():
            signal = self._signals[scope, name]
            yield first, (signal, value)
            yield end, (signal, "" if isinstance(value, str) else None)
