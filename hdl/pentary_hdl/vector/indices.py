"""Addresses of LOADVX and STOREVX, which are checked in EX, a row of the indices in a cycle."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.core.ports import ELEMENT_BITS, VECTOR
from pentary_hdl.vector.arithmetic import SUM, WORD_BITS, nothing, total, widened
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.registers import read_port


class Indices(wiring.Component):
    """Checks of the addresses of an instruction with indices, which is in EX for as many cycles as these have rows.

    Args:
        config: configuration of the machine.

    Members:
        valid: In; such an instruction is in EX.
        number: In; of the register of the indices, which is complete.
        row: In; 0 in its first cycle in EX, and one more in each of the others, up to the last row.
        last: In; VL less 1.
        base: In; word to which the indices are added.
        stores: In; addresses in the text are wrong.
        text: In; number of words in the text.
        first: Out; address of the first element.
        wrong: Out; in the cycle of the last row, whether an address is wrong.
        value: Out; the first one outside memory, or, if there is none, the first one in the text; its low pents.
        read: Out; of the vector registers.
    """

    def __init__(self, config: Config) -> None:
        """Create the checks."""
        self._sizes, self._memory = Sizes.of(config), config.memory.words
        super().__init__(
            {
                "valid": In(1),
                "number": In(VECTOR),
                "row": In(self._sizes.row_number),
                "last": In(ELEMENT_BITS),
                "base": In(w.WORD),
                "stores": In(1),
                "text": In(w.WORD),
                "first": Out(w.WORD),
                "wrong": Out(1),
                "value": Out(w.WORD),
                "read": Out(read_port(self._sizes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Check a row, and keep what is wrong in it for the last cycle."""
        m = Module()
        lanes = self._sizes.lanes
        m.d.comb += [
            self.read.numbers[0].eq(Mux(self.valid, self.number, 0)),
            self.read.row.eq(Mux(self.valid, self.row, 0)),
        ]
        addresses = [Signal(SUM, name=f"address_{lane}") for lane in range(lanes)]
        outside, in_text = Signal(lanes), Signal(lanes)
        least, beyond = nothing(len(addresses[0])), Cat(*w.constant(self._memory, PENTS + 1))
        text = widened(self.text.as_value())
        for lane, (address, index) in enumerate(zip(addresses, self.read.words[0], strict=True)):
            is_element = Signal(name=f"is_element_{lane}")
            m.d.comb += [
                address.eq(total(m, index.as_value(), self.base.as_value(), Const(0, 1))),
                is_element.eq(Cat(Const(lane, ceil_log2(lanes)), self.row) <= self.last),
                outside[lane].eq(is_element & ((address < least) | (address >= beyond))),
                in_text[lane].eq(is_element & self.stores & (address < text)),
            ]
        first = Signal(WORD_BITS)
        is_first = self.valid & (self.row == 0)
        with m.If(is_first):
            m.d.sync += first.eq(addresses[0])
        m.d.comb += self.first.as_value().eq(Mux(is_first, addresses[0][:WORD_BITS], first))

        chosen: Value = nothing()
        for kind, wrong in (("in_text", in_text), ("outside", outside)):
            here, found, kept = Signal(WORD_BITS), Signal(name=f"{kind}_found"), Signal(WORD_BITS, name=f"{kind}_kept")
            for lane in reversed(range(lanes)):
                with m.If(wrong[lane]):
                    m.d.comb += here.eq(addresses[lane][:WORD_BITS])
            before = found & (self.row != 0)
            with m.If(self.valid & ~before):
                m.d.sync += [found.eq(wrong.any()), kept.eq(here)]
            holds = Signal(name=f"{kind}_holds")
            m.d.comb += holds.eq(self.valid & (before | wrong.any()))
            with m.If(holds):
                m.d.comb += self.wrong.eq(1)
            chosen = Mux(holds, Mux(before, kept, here), chosen)
        m.d.comb += self.value.as_value().eq(chosen)
        return m
