"""The caches against a list of words: random loads and stores, and memory after the end."""

from random import Random
from typing import Any

import pytest
from amaranth.sim import Simulator

from pentary.machine.config import Config
from pentary_hdl.caches.hierarchy import Caches
from pentary_hdl.caches.memory import slot_bits
from pentary_hdl.core import word as w

ACCESSES = 150
LINES = 40

CONFIGURATIONS = [
    "dcache = {sets = 5, ways = 1}\nl2 = {sets = 5, ways = 1, beat = 1, latency = 3}\nmemory.latency = 5",
    "caches.line = 5\ndcache = {sets = 1, ways = 3}\nl2 = {sets = 1, ways = 4}\nmemory.latency = 9",
    "dcache = {sets = 1, ways = 3}\nl2 = {sets = 1, ways = 2, beat = 25}\nmemory.latency = 6",
]


def word(number: int) -> dict[int, int]:
    return dict(enumerate(w.biased(number)))


class Memory:
    """Memory on AXI4 that answers at once; words by their places on the bus."""

    def __init__(self, line: int) -> None:
        self.line, self.bits = line, slot_bits(line)
        self.words: dict[int, int] = {}
        self.nothing = w.WORD.const(w.biased(0)).as_value().value

    def place(self, address: int) -> int:
        line, place = divmod(address + self.line // 2, self.line)
        return (line << self.bits) + place

    async def serve(self, ctx: Any, axi: Any) -> None:
        reads: list[int] = []
        write = 0
        ctx.set(axi.arready, 1), ctx.set(axi.awready, 1), ctx.set(axi.wready, 1)
        while True:
            ctx.set(axi.rvalid, bool(reads))
            ctx.set(axi.rdata, self.words.get(reads[0], self.nothing) if reads else 0)
            taken, asked, length, address, writes, at, sends, sent, last = (
                await ctx.tick().sample(
                    axi.rvalid,
                    axi.arvalid,
                    axi.arlen,
                    axi.araddr,
                    axi.awvalid,
                    axi.awaddr,
                    axi.wvalid,
                    axi.wdata,
                    axi.wlast,
                )
            )[2:]
            if taken:
                reads.pop(0)
            if asked:
                reads += range(address >> 3, (address >> 3) + length + 1)
            if writes:
                write = at >> 3
            if sends:
                self.words[write] = sent
                write += 1
            ctx.set(axi.bvalid, sends & last)


@pytest.mark.parametrize("settings", CONFIGURATIONS)
def test_what_is_stored_is_loaded_and_is_in_memory_at_the_end(settings: str) -> None:
    config = Config.loads(settings)
    rng, caches = Random(settings), Caches(config)
    memory = Memory(config.caches.line)
    expected: dict[int, int] = {}

    async def drive(ctx: Any) -> None:
        for number in range(ACCESSES):
            address, stores = rng.randrange(LINES * config.caches.line), rng.random() < 0.5
            ctx.set(caches.address, word(address))
            ctx.set(caches.enters, 1)
            await ctx.tick()
            ctx.set(caches.enters, 0)
            ctx.set(caches.valid, 1)
            ctx.set(caches.store.address, word(address))
            ctx.set(caches.store.enable, stores)
            ctx.set(caches.store.word, word(number))
            *_, loaded = await ctx.tick().sample(caches.loaded).until(caches.done)
            ctx.set(caches.valid, 0)
            if stores:
                expected[address] = number
            else:
                assert list(loaded) == w.biased(expected.get(address, 0)), f"access {number}, address {address}"
        ctx.set(caches.flush, 1)
        await ctx.tick().until(caches.flushed)

    async def serve(ctx: Any) -> None:
        await memory.serve(ctx, caches.axi)

    simulator = Simulator(caches)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_testbench(serve, background=True)
    simulator.run()
    for address, number in expected.items():
        bits = memory.words.get(memory.place(address))
        assert bits == w.WORD.const(w.biased(number)).as_value().value, f"address {address}"
