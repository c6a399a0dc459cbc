"""Oracle of the low-rank ALU: a second, independent model, from `architecture/` alone, in plain Python integers.

The reference model (`twin`) and the gateware share constants and functions: codes, widths, thresholds, the generator's
rounds, the table of latencies. A mistake in one of those is in both, and a comparison of the two does not show it. So
the bench also compares with this model, which imports nothing from either. It is written for comparison with the
documents, not for speed.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple, Protocol

FIELDS: Final = {"op": 4, "control": 3, "a": 48, "b": 48}
"""Bits of the fields of a command, the lowest first."""

RESPONSE_DELAY: Final = 7
"""A response is transferred in the cycle start + occupancy + 7."""

ELEMENTS: Final = {"base": 28, "totals": 19, "results": 28}
"""Bits of an element, by stream."""


class Hardware(Protocol):
    """Parameters of the unit: the part of `pentary_hdl.lralu.twin.LowRankParameters` that the oracle uses."""

    @property
    def lanes(self) -> int:
        """Multiply-accumulates in one cycle."""
        ...

    @property
    def max_rank(self) -> int:
        """The greatest RANK."""
        ...

    @property
    def max_size(self) -> int:
        """The greatest ROWS and COLS."""
        ...

    @property
    def rounds_per_cycle(self) -> int:
        """Rounds of the generator in a cycle."""
        ...


class Operand(NamedTuple):
    """Legal values of a field of a command, or of an element of a stream.

    Attributes:
        name: name of the operand.
        field: key in `FIELDS` or `ELEMENTS`.
        bits: width of the field.
        in_pents: whether it is encoded as pents; else in two's complement.
        low, high: inclusive range at present.
        widest: greatest value of `high` in this hardware, whatever the control registers hold.
    """

    name: str
    field: str
    bits: int
    in_pents: bool
    low: int
    high: int
    widest: int

    def value(self, code: int) -> int | None:
        """Return the number that bits encode, or None if they contain an invalid pent."""
        if not self.in_pents:
            return code - (code >> self.bits - 1 << self.bits)
        pents = code_pents(code)
        return None if pents is None else sum(pent * 5**i for i, pent in enumerate(pents))

    def code(self, value: int) -> int:
        """Return the encoding of a number."""
        return pents_code(pents_of(value)) if self.in_pents else value % (1 << self.bits)

    def refusal(self, code: int) -> str:
        """Return why bits are refused: "no pent", "below" or "above"; "" if they are legal."""
        value = self.value(code)
        if value is None:
            return "no pent"
        return "below" if value < self.low else "above" if value > self.high else ""


class Kind(NamedTuple):
    """Kind of command: an operation, or LRSET of one control register.

    Attributes:
        name: name of the operation, followed by the register for LRSET.
        op: code of the operation.
        control: number of the register; None if the field is ignored.
        operands: operands in the fields of the command; other fields are ignored.
        streams: elements of the rows that it takes.
    """

    name: str
    op: int
    control: int | None
    operands: tuple[Operand, ...]
    streams: tuple[Operand, ...]


@cache
def limit(width: int) -> int:
    """Return the greatest number of `width` pents."""
    return (5**width - 1) // 2


@lru_cache(maxsize=512)
def kinds(max_rank: int, max_size: int, rows: int) -> dict[str, Kind]:
    """Return the kinds of commands of hardware of these sizes, while ROWS is `rows`."""

    def binary(name: str, low: int, high: int, widest: int | None = None) -> Operand:
        return Operand(name, "a", FIELDS["a"], False, low, high, widest or high)

    def pents(name: str, low: int, high: int, field: str = "a") -> Operand:
        return Operand(name, field, FIELDS[field], True, low, high, high)

    def row(field: str, width: int) -> Operand:
        return Operand(field, field, ELEMENTS[field], False, -limit(width), limit(width), limit(width))

    registers = (
        binary("ROWS", 1, max_size),
        binary("COLS", 1, max_size),
        binary("RANK", 1, max_rank),
        binary("WIDTH", 2, 8),
        pents("KEY", -76_293_945_312, 76_293_945_312),
        pents("GAIN", -15_258_789_062, 15_258_789_062),
    )
    any_word = -76_293_945_312, 76_293_945_312
    table = (
        Kind("PRNG", 1, None, (pents("key", *any_word), pents("counter", *any_word, "b")), ()),
        *(Kind(f"LRSET {each.name}", 2, number, (each,), ()) for number, each in enumerate(registers)),
        Kind("LRGEN", 3, None, (pents("pair", 0, 195_312),), ()),
        Kind("LRMUL", 4, None, (binary("row", 0, rows - 1, max_size - 1),), ()),
        Kind("PQUANT", 6, None, (), ()),
        Kind("LRADD", 7, None, (binary("sigma", -195_312, 195_312),), (row("base", 8),)),
        Kind("LRACC", 8, None, (binary("pent", -2, 2),), (row("base", 12),)),
        Kind("POPAVG", 9, None, (), (row("base", 8), row("totals", 8))),
    )
    return {kind.name: kind for kind in table}


class Answer(NamedTuple):
    """Outputs and timing of a command, with the fields of `pentary_hdl.lralu.twin.Outcome`."""

    error: bool
    results: tuple[int, ...]
    scalar: int | None
    occupancy: int
    latency: int


class Oracle:
    """Model of the unit as `architecture/` specifies it."""

    def __init__(self, hardware: Hardware) -> None:
        """Create the model in its power-on state, in which the factors are 0."""
        self._hardware = hardware
        self._a = [[0] * hardware.max_size for _ in range(hardware.max_rank)]
        self._b = [[0] * hardware.max_size for _ in range(hardware.max_rank)]
        self.reset()

    def reset(self) -> None:
        """Reset everything except the factors."""
        self._registers = {"ROWS": 1, "COLS": 1, "RANK": 1, "WIDTH": 6, "KEY": 0, "GAIN": 0}
        self._sums, self._quantised = [0] * self._hardware.max_size, False

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kinds of commands under the present ROWS."""
        return kinds(self._hardware.max_rank, self._hardware.max_size, self._registers["ROWS"])

    def execute(
        self, op: int, control: int, a: int, b: int, base: Sequence[int] = (), totals: Sequence[int] = ()
    ) -> Answer:
        """Execute a command; `base` and `totals` have at least COLS elements if the operation takes them."""
        kind = next((k for k in self.kinds.values() if k.op == op and k.control in (None, control)), None)
        fields = {"a": a, "b": b}
        if kind is None or any(operand.refusal(fields[operand.field]) for operand in kind.operands):
            return Answer(True, (), None, 1, 1)
        occupancy, latency = self._cycles(kind.name)
        values = [operand.value(fields[operand.field]) or 0 for operand in kind.operands]
        cols, width, sums = self._registers["COLS"], self._registers["WIDTH"], self._sums
        row, scalar = None, None
        match kind.name, values:
            case "PRNG", [key, counter]:
                scalar = pents_code(word(key, counter))
            case "LRGEN", [pair]:
                self._draw(pair)
            case "LRMUL", [i]:
                vectors = [(self._a[v][i], self._b[v]) for v in range(self._registers["RANK"])]
                made = [sum(left * right[j] for left, right in vectors) for j in range(cols)]
                self._sums, self._quantised = made + [0] * (len(sums) - cols), False
            case "PQUANT", _:
                if not self._quantised:
                    self._sums = [level(s, self._registers["RANK"]) for s in sums]
                self._quantised = True
            case "LRADD", [sigma]:
                row = [top_pent(base[j] + sigma * saturated(sums[j], 1), width) for j in range(cols)]
            case "LRACC", [pent]:
                row = [base[j] + pent * sums[j] for j in range(cols)]
            case "POPAVG", _:
                row = [saturated(base[j] + update_step(totals[j], self._registers["GAIN"]), width) for j in range(cols)]
            case name, [value]:
                self._registers[name.removeprefix("LRSET ")] = value
        if row is None:
            return Answer(False, (), scalar, occupancy, latency)
        return Answer(False, (*row, *[0] * (-cols % (self._hardware.lanes // 4))), None, occupancy, latency)

    def _cycles(self, name: str) -> tuple[int, int]:
        """Return occupancy and latency of a kind of command, in cycles."""
        rows, cols, rank = (self._registers[each] for each in ("ROWS", "COLS", "RANK"))
        lanes = self._hardware.lanes
        p = _ceil(8, self._hardware.rounds_per_cycle) + 1
        if name == "LRGEN":
            generators, words = lanes // 16, rank * (_ceil(rows, 16) + _ceil(cols, 16))
            times = _ceil(words, generators)
            g = (times - 1) * max(p, generators) + p + words - (times - 1) * generators - 1
            return g + 2, g + 2
        beats, multiplying = _ceil(4 * cols, lanes), rank * _ceil(cols, lanes)
        return {
            "PRNG": (p, p + 2),
            "LRMUL": (multiplying, multiplying + 4),
            "LRADD": (beats, beats + 8),
            "LRACC": (beats, beats + 8),
            "POPAVG": (44 * beats + 16, 44 * beats + 24),
        }.get(name, (1, 1))

    def _draw(self, pair: int) -> None:
        rows, cols, rank, key = (self._registers[each] for each in ("ROWS", "COLS", "RANK", "KEY"))
        block = 0
        for factor, length in ((self._a, rows), (self._b, cols)):
            for vector in factor[:rank]:
                for first in range(0, length, 16):
                    count = min(16, length - first)
                    vector[first : first + count] = word(key, pair * 5**8 + block)[:count]
                    block += 1


def level(total: int, rank: int) -> int:
    """Return round(total / sqrt(rank)) within -2..2, ties to 0."""
    size = (4 * total**2 > rank) + (4 * total**2 > 9 * rank)
    return size if total > 0 else -size


def saturated(number: int, width: int) -> int:
    """Return a number saturated to `width` pents."""
    return max(-limit(width), min(limit(width), number))


def top_pent(number: int, width: int) -> int:
    """Return the weight of a latent word, after saturating it to `width` pents."""
    return rounded(saturated(number, width), 5 ** (width - 1))


def update_step(total: int, gain: int) -> int:
    """Return the step that POPAVG adds to a latent word before it saturates."""
    return rounded(total * gain, 5**8)


def rounded(number: int, power: int) -> int:
    """Return number / power rounded to nearest, for a power of 5, so that there are no ties."""
    return (2 * number + power) // (2 * power)


def thresholds(name: str, width: int) -> Iterator[int]:
    """Yield the sums on both sides of each change of LRADD's weight, or of the onset of POPAVG's saturation."""
    unit = 5 ** (width - 1)
    last = {"LRADD": [(unit - 1) // 2, (3 * unit - 1) // 2], "POPAVG": [limit(width)]}[name]
    for total in last:
        yield from (total, total + 1, -total, -total - 1)


@lru_cache(maxsize=4096)
def word(key: int, counter: int) -> list[int]:
    """Return the 16 pents of the generator's word for a key and a counter, the least significant first."""
    k, x = ([pent % 5 for pent in pents_of(number)] for number in (key, counter))
    for r in range(9):
        if r:
            cubes = [pent**3 for pent in x]
            x = [cubes[3 * j % 16] + cubes[(3 * j + 1) % 16] + cubes[(3 * j + 3) % 16] for j in range(16)]
        turned = k[r:] + k[:r]
        turned[0] += r % 5
        turned[1] += r // 5
        x = [(mixed + part) % 5 for mixed, part in zip(x, turned, strict=True)]
    return [pent - 5 if pent > 2 else pent for pent in x]


def pents_of(number: int) -> list[int]:
    """Return the 16 pents of a word, the least significant first."""
    pents = []
    for _ in range(16):
        pents.append((number + 2) % 5 - 2)
        number = (number - pents[-1]) // 5
    return pents


def pents_code(pents: Sequence[int]) -> int:
    """Return the encoding of pents, three bits each."""
    return sum((pent % 8) << 3 * i for i, pent in enumerate(pents))


def code_pents(code: int) -> list[int] | None:
    """Return the 16 pents that 48 bits encode, or None if any code is invalid."""
    pents = {0b110: -2, 0b111: -1, 0b000: 0, 0b001: 1, 0b010: 2}
    codes = [code >> 3 * i & 7 for i in range(16)]
    return [pents[each] for each in codes] if all(each in pents for each in codes) else None


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)
