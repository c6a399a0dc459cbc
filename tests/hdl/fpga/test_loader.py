"""The boot loader alone, byte by byte in Amaranth's simulator; Python's zlib and integers say what is right."""

import os
import zlib
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from pentary.isa.program import Program
from pentary.numbers.word import WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.fpga.loader import Loader
from pentary_hdl.fpga.protocol import Status

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))
WORDS = 60
MAGIC = b"\x95PNT"


def word(number: int) -> bytes:
    """Return the six bytes of a word, as `architecture/fpga.md` says."""
    raised = number + (5**16 - 1) // 2
    return sum(raised // 5**place % 5 << 3 * place for place in range(16)).to_bytes(6, "little")


def checked(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(4, "little")


def header(size: int, count: int, text: int, version: int = 1) -> bytes:
    return MAGIC + checked(bytes([version]) + word(size) + word(count) + word(text))


def flipped(content: bytes, bit: int) -> bytes:
    return (int.from_bytes(content, "little") ^ 1 << bit).to_bytes(len(content), "little")


def number_of(digits: Any) -> int:
    return sum((digit - w.BIAS) * 5**place for place, digit in enumerate(digits))


class Wire:
    """The host's side of a loader, and the memory behind it."""

    def __init__(self, context: Any, loader: Loader, random: Random) -> None:
        self.memory = dict.fromkeys(range(WORDS), 99)
        self._context, self._loader, self._random = context, loader, random

    async def tick(self) -> None:
        context, store = self._context, self._loader.store
        if context.get(store.enable):
            self.memory[number_of(context.get(store.address))] = number_of(context.get(store.word))
        await context.tick()

    async def send(self, content: bytes) -> None:
        for byte in content:
            for valid, value in ((1, byte), *((0, self._random.randrange(256)),) * self._random.randint(2, 4)):
                self._context.set(self._loader.valid, valid)
                self._context.set(self._loader.byte, value)
                await self.tick()

    async def breaks(self) -> None:
        self._context.set(self._loader.breaks, 1)
        await self.tick()
        self._context.set(self._loader.breaks, 0)

    async def answer(self) -> tuple[Status, int] | None:
        """Return the next answer, None if there is none for a while."""
        found = bytearray()
        for _ in range(4 * WORDS):
            ready = self._random.random() < 0.7
            self._context.set(self._loader.sends.ready, ready)
            if self._context.get(self._loader.sends.valid) and ready:
                found.append(self._context.get(self._loader.sends.payload))
            await self.tick()
            if len(found) == 11:
                break
        self._context.set(self._loader.sends.ready, 0)
        if not found:
            return None
        assert found[:4] == MAGIC and len(found) == 11, f"seed {SEED}"
        code = int.from_bytes(found[5:], "little")
        return Status(found[4]), number_of(code >> 3 * place & 7 for place in range(16))

    async def load(self, words: list[int], text: int) -> None:
        """Load a program, of which everything is right."""
        await self.send(header(len(words), len(words), text))
        assert await self.answer() == (Status.READY, WORDS)
        await self.send(checked(b"".join(map(word, words))))
        assert await self.answer() == (Status.STARTED, WORDS)
        assert [self.memory[address] for address in range(WORDS)] == words + [0] * (WORDS - len(words)), f"seed {SEED}"
        assert not self._context.get(self._loader.stop)
        assert number_of(self._context.get(self._loader.text)) == text


def drive(test: Callable[[Any, Loader, Wire], Awaitable[None]], program: Program | None = None) -> None:
    loader = Loader(WORDS, program)

    async def testbench(context: Any) -> None:
        await test(context, loader, Wire(context, loader, Random(SEED)))

    bench = Simulator(loader)
    bench.add_clock(1e-6)
    bench.add_testbench(testbench)
    bench.run()


def some_words(count: int) -> list[int]:
    random = Random(f"{SEED} {count}")
    return [random.choice((random.randint(-WORD_MAX, WORD_MAX), WORD_MAX, -WORD_MAX, 0)) for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 33, WORDS])
def test_words_that_are_sent_are_in_memory_and_the_others_are_nothing(count: int) -> None:
    async def test(context: Any, loader: Loader, wire: Wire) -> None:
        assert context.get(loader.stop)
        await wire.load(some_words(count), count // 2)

    drive(test)


def test_what_is_wrong_is_answered_and_the_core_does_not_start() -> None:
    words, random = some_words(5), Random(SEED)
    good, body = header(9, 5, 3), checked(b"".join(map(word, words)))

    async def test(context: Any, loader: Loader, wire: Wire) -> None:
        for content, expected in (
            (header(WORDS + 1, 5, 3), Status.TOO_LARGE),
            (header(5, WORDS + 1, 3), Status.TOO_LARGE),
            (header(WORD_MAX, 5, 3), Status.TOO_LARGE),
            (header(9, 5, 3, version=2), Status.UNKNOWN_VERSION),
            *((flipped(good, random.randrange(5 * 8, len(good) * 8)), Status.WRONG_CRC) for _ in range(20)),
        ):
            await wire.send(content)
            assert await wire.answer() == (expected, WORDS), f"seed {SEED}"
            assert context.get(loader.stop)
        for _ in range(20):
            await wire.send(good)
            assert await wire.answer() == (Status.READY, WORDS)
            await wire.send(flipped(body, random.randrange(len(body) * 8)))
            assert await wire.answer() == (Status.WRONG_CRC, WORDS), f"seed {SEED}"
            assert context.get(loader.stop)
        await wire.load(words, 3)

    drive(test)


def test_other_bytes_are_no_header() -> None:
    async def test(context: Any, loader: Loader, wire: Wire) -> None:
        await wire.send(flipped(header(1, 1, 1), 0) + b"PNT" + MAGIC[:3])
        assert await wire.answer() is None
        await wire.load(some_words(3), 1)

    drive(test)


@pytest.mark.parametrize("sent", [2, 4, 5, 15, 26, 28, 40])
def test_a_break_begins_anew_wherever_it_comes(sent: int) -> None:
    words = some_words(4)

    async def test(context: Any, loader: Loader, wire: Wire) -> None:
        await wire.send(header(4, 4, 2)[:sent])
        if sent > 27:
            assert await wire.answer() == (Status.READY, WORDS)
            await wire.send(word(1234)[: sent - 27])
        await wire.breaks()
        assert await wire.answer() is None
        await wire.load(words, 2)
        await wire.send(header(4, 4, 2))  # for the program, which runs
        assert await wire.answer() is None and not context.get(loader.stop)
        await wire.breaks()
        await wire.tick()
        assert context.get(loader.stop)
        await wire.load(words[::-1], 1)

    drive(test)


def test_the_end_of_a_program_that_was_loaded_is_told_once() -> None:
    async def test(context: Any, loader: Loader, wire: Wire) -> None:
        for faulted, expected in ((0, Status.ENDED), (1, Status.FAULTED)):
            await wire.load(some_words(3), 1)
            context.set(loader.exit_status, w.biased(-5))
            context.set(loader.faulted, faulted)
            context.set(loader.halted, 1)
            assert await wire.answer() == (expected, -5)
            assert await wire.answer() is None and not context.get(loader.stop)
        await wire.load(some_words(3), 1)

    drive(test)


def test_a_program_of_the_bitstream_runs_at_once_and_its_end_is_not_told() -> None:
    async def test(context: Any, loader: Loader, wire: Wire) -> None:
        assert not context.get(loader.stop) and number_of(context.get(loader.text)) == 2
        context.set(loader.halted, 1)
        assert await wire.answer() is None
        await wire.load(some_words(3), 1)

    drive(test, Program(np.array([1, 2, 3]), 2, 3))
