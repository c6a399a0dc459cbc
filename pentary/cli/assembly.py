"""The commands `asm` and `disasm`."""

from pathlib import Path

import click

from pentary.asm import assemble, disassemble, objectfile
from pentary.cli.console import exit_status
from pentary.cli.options import FILE, define_option
from pentary.numbers.word import PentaryError


@click.command()
@click.argument("file", type=FILE)
@click.option("-o", "out", type=FILE, metavar="OBJECT", help="Object file to write; FILE with .pob if not given.")
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
@click.argument("file", type=FILE)
@define_option
def disasm(file: Path, defines: dict[str, int]) -> None:
    """Write the program in FILE, an object file or a source, as assembler text.

    FILE may be - for standard input.
    """
    with exit_status():
        click.echo(disassemble(objectfile.load_program(file, defines)), nl=False)
