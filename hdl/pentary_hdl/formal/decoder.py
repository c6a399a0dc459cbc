"""Property of the decoder: it refuses exactly the commands that the specification does."""

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.bench.lralu_oracle import Operand, kinds, limit
from pentary_hdl.formal.arithmetic import are_pents
from pentary_hdl.lralu.decoder import COMMAND, Decoder
from pentary_hdl.lralu.digits import WORD
from pentary_hdl.lralu.twin import LowRankParameters


class Decided(wiring.Component):
    """Correctness of the decoder: a command is refused unless its kind exists and all operands are in their ranges.

    The ranges are those of the bench's oracle. Operands are compared as integers, including those encoded as pents.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the property for a decoder with the given parameters."""
        self._parameters = parameters
        super().__init__(
            {"command": In(COMMAND), "rows_last": In(range(parameters.max_size)), "holds": Out(1)},
        )

    def elaborate(self, platform: object) -> Module:
        """Compare the decoder's outputs for every kind of command."""
        m = Module()
        m.submodules.decoder = unit = Decoder(self._parameters)
        m.d.comb += [unit.command.eq(self.command), unit.rows_last.eq(self.rows_last)]
        size = self._parameters.max_size
        accepted, right = [], []
        for kind in kinds(self._parameters.max_rank, size, size).values():
            asked = self.command.op == kind.op
            operation, _, register = kind.name.lower().partition(" ")
            right.append(unit.operation[operation] == asked)
            if kind.control is not None:
                asked &= self.command.control == kind.control
            legal = asked & Cat(self._in_range(m, operand) for operand in kind.operands).all()
            accepted.append(legal)
            if register:
                right.append(unit.writes[kind.control] == legal)
        right.append(unit.error == ~Cat(accepted).any())
        m.d.comb += self.holds.eq(Cat(right).all())
        return m

    def _in_range(self, m: Module, operand: Operand) -> Value:
        field = self.command[operand.field]
        high = self.rows_last if operand.name == "row" else operand.high
        if not operand.in_pents:
            return (field.as_signed() >= operand.low) & (field.as_signed() <= high)
        pents = data.View(WORD, field)
        if (operand.low, operand.high) == (-limit(len(pents)), limit(len(pents))):
            return are_pents(pents)
        number: Value = Const(0)
        for i, pent in enumerate(pents):
            following = Signal(signed(limit(i + 1).bit_length() + 2))
            m.d.comb += following.eq(number + 5**i * pent)
            number = following
        return are_pents(pents) & (number >= operand.low) & (number <= high)
