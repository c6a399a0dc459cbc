"""Rotation of values in a row, as of the words of a line among memories."""

from collections.abc import Sequence

from amaranth import Module, Mux, Signal, Value


def rotated(m: Module, values: Sequence[Value], by: Value, direction: int) -> list[Value]:
    """Return values that are moved up by a number of places, or down, from one end of the row to the other.

    Args:
        m: module to which it is added.
        values: the row, all of one width.
        by: number of places.
        direction: 1 for up, -1 for down.
    """
    found = list(values)
    for step in range(len(by)):
        distance = direction * (1 << step)
        moved = []
        for place, value in enumerate(found):
            chosen = Signal(len(value))
            m.d.comb += chosen.eq(Mux(by[step], found[(place - distance) % len(found)], value))
            moved.append(chosen)
        found = moved
    return found
