"""Ports between the caches: requests for lines, and the beats in which they come."""

from amaranth import Cat, Const, Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.caches.fields import log5
from pentary_hdl.core import word as w

REQUEST = wiring.Signature(
    {
        "valid": Out(1),
        "address": Out(w.WORD),
        "evicts": Out(1),
        "evicted": Out(w.WORD),
        "alone": Out(1),
        "taken": In(1),
    }
)
"""A request for the line of an address, whose word is to come first. It stays until it is taken.

`evicts`: a dirty line, with the address `evicted` in it, is to be fetched from the cache after the other one has come.
`alone`: there is no other one.
"""


class Rows:
    """Division of a line into rows, the beats of L2.

    Args:
        config: configuration of the machine.

    Attributes:
        line: words of a line.
        words: words of a row.
        count: rows of a line.
        digits: of the number of a word in its row.
        bits: width of the number of a row.
        layout: of the words of a row.
        fill: layout of a beat on its way to the caches: whether there is one, for the instruction cache or for that of
            data, its row, which of its words, and whether the line is complete with it. It is in the cache, and has
            arrived in the words of `architecture/pipeline.md`, in the next cycle.
    """

    def __init__(self, config: Config) -> None:
        """Divide the lines of a configuration."""
        self.line = config.caches.line
        self.words = min(config.l2.beat, self.line)
        self.count = self.line // self.words
        self.digits = log5(self.words)
        self.bits = (self.count - 1).bit_length()
        self.layout = data.ArrayLayout(w.WORD, self.words)
        self.fill = data.StructLayout(
            {"instructions": 1, "data": 1, "row": self.bits, "mask": self.words, "words": self.layout, "last": 1}
        )

    def row_of(self, address: w.Digits, place: int) -> Value:
        """Return the number of the row of an address whose number in the line has so many digits."""
        return w.packed(list(address)[self.digits : place])[: self.bits] if place > self.digits else Const(0, 0)

    def word_of(self, address: w.Digits) -> Value:
        """Return the number of an address in its row."""
        return w.packed(list(address)[: self.digits]) if self.digits else Const(0, 0)

    def arriving(self, fill: data.View) -> Value:
        """Return for each word of a line whether it is in a beat."""
        return Cat(Mux(fill.row == row, fill.mask, 0)[: self.words] for row in range(self.count))
