"""Assembler: the statements of sources to a program."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from pentary.asm.assembly import Assembly
from pentary.asm.directives import DIRECTIVES, MAX_SIZE
from pentary.asm.errors import AssemblyError, Diagnostic, Mistake, Suggestions, miscount
from pentary.asm.expressions import parse
from pentary.asm.instructions import parse_instruction
from pentary.asm.lexer import Statement, Token, refuse_comment
from pentary.asm.source import Reader
from pentary.asm.symbols import Symbol
from pentary.asm.vocabulary import MNEMONICS
from pentary.isa.program import Program


def assemble(path: Path, defines: Mapping[str, int] | None = None, content: bytes | None = None) -> Program:
    """Assemble a file.

    Args:
        path: of the source.
        defines: values for constants that the source declares with .param.
        content: of the source, if it has been read already; the path then only names it and locates includes.

    Returns:
        The program.

    Raises:
        AssemblyError: the source has errors, all of which it holds. A file without instructions is one: such a file is
            meant to be included, not to be run.
    """
    assembler = _Assembler(str(path), defines or {})
    program = assembler.program(("", lambda reader: reader.file(path, content)))
    if not program.text:
        raise AssemblyError([Diagnostic(str(path), 0, 0, "the program has no instructions", "")])
    return program


def assemble_files(paths: Sequence[Path], defines: Mapping[str, int] | None = None) -> Program:
    """Assemble several sources into one program: their instructions and their data follow each other in this order.

    Args:
        paths: of the sources; execution starts at the first instruction of the first. Each has symbols and macros of
            its own; what it declares with .global is known in all.
        defines: values for constants that one of the sources declares with .param, or several.

    Returns:
        The program. A symbol that is not global is called SOURCE.SYMBOL in it.

    Raises:
        AssemblyError: the sources have errors, all of which it holds.
    """
    if len(paths) == 1:
        return assemble(paths[0], defines)
    assembler = _Assembler(str(paths[0]), defines or {})
    program = assembler.program(*((_short(path, paths), partial(_file, path)) for path in paths))
    if not program.text:
        raise AssemblyError([Diagnostic(str(paths[0]), 0, 0, "the program has no instructions", "")])
    return program


def assemble_text(text: str, name: str = "<text>", defines: Mapping[str, int] | None = None) -> Program:
    """Assemble a text.

    Args:
        text: the source.
        name: of the text in messages; includes are relative to the folder of a file of this name.
        defines: values for constants that the source declares with .param.

    Returns:
        The program.

    Raises:
        AssemblyError: the source has errors, all of which it holds.

    >>> assemble_text("start: LI p1, answer\\n HALT\\n .data\\nanswer: .word 42").symbols
    {'start': 0, 'answer': 2}
    """
    assembler = _Assembler(name, defines or {})
    return assembler.program(("", lambda reader: reader.text(text, name)))


def _file(path: Path, reader: Reader) -> Iterator[Statement]:
    return reader.file(path)


def _short(path: Path, paths: Sequence[Path]) -> str:
    """Return the name of a source in the names of its symbols: that of its file, numbered if another has it, too."""
    alike = [other for other in paths if other.stem == path.stem]
    name = re.sub(r"[^A-Za-z0-9_]", "_", path.stem) + (f"_{alike.index(path) + 1}" if len(alike) > 1 else "")
    return f"_{name}" if name[0].isdigit() else name


class _Assembler(Assembly):
    def __init__(self, name: str, defines: Mapping[str, int]) -> None:
        super().__init__(defines)
        self._name = name
        self._suggest = Suggestions()
        self._numeric: Counter[str] = Counter()  # how often each numeric label has been defined
        self._reader = Reader(self.diagnostics.append, self._now)

    def program(self, *sources: tuple[str, Callable[[Reader], Iterator[Statement]]]) -> Program:
        """Assemble sources, each given by its name in symbols and a function from a reader to its statements."""
        for number, (_, statements) in enumerate(sources):
            self.symbols.source, self.section, self._numeric = number, ".text", Counter()
            self._reader = Reader(self.diagnostics.append, self._now)
            for statement in statements(self._reader):
                with self.reporting(statement.line):
                    self._read(statement)
        words, size = self.lay_out()
        self._check_whole(size)
        if self.diagnostics:
            raise AssemblyError(self.diagnostics)
        image = np.zeros(max(words, default=-1) + 1, np.int64)
        image[list(words)] = list(words.values())
        lines = (item.line.source for item in self.sections[".text"] for _ in range(item.length))
        symbols = self.symbols.named([name for name, _ in sources])
        values = {name: symbol.value for name, symbol in symbols.items() if symbol.value is not None}
        labels = sorted((name for name, symbol in symbols.items() if symbol.is_label), key=values.__getitem__)
        return Program(image, self.text, size, values, tuple(labels), tuple(lines))

    def _now(self, tokens: Sequence[Token]) -> int:
        """Return the value of an expression by what stands before it."""
        expression = parse([self._resolved(token) for token in tokens])
        return self.symbols.evaluate(expression, self.text if self.section == ".text" else None)

    def _resolved(self, token: Token) -> Token:
        """Return a reference to a numeric label as the name of the one that is meant."""
        if token.kind != "local":
            return token
        number = str(int(token.text[:-1]))
        count = self._numeric[number] + (token.text[-1] == "f")
        if not count:
            return token._replace(kind="malformed", problem=f"no label {number}: stands before")
        return token._replace(kind="name", text=f"{number}#{count}")

    def _check_whole(self, size: int) -> None:
        """Report errors without a source line: a value for an undeclared constant, or a program that is too large."""
        messages = [
            f"{name} is given a value, but no .param declares it{self._suggest(name, self.parameters)}"
            for name in self.defines.keys() - self.parameters
        ]
        if size > MAX_SIZE:
            messages.append(f"the program takes {size} words, the most is {MAX_SIZE}")
        self.diagnostics += [Diagnostic(self._name, 0, 0, message, "") for message in messages]

    def _read(self, statement: Statement) -> None:
        for label in statement.labels:
            with self.reporting(statement.line):
                symbol = self.symbols.define(self._numbered(label), Symbol(statement.line, is_label=True))
                self.add(statement.line, symbol.place)
        statement = statement._replace(rest=[self._resolved(token) for token in statement.rest])
        operation = statement.operation
        if operation is None:
            if statement.rest:
                first = statement.rest[0]
                refuse_comment(first)
                raise Mistake(first.column, first.problem if first.kind == "error" else "expected an instruction")
        elif operation.text.startswith("."):
            self._directive(statement, operation)
        elif operation.text.upper() in MNEMONICS:
            if self.section == ".data":
                raise Mistake(operation.column, "an instruction in .data; .text leads back to the instructions")
            self._instruction(statement, operation)
        else:
            near = self._suggest(operation.text, [*MNEMONICS, *self._reader.macro_names(), *DIRECTIVES])
            raise Mistake(operation.column, f"unknown instruction {operation.text!r}{near}")

    def _numbered(self, label: Token) -> Token:
        """Return a label, a numeric one with the number of its definition."""
        if label.kind == "name":
            return label
        number = str(int(label.text))
        self._numeric[number] += 1
        return label._replace(text=f"{number}#{self._numeric[number]}")

    def _instruction(self, statement: Statement, operation: Token) -> None:
        line, evaluate = statement.line, self.symbols.evaluate
        attempt = self.reporting(line)
        parsed = None
        with attempt:
            parsed = parse_instruction(operation, statement.operands(), attempt)
        if parsed is None:
            self.add(line, lambda _: 1)  # keep its place, so that the addresses after it are right
        else:
            self.add(line, partial(parsed.size, evaluate), partial(parsed.words, evaluate, attempt))

    def _directive(self, statement: Statement, operation: Token) -> None:
        name = operation.text.lower()
        if name not in DIRECTIVES:
            near = self._suggest(name, [*DIRECTIVES, *self._reader.DIRECTIVES])
            raise Mistake(operation.column, f"unknown directive {operation.text!r}{near}")
        syntax, method = DIRECTIVES[name]
        operands = statement.operands()
        taken = syntax.split(", ") if syntax else []
        if len(operands) != len(taken) and not (operands and syntax.endswith("...")):
            raise Mistake(operation.column, miscount(name, taken, len(operands)))
        method(self, statement.line, operation, operands)
