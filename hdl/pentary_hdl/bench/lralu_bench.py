"""Bench of the low-rank ALU: stream drivers and monitors, and the scoreboard that compares them with the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any, Final

import cocotb
from cocotb.clock import Clock
from cocotb.task import Task
from cocotb.triggers import Combine, Event, First, RisingEdge, Timer

from pentary_hdl.bench.coverage import Coverage
from pentary_hdl.bench.driver import CLOCK_PERIOD, NO_PAUSES, StreamDriver, now, random_pauses
from pentary_hdl.bench.lralu_coverage import IDLE, STALLS, bins
from pentary_hdl.bench.lralu_oracle import ELEMENTS, FIELDS, RESPONSE_DELAY
from pentary_hdl.bench.lralu_shared import CheckedModel, port_bits
from pentary_hdl.bench.lralu_traffic import Step
from pentary_hdl.bench.monitor import StreamMonitor, Transfer
from pentary_hdl.lralu.twin import (
    Command,
    LowRankParameters,
    binary_code,
    code_binary,
)

_PATIENCE: Final = 40
"""Timeout of a burst, as a multiple of its cycles without stalls."""


@dataclass
class Burst:
    """Commands that are sent together, and the transfers observed.

    Attributes:
        steps: the commands with their expected outputs.
        starts: for each command, the cycle in which it was transferred, and the pause before it.
        pauses: by stream, the pause before each beat of operands.
        seen: by stream, the transfers from the unit.
        sent: set when all commands have been transferred.
    """

    steps: Sequence[Step]
    starts: list[tuple[int, int]] = field(default_factory=list)
    pauses: dict[str, list[int]] = field(default_factory=lambda: {"base": [], "totals": []})
    seen: dict[str, list[Transfer]] = field(default_factory=lambda: {name: [] for name in STALLS["results"]})
    sent: Event = field(default_factory=Event)


class Bench:
    """Bench that plays commands to the unit, and checks all its outputs and their timing.

    Attributes:
        model: reference model, checked against the oracle, in the state after the commands played.
        coverage: bins of the situations that occurred and were checked.
        operations: number of commands checked so far.
    """

    def __init__(self, unit: Any, parameters: LowRankParameters) -> None:
        """Create a bench for a unit.

        Args:
            unit: cocotb handle of the module made by `pentary_hdl.bench.harness.harness`.
            parameters: parameters of the hardware.
        """
        self.parameters, self.model, self.coverage = parameters, CheckedModel(parameters), Coverage(bins(parameters))
        self.operations = 0
        self._unit = unit
        self._drivers = {name: StreamDriver(unit, name) for name in ("commands", "base", "totals")}
        self._monitors = {name: StreamMonitor(unit, name) for name in ("results", "scalars", "responses")}
        self._last: Step | None = None

    async def begin(self) -> None:
        """Start the clock, which stops with the test, and reset."""
        Clock(self._unit.clk, CLOCK_PERIOD, unit="step", impl="gpi").start()
        await self.reset(2)

    def check_ports(self) -> None:
        """Check that the widths of the unit's ports are those of the specification."""
        for port, bits in port_bits(self.parameters).items():
            has = len(getattr(self._unit, port))
            assert has == bits, f"the port {port} has {has} bits, not {bits}"

    async def reset(self, cycles: int = 1) -> None:
        """Reset the unit and the model, and stop all streams."""
        for name in self._drivers:
            getattr(self._unit, f"{name}_valid").value = 0
        for name in self._monitors:
            getattr(self._unit, f"{name}_ready").value = 0
        self._unit.rst.value = 1
        for _ in range(cycles):
            await RisingEdge(self._unit.clk)
        self._unit.rst.value = 0
        self.model.reset()
        self._last = None

    async def play(self, steps: Sequence[Step], stall: Sequence[str] = (), random: Random | None = None) -> Burst:
        """Play commands, and check all outputs.

        Args:
            steps: the commands.
            stall: streams that stall at random; the others never do.
            random: source of the stalls.

        Returns:
            The commands with the transfers observed.

        Raises:
            AssertionError: an output or its timing differs from the model.
        """
        burst = Burst(steps)
        tasks = self._begin(burst, stall, random)
        cycles = sum(step.outcome.occupancy + step.outcome.latency for step in steps) + 100
        await First(Combine(*tasks), Timer(_PATIENCE * CLOCK_PERIOD * cycles, unit="step"))
        hangs = not all(task.done() for task in tasks)
        self._end(tasks)
        self._compare(burst, finished=not hangs)
        assert not hangs, f"the unit hangs: {self._unanswered(burst)}"
        self._check_time(burst, exact=not stall, exact_results=set(stall) <= {"commands"})
        await RisingEdge(self._unit.clk)
        for name, monitor in self._monitors.items():
            assert not monitor.offers, f"{name}: more than the commands give, after {burst.steps[-1]}"
        self._cover(burst)
        self.operations += len(steps)
        return burst

    async def interrupt(self, steps: Sequence[Step], delay: int, stall: Sequence[str], random: Random) -> bool:
        """Play commands, and reset the unit `delay` cycles after the last one was transferred.

        Returns:
            Whether the reset interrupted LRGEN, which leaves the factors undefined.
        """
        burst = Burst(steps)
        tasks = self._begin(burst, stall, random)
        await burst.sent.wait()
        if delay:
            await Timer(CLOCK_PERIOD * delay - CLOCK_PERIOD // 2, unit="step")
            await RisingEdge(self._unit.clk)
        self._end(tasks)
        answered = len(burst.seen["responses"])
        self._compare(burst, finished=False)
        self.coverage.hit("reset", IDLE if answered == len(steps) else steps[-1].name)
        await self.reset(random.randint(1, 3))
        self.operations += answered
        return any(step.name == "LRGEN" for step in steps[answered:])

    def _begin(self, burst: Burst, stall: Sequence[str], random: Random | None) -> list[Task[None]]:
        for name, port in (*self._drivers.items(), *self._monitors.items()):
            port.pauses = random_pauses(random) if random and name in stall else NO_PAUSES
        outcomes = [step.outcome for step in burst.steps]
        expected = {
            "results": sum(len(outcome.results) for outcome in outcomes) // self.parameters.beat_elements,
            "scalars": sum(outcome.scalar is not None for outcome in outcomes),
            "responses": len(outcomes),
        }
        return [
            cocotb.start_soon(self._send_commands(burst)),
            *(cocotb.start_soon(self._send_operands(burst, name)) for name in ("base", "totals")),
            *(cocotb.start_soon(self._collect(burst, name, count)) for name, count in expected.items()),
        ]

    def _end(self, tasks: list[Task[None]]) -> None:
        for task in tasks:
            if not task.done():
                task.cancel()

    async def _send_commands(self, burst: Burst) -> None:
        for step in burst.steps:
            burst.starts.append(await self._drivers["commands"].send(pack_command(step.command)))
        burst.sent.set()

    async def _send_operands(self, burst: Burst, name: str) -> None:
        beat_elements, driver = self.parameters.beat_elements, self._drivers[name]
        for step in burst.steps:
            values: tuple[int, ...] = getattr(step, name)
            for first in range(0, len(values), beat_elements):
                _, pause = await driver.send(pack_elements(values[first : first + beat_elements], ELEMENTS[name]))
                burst.pauses[name].append(pause)

    async def _collect(self, burst: Burst, name: str, count: int) -> None:
        for _ in range(count):
            burst.seen[name].append(await self._monitors[name].receive())

    def _compare(self, burst: Burst, finished: bool) -> None:
        """Compare the transfers observed with the expected outputs, in order; there may be fewer unless `finished`."""
        seen = {name: iter(transfers) for name, transfers in burst.seen.items()}
        beat_elements = self.parameters.beat_elements
        for number, step in enumerate(burst.steps):
            outcome, place = step.outcome, self._place(burst, number)
            beats = len(outcome.results) // beat_elements
            for beat in range(beats):
                transfer = next(seen["results"], None)
                if transfer is None:
                    break
                got, last = unpack_results(transfer.payload, beat_elements)
                wanted = outcome.results[beat * beat_elements : (beat + 1) * beat_elements]
                for j, (is_now, should_be) in enumerate(zip(got, wanted, strict=True), beat * beat_elements):
                    right = is_now == should_be or not step.defined
                    assert right, f"element {j} of the results is {is_now}, not {should_be}: {place}"
                assert last == (beat == beats - 1), f"last is {int(last)} in beat {beat} of {beats}: {place}"
            if outcome.scalar is not None and (transfer := next(seen["scalars"], None)):
                assert transfer.payload == outcome.scalar, (
                    f"the scalar is {transfer.payload:#x}, not {outcome.scalar:#x}: {place}"
                )
            transfer = next(seen["responses"], None)
            if transfer is None:
                break
            assert transfer.payload == outcome.error, f"error is {transfer.payload}, not {int(outcome.error)}: {place}"
        assert not finished or all(next(rest, None) is None for rest in seen.values())

    def _check_time(self, burst: Burst, exact: bool, exact_results: bool) -> None:
        """Check occupancy and latency.

        Args:
            burst: the commands.
            exact: whether starts must be cycle-exact; else they only must not be early.
            exact_results: the same of results, scalars and responses.
        """
        for number, ((start, _), (following, _)) in enumerate(pairwise(burst.starts)):
            took, occupancy = following - start, burst.steps[number].outcome.occupancy
            assert took == occupancy if exact else took >= occupancy, (
                f"the next command started after {took} cycles, not {occupancy}: {self._place(burst, number)}"
            )
        seen = {name: iter(transfers) for name, transfers in burst.seen.items()}
        for number, step in enumerate(burst.steps):
            outcome, start = step.outcome, burst.starts[number][0]
            times = {"responses": (next(seen["responses"]).cycle, start + outcome.occupancy + RESPONSE_DELAY)}
            if outcome.scalar is not None:
                times["scalars"] = next(seen["scalars"]).cycle, start + outcome.latency - 1
            for _ in range(len(outcome.results) // self.parameters.beat_elements):
                times["results"] = next(seen["results"]).cycle, start + outcome.latency - 1
            for name, (cycle, due) in times.items():
                assert cycle == due if exact_results else cycle >= due, (
                    f"the last of its {name} came {cycle - start} cycles after the start, not {due - start}: "
                    f"{self._place(burst, number)}"
                )

    def _cover(self, burst: Burst) -> None:
        seen = {name: iter(transfers) for name, transfers in burst.seen.items()}
        pauses = {name: iter(found) for name, found in burst.pauses.items()}
        beat_elements = self.parameters.beat_elements
        previous = self._last
        for step, (_, pause) in zip(burst.steps, burst.starts, strict=True):
            held = next(seen["responses"]).held + (next(seen["scalars"]).held if step.outcome.scalar is not None else 0)
            held += sum(next(seen["results"]).held for _ in range(len(step.outcome.results) // beat_elements))
            late = sum(next(pauses[name]) for name in pauses for _ in range(len(getattr(step, name)) // beat_elements))
            kinds = {"commands": pause, "operands": late, "results": held}
            happened = [kind for kind, cycles in kinds.items() if cycles] or ["none"]
            for kind in happened:
                self.coverage.hit("operation", step.name, *step.size, f"stalled: {kind}")
            if previous and happened == ["none"]:
                self.coverage.hit("pair", previous.kind, step.kind)
            previous = step if happened == ["none"] else None
            for situation in step.bins:
                self.coverage.hit(*situation)
        self._last = None

    def _place(self, burst: Burst, number: int) -> str:
        return f"command {self.operations + number} of this run, {burst.steps[number]}"

    def _unanswered(self, burst: Burst) -> str:
        answered = len(burst.seen["responses"])
        waiting = f"{len(burst.starts)} of {len(burst.steps)} commands of a burst taken, {answered} answered"
        return f"{waiting}, in cycle {now()}: {self._place(burst, min(answered, len(burst.steps) - 1))}"


def pack_command(command: Command) -> int:
    """Return the payload of a command."""
    payload, at = 0, 0
    for value, bits in zip(command, FIELDS.values(), strict=True):
        payload, at = payload | value << at, at + bits
    return payload


def pack_elements(elements: Sequence[int], bits: int) -> int:
    """Return the payload of a beat of operands, whose elements have `bits` bits."""
    return sum(binary_code(element, bits) << bits * i for i, element in enumerate(elements))


def unpack_results(payload: int, beat_elements: int) -> tuple[list[int], bool]:
    """Return the elements of a beat of results, and its `last`."""
    codes = (payload >> ELEMENTS["results"] * i & (1 << ELEMENTS["results"]) - 1 for i in range(beat_elements))
    return [code_binary(code, ELEMENTS["results"]) for code in codes], bool(
        payload >> ELEMENTS["results"] * beat_elements
    )
