"""Supported boards, and bitstreams of the self-test for them; pins and clocks come from `amaranth-boards`."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from amaranth import Elaboratable, Module
from amaranth.build import Platform
from amaranth.lib import io

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
    """

    name: str
    module: str
    platform: str
    device: str
    pass_led: tuple[str, int]
    fail_led: tuple[str, int]
    load: str


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
    ),
}


@dataclass(frozen=True)
class Built:
    """Self-test built for a board.

    Attributes:
        alone: resources of the unit without the test.
        whole: resources of the unit with the test.
        clock_mhz: clock frequency of the board.
        fmax_mhz: maximum clock frequency of the unit with the test.
        bitstream: contents of the bitstream file.
    """

    alone: flow.Usage
    whole: flow.Usage
    clock_mhz: float
    fmax_mhz: float
    bitstream: bytes


class _OnBoard(Elaboratable):
    """Self-test and report, connected to the pins of a board."""

    def __init__(self, board: Board, test: SelfTest, report: Report) -> None:
        self._board, self._test, self._report = board, test, report

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.test, m.submodules.report = test, report = self._test, self._report
        m.d.comb += [getattr(report, name).eq(getattr(test, name)) for name in ("passed", "failed", "number")]
        ports = {
            "serial": platform.request("uart", 0, dir="-").tx,
            "pass_led": platform.request(*self._board.pass_led, dir="-"),
            "fail_led": platform.request(*self._board.fail_led, dir="-"),
        }
        for name, port in ports.items():
            m.submodules[name] = pin = io.Buffer("o", port)
            m.d.comb += pin.o.eq(getattr(report, name))
        return m


def build(board: Board, parameters: LowRankParameters, seed: int, say: Callable[[str], None]) -> Built:
    """Build a bitstream of the self-test of the low-rank ALU.

    Args:
        board: from `BOARDS`.
        parameters: parameters of the unit.
        seed: seed of the vectors, and of the placer.
        say: called with a message before each slow step.

    Raises:
        PentaryError: a tool is not installed, the design does not fit, or it misses the clock of the board.
    """
    device = flow.DEVICES[board.device]
    flow.check_installed("pyosys", device.family.package, "amaranth_boards")
    platform: Platform = getattr(import_module(f"amaranth_boards.{board.module}"), board.platform)()
    clock_hz = platform.default_clk_frequency
    unit = LowRankAlu(parameters)
    with tempfile.TemporaryDirectory(prefix="pentary-fpga-") as temporary:
        folder = Path(temporary)
        say(f"Counting the unit alone for the {device.name}.")
        (folder / "alone.v").write_text(verilog(unit, "alone"))
        netlist = flow.synthesise(folder / "alone.v", "alone", device)
        flow.check_fits(netlist, device)  # early, as building the whole takes longer
        alone = flow.usage(netlist, device)
        say(f"Synthesising the unit with its test for the {board.name}.")
        test, report = SelfTest(unit, vectors(unit, VECTORS, seed)), Report(VECTORS, round(clock_hz))
        files = platform.prepare(_OnBoard(board, test, report), "top").files
        constraints = folder / f"top{device.family.constraints_suffix}"
        for name in ("top.il", constraints.name):
            (folder / name).write_text(files[name])
        netlist = flow.synthesise(folder / "top.il", "top", device)
        say("Placing and routing it: minutes, if it is large.")
        whole, fmax_mhz, configuration = flow.place(netlist, device, seed, constraints)
        if fmax_mhz * 1e6 < clock_hz:
            raise PentaryError(
                f"the clock is missed: the {board.name} runs at {clock_hz / 1e6:g} MHz, the design reaches "
                f"{fmax_mhz:.1f} MHz; another --seed, or smaller parameters, may do"
            )
        return Built(alone, whole, clock_hz / 1e6, fmax_mhz, flow.bitstream(configuration, device))
