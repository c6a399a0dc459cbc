"""Command decoder: operation, and range checks of the operands."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import CONTROLS
from pentary.numbers.word import PENTS
from pentary_hdl.lralu.alphabet import PENTARY, Alphabet
from pentary_hdl.lralu.twin import CODE_BITS, IN_PENTS, OPS, LowRankParameters

COMMAND = data.StructLayout({"op": 4, "control": 3, "a": CODE_BITS, "b": CODE_BITS})
OPERATION = data.StructLayout({name.lower(): 1 for name in OPS})
"""One-hot operation; all bits are 0 if there is none."""

_SMALL = 9
"""Bits of the greatest possible size, 256."""


class Decoder(wiring.Component):
    """Combinational command decoder.

    Members:
        command: In, the command to decode.
        rows_last: In, ROWS - 1, against which LRMUL's row is checked.
        operation: Out, operation by the code alone, so that it is known early in the cycle.
        writes: Out, one bit for each control register: a legal LRSET writes it.
        error: Out, the command is refused.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Create a decoder for the sizes that bound the control registers, and an alphabet of the digits."""
        self._alphabet = alphabet
        self._limits = CONTROLS | {
            "ROWS": (1, parameters.max_size),
            "COLS": (1, parameters.max_size),
            "RANK": (1, parameters.max_rank),
            "WIDTH": alphabet.widths,
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
        """Check the operands of every operation in parallel, and select by the operation."""
        m = Module()
        a = Signal(CODE_BITS)
        m.d.comb += a.eq(self.command.a)
        alphabet, bits = self._alphabet, self._alphabet.bits
        pents = _digits(a, PENTARY)
        # GAIN is in pents in any alphabet.
        in_digits = {each: Cat(each.is_digit(code) for code in _digits(a, each)) for each in (PENTARY, alphabet)}
        b_in_digits = Cat(alphabet.is_digit(code) for code in _digits(self.command.b, alphabet))

        small, is_small = a[:_SMALL], ~a[_SMALL:].any()
        below = alphabet.is_negative(_digits(a, alphabet)[: PENTS // 2])
        largest, size = alphabet.most_sigma, alphabet.most_sigma.bit_length()
        sigma = a[: size + 1].as_signed()

        good = Signal(OPERATION)
        m.d.comb += [
            good.lrset.eq(self.writes.any()),
            good.prng.eq(in_digits[alphabet].all() & b_in_digits.all()),
            good.lrgen.eq(in_digits[alphabet].all() & ~a[PENTS // 2 * bits :].any() & ~below),
            good.lrmul.eq(is_small & (small <= self.rows_last)),
            good.pquant.eq(1),
            good.lradd.eq((a[size:].all() | ~a[size:].any()) & (sigma <= largest) & (sigma >= -largest)),
            good.lracc.eq(alphabet.is_digit(a[:bits]) & (a[bits - 1 :].all() | ~a[bits - 1 :].any())),
            good.popavg.eq(1),
        ]
        for number, (name, (low, high)) in enumerate(self._limits.items()):
            fits: Value = is_small & (small >= low) & (small <= high)
            if name in IN_PENTS:
                written = in_digits[PENTARY if name == "GAIN" else alphabet]
                fits = written.all() & (~pents[-1].any() if name == "GAIN" else 1)
            m.d.comb += self.writes[number].eq(self.operation.lrset & (self.command.control == number) & fits)

        m.d.comb += self.error.eq(~(Value.cast(self.operation) & Value.cast(good)).any())
        for name, code in OPS.items():
            m.d.comb += self.operation[name.lower()].eq(self.command.op == code)
        return m


def _digits(field: Value, alphabet: Alphabet) -> list[Value]:
    """Return the digits of a field: those of a word, or as many as fit."""
    return [field[at : at + alphabet.bits] for at in range(0, min(len(field), alphabet.bits * PENTS), alphabet.bits)]
