"""Gateware of the same work in different number forms: 16 lanes of each, for `research/number_form.py`."""

from collections.abc import Callable

from amaranth import Module, Signal, Value

LANES = 16


def lookup(m: Module, value: Value, shape: object, entry: Callable[[int], int]) -> Signal:
    """Give a function of some bits, as a table.

    Args:
        value: the bits, at most 7.
        shape: of the result.
        entry: the function, of the bits as an unsigned number.
    """
    result = Signal(shape)
    with m.Switch(value):
        for number in range(1 << len(value)):
            with m.Case(number):
                m.d.comb += result.eq(entry(number))
    return result


def as_signed(bits: int, width: int) -> int:
    """Give the number that bits stand for in two's complement."""
    return (bits & ((1 << width) - 1) ^ 1 << width - 1) - (1 << width - 1)
