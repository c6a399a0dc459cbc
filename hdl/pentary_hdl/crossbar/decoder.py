"""Decoder of the crossbar's unit."""

from typing import Final

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.encoding import LAYOUTS
from pentary.isa.table import BY_NAME
from pentary_hdl.core import word as w
from pentary_hdl.vector.decoder import is_instruction
from pentary_hdl.vector.scoreboard import NUMBER, USES

CONTROL: Final = data.StructLayout(
    {
        "present": 1,  # the word is an instruction of the unit
        "multiplies": 1,  # it is MATVEC, else LOADX
        "d": NUMBER,  # vd
        "a": NUMBER,  # vs
        "uses": USES,
    }
)
"""Control signals of an instruction; zeros if the word is none of the unit."""


class Decoder(wiring.Component):
    """Decoder, combinational.

    Members:
        word: In; a word that `core.decoder` finds to be legal.
        control: Out; of `CONTROL`.
    """

    word: In(w.WORD)
    control: Out(CONTROL)

    def elaborate(self, platform: object) -> Module:
        """Compare the word's code with those of both instructions."""
        m = Module()
        word, control = list(self.word), Signal(CONTROL)
        loads, multiplies = (is_instruction(word, BY_NAME[name]) for name in ("LOADX", "MATVEC"))
        d, a = (
            w.number_of(word[field.lowest : field.lowest + field.width])[:NUMBER]
            for field in (LAYOUTS["R"]["d"], LAYOUTS["R"]["a"])
        )
        m.d.comb += [
            control.present.eq(loads | multiplies),
            control.multiplies.eq(multiplies),
            control.d.eq(d),
            control.a.eq(a),
            control.uses.first.used.eq(1),
            control.uses.first.number.eq(a),
            control.uses.written.used.eq(multiplies),
            control.uses.written.number.eq(d),
            self.control.eq(Mux(control.present, control, 0)),
        ]
        return m
