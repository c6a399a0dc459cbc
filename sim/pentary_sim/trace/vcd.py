"""Waveforms for GTKWave, Surfer and other viewers: a value change dump (VCD), one nanosecond per cycle.

Text signals use the type `string`, an extension that these viewers support; pents are spelled `=-012`.
"""

from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Final

from vcd import VCDWriter
from vcd.writer import Variable

from pentary.isa.program import Program
from pentary.isa.table import CONTROLS, FITNESS, REGISTERS, VECTORS
from pentary.numbers.alu import Flags
from pentary.numbers.notation import format_pents
from pentary.support.files import GrowingFile
from pentary_sim.events import CAUSES, FAULTS, NONE, UNITS
from pentary_sim.trace.writer import STAGES, Event, Instruction, Trace, accumulator

# Signals of a scope: VCD types by name.
_PLACE: Final = {"pc": "integer", "instruction": "string"}
_REGISTERS: Final = [f"P{register}" for register in range(REGISTERS)]
_NAMED: Final = ["VL", *(f"F{number}" for number in range(FITNESS)), *CONTROLS]
_FLAGS: Final = [flag.name or "" for flag in Flags]
_VECTORS: Final = [f"V{vector}" for vector in range(VECTORS)]
_SCOPES: Final = {
    **{f"pipeline.{stage}": _PLACE for stage in STAGES},
    "pipeline.memory": {**_PLACE, "address": "integer"},
    "pipeline.lost": {"cause": "string"},
    "pipeline.fault": {"kind": "string"},
    **{f"units.{unit}": {**_PLACE, "busy": "wire", "waiting": "integer"} for unit in UNITS[1:]},
    "registers.pents": dict.fromkeys([*_REGISTERS[1:], "ACC"], "string"),
    "registers.numbers": dict.fromkeys([*_REGISTERS[1:], "ACC", *_NAMED], "integer"),
    "registers.flags": dict.fromkeys(_FLAGS, "wire"),
    "registers.vectors": dict.fromkeys(_VECTORS, "string"),
}
_WIDTHS: Final = {"wire": 1, "integer": 64, "string": 1}
_ACCUMULATOR_WIDTH: Final = 75  # bits of a number of 32 pents
_COUNTED: Final = ("busy", "waiting")  # updated by increments; all others are assigned

_Record = tuple[int, tuple[str, str | int]]
"""Cycle, and a change of a signal or scope: its name, and the VCD lines, or the increment of a counted signal."""


