"""The decoder: which operation a command asks for, and whether it may have it."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import CONTROLS, OPERAND
from pentary.lralu import CODE_BITS, IN_PENTS, OPS, PENT_BITS, LowRankParameters
from pentary.word import PENTS, limit
from pentary_hdl.digits import is_pent

COMMAND = data.StructLayout({"op": 4, "control": 3, "a": CODE_BITS, "b": CODE_BITS})
OPERATION = data.StructLayout({name.lower(): 1 for name in OPS})
"""One bit for each operation; at most one of them is 1."""

_SMALL = 9
"""Bits of the greatest size."""


class Decoder(wiring.Component):
    """Decodes without a register.

    Members:
        command: what to decode.
        rows_last: ROWS - 1, against which LRMUL's row is checked.
        operation: what it asks for, by its code alone: known early in the cycle.
        writes: a bit for each control register: LRSET may write it.
        error: the command is refused.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the limits of the control registers."""
        self._limits = CONTROLS | {
            "ROWS": (1, parameters.max_size),
            "COLS": (1, parameters.max_size),
            "RANK": (1, parameters.max_rank),
        }
        super().__init__(
            {
                "command": In(COMMAND),
                "rows_last": In(range(parameters.max_size)),
                "operation": Out(OPERATION),
                "writes": Out(len(CONTROLS)),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Check every kind of operand, and pick."""
        m = Module()
        a = Signal(CODE_BITS)
        m.d.comb += a.eq(self.command.a)
        pents = [a[PENT_BITS * i : PENT_BITS * (i + 1)] for i in range(PENTS)]
        in_pents = Cat(is_pent(pent) for pent in pents)
        b_in_pents = Cat(is_pent(self.command.b[PENT_BITS * i : PENT_BITS * (i + 1)]) for i in range(PENTS))

        small, is_small = a[:_SMALL], ~a[_SMALL:].any()
        below: Value = a[0] & False  # pair < 0: its highest pent that is not 0 is below 0
        for pent in pents[: PENTS // 2]:
            below = pent[2] | ~pent.any() & below
        largest, bits = limit(OPERAND), limit(OPERAND).bit_length()
        sigma = a[: bits + 1].as_signed()

        good = Signal(OPERATION)
        m.d.comb += [
            good.lrset.eq(self.writes.any()),
            good.prng.eq(in_pents.all() & b_in_pents.all()),
            good.lrgen.eq(in_pents.all() & ~a[CODE_BITS // 2 :].any() & ~below),
            good.lrmul.eq(is_small & (small <= self.rows_last)),
            good.pquant.eq(1),
            good.lradd.eq((a[bits:].all() | ~a[bits:].any()) & (sigma <= largest) & (sigma >= -largest)),
            good.lracc.eq(is_pent(a[:PENT_BITS]) & (a[2:].all() | ~a[2:].any())),
            good.popavg.eq(1),
        ]
        for number, (name, (low, high)) in enumerate(self._limits.items()):
            fits: Value = is_small & (small >= low) & (small <= high)
            if name in IN_PENTS:
                fits = in_pents.all() & (~pents[-1].any() if name == "GAIN" else 1)
            m.d.comb += self.writes[number].eq(self.operation.lrset & (self.command.control == number) & fits)

        m.d.comb += self.error.eq(~(Value.cast(self.operation) & Value.cast(good)).any())
        for name, code in OPS.items():
            m.d.comb += self.operation[name.lower()].eq(self.command.op == code)
        return m
