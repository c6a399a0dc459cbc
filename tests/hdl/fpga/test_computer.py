"""The computer for boards: its serial line and its lights.

The cocotb test at the end, which another test starts, talks to it with the serial port of cocotbext-uart.
"""

from pathlib import Path
from typing import Any

import cocotb
import pytest
from amaranth import Elaboratable, Module
from amaranth.sim import Simulator
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotb_tools.runner import get_results
from cocotbext.uart import UartSink, UartSource

from pentary.asm import assemble_text
from pentary_hdl.bench import runner
from pentary_hdl.bench.harness import harness
from pentary_hdl.core import word as w
from pentary_hdl.fpga.computer import CONFIG, Station
from pentary_hdl.fpga.serial import DEPTH, Terminal

CYCLES, PERIOD_NS = 8, 10
BAUD = round(1e9 / (CYCLES * PERIOD_NS))
GREETING = b"pents: -2..2\n"
TEXT = """
        .include "runtime.s"
start:  print   "pents: -2..2\\n"
again:  getc    p1
        blt     p1, p0, again           ; nothing has come yet
        li      p2, '.'
        beq     p1, p2, over
        putc    p1
        jump    again
over:   exit    7
"""


class Loop(Elaboratable):
    """A terminal that receives what it sends."""

    def __init__(self) -> None:
        self.terminal = Terminal(CYCLES)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.terminal = terminal = self.terminal
        m.d.comb += terminal.receives.eq(terminal.sends)
        return m


def number_of(digits: Any) -> int:
    return sum((digit - w.BIAS) * 5**place for place, digit in enumerate(digits))


def test_words_go_out_as_bytes_and_come_in_as_words() -> None:
    loop, words = Loop(), [0, 65, 255, 256, -1, 10**6, 128]
    terminal, got, counts = loop.terminal, [], []

    async def testbench(context: Any) -> None:
        for word in words:
            context.set(terminal.console.payload, w.biased(word))
            context.set(terminal.console.valid, 1)
            await context.tick().until(terminal.console.ready)
            context.set(terminal.console.valid, 0)
        await context.tick().repeat(3 * 11 * CYCLES)
        for _ in words:
            counts.append(number_of(context.get(terminal.available)))
            assert context.get(terminal.input.valid)
            got.append(number_of(context.get(terminal.input.payload)))
            context.set(terminal.input.ready, 1)
            await context.tick()
            context.set(terminal.input.ready, 0)
        assert not context.get(terminal.input.valid)

    bench = Simulator(loop)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()
    assert got == [0, 65, 255, ord("?"), ord("?"), ord("?"), 128]
    assert counts == [*range(len(words), 0, -1)]


def test_noise_is_no_byte_and_what_the_buffer_cannot_hold_is_lost() -> None:
    terminal = Terminal(CYCLES)

    async def send(context: Any, *levels: int) -> None:
        for level in levels:
            context.set(terminal.receives, level)
            await context.tick().repeat(CYCLES)

    async def testbench(context: Any) -> None:
        context.set(terminal.receives, 0)
        await context.tick().repeat(CYCLES // 4)
        await send(context, *[1] * 12)
        await send(context, 0, *[1] * 8, 0, *[1] * 12)  # without a stop bit
        assert number_of(context.get(terminal.available)) == 0
        for _ in range(DEPTH + 2):
            await send(context, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1)
        await send(context, 1)
        assert number_of(context.get(terminal.available)) == DEPTH
        assert number_of(context.get(terminal.input.payload)) == 0b01000001

    bench = Simulator(terminal)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()


def test_a_program_talks_through_the_serial_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the simulator imports this file by name
    station = harness(Station(CONFIG, assemble_text(TEXT), CYCLES), "station")
    built = runner.build("icarus", station, tmp_path)
    runner.run("icarus", built, Path(__file__).stem, tmp_path / "run", 1)
    assert get_results(tmp_path / "run" / "results.xml") == (1, 0), (tmp_path / "run" / "log.txt").read_text()


@cocotb.test()
async def talks(bench: Any) -> None:
    source, sink = UartSource(bench.receives, baud=BAUD), UartSink(bench.serial, baud=BAUD)
    Clock(bench.clk, PERIOD_NS, unit="ns").start()
    await RisingEdge(bench.clk)
    await RisingEdge(bench.clk)
    bench.rst.value = 0
    greeting = bytes([(await sink.read(1))[0] for _ in GREETING])
    assert greeting == GREETING
    await source.write(b"echo.")
    assert bytes([(await sink.read(1))[0] for _ in range(4)]) == b"echo"
    await RisingEdge(bench.fail_led)
    assert bench.pass_led.value == 0
