"""What is wrong in a source: every mistake with its place, and the report that shows them all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from pentary.isa.program import Source
from pentary.numbers.word import PentaryError
from pentary.support.messages import MOST, excerpt, shortened


class Diagnostic(NamedTuple):
    """One mistake: file, line and column (from 1; line 0 stands for the file as a whole), and the source line."""

    file: str
    line: int
    column: int
    message: str
    text: str

    def __str__(self) -> str:
        """Give `file:line:column: message`, then the source line, or a part of it, with a caret below the column."""
        if not self.line:
            return f"{self.file}: {shortened(self.message)}"
        text, column = excerpt(self.text, self.column - 1)
        # A tab stays a tab, so that the caret stands right whatever a tab's width is.
        before = "".join(c if c == "\t" else " " for c in text[:column])
        return f"{self.file}:{self.line}:{self.column}: {shortened(self.message)}\n{text}\n{before}^"


class AssemblyError(PentaryError):
    """All mistakes of a source, in the order of their places; the message is a report of the first of them.

    Attributes:
        diagnostics: the mistakes.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Sort the mistakes and write the report."""
        self.diagnostics = tuple(sorted(set(diagnostics)))
        count = len(self.diagnostics)
        total = f"{count:,} error{'s' * (count != 1)}" + f"; the first {MOST} are shown" * (count > MOST)
        super().__init__("\n".join([*map(str, self.diagnostics[:MOST]), total]))


class Mistake(Exception):
    """A mistake at a column, from 0, of the line being assembled."""

    def __init__(self, column: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.column, self.message = column, message


class NotKnown(Mistake):
    """A value that does not yet follow from what has been read."""


class Reported(Exception):
    """What failed depends on a mistake that is reported already."""


@dataclass(frozen=True)
class Line:
    """A line to assemble.

    Attributes:
        source: where the user wrote it; in an expansion the line that invokes the macro.
        text: what is assembled; in an expansion a line of the macro's body with the arguments in place.
        column: in an expansion the column of the invocation, from 0.
        note: in an expansion the macro and where the line stands in it.
    """

    source: Source
    text: str
    column: int | None = None
    note: str = ""

    def diagnose(self, mistake: Mistake) -> Diagnostic:
        """Give a mistake in this line its place."""
        column = mistake.column if self.column is None else self.column
        return Diagnostic(self.source.file, self.source.line, column + 1, mistake.message + self.note, self.source.text)


class Reporting:
    """A context that reports a mistake in its body, after which the work goes on; it may be entered again and again.

    Args:
        line: where the mistakes are.
        report: takes each.
    """

    def __init__(self, line: Line, report: Callable[[Diagnostic], None]) -> None:
        """Keep both."""
        self._line, self._report = line, report

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        """Report a mistake; any other exception goes on."""
        if isinstance(error, Mistake):
            self._report(self._line.diagnose(error))
        return isinstance(error, Mistake | Reported)


def miscount(name: str, operands: Sequence[str], given: int) -> str:
    """Tell what is taken where more or fewer operands are given; "..." at the end stands for more of them.

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
    """Gives suggestions for the first wrong names only: those of thousands take long to seek, and few are shown."""

    def __init__(self) -> None:
        """Have given none."""
        self._left = MOST

    def __call__(self, name: str, known: Iterable[str]) -> str:
        """Return what `suggestion` does, or nothing if many have been asked for."""
        self._left -= 1
        return suggestion(name, known) if self._left >= 0 else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Give "; did you mean X?" with the known name nearest to a wrong one, or nothing if none is near.

    >>> suggestion("adi", ["ADD", "ADDI"]), suggestion("x", ["ADD"])
    ('; did you mean ADDI?', '')
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), by_lower, 1)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""
