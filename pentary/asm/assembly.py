"""Items of a program: what has a size at an address, and words once every symbol is known.

The text starts at address 0, so its addresses are known as it is read; the data follow it and are laid out when it is
complete.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pentary.asm.errors import Diagnostic, Line, Mistake, Reporting
from pentary.asm.expressions import Expression
from pentary.asm.symbols import Symbols


@dataclass(slots=True)
class Item:
    """An item with an address: words, space, a label, or a directive that only needs the current address."""

    line: Line
    size: Callable[[int], int]
    words: Callable[[int], list[int]]
    source: int
    address: int = 0
    length: int = 0


class Assembly:
    """Items and symbols of a program that is being assembled.

    Args:
        defines: values for constants that a source declares with .param.

    Attributes:
        symbols: those of all sources.
        sections: items of .text and .data, in order.
        section: that what follows belongs to.
        text: number of instructions so far.
        parameters: names of the constants declared with .param.
        defines: as given.
        diagnostics: the errors so far.
    """

    def __init__(self, defines: Mapping[str, int]) -> None:
        """Start without items."""
        self.diagnostics: list[Diagnostic] = []
        self.symbols = Symbols(self.diagnostics.append)
        self.sections: dict[str, list[Item]] = {".text": [], ".data": []}
        self.section, self.text = ".text", 0
        self.parameters: set[str] = set()
        self.defines = defines

    def reporting(self, line: Line) -> Reporting:
        """Return a context that reports the errors in a line."""
        return Reporting(line, self.diagnostics.append)

    def add(self, line: Line, size: Callable[[int], int], words: Callable[[int], list[int]] = lambda _: []) -> None:
        """Add an item to the present section: what has a size at an address, and words once all symbols are known."""
        item = Item(line, size, words, self.symbols.source)
        self.sections[self.section].append(item)
        if self.section == ".text":
            self.text = self._place(item, self.text)

    def _place(self, item: Item, address: int) -> int:
        """Set the address and the length of an item; return the address after it."""
        item.address = address
        self.symbols.source = item.source
        with self.reporting(item.line):
            item.length = item.size(address)
        return address + item.length

    def in_range(self, expression: Expression, address: int, noun: str, low: int, high: int) -> int:
        """Return the value of an expression at an address, or raise Mistake if it is out of range."""
        value = self.symbols.evaluate(expression, address)
        if not low <= value <= high:
            raise Mistake(expression.column, f"{noun} is {value}, outside {low}..{high}")
        return value

    def lay_out(self) -> tuple[dict[int, int], int]:
        """Lay out the data once all sources are read; return the words by address, and the size of the program."""
        self.symbols.link()
        self.symbols.settle_all()
        size = self.text
        for item in self.sections[".data"]:
            size = self._place(item, size)
        self.symbols.complete = True
        self.symbols.settle_all()
        words: dict[int, int] = {}
        for item in [*self.sections[".text"], *self.sections[".data"]]:
            self.symbols.source = item.source
            with self.reporting(item.line):
                words.update(enumerate(item.words(item.address), start=item.address))
        return words, size
