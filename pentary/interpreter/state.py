"""Architectural state of the machine, and the methods by which all instructions access it."""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from pentary.interpreter.words import Result, V
from pentary.isa.program import Program
from pentary.isa.system import CSRS, WRITABLE
from pentary.isa.table import CONTROL_RESET, FITNESS, MAX_VL, REGISTERS, STACK, VECTORS
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import PentaryError, as_words

Semantics = Callable[..., int | None]
"""Semantics of an instruction: a function of the state and of the operands, which are named as in the table.

rd, vd, fd, fs, cd, sd and ss are register numbers; rs, rt and ru are words, vs, vt and vu lists of words; j7 and j10
are addresses. It returns the next address, or None for the one that follows. It raises `Trap` before it changes
anything.
"""


class Trap(Exception):
    """A fault without its place, which the machine adds.

    Attributes:
        kind, detail: as of `pentary.isa.program.Fault`.
        value: of the CSR FAULT: the address or the operand at fault.
    """

    def __init__(self, kind: str, detail: str, value: int = 0) -> None:
        """Create a trap."""
        super().__init__(kind, detail)
        self.kind, self.detail, self.value = kind, detail, value


def check_operand(noun: str, value: int, low: int, high: int) -> None:
    """Raise an operand trap if a value is outside low..high."""
    if not low <= value <= high:
        raise Trap("operand", f"{noun} = {value} is outside {low}..{high}", value)


class Counters(Protocol):
    """What the interpreter cannot know of the machine that it stands for: its cycles and events."""

    def read(self, name: str) -> int:
        """Return the value of a CSR that is only read, such as "CYCLE", when the next instruction is executed."""
        ...


class State:
    """Architectural state of the machine; all numbers but those in `memory` are Python integers.

    Attributes:
        program: what was loaded at address 0.
        overflow_trap: whether an instruction that would set V faults.
        registers: 32 words; P0 stays 0.
        pc: address of the next instruction, and of HALT once that has been executed.
        flags: sum of `pentary.numbers.alu.Flags`.
        acc: accumulator, 32 pents.
        memory: (size,) int64 words.
        vectors: 8 lists of 256 words.
        vl: active vector length, 1..256.
        fitness: 4 accumulators, words.
        crossbar: 256 lists of 256 pents; row i is multiplied by element i of MATVEC's vector.
        controls: the low-rank unit's control registers by name.
        factor_a, factor_b: 64 lists of 256 pents, a list for each rank.
        sums: 256 row sums S.
        quantised: whether PQUANT has quantised them.
        csrs: control and status registers that CSRW takes, by name.
        counters: gives the values of the others; None: an instruction takes a cycle, and nothing else is counted.
        input: characters that the program has not read yet, as code points; the next one is the last of the list.
        output: what it has written to the console, as words.
        exit_status: what it has written to EXIT, a word.
        halted: whether HALT has been executed.
        instructions: how many instructions have been executed, HALT included.
        traps: how many faults and interrupts the program's handler has taken.
    """

    def __init__(self, program: Program, memory: int, overflow_trap: bool, input: Iterable[int]) -> None:
        """Load a program; parameters as of `Interpreter`."""
        if program.size > memory:
            raise PentaryError(f"the program takes {program.size} words, but the memory has {memory}")
        self.program = program
        self.overflow_trap = overflow_trap
        self.registers = [0] * REGISTERS
        self.registers[STACK] = memory
        self.pc = 0
        self.flags = 0
        self.acc = 0
        self.memory = np.zeros(memory, np.int64)
        self.memory[: len(program.image)] = as_words(program.image)
        self.vectors = [[0] * MAX_VL for _ in range(VECTORS)]
        self.vl = MAX_VL
        self.fitness = [0] * FITNESS
        self.crossbar = [[0] * MAX_VL for _ in range(MAX_VL)]
        self.controls = dict(CONTROL_RESET)
        self.factor_a = [[0] * MAX_VL for _ in range(MAX_RANK)]
        self.factor_b = [[0] * MAX_VL for _ in range(MAX_RANK)]
        self.sums = [0] * MAX_VL
        self.quantised = False
        self.csrs = {name: csr.reset for name, csr in list(CSRS.items())[:WRITABLE]}
        self.counters: Counters | None = None
        self.input = list(input)[::-1]
        self.output: list[int] = []
        self.exit_status = 0
        self.halted = False
        self.instructions = 0
        self.traps = 0

    def counter(self, name: str) -> int:
        """Return the value of a CSR that is only read, such as "CYCLE", to the instruction at PC."""
        if self.counters is not None:
            return self.counters.read(name)
        return self.instructions if name in ("CYCLE", "INSTRET") else 0

    def write(self, rd: int, word: int) -> None:
        """Write a word to a scalar register; writes to P0 are dropped."""
        if rd:
            self.registers[rd] = word

    def write_flags(self, flags: int) -> None:
        """Replace the flags, or raise an overflow trap if V is set and the trap is enabled."""
        if flags & V and self.overflow_trap:
            raise Trap("overflow", "the exact result does not fit, and the overflow trap is enabled")
        self.flags = flags

    def deliver(self, rd: int, result: Result) -> None:
        """Write the word of a result to a scalar register, and its flags."""
        word, flags = result
        self.write_flags(flags)
        self.write(rd, word)

    def deliver_vector(self, vd: int, elements: list[int]) -> None:
        """Write elements to a vector register; the elements after them become 0."""
        self.vectors[vd] = elements + [0] * (MAX_VL - len(elements))

    def load(self, address: int, words: int) -> list[int]:
        """Return consecutive words of memory, or raise a memory trap if one is outside of it."""
        self._check_address("load from", address, words)
        return self.memory[address : address + words].tolist()

    def gather(self, addresses: list[int], told: int | None = None) -> list[int]:
        """Return words at some addresses, or raise a memory trap if one is outside memory.

        Args:
            addresses: of the words.
            told: address that the trap leaves in FAULT; None for the first one at fault.
        """
        for address in addresses:
            self._check_address("load from", address, 1, told)
        return [int(self.memory[address]) for address in addresses]

    def scatter(self, addresses: list[int], words: list[int], told: int | None = None) -> None:
        """Write words to some addresses, one after the other, or raise a memory trap as `store` and `gather` do."""
        for address in addresses:
            self._check_address("store to", address, 1, told)
        for address in addresses:
            self._check_writable(address, 1, told)
        for address, word in zip(addresses, words, strict=True):
            self.memory[address] = word

    def store(self, address: int, words: list[int]) -> None:
        """Write consecutive words, or raise a memory trap if one is outside memory or inside the program's text."""
        self._check_address("store to", address, len(words))
        self._check_writable(address, len(words))
        self.memory[address : address + len(words)] = words

    def _check_writable(self, address: int, words: int, told: int | None = None) -> None:
        if address < self.program.text:
            place = f"inside the program's text (0..{self.program.text - 1})"
            raise Trap("memory", f"store to {_addresses(address, words)}, {place}", address if told is None else told)

    def _check_address(self, access: str, address: int, words: int, told: int | None = None) -> None:
        if not 0 <= address <= len(self.memory) - words:
            place = f"outside memory (0..{len(self.memory) - 1})"
            raise Trap("memory", f"{access} {_addresses(address, words)}, {place}", address if told is None else told)


def _addresses(address: int, words: int) -> str:
    return f"address {address}" if words == 1 else f"addresses {address}..{address + words - 1}"
