"""Gateware of the same functions in different number representations, 16 lanes each, for `research/number_form.py`."""

from collections.abc import Callable

from amaranth import Module, Signal, Value

LANES = 16


def lookup(m: Module, value: Value, shape: object, entry: Callable[[int], int]) -> Signal:
    """Return a function of some bits, implemented as a lookup table.

    Args:
        m: module to which the logic is added.
        value: input of at most 7 bits.
        shape: shape of the result.
        entry: the function, applied to the input as an unsigned number.
    """
    result = Signal(shape)
    with m.Switch(value):
        for number in range(1 << len(value)):
            with m.Case(number):
                m.d.comb += result.eq(entry(number))
    return result


def as_signed(bits: int, width: int) -> int:
    """Return the value of bits in two's complement."""
    return (bits & ((1 << width) - 1) ^ 1 << width - 1) - (1 << width - 1)
