"""Writer of random programs: draws numbers and registers, emits instructions, and builds the image."""

from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Final, NamedTuple

import numpy as np

from pentary.isa import BY_NAME, INSTRUCTIONS, Instruction, encode
from pentary.isa.encoding import Operand, operands
from pentary.isa.program import Program
from pentary.isa.table import HIGH_SHIFT, LINK, MAX_VL, REGISTERS, STACK, VECTORS
from pentary.numbers.word import PENTS, WORD_MAX

INTERRUPTS: Final = 20
"""External interrupts that a program's bound allows for."""

TIMERS: Final = 20
"""How often a trap handler sets the timer again, at most."""

LOOPS: Final = 2
"""Nesting limit of loops."""

BASES: Final = 3
"""Number of base registers, which always hold a pointer into an area of data."""

# The data, in words from their start: an area of corner cases that loads and stores hit at random; then pointers to
# its centre and to the centres of other areas, at distances that make their lines compete for the same cache set.
_AREA: Final = 400
_POINTERS: Final = 16
_CENTRE: Final = 60
_NEAR: Final = 20
_REACH: Final = 25
_STRIDE: Final = 625
BELOW: Final = _CENTRE - _NEAR
"""Words below a pointer that are in an area of data."""
ABOVE: Final = _AREA - _CENTRE - _NEAR
"""Words above it."""
_AREAS: Final = 40
_STACK: Final = 200  # words at the top of memory, more than a program pushes
_SIZE: Final = (_AREAS + 1) * _STRIDE + _STACK


class Label:
    """A place in the text; its address is set when the program is complete."""

    address: int


class System(NamedTuple):
    """Registers of a trap handler, which nothing else writes.

    Attributes:
        work, other: for the handler alone.
        resume: where the program goes on after a fetch fault.
        doubles: the handler itself faults if it is not 0.
        timers: how often it sets the timer again.
        stack: P30 at the start.
    """

    work: int
    other: int
    resume: int
    doubles: int
    timers: int
    stack: int


class _Line(NamedTuple):
    instruction: Instruction
    fields: dict[str, int]
    label: Label | None

    def word(self, address: int) -> int:
        """Return the encoded instruction, with the label's address or the distance to it added to its immediate."""
        if self.label is None:
            return encode(self.instruction, **self.fields)
        relative = self.instruction.operands[-1:] in (("j7",), ("j10",))
        i = self.fields["i"] + self.label.address - (address if relative else 0)
        return encode(self.instruction, **self.fields | {"i": i})


@dataclass
class _Part:
    """Main program or subroutine: its items, its words, and an upper bound on the instructions that it executes."""

    items: list[_Line | Label | int]
    words: int = 0
    bound: int = 0


