"""Software twin of the low-rank ALU: its parameters, its commands as bits, and what it answers, in Python integers.

`architecture/lralu.md` describes the hardware; the gateware in `hdl/` is made from the same parameters and is tested
against `LowRankModel`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from pentary.interpreter.rows import accumulated, multiplied, perturbed, quantised, updated
from pentary.isa.table import BY_NAME, CONTROL_RESET, CONTROLS, LOWRANK_HARDWARE, OPERAND
from pentary.isa.timing import cycles, terms
from pentary.lowrank.generator import MEMBER_MAX, ROUNDS, prng
from pentary.lowrank.operations import lrgen
from pentary.numbers.word import PENTS, PentaryError, from_digits, limit, to_digits
from pentary.support.messages import in_words

PENT_BITS: Final = 3
"""Bits of a pent on a wire: two's complement, -2..2."""

CODE_BITS: Final = PENT_BITS * PENTS
"""Bits of the operands `a` and `b` of a command, and of a scalar."""

ELEMENT_BITS: Final = 28
"""Bits of an element of a row that is moved, base or result: two's complement."""

LATENT_BITS: Final = 19
"""Bits of a total, and as many as a latent word needs: two's complement."""

OPS: Final = {"PRNG": 1, "LRSET": 2, "LRGEN": 3, "LRMUL": 4, "PQUANT": 6, "LRADD": 7, "LRACC": 8, "POPAVG": 9}
"""Codes of the operations: the functions of their instructions."""

IN_PENTS: Final = ("KEY", "GAIN")
"""Control registers whose values travel as pents; the others travel in binary."""

assert all(BY_NAME[name].function == code for name, code in OPS.items())


