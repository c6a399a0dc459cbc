"""Properties of what goes in and out of a unit, whatever is connected to it: each has an output `holds` to be 1."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from amaranth import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

IN_FLIGHT: Final = 8
"""More than a unit has stages: so many can be inside at most, and all have left after so many cycles of rest."""


class Channel(NamedTuple):
    """The signals of a handshake; something is transferred in a cycle in which `valid` and `ready` are 1."""

    valid: Value
    ready: Value
    payload: Value

    @classmethod
    def of(cls, port: stream.Interface) -> "Channel":
        """Give those of a stream."""
        return cls(port.valid, port.ready, Value.cast(port.payload))

    @property
    def transfer(self) -> Value:
        """Tell whether something is transferred."""
        return self.valid & self.ready


class _Around(wiring.Component):
    """A unit whose ports are the component's, with an output about it."""

    def __init__(self, unit: wiring.Component) -> None:
        self._unit = unit
        super().__init__({"ports": Out(unit.signature), "holds": Out(1)})

    def _module(self) -> Module:
        m = Module()
        m.submodules.unit = self._unit
        wiring.connect(m, self._unit, wiring.flipped(self.ports))
        return m


class Stable(_Around):
    """What a channel offers stays, and stays the same, until it is taken."""

    def __init__(self, unit: wiring.Component, channels: Iterable[Channel]) -> None:
        """Take a unit and its channels."""
        super().__init__(unit)
        self._channels = tuple(channels)

    def elaborate(self, platform: object) -> Module:
        """Compare every cycle with the one before."""
        m = self._module()
        stays = []
        for valid, ready, payload in self._channels:
            waited, offered = Signal(), Signal(len(payload), reset_less=True)
            m.d.sync += [waited.eq(valid & ~ready), offered.eq(payload)]
            stays.append(~waited | valid & (payload == offered))
        m.d.comb += self.holds.eq(Cat(stays).all())
        return m


class Balanced(_Around):
    """For everything that enters exactly one thing leaves, later or at once: nothing is lost, nothing duplicated.

    What leaves is never more than what has entered, never by more than IN_FLIGHT less, and the same after IN_FLIGHT
    cycles of rest, in which the unit could take something new and nothing that it offers has to wait.
    """

    def __init__(
        self, unit: wiring.Component, entered: Value, left: Value, rest: Value, kept: Iterable[Channel] = ()
    ) -> None:
        """Take what is counted.

        Args:
            unit: the unit.
            entered, left: bits: something enters, something leaves.
            rest: nothing enters, and what is offered is taken.
            kept: channels whose other side has to keep `valid` until `ready`. Nothing is claimed once it has not.
        """
        super().__init__(unit)
        self._entered, self._left, self._rest, self._kept = entered, left, rest, tuple(kept)

    def elaborate(self, platform: object) -> Module:
        """Count."""
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
