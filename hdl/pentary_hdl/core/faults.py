"""Faults and interrupts of the core: what prevents the instruction that has entered EX, known in that cycle."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.system import CAUSES, DEVICES
from pentary.isa.table import MAX_VL
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import Op, Operands
from pentary_hdl.core.decoder import CONTROL, Kind

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
        m.d.comb += w.assign(self.address, w.chosen(pops, x, list(self.sum)))

        beyond = self.beyond & ~pops
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

        shifts = ((control.op == Op.SHIFT_LEFT) | (control.op == Op.SHIFT_RIGHT)) & (control.operands == Operands.RT)
        bad_shift = (kind == Kind.ALU) & shifts & ~self._within(y, 0, PENTS)
        bad_length = (kind == Kind.SETVL) & ~self._within(x, 1, MAX_VL)
        bad_csr = (kind == Kind.CSRW) & ~self.csr_fits
        overflow: Value = Const(0, 1)
        if self._config.exceptions.overflow_trap:
            overflow = (kind == Kind.ALU) & self.overflows
        divides = (kind == Kind.DIVIDE) & w.is_nothing(y)

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
            ("operand", bad_length | bad_csr, x),
        ]
        asked_for = self.bus | self.external | self.timer
        m.d.comb += self.happens_early.eq(asked_for | self.outside | ~control.legal | divides)
        for place, (name, holds, value) in enumerate(checks):
            with m.If(holds) if place == 0 else m.Elif(holds):
                m.d.comb += self.happens.eq(1)
                m.d.comb += w.assign(self.cause, w.constant(CAUSES[name]))
                m.d.comb += w.assign(self.value, value or w.constant(0))
        return m

    def _equals(self, digits: w.Digits, number: int) -> Value:
        return Cat(*digits) == Cat(*w.constant(number))

    def _within(self, digits: w.Digits, low: int, high: int) -> Value:
        return ~w.is_less(digits, w.constant(low)) & ~w.is_less(w.constant(high), digits)
