"""Control signals of the crossbar's instructions; `vector.decoder.Decoder(Op)` makes them from a word."""

from typing import Final

from amaranth.lib import enum

from pentary.isa.table import INSTRUCTIONS
from pentary_hdl.vector.decoder import control_layout


class Op(enum.Enum, shape=1):
    """Instructions of the crossbar."""

    LOADX = 0
    MATVEC = 1


CONTROL: Final = control_layout(Op)
"""Control signals of an instruction of the crossbar."""

assert {op.name for op in Op} == {line.name for line in INSTRUCTIONS if line.unit == "crossbar"}
