"""The computer for boards: its serial line and its lights.

The cocotb tests at the end, which another test starts, talk to it with the serial port of cocotbext-uart.
"""

import os
import signal
import subprocess
import sys
import tty
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import pytest
from amaranth import Elaboratable, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer
from cocotb_tools.runner import get_results
from cocotbext.uart import UartSink, UartSource

from pentary.asm import assemble, assemble_text
from pentary.es.loop import train
from pentary.machine.config import Units
from pentary.programs.training import PROGRAMS
from pentary.tasks.target import Target
from pentary_hdl.bench import runner
from pentary_hdl.bench.harness import harness
from pentary_hdl.core import word as w
from pentary_hdl.fpga.computer import CONFIG, Station
from pentary_hdl.fpga.protocol import BREAK_BITS
from pentary_hdl.fpga.serial import DEPTH, Receiver, Terminal, Transmitter

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
SOURCES = {
    "endless.s": """
        li      p1, '-'
        nop                                 ; so that its jump is where the other program stores
next:   store   p1, -1000(zero)
        jump    next
""",
    "ends.s": """
        .param  STATUS, 0
        la      p2, text
next:   load    p1, (p2)
        bz      p1, over
        store   p1, -1000(zero)
        inc     p2
        jump    next
over:   li      p1, STATUS
        store   p1, -1003(zero)
        halt
        .data
text:   .string "\u00e9nd\\n"
""",
}


