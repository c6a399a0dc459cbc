"""Control registers of the low-rank unit; GAIN is with POPAVG's datapath."""

from typing import Final

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import CONTROL_RESET, CONTROLS, MAX_VL
from pentary.lowrank.operations import MAX_RANK
from pentary_hdl.core import word as w

NUMBER: Final = tuple(CONTROLS).index
"""Number of a control register."""

_LESS_ONE: Final = ("ROWS", "COLS", "RANK")


class Controls(wiring.Component):
    """Control registers. Those that count something hold it less 1: counters from 0 are compared with them.

    Members:
        write: In; LRSET is executed in this cycle.
        register: In; number of the control register.
        number: In; its new value if it is a small number.
        word: In; its new value.
        rows_last, cols_last, rank_last: Out; ROWS, COLS and RANK, each less 1.
        width, key: Out; WIDTH, KEY.
    """

    write: In(1)
    register: In(3)
    number: In(range(MAX_VL + 1))
    word: In(w.WORD)
    rows_last: Out(range(MAX_VL))
    cols_last: Out(range(MAX_VL))
    rank_last: Out(range(MAX_RANK))
    width: Out(range(CONTROLS["WIDTH"][1] + 1))
    key: Out(w.WORD, init=w.biased(CONTROL_RESET["KEY"]))

    def elaborate(self, platform: object) -> Module:
        """Create the registers."""
        m = Module()
        less_one = self.number - 1
        for name, output in {
            "ROWS": self.rows_last,
            "COLS": self.cols_last,
            "RANK": self.rank_last,
            "WIDTH": self.width,
        }.items():
            register = Signal.like(output, name=name.lower(), init=CONTROL_RESET[name] - (name in _LESS_ONE))
            with m.If(self.write & (self.register == NUMBER(name))):
                m.d.sync += register.eq(less_one if name in _LESS_ONE else self.number)
            m.d.comb += output.eq(register)
        with m.If(self.write & (self.register == NUMBER("KEY"))):
            m.d.sync += self.key.eq(self.word)
        return m
