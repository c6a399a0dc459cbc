"""Decoder of the core: what an instruction word asks of the pipeline, made from the instruction table."""

from collections.abc import Callable, Collection
from functools import reduce
from operator import or_
from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.encoding import LAYOUTS, OPCODE, operands
from pentary.isa.encoding import Operand as Field
from pentary.isa.table import CALLS, INSTRUCTIONS, LINK, STACK, Instruction
from pentary.numbers.word import PENTS, limit
from pentary_hdl.core import alu
from pentary_hdl.core import word as w
from pentary_hdl.core.multiplier import Op as Multiply
from pentary_hdl.core.ports import MOVE, Order


class Unit(enum.Enum, shape=3):
    """Unit beside the pipeline that executes an instruction, as the instruction table names them."""

    NONE = 0
    VECTOR = 1
    MEMORY = 2
    CROSSBAR = 3
    LOWRANK = 4


UNITS: Final = tuple(unit for unit in Unit if unit != Unit.NONE)
"""The units beside the pipeline."""


class Operand(enum.Enum, shape=3):
    """Which scalar operand of an instruction of a unit is checked, and how."""

    NONE = 0
    ELEMENT_X = 1  # x is within 0..VL-1
    ELEMENT_Y = 2  # y is
    CROSSBAR_ROW = 3
    PAIR = 4
    ROW = 5  # x is within 0..ROWS-1
    CONTROL = 6  # x is within the range of the control register


class Kind(enum.Enum, shape=4):
    """What of the pipeline an instruction uses."""

    ALU = 0
    MULTIPLY = 1
    DIVIDE = 2
    LOAD = 3
    STORE = 4
    PUSH = 5
    POP = 6
    BRANCH = 7
    JUMP = 8
    SETVL = 9
    CSRR = 10
    CSRW = 11
    TRET = 12
    FLAGS = 13
    HALT = 14
    NOTHING = 15


def of_unit(line: Instruction) -> bool:
    """Return whether a unit beside the pipeline executes an instruction."""
    return line.unit.upper() in Unit.__members__


KINDS: Final = {
    **dict.fromkeys(("MUL", "MULH", "MULI", "MAC", "ACCSET"), Kind.MULTIPLY),
    **dict.fromkeys(("DIV", "REM"), Kind.DIVIDE),
    **{name: Kind[name] for name in ("LOAD", "STORE", "PUSH", "POP", "SETVL", "CSRR", "CSRW", "TRET", "FLAGS", "HALT")},
    **dict.fromkeys(("BEQ", "BNE", "BLT", "BGT", "BLE", "BGE"), Kind.BRANCH),
    **dict.fromkeys(("JUMP", "CALL", "RET", "JUMPR", "CALLR"), Kind.JUMP),
    **dict.fromkeys(("NOP", "SYNC", "FENCE"), Kind.NOTHING),
    **{line.name: Kind.NOTHING for line in INSTRUCTIONS if of_unit(line)},
}
"""Kinds of instructions by name; the others are Kind.ALU."""

CHECKED: Final = {
    "VGET": Operand.ELEMENT_Y,
    "VSET": Operand.ELEMENT_X,
    "LOADX": Operand.CROSSBAR_ROW,
    "LRGEN": Operand.PAIR,
    "LRMUL": Operand.ROW,
    "LRSET": Operand.CONTROL,
}

MOVES: Final = {
    "LOADV": Order.CONSECUTIVE,
    "STOREV": Order.CONSECUTIVE,
    "LOADVS": Order.STRIDED,
    "STOREVS": Order.STRIDED,
    "LOADVX": Order.INDEXED,
    "STOREVX": Order.INDEXED,
}
_STORES: Final = [name for name in MOVES if name.startswith("STORE")]

_MULTIPLY: Final = {"MULH": Multiply.HIGH, "MAC": Multiply.ACCUMULATE, "ACCSET": Multiply.SET}
_OPERANDS: Final = {
    **{name: kind for name, (_, kind) in alu.INSTRUCTIONS.items()},
    **dict.fromkeys(("MULI", "LOAD", "STORE", "LOADV", "STOREV"), alu.Operands.IMMEDIATE),
    "LI": alu.Operands.LONG_IMMEDIATE,
    "PUSH": alu.Operands.MINUS_ONE,
    "POP": alu.Operands.ONE,
    "CSRW": alu.Operands.ZERO,
}
_FIRST: Final = {"PUSH": STACK, "POP": STACK, "RET": LINK}
"""Registers read as x that no field names."""

