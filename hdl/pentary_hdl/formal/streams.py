"""Properties of a unit's handshakes in any environment: components with an output `holds`, to be proved 1."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from amaranth import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

IN_FLIGHT: Final = 8
"""Bound on the items inside a unit, and on the idle cycles until all have left: more than any unit's stages."""


class Channel(NamedTuple):
    """Signals of a valid/ready handshake."""

    valid: Value
    ready: Value
    payload: Value

    @classmethod
    def of(cls, port: stream.Interface) -> "Channel":
        """Return the signals of a stream."""
        return cls(port.valid, port.ready, Value.cast(port.payload))

    @property
    def transfer(self) -> Value:
        """Whether there is a transfer in this cycle."""
        return self.valid & self.ready


class _Around(wiring.Component):
    """Base class: a unit with all its ports exposed, and the output `holds`."""

    def __init__(self, unit: wiring.Component) -> None:
        self._unit = unit
        super().__init__({"ports": Out(unit.signature), "holds": Out(1)})

    def _module(self) -> Module:
        m = Module()
        m.submodules.unit = self._unit
        wiring.connect(m, self._unit, wiring.flipped(self.ports))
        return m


class Stable(_Around):
    """Stability of channels: valid and payload, once offered, do not change until the transfer."""

    def __init__(self, unit: wiring.Component, channels: Iterable[Channel]) -> None:
        """Create the property for the given channels of a unit."""
        super().__init__(unit)
        self._channels = tuple(channels)

    def elaborate(self, platform: object) -> Module:
        """Compare the channels in every cycle with the one before."""
        m = self._module()
        stays = []
        for valid, ready, payload in self._channels:
            waited, offered = Signal(), Signal(len(payload), reset_less=True)
            m.d.sync += [waited.eq(valid & ~ready), offered.eq(payload)]
            stays.append(~waited | valid & (payload == offered))
        m.d.comb += self.holds.eq(Cat(stays).all())
        return m


class Balanced(_Around):
    """Conservation of items: for each one that enters, exactly one leaves, in the same cycle or later.

    The number that has left never exceeds the number that has entered, is at most IN_FLIGHT less, and is equal to it
    after IN_FLIGHT consecutive cycles of rest, in which the unit is ready for input and all its outputs are taken.
    """

    def __init__(
        self, unit: wiring.Component, entered: Value, left: Value, rest: Value, kept: Iterable[Channel] = ()
    ) -> None:
        """Create the property.

        Args:
            unit: the unit.
            entered, left: one bit each: an item enters, an item leaves in this cycle.
            rest: one bit: nothing enters, and all outputs are taken.
            kept: input channels that are assumed to keep `valid` until `ready`; nothing is claimed after a violation.
        """
        super().__init__(unit)
        self._entered, self._left, self._rest, self._kept = entered, left, rest, tuple(kept)

    def elaborate(self, platform: object) -> Module:
        """Count the items inside the unit, and the cycles of rest."""
        m = self._module()
        inside, following = Signal(range(IN_FLIGHT + 1)), Signal(range(-1, IN_FLIGHT + 2))
        m.d.comb += following.eq(inside + self._entered - self._left)
        rested = Signal(range(IN_FLIGHT + 1))
        m.d.sync += [inside.eq(following), rested.eq(0)]
        with m.If(self._rest):
            m.d.sync += rested.eq(rested + (rested != IN_FLIGHT))
        counts = (following >= 0) & (following <= IN_FLIGHT) & ((rested != IN_FLIGHT) | (inside == 0))
        kept: Value = Const(1)
        for valid, ready, _ in self._kept:
            waited, always = Signal(), Signal(init=1)
            m.d.sync += waited.eq(valid & ~ready)
            keeps = always & (~waited | valid)
            m.d.sync += always.eq(keeps)
            kept &= keeps
        m.d.comb += self.holds.eq(~kept | counts)
        return m
