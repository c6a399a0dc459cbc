"""Commands for the low-rank ALU, with operands that look for trouble, and what must come of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final

from pentary.es import GAIN_SHIFT
from pentary.isa.table import OPERAND, TOTAL
from pentary.lralu import (
    CODE_BITS,
    OPS,
    PENT_BITS,
    Command,
    LowRankModel,
    LowRankParameters,
    Outcome,
    command,
)
from pentary.prng import MEMBER_MAX
from pentary.word import PENTS, limit
from pentary_hdl.bench.coverage import Bin
from pentary_hdl.bench.lralu_coverage import (
    BY_COLUMNS,
    BY_RANK,
    ERROR,
    ERRORS,
    class_of,
    column_classes,
    limits,
    rank_classes,
)

_WEIGHTS: Final = {
    **{"PRNG": 3, "LRSET": 4, "LRGEN": 2, "LRMUL": 6, "PQUANT": 5, "LRADD": 6, "LRACC": 5, "POPAVG": 1},
    ERROR: 4,
}
"""How often each operation is in a random mix: POPAVG seldom, which takes hundreds of cycles."""


@dataclass(frozen=True)
class Step:
    """A command with its operands, and what it must give.

    Attributes:
        name: the operation, or `ERROR`.
        command: its bits.
        base, totals: elements of all its beats, none where it takes none.
        outcome: what it must give.
        controls: the control registers before it.
        size: the classes of RANK and COLS, if its work depends on them.
        bins: situations of the coverage that it makes, whatever the streams do.
    """

    name: str
    command: Command
    base: tuple[int, ...]
    totals: tuple[int, ...]
    outcome: Outcome
    controls: dict[str, int]
    size: tuple[str, ...]
    bins: tuple[Bin, ...]

    def __str__(self) -> str:
        """Tell all that one needs to try it by hand."""
        name = next((name for name, code in OPS.items() if code == self.command.op), "unknown code")
        controls = " ".join(f"{name}={value}" for name, value in self.controls.items())
        op, control, a, b = self.command
        operands = "".join(
            f" {stream}={list(values)}" for stream, values in (("base", self.base), ("totals", self.totals)) if values
        )
        return f"{name} (op={op} control={control} a={a:#x} b={b:#x}) under {controls}{operands}"


class Traffic:
    """Makes steps, and executes each on the model as it is made."""

    def __init__(self, random: Random, model: LowRankModel) -> None:
        """Take where the choices come from, and the model."""
        self.random, self.model = random, model
        self.parameters: LowRankParameters = model.parameters
        self._ranks, self._columns = rank_classes(self.parameters), column_classes(self.parameters)
        self._limits = limits(self.parameters)
        self._refused = self._errors()

    def step(self, sent: Command, base: Sequence[int] | None = None, bins: tuple[Bin, ...] = ()) -> Step:
        """Make a step of a command, with random operands where none are given."""
        name = next((name for name, code in OPS.items() if code == sent.op), ERROR)
        count = self.model.beats() * self.parameters.movers
        widest = TOTAL if name == "LRACC" else OPERAND
        streams = self.model.operands(sent)
        operands = {stream: tuple(self.element(widest) for _ in range(count)) for stream in streams}
        if base is not None:
            operands["base"] = (*base, *[0] * (count - len(base)))
        controls = dict(self.model.controls)
        outcome = self.model.execute(sent, **operands)
        if outcome.error:
            return Step(ERROR, sent, (), (), outcome, controls, (), bins)
        size: tuple[str, ...] = ()
        if name in BY_RANK:
            size = (class_of(controls["RANK"], self._ranks),)
        if name in BY_RANK or name in BY_COLUMNS:
            size = (*size, class_of(controls["COLS"], self._columns))
        bins = (*bins, *self._situations(name, sent, controls))
        return Step(name, sent, operands.get("base", ()), operands.get("totals", ()), outcome, controls, size, bins)

    def steps(self, *commands: Command) -> list[Step]:
        """Make steps of commands, with random operands."""
        return [self.step(sent) for sent in commands]

    def set(self, **controls: int) -> list[Step]:
        """Set control registers."""
        return self.steps(*(command("LRSET", name, value) for name, value in controls.items()))

    def fresh(self) -> list[Step]:
        """Draw all of the factors, whatever they held, and leave the largest sizes behind."""
        most = {name: self._limits[name][1] for name in ("ROWS", "COLS", "RANK")}
        return [*self.set(**most, KEY=self.word()), self.any("LRGEN")]

    def size(self, rank: str | None = None, columns: str | None = None) -> list[Step]:
        """Set ROWS, COLS, RANK and WIDTH to random values, perhaps of certain classes."""
        low, high = self._limits["ROWS"]
        return self.set(
            ROWS=self.random.choice((low, high, self.random.randint(low, high), min(high, PENTS))),
            RANK=self.random.choice(self._ranks[rank or self.random.choice(list(self._ranks))]),
            COLS=self.random.choice(self._columns[columns or self.random.choice(list(self._columns))]),
            WIDTH=self.random.randint(2, 8),
            GAIN=self.gain(),
        )

    def mix(self, count: int, each: bool = True) -> list[Step]:
        """Make random steps, with every operation among them."""
        names = list(_WEIGHTS) if each else []
        names += self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=max(count - len(names), 0))
        self.random.shuffle(names)
        return [self.any(name) for name in names]

    def pairs(self) -> list[Step]:
        """Let every operation follow every other, and itself."""
        names = list(_WEIGHTS)
        self.random.shuffle(names)
        steps = []
        for i, name in enumerate(names):
            steps.append(self.any(name))
            for other in names[i + 1 :]:
                steps += [self.any(name), self.any(other)]
        return [*steps, self.any(names[0])]

    def any(self, name: str) -> Step:
        """Make a step of an operation with random operands, or of any that is refused."""
        if name == ERROR:
            return self.refused(self.random.choice(list(self._refused)))
        pick, most = self.random.choice, self.random.randint
        rows = self.model.controls["ROWS"]
        match name:
            case "PRNG":
                sent = command(name, self.word(), self.word())
            case "LRSET":
                return self._any_control()
            case "LRGEN":
                sent = command(name, pick((0, MEMBER_MAX, most(0, MEMBER_MAX), most(0, MEMBER_MAX))))
            case "LRMUL":
                sent = command(name, pick((0, rows - 1, most(0, rows - 1), most(0, rows - 1))))
            case "LRADD":
                sent = command(name, pick((0, 1, -1, limit(OPERAND), -limit(OPERAND), self._signed(OPERAND))))
            case "LRACC":
                sent = command(name, most(-2, 2))
            case _:
                sent = command(name)
        return self.step(self._with_junk(name, sent))

    def refused(self, reason: str) -> Step:
        """Make a step that is refused."""
        return self.step(self._refused[reason](), bins=(("error", reason),))

    @property
    def reasons(self) -> list[str]:
        """What a command can be refused for in this hardware."""
        return list(self._refused)

    def word(self) -> int:
        """Give a word."""
        most = limit(PENTS)
        return self.random.choice((0, 1, -1, most, -most, *[self._signed(PENTS)] * 5))

    def gain(self) -> int:
        """Give a value of GAIN."""
        most = self._limits["GAIN"][1]
        return self.random.choice(
            (0, 1, -1, most, -most, 5**GAIN_SHIFT, *[self._signed(self.random.randint(2, 15))] * 5)
        )

    def element(self, widest: int) -> int:
        """Give an element of so many pents at most: near an edge of a width, near a rounding of POPAVG, or any."""
        kind, most = self.random.random(), limit(widest)
        if kind < 0.3:
            return self._signed(self.random.choice((2, 4, widest)))
        if kind < 0.5:
            return self._nearly_tied()
        if kind < 0.6:
            return self.random.choice((0, 1, -1, -most, most))
        edge = limit(self.random.choice((1, self.model.controls["WIDTH"], widest)))
        return self.random.choice((-1, 1)) * min(edge + self.random.randint(-2, 2), most)

    def _signed(self, width: int) -> int:
        return self.random.randint(-limit(width), limit(width))

    def _nearly_tied(self) -> int:
        """Give a total whose product with GAIN lies next to the middle between two multiples of 5^8."""
        gain, unit = self.model.controls["GAIN"], 5**GAIN_SHIFT
        if gain % 5 == 0:
            return self._signed(OPERAND)
        total = (unit + self.random.choice((-1, 1))) // 2 * pow(gain, -1, unit) % unit
        return total if total <= limit(OPERAND) else total - unit

    def _with_junk(self, name: str, sent: Command) -> Command:
        """Fill fields that the command does not use."""
        if self.random.random() < 0.5:
            return sent
        junk = self.random.getrandbits
        return Command(
            sent.op,
            sent.control if name == "LRSET" else junk(3),
            junk(CODE_BITS) if name in ("PQUANT", "POPAVG") else sent.a,
            sent.b if name == "PRNG" else junk(CODE_BITS),
        )

    def _any_control(self) -> Step:
        """Write a control register, mostly of those that do not change the size."""
        name = self.random.choice(("ROWS", "COLS", "RANK", "WIDTH", "WIDTH", "KEY", "KEY", "GAIN", "GAIN"))
        low, high = self._limits[name]
        value = {"KEY": self.word, "GAIN": self.gain}.get(name, lambda: self.random.randint(low, high))()
        return self.step(self._with_junk("LRSET", command("LRSET", name, value)))

    def _errors(self) -> dict[str, Callable[[], Command]]:
        """Give for every reason of refusal a maker of such commands."""
        random, most = self.random, 1 << CODE_BITS - 1

        def beyond(low: int, high: int, side: str, end: int = most) -> int:
            if side == "below":
                return random.choice((low - 1, max(low - random.getrandbits(12) - 1, -end), -end))
            return random.choice((high + 1, min(high + random.getrandbits(12) + 1, end - 1), end - 1))

        def no_pent() -> int:
            place = PENT_BITS * random.randrange(PENTS)
            return pents_of(random) & ~(7 << place) | random.choice((3, 4, 5)) << place

        def control(name: str, side: str) -> Command:
            low, high = self._limits[name]
            return command("LRSET", name, beyond(low, high, side, limit(PENTS) if name == "GAIN" else most))

        def operand(what: str, side: str) -> Command:
            match what:
                case "pair":
                    return command("LRGEN", beyond(0, MEMBER_MAX, side, limit(PENTS)))
                case "row":
                    return command("LRMUL", beyond(0, self.model.controls["ROWS"] - 1, side))
                case "sigma":
                    return command("LRADD", beyond(-limit(OPERAND), limit(OPERAND), side))
                case _:
                    return command("LRACC", beyond(-2, 2, side))

        unknown = [code for code in range(16) if code not in (*OPS.values(), 5)]
        found: dict[str, Callable[[], Command]] = {
            "unknown code": lambda: self._with_junk("", Command(random.choice(unknown))),
            "LRMULX": lambda: self._with_junk("", Command(5)),
            "unknown control register": lambda: Command(OPS["LRSET"], random.choice((6, 7)), 1),
            "KEY no pent": lambda: Command(OPS["LRSET"], 4, no_pent()),
            "GAIN no pent": lambda: Command(OPS["LRSET"], 5, no_pent()),
            "pair no pent": lambda: Command(OPS["LRGEN"], 0, no_pent()),
            "key no pent": lambda: Command(OPS["PRNG"], 0, no_pent(), pents_of(random)),
            "counter no pent": lambda: Command(OPS["PRNG"], 0, pents_of(random), no_pent()),
        }
        for reason in ERRORS:
            what, _, side = reason.partition(" ")
            if side in ("below", "above"):
                maker = control if what in self._limits else operand
                found[reason] = lambda maker=maker, what=what, side=side: maker(what, side)
        return found

    def _situations(self, name: str, sent: Command, controls: dict[str, int]) -> Iterator[Bin]:
        match name:
            case "LRSET":
                register = list(controls)[sent.control]
                value, (low, high) = self.model.controls[register], self._limits[register]
                yield "control", register, "least" if value == low else "greatest" if value == high else "other"
            case "LRADD" | "POPAVG":
                yield "width", name, controls["WIDTH"]
            case "LRMUL" if controls["RANK"] == 1:
                left = int(self.model.factor_a[0, sent.a])
                yield from (
                    ("product", *pents)
                    for pents in product([left], set(self.model.factor_b[0, : controls["COLS"]].tolist()))
                )


def pents_of(random: Random) -> int:
    """Give the code of 16 random pents."""
    return sum((random.randint(-2, 2) & 7) << PENT_BITS * i for i in range(PENTS))
