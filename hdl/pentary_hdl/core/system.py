"""Control and status registers of the core, and what a trap and TRET do to them."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.system import CSRS, TEXT, WRITABLE
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS

NUMBERS: Final = {name: number for number, name in enumerate(CSRS)}

TRAP: Final = data.StructLayout({"cause": w.WORD, "pc": w.WORD, "value": w.WORD})
"""What a trap leaves in CAUSE, EPC and FAULT."""

COUNTED: Final = (
    "INSTRET",
    "BRANCHES",
    "MISPREDICTIONS",
    "ICACHE_MISSES",
    "DCACHE_ACCESSES",
    "DCACHE_MISSES",
    "L2_MISSES",
)
"""Counters other than CYCLE, in the order of their bits in `counted`."""


def flags_as_word(flags: data.View) -> list[Value]:
    """Return the digits of the word that FLAGS gives."""
    sign = Mux(flags.p, w.BIAS + 1, Mux(flags.n, w.BIAS - 1, w.BIAS))
    ones = [Mux(flag, w.BIAS + 1, w.BIAS) for flag in (flags.v, flags.c, flags.s)]
    return [sign, *ones, *[w.NOTHING] * (PENTS - 4)]


def word_as_flags(digits: w.Digits) -> Value:
    """Return the flags that a word of four pents stands for, as bits of `FLAGS`."""
    sign, over, carry, limited = digits[:4]
    return Cat(sign == w.BIAS, sign < w.BIAS, sign > w.BIAS, over != w.BIAS, carry != w.BIAS, limited != w.BIAS)


class System(wiring.Component):
    """Control and status registers.

    Members:
        number: In; of the CSR that is read or written.
        value: Out; its word.
        text: In; number of words in the text.
        new: In; the word for CSRW.
        fits: Out; whether `new` is within the range of the CSR.
        write: In; CSRW takes place.
        trap: In; a trap takes place, as `happened` says; `flags` are those of the instructions before it.
        happened: In; of `TRAP`.
        flags: In; of `FLAGS`.
        late_flags: In; the flags of a product that was outstanding at the trap are now known to be `flags`.
        leave: In; TRET takes place.
        counted: In; a bit for each of COUNTED: it counts 1.
        handler, epc, cycle: Out; words.
        old_flags: Out; those that TRET restores, of `FLAGS`.
        handled: Out; whether a fault would be taken by the handler.
        is_double: Out; whether a fault would be a double one.
        enabled: Out; whether interrupts are taken.
        timer: Out; whether the timer asks for an interrupt.
    """

    number: In(5)
    value: Out(w.WORD)
    text: In(w.WORD)
    new: In(w.WORD)
    fits: Out(1)
    write: In(1)
    trap: In(1)
    happened: In(TRAP)
    flags: In(FLAGS)
    late_flags: In(1)
    leave: In(1)
    counted: In(len(COUNTED))
    handler: Out(w.WORD)
    epc: Out(w.WORD)
    cycle: Out(w.WORD)
    old_flags: Out(FLAGS)
    handled: Out(1)
    is_double: Out(1)
    enabled: Out(1)
    timer: Out(1)

    def elaborate(self, platform: object) -> Module:
        """Create the registers."""
        m = Module()
        csr = {name: Signal(w.WORD, name=name.lower(), init=w.biased(each.reset)) for name, each in CSRS.items()}
        zero, one = w.constant(0), w.constant(1)

        def write(name: str, digits: w.Digits) -> list[object]:
            return w.assign(csr[name], digits)

        def bit(name: str) -> Value:
            return csr[name][0] != w.BIAS

        # Reading, and the range of CSRW.
        for name, number in NUMBERS.items():
            with m.If(self.number == number):
                m.d.comb += self.value.eq(csr[name])
                if number < WRITABLE:
                    m.d.comb += self.fits.eq(self._fits(name))
                    with m.If(self.write):
                        m.d.sync += csr[name].eq(self.new)

        # Counters.
        m.d.sync += write("CYCLE", w.next_of(m, list(csr["CYCLE"])))
        for place, name in enumerate(COUNTED):
            with m.If(self.counted[place]):
                m.d.sync += write(name, w.next_of(m, list(csr[name])))

        with m.If(self.trap):
            m.d.sync += [
                csr["CAUSE"].eq(self.happened.cause),
                csr["EPC"].eq(self.happened.pc),
                csr["FAULT"].eq(self.happened.value),
                csr["PREVIOUS"].eq(csr["ENABLE"]),
                *write("ENABLE", zero),
                *write("TRAPPED", one),
            ]
        with m.If(self.trap | self.late_flags):
            m.d.sync += write("OLDFLAGS", flags_as_word(self.flags))
        with m.If(self.leave):
            m.d.sync += [csr["ENABLE"].eq(csr["PREVIOUS"]), *write("TRAPPED", zero)]

        timer = list(csr["TIMER"])
        m.d.comb += [
            self.handler.eq(csr["HANDLER"]),
            self.epc.eq(csr["EPC"]),
            self.cycle.eq(csr["CYCLE"]),
            self.old_flags.as_value().eq(word_as_flags(list(csr["OLDFLAGS"]))),
            self.handled.eq(~w.is_nothing(list(csr["HANDLER"])) & ~bit("TRAPPED")),
            self.is_double.eq(~w.is_nothing(list(csr["HANDLER"])) & bit("TRAPPED")),
            self.enabled.eq(self.handled & bit("ENABLE")),
            self.timer.eq(~w.is_nothing(timer) & ~w.is_less(list(csr["CYCLE"]), timer)),
        ]
        return m

    def _fits(self, name: str) -> Value:
        """Return whether the new word is within the range of a CSR."""
        low, high, new = CSRS[name].low, CSRS[name].high, list(self.new)
        above = ~w.is_less(new, w.constant(low))
        if high == TEXT:
            return above & w.is_less(new, list(self.text))
        if high == WORD_MAX:
            return above if low > -WORD_MAX else Const(1, 1)
        return above & ~w.is_less(w.constant(high), new)