class Writer:
    """Builder of a random program.

    Attributes:
        rng: the only source of randomness.
        bases: registers that hold pointers.
        counters: loop counter registers, one for each depth.
        system: registers of the trap handler, or None if the program has none.
        absent: units that the machine does not have.
        looping: number of loops around the current place.
        data, last: labels of the data and of the last word of text, a NOP that only a planned fault reaches.
        handler: label of the trap handler.
        subroutines: label of each, with an upper bound on the instructions that it executes.
    """

    def __init__(self, rng: Random, system: bool = False, absent: Collection[str] = ()) -> None:
        """Create an empty program; draw the registers with special purposes, and the pointers in the data."""
        self.rng = rng
        self.absent = absent
        reserved = rng.sample(range(1, STACK), BASES + LOOPS + (len(System._fields) if system else 0))
        self.bases, self.counters = reserved[:BASES], reserved[BASES : BASES + LOOPS]
        self.system = System(*reserved[BASES + LOOPS :]) if system else None
        self._free = [register for register in range(REGISTERS) if register not in (*reserved, STACK)]
        self._held: list[int] = []
        self._recent = deque([0], maxlen=4)
        self._pointers = [_CENTRE + rng.randint(-_NEAR, _NEAR) for _ in range(_POINTERS // 2)]
        self._pointers += [_CENTRE + _STRIDE * rng.randint(1, _AREAS) for _ in range(_POINTERS // 2)]
        self.data, self.last, self.handler = Label(), Label(), Label()
        self.looping = 0
        self.subroutines: list[tuple[Label, int]] = []
        self._start = Label()
        self._main = self._part = _Part([self._start])
        self._parts = [self._main]
        self._times = 1
        self._handling = 0

    @property
    def words(self) -> int:
        """Words written so far in the main program, or in the current subroutine."""
        return self._part.words

    @property
    def in_subroutine(self) -> bool:
        """Whether a subroutine is being written."""
        return self._part is not self._main

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.rng.random() < probability

    def number(self, low: int, high: int) -> int:
        """Return a random number in low..high, often a corner case: an end, near 0, or where a pent carries."""
        power = 5 ** self.rng.randrange(PENTS)
        carries = self.rng.choice((power, power // 2, power // 2 + 1))
        uniform = self.rng.randint(low, high)
        drawn = self.rng.choice((low, high, uniform, uniform, self.rng.randint(-2, 2), carries, -carries))
        return drawn if low <= drawn <= high else uniform

    def source(self) -> int:
        """Return a random register to read, often one that was written just before."""
        if self.chance(0.5):
            return self.rng.choice(self._recent)
        return 0 if self.chance(0.1) else self.rng.randrange(REGISTERS)

    def target(self, nonzero: bool = False) -> int:
        """Return a random register to write, sometimes the one that was written just before."""
        taken = [*self._held, *([0] if nonzero else []), *([LINK] if self.in_subroutine else [])]
        candidates = [register for register in self._free if register not in taken]
        recent = self._recent[-1]
        return recent if recent in candidates and self.chance(0.2) else self.rng.choice(candidates)

    def emit(self, name: str, label: Label | None = None, /, **given: int) -> None:
        """Write an instruction.

        Args:
            name: mnemonic.
            label: its address, or for a branch or jump the distance to it, is added to the immediate; None: nothing is.
            given: operands by their names in the table; missing ones are drawn.
        """
        fields = {}
        for operand_name, operand in operands(BY_NAME[name]):
            drawn = given[operand_name] if operand_name in given else self._draw(operand_name, operand)
            fields[operand.field] = drawn
            if operand_name == "rd":
                self._recent.append(drawn)
        self._part.items.append(_Line(BY_NAME[name], fields, label))
        self._part.words += 1
        self._part.bound += self._times

    def _draw(self, name: str, operand: Operand) -> int:
        assert operand.low is not None and operand.high is not None
        match operand.kind:
            case "register":
                return self.target() if name == "rd" else self.source()
            case "immediate":
                return self.number(operand.low, operand.high)
            case "target":
                return 0
            case _:
                return self.rng.randint(operand.low, operand.high)

    def emit_word(self, word: int) -> None:
        """Write a word that need not be an instruction."""
        self._part.items.append(word)
        self._part.words += 1

    def put(self, label: Label) -> None:
        """Place a label at the next word."""
        self._part.items.append(label)

    def constant(self, number: int) -> int:
        """Write instructions that load a number into a register, and return the register.

        The register keeps the number until `release`. Which instruction writes it last, and how many follow that, is
        random, so that readers meet results of every unit at every distance: forwarding, load-use stalls, and so on.
        """
        if number == 0 and self.chance(0.3):
            return 0
        rd = self.target(nonzero=True)
        self._held.append(rd)
        high = (number + 5**HIGH_SHIFT // 2) // 5**HIGH_SHIFT
        self.emit("LI", rd=rd, i=number - high * 5**HIGH_SHIFT)
        if high:
            self.emit("ADDHI", rd=rd, rs=rd, i=high)
        detour = self.rng.randrange(10)
        if detour == 0:
            self.emit("MULI", rd=rd, rs=rd, i=1)
        elif detour == 1:
            self.emit("PUSH", rs=rd)
            self.emit("POP", rd=rd)
        elif detour == 2:
            self.emit("ACCSET", rs=rd)
            self.emit("ACCGET", rd=rd, k=0)
        elif detour == 3 and "vector" not in self.absent:
            vector = self.rng.randrange(VECTORS)
            self.emit("VSET", vd=vector, rs=0, rt=rd)
            self.emit("VGET", rd=rd, vs=vector, rt=0)
        elif detour == 4:
            one = self.target(nonzero=True)
            self.emit("LI", rd=one, i=1)
            self.emit("DIV", rd=rd, rs=rd, rt=one)
        for _ in range(self.rng.choice((0, 0, 1, 2, 4))):
            self.emit(self.rng.choice(_HARMLESS))
        return rd

    def release(self) -> None:
        """Free the registers that hold constants."""
        self._held.clear()

    def access(self) -> dict[str, int]:
        """Return operands of a scalar or vector load or store within an area, sometimes after moving the pointer."""
        base = self.rng.choice(self.bases)
        if self.chance(0.2):
            self.point(base)
        return {"rs": base, "i": self.rng.randint(-_REACH, _REACH)}

    def absolute(self) -> int:
        """Return a random offset from the start of the data for a scalar or vector load or store."""
        return self.rng.randint(0, _AREA - MAX_VL)

    def point(self, base: int) -> None:
        """Write an instruction that loads a random pointer into a base register."""
        number = self.rng.randrange(_POINTERS)
        if self.chance(0.5):
            self.emit("LI", self.data, rd=base, i=self._pointers[number])
        else:
            self.emit("LOAD", self.data, rd=base, rs=0, i=_AREA + number)

    @contextmanager
    def repeated(self, times: int) -> Iterator[None]:
        """Count the instructions written in the body as executed `times` times: a context manager."""
        self.looping += 1
        self._times *= times
        yield
        self._times //= times
        self.looping -= 1

    @contextmanager
    def trap_handler(self) -> Iterator[None]:
        """Make the body write the trap handler: a context manager."""
        self._part = _Part([self.handler])
        self._parts.append(self._part)
        yield
        self._handling = self._part.bound
        self._part = self._main

    @contextmanager
    def subroutine(self) -> Iterator[None]:
        """Make the body write a subroutine, which leaves the link register alone: a context manager."""
        label = Label()
        self._part = _Part([label])
        self._parts.append(self._part)
        yield
        self.subroutines.append((label, self._part.bound))
        self._part = self._main

    def call(self, subroutine: tuple[Label, int]) -> None:
        """Write a call of a subroutine."""
        label, bound = subroutine
        if self.chance(0.3):
            rs = self.target(nonzero=True)
            self.emit("LI", label, rd=rs, i=0)
            self.emit("CALLR", rs=rs)
        else:
            self.emit("CALL", label)
        self._part.bound += self._times * bound

    def program(self) -> Program:
        """Return the program: the parts of the text in random order, then the data."""
        self.rng.shuffle(self._parts)
        start = _Line(BY_NAME["JUMP"], {"i": 0}, self._start)
        end = _Line(BY_NAME["NOP"], {}, None)
        items = [start, *chain.from_iterable(part.items for part in self._parts), self.last, end, self.data]
        code: list[_Line | int] = []
        for item in items:
            if isinstance(item, Label):
                item.address = len(code)
            else:
                code.append(item)
        text = [item if isinstance(item, int) else item.word(address) for address, item in enumerate(code)]
        area = [self.number(-WORD_MAX, WORD_MAX) for _ in range(_AREA)]
        pointers = [self.data.address + offset for offset in self._pointers]
        # One more for the jump at the start, and one for the last word; each instruction may be trapped.
        bound = self._main.bound + 2
        symbols = {"BOUND": bound + self._handling * (bound + INTERRUPTS + TIMERS) if self._handling else bound}
        return Program(np.array(text + area + pointers, np.int64), len(text), len(text) + _SIZE, symbols)


_HARMLESS: Final = [
    instruction.name
    for instruction in INSTRUCTIONS
    if instruction.group in ("arithmetic", "logic") and "fault" not in instruction.semantics
]
"""Instructions that are valid with any operands and change only scalar registers, flags and the accumulator."""