class Loop(Elaboratable):
    """A terminal that receives what it sends, through a line that a test may hold."""

    def __init__(self) -> None:
        self.terminal, self.transmitter, self.receiver = Terminal(), Transmitter(CYCLES), Receiver(CYCLES)
        self.held = Signal()
        self.level = Signal(init=1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.terminal = terminal = self.terminal
        m.submodules.transmitter = transmitter = self.transmitter
        m.submodules.receiver = receiver = self.receiver
        wiring.connect(m, terminal.sends, transmitter.bytes)
        m.d.comb += [
            receiver.line.eq(Mux(self.held, self.level, transmitter.line)),
            terminal.byte.eq(receiver.byte),
            terminal.valid.eq(receiver.valid),
        ]
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
    loop = Loop()
    terminal = loop.terminal

    async def send(context: Any, *levels: int) -> None:
        for level in levels:
            context.set(loop.level, level)
            await context.tick().repeat(CYCLES)

    async def testbench(context: Any) -> None:
        context.set(loop.held, 1)
        await send(context, 1)
        context.set(loop.level, 0)
        await context.tick().repeat(CYCLES // 4)
        await send(context, *[1] * 12)
        await send(context, 0, *[1] * 8, 0, *[1] * 12)  # without a stop bit
        assert number_of(context.get(terminal.available)) == 0
        for _ in range(DEPTH + 2):
            await send(context, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1)
        await send(context, 1)
        assert number_of(context.get(terminal.available)) == DEPTH
        assert number_of(context.get(terminal.input.payload)) == 0b01000001

    bench = Simulator(loop)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()


@pytest.mark.parametrize(("bits", "expected"), [(9, 0), (BREAK_BITS - 2, 0), (BREAK_BITS + 2, 1), (3 * BREAK_BITS, 1)])
def test_a_long_0_is_one_break_and_no_byte(bits: int, expected: int) -> None:
    receiver = Receiver(CYCLES)

    async def testbench(context: Any) -> None:
        breaks = received = 0
        for level, cycles in ((1, 4 * CYCLES), (0, bits * CYCLES + CYCLES // 2), (1, 12 * CYCLES)):
            context.set(receiver.line, level)
            for _ in range(cycles):
                breaks += context.get(receiver.breaks)
                received += context.get(receiver.valid)
                await context.tick()
        # A byte of 0 is as long as nine bits of 0.
        assert (breaks, received) == (expected, int(bits == 9))

    bench = Simulator(receiver)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()


@pytest.mark.parametrize(
    ("name", "simulator"), [("talks", "icarus"), pytest.param("loads", "verilator", marks=pytest.mark.slow)]
)
def test_a_board(name: str, simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a cocotb test below: a program talks through the serial port; others come through a pseudo-terminal."""
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the simulator imports this file by name
    for file, text in SOURCES.items():
        (tmp_path / file).write_text(text)
    station = harness(Station(CONFIG, assemble_text(TEXT), CYCLES), "station")
    built = runner.build(simulator, station, tmp_path)
    settings = {"COCOTB_TEST_FILTER": f"{name}$", "PROGRAMS": str(tmp_path)}
    runner.run(simulator, built, Path(__file__).stem, tmp_path / "run", 1, settings)
    assert get_results(tmp_path / "run" / "results.xml") == (1, 0), (tmp_path / "run" / "log.txt").read_text()


@pytest.mark.slow  # ten minutes: the vector unit is large
def test_target_trains_on_the_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The computer with units trains a matrix of 16x16, and prints words that have NumPy's digest."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    parameters = replace(Target.defaults, population=10, rank=2, steps=3)
    defines = {"ROWS": 16, "COLS": 16, "POPULATION": 10, "RANK": 2, "STEPS": 3, "PRINT": 1}
    config = replace(CONFIG, units=Units(crossbar=False), dcache=replace(CONFIG.dcache, beat=1))
    station = harness(Station(config, assemble(PROGRAMS / "target.s", defines), CYCLES), "station")
    built = runner.build("verilator", station, tmp_path)
    *_, last = train(Target(16, 16), parameters)
    settings = {"COCOTB_TEST_FILTER": "trains$", "DIGEST": last.digest}
    runner.run("verilator", built, Path(__file__).stem, tmp_path / "run", 1, settings)
    assert get_results(tmp_path / "run" / "results.xml") == (1, 0), (tmp_path / "run" / "log.txt").read_text()


@cocotb.test()
async def trains(bench: Any) -> None:
    _, sink = await switched_on(bench)
    words, line = [], b""
    while len(words) < 16 * 16:
        byte = await sink.read(1)
        line += byte
        if byte == b"\n":
            words.append(int(line))
            line = b""
    assert sha256(np.array(words, "<i8").tobytes()).hexdigest() == os.environ["DIGEST"]
    await RisingEdge(bench.pass_led)


@cocotb.test()
async def talks(bench: Any) -> None:
    source, sink = await switched_on(bench)
    greeting = bytes([(await sink.read(1))[0] for _ in GREETING])
    assert greeting == GREETING
    await source.write(b"echo.")
    assert bytes([(await sink.read(1))[0] for _ in range(4)]) == b"echo"
    await RisingEdge(bench.fail_led)
    assert bench.pass_led.value == 0


@cocotb.test()
async def loads(bench: Any) -> None:
    """Load programs with `pentary load`: while another one runs, after one that was broken off, and after its end."""
    line = Line(bench, *await switched_on(bench))
    await line.breaks()
    endless = Command("load", line.port, "endless.s")
    while not endless.output:
        assert endless.status is None, endless.told
        await line.carry()
    assert bench.fail_led.value == bench.pass_led.value == 0
    endless.process.send_signal(signal.SIGTERM)
    while endless.status is None:
        await line.carry()
    assert endless.status == 143 and not endless.output.strip("-") and endless.told.endswith("Interrupted.\n")
    await line.breaks()
    for number in (7, 0):
        ends = Command("load", line.port, "ends.s", "-D", f"STATUS={number}")
        while ends.status is None:
            await line.carry()
        assert (ends.status, ends.output) == (number, "énd\n"), ends.told
        assert ends.told == "Loaded 9 instructions, 14 words of 15,625.\n"
        assert (bench.fail_led.value, bench.pass_led.value) == (number != 0, number == 0)


async def switched_on(bench: Any) -> tuple[UartSource, UartSink]:
    """Start a board, and return what is at its serial line."""
    ends = UartSource(bench.receives, baud=BAUD), UartSink(bench.serial, baud=BAUD)
    Clock(bench.clk, PERIOD_NS, unit="ns").start()
    await RisingEdge(bench.clk)
    await RisingEdge(bench.clk)
    bench.rst.value = 0
    return ends


class Command:
    """A command that runs, with what it has written so far."""

    def __init__(self, *arguments: str) -> None:
        folder = Path(os.environ["PROGRAMS"])
        self._output, self._told = folder / "stdout", folder / "stderr"
        with self._output.open("w") as output, self._told.open("w") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pentary", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
                stdout=output,
                stderr=told,
            )

    @property
    def status(self) -> int | None:
        return self.process.poll()

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    @property
    def told(self) -> str:
        return self._told.read_text(encoding="utf-8")


class Line:
    """A pseudo-terminal at a board's serial line. It carries no break: that comes from the test."""

    def __init__(self, bench: Any, source: UartSource, sink: UartSink) -> None:
        self._bench, self._source, self._sink = bench, source, sink
        self._host, self._kept = os.openpty()
        self.port = os.ttyname(self._kept)
        tty.setraw(self._kept)
        os.set_blocking(self._host, False)

    async def carry(self) -> None:
        """Carry bytes for the time of one."""
        await Timer(10 * CYCLES * PERIOD_NS, "ns")
        with suppress(BlockingIOError):
            self._source.write_nowait(os.read(self._host, 4096))
        if not self._sink.empty():
            os.write(self._host, bytes(self._sink.read_nowait()))

    async def breaks(self) -> None:
        await self._source.wait()
        self._bench.receives.value = 0
        await Timer((BREAK_BITS + 10) * CYCLES * PERIOD_NS, "ns")
        self._bench.receives.value = 1
