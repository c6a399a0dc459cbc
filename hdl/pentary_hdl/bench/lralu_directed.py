"""Directed stimulus for the low-rank ALU, which covers kinds of situations exhaustively."""

from collections.abc import Iterator
from itertools import cycle, islice, product

from pentary.isa.table import OPERAND
from pentary.lowrank.operations import GAIN_SHIFT
from pentary_hdl.bench.coverage import Bin
from pentary_hdl.bench.lralu_coverage import ERROR, kinds_of
from pentary_hdl.bench.lralu_fields import made, situations
from pentary_hdl.bench.lralu_oracle import FIELDS, Kind, Operand, limit, saturated, update_step
from pentary_hdl.bench.lralu_traffic import Step, Traffic
from pentary_hdl.lralu.twin import command


class DirectedTraffic(Traffic):
    """Directed traffic: sequences that cover all bins of a group."""

    def pairs(self) -> Iterator[list[Step]]:
        """Yield every ordered pair of kinds of commands, each followed by commands that expose the state."""
        most = {name: self._limits[name][1] for name in ("ROWS", "COLS", "RANK")}
        pairs = list(product((*self.kinds, ERROR), repeat=2))
        self.random.shuffle(pairs)
        for pair in pairs:
            steps = [self.any(kind) for kind in pair]
            yield [*steps, *self.set(**most), self.any("LRACC"), self.any("LRMUL"), self.any("LRACC")]

    def fields(self) -> Iterator[Step]:
        """Yield commands with every operand in each of its situations, and with random bits in ignored fields."""
        for name, kind in kinds_of(self.parameters).items():
            for number, operand in enumerate(kind.operands):
                for situation in situations(operand):
                    now = self.kinds[name]
                    code = made(now.operands[number], situation, self.random)
                    yield self.step(self.drawn(now, operand.name, code))
            junk = self.random.getrandbits(max(FIELDS.values()))
            for bits in (junk, ~junk):
                yield self.step(self.drawn(self.kinds[name], junk=bits))

    def witnesses(self) -> list[Step]:
        """Return steps whose outputs expose control registers, factors and sums."""
        names = ("LRACC", "LRADD", "LRMUL", "LRACC", "PRNG", "LRGEN", "LRMUL", "PQUANT", "LRADD", "POPAVG")
        return [self.any(name) for name in names]

    def rows(self, kind: Kind, stream: Operand) -> Iterator[tuple[list[int], tuple[Bin, ...]]]:
        """Yield rows that together contain all situations of a stream's elements, and both extremes at every index.

        Returns:
            Pairs of a row of COLS elements and the bins that it hits.
        """
        cols, beat_elements = self.model.controls["COLS"], self.parameters.beat_elements
        drawn: dict[bool, list[tuple[int, Bin]]] = {True: [], False: []}
        for situation in situations(stream):
            code = made(stream, situation, self.random)
            found: Bin = ("element", kind.name, stream.name, *situation)
            drawn[not stream.refusal(code)].append((stream.value(code) or 0, found))
        for elements in drawn.values():
            for first in range(0, len(elements), cols):
                some = list(islice(cycle(elements[first : first + cols]), cols))
                yield [value for value, _ in some], tuple({found: None for _, found in some})
        edges = {"least": stream.low, "greatest": stream.high}
        for names in (tuple(edges), tuple(edges)[::-1]):
            chosen = list(islice(cycle(names), cols))
            places = tuple(("place", kind.name, stream.name, j % beat_elements, name) for j, name in enumerate(chosen))
            yield [edges[name] for name in chosen], places

    def at_thresholds(self, name: str) -> Step:
        """Return a step of LRADD, or POPAVG while GAIN is ±5^8, with sums on both sides of all thresholds of WIDTH."""
        cols, width = self.model.controls["COLS"], self.model.controls["WIDTH"]
        most = limit(OPERAND)
        wanted = list(self._thresholds[name, width])
        self.random.shuffle(wanted)
        totals = list(islice(cycle(wanted), cols))
        if name == "LRADD":
            sigma = self.random.randint(-(most // 5), most // 5)
            steps = [sigma * saturated(self.model.sums[j], 1) for j in range(cols)]
            return self.step(command(name, sigma), base=[t - s for t, s in zip(totals, steps, strict=True)])
        gain = self.model.controls["GAIN"]
        steps = [self.random.randint(max(t - most, -most), min(t + most, most)) for t in totals]
        given = [wanted * (gain // 5**GAIN_SHIFT) for wanted in steps]
        return self.step(
            command(name),
            base=[t - update_step(total, gain) for t, total in zip(totals, given, strict=True)],
            totals=given,
        )
