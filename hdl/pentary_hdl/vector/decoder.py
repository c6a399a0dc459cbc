"""Decoder of the vector unit: what an instruction word asks of it, made from the instruction table."""

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.encoding import LAYOUTS, OPCODE, Field
from pentary.isa.table import BY_NAME, Instruction
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

CONTROL: Final = data.StructLayout(
    {
        "present": 1,  # the word is an instruction of the unit
        "op": Op,
        "d": 5,  # numbers in the fields d, a and b: vd, rd or fd; vs or fs; vt, or the shift of QUANT
        "a": 3,
        "b": 5,
        "width": 4,  # w less 1
        "uses": USES,
    }
)
"""Control signals of an instruction; zeros if the word is none of the unit."""


def is_any(op: Value, names: Collection[str]) -> Value:
    """Return whether an operation is among some."""
    return reduce(or_, [op == Op[name] for name in names], Const(0, 1))


def is_instruction(word: w.Digits, line: Instruction) -> Value:
    """Return whether a legal word is an instruction, by its code."""

    def equals(field: Field, number: int) -> Value:
        digits = word[field.lowest : field.lowest + field.width]
        return Cat(*digits) == Cat(*w.constant(number, field.width))

    code, layout = equals(OPCODE, line.opcode), LAYOUTS[line.format]
    return code & equals(layout["function"], line.function) if "function" in layout else code


class Decoder(wiring.Component):
    """Decoder, combinational.

    Members:
        word: In; a word that `core.decoder` finds to be legal.
        control: Out; of `CONTROL`.
    """

    word: In(w.WORD)
    control: Out(CONTROL)

    def elaborate(self, platform: object) -> Module:
        """Compare the word's code with that of each instruction."""
        m = Module()
        word, control = list(self.word), Signal(CONTROL)

        def field(lowest: int, width: int) -> list[Value]:
            return word[lowest : lowest + width]

        is_ = {}
        for name in NAMES:
            is_[name] = Signal(name=f"is_{name}")
            m.d.comb += is_[name].eq(is_instruction(word, BY_NAME[name]))

        def any_of(names: Collection[str]) -> Value:
            return reduce(or_, [is_[name] for name in names])

        d, a, b = (w.number_of(field(*LAYOUTS["R"][name])) for name in "dab")
        uses = control.uses
        m.d.comb += [
            control.present.eq(any_of(NAMES)),
            control.op.eq(reduce(or_, [Mux(is_[op.name], op.value, 0) for op in Op])),
            control.d.eq(d),
            control.a.eq(a),
            control.b.eq(b),
            control.width.eq(w.number_of(field(LAYOUTS["W"]["i"].lowest, 3)) - 1),
            uses.first.used.eq(any_of(having("vs"))),
            uses.first.number.eq(a),
            uses.second.used.eq(any_of(having("vt"))),
            uses.second.number.eq(b),
            uses.written.used.eq(any_of(having("vd"))),
            uses.written.number.eq(d),
            self.control.eq(Mux(control.present, control, 0)),
        ]
        return m


assert all(LAYOUTS[form][name] == LAYOUTS["R"][name] for form in ("R", "W") for name in "dab")
