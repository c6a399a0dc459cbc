"""The core on a board: a computer with a program in block memory, its console on the serial port."""

from collections.abc import Callable
from typing import Final

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.program import Program
from pentary.machine.config import Caches, Config, Memory, Units
from pentary.numbers.word import PentaryError
from pentary_hdl.core import memory, parameters
from pentary_hdl.core import word as w
from pentary_hdl.core.computer import Computer
from pentary_hdl.fpga import boards, flow
from pentary_hdl.fpga.serial import BAUD, Terminal

CONFIG: Final = Config(
    caches=Caches(enabled=False),
    memory=Memory(words=5**6),
    units=Units(vector=False, crossbar=False, lowrank=False),
)
"""Configuration of a computer on a board, unless another one is given."""


class Station(wiring.Component):
    """A computer with its terminal and two lights.

    Args:
        config: configuration of the machine.
        program: the program.
        cycles: clock cycles of a bit on the serial line.

    Members:
        serial: Out; what the program writes to the console.
        receives: In; what it reads.
        pass_led: Out; the program has ended with exit status 0.
        fail_led: Out; it has ended with another one, or by a fault without a handler.
    """

    serial: Out(1, init=1)
    receives: In(1, init=1)
    pass_led: Out(1)
    fail_led: Out(1)

    def __init__(self, config: Config, program: Program, cycles: int) -> None:
        """Create a computer and what is around it."""
        self.computer, self._terminal = Computer(config, program), Terminal(cycles)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Connect them."""
        m = Module()
        m.submodules.computer, m.submodules.terminal = computer, terminal = self.computer, self._terminal
        wiring.connect(m, computer.console, terminal.console)
        wiring.connect(m, computer.input, terminal.input)
        failed = computer.faulted | ~w.is_nothing(list(computer.exit_status))
        m.d.comb += [
            computer.available.eq(terminal.available),
            self.serial.eq(terminal.sends),
            terminal.receives.eq(self.receives),
        ]
        m.d.sync += [self.pass_led.eq(computer.halted & ~failed), self.fail_led.eq(computer.halted & failed)]
        return m


def build(
    board: boards.Board, config: Config, program: Program, seed: int, say: Callable[[str], None], seeds: int = 1
) -> boards.Routed:
    """Build a bitstream of a computer with a program.

    Args:
        board: from `boards.BOARDS`.
        config: configuration of the machine.
        program: the program.
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
    parameters.check(config)
    memory.check(config, program)
    platform = boards.platform_of(board, device)
    design = Station(config, program, round(platform.default_clk_frequency / BAUD))
    say(f"Synthesising the core with its memory for the {board.name}: minutes.")
    return boards.route(board, platform, design, device, range(seed, seed + seeds), say)
