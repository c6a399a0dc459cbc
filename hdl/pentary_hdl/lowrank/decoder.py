"""Control signals of the low-rank unit's instructions; `vector.decoder.Decoder(Op)` makes them from a word."""

from typing import Final

from amaranth.lib import enum

from pentary.isa.table import INSTRUCTIONS
from pentary_hdl.vector.decoder import control_layout


class Op(enum.Enum, shape=4):
    """Instructions of the low-rank unit."""

    PRNG = 0
    LRSET = 1
    LRGEN = 2
    LRMUL = 3
    LRMULX = 4
    PQUANT = 5
    LRADD = 6
    LRACC = 7
    POPAVG = 8


NAMES: Final = tuple(op.name for op in Op)
"""Instructions of the low-rank unit."""

MOVES: Final = ("LRADD", "LRACC", "POPAVG")
"""Those that write a vector register, beat by beat."""

CONTROL: Final = control_layout(Op)
"""Control signals of an instruction of the low-rank unit."""

assert set(NAMES) == {line.name for line in INSTRUCTIONS if line.unit == "lowrank"}