@dataclass(frozen=True)
class LowRankParameters:
    """What the hardware of the unit is made for; `pentary.isa.table.LOWRANK_HARDWARE` has the values that each takes.

    Attributes:
        lanes: elements worked on in one cycle.
        max_rank: the greatest RANK.
        max_size: the greatest ROWS and COLS.
        rounds_per_cycle: rounds that a generator computes in a cycle.

    Raises:
        PentaryError: a parameter has a value that it does not take.

    >>> LowRankParameters(max_size=40)
    Traceback (most recent call last):
    pentary.numbers.word.PentaryError: max_size is 40; it must be a multiple of 16 in 16..256
    """

    lanes: int = 16
    max_rank: int = 8
    max_size: int = 64
    rounds_per_cycle: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        for name, allowed in LOWRANK_HARDWARE.items():
            value = getattr(self, name)
            if type(value) is not int or value not in allowed:
                raise PentaryError(f"{name} is {value!r}; it must be {in_words(allowed)}")

    @property
    def generators(self) -> int:
        """Generators: one for every 16 lanes."""
        return self.lanes // PENTS

    @property
    def blocks(self) -> int:
        """Blocks of 16 pents in the longest vector of a factor."""
        return self.max_size // PENTS

    @property
    def groups(self) -> int:
        """Groups of lanes in the longest row."""
        return -(-self.max_size // self.lanes)

    @property
    def beat_elements(self) -> int:
        """Elements in a beat of a row, which are moved in one cycle: a quarter of the lanes."""
        return self.lanes // 4

    @property
    def beats(self) -> int:
        """Beats of the longest row."""
        return -(-self.max_size // self.beat_elements)

    @property
    def word_cycles(self) -> int:
        """Cycles in which a generator makes a word: the rounds, and one to add the last key."""
        return ROUNDS // self.rounds_per_cycle + 1


def pents_code(word: int) -> int:
    """Return the 48 bits of a word: three bits of two's complement a pent, the least significant pent lowest.

    >>> f"{pents_code(-2 + 5):06b}"
    '001110'
    """
    return sum((digit & 7) << PENT_BITS * i for i, digit in enumerate(to_digits(word).tolist()))


def code_word(code: int) -> int | None:
    """Return the word that 48 bits encode, or None if three of them encode no pent.

    >>> code_word(0b001110), code_word(0b011)
    (3, None)
    """
    digits = [(code >> PENT_BITS * i & 7 ^ 4) - 4 for i in range(PENTS)]
    return from_digits(digits).item() if all(abs(digit) <= 2 for digit in digits) else None


def binary_code(value: int, bits: int = CODE_BITS) -> int:
    """Return a number in two's complement.

    >>> binary_code(-1, bits=4)
    15
    """
    return value & (1 << bits) - 1


def code_binary(code: int, bits: int = CODE_BITS) -> int:
    """Return the number that bits in two's complement encode.

    >>> code_binary(15, bits=4)
    -1
    """
    return (code ^ 1 << bits - 1) - (1 << bits - 1)


class Command(NamedTuple):
    """A command as it travels: the fields of the stream, all of them bits."""

    op: int
    control: int = 0
    a: int = 0
    b: int = 0


def command(name: str, *operands: int | str) -> Command:
    """Encode a command.

    Args:
        name: the operation, of `OPS`.
        operands: PRNG: key, counter; LRSET: name of the control register, value; LRGEN: pair; LRMUL: row; LRADD: sigma;
            LRACC: pent; the others take none. They need not be in their range, just fit the field.

    >>> command("LRSET", "COLS", 20)
    Command(op=2, control=1, a=20, b=0)
    """
    code = OPS[name]
    match name, operands:
        case "PRNG", [int(key), int(counter)]:
            return Command(code, 0, pents_code(key), pents_code(counter))
        case "LRSET", [str(control), int(value)]:
            encode = pents_code if control in IN_PENTS else binary_code
            return Command(code, tuple(CONTROLS).index(control), encode(value))
        case "LRGEN", [int(pair)]:
            return Command(code, 0, pents_code(pair))
        case "LRMUL" | "LRADD" | "LRACC", [int(value)]:
            return Command(code, 0, binary_code(value))
        case "PQUANT" | "POPAVG", []:
            return Command(code)
    raise PentaryError(f"{name} does not take the operands {operands}")


RESPONSE_DELAY: Final = 7
"""A response is transferred in the cycle start + occupancy + RESPONSE_DELAY, on the condition that no stream waits."""


@dataclass(frozen=True)
class Outcome:
    """What a command gives.

    Attributes:
        error: whether it was refused; it has then done nothing else.
        results: elements of all beats, which are 0 past COLS; () for commands that give none.
        scalar: the word of PRNG as bits, None for other commands.
        occupancy: cycles until the next command can start.
        latency: cycles from the start until the last result (for a command without results or scalar: its effect) is
            there, as the instruction table says; of a refused command, its occupancy.
    """

    error: bool
    results: tuple[int, ...]
    scalar: int | None
    occupancy: int
    latency: int


class LowRankModel:
    """The unit as a function of the commands it has executed.

    Attributes:
        controls: control registers by name.
        factor_a, factor_b: int8 (max_rank, max_size): the vectors of A and B.
        sums: max_size row sums.
        quantised: whether PQUANT has quantised them.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Start with the factors 0, as the hardware does when it is switched on."""
        self.parameters = parameters
        self.factor_a = np.zeros((parameters.max_rank, parameters.max_size), np.int8)
        self.factor_b = np.zeros_like(self.factor_a)
        self._most = {"ROWS": parameters.max_size, "COLS": parameters.max_size, "RANK": parameters.max_rank}
        self.reset()

    def reset(self) -> None:
        """Reset the unit: all but the factors, which keep what they hold."""
        self.controls = dict(CONTROL_RESET)
        self.sums = [0] * self.parameters.max_size
        self.quantised = False

    def beats(self) -> int:
        """Return the number of beats of a row, b = ceil(COLS / beat_elements)."""
        return -(-self.controls["COLS"] // self.parameters.beat_elements)

    def operands(self, command: Command) -> tuple[str, ...]:
        """Name the streams of operands, `beats()` beats of each, that a command takes (unless it is refused).

        >>> LowRankModel(LowRankParameters()).operands(Command(OPS["LRADD"]))
        ('base',)
        """
        return _STREAMS.get(command.op, ())

    def execute(self, command: Command, base: Sequence[int] = (), totals: Sequence[int] = ()) -> Outcome:
        """Execute a command.

        Args:
            command: its bits.
            base: of LRADD, LRACC and POPAVG: at least COLS elements, which the instruction has saturated already:
                latent words of up to 8 pents for LRADD and POPAVG, totals of up to 12 pents for LRACC.
            totals: of POPAVG: the same of up to 8 pents.
        """
        name = _NAMES.get(command.op)
        terms = self.terms()  # of the controls before the command
        values = None if name is None else self._operands(name, command)
        if name is None or values is None:
            return Outcome(True, (), None, 1, 1)
        occupancy, latency = cycles(name, terms)
        scalar, row = None, None
        cols, width = self.controls["COLS"], self.controls["WIDTH"]
        match name, values:
            case "PRNG", [key, counter]:
                scalar = pents_code(prng(key, counter).item())
            case "LRSET", [value]:
                self.controls[tuple(CONTROLS)[command.control]] = value
            case "LRGEN", [pair]:
                self._generate(pair)
            case "LRMUL", [index]:
                self._multiply(index)
            case "PQUANT", _:
                if not self.quantised:
                    self.sums = quantised(self.sums, self.controls["RANK"])
                self.quantised = True
            case "LRADD", [sigma]:
                row = perturbed(base[:cols], self.sums[:cols], sigma, width)
            case "LRACC", [pent]:
                row = accumulated(base[:cols], self.sums[:cols], pent)
            case _:
                row = updated(base[:cols], totals[:cols], self.controls["GAIN"], width)
        padded = () if row is None else (*row, *[0] * (self.beats() * self.parameters.beat_elements - cols))
        return Outcome(False, padded, scalar, occupancy, latency)

    def terms(self) -> dict[str, int]:
        """Return the terms of the costs in the instruction table under the present control registers."""
        rows, cols, rank = (self.controls[name] for name in ("ROWS", "COLS", "RANK"))
        return terms(self.parameters.lanes, self.parameters.rounds_per_cycle, rows, cols, rank)

    def _operands(self, name: str, command: Command) -> list[int] | None:
        """Return the values of the operands, or None if one is out of its range."""
        word, number = code_word(command.a), code_binary(command.a)
        match name:
            case "PRNG":
                counter = code_word(command.b)
                return None if word is None or counter is None else [word, counter]
            case "LRSET" if command.control >= len(CONTROLS):
                return None
            case "LRSET":
                control = tuple(CONTROLS)[command.control]
                value = word if control in IN_PENTS else number
                low, high = CONTROLS[control]
                high = self._most.get(control, high)
            case "LRGEN":
                value, low, high = word, 0, MEMBER_MAX
            case "LRMUL":
                value, low, high = number, 0, self.controls["ROWS"] - 1
            case "LRADD":
                value, low, high = number, -limit(OPERAND), limit(OPERAND)
            case "LRACC":
                value, low, high = number, -limit(1), limit(1)
            case _:
                return []
        return [value] if value is not None and low <= value <= high else None

    def _generate(self, pair: int) -> None:
        key, rows, cols, rank = (self.controls[name] for name in ("KEY", "ROWS", "COLS", "RANK"))
        a, b = lrgen(key, np.array([pair]), rows, cols, rank)
        self.factor_a[:rank, :rows] = a[0]
        self.factor_b[:rank, :cols] = b[0]

    def _multiply(self, row: int) -> None:
        cols, rank = self.controls["COLS"], self.controls["RANK"]
        self.sums = multiplied(self.factor_a[:rank, row].tolist(), self.factor_b[:rank].tolist(), cols)
        self.sums += [0] * (self.parameters.max_size - cols)
        self.quantised = False


_NAMES: Final = {code: name for name, code in OPS.items()}
_STREAMS: Final = {OPS["LRADD"]: ("base",), OPS["LRACC"]: ("base",), OPS["POPAVG"]: ("base", "totals")}
