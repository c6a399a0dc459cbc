"""Block memory at the core: as many words as the configuration has, with a program in it."""

from typing import Final

from amaranth import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from pentary.isa.program import Program
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, PentaryError
from pentary_hdl.core import word as w
from pentary_hdl.core.ports import READ, WRITE

_BITS: Final = w.DIGIT_BITS * PENTS


def check(config: Config, program: Program) -> None:
    """Raise PentaryError unless a configuration has its memory at the core, and a program fits it."""
    if config.caches.enabled:
        raise PentaryError("the computer has its memory at the core, without caches: set caches.enabled = false")
    if config.units.crossbar:
        raise PentaryError("the computer has no array for the crossbar: set units.crossbar = false")
    if config.units.vector and min(config.dcache.beat, config.caches.line) > 1:
        raise PentaryError(f"the computer's memory moves a word a cycle: set dcache.beat = 1, not {config.dcache.beat}")
    if program.size > config.memory.words:
        raise PentaryError(f"the program takes {program.size:,} words, but memory.words is {config.memory.words:,}")


class BlockMemory(wiring.Component):
    """Memory with a port for each of the core's: what is read in a cycle is there from the next one on.

    The lowest digits of an address, of which no two addresses in the memory have the same, are its index in the blocks;
    that of an address outside is that of some other word. A load sees what is stored in the same cycle. The blocks read
    in every cycle, and a register keeps the word that is asked for: `enable` comes late in a cycle, and need not reach
    all of them.

    Args:
        config: configuration of the machine.
        program: what the memory holds when it is switched on; the other words are 0.

    Members:
        fetch, load, store: In; the ports of the core.

    Raises:
        PentaryError: the configuration has caches, or the program does not fit the memory.
    """

    def __init__(self, config: Config, program: Program) -> None:
        """Create a memory."""
        check(config, program)
        self._program = program
        self._digits = next(digits for digits in range(PENTS) if 5**digits >= config.memory.words)
        super().__init__({"fetch": In(READ), "load": In(READ), "store": In(WRITE)})

    def elaborate(self, platform: object) -> Module:
        """Create the blocks, and the index of each port."""
        m = Module()
        content = [_bits(0)] * (1 << len(w.packed([w.NOTHING] * self._digits)))
        for address, number in enumerate(self._program.image.tolist()):
            content[self._index(address)] = _bits(number)
        m.submodules.blocks = blocks = memory.Memory(shape=_BITS, depth=len(content), init=content)
        store = blocks.write_port()
        fetch, load = blocks.read_port(), blocks.read_port(transparent_for=(store,))
        for port, own in ((fetch, self.fetch), (load, self.load), (store, self.store)):
            m.d.comb += port.addr.eq(w.packed(list(own.address)[: self._digits]))
        m.d.comb += [store.data.eq(self.store.word), store.en.eq(self.store.enable)]
        for name, port, own in (("fetch", fetch, self.fetch), ("load", load, self.load)):
            kept, asked = Signal(_BITS, name=f"{name}_kept"), Signal(name=f"{name}_asked")
            m.d.comb += own.word.as_value().eq(Mux(asked, port.data, kept))
            m.d.sync += [asked.eq(own.enable), kept.eq(own.word)]
        return m

    def _index(self, address: int) -> int:
        """Return the index of an address in the blocks, as `word.packed` makes it."""
        digits = enumerate(w.biased(address, self._digits))
        return sum(digit * 5 ** (place % 3) << 7 * (place // 3) for place, digit in digits)


def _bits(number: int) -> int:
    return sum(digit << w.DIGIT_BITS * place for place, digit in enumerate(w.biased(number)))
