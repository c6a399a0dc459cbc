"""Boards, and the self-test on them: pins and clocks are those of `amaranth-boards`."""

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
"""As many as a block RAM of an iCE40 has words."""


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: what people call it.
        module, platform: where `amaranth_boards` describes it.
        device: of `flow.DEVICES`.
        pass_led, fail_led: name and number of the LEDs there.
        load: the command that loads a bitstream, without the name of that.
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
    """A self-test that is ready for a board.

    Attributes:
        alone: what the unit takes without the test.
        whole: what the unit takes with the test.
        clock_mhz: the clock of the board.
        fmax_mhz: the clock that the whole reaches.
        bitstream: for the board.
    """

    alone: flow.Usage
    whole: flow.Usage
    clock_mhz: float
    fmax_mhz: float
    bitstream: bytes


class _OnBoard(Elaboratable):
    """A self-test and its report, connected with pins."""

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
    """Make a bitstream of the self-test of the low-rank ALU.

    Args:
        board: of `BOARDS`.
        parameters: of the unit.
        seed: of the vectors, and of the placer.
        say: tells what takes long.

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
        flow.check_fits(netlist, device)  # now, as the whole takes more time
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
