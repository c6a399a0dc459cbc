"""A computer: the core with block memory that holds a program, and its devices as streams."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.program import Program
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary_hdl.core import word as w
from pentary_hdl.core.core import Core
from pentary_hdl.core.memory import BlockMemory


class Computer(wiring.Component):
    """The core, its memory and a program, which runs from reset on.

    Args:
        config: configuration of the machine.
        program: the program.

    Members:
        console: Out; stream of the words that the program writes to CONSOLE.
        input: In; stream of the words that it reads from INPUT.
        available: In; what it reads from AVAILABLE: how many words the stream has now.
        halted: Out; the program has ended.
        faulted: Out; a fault without a handler has ended it.
        exit_status: Out; the newest word that it has written to EXIT, 0 before.

    Raises:
        PentaryError: the hardware cannot have the configuration, it has caches, or the program does not fit the memory.
    """

    console: Out(stream.Signature(w.WORD))
    input: In(stream.Signature(w.WORD))
    available: In(w.WORD)
    halted: Out(1)
    faulted: Out(1)
    exit_status: Out(w.WORD, init=w.biased(0))

    def __init__(self, config: Config, program: Program) -> None:
        """Create a computer."""
        if config.caches.enabled:
            raise PentaryError("a computer has its memory at the core: set caches.enabled = false")
        self.core, self._memory = Core(config), BlockMemory(config, program)
        self._text = program.text
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Connect the core."""
        m = Module()
        m.submodules.core, m.submodules.memory = core, blocks = self.core, self._memory
        for name in ("fetch", "load", "store"):
            wiring.connect(m, getattr(core, name), getattr(blocks, name))
        m.d.comb += [
            *w.assign(core.text, w.constant(self._text)),
            self.console.payload.eq(core.console.word),
            self.console.valid.eq(core.console.valid),
            core.console.ready.eq(self.console.ready),
            core.input.word.eq(self.input.payload),
            core.input.valid.eq(self.input.valid),
            self.input.ready.eq(core.input.taken),
            core.input.available.eq(self.available),
            self.halted.eq(core.halted),
        ]
        with m.If(core.exit.valid):
            m.d.sync += self.exit_status.eq(core.exit.word)
        with m.If(core.traps & core.trapped.fatal):
            m.d.sync += self.faulted.eq(1)
        return m
