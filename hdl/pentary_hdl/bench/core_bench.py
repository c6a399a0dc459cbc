"""Bench of the core with caches: memory on AXI4 from cocotbext-axi, and a monitor of what the core writes."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus, AxiSlave, MemoryRegion

from pentary.isa.program import Program
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, to_digits
from pentary_hdl.bench.driver import CLOCK_PERIOD
from pentary_hdl.caches.memory import slot_bits
from pentary_hdl.core.retire import TRAPPED

BYTES: Final = 8
"""Bytes of a word on the bus."""

_BIAS, _BITS = 2, 3  # of a digit


def bits_of(number: int) -> int:
    """Return a word of the core as an unsigned integer: its pents plus 2, in three bits each.

    >>> oct(bits_of(7))
    '0o2222222222222243'
    """
    return sum((digit + _BIAS) << _BITS * place for place, digit in enumerate(to_digits(np.int64(number)).tolist()))


def number_of(bits: int) -> int:
    """Return the number that a word of the core stands for.

    >>> number_of(bits_of(-7))
    -7
    """
    return sum(((bits >> _BITS * place & 7) - _BIAS) * 5**place for place in range(PENTS))


class CoreBench:
    """Bench that runs programs on the core with memory on its bus.

    Attributes:
        console: words that the program has written to CONSOLE.
        causes: numbers of the traps that were taken.
        cycles: since the end of the reset.
        fatal: whether a fault has ended the program.
    """

    def __init__(self, unit: Any, config: Config, program: Program, lines: int, rng: Random | None = None) -> None:
        """Create a bench.

        Args:
            unit: cocotb handle of the module made by `pentary_hdl.bench.harness.harness`.
            config: configuration of the core.
            program: what it runs.
            lines: of memory; for other addresses it answers with an error.
            rng: of the cycles in which a channel of memory pauses; None for none.
        """
        self._unit, self._line, self._rng = unit, config.caches.line, rng
        self._slot = 1 << slot_bits(self._line)
        self._program = program
        self._memory = MemoryRegion(lines * self._slot * BYTES)
        self.console: list[int] = []
        self.causes: list[int] = []
        self.cycles, self.fatal = 0, False

    async def run(self, max_cycles: int) -> bool:
        """Reset the core, run the program, and return whether it has ended within a number of cycles."""
        unit = self._unit
        unit.rst.value = 1
        unit.text.value = bits_of(self._program.text)
        unit.console_ready.value = 1
        unit.input_valid.value = unit.external.value = 0
        await self._memory.write(0, _bytes(0) * (self._memory.size // BYTES))
        for address, number in enumerate(self._program.image.tolist()):
            line, place = divmod(address + self._line // 2, self._line)
            await self._memory.write((line * self._slot + place) * BYTES, _bytes(number))
        memory: Any = AxiSlave(AxiBus.from_prefix(unit, "axi"), unit.clk, unit.rst, target=self._memory)
        if self._rng:
            for channel in (*_channels(memory.write_if, "aw", "w", "b"), *_channels(memory.read_if, "ar", "r")):
                channel.set_pause_generator(_pauses(self._rng))
        Clock(unit.clk, CLOCK_PERIOD, unit="step").start()
        for _ in range(4):
            await RisingEdge(unit.clk)
        unit.rst.value = 0
        while not self.fatal and self.cycles < max_cycles:
            await RisingEdge(unit.clk)
            self.cycles += 1
            if unit.console_valid.value == 1:
                self.console.append(number_of(int(unit.console_word.value)))
            if unit.traps.value == 1:
                self._observe_trap(int(unit.trapped.value))
            if unit.halted.value == 1:
                return True
        return self.fatal

    def _observe_trap(self, bits: int) -> None:
        trapped: Any = TRAPPED.from_bits(bits)
        self.causes.append(number_of(trapped.cause.as_bits()))
        self.fatal = bool(trapped.fatal)


def _bytes(number: int) -> bytes:
    return bits_of(number).to_bytes(BYTES, "little")


def _channels(interface: Any, *names: str) -> list[Any]:
    return [getattr(interface, f"{name}_channel") for name in names]


def _pauses(rng: Random) -> Iterator[bool]:
    while True:
        yield rng.random() < 0.3