CONTROL: Final = data.StructLayout(
    {
        "legal": 1,
        "kind": Kind,
        "op": alu.Op,
        "operands": alu.Operands,
        "multiply": Multiply,
        "remainder": 1,  # REM
        "x": 5,  # registers read as x, y and late (in MEM); 0 for none
        "y": 5,
        "late": 5,
        "written": 5,  # register written, 0 for none
        "immediate": data.ArrayLayout(w.DIGIT, 10),  # digits of the longest immediate
        "k": 5,  # distance of a shift, or width of a clamp
        "csr": 5,
        "sets_flags": 1,
        "reads_flags": 1,
        "reads_acc": 1,
        "writes_acc": 1,
        "relations": 3,  # of a branch: taken if x < y, x = y, x > y
        "through_register": 1,  # a jump to the address in x
        "calls": 1,
        "returns": 1,
        "traps_late": 1,  # a product that may end in the overflow trap
        "counts_accesses": 1,  # CSRR of a counter of accesses to data
        "after_moves": 1,  # it waits until the vector load/store unit is idle
        "after_units": 1,  # it waits until all units are
        "unit": Unit,
        "checked": Operand,
        "moves": 1,  # of the vector load/store unit
        "move": MOVE,
    }
)
"""Control signals of an instruction."""

_RELATIONS: Final = {"BEQ": 0b010, "BNE": 0b101, "BLT": 0b001, "BGT": 0b100, "BLE": 0b011, "BGE": 0b110}
_ACCESSES: Final = 15  # number of DCACHE_ACCESSES, the first CSR that counts accesses to data


