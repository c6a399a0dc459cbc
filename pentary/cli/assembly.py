"""The commands `asm` and `disasm`."""

from pathlib import Path

import click

from pentary.asm import assemble, disassemble, objectfile
from pentary.asm.lexer import tokenize
from pentary.cli.console import exit_status
from pentary.numbers.word import PentaryError


def _defines(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    """Return the values of NAME=VALUE options by name; a callback of click."""
    values: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        match tokenize(value.removeprefix("-")):
            case [token] if name and token.kind == "number":
                number = -token.value if value.startswith("-") else token.value
                if values.setdefault(name, number) != number:
                    raise click.BadParameter(f"{name} is given two values, {values[name]} and {number}")
            case _:
                raise click.BadParameter(f"{text!r} is not NAME=VALUE with an integer value")
    return values


_file = click.Path(path_type=Path)
define_option = click.option(
    "-D",
    "defines",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_defines,
    help="Value for a constant that the source declares with .param.",
)
"""Option of every command that takes a source; the command gets a dict from names to values."""


@click.command()
@click.argument("file", type=_file)
@click.option("-o", "out", type=_file, metavar="OBJECT", help="Object file to write; FILE with .pob if not given.")
@define_option
def asm(file: Path, out: Path | None, defines: dict[str, int]) -> None:
    """Assemble the source FILE into an object file.

    FILE may be - for standard input; then -o is needed.
    """
    with exit_status():
        if out is None and (objectfile.is_standard_input(file) or file.is_fifo()):
            raise PentaryError("a source from a pipe has no name: -o says which object file to write")
        name, content = objectfile.read_pipe(file) or (file, None)
        if content and objectfile.is_object(content):
            raise PentaryError(f"{name} is no source: it is an object file, or other binary data")
        program = assemble(name, defines, content)
        out = file.with_suffix(".pob") if out is None else out
        if out.exists() and out.samefile(file):
            raise PentaryError(f"{out} is the source: -o gives the object file another name")
        objectfile.save(program, out)
        data = program.image.size - program.text
        click.echo(f"{program.text:,} instructions, {data:,} words of data, {program.size:,} words of memory: {out}")


@click.command()
@click.argument("file", type=_file)
@define_option
def disasm(file: Path, defines: dict[str, int]) -> None:
    """Write the program in FILE, an object file or a source, as assembler text.

    FILE may be - for standard input.
    """
    with exit_status():
        click.echo(disassemble(objectfile.load_program(file, defines)), nl=False)
