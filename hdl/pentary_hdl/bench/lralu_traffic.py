"""Constrained-random stimulus for the low-rank ALU, biased to corner cases, with its expected outputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final

from pentary.isa.table import OPERAND, TOTAL
from pentary.lowrank.generator import MEMBER_MAX
from pentary.lowrank.operations import GAIN_SHIFT
from pentary.numbers.word import PENTS
from pentary_hdl.bench.coverage import Bin
from pentary_hdl.bench.lralu_coverage import (
    BY_COLUMNS,
    BY_RANK,
    ERROR,
    UNKNOWN_CODE,
    UNKNOWN_REGISTER,
    class_of,
    column_classes,
    ignored,
    kinds_of,
    limits,
    rank_classes,
    refusals,
    unknown,
)
from pentary_hdl.bench.lralu_fields import legal, met, refused
from pentary_hdl.bench.lralu_oracle import FIELDS, Kind, limit, saturated, thresholds, update_step
from pentary_hdl.bench.lralu_shared import defined
from pentary_hdl.lralu.twin import (
    OPS,
    Command,
    LowRankModel,
    LowRankParameters,
    Outcome,
    command,
)

_WEIGHTS: Final = {
    **{"PRNG": 3, "LRSET": 4, "LRGEN": 2, "LRMUL": 6, "PQUANT": 5, "LRADD": 6, "LRACC": 5, "POPAVG": 1},
    ERROR: 4,
}
"""Relative frequencies of the operations in a random mix; POPAVG is rare, as it takes hundreds of cycles."""


@dataclass(frozen=True)
class Step:
    """Command with its operands and expected outputs.

    Attributes:
        name: the operation, or `ERROR`.
        kind: kind of command, as in the oracle; "LRSET" alone if it does not change the register.
        command: fields of the command.
        base, totals: elements of all its beats; empty if it does not take the stream.
        outcome: expected outputs.
        defined: whether its results are defined: all elements are in range.
        controls: control registers before it.
        size: classes of RANK and COLS, as far as its work depends on them.
        bins: coverage bins that it hits, whether or not the streams stall.
    """

    name: str
    kind: str
    command: Command
    base: tuple[int, ...]
    totals: tuple[int, ...]
    outcome: Outcome
    defined: bool
    controls: dict[str, int]
    size: tuple[str, ...]
    bins: tuple[Bin, ...]

    def __str__(self) -> str:
        """Return all that is needed to reproduce the step by hand."""
        name = next((name for name, code in OPS.items() if code == self.command.op), "unknown code")
        controls = " ".join(f"{name}={value}" for name, value in self.controls.items())
        op, control, a, b = self.command
        operands = "".join(
            f" {stream}={list(values)}" for stream, values in (("base", self.base), ("totals", self.totals)) if values
        )
        return f"{name} (op={op} control={control} a={a:#x} b={b:#x}) under {controls}{operands}"


class Traffic:
    """Source of steps, each of which is executed on the model when it is created."""

    def __init__(self, random: Random, model: LowRankModel) -> None:
        """Create a source of steps with a random generator and a model."""
        self.random, self.model = random, model
        self.parameters: LowRankParameters = model.parameters
        self._ranks, self._columns = rank_classes(self.parameters), column_classes(self.parameters)
        self._limits = limits(self.parameters)
        self.reasons = list(refusals(self.parameters))
        self._unknown = unknown(self.parameters)
        self._thresholds = {
            (name, width): frozenset(thresholds(name, width)) for name in ("LRADD", "POPAVG") for width in range(2, 9)
        }

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kinds of commands under the present ROWS."""
        return kinds_of(self.parameters, self.model.controls["ROWS"])

    def step(self, sent: Command, bins: tuple[Bin, ...] = (), **rows: Sequence[int]) -> Step:
        """Return the step of a command.

        Args:
            sent: the command.
            bins: coverage bins that it hits, besides those that are derived from it.
            rows: COLS elements by stream; random for streams that are not given.
        """
        name = next((name for name, code in OPS.items() if code == sent.op), ERROR)
        cols, count = self.model.controls["COLS"], self.model.beats() * self.parameters.beat_elements
        kinds, controls, sums = self.kinds, dict(self.model.controls), self.model.sums
        kind = next((k for k in kinds.values() if k.op == sent.op and k.control in (None, sent.control)), None)
        operands = {}
        for stream in kind.streams if kind else ():
            row = rows.get(stream.field) or [self.element(TOTAL if name == "LRACC" else OPERAND) for _ in range(cols)]
            unseen = [stream.value(self.random.getrandbits(stream.bits)) or 0 for _ in range(count - len(row))]
            operands[stream.field] = (*row, *unseen)
        outcome = self.model.execute(sent, **operands)
        bins = (*bins, *self._of_fields(kind, sent, kinds))
        if kind is None or outcome.error:
            return Step(ERROR, ERROR, sent, (), (), outcome, True, controls, (), bins)
        size: tuple[str, ...] = ()
        if name in BY_RANK:
            size = (class_of(controls["RANK"], self._ranks),)
        if name in BY_RANK or name in BY_COLUMNS:
            size = (*size, class_of(controls["COLS"], self._columns))
        base, totals = (operands.get(stream, ()) for stream in ("base", "totals"))
        bins = (*bins, *self._situations(name, sent, controls, sums, base, totals))
        writes = kind.control is not None and kind.operands[0].low < kind.operands[0].high
        told = name if writes and self.model.controls == controls else kind.name
        right = not kind.streams or defined(kind.streams, operands, cols)
        return Step(name, told, sent, base, totals, outcome, right, controls, size, bins)

    def steps(self, *commands: Command) -> list[Step]:
        """Return the steps of commands, with random rows."""
        return [self.step(sent) for sent in commands]

    def set(self, **controls: int) -> list[Step]:
        """Return steps that set control registers."""
        return self.steps(*(command("LRSET", name, value) for name, value in controls.items()))

    def fresh(self) -> list[Step]:
        """Return steps that set the largest sizes and draw all factors, which makes them defined."""
        most = {name: self._limits[name][1] for name in ("ROWS", "COLS", "RANK")}
        return [*self.set(**most, KEY=self.word()), self.any("LRGEN")]

    def size(self, rank: str | None = None, columns: str | None = None) -> list[Step]:
        """Return steps that set ROWS, RANK, COLS, WIDTH and GAIN to random values, of the given classes if any."""
        low, high = self._limits["ROWS"]
        return self.set(
            ROWS=self.random.choice((low, high, self.random.randint(low, high), min(high, PENTS))),
            RANK=self.random.choice(self._ranks[rank or self.random.choice(list(self._ranks))]),
            COLS=self.random.choice(self._columns[columns or self.random.choice(list(self._columns))]),
            WIDTH=self.random.randint(2, 8),
            GAIN=self.gain(),
        )

    def mix(self, count: int, each: bool = True) -> list[Step]:
        """Return `count` or more random steps; if `each`, with every operation among them."""
        names = list(_WEIGHTS) if each else []
        names += self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=max(count - len(names), 0))
        self.random.shuffle(names)
        return [self.any(name) for name in names]

    def any(self, name: str) -> Step:
        """Return a random step of an operation, of LRSET of a register ("LRSET WIDTH"), or refused (`ERROR`)."""
        if name == ERROR:
            return self.refused(self.random.choice(self.reasons))
        if register := name.removeprefix("LRSET").strip() if name.startswith("LRSET") else "":
            return self._changed(register)
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
        return self.step(self._with_junk(self.kinds[name], sent))

    def drawn(self, kind: Kind, name: str = "", code: int = 0, junk: int | None = None) -> Command:
        """Return a random command of a kind with legal operands, except for the named one, whose bits are given.

        Args:
            kind: kind of command.
            name: name of the given operand; "" for none.
            code: bits of the given operand.
            junk: bits for the fields that the command ignores; None for random ones.
        """
        codes = {each.field: code if each.name == name else legal(each, self.random) for each in kind.operands}
        return self._with_junk(kind, Command(kind.op, kind.control or 0, codes.get("a", 0), codes.get("b", 0)), junk)

    def refused(self, reason: tuple[str, ...]) -> Step:
        """Return a step that is refused for one of `reasons`."""
        match reason:
            case (name, operand, why):
                kind = self.kinds[name]
                code = next(refused(each, why, self.random) for each in kind.operands if each.name == operand)
                return self.step(self.drawn(kind, operand, code))
            case (name,):
                return self.unknown(name, self.random.choice(self._unknown[name]), self.random.choice(list(self.kinds)))
        raise ValueError(f"{reason} is no reason")

    def unknown(self, name: str, number: int, like: str) -> Step:
        """Return a step with an unknown code, or LRSET of an unknown control register, with operands of kind `like`."""
        sent = self.drawn(self.kinds[like])
        if name == UNKNOWN_CODE:
            return self.step(sent._replace(op=number))
        return self.step(sent._replace(op=OPS["LRSET"], control=number))

    def word(self) -> int:
        """Return a random word, often at an extreme or next to 0."""
        most = limit(PENTS)
        return self.random.choice((0, 1, -1, most, -most, *[self._signed(PENTS)] * 5))

    def gain(self) -> int:
        """Return a random value of GAIN, often at an extreme, next to 0, or 5^8."""
        most = self._limits["GAIN"][1]
        return self.random.choice(
            (0, 1, -1, most, -most, 5**GAIN_SHIFT, *[self._signed(self.random.randint(2, 15))] * 5)
        )

    def element(self, widest: int) -> int:
        """Return a random element of up to `widest` pents: near a saturation bound, near a tie of POPAVG, or any."""
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
        """Return a total whose product with GAIN lies next to the midpoint between two multiples of 5^8."""
        gain, unit = self.model.controls["GAIN"], 5**GAIN_SHIFT
        if gain % 5 == 0:
            return self._signed(OPERAND)
        total = (unit + self.random.choice((-1, 1))) // 2 * pow(gain, -1, unit) % unit
        return total if total <= limit(OPERAND) else total - unit

    def _with_junk(self, kind: Kind, sent: Command, junk: int | None = None) -> Command:
        """Return a command with bits in the fields that it ignores; zeros or random ones if `junk` is None."""
        if junk is None:
            junk = self.random.choice((0, self.random.getrandbits(max(FIELDS.values()))))
        return sent._replace(**{field: junk & (1 << FIELDS[field]) - 1 for field in ignored(kind)})

    def _any_control(self) -> Step:
        """Return a step that writes a random control register, mostly one that does not change the sizes."""
        name = self.random.choice(("ROWS", "COLS", "RANK", "WIDTH", "WIDTH", "KEY", "KEY", "GAIN", "GAIN"))
        return self.step(self._with_junk(self.kinds[f"LRSET {name}"], command("LRSET", name, self._control(name))))

    def _changed(self, name: str) -> Step:
        """Return a step that changes a control register, if its range has more than one value."""
        low, high = self._limits[name]
        value = self._control(name)
        while value == self.model.controls[name] and low < high:
            value = self._control(name)
        return self.step(self._with_junk(self.kinds[f"LRSET {name}"], command("LRSET", name, value)))

    def _control(self, name: str) -> int:
        low, high = self._limits[name]
        return {"KEY": self.word, "GAIN": self.gain}.get(name, lambda: self.random.randint(low, high))()

    def _of_fields(self, kind: Kind | None, sent: Command, kinds: dict[str, Kind]) -> Iterator[Bin]:
        fields = sent._asdict()
        if kind is None:
            name = UNKNOWN_REGISTER if sent.op == OPS["LRSET"] else UNKNOWN_CODE
            number = sent.control if name == UNKNOWN_REGISTER else sent.op
            yield ("error", name)
            for other in kinds.values():
                if not any(operand.refusal(fields[operand.field]) for operand in other.operands):
                    yield ("code", name, number, other.name)
            return
        refusals = {operand: operand.refusal(fields[operand.field]) for operand in kind.operands}
        for operand, reason in refusals.items():
            if any(others for other, others in refusals.items() if other is not operand):
                continue
            if reason:
                yield ("error", kind.name, operand.name, reason)
            for situation in met(operand, fields[operand.field]):
                yield ("field", kind.name, operand.name, *situation)
        if not any(refusals.values()):
            for field in ignored(kind):
                for bit in range(FIELDS[field]):
                    if fields[field] >> bit & 1:
                        yield ("ignored", kind.name, field, bit)

    def _situations(
        self,
        name: str,
        sent: Command,
        controls: dict[str, int],
        sums: Sequence[int],
        base: Sequence[int],
        totals: Sequence[int],
    ) -> Iterator[Bin]:
        cols, width = controls["COLS"], controls["WIDTH"]
        match name:
            case "LRSET":
                register = list(controls)[sent.control]
                value, (low, high) = self.model.controls[register], self._limits[register]
                yield "control", register, "least" if value == low else "greatest" if value == high else "other"
            case "LRADD" | "POPAVG":
                yield "width", name, width
                if name == "LRADD":
                    sigma = self.kinds[name].operands[0].value(sent.a) or 0
                    moved = {base[j] + sigma * saturated(sums[j], 1) for j in range(cols)}
                else:
                    moved = {base[j] + update_step(totals[j], controls["GAIN"]) for j in range(cols)}
                yield from (("threshold", name, width, total) for total in moved & self._thresholds[name, width])
            case "LRMUL" if controls["RANK"] == 1:
                left = int(self.model.factor_a[0, sent.a])
                yield from (
                    ("product", *pents)
                    for pents in product([left], set(self.model.factor_b[0, : controls["COLS"]].tolist()))
                )
