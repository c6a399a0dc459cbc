"""Driver of a stream into the unit under test.

All parts of a bench sample signals at the falling edge of the clock, when they have settled, and change them after the
rising edge; under this rule, all simulators agree.
"""

from collections.abc import Iterable, Iterator
from itertools import repeat
from random import Random
from typing import Any, Final

from cocotb.simtime import get_sim_time
from cocotb.triggers import FallingEdge, RisingEdge, Timer

CLOCK_PERIOD: Final = 2
"""Clock period in time steps of the simulator."""

NO_PAUSES: Final[Iterator[int]] = repeat(0)
"""Pauses of a stream that never stalls."""


def random_pauses(random: Random) -> Iterator[int]:
    """Yield random pauses in cycles, without end: a quarter of them 0, most a few cycles, a few up to 30."""
    while True:
        yield random.choice((0, 1, random.randint(2, 5), random.randint(0, 30) if random.random() < 0.2 else 1))


def now() -> int:
    """Return the index of the current clock cycle."""
    return int(get_sim_time("step")) // CLOCK_PERIOD


def number(signal: Any, name: str) -> int:
    """Return the value of a signal as an unsigned integer.

    Raises:
        AssertionError: some bits are unknown (X or Z).
    """
    bits = str(signal.value)
    try:
        return int(bits, 2)
    except ValueError:
        raise AssertionError(f"{name} is unknown in cycle {now()}: {bits}") from None


class StreamDriver:
    """Driver of a stream, the members `NAME_payload`, `NAME_valid` and `NAME_ready` of the unit.

    Attributes:
        pauses: cycles to wait before each payload; may be replaced between payloads.
    """

    def __init__(self, unit: Any, name: str, pauses: Iterator[int] = NO_PAUSES) -> None:
        """Create a driver for the named stream of a unit, a cocotb handle with a member `clk`."""
        self.name, self.pauses = name, pauses
        self._payload, self._valid, self._ready = (
            getattr(unit, f"{name}_{part}") for part in ("payload", "valid", "ready")
        )
        self._rising, self._falling, self._readied = (
            RisingEdge(unit.clk),
            FallingEdge(unit.clk),
            RisingEdge(self._ready),
        )

    async def send(self, payload: int) -> tuple[int, int]:
        """Send a payload; call it after a rising edge.

        Returns:
            The cycle in which it was transferred, and the pause before it was offered.
        """
        pause = next(self.pauses)
        if pause:
            await Timer(CLOCK_PERIOD * pause - CLOCK_PERIOD // 2, unit="step")
            await self._rising
        self._payload.value = payload
        self._valid.value = 1
        await self._falling
        while not number(self._ready, f"{self.name}.ready"):
            await self._readied
            await self._falling
        cycle = now()
        await self._rising
        self._valid.value = 0
        return cycle, pause

    async def send_all(self, payloads: Iterable[int]) -> None:
        """Send payloads one after the other."""
        for payload in payloads:
            await self.send(payload)
