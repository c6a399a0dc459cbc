"""Faults and interrupts of the core: what prevents the instruction that has entered EX, known in that cycle."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.system import CAUSES, DEVICES
from pentary.isa.table import CONTROLS, MAX_VL
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, limit
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import Op, Operands
from pentary_hdl.core.decoder import CONTROL, Kind, Operand
from pentary_hdl.core.ports import Order

MAX_PAIR: Final = limit(PENTS // 2)
"""Greatest number of a pair of LRGEN."""

_DEVICES: Final = {device.address: device.access for device in DEVICES.values()}


class Faults(wiring.Component):
    """Checks of an instruction in its first cycle in EX, combinational.

    Args:
        config: configuration of the machine.

    Members:
        control: In; of `CONTROL`; not legal also for what is outside the text.
        outside: In; whether the instruction is outside the text.
        pc: In; its address.
        x, y: In; its operands, words.
        sum: In; x + y, wrapped to a word.
        beyond: In; whether that does not fit a word.
        overflows: In; the flag V that the arithmetic and logic unit gives.
        text: In; number of words in the text.
        input_valid: In; whether the input has a character.
        bus: In; whether memory has answered with an error, since the last trap for that reason.
        bus_address: In; an address in the line that it was asked for.
        timer, external: In; whether an interrupt is pending and enabled.
        csr_fits: In; whether the word for CSRW is within its range.
        length: In; VL.
        beyond_length: In; the first address that is too high for a vector of VL words.
        rows: In; ROWS.
        happens: Out; whether it is not to be executed.
        happens_early: Out; the same of a product or quotient, which no address and no sum has to be known for.
        cause, value: Out; words for CAUSE and FAULT.
        address: Out; of the word in memory, or of the device.
        device: Out; whether it is that of a device.
    """

    def __init__(self, config: Config) -> None:
        """Create the checks."""
        self._config = config
        super().__init__(
            {
                "control": In(CONTROL),
                "outside": In(1),
                "pc": In(w.WORD),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "sum": In(w.WORD),
                "beyond": In(1),
                "overflows": In(1),
                "text": In(w.WORD),
                "input_valid": In(1),
                "bus": In(1),
                "bus_address": In(w.WORD),
                "timer": In(1),
                "external": In(1),
                "csr_fits": In(1),
                "length": In(w.WORD),
                "beyond_length": In(w.WORD),
                "rows": In(w.WORD),
                "happens": Out(1),
                "happens_early": Out(1),
                "cause": Out(w.WORD),
                "value": Out(w.WORD),
                "address": Out(w.WORD),
                "device": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Check one kind of fault after the other; the first that holds counts."""
        m = Module()
        control, x, y = self.control, list(self.x), list(self.y)
        kind = control.kind
        pops, scalar_move = kind == Kind.POP, (kind == Kind.LOAD) | (kind == Kind.STORE)
        loads, stores = (kind == Kind.LOAD) | pops, (kind == Kind.STORE) | (kind == Kind.PUSH)
        address = list(self.address)
        strided = control.moves & (control.move.order == Order.STRIDED)
        m.d.comb += w.assign(self.address, w.chosen(pops | strided, x, list(self.sum)))

        beyond = self.beyond & ~pops & ~strided
        below = w.is_less(address, w.constant(0))
        in_memory = ~beyond & ~below & w.is_less(address, w.constant(self._config.memory.words))
        ready, named = Signal(), Signal()
        for place, access in _DEVICES.items():
            with m.If(self._equals(address, place)):
                right = (kind == Kind.LOAD) if access == "LOAD" else (kind == Kind.STORE)
                has = self.input_valid if place == DEVICES["INPUT"].address else Const(1, 1)
                m.d.comb += [named.eq(1), ready.eq(right & has)]
        m.d.comb += self.device.eq(named & scalar_move & ~beyond)
        to_text = w.is_less(address, list(self.text)) & stores
        bad_address = (loads | stores) & Mux(self.device, ~ready, ~in_memory | to_text)
        if self._config.units.vector:
            in_text = w.is_less(address, list(self.text)) & ~control.move.loads
            consecutive = control.moves & (control.move.order == Order.CONSECUTIVE)
            fits = ~beyond & ~below & w.is_less(address, list(self.beyond_length))
            bad_address |= consecutive & (~fits | in_text)
            bad_address |= strided & (~in_memory | in_text | self._leaves(m, x, y))

        shifts = ((control.op == Op.SHIFT_LEFT) | (control.op == Op.SHIFT_RIGHT)) & (control.operands == Operands.RT)
        bad_shift = (kind == Kind.ALU) & shifts & ~self._within(y, 0, PENTS)
        bad_length = (kind == Kind.SETVL) & ~self._within(x, 1, MAX_VL)
        bad_csr = (kind == Kind.CSRW) & ~self.csr_fits
        overflow: Value = Const(0, 1)
        if self._config.exceptions.overflow_trap:
            overflow = (kind == Kind.ALU) & self.overflows
        divides = (kind == Kind.DIVIDE) & w.is_nothing(y)

        bad_x, bad_y = self._operands(x, y)
        checks = [
            ("bus", self.bus, list(self.bus_address)),
            ("external interrupt", self.external, None),
            ("timer interrupt", self.timer, None),
            ("fetch", self.outside, list(self.pc)),
            ("illegal instruction", ~control.legal, None),
            ("memory", bad_address, address),
            ("operand", bad_shift, y),
            ("overflow", overflow, None),
            ("divide", divides, None),
            ("operand", bad_length | bad_csr | bad_x, x),
            ("operand", bad_y, y),
        ]
        asked_for = self.bus | self.external | self.timer
        m.d.comb += self.happens_early.eq(asked_for | self.outside | ~control.legal | divides)
        for place, (name, holds, value) in enumerate(checks):
            with m.If(holds) if place == 0 else m.Elif(holds):
                m.d.comb += self.happens.eq(1)
                m.d.comb += w.assign(self.cause, w.constant(CAUSES[name]))
                m.d.comb += w.assign(self.value, value or w.constant(0))
        return m

    def _leaves(self, m: Module, first: w.Digits, stride: w.Digits) -> Value:
        """Return whether the last element of a strided vector is outside memory or, of a store, in the text.

        The first one is in memory, where all numbers are small.
        """
        words, length = self._config.memory.words, Signal(range(MAX_VL))
        digits = conversion.digits_for(words)
        text, last = Signal(range(words + 1)), Signal(signed((words * MAX_VL).bit_length() + 2))
        m.d.sync += text.eq(conversion.to_binary(m, list(self.text)[:digits]))
        m.d.comb += [
            length.eq(conversion.to_binary(m, list(self.length)[:5]) - 1),
            last.eq(conversion.to_binary(m, first[:digits]) + conversion.to_binary(m, stride[:digits]) * length),
        ]
        far = ~w.is_nothing(stride[digits:]) & (length != 0)
        return far | (last < 0) | (last >= words) | (~self.control.move.loads & (last < text))

    def _operands(self, x: w.Digits, y: w.Digits) -> tuple[Value, Value]:
        """Return whether an operand of an instruction of a unit is outside its range: that in x, that in y."""
        checked, zero = self.control.checked, w.constant(0)

        def is_outside(digits: w.Digits, end: w.Digits) -> Value:
            return w.is_less(digits, zero) | ~w.is_less(digits, end)

        bad_x: Value = Const(0, 1)
        for number, (low, high) in enumerate(CONTROLS.values()):
            bad_x |= (checked == Operand.CONTROL) & (self.control.csr[:3] == number) & ~self._within(x, low, high)
        bad_x |= (checked == Operand.ELEMENT_X) & is_outside(x, list(self.length))
        bad_x |= (checked == Operand.ROW) & is_outside(x, list(self.rows))
        bad_x |= (checked == Operand.PAIR) & ~self._within(x, 0, MAX_PAIR)
        bad_y = (checked == Operand.ELEMENT_Y) & is_outside(y, list(self.length))
        bad_y |= (checked == Operand.CROSSBAR_ROW) & ~self._within(y, 0, MAX_VL - 1)
        return bad_x, bad_y

    def _equals(self, digits: w.Digits, number: int) -> Value:
        return Cat(*digits) == Cat(*w.constant(number))

    def _within(self, digits: w.Digits, low: int, high: int) -> Value:
        return ~w.is_less(digits, w.constant(low)) & ~w.is_less(w.constant(high), digits)
