"""Alphabets of the weights: pents, or for comparison trits or binary digits.

An alphabet defines the width of the digits and the cells that depend on them; the rest of the low-rank ALU is the same
for all. Binary digits of 4 or 8 bits are two's complement. The generator adds digits modulo the number of levels; its
other cell, the substitution, is

    pents   the cube, which is a bijection and not linear
    trits   a sum: every bijection of a trit is affine, so the square of the next trit is added to each even one
    binary  each even digit is XORed with the AND of two odd ones; then each digit's bits are rotated, as carries move
            only upwards

The last two are cheap bijections of a word; how random the generated words are with them has not been tested.
"""

from typing import Final

from pentary.isa.table import CONTROLS
from pentary_hdl.lralu.alphabet.balanced import Balanced
from pentary_hdl.lralu.alphabet.base import Alphabet
from pentary_hdl.lralu.alphabet.binary import Binary
from pentary_hdl.lralu.twin import LATENT_BITS

__all__ = ["ALPHABETS", "INT4", "INT8", "PENTARY", "TERNARY", "Alphabet", "Balanced", "Binary"]

PENTARY: Final = Balanced("pents", 3, -2, 2, CONTROLS["WIDTH"])
TERNARY: Final = Balanced("trits", 2, -1, 1, (2, 11))
INT4: Final = Binary("4-bit", 4, -8, 7, (1, LATENT_BITS - 4))
INT8: Final = Binary("8-bit", 8, -128, 127, (1, LATENT_BITS - 8))
ALPHABETS: Final = (TERNARY, PENTARY, INT4, INT8)

assert all(a.most(a.widths[1]) < 1 << LATENT_BITS - 1 for a in ALPHABETS)
