"""The commands `asm` and `disasm`."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from pentary.asm import assemble, assemble_files, disassemble, objectfile
from pentary.cli.console import exit_status
from pentary.cli.options import FILE, define_option
from pentary.isa.program import Program
from pentary.numbers.word import PentaryError


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "out", type=FILE, metavar="OBJECT", help="Object file to write; FILE with .pob if not given.")
@define_option
def asm(files: tuple[Path, ...], out: Path | None, defines: dict[str, int]) -> None:
    """Assemble the source FILE, or several that share their .global symbols, into an object file.

    FILE may be - for standard input; then, and for several, -o is needed. The program starts at the first instruction
    of the first FILE.
    """
    with exit_status():
        file, *others = files
        if others:
            _link(files, out, defines)
            return
        if out is None and (objectfile.is_standard_input(file) or file.is_fifo()):
            raise PentaryError("a source from a pipe has no name: -o says which object file to write")
        name, content = objectfile.read_pipe(file) or (file, None)
        if content and objectfile.is_object(content):
            raise PentaryError(f"{name} is no source: it is an object file, or other binary data")
        program = assemble(name, defines, content)
        _write(program, file.with_suffix(".pob") if out is None else out, [file])


def _link(files: Sequence[Path], out: Path | None, defines: dict[str, int]) -> None:
    if out is None:
        raise PentaryError("of several sources, -o says which object file to write")
    for file in files:
        if objectfile.is_standard_input(file) or file.is_fifo():
            raise PentaryError(f"{file} is a pipe: several sources are files")
        with suppress(OSError):  # what cannot be read is reported with its reason
            if objectfile.is_object(file.read_bytes()):
                raise PentaryError(f"{file} is no source: it is an object file, or other binary data")
    _write(assemble_files(files, defines), out, files)


def _write(program: Program, out: Path, sources: Sequence[Path]) -> None:
    if out.exists() and any(source.exists() and out.samefile(source) for source in sources):
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
