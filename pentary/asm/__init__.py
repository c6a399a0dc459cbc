"""The assembler and the disassembler; `architecture/assembly.md` describes the language."""

from pentary.asm.assembler import assemble, assemble_files, assemble_text
from pentary.asm.disassembler import disassemble, disassemble_word
from pentary.asm.errors import AssemblyError, Diagnostic

__all__ = [
    "AssemblyError",
    "Diagnostic",
    "assemble",
    "assemble_files",
    "assemble_text",
    "disassemble",
    "disassemble_word",
]
