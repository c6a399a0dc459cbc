"""Engine `sim`: programs on the cycle-level model."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from pentary.isa.program import Fault
from pentary.machine.engines import Engine, Outcome, Setup
from pentary.machine.retire import Records
from pentary_sim import report
from pentary_sim.retire import Retired
from pentary_sim.simulator import Simulator

_SLICE: Final = 10_000  # instructions in a batch of records


class ModelRun:
    """A run on the model, as of `pentary.machine.engines.Execution`."""

    outcome: Outcome

    def __init__(self, setup: Setup, max_cycles: int | None) -> None:
        """Create a machine with the program."""
        self.machine = Simulator(setup.program, setup.config, True, setup.input, setup.interrupts)
        self._max_cycles = max_cycles
        self._output: list[int] = []

    def __iter__(self) -> Iterator[Records]:
        """Run slice after slice."""
        machine, retired = self.machine, Retired(self.machine.program)
        ending: str | Fault = ""
        while not ending:
            try:
                reason = machine.run(self._max_cycles, machine.instructions + _SLICE)
                ending = reason if reason in ("halt", "cycles") else ""
            except Fault as fault:
                ending = fault
            self._output += machine.take_output()
            yield retired.records(machine.take_events())
        self.outcome = Outcome(
            "fault" if isinstance(ending, Fault) else ending,
            report.problem(machine, ending, self._max_cycles),
            machine.cycles,
            machine.instructions,
            machine.counts["traps"],
            machine.pc,
            machine.exit_status,
            machine.registers,
            machine.memory,
        )

    def take_output(self) -> list[int]:
        """Return what has been written to the console since the last call."""
        taken, self._output = self._output, []
        return taken


def _start(setup: Setup, max_cycles: int | None) -> AbstractContextManager[ModelRun]:
    return nullcontext(ModelRun(setup, max_cycles))


ENGINE: Final = Engine("the cycle-level model", _start)
