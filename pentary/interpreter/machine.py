"""Interpreter: instruction fetch, operand read, execution, and locations of faults."""

from collections.abc import Collection, Iterable
from typing import Final

from pentary.interpreter.lowrank import LOWRANK
from pentary.interpreter.scalar import SCALAR
from pentary.interpreter.state import Semantics, State, Trap
from pentary.interpreter.system import SYSTEM, enter_handler
from pentary.interpreter.vector import VECTOR
from pentary.isa import BY_NAME, IllegalInstruction, decode
from pentary.isa.encoding import operands
from pentary.isa.program import Fault, Program
from pentary.isa.system import double_fault

SEMANTICS: Final[dict[str, Semantics]] = SCALAR | SYSTEM | VECTOR | LOWRANK
assert SEMANTICS.keys() == BY_NAME.keys()

_Operands = tuple[tuple[str, int], ...]
"""(kind, number) of each operand: "word" and "vector" read that register, "number" is the value itself."""

_READ: Final = {"rs": "word", "rt": "word", "ru": "word", "vs": "vector", "vt": "vector", "vu": "vector"}


class Interpreter(State):
    """Reference machine that executes a program, one complete instruction after the other.

    Its state can be read and changed between instructions, see `State`.

    >>> import numpy as np
    >>> from pentary.isa import encode
    >>> words = [encode(BY_NAME["LI"], d=1, i=20), encode(BY_NAME["MUL"], d=2, a=1, b=1), encode(BY_NAME["HALT"])]
    >>> machine = Interpreter(Program(np.array(words), text=3, size=3))
    >>> machine.run(max_instructions=100), machine.registers[2]
    (3, 400)
    """

    def __init__(
        self,
        program: Program,
        memory: int = 5**9,
        overflow_trap: bool = False,
        input: Iterable[int] = (),
        interrupts: Iterable[int] = (),
        absent: Collection[str] = (),
    ) -> None:
        """Load a program at address 0.

        Args:
            program: to be executed; it is not changed.
            memory: words of memory.
            overflow_trap: whether an instruction that would set V faults.
            input: characters of the device INPUT, as code points.
            interrupts: cycles from which the external interrupt is pending, each until it is taken. Cycles are those of
                `counters`, by default the number of instructions executed.
            absent: units that the machine does not have, by their names in the instruction table; their instructions
                are illegal.

        Raises:
            PentaryError: the program takes more words than the memory has, or a value in its image is not a word.
        """
        super().__init__(program, memory, overflow_trap, input)
        text = program.image[: program.text].tolist()
        self._code = [_bind(word, address, absent) for address, word in enumerate(text)]
        self._origin: int | None = None
        self._interrupts = sorted(interrupts, reverse=True)

    def step(self) -> None:
        """Execute one instruction, or go to the trap handler in its place; do nothing after HALT.

        Raises:
            Fault: the instruction cannot be executed, has changed nothing, and no handler takes the trap.
        """
        if self.halted:
            return
        if self.csrs["ENABLE"] and (interrupt := self._interrupt()):
            enter_handler(self, interrupt, 0)
            return
        try:
            if not 0 <= self.pc < len(self._code):
                raise Trap("fetch", self._outside(), self.pc)
            bound = self._code[self.pc]
            if isinstance(bound, str):
                raise Trap("illegal instruction", bound)
            semantics, taken = bound
            values = [
                self.registers[number] if kind == "word" else self.vectors[number] if kind == "vector" else number
                for kind, number in taken
            ]
            following = semantics(self, *values)
        except Trap as trap:
            self._take(trap)
            return
        self._origin = self.pc
        self.pc = self.pc + 1 if following is None else following
        self.instructions += 1

    def _interrupt(self) -> str | None:
        """Return the interrupt that is taken in place of the next instruction, None if there is none."""
        if not self.csrs["HANDLER"] or self.csrs["TRAPPED"]:
            return None
        cycle, timer = self.counter("CYCLE"), self.csrs["TIMER"]
        if self._interrupts and self._interrupts[-1] <= cycle:
            while self._interrupts and self._interrupts[-1] <= cycle:
                self._interrupts.pop()
            return "external interrupt"
        return "timer interrupt" if 0 < timer <= cycle else None

    def run(self, max_instructions: int) -> int:
        """Execute until HALT, but at most `max_instructions` instructions.

        Returns:
            Number of instructions executed, HALT included.

        Raises:
            Fault: an instruction cannot be executed; those before it are complete.
        """
        start = self.instructions
        while not self.halted and self.instructions - start < max_instructions:
            self.step()
        return self.instructions - start

    def _take(self, trap: Trap) -> None:
        """Go to the handler of a trap, or raise its fault."""
        if not self.csrs["HANDLER"]:
            raise Fault(trap.kind, self.pc, trap.detail, self._origin) from None
        if self.csrs["TRAPPED"]:
            raise Fault("double", self.pc, double_fault(trap.kind, trap.detail, self.csrs), self._origin) from None
        enter_handler(self, trap.kind, trap.value)

    def _outside(self) -> str:
        program = f"the program (0..{len(self._code) - 1})" if self._code else "the program, which is empty"
        fell = self.pc == (0 if self._origin is None else self._origin + 1)
        return f"execution ran past the end of {program}" if fell else f"jump outside {program}"


def _bind(word: int, address: int, absent: Collection[str]) -> tuple[Semantics, _Operands] | str:
    """Return the semantics and the operands of a word at an address, or the reason why it is illegal."""
    try:
        decoded = decode(word, absent)
    except IllegalInstruction as error:
        return str(error)
    taken = []
    for name, operand in operands(decoded.instruction):
        number: int = getattr(decoded, operand.field)
        taken.append((_READ.get(name, "number"), number + address if operand.kind == "target" else number))
    return SEMANTICS[decoded.instruction.name], tuple(taken)
