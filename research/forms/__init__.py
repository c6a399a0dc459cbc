"""Gateware of the same functions in different number representations, 16 lanes each, for `research/number_form.py`."""

from pentary_hdl.core.word import lookup

__all__ = ["LANES", "as_signed", "lookup"]

LANES = 16


def as_signed(bits: int, width: int) -> int:
    """Return the value of bits in two's complement."""
    return (bits & ((1 << width) - 1) ^ 1 << width - 1) - (1 << width - 1)
