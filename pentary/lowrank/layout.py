"""Fields of the generator's counter words, and its other sizes; `architecture/randomness.md` specifies them."""

from typing import Final

from pentary.numbers.word import PENTS, limit

ROUNDS: Final = 8

BLOCK_WIDTH: Final = 8
"""Pents of the block, the low field of a counter word member * 5**8 + block."""

MATRIX_WIDTH: Final = 6
"""Pents of the matrix number, the low field of a key's counter step * 5**6 + matrix."""

MEMBER_MAX: Final = limit(PENTS - BLOCK_WIDTH)
BLOCK_MAX: Final = limit(BLOCK_WIDTH)
STEP_MAX: Final = limit(PENTS - MATRIX_WIDTH)
MATRIX_MAX: Final = limit(MATRIX_WIDTH)

BYTES: Final = 8
"""Number of words that share an integer, a byte for each, while they are permuted."""
