"""POOL: the greatest elements of groups of neighbours, which end up side by side."""

from typing import Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.vector.arithmetic import WORD_BITS, nothing
from pentary_hdl.vector.parameters import Sizes

WIDTHS: Final = PENTS
"""Sizes that a group can have: 1 to 16."""


class Pool(wiring.Component):
    """Maxima of groups of neighbouring elements, in two stages: the maxima, then their way to their places.

    A group lies in one row or in two, and the groups that end in a row go to one row of the result, since that of w
    rows is one row. Element p takes the maximum of itself and those before it in its group in four steps, of the
    elements at distances 1, 2, 4 and 8, each of which knows that of as many before it. The last one of a group then
    moves to its lane in the result: in step b, to the lane whose number has bit b of its goal. No two meet on the way,
    since the goals are side by side, in the order of the elements.

    What each lane does in each step follows from w and from the row's number modulo w, and lies in a table.

    Args:
        sizes: of the unit.

    Members:
        enable: In; reads the table for the row that comes in the next cycle.
        width: In; with it, w less 1.
        phase: In; with it, the row's number modulo w.
        x: In; a row of the vector.
        inside: In; with it, a bit for each element that is less than VL.
        words: Out; in the next cycle, the maxima of groups that end in the row; 0 in the other elements.
        mask: Out; with it, a bit for each element that is to be written: all of them if the phase is 0.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create the lanes."""
        self._sizes = sizes
        super().__init__(
            {
                "enable": In(1),
                "width": In(4),
                "phase": In(4),
                "x": sizes.row(In),
                "inside": In(sizes.lanes),
                "words": sizes.row(Out),
                "mask": Out(sizes.lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the table and the steps."""
        m = Module()
        lanes, depth = self._sizes.lanes, self._sizes.depth
        layout, content = table(self._sizes)
        m.submodules.table = steps = memory.Memory(shape=layout, depth=len(content), init=content)
        port = steps.read_port()
        m.d.comb += [
            port.addr.eq(Cat(self.width, self.phase)),  # of the phase, as many bits as the table has phases for
            port.en.eq(self.enable),
        ]
        begins, started = Signal(), Signal()
        m.d.sync += [started.eq(self.phase == 0), begins.eq(started)]

        # The maxima of the row before.
        reached = [Signal(WORD_BITS, name=f"reached_{lane}") for lane in range(lanes)]
        greatest: list[Value] = [self.x[lane].as_value() for lane in range(lanes)]
        greatest[0] = _greater(m, greatest[0], reached[lanes - 1], port.data["continues"])
        for step in range(layout["maxima"].shape.length):
            greatest = [
                _greater(m, own, greatest[lane - (1 << step)], port.data["maxima"][step][lane])
                if lane >= 1 << step
                else own
                for lane, own in enumerate(greatest)
            ]
        ends, moves = Signal(lanes), Signal(layout["moves"].shape)
        m.d.sync += [
            *(register.eq(value) for register, value in zip(reached, greatest, strict=True)),
            ends.eq(port.data["ends"] & self.inside),
            moves.eq(port.data["moves"]),
        ]

        row: list[Value] = [Mux(end, word, nothing()) for end, word in zip(ends, reached, strict=True)]
        present: list[Value] = list(ends)
        for step in range(depth):
            placed, there = [], []
            for lane in range(lanes):
                other, swaps = lane ^ (1 << step), moves[step][_pair(lane, step)]
                word, bit = Signal(WORD_BITS), Signal()
                m.d.comb += [
                    word.eq(Mux(swaps, row[other], row[lane])),
                    bit.eq(Mux(swaps, present[other], present[lane])),
                ]
                placed.append(word)
                there.append(bit)
            row, present = placed, there
        m.d.comb += self.mask.eq(Cat(present) | begins.replicate(lanes))
        for lane, (word, bit) in enumerate(zip(row, present, strict=True)):
            m.d.comb += self.words[lane].as_value().eq(Mux(bit, word, nothing()))
        return m


def _greater(m: Module, own: Value, other: Value, condition: Value) -> Value:
    """Return the greater of two words if a condition holds, else the first."""
    result = Signal(WORD_BITS)
    m.d.comb += result.eq(Mux(condition & (own < other), other, own))
    return result


def table(sizes: Sizes) -> tuple[data.StructLayout, list[dict[str, object]]]:
    """Return the layout and the entries of the table, in order of the phase, and within it of w.

    Returns:
        Fields of an entry: `continues`, whether the first element goes on with a group; `maxima`, for each step, a bit
        for each lane that takes an element before it into account; `ends`, a bit for each lane that ends a group;
        `moves`, for each step, a bit for each pair of lanes that exchange their words.
    """
    lanes = sizes.lanes
    maxima = [1 << step for step in range(PENTS.bit_length() - 1)]
    layout = data.StructLayout(
        {
            "continues": 1,
            "maxima": data.ArrayLayout(lanes, len(maxima)),
            "ends": lanes,
            "moves": data.ArrayLayout(lanes // 2, sizes.depth),
        }
    )
    content = [
        _entry(sizes, width, phase, maxima)
        for phase in range(min(WIDTHS, sizes.rows))
        for width in range(1, WIDTHS + 1)
    ]
    return layout, content


def _entry(sizes: Sizes, width: int, phase: int, maxima: list[int]) -> dict[str, object]:
    lanes = sizes.lanes
    first = phase * lanes  # number of the row's first element, from the first one of the result's row on
    within = [(first + lane) % width for lane in range(lanes)]
    ends = [place == width - 1 for place in within]
    goals: list[int | None] = [(first + lane) // width % lanes if end else None for lane, end in enumerate(ends)]
    moves = []
    for step in range(sizes.depth):
        bit = 1 << step
        wrong = [goal is not None and (goal ^ lane) & bit != 0 for lane, goal in enumerate(goals)]
        swaps = [wrong[lane] or wrong[lane ^ bit] for lane in range(lanes)]
        goals = [goals[lane ^ bit] if swaps[lane] else goal for lane, goal in enumerate(goals)]
        moves.append(_bits([swaps[lane] for lane in range(lanes) if not lane & bit]))
    assert all(goal in (lane, None) for lane, goal in enumerate(goals)), "two words met on their way"
    return {
        "continues": int(within[0] > 0),
        "maxima": [_bits([within[lane] >= distance for lane in range(lanes)]) for distance in maxima],
        "ends": _bits(ends),
        "moves": moves,
    }


def _pair(lane: int, step: int) -> int:
    """Return which pair of lanes a lane belongs to in a step: the lane's number without the bit `step`."""
    return lane >> step + 1 << step | lane & (1 << step) - 1


def _bits(values: list[bool]) -> int:
    return sum(value << place for place, value in enumerate(values))
