"""The low-rank ALU behind AXI4-Lite, driven over the bus and compared with its software twin.

This file is both: what pytest runs, and, inside the simulator, the benches for cocotb.
"""

import random
import shutil
from pathlib import Path

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotb_tools.runner import get_results
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from pentary.isa.table import CONTROLS
from pentary.lralu import OPS, Command, LowRankModel, LowRankParameters, command
from pentary.word import limit
from pentary_hdl.bench import runner
from pentary_hdl.bench.harness import harness
from pentary_hdl.bus import IDENTIFICATION, REGISTERS, WINDOWS, LowRankBus, markdown

PARAMETERS = LowRankParameters(max_rank=2, max_size=48)
ADDRESS = {entry.name: entry.address for entry in (*REGISTERS, *WINDOWS)}
OKAY, SLVERR = AxiResp.OKAY, AxiResp.SLVERR


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    return runner.build("icarus", harness(LowRankBus(PARAMETERS), "lralu_bus"), tmp_path_factory.mktemp("bus"))


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog: apt install iverilog")
@pytest.mark.parametrize("bench", ["identifies", "refuses", "errors", "agrees"])
def test_on_the_bus(build, bench, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the simulator imports this file by its name
    seed = random.randrange(2**31)
    print("seed", seed)
    only = {"COCOTB_TEST_FILTER": rf"\.{bench}$"}
    runner.run("icarus", build, Path(__file__).stem, tmp_path, seed, only)
    assert get_results(tmp_path / "results.xml") == (1, 0), (tmp_path / "log.txt").read_text()


def test_the_document_has_the_map():
    text = Path(__file__).parents[2].joinpath("architecture/bus.md").read_text()
    assert markdown(REGISTERS) in text
    assert markdown(WINDOWS) in text


class Bus:
    """The peripheral as a program on the host sees it."""

    def __init__(self, master):
        self.master = master

    async def write(self, address, value):
        return (await self.master.write(address, (value & 0xFFFFFFFF).to_bytes(4, "little"))).resp

    async def read(self, address):
        answer = await self.master.read(address, 4)
        return answer.resp, int.from_bytes(answer.data, "little")

    async def put(self, name, value):
        assert await self.write(ADDRESS[name], value) == OKAY

    async def get(self, name):
        response, value = await self.read(ADDRESS[name])
        assert response == OKAY
        return value

    async def execute(self, order):
        """Give whether a command was refused."""
        for name, value in (("A", order.a), ("B", order.b)):
            await self.put(f"{name}_LOW", value & 0xFFFFFFFF)
            await self.put(f"{name}_HIGH", value >> 32)
        await self.put("COMMAND", order.op | order.control << 4)
        return await self.wait()

    async def wait(self):
        for _ in range(1000):
            status = await self.get("STATUS")
            if not status & 1:
                return status >> 1 == 1
        raise AssertionError("busy for ever")

    async def fill(self, window, row):
        for i, element in enumerate(row):
            assert await self.write(ADDRESS[window] + 4 * i, element) == OKAY

    async def results(self, count):
        answers = [await self.read(ADDRESS["RESULTS"] + 4 * i) for i in range(count)]
        assert all(response == OKAY for response, _ in answers)
        return tuple((value ^ 1 << 31) - (1 << 31) for _, value in answers)


async def started(dut):
    dut.rst.value = 1
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return Bus(master)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def identifies(dut):
    bus = await started(dut)
    assert await bus.get("ID") == IDENTIFICATION
    for name, value in vars(PARAMETERS).items():
        assert await bus.get(name.upper()) == value
    assert await bus.get("STATUS") == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def refuses(dut):
    bus = await started(dut)
    registers = {entry.address: entry for entry in REGISTERS}
    windows = {window.address + 4 * i: window for window in WINDOWS for i in (0, PARAMETERS.max_size - 1)}
    outside = [window.address + 4 * i for window in WINDOWS for i in (PARAMETERS.max_size, 255)]
    for address in (*registers, *windows, 4 * len(registers), 0x3FC, *outside):
        entry = registers.get(address) or windows.get(address)
        access = "" if entry is None else entry.access
        assert (await bus.read(address))[0] == (OKAY if "r" in access else SLVERR), hex(address)
        before = await bus.read(address)
        assert await bus.write(address, 0) == (OKAY if "w" in access else SLVERR), hex(address)
        if "w" not in access:
            assert await bus.read(address) == before
        elif entry.bits < 32:
            assert await bus.write(address, 1 << entry.bits) == SLVERR, entry.name
        await bus.wait()
    for element, response in ((-(1 << 27), OKAY), ((1 << 27) - 1, OKAY), (1 << 27, SLVERR), (-(1 << 27) - 1, SLVERR)):
        assert await bus.write(ADDRESS["BASE"], element) == response
    assert (await bus.master.write(ADDRESS["A_LOW"], b"\1")).resp == SLVERR  # a byte of a word
    assert await bus.get("A_LOW") == 0
    # While it works, it takes no writes, and answers reads.
    await bus.put("COMMAND", OPS["PRNG"])
    assert await bus.write(ADDRESS["A_LOW"], 5) == SLVERR
    assert await bus.get("A_LOW") == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def errors(dut):
    bus = await started(dut)
    for op in set(range(16)) - set(OPS.values()):
        assert await bus.execute(Command(op)), op
    for name, value in (("COLS", PARAMETERS.max_size + 1), ("RANK", 0), ("WIDTH", 9)):
        assert await bus.execute(command("LRSET", name, value)), name
    assert await bus.execute(Command(OPS["LRSET"], 7))
    assert await bus.execute(Command(OPS["PRNG"], a=3))  # three bits that are no pent
    assert await bus.execute(command("LRADD", limit(8) + 1))
    assert await bus.execute(command("LRACC", 3))
    assert not await bus.execute(command("LRSET", "COLS", PARAMETERS.max_size))


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def agrees(dut):
    bus = await started(dut)
    model = LowRankModel(PARAMETERS)
    draw = random.Random(cocotb.RANDOM_SEED)
    cocotb.log.info("seed %d", cocotb.RANDOM_SEED)
    for cols in (PARAMETERS.max_size, draw.randint(1, PARAMETERS.max_size)):
        rows = draw.randint(1, PARAMETERS.max_size)
        sizes = {"ROWS": rows, "COLS": cols, "RANK": PARAMETERS.max_rank, "KEY": draw.randint(*CONTROLS["KEY"])}
        gain = {"WIDTH": draw.randint(2, 8), "GAIN": draw.randint(*CONTROLS["GAIN"])}
        orders = [command("LRSET", name, value) for name, value in {**sizes, **gain}.items()]
        orders += [command("PRNG", draw.randint(-limit(16), limit(16)), draw.randint(-limit(16), limit(16)))]
        orders += [command("LRGEN", draw.randrange(195313)), command("LRMUL", draw.randrange(rows))]
        orders += [command("LRACC", draw.randint(-2, 2)), command("LRACC", 3), command("PQUANT")]
        orders += [command("LRADD", draw.randint(-limit(8), limit(8))), command("POPAVG"), command("LRACC", 0)]
        for order in orders:
            base, totals = ([draw.randint(-limit(most), limit(most)) for _ in range(cols)] for most in (8, 8))
            streams = model.operands(order)
            for name, row in (("base", base), ("totals", totals)):
                if name in streams:
                    await bus.fill(name.upper(), row)
            outcome = model.execute(order, base, totals)
            assert await bus.execute(order) == outcome.error, order
            if outcome.results:
                assert await bus.results(len(outcome.results)) == outcome.results, order
            if outcome.scalar is not None:
                assert await bus.get("SCALAR_LOW") | await bus.get("SCALAR_HIGH") << 32 == outcome.scalar
