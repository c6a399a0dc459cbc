"""Fields of an address: the place in a line, the set and the tag of a cache. They are groups of digits."""

from dataclasses import dataclass
from typing import Final

from amaranth import Cat, Value
from amaranth.lib import data

from pentary.machine.config import L1, L2, Config
from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.core.conversion import digits_for

_BITS: Final = {0: 0, 1: 3, 2: 5, 3: 7}  # of an index of so many digits, as `word.packed` makes it


def log5(number: int) -> int:
    """Return the exponent of a power of 5.

    >>> log5(125)
    3
    """
    return next(n for n in range(PENTS) if 5**n == number)


@dataclass(frozen=True)
class Fields:
    """How a cache divides an address.

    Attributes:
        place: digits of the word's number in its line, whose biased digits are that number in base 5.
        set: digits above them, of the set.
        tag: digits above those, up to the last one that an address in memory can have.
        ways: lines in a set.
    """

    place: int
    set: int
    tag: int
    ways: int

    @classmethod
    def of(cls, config: Config, cache: L1 | L2) -> "Fields":
        """Return the fields of a cache of a configuration."""
        place, sets = log5(config.caches.line), log5(cache.sets)
        digits = digits_for(config.memory.words - 1)
        return cls(place, sets, max(0, digits - place - sets), cache.ways)

    @property
    def tag_layout(self) -> data.ArrayLayout:
        """Return the layout of a tag."""
        return data.ArrayLayout(w.DIGIT, self.tag)

    @property
    def set_bits(self) -> int:
        """Return the width of an index of sets."""
        return 7 * (self.set // 3) + _BITS[self.set % 3]

    def set_of(self, address: w.Digits) -> Value:
        """Return the index of the set of an address; indices are not consecutive."""
        return w.packed(list(address)[self.place : self.place + self.set]) if self.set else Cat()

    def tag_of(self, address: w.Digits) -> Value:
        """Return the tag of an address as bits."""
        return Cat(*list(address)[self.place + self.set :][: self.tag])

    def place_of(self, address: w.Digits) -> Value:
        """Return the number of an address in its line."""
        return w.packed(list(address)[: self.place])

    def line_at(self, address: w.Digits, tag: Value) -> list[Value]:
        """Return an address in the line that has a tag, and is in the set of another address."""
        digits = list(address)
        above = [tag[place * w.DIGIT_BITS :][: w.DIGIT_BITS] for place in range(self.tag)]
        low = self.place + self.set
        return [*digits[:low], *above, *[w.NOTHING] * (PENTS - low - self.tag)]