class VcdTrace(Trace):
    """VCD trace with these signals, by scope.

    pipeline.fetch, .decode, .execute, .memory, .writeback
        pc and instruction in the stage; in .memory also the address accessed.
    pipeline.lost
        cause to which the cycles between two retirements are charged.
    pipeline.fault
        why an instruction is not executed, from the cycle in which that is known until the next one is fetched.
    units.vector, .memory, .crossbar, .lowrank
        pc and instruction that occupies the unit; busy: 1 until all its instructions are complete;
        waiting: number of instructions in the queue.
    registers.pents, registers.numbers
        P1 to P31 and ACC, in both scopes; VL, F0 to F3 and the control registers, as numbers only.
    registers.flags
        Z, N, P, V, C and S.
    registers.vectors
        V0 to V7: the elements up to the last that is not 0, separated by commas.

    A value changes in the writeback of its writer, or when a unit completes it. Absent values, and registers before
    their first write, are z or an empty string.
    """

    alphabet_is_ascii = True

    def __init__(self, file: GrowingFile, program: Program) -> None:
        """Write the header with the signal declarations."""
        super().__init__(file, program)
        header = StringIO()
        # No date, so that equal runs write equal files.
        writer = VCDWriter(header, timescale="1 ns", date="", comment="a nanosecond is one cycle")
        self._signals: dict[str, dict[str, Variable]] = {}
        for scope, signals in _SCOPES.items():
            declared = self._signals[scope] = {}
            for name, kind in signals.items():
                initial = 0 if name in _COUNTED else "" if kind == "string" else "z"
                width = _ACCUMULATOR_WIDTH if (name, kind) == ("ACC", "integer") else _WIDTHS[kind]
                declared[name] = writer.register_var(scope, name, kind, width, initial)
        writer.close()  # header and initial values only; changes are written without it, which is much faster
        file.write(header.getvalue())
        self._cycle = 0
        self._faulted = 0
        self._shown: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._places: dict[int, list[tuple[str, str]]] = {}  # by address: VCD lines for each stage and unit
        self._nothing = self._place(None, "")
        self._flags = [
            self._lines("registers.flags", {name: number >> bit & 1 for bit, name in enumerate(_FLAGS)})
            for number in range(2 ** len(_FLAGS))
        ]

    def records(
        self, number: int, event: Event, instruction: Instruction, pents: str, elements: str
    ) -> Iterator[_Record]:
        """Yield the signal changes of an instruction."""
        places = self._places.get(event.pc)
        if places is None:
            places = self._places[event.pc] = self._place(event.pc, instruction.text)
        stages = event.stages
        for (_, first, end), entered, left in zip(stages, places, self._nothing, strict=False):  # units follow
            yield first, entered
            yield end, left
        if event.fault:
            yield stages[-1][1], self._change("pipeline.fault", "kind", FAULTS[event.fault])
        elif self._faulted:
            yield event.fetch, self._change("pipeline.fault", "kind", "")
        self._faulted = event.fault
        if event.address != NONE and event.memory != NONE:
            yield event.memory, self._change("pipeline.memory", "address", event.address)
            yield stages[STAGES.index("memory")][2], self._change("pipeline.memory", "address", None)
        if event.lost:
            yield event.writeback - event.lost, self._change("pipeline.lost", "cause", CAUSES[event.cause])
            yield event.writeback, self._change("pipeline.lost", "cause", "")
        if event.start != NONE:
            unit, place = UNITS[event.unit], len(STAGES) + event.unit - 1
            yield event.start, places[place]
            yield event.free, self._nothing[place]
            yield event.memory, (f"units.{unit}.waiting", 1)
            yield event.start, (f"units.{unit}.waiting", -1)
            yield event.start, (f"units.{unit}.busy", 1)
            yield event.done, (f"units.{unit}.busy", -1)
        if not event.fault:
            known = max(event.writeback, event.done)
            for change in self._written(event, instruction, pents, elements):
                yield known, change

    def write(self, cycle: int, records: list[tuple[str, str | int]]) -> None:
        """Write the last change of each signal in a cycle: a stage that is left may be entered in the same cycle."""
        changes: dict[str, str] = {}
        for group, lines in records:
            changes[group] = lines if isinstance(lines, str) else self._counted(group, lines)
        shown = self._shown
        told = [lines for group, lines in changes.items() if shown.get(group) != lines]
        if told:
            shown |= changes
            if cycle != self._cycle:
                self.file.write(f"#{cycle}\n")
                self._cycle = cycle
            self.file.writelines(told)

    def finish(self) -> None:
        """Write nothing: a dump has no end mark."""

    def _written(self, event: Event, instruction: Instruction, pents: str, elements: str) -> Iterator[tuple[str, str]]:
        for register, value in instruction.writes(event).items():
            spelled = pents if value == event.value else format_pents(value, ascii=True)
            yield self._register(_REGISTERS[register], value, spelled)
        for name, value in instruction.writes_named(event).items():
            yield self._change("registers.numbers", name, value)
        if instruction.flags:
            yield "registers.flags", self._flags[event.flags]
        if instruction.accumulator:
            yield self._register("ACC", *accumulator(event, ascii=True))
        if instruction.vector:
            yield self._change("registers.vectors", instruction.vector, elements)

    def _place(self, pc: int | None, text: str) -> list[tuple[str, str]]:
        """Return the signal changes that show an instruction in each stage and unit."""
        return [
            (scope, self._lines(scope, {"pc": pc, "instruction": text}))
            for scope in (*(f"pipeline.{stage}" for stage in STAGES), *(f"units.{unit}" for unit in UNITS[1:]))
        ]

    def _register(self, name: str, value: int, spelled: str) -> tuple[str, str]:
        """Return the change of a register that is shown both as a number and in pents."""
        group, number = self._change("registers.numbers", name, value)
        return group, number + self._change("registers.pents", name, spelled)[1]

    def _change(self, scope: str, name: str, value: str | int | None) -> tuple[str, str]:
        return f"{scope}.{name}", f"{self._signals[scope][name].format_value(value, check=False)}\n"

    def _counted(self, group: str, step: int) -> str:
        count = self._counts[group] = self._counts.get(group, 0) + step
        scope, _, name = group.rpartition(".")
        return self._change(scope, name, min(count, 1) if name == "busy" else count)[1]

    def _lines(self, scope: str, values: Mapping[str, str | int | None]) -> str:
        return "".join([self._change(scope, name, value)[1] for name, value in values.items()])
