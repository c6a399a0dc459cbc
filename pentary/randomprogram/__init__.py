"""Random programs, to hold one implementation of the machine against another.

A program draws on every instruction, every register and the numbers at which arithmetic goes wrong, and still ends: its
loops count, its subroutines do not recurse, and nothing that it does faults. It takes no input. A test bench that steps
another implementation beside the interpreter looks like this:

    for seed in range(1000):
        program = random_program(seed, length=200)
        golden, device = Interpreter(program), Device(program)
        while not golden.halted:
            golden.step()
            device.step()
            assert (device.pc, device.registers) == (golden.pc, golden.registers), f"seed {seed}, {golden.pc}"

Compare all of `pentary.interpreter.state.State`; where only the end can be seen, run both to HALT and compare that.
After a difference, look for a seed that shows it at a smaller length.

With `faults` a program ends in a `pentary.isa.program.Fault`: compare its kind, pc and origin, and the state, which the
instruction at fault leaves alone. One of the faults is an overflow. Where the overflow trap is off, a program that was
to end in it runs to HALT; where it is on, many programs end at an earlier overflow, with and without `faults`.

`writer` draws numbers and registers and makes the image, `structures` writes what runs without a fault, `faults` what
does not.
"""

from random import Random
from typing import Final

from pentary.isa.program import Program
from pentary.numbers.word import checked_integers
from pentary.randomprogram.faults import write_fault
from pentary.randomprogram.structures import write_item, write_start, write_subroutine
from pentary.randomprogram.writer import Writer

__all__ = ["LENGTH_MAX", "random_program"]

LENGTH_MAX: Final = 20_000
"""Longest body: a seven-pent immediate still reaches every address of the text and the data behind it."""


def random_program(seed: int, length: int, faults: bool = False) -> Program:
    """Write a random program, the same for the same arguments on every computer.

    Args:
        seed: any integer; its sign does not matter.
        length: words in the body, 1 to 20000. It gets somewhat longer, because what was begun is completed, and
            subroutines of about a hundred words in all come on top.
        faults: whether an instruction somewhere in the body or at its end faults; every kind of fault occurs.

    Returns:
        The program. Its symbol BOUND is a number of instructions within which it ends. It takes about 26,000 words of
        memory.

    Raises:
        PentaryError: the length is out of range.

    >>> from pentary.interpreter import Interpreter
    >>> program = random_program(seed=7, length=50)
    >>> machine = Interpreter(program)
    >>> machine.run(program.symbols["BOUND"]) == machine.instructions, machine.halted
    (True, True)
    """
    length = checked_integers(length, 1, LENGTH_MAX, "length").item()
    writer = Writer(Random(seed))
    write_start(writer)
    for _ in range(writer.rng.randint(1, 3)):
        write_subroutine(writer)
    end = writer.words + length
    fault_at = writer.rng.choice((writer.rng.randrange(end), end)) if faults else None
    while writer.words < end:
        write_item(writer)
        if fault_at is not None and writer.words >= fault_at:
            write_fault(writer)
            fault_at = None
    writer.emit("HALT")
    return writer.program()