class Decoder(wiring.Component):
    """Decoder, combinational.

    Args:
        absent: units, as the instruction table names them, whose instructions are illegal.

    Members:
        word: In; instruction word.
        control: Out; of `CONTROL`.
    """

    def __init__(self, absent: Collection[str]) -> None:
        """Create a decoder for the instructions that the core has."""
        self._present = [each for each in INSTRUCTIONS if each.unit not in absent]
        super().__init__({"word": In(w.WORD), "control": Out(CONTROL)})

    def elaborate(self, platform: object) -> Module:
        """Match the word with each instruction, and derive the control signals from those that match."""
        m = Module()
        word, control = list(self.word), Signal(CONTROL)
        places: dict[tuple[int, ...], Value] = {}

        def part(lowest: int, width: int) -> list[Value]:
            return word[lowest : lowest + width]

        def equals(lowest: int, width: int, number: int) -> Value:
            return memo(places, (lowest, width, number, number))

        def memo(known: dict[tuple[int, ...], Value], key: tuple[int, ...]) -> Value:
            if key not in known:
                lowest, width, low, high = key
                digits, holds = (
                    part(lowest, width),
                    Signal(name=f"pents_{lowest}_{width}_{low}_{high}".replace("-", "m")),
                )
                if low == high:
                    m.d.comb += holds.eq(Cat(*digits) == Cat(*w.constant(low, width)))
                else:
                    below = w.is_less(digits, w.constant(low, width))
                    m.d.comb += holds.eq(~below & ~w.is_less(w.constant(high, width), digits))
                known[key] = holds
            return known[key]

        def matches(line: Instruction) -> tuple[Value, Value]:
            used: dict[str, Field] = {operand.field: operand for _, operand in operands(line)}
            code = equals(*OPCODE, line.opcode)
            legal: list[Value] = []
            for name, field in LAYOUTS[line.format].items():
                if name == "function":
                    code = code & equals(*field, line.function)
                elif name not in used:
                    legal.append(equals(*field, 0))
                elif (used[name].low, used[name].high) != (-limit(field.width), limit(field.width)):
                    legal.append(memo(places, (*field, used[name].low or 0, used[name].high or 0)))
            matched = Signal(name=f"is_{line.name}")
            m.d.comb += matched.eq(code)
            return matched, reduce(lambda one, other: one & other, legal, matched)

        is_, legal = {}, {}
        for line in self._present:
            is_[line.name], legal[line.name] = matches(line)

        def any_of(names: Collection[str]) -> Value:
            return reduce(or_, [is_[name] for name in names if name in is_], Const(0, 1))

        def chosen(values: dict[str, int], width: int) -> Value:
            return reduce(
                or_, [Mux(is_[name], value, 0) for name, value in values.items() if name in is_], Const(0, width)
            )

        d, a, b = (w.number_of(part(lowest, 3)) for lowest in (10, 7, 4))

        def reading(role: str, place: Value) -> Value:
            readers = {each.name for each in self._present if role in {name for name, _ in operands(each)}}
            return Mux(any_of(readers), place, 0)

        def having(test: Callable[[Instruction], bool]) -> Value:
            return any_of([each.name for each in self._present if test(each)])

        m.d.comb += [
            control.legal.eq(reduce(or_, legal.values())),
            control.kind.eq(chosen({name: kind.value for name, kind in KINDS.items()}, 4)),
            control.op.eq(
                chosen({name: op.value for name, (op, _) in alu.INSTRUCTIONS.items()} | {"LI": alu.Op.PASS.value}, 4)
            ),
            control.operands.eq(chosen({name: kind.value for name, kind in _OPERANDS.items()}, 4)),
            control.multiply.eq(chosen({name: op.value for name, op in _MULTIPLY.items()}, 2)),
            control.remainder.eq(any_of(["REM"])),
            control.x.eq(Mux(any_of(["PUSH"]), 0, reading("rs", a)) | chosen(_FIRST, 5)),
            control.y.eq(reading("rt", b) | Mux(any_of(["STORE"]), 0, reading("ru", d))),
            control.late.eq(Mux(any_of(["STORE"]), d, 0) | Mux(any_of(["PUSH"]), a, 0)),
            control.written.eq(reading("rd", d) | Mux(any_of(CALLS), LINK, 0) | Mux(any_of(["PUSH"]), STACK, 0)),
            control.csr.eq(Mux(any_of(["CSRR"]), a, d)),
            control.k.eq(w.number_of(part(0, 3))),
            control.sets_flags.eq(having(lambda each: each.flags != "")),
            control.reads_flags.eq(any_of(["FLAGS"])),
            control.reads_acc.eq(any_of(["ACCGET"])),
            control.writes_acc.eq(any_of(["MAC", "ACCSET"])),
            control.relations.eq(chosen(_RELATIONS, 3)),
            control.through_register.eq(any_of(["RET", "JUMPR", "CALLR"])),
            control.calls.eq(any_of(CALLS)),
            control.returns.eq(any_of(["RET"])),
            control.traps_late.eq(having(lambda each: each.unit == "multiplier" and "V" in each.flags)),
            control.counts_accesses.eq(any_of(["CSRR"]) & (a >= _ACCESSES)),
            control.after_moves.eq(
                any_of(["LOAD", "STORE", "PUSH", "POP", "FENCE"]) | (any_of(["CSRR"]) & (a >= _ACCESSES))
            ),
            control.after_units.eq(any_of(["SYNC", "HALT"])),
            control.unit.eq(
                chosen({line.name: Unit[line.unit.upper()].value for line in self._present if of_unit(line)}, 3)
            ),
            control.checked.eq(chosen({name: check.value for name, check in CHECKED.items()}, 3)),
            control.moves.eq(any_of(MOVES)),
            control.move.loads.eq(any_of([name for name in MOVES if name not in _STORES])),
            control.move.order.eq(chosen({name: order.value for name, order in MOVES.items()}, 2)),
            control.move.register.eq(d),
            control.move.indices.eq(a),
        ]
        m.d.comb += self.control.eq(Mux(control.legal, control, 0))
        # The immediate of format I has 7 pents, that of J 10.
        long = having(lambda each: each.format == "J")
        for place, digit in enumerate(part(0, 10)):
            inside = Const(1, 1) if place < 7 else long
            m.d.comb += control.immediate[place].eq(Mux(inside, digit, w.NOTHING))
        return m


assert PENTS == 16
