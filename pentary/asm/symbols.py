"""Symbol table: labels and constants, defined once each and evaluated as soon as their values are known.

A symbol belongs to the source that defines it. Of a program of several sources, those that are declared global are
known in all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pentary.asm.errors import Diagnostic, Line, Mistake, NotKnown, Reported, Suggestions
from pentary.asm.expressions import Expression
from pentary.asm.lexer import Token
from pentary.asm.vocabulary import FUNCTIONS, RESERVED

_MAX_CHAIN: Final = 50
"""Longest chain of constants that are each defined by a later one."""


@dataclass
class Symbol:
    """A label, or a constant with its expression; `value` is None until it is known, `source` where it is defined.

    `here` is the address of a constant's definition, the value of `.` in it. `broken` is set once an error in a
    constant has been reported, `busy` while it is being evaluated, to detect cycles.
    """

    line: Line
    is_label: bool = False
    source: int = 0
    value: int | None = None
    expression: Expression | None = None
    here: int | None = None
    broken: bool = False
    busy: bool = False

    def place(self, address: int) -> int:
        """Set the address of a label; return the words that it takes, 0."""
        self.value = address
        return 0


class Symbols:
    """Symbol table of a program.

    Args:
        report: called with the diagnostic of each error in a constant.

    Attributes:
        source: number of the source whose names are meant.
        complete: whether all symbols are defined and all addresses known, so that a missing value is an error.
    """

    def __init__(self, report: Callable[[Diagnostic], None]) -> None:
        """Create an empty table."""
        self._table: dict[tuple[int, str], Symbol] = {}
        self._global: dict[str, Symbol] = {}
        self._declared: dict[tuple[int, str], tuple[Line, Token]] = {}
        self.source = 0
        self.complete = False
        self._report = report
        self._chain = 0
        self._suggest = Suggestions()

    def define(self, name: Token, symbol: Symbol) -> Symbol:
        """Add a symbol and return it.

        Raises:
            Mistake: the name is reserved, or defined already.
        """
        if name.text.upper() in RESERVED or name.text in FUNCTIONS or name.text.startswith("."):
            raise Mistake(name.column, f"{name.text} cannot be the name of a symbol: it has a meaning already")
        if (self.source, name.text) in self._table:
            first = self._table[self.source, name.text].line.source
            raise Mistake(name.column, f"{name.text} is defined already, at {first.file}:{first.line}")
        symbol.source = self.source
        self._table[self.source, name.text] = symbol
        return symbol

    def declare_global(self, name: Token, line: Line) -> None:
        """Make a symbol of this source, which may be defined later, known in all sources."""
        self._declared.setdefault((self.source, name.text), (line, name))

    def link(self) -> None:
        """Find the global symbols, once all sources are read; errors are reported."""
        for (source, name), (line, token) in self._declared.items():
            symbol = self._table.get((source, name))
            if symbol is None:
                self._report(line.diagnose(Mistake(token.column, f"{name} is global, but not defined in this source")))
            elif name in self._global:
                first = self._global[name].line.source
                told = f"{name} is global already, defined at {first.file}:{first.line}"
                self._report(symbol.line.diagnose(Mistake(0, told)))
            else:
                self._global[name] = symbol

    def named(self, sources: Sequence[str]) -> dict[str, Symbol]:
        """Return the symbols that have a value, by names that differ.

        Args:
            sources: names of the sources. If there are several, a symbol that is not global is called SOURCE.SYMBOL.
        """
        found = {}
        for (source, name), symbol in self._table.items():
            if symbol.value is not None and not name[0].isdigit():
                local = len(sources) > 1 and self._global.get(name) is not symbol
                found[f"{sources[source]}.{name}" if local else name] = symbol
        return found

    def evaluate(self, expression: Expression, here: int | None) -> int:
        """Return the value of an expression in which `.` is `here` (None: not known yet).

        Raises:
            NotKnown: it depends on a value that is not known yet; not raised once `complete` is set.
            Reported: it depends on a constant whose error has been reported.
            Mistake: it has no value: a symbol is unknown or defined by itself, or an operation has no result.
        """
        return expression.evaluate(lambda token: self._lookup(token, here))

    def settle(self, symbol: Symbol) -> None:
        """Evaluate a constant if its value is known by now; errors in it are reported."""
        if symbol.value is not None or symbol.broken or symbol.expression is None:
            return
        before, self.source = self.source, symbol.source
        try:
            symbol.busy = True
            self._chain += 1
            symbol.value = self.evaluate(symbol.expression, symbol.here)
        except NotKnown:
            pass
        except Mistake as mistake:
            symbol.broken = True
            self._report(symbol.line.diagnose(mistake))
        except Reported:
            symbol.broken = True
        finally:
            self.source = before
            symbol.busy = False
            self._chain -= 1

    def settle_all(self) -> None:
        """Evaluate all constants that can be evaluated, in the order of the source."""
        for symbol in self._table.values():
            self.settle(symbol)

    def _unknown(self, name: str) -> str:
        if name[0].isdigit():
            return f"no label {name.partition('#')[0]}: follows"
        elsewhere = next((symbol.line.source for (_, own), symbol in self._table.items() if own == name), None)
        if elsewhere is not None:
            return (
                f"unknown symbol {name!r}: {elsewhere.file}:{elsewhere.line} defines it, but no .global there names it"
            )
        known = [*(own for source, own in self._table if source == self.source), *self._global]
        return f"unknown symbol {name!r}{self._suggest(name, known)}"

    def _lookup(self, token: Token, here: int | None) -> int:
        if token.text == ".":
            if here is None:
                raise NotKnown(token.column, "the address is not known here: the data follow the whole text")
            return here
        symbol = self._table.get((self.source, token.text)) or self._global.get(token.text)
        if not self.complete and (symbol is None or (symbol.value is None and not symbol.broken)):
            raise NotKnown(token.column, f"{token.text} is not known here: it must follow from what stands before")
        if symbol is None:
            raise Mistake(token.column, self._unknown(token.text))
        if symbol.busy:
            raise Mistake(token.column, f"{token.text} is defined by itself")
        if self._chain > _MAX_CHAIN:
            raise Mistake(token.column, f"more than {_MAX_CHAIN} constants, each defined by a later one")
        self.settle(symbol)
        if symbol.value is None:
            raise Reported
        return symbol.value
