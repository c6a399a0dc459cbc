"""Source reader: files to statements, with includes read, macros expanded, and blocks chosen or repeated."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pentary.asm.errors import Diagnostic, Line, Mistake, Reported, miscount
from pentary.asm.lexer import ESCAPES, Statement, Token, parse_line
from pentary.asm.vocabulary import MNEMONICS
from pentary.isa.program import Source

_MAX_DEPTH: Final = 50
"""Nesting limit of includes and macro expansions."""

_MAX_EXPANSIONS: Final = 100_000
"""Limit on includes and macro expansions in all: macros that each use another one twice grow exponentially."""

_MAX_LENGTH: Final = 10_000
"""Limit on the characters of an expanded line, for the same reason."""

LIBRARY: Final = Path(__file__).parent / "library"
"""Folder of the sources that any program may include."""

_PARAMETER: Final = re.compile(r"\\(@|[A-Za-z_][A-Za-z0-9_]*)")
_BEFORE_COMMENT: Final = re.compile(r"""(?:[^;"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)'|["'])*""")
_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)'|"(?:[^"\\]|\\.)*["]""")
_COUNTER: Final = re.compile(r",\s*([A-Za-z_][A-Za-z0-9_]*)\s*$")
_BLOCKS: Final = {".if": ".endif", ".rept": ".endr", ".macro": ".endm"}
"""Directives that begin a block, and those that end it."""


@dataclass(frozen=True)
class _Macro:
    line: Line
    name: str
    parameters: tuple[str, ...]
    body: list[Line]
    counters: frozenset[str]  # of the repetitions in it, which stay


class Reader:
    """Reader of the statements of a source, through its includes and macros.

    Args:
        report: called with the diagnostic of each error; reading continues after it.
        evaluate: returns the value of an expression by what is known at this point of the source; raises `Mistake`.

    Attributes:
        DIRECTIVES: those that the reader handles itself.
    """

    DIRECTIVES: Final = (".include", ".else", ".elif", *_BLOCKS, *_BLOCKS.values())

    def __init__(self, report: Callable[[Diagnostic], None], evaluate: Callable[[Sequence[Token]], int]) -> None:
        """Create a reader without macros."""
        self._macros: dict[str, _Macro] = {}
        self._report = report
        self._evaluate = evaluate
        self._expansions = 0

    def macro_names(self) -> list[str]:
        """Return the names of the macros defined so far."""
        return [macro.name for macro in self._macros.values()]

    def file(self, path: Path, content: bytes | None = None) -> Iterator[Statement]:
        """Yield the statements of a file.

        Args:
            path: of the file.
            content: of the file, if it has been read already; the path then only names it and locates includes.
        """
        try:
            text = _read(path) if content is None else _decoded(content)
        except _Unreadable as error:
            self._report(Diagnostic(str(path), 0, 0, str(error), ""))
            return
        yield from self.text(text, str(path), (path.resolve(),))

    def text(self, text: str, name: str, within: tuple[Path | str, ...] = ()) -> Iterator[Statement]:
        """Return an iterator over the statements of a text.

        Args:
            text: the source.
            name: of the file; includes are relative to its folder.
            within: files, macros and blocks that are being read or expanded, to detect recursion.
        """
        lines = (Line(Source(name, n, line), line) for n, line in enumerate(re.split("\r\n|\r|\n", text), start=1))
        return self._statements(lines, within)

    def _statements(self, lines: Iterator[Line], within: tuple[Path | str, ...]) -> Iterator[Statement]:
        for line in lines:
            statement = parse_line(line)
            operation = statement.operation
            name = operation.text.lower() if operation else ""
            if operation is None or (name not in self._macros and name not in self.DIRECTIVES):
                yield statement
                continue
            yield statement._replace(operation=None, rest=[])  # the labels
            try:
                if name == ".macro":
                    self._define(statement, operation, lines)
                elif name == ".if":
                    yield from self._choose(statement, operation, lines, within)
                elif name == ".rept":
                    yield from self._repeat(statement, operation, lines, within)
                elif name in self.DIRECTIVES and name != ".include":
                    begin = {end: begin for begin, end in _BLOCKS.items()}.get(name, ".if")
                    raise Mistake(operation.column, f"{name} without {begin}")
                elif self._expansions <= _MAX_EXPANSIONS:  # beyond the limit, which is reported once
                    self._count(operation, within)
                    inner = self._include if name == ".include" else self._expand
                    yield from inner(statement, operation, within)
            except Mistake as mistake:
                self._report(line.diagnose(mistake))
            except Reported:  # an operand depends on a constant with an error
                pass

    def _count(self, operation: Token, within: tuple[Path | str, ...]) -> None:
        self._expansions += 1
        if self._expansions > _MAX_EXPANSIONS:
            raise Mistake(operation.column, f"more than {_MAX_EXPANSIONS} macros, includes and repetitions")
        self._check_depth(operation, within)

    def _check_depth(self, operation: Token, within: tuple[Path | str, ...]) -> None:
        if len(within) >= _MAX_DEPTH:
            raise Mistake(operation.column, f"nested more than {_MAX_DEPTH} deep")

    def _include(self, statement: Statement, name: Token, within: tuple[Path | str, ...]) -> Iterator[Statement]:
        match statement.operands():
            case [[Token(kind="string") as quoted]]:
                path = Path(statement.line.source.file).parent / quoted.text[1:-1]
            case _:
                raise Mistake(name.column, 'expected .include "FILE"')
        shown = str(path)
        if not path.exists() and (LIBRARY / quoted.text[1:-1]).is_file():
            path = LIBRARY / quoted.text[1:-1]
            shown = f"library/{path.name}"  # on every computer
        try:
            text = _read(path)
        except _Unreadable as error:
            raise Mistake(quoted.column, f"{path}: {error}") from None
        resolved = path.resolve()
        if resolved in within:
            raise Mistake(quoted.column, f"{path} includes itself")
        return self.text(text, shown, (*within, resolved))

    def _block(self, operation: Token, lines: Iterator[Line]) -> Iterator[tuple[Line, Statement | None]]:
        """Yield the lines of a block, up to the directive that ends it.

        With a line comes its statement if it is an .else or .elif of this block, not of one within it.
        """
        opened = [operation.text.lower()]
        for line in lines:
            statement = parse_line(line)
            name = statement.operation.text.lower() if statement.operation else ""
            if name == _BLOCKS[opened[-1]]:
                opened.pop()
                if not opened:
                    return
            divides = name in (".else", ".elif") and opened == [".if"]
            yield line, statement if divides else None
            if name in _BLOCKS:
                opened.append(name)
        raise Mistake(operation.column, f"no {_BLOCKS[opened[0]]} ends this {opened[0]}")

    def _choose(
        self, statement: Statement, operation: Token, lines: Iterator[Line], within: tuple[Path | str, ...]
    ) -> Iterator[Statement]:
        """Yield the statements of the first branch whose condition holds."""
        self._check_depth(operation, within)
        branches: list[tuple[Statement, list[Line]]] = [(statement, [])]
        for line, divider in self._block(operation, lines):
            if divider is None:
                branches[-1][1].append(line)
            else:
                branches.append((divider, []))
        done = False
        for number, (head, body) in enumerate(branches):
            assert head.operation is not None
            try:
                last = head.operation.text.lower() == ".else"
                if last and (head.rest or number + 1 < len(branches)):
                    raise Mistake(
                        head.operation.column, "an .else takes no condition, and is the last branch of an .if"
                    )
                if not done and (last or self._number(head, "CONDITION")):
                    done = True
                    yield from self._statements(iter(body), (*within, ".if"))
            except Mistake as mistake:
                self._report(head.line.diagnose(mistake))
                done = True
            except Reported:
                done = True

    def _repeat(
        self, statement: Statement, operation: Token, lines: Iterator[Line], within: tuple[Path | str, ...]
    ) -> Iterator[Statement]:
        """Yield the statements of a block several times, with the number of the repetition for the counter."""
        body = [line for line, _ in self._block(operation, lines)]
        counter = _counter(statement)
        count = self._number(statement, "COUNT" if counter is None else "COUNT, NAME")
        if not 0 <= count <= _MAX_EXPANSIONS:
            raise Mistake(statement.rest[0].column, f"the count is {count}, outside 0..{_MAX_EXPANSIONS}")
        for number in range(count):
            if self._expansions > _MAX_EXPANSIONS:
                return
            self._count(operation, within)
            values = {} if counter is None else {counter: str(number)}
            yield from self._statements((_with(line, values, number) for line in body), (*within, f".rept {number}"))

    def _number(self, statement: Statement, takes: str) -> int:
        """Return the value of a directive's first operand."""
        assert statement.operation is not None
        operands, taken = statement.operands(), takes.split(", ")
        if len(operands) != len(taken):
            raise Mistake(statement.operation.column, miscount(statement.operation.text.lower(), taken, len(operands)))
        return self._evaluate(operands[0])

    def _define(self, statement: Statement, operation: Token, lines: Iterator[Line]) -> None:
        """Read a macro definition up to its .endm."""
        body, counters = [], set()
        for line, _ in self._block(operation, lines):
            inner = parse_line(line)
            name = inner.operation.text.lower() if inner.operation else ""
            if inner.operation and name == ".macro":
                self._report(line.diagnose(Mistake(inner.operation.column, "a .macro within a .macro")))
            if name == ".rept":
                counters.add(_counter(inner) or "")
            body.append(line)
        macro = self._head(statement, operation, body, frozenset(counters))
        for line in body:
            code = _code(line.text)
            quoted = [match.span() for match in _QUOTED.finditer(code)]
            for use in _PARAMETER.finditer(code):
                is_escape = use[1][0] in ESCAPES and any(first < use.start() < last for first, last in quoted)
                if use[1] not in ("@", *macro.parameters, *counters) and not is_escape:
                    mistake = Mistake(use.start(), f"macro {macro.name} has no parameter {use[1]}")
                    self._report(line.diagnose(mistake))
        self._macros[macro.name.lower()] = macro

    def _head(self, statement: Statement, operation: Token, body: list[Line], counters: frozenset[str]) -> _Macro:
        if not statement.rest or statement.rest[0].kind != "name":
            raise Mistake(operation.column, "expected .macro NAME PARAMETER, ...")
        name = statement.rest[0]
        key = name.text.lower()
        if key.upper() in MNEMONICS or key.startswith("."):
            raise Mistake(name.column, f"{name.text} cannot be the name of a macro")
        if key in self._macros:
            first = self._macros[key].line.source
            raise Mistake(name.column, f"macro {name.text} is defined already, at {first.file}:{first.line}")
        parameters = statement._replace(rest=statement.rest[1:]).operands()
        for parameter in parameters:
            if len(parameter) > 1 or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", parameter[0].text):
                raise Mistake(parameter[0].column, "a parameter is one name of letters, digits and underscores")
        names = tuple(parameter[0].text for parameter in parameters)
        if len(set(names)) < len(names):
            raise Mistake(parameters[0][0].column, "two parameters have one name")
        return _Macro(statement.line, name.text, names, body, counters)

    def _expand(self, statement: Statement, name: Token, within: tuple[Path | str, ...]) -> Iterator[Statement]:
        macro, line = self._macros[name.text.lower()], statement.line
        if macro.name in within:
            raise Mistake(name.column, f"macro {macro.name} uses itself")
        arguments = [line.text[tokens[0].column : tokens[-1].end] for tokens in statement.operands()]
        if len(arguments) != len(macro.parameters):
            raise Mistake(name.column, miscount(macro.name, macro.parameters, len(arguments)))
        values = {counter: f"\\{counter}" for counter in macro.counters}
        values |= dict(zip(macro.parameters, arguments, strict=True)) | {"@": str(self._expansions)}
        column = name.column if line.column is None else line.column
        lines = []
        for written in macro.body:
            text = _substituted(written.text, values, "0")  # an unknown parameter is reported already
            if len(text) > _MAX_LENGTH:
                raise Mistake(name.column, f"a line of macro {macro.name} grows beyond {_MAX_LENGTH} characters")
            place = f"{written.source.file}:{written.source.line}"
            lines.append(Line(line.source, text, column, f" (in macro {macro.name}, {place})"))
        return self._statements(iter(lines), (*within, macro.name))


def _counter(statement: Statement) -> str | None:
    """Return the name of the counter of a .rept, its second operand, if it has one."""
    # In the text, as within a macro the count may be a parameter, which is no token.
    match = _COUNTER.search(_code(statement.line.text))
    return match and match[1]


def _with(line: Line, values: Mapping[str, str], number: int) -> Line:
    """Return a line of a repetition, with its counter replaced."""
    text = _substituted(line.text, values)
    if text == line.text:
        return line
    column = len(line.text) - len(line.text.lstrip()) if line.column is None else line.column
    return Line(line.source, text, column, f"{line.note} (in repetition {number})")


def _substituted(text: str, values: Mapping[str, str], unknown: str | None = None) -> str:
    """Return a line without its comment, with its parameters replaced; those without a value stay, or are `unknown`."""

    def replaced(use: re.Match[str]) -> str:
        is_escape = use[1][0] in ESCAPES
        return values.get(use[1], use[0] if unknown is None or is_escape else unknown)

    return _PARAMETER.sub(replaced, _code(text)) if "\\" in text else text


def _code(text: str) -> str:
    """Return a line without its comment."""
    match = _BEFORE_COMMENT.match(text)
    return match.group() if match else ""


class _Unreadable(Exception):
    """A file that cannot be read; the message says why."""


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a null character in the name
        raise _Unreadable(f"cannot be read: {error}") from None
    return _decoded(content)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"line {line} is not UTF-8 text") from None
