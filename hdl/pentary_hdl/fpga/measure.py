"""Size and speed of a unit on a device: of the unit alone, and of the unit between registers."""

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from amaranth import Cat, ClockDomain, ClockSignal, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.fpga import flow
from pentary_hdl.verilog.export import verilog

SEEDS: Final = (1, 2, 3, 4, 5)
"""Seeds of the placer; the clock that a single one reaches is off by some percent."""

_WORKERS: Final = 2


@dataclass(frozen=True)
class Measurement:
    """Resources that a unit uses on a device, and its speed.

    Attributes:
        unit: resources of the unit alone, before placement.
        whole: resources of the unit with the registers around it.
        clocks: maximum clock frequency in MHz of the unit with the registers, by the seed of the placer.
    """

    unit: flow.Usage
    whole: flow.Usage
    clocks: dict[int, float]

    @property
    def fmax_mhz(self) -> float:
        """Median of the clocks."""
        return median(self.clocks.values())


class BetweenRegisters(wiring.Component):
    """A unit between registers, with three pins: any unit fits the package, and I/O does not limit its clock.

    A shift register, filled from one pin, drives all inputs of the unit and its reset. All outputs are registered, and
    reduced to one pin by a pipelined tree of four-input exclusive ors.

    Members:
        clk: In, the clock.
        i: In, serial input of the shift register.
        o: Out, parity of all outputs.
    """

    def __init__(self, unit: wiring.Component) -> None:
        """Create the registers around a unit with one clock."""
        self._unit = unit
        super().__init__({"clk": In(1), "i": In(1), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Connect all ports of the unit."""
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.unit = unit = self._unit
        ports = [(member.flow, Value.cast(value)) for _, member, value in unit.signature.flatten(unit)]
        inputs = Cat(ResetSignal(), *(value for direction, value in ports if direction is In))
        outputs = Cat(value for direction, value in ports if direction is Out)
        chain = Signal(len(inputs), reset_less=True)
        m.d.comb += [ClockSignal().eq(self.clk), inputs.eq(chain)]
        m.d.sync += chain.eq(Cat(self.i, chain))

        folded = Signal(len(outputs), reset_less=True)
        m.d.sync += folded.eq(outputs)
        while len(folded) > 1:
            parts = [folded[at : at + 4].xor() for at in range(0, len(folded), 4)]
            folded = Signal(len(parts), reset_less=True)
            m.d.sync += folded.eq(Cat(parts))
        m.d.comb += self.o.eq(folded)
        return m


def alone(unit: wiring.Component, device: flow.Device, folder: Path) -> Path:
    """Return the netlist of a unit without anything around it.

    Args:
        unit: component with one clock.
        device: from `flow.DEVICES`.
        folder: for the files of the tools.

    Raises:
        PentaryError: a tool is not installed.
    """
    source = folder / "unit.v"
    source.write_text(verilog(unit, "unit"))
    return flow.synthesise(source, "unit", device)


def placed(
    unit: wiring.Component, device: flow.Device, folder: Path, seeds: Sequence[int] = SEEDS
) -> dict[int, flow.Placed]:
    """Place a unit between registers, with several seeds, two at a time.

    Args:
        unit, device, folder: as of `alone`.
        seeds: of the placer, at least one.

    Raises:
        PentaryError: a tool is not installed, or the unit does not fit.
    """
    source = folder / "between.v"
    source.write_text(verilog(BetweenRegisters(unit), "between"))
    netlist = flow.synthesise(source, "between", device)

    def place(seed: int) -> flow.Placed:
        own = folder / str(seed) / netlist.name  # a placement leaves its reports beside the netlist
        own.parent.mkdir()
        shutil.copy(netlist, own)
        return flow.place(own, device, seed)

    with ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(seeds, pool.map(place, seeds), strict=True))


def measure(unit: wiring.Component, device: flow.Device, seeds: Sequence[int] = SEEDS) -> Measurement:
    """Measure a unit on a device.

    Args:
        unit: component with one clock.
        device: from `flow.DEVICES`.
        seeds: of the placer, at least one.

    Raises:
        PentaryError: a tool is not installed, or the unit does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="pentary-fpga-") as name:
        counted = flow.usage(alone(unit, device, Path(name)), device)
        found = placed(unit, device, Path(name), seeds)
        clocks = {seed: each.fmax_mhz for seed, each in found.items()}
        return Measurement(counted, found[seeds[0]].usage, clocks)
