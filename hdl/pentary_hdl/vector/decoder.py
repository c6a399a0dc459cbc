"""Decoder of a unit that uses vector registers: what a word asks of it, made from the instruction table."""

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.encoding import LAYOUTS, OPCODE
from pentary.isa.table import BY_NAME
from pentary_hdl.core import word as w
from pentary_hdl.vector.parameters import NAMES, having
from pentary_hdl.vector.scoreboard import USES


class Op(enum.Enum, shape=5):
    """Instructions of the vector unit."""

    VADD = 0
    VSUB = 1
    VADDS = 2
    VMULS = 3
    VMUL = 4
    VSUM = 5
    VMAX = 6
    VCMP = 7
    VSEL = 8
    VGET = 9
    VSET = 10
    RELU = 11
    QUANT = 12
    POOL = 13
    CONV = 14
    POPEVAL = 15
    FITGET = 16


assert {op.name for op in Op} == set(NAMES)


def control_layout(ops: type[enum.Enum]) -> data.StructLayout:
    """Return the layout of the control signals of an instruction; zeros if the word is none of the unit.

    Args:
        ops: instructions of the unit.
    """
    return data.StructLayout(
        {
            "present": 1,  # the word is an instruction of the unit
            "op": ops,
            "d": 5,  # numbers in the fields d, a and b: vd, rd, fd or cd; vs or fs; vt, or the shift of QUANT
            "a": 3,
            "b": 5,
            "width": 4,  # w less 1
            "uses": USES,
        }
    )


CONTROL: Final = control_layout(Op)
"""Control signals of an instruction of the vector unit."""


def is_any(op: enum.EnumView, names: Collection[str]) -> Value:
    """Return whether an operation is among some."""
    return reduce(or_, [op == op.shape()[name] for name in names], Const(0, 1))


class Decoder(wiring.Component):
    """Decoder, combinational.

    Args:
        ops: instructions of the unit; by default those of the vector unit.

    Members:
        word: In; a word that `core.decoder` finds to be legal.
        control: Out; of `control_layout`.
    """

    def __init__(self, ops: type[enum.Enum] = Op) -> None:
        """Create a decoder."""
        self._ops, self._layout = ops, control_layout(ops)
        super().__init__({"word": In(w.WORD), "control": Out(self._layout)})

    def elaborate(self, platform: object) -> Module:
        """Compare the word's code with that of each instruction."""
        m = Module()
        word, control, names = list(self.word), Signal(self._layout), [op.name for op in self._ops]

        def field(lowest: int, width: int) -> list[Value]:
            return word[lowest : lowest + width]

        def equals(lowest: int, width: int, number: int) -> Value:
            return Cat(*field(lowest, width)) == Cat(*w.constant(number, width))

        is_ = {}
        for name in names:
            line, is_[name] = BY_NAME[name], Signal(name=f"is_{name}")
            layout = LAYOUTS[line.format]
            code = equals(*OPCODE, line.opcode)
            m.d.comb += is_[name].eq(
                code & equals(*layout["function"], line.function) if "function" in layout else code
            )

        def any_of(some: Collection[str]) -> Value:
            return reduce(or_, [is_[name] for name in some], Const(0, 1))

        d, a, b = (w.number_of(field(*LAYOUTS["R"][name])) for name in "dab")
        uses = control.uses
        m.d.comb += [
            control.present.eq(any_of(names)),
            control.op.eq(reduce(or_, [Mux(is_[op.name], op.value, 0) for op in self._ops])),
            control.d.eq(d),
            control.a.eq(a),
            control.b.eq(b),
            control.width.eq(w.number_of(field(LAYOUTS["W"]["i"].lowest, 3)) - 1),
            uses.first.used.eq(any_of(having("vs", names))),
            uses.first.number.eq(a),
            uses.second.used.eq(any_of(having("vt", names))),
            uses.second.number.eq(b),
            uses.written.used.eq(any_of(having("vd", names))),
            uses.written.number.eq(d),
            self.control.eq(Mux(control.present, control, 0)),
        ]
        return m


assert all(LAYOUTS[form][name] == LAYOUTS["R"][name] for form in ("R", "W") for name in "dab")
