"""Constrained-random programs, to compare implementations of the machine with the interpreter.

A program may use every instruction, every register and corner-case operands, but always terminates: its loops are
counted, its subroutines do not recurse, and no instruction faults. It takes no input. A test bench that steps another
implementation in lockstep with the interpreter looks like this:

    for seed in range(1000):
        program = random_program(seed, length=200)
        golden, device = Interpreter(program), Device(program)
        while not golden.halted:
            golden.step()
            device.step()
            assert (device.pc, device.registers) == (golden.pc, golden.registers), f"seed {seed}, {golden.pc}"

Compare all of `pentary.interpreter.state.State`; where only the final state is visible, run both to HALT and compare
that. After a mismatch, look for a seed that shows it at a smaller length.

With `system`, a program has a trap handler, which goes on after every fault, and it uses interrupts, counters, devices
and TRET. What depends on time must then come to the interpreter from the device, see
`pentary.interpreter.state.Counters`.

With `faults`, a program ends in a `pentary.isa.program.Fault`: compare its kind, pc and origin, and the state, which
the faulting instruction leaves unchanged. One kind of fault is overflow: with the overflow trap off, a program meant to
end in it runs to HALT; with the trap on, many programs end at an earlier overflow, with and without `faults`.

`writer` draws numbers and registers and builds the image, `structures` writes code that does not fault, `faults` code
that does, `handlers` the trap handler and what it is for.
"""

from collections.abc import Collection
from random import Random
from typing import Final

from pentary.isa.program import Program
from pentary.numbers.word import checked_integers
from pentary.randomprogram.faults import write_fault
from pentary.randomprogram.handlers import write_double_fault, write_handler
from pentary.randomprogram.structures import write_item, write_start, write_subroutine
from pentary.randomprogram.writer import INTERRUPTS, Writer

__all__ = ["INTERRUPTS", "LENGTH_MAX", "random_program"]

LENGTH_MAX: Final = 20_000
"""Longest body: a seven-pent immediate still reaches every address of the text and the data behind it."""


def random_program(
    seed: int, length: int, faults: bool = False, system: bool = False, absent: Collection[str] = ()
) -> Program:
    """Return a random program, the same for the same arguments on every computer.

    Args:
        seed: any integer; its sign does not matter.
        length: words in the body, 1 to 20000. It gets somewhat longer, because open structures are completed, and
            subroutines of about a hundred words in all are added.
        faults: whether an instruction somewhere in the body or at its end faults; every kind of fault occurs. With
            `system` the program ends in a double fault instead.
        system: whether there is a trap handler, with faults that it takes, interrupts, counters and devices.
        absent: units that the machine does not have, as of `pentary.machine.config.Config.absent`. No instruction of
            them is executed, unless it is to be the fault of an illegal instruction.

    Returns:
        The program. Its symbol BOUND is an upper bound on the instructions that it executes, with `system` on a
        machine that raises at most INTERRUPTS external interrupts. It takes about 26,000 words of memory.

    Raises:
        PentaryError: the length is out of range.

    >>> from pentary.interpreter import Interpreter
    >>> program = random_program(seed=7, length=50)
    >>> machine = Interpreter(program)
    >>> machine.run(program.symbols["BOUND"]) == machine.instructions, machine.halted
    (True, True)
    """
    length = checked_integers(length, 1, LENGTH_MAX, "length").item()
    writer = Writer(Random(seed), system, absent)
    write_start(writer)
    if system:
        write_handler(writer)
    for _ in range(writer.rng.randint(1, 3)):
        write_subroutine(writer)
    end = writer.words + length
    fault_at = writer.rng.choice((writer.rng.randrange(end), end)) if faults else None
    while writer.words < end:
        write_item(writer)
        if fault_at is not None and writer.words >= fault_at:
            if system:
                write_double_fault(writer)
            else:
                write_fault(writer)
            fault_at = None
    writer.emit("HALT")
    return writer.program()
