"""The core on a board: a computer with a program in block memory, its console and its loader on the serial port."""

from collections.abc import Callable
from typing import Final

import numpy as np
from amaranth import Module, Mux, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.program import Program
from pentary.machine.config import Caches, Config, Memory, Units
from pentary.numbers.word import PentaryError
from pentary_hdl.core import memory, parameters
from pentary_hdl.core import word as w
from pentary_hdl.core.computer import Computer
from pentary_hdl.fpga import boards, flow
from pentary_hdl.fpga.loader import Loader
from pentary_hdl.fpga.protocol import BAUD
from pentary_hdl.fpga.serial import Receiver, Terminal, Transmitter

CONFIG: Final = Config(
    caches=Caches(enabled=False),
    memory=Memory(words=5**6),
    units=Units(vector=False, crossbar=False, lowrank=False),
)
"""Configuration of a computer on a board, unless another one is given."""


EMPTY: Final = Program(np.zeros(0, np.int64), 0, 0)
"""What the memory of a computer holds that waits for a program."""


class Station(wiring.Component):
    """A computer with its loader, its terminal and two lights.

    Args:
        config: configuration of the machine.
        program: that runs when the board is switched on; None if one is to be loaded first.
        cycles: clock cycles of a bit on the serial line.

    Members:
        serial: Out; what the program writes to the console, and the loader's answers.
        receives: In; what the program reads, and programs to be loaded.
        pass_led: Out; the program has ended with exit status 0.
        fail_led: Out; it has ended with another one, or by a fault without a handler.
    """

    serial: Out(1, init=1)
    receives: In(1, init=1)
    pass_led: Out(1)
    fail_led: Out(1)

    def __init__(self, config: Config, program: Program | None, cycles: int) -> None:
        """Create a computer and what is around it."""
        self.computer, self._loader = Computer(config, program or EMPTY), Loader(config.memory.words, program)
        self._cycles = cycles
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Connect them."""
        m = Module()
        m.submodules.computer, m.submodules.loader = computer, loader = self.computer, self._loader
        m.submodules.transmitter = transmitter = Transmitter(self._cycles)
        m.submodules.receiver = receiver = Receiver(self._cycles)
        terminal = Terminal()
        m.submodules.terminal = ResetInserter(loader.stop)(terminal)
        wiring.connect(m, computer.console, terminal.console)
        wiring.connect(m, computer.input, terminal.input)
        wiring.connect(m, computer.write, loader.store)
        failed = computer.faulted | ~w.is_nothing(list(computer.exit_status))
        sends = terminal.sends.valid  # the end of a program is told after what it has written
        m.d.comb += [
            computer.stop.eq(loader.stop),
            computer.text.eq(loader.text),
            computer.available.eq(terminal.available),
            receiver.line.eq(self.receives),
            *(own.eq(receiver.byte) for own in (terminal.byte, loader.byte)),
            *(own.eq(receiver.valid) for own in (terminal.valid, loader.valid)),
            loader.breaks.eq(receiver.breaks),
            *(getattr(loader, name).eq(getattr(computer, name)) for name in ("halted", "faulted", "exit_status")),
            transmitter.bytes.valid.eq(sends | loader.sends.valid),
            transmitter.bytes.payload.eq(Mux(sends, terminal.sends.payload, loader.sends.payload)),
            terminal.sends.ready.eq(transmitter.bytes.ready),
            loader.sends.ready.eq(transmitter.bytes.ready & ~sends),
            self.serial.eq(transmitter.line),
        ]
        m.d.sync += [self.pass_led.eq(computer.halted & ~failed), self.fail_led.eq(computer.halted & failed)]
        return m


def build(
    board: boards.Board, config: Config, program: Program | None, seed: int, say: Callable[[str], None], seeds: int = 1
) -> boards.Routed:
    """Build a bitstream of a computer.

    Args:
        board: from `boards.BOARDS`.
        config: configuration of the machine.
        program: that runs when the board is switched on; None if one is to be loaded first.
        seed: the first seed of the placer.
        say: called with a message before each slow step.
        seeds: number of seeds.

    Raises:
        PentaryError: the hardware or the board cannot have the configuration, the program does not fit the memory, a
            tool is not installed, or the design does not fit or misses the clock of the board.
    """
    device = flow.with_multipliers(flow.DEVICES[board.device])
    if not board.words:
        names = " or ".join(name for name, each in boards.BOARDS.items() if each.words)
        raise PentaryError(f"the core does not fit into the {device.name}: it needs the board {names}")
    if config.memory.words > board.words:
        raise PentaryError(
            f"memory.words is {config.memory.words:,}: the {board.name} has block memory for {board.words:,} words"
        )
    if config.units.vector:
        raise PentaryError(
            f"the vector unit does not fit into the {device.name}: "
            "set units.vector = false, units.crossbar = false and units.lowrank = false"
        )
    parameters.check(config)
    memory.check(config, program or EMPTY)
    platform = boards.platform_of(board, device)
    design = Station(config, program, round(platform.default_clk_frequency / BAUD))
    say(f"Synthesising the core with its memory for the {board.name}: minutes.")
    return boards.route(board, platform, design, device, range(seed, seed + seeds), say)
