"""Balanced quinary numbers: words of 16 pents, their arithmetic and flags, notation and packing.

A pent is a digit in -2..2. `word` has words and rounding, `alu` the arithmetic of the processor with its flags,
`notation` text, `packing` pents in bytes, and `exact` says when float32 holds integers exactly.
`architecture/numbers.md` is the specification.
"""

from pentary.numbers.word import PENTS, WORD_MAX, PentaryError, from_digits, limit, round_shift, saturate, to_digits

__all__ = ["PENTS", "WORD_MAX", "PentaryError", "from_digits", "limit", "round_shift", "saturate", "to_digits"]
