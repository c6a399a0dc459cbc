"""Scalar registers of the core: several write ports, and readers that see what is written in the same cycle."""

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pentary.isa.table import REGISTERS, STACK
from pentary_hdl.core import word as w

WRITE = data.StructLayout({"register": 5, "word": w.WORD})
"""A word for a register; register 0 for none."""


class Registers(wiring.Component):
    """Register file with asynchronous read ports.

    Each write port has a memory of its own, and for each register it is known which port has written it last. No two
    ports write the same register in the same cycle; then the first one of them would count.

    Args:
        writers, readers: numbers of ports.
        top: value of P30 at the start; that of the others is 0.

    Members:
        writes: In; for each write port, of `WRITE`.
        passes: In; for each write port, the register whose readers take the port's word: the one that is written, or,
            while that is not yet certain, the one that would be; then nobody keeps what is read.
        numbers: In; for each read port, the register.
        words: Out; for each read port, its word, or what a write port passes to it in this cycle.
        passed: Out; for each read port, the number of that write port plus 1, or 0 for none.
    """

    def __init__(self, writers: int, readers: int, top: int) -> None:
        """Create a register file."""
        self._writers, self._readers, self._top = writers, readers, top
        super().__init__(
            {
                "writes": In(WRITE).array(writers),
                "passes": In(5).array(writers),
                "numbers": In(5).array(readers),
                "words": Out(w.WORD).array(readers),
                "passed": Out(range(writers + 1)).array(readers),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the memories and the table of the last writers."""
        m = Module()
        # The last writer of each register: the port's number plus 1, or 0 for none since the start.
        last = Array(Signal(range(self._writers + 1), name=f"last_{number}") for number in range(REGISTERS))
        ports = []
        for number in range(self._writers):
            memory = Memory(shape=w.WORD, depth=REGISTERS, init=[])
            m.submodules[f"bank_{number}"] = memory
            write, port = self.writes[number], memory.write_port()
            m.d.comb += [port.addr.eq(write.register), port.data.eq(write.word), port.en.eq(write.register != 0)]
            ports.append([memory.read_port(domain="comb") for _ in range(self._readers)])
        for number in reversed(range(self._writers)):
            with m.If(self.writes[number].register != 0):
                m.d.sync += last[self.writes[number].register].eq(number + 1)
        for reader in range(self._readers):
            asked = self.numbers[reader]
            word = w.chosen(asked == STACK, w.constant(self._top), w.constant(0))
            for number in range(self._writers):
                port = ports[number][reader]
                m.d.comb += port.addr.eq(asked)
                word = w.chosen(last[asked] == number + 1, list(port.data), word)
            for number in reversed(range(self._writers)):
                passes = (self.passes[number] != 0) & (self.passes[number] == asked)
                word = w.chosen(passes, list(self.writes[number].word), word)
                with m.If(passes):  # the first port is the last one here, and counts
                    m.d.comb += self.passed[reader].eq(number + 1)
            m.d.comb += [
                own.eq(Mux(asked == 0, w.NOTHING, digit)) for own, digit in zip(self.words[reader], word, strict=True)
            ]
        return m
