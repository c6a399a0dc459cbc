"""Bench of the low-rank ALU behind AXI4-Lite: drives it as host software would, through cocotbext-axi."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final, Literal, NamedTuple

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from pentary_hdl.bench.coverage import Bin, Coverage
from pentary_hdl.bench.driver import CLOCK_PERIOD
from pentary_hdl.bench.lralu_coverage import ERROR, kinds_of, refusals
from pentary_hdl.bench.lralu_oracle import ELEMENTS
from pentary_hdl.bench.lralu_shared import CheckedModel
from pentary_hdl.bench.lralu_traffic import Step
from pentary_hdl.lralu.twin import LowRankParameters

WORD: Final = 4
"""Bytes of a word of the bus."""

WINDOW_WORDS: Final = 256
"""Words in the address range of a window."""


class Place(NamedTuple):
    """Register, or first word of a window: byte address, access, and width of a value in bits."""

    address: int
    access: Literal["r", "w", "rw"]
    bits: int


REGISTERS: Final = {
    "ID": Place(0x000, "r", 32),
    "LANES": Place(0x004, "r", 9),
    "MAX_RANK": Place(0x008, "r", 7),
    "MAX_SIZE": Place(0x00C, "r", 9),
    "ROUNDS_PER_CYCLE": Place(0x010, "r", 4),
    "STATUS": Place(0x014, "r", 2),
    "COMMAND": Place(0x018, "rw", 7),
    "A_LOW": Place(0x01C, "rw", 32),
    "A_HIGH": Place(0x020, "rw", 16),
    "B_LOW": Place(0x024, "rw", 32),
    "B_HIGH": Place(0x028, "rw", 16),
    "SCALAR_LOW": Place(0x02C, "r", 32),
    "SCALAR_HIGH": Place(0x030, "r", 16),
}
WINDOWS: Final = {
    "BASE": Place(0x400, "w", ELEMENTS["base"]),
    "TOTALS": Place(0x800, "w", ELEMENTS["totals"]),
    "RESULTS": Place(0xC00, "r", ELEMENTS["results"]),
}
"""The map of `architecture/bus.md`, written independently of the table from which the gateware is made."""


def bins(parameters: LowRankParameters) -> Iterator[Bin]:
    """Yield the coverage bins, all of which the bench must hit.

    | group | is hit by |
    |---|---|
    | access | a read or a write, answered or refused, of a register, an element, or where there is nothing |
    | value | a write of the least or the greatest value that fits, or of the next beyond, which is refused |
    | busy | a write while a command is executed, which is refused; a read, which is not |
    | command | a kind of command, executed over the bus |
    | error | a command that was refused for this reason alone |
    """
    for name in (*elements(parameters), *REGISTERS, "nothing"):
        yield from (("access", name, access) for access in ("read", "written"))
        yield ("busy", name, "written")
        yield ("busy", name, "read")
    for name, place in (*elements(parameters).items(), *REGISTERS.items()):
        if "w" in place.access:
            yield from (("value", name, value) for value in values(name, place))
    yield from (("command", kind) for kind in (*kinds_of(parameters), ERROR))
    yield from (("error", *reason) for reason in refusals(parameters))


def elements(parameters: LowRankParameters) -> dict[str, Place]:
    """Return the first and the last element of each window."""
    places = {"first": 0, "last": parameters.max_size - 1}
    return {
        f"{name} {which}": window._replace(address=window.address + WORD * i)
        for (name, window), (which, i) in product(WINDOWS.items(), places.items())
    }


def values(name: str, place: Place) -> dict[str, int]:
    """Return the extreme values of a place and, if it is narrower than a word, the next values beyond them."""
    signed = name not in REGISTERS
    low, high = (-1 << place.bits - 1, (1 << place.bits - 1) - 1) if signed else (0, (1 << place.bits) - 1)
    beyond = {"beyond the greatest": high + 1} if place.bits < 8 * WORD else {}
    return {"least": low, "greatest": high, **beyond, **({"beyond the least": low - 1} if signed else {})}


class BusBench:
    """Bench that executes commands over the bus as software does, and checks all responses.

    Attributes:
        model: reference model, checked against the oracle.
        coverage: bins of the situations that occurred and were checked.
        operations: number of commands checked so far.
        parameters: parameters of the hardware.
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

    async def begin(self) -> None:
        """Start the clock, and reset the unit and the model."""
        self._unit.rst.value = 1
        self._master: Any = AxiLiteMaster(AxiLiteBus.from_prefix(self._unit, "s_axi"), self._unit.clk, self._unit.rst)
        Clock(self._unit.clk, CLOCK_PERIOD, unit="step").start()
        await ClockCycles(self._unit.clk, 3)
        self._unit.rst.value = 0
        await ClockCycles(self._unit.clk, 2)
        self.model.reset()

    async def write(self, address: int, value: int, count: int = WORD) -> bool:
        """Write the lowest `count` bytes of a word; returns whether the response was OKAY."""
        answer = await self._master.write(address, (value % (1 << 8 * WORD)).to_bytes(WORD, "little")[:count])
        return answer.resp == AxiResp.OKAY

    async def read(self, address: int) -> int | None:
        """Read a word; returns None if the read is refused."""
        answer = await self._master.read(address, WORD)
        return int.from_bytes(answer.data, "little") if answer.resp == AxiResp.OKAY else None

    async def put(self, name: str, value: int) -> None:
        """Write a register, and check that the write is not refused."""
        assert await self.write(REGISTERS[name].address, value), f"a write of {value:#x} to {name} was refused"

    async def get(self, name: str) -> int:
        """Return the value of a register, and check that the read is not refused."""
        value = await self.read(REGISTERS[name].address)
        assert value is not None, f"a read of {name} was refused"
        return value

    async def scalar(self) -> int:
        """Return the word of the last PRNG, 48 bits."""
        return await self.get("SCALAR_LOW") | await self.get("SCALAR_HIGH") << 8 * WORD

    async def begin_command(self, step: Step) -> None:
        """Write the rows and operands of a step, and start its command."""
        for window, row in (("BASE", step.base), ("TOTALS", step.totals)):
            for i, element in enumerate(row[: self.parameters.max_size]):
                written = await self.write(WINDOWS[window].address + WORD * i, element)
                assert written, f"element {i} of {window}, {element}, was refused: {step}"
        for name, value in (("A", step.command.a), ("B", step.command.b)):
            await self.put(f"{name}_LOW", value % (1 << 8 * WORD))
            await self.put(f"{name}_HIGH", value >> 8 * WORD)
        await self.put("COMMAND", step.command.op | step.command.control << 4)

    async def finish(self, step: Step | None = None) -> int:
        """Poll STATUS until it is not busy, and return it."""
        for _ in range(1000 + (step.outcome.occupancy if step else 0)):
            status = await self.get("STATUS")
            if not status & 1:
                return status
        raise AssertionError(f"STATUS stays busy: {step}")

    async def play(self, steps: Sequence[Step]) -> None:
        """Execute commands over the bus and check their outputs; SCALAR must change only by PRNG."""
        for step in steps:
            before = await self.scalar()
            await self.begin_command(step)
            status, outcome = await self.finish(step), step.outcome
            assert status >> 1 == outcome.error, f"STATUS is {status}, not {2 * outcome.error}: {step}"
            right = before if outcome.scalar is None else outcome.scalar
            scalar = await self.scalar()
            assert scalar == right, f"SCALAR is {scalar:#x}, not {right:#x}: {step}"
            for i, wanted in enumerate(outcome.results[: self.parameters.max_size]):
                is_now = await self.read(WINDOWS["RESULTS"].address + WORD * i)
                assert is_now == wanted % (1 << 8 * WORD), f"element {i} of RESULTS is {is_now}, not {wanted}: {step}"
            self.operations += 1
            self.coverage.hit("command", step.kind)
            for situation in step.bins:
                self.coverage.hit(*situation)
