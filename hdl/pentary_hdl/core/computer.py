"""A computer: the core with block memory that holds a program, and its devices as streams."""

from amaranth import Module, ResetInserter
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.program import Program
from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.core.core import Core
from pentary_hdl.core.memory import BlockMemory
from pentary_hdl.core.ports import READ, WRITE


class Computer(wiring.Component):
    """The core, its memory and a program, which runs from reset on, or from the end of a stop.

    Args:
        config: configuration of the machine.
        program: the program.

    Members:
        stop: In; the core is held in reset, and `write` goes to the memory.
        write: In; word for the memory.
        text: In; number of words in the text, that of the program if it is not connected; constant while the core runs.
        console: Out; stream of the words that the program writes to CONSOLE.
        input: In; stream of the words that it reads from INPUT.
        available: In; what it reads from AVAILABLE: how many words the stream has now.
        halted: Out; the program has ended.
        faulted: Out; a fault without a handler has ended it.
        exit_status: Out; the newest word that it has written to EXIT, 0 before.

    Raises:
        PentaryError: the hardware cannot have the configuration, it has caches, or the program does not fit the memory.
    """

    def __init__(self, config: Config, program: Program) -> None:
        """Create a computer."""
        self.core, self._memory = Core(config), BlockMemory(config, program)
        super().__init__(
            {
                "stop": In(1),
                "write": In(WRITE),
                "text": In(w.WORD, init=w.biased(program.text)),
                "console": Out(stream.Signature(w.WORD)),
                "input": In(stream.Signature(w.WORD)),
                "available": In(w.WORD),
                "halted": Out(1),
                "faulted": Out(1),
                "exit_status": Out(w.WORD, init=w.biased(0)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the core."""
        m = Module()
        core, blocks = self.core, self._memory
        m.submodules.core, m.submodules.memory = ResetInserter(self.stop)(core), blocks
        wiring.connect(m, core.fetch, blocks.fetch)
        load, store = READ.create(), WRITE.create()  # of the pipeline, or of the vector load/store unit
        wiring.connect(m, load, blocks.load)
        m.d.comb += [
            *(getattr(load, name).eq(getattr(core.load, name)) for name in ("address", "enable")),
            *(getattr(store, name).eq(getattr(core.store, name)) for name in WRITE.members),
            core.load.word.eq(load.word),
        ]
        if core.config.units.vector:
            moves = core.moves
            m.d.comb += [moves.done.eq(1), moves.loaded[0].eq(load.word)]
            with m.If(moves.valid):
                m.d.comb += [
                    load.address.eq(moves.address),
                    load.enable.eq(~moves.stores),
                    store.address.eq(moves.address),
                    store.enable.eq(moves.stores),
                    store.word.eq(moves.words[0]),
                ]
        for condition, port in ((self.stop, self.write), (~self.stop, store)):
            with m.If(condition):
                m.d.comb += [getattr(blocks.store, name).eq(getattr(port, name)) for name in WRITE.members]
        m.d.comb += [
            core.text.eq(self.text),
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
        with m.If(self.stop):
            m.d.sync += [*w.assign(self.exit_status, w.constant(0)), self.faulted.eq(0)]
        return m
