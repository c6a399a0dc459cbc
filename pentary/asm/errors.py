"""Diagnostics of the assembler: errors with their source locations, and the exception that reports them all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from pentary.isa.program import Source
from pentary.numbers.word import PentaryError
from pentary.support.messages import MOST, excerpt, shortened


class Diagnostic(NamedTuple):
    """One error: file, line and column (both from 1; line 0: the file as a whole), message, and the source line."""

    file: str
    line: int
    column: int
    message: str
    text: str

    def __str__(self) -> str:
        """Return `file:line:column: message`, then the source line, or an excerpt, with a caret below the column."""
        if not self.line:
            return f"{self.file}: {shortened(self.message)}"
        text, column = excerpt(self.text, self.column - 1)
        # Tabs are kept, so that the caret lines up whatever the tab width is.
        before = "".join(c if c == "\t" else " " for c in text[:column])
        return f"{self.file}:{self.line}:{self.column}: {shortened(self.message)}\n{text}\n{before}^"


class AssemblyError(PentaryError):
    """All errors of a source, sorted by location; the message reports the first `MOST` of them.

    Attributes:
        diagnostics: the errors.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Create the exception from diagnostics in any order; duplicates are dropped."""
        self.diagnostics = tuple(sorted(set(diagnostics)))
        count = len(self.diagnostics)
        total = f"{count:,} error{'s' * (count != 1)}" + f"; the first {MOST} are shown" * (count > MOST)
        super().__init__("\n".join([*map(str, self.diagnostics[:MOST]), total]))


class Mistake(Exception):
    """An error at a column, counted from 0, of the line being assembled."""

    def __init__(self, column: int, message: str) -> None:
        """Create an error at a column, with its message."""
        super().__init__(message)
        self.column, self.message = column, message


class NotKnown(Mistake):
    """A value that depends on symbols or addresses which are not known yet."""


class Reported(Exception):
    """A failure caused by an error that has been reported already."""


@dataclass(frozen=True)
class Line:
    """A source line to assemble.

    Attributes:
        source: where the user wrote it; in a macro expansion, the line that invokes the macro.
        text: what is assembled; in an expansion, a line of the macro's body with the arguments substituted.
        column: in an expansion, the column of the invocation, from 0.
        note: in an expansion, the macro's name and where the line stands in its definition.
    """

    source: Source
    text: str
    column: int | None = None
    note: str = ""

    def diagnose(self, mistake: Mistake) -> Diagnostic:
        """Return an error in this line as a diagnostic with its location."""
        column = mistake.column if self.column is None else self.column
        return Diagnostic(self.source.file, self.source.line, column + 1, mistake.message + self.note, self.source.text)


class Reporting:
    """Reentrant context manager that reports and suppresses an error in its body, so that assembly continues.

    Args:
        line: the line that is being assembled.
        report: called with each diagnostic.
    """

    def __init__(self, line: Line, report: Callable[[Diagnostic], None]) -> None:
        """Create a context manager for one line."""
        self._line, self._report = line, report

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        """Report and suppress a `Mistake`, suppress `Reported`, and let any other exception propagate."""
        if isinstance(error, Mistake):
            self._report(self._line.diagnose(error))
        return isinstance(error, Mistake | Reported)


def miscount(name: str, operands: Sequence[str], given: int) -> str:
    """Return the message for a wrong number of operands; "..." at the end of `operands` stands for any number more.

    >>> miscount("NEG", ["rd", "rs"], 3), miscount("HALT", [], 1)
    ('NEG takes rd, rs: 2 operands, not 3', 'HALT takes no operands')
    >>> miscount(".word", ["EXPRESSION", "..."], 0)
    '.word takes EXPRESSION, ...: at least 1 operand, not 0'
    """
    if not operands:
        return f"{name} takes no operands"
    more = operands[-1] == "..."
    count = len(operands) - more
    least = "at least " if more else ""
    return f"{name} takes {', '.join(operands)}: {least}{count} operand{'s' * (count != 1)}, not {given}"


class Suggestions:
    """Spelling suggestions for the first `MOST` unknown names only: each search is slow, and few are displayed."""

    def __init__(self) -> None:
        """Start counting."""
        self._left = MOST

    def __call__(self, name: str, known: Iterable[str]) -> str:
        """Return what `suggestion` does, or an empty string after `MOST` calls."""
        self._left -= 1
        return suggestion(name, known) if self._left >= 0 else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" with the known name nearest to an unknown one, or an empty string if none is near.

    >>> suggestion("adi", ["ADD", "ADDI"]), suggestion("x", ["ADD"])
    ('; did you mean ADDI?', '')
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), by_lower, 1)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""
