"""Monitor of a stream from the unit under test, which also checks the handshake."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cocotb.triggers import FallingEdge, RisingEdge

from pentary_hdl.bench.driver import NO_PAUSES, now, number


class Transfer(NamedTuple):
    """Transfer on a stream.

    Attributes:
        payload: bits of the payload.
        cycle: clock cycle of the transfer.
        held: cycles for which the payload was valid before.
    """

    payload: int
    cycle: int
    held: int


class StreamMonitor:
    """Receiver of a stream, the members `NAME_payload`, `NAME_valid` and `NAME_ready` of the unit.

    While it stalls the stream, it checks that the payload stays valid and stable.

    Attributes:
        pauses: cycles to stall each payload; may be replaced between payloads.
    """

    def __init__(self, unit: Any, name: str, pauses: Iterator[int] = NO_PAUSES) -> None:
        """Create a monitor for the named stream of a unit, a cocotb handle with a member `clk`."""
        self.name, self.pauses = name, pauses
        self._payload, self._valid, self._ready = (
            getattr(unit, f"{name}_{part}") for part in ("payload", "valid", "ready")
        )
        self._rising, self._falling, self._offered = (
            RisingEdge(unit.clk),
            FallingEdge(unit.clk),
            RisingEdge(self._valid),
        )

    async def receive(self) -> Transfer:
        """Receive a payload; to be called after a rising edge.

        Raises:
            AssertionError: a payload changed or was withdrawn before the transfer.
        """
        pause = next(self.pauses)
        self._ready.value = pause == 0
        await self._falling
        while not self.offers:
            await self._offered
            await self._falling
        payload = self._number()
        for waited in range(1, pause + 1):
            await self._rising
            self._ready.value = waited == pause
            await self._falling
            assert self.offers, f"{self.name}: valid went away in cycle {now()} before the payload was taken"
            assert self._number() == payload, f"{self.name}: the payload changed in cycle {now()} while it waited"
        cycle = now()
        await self._rising
        self._ready.value = 0
        return Transfer(payload, cycle, pause)

    @property
    def offers(self) -> bool:
        """Whether the unit offers a payload now; to be asked after a falling edge."""
        return bool(number(self._valid, f"{self.name}.valid"))

    def _number(self) -> int:
        return number(self._payload, f"{self.name}.payload")
