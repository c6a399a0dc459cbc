"""Supported boards, and bitstreams for them; pins and clocks come from `amaranth-boards`."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from amaranth import Elaboratable, Module
from amaranth.build import Platform
from amaranth.lib import io, wiring
from amaranth.lib.wiring import Out

from pentary.numbers.word import PentaryError
from pentary_hdl.fpga import flow
from pentary_hdl.fpga.report import Report
from pentary_hdl.fpga.selftest import SelfTest
from pentary_hdl.fpga.vectors import vectors
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.verilog.export import verilog

VECTORS: Final = 256
"""Number of test vectors: the depth of an iCE40 block RAM."""


@dataclass(frozen=True)
class Board:
    """FPGA board.

    Attributes:
        name: common name.
        module, platform: module of `amaranth_boards`, and the class of the platform in it.
        device: key in `flow.DEVICES`.
        pass_led, fail_led: resource name and number of the LEDs on the platform.
        load: command that loads a bitstream, without the file name.
        words: words of memory that a computer on it can have; 0 if it is too small for the core.
    """

    name: str
    module: str
    platform: str
    device: str
    pass_led: tuple[str, int]
    fail_led: tuple[str, int]
    load: str
    words: int = 0


BOARDS: Final = {
    "icebreaker": Board(
        name="iCEBreaker",
        module="icebreaker",
        platform="ICEBreakerPlatform",
        device="up5k",
        pass_led=("led_g", 0),
        fail_led=("led_r", 0),
        load="iceprog",
    ),
    "hx8k": Board(
        name="iCE40-HX8K breakout board",
        module="ice40_hx8k_b_evn",
        platform="ICE40HX8KBEVNPlatform",
        device="hx8k",
        pass_led=("led", 0),
        fail_led=("led", 1),
        load="iceprog -S",
    ),
    "ulx3s": Board(
        name="ULX3S 85F",
        module="ulx3s",
        platform="ULX3S_85F_Platform",
        device="ecp5-85k",
        pass_led=("led", 0),
        fail_led=("led", 1),
        load="openFPGALoader -b ulx3s",
        words=5**6,
    ),
}


@dataclass(frozen=True)
class Routed:
    """Design placed and routed for a board.

    Attributes:
        clock_mhz: clock frequency of the board.
        placed: the results, by seed of the placer.
        bitstream: contents of the bitstream file of the fastest of them.
    """

    clock_mhz: float
    placed: dict[int, flow.Placed]
    bitstream: bytes

    @property
    def best(self) -> flow.Placed:
        """The fastest result."""
        return max(self.placed.values(), key=lambda each: each.fmax_mhz)

    @property
    def worst(self) -> flow.Placed:
        """The slowest result."""
        return min(self.placed.values(), key=lambda each: each.fmax_mhz)


@dataclass(frozen=True)
class Built:
    """Self-test built for a board.

    Attributes:
        alone: resources of the unit without the test.
        whole: the unit with the test.
    """

    alone: flow.Usage
    whole: Routed


class _OnBoard(Elaboratable):
    """Design connected to the pins of a board.

    Its members are some of `serial`, what goes out on the serial port; `receives`, what comes in; `pass_led` and
    `fail_led`.
    """

    def __init__(self, board: Board, design: wiring.Component) -> None:
        self._board, self._design = board, design

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.design = design = self._design
        uart = platform.request("uart", 0, dir="-")
        ports = {
            "serial": uart.tx,
            "receives": uart.rx,
            "pass_led": platform.request(*self._board.pass_led, dir="-"),
            "fail_led": platform.request(*self._board.fail_led, dir="-"),
        }
        for name, member in design.signature.members.items():
            out = member.flow is Out
            m.submodules[name] = pin = io.Buffer("o" if out else "i", ports[name])
            m.d.comb += pin.o.eq(getattr(design, name)) if out else getattr(design, name).eq(pin.i)
        return m


class _ReportedTest(wiring.Component):
    """Self-test and its report."""

    serial: Out(1, init=1)
    pass_led: Out(1)
    fail_led: Out(1)

    def __init__(self, test: SelfTest, report: Report) -> None:
        self._test, self._report = test, report
        super().__init__()

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.test, m.submodules.report = test, report = self._test, self._report
        m.d.comb += [getattr(report, name).eq(getattr(test, name)) for name in ("passed", "failed", "number")]
        m.d.comb += [getattr(self, name).eq(getattr(report, name)) for name in self.signature.members]
        return m


def platform_of(board: Board, device: flow.Device) -> Platform:
    """Return the platform of a board, whose clock frequency is `default_clk_frequency`.

    Raises:
        PentaryError: a tool is not installed.
    """
    flow.check_installed("pyosys", device.family.package, "amaranth_boards")
    return getattr(import_module(f"amaranth_boards.{board.module}"), board.platform)()


def route(
    board: Board,
    platform: Platform,
    design: wiring.Component,
    device: flow.Device,
    seeds: Sequence[int],
    say: Callable[[str], None],
) -> Routed:
    """Synthesise, place and route a design for a board.

    Args:
        board: from `BOARDS`.
        platform: of the board.
        design: component with members as `_OnBoard` connects.
        device: that of the board.
        seeds: seeds of the placer.
        say: called with a message before each slow step.

    Raises:
        PentaryError: the design does not fit, or misses the clock of the board with every seed.
    """
    clock_hz = platform.default_clk_frequency
    with tempfile.TemporaryDirectory(prefix="pentary-fpga-") as temporary:
        folder = Path(temporary)
        files = platform.prepare(_OnBoard(board, design), "top").files
        constraints = folder / f"top{device.family.constraints_suffix}"
        for name in ("top.il", constraints.name):
            (folder / name).write_text(files[name])
        netlist = flow.synthesise(folder / "top.il", "top", device)
        say("Placing and routing it: minutes, if it is large.")
        placed = {}
        for seed in seeds:
            placed[seed] = flow.place(netlist, device, seed, constraints)
            if len(seeds) > 1:
                say(f"Seed {seed}: {placed[seed].fmax_mhz:.1f} MHz.")
        best = max(placed.values(), key=lambda each: each.fmax_mhz)
        if best.fmax_mhz * 1e6 < clock_hz:
            raise PentaryError(
                f"the clock is missed: the {board.name} runs at {clock_hz / 1e6:g} MHz, the design reaches "
                f"{best.fmax_mhz:.1f} MHz; another --seed, or smaller parameters, may do"
            )
        return Routed(clock_hz / 1e6, placed, flow.bitstream(best.configuration, device))


def build(board: Board, parameters: LowRankParameters, seed: int, say: Callable[[str], None], seeds: int = 1) -> Built:
    """Build a bitstream of the self-test of the low-rank ALU.

    Args:
        board: from `BOARDS`.
        parameters: parameters of the unit.
        seed: seed of the vectors, and the first one of the placer.
        say: called with a message before each slow step.
        seeds: number of seeds of the placer.

    Raises:
        PentaryError: a tool is not installed, the design does not fit, or it misses the clock of the board.
    """
    device = flow.DEVICES[board.device]
    platform = platform_of(board, device)
    unit = LowRankAlu(parameters)
    with tempfile.TemporaryDirectory(prefix="pentary-fpga-") as temporary:
        alone = Path(temporary) / "alone.v"
        say(f"Counting the unit alone for the {device.name}.")
        alone.write_text(verilog(unit, "alone"))
        netlist = flow.synthesise(alone, "alone", device)
        flow.check_fits(netlist, device)  # early, as building the whole takes longer
        counted = flow.usage(netlist, device)
    say(f"Synthesising the unit with its test for the {board.name}.")
    report = Report(VECTORS, round(platform.default_clk_frequency))
    design = _ReportedTest(SelfTest(unit, vectors(unit, VECTORS, seed)), report)
    return Built(counted, route(board, platform, design, device, range(seed, seed + seeds), say))
