"""Scoreboard of the scalar results of the units beside the pipeline: VGET, VSUM, VMAX, FITGET and PRNG."""

from amaranth import Array, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import REGISTERS
from pentary_hdl.core.operands import AWAITED, USED, answered
from pentary_hdl.core.registers import WRITE


class Results(wiring.Component):
    """Scoreboard of the results, from EX of an instruction until its result is written.

    Args:
        ports: results that can come in a cycle.

    Members:
        in_ex: In; register for which an instruction in EX is going to have a result, 0 for none.
        enters: In; it leaves EX.
        given: In; for each port, the result, of `registers.WRITE`, that comes in this cycle.
        announced: In; for each port, the register of the one that comes in the next cycle, 0 for none.
        used, awaited: In, Out; as `operands.answered` says.
    """

    def __init__(self, ports: int) -> None:
        """Create a scoreboard."""
        self._ports = ports
        super().__init__(
            {
                "in_ex": In(range(REGISTERS)),
                "enters": In(1),
                "given": In(WRITE).array(ports),
                "announced": In(range(REGISTERS)).array(ports),
                "used": In(USED),
                "awaited": Out(AWAITED),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keep a bit for each register."""
        m = Module()
        outstanding = Signal(REGISTERS)
        for number in range(1, REGISTERS):
            with m.If(self.enters & (self.in_ex == number)):
                m.d.sync += outstanding[number].eq(1)
            with m.Elif(Cat(port.register == number for port in self.given).any()):
                m.d.sync += outstanding[number].eq(0)
        bits = Array(outstanding)

        def waits(number: Value) -> Value:
            comes = Cat(port.register == number for port in self.given).any()
            return (bits[number] | (self.in_ex == number)) & (number != 0) & ~comes

        def waits_late(number: Value) -> Value:
            return waits(number) & ~Cat(register == number for register in self.announced).any()

        m.d.comb += answered(self.used, self.awaited, waits, waits_late)
        return m
