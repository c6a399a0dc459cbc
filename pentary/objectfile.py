"""Programs on disk.

An object file is a safetensors file: the tensor `image` holds the words, and the metadata one entry `program` with the
rest as JSON.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from pentary.asm import assemble
from pentary.files import write_whole
from pentary.program import Program, Source
from pentary.tensorfile import to_bytes
from pentary.word import WORD_MAX, PentaryError

FORMAT: Final = "pentary program"
VERSION: Final = 1
_FIELDS: Final = ("format", "version", "text", "size", "symbols", "labels", "sources")


def save(program: Program, path: Path) -> None:
    """Write a program to a file, which appears whole or not at all; the same program gives the same bytes.

    Args:
        program: to write.
        path: of the file; one that exists is replaced.

    Raises:
        PentaryError: the file cannot be written.
    """
    fields = {
        "format": FORMAT,
        "version": VERSION,
        "text": program.text,
        "size": program.size,
        "symbols": program.symbols,
        "labels": program.labels,
        "sources": program.sources,
    }
    write_whole(path, to_bytes({"image": program.image}, {"program": json.dumps(fields)}))


def load(path: Path) -> Program:
    """Read a program from a file.

    Args:
        path: of the object file.

    Returns:
        The program.

    Raises:
        PentaryError: the file cannot be read, is no object file, is damaged, or is of another version.
    """
    try:
        with safe_open(path, "numpy") as file:
            metadata, tensors = file.metadata() or {}, list(file.keys())
            if "program" not in metadata:
                raise PentaryError(f"{path} is no object file: it holds other tensors")
            image = file.get_tensor("image")
    except OSError as error:
        raise PentaryError(f"cannot read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise PentaryError(f"{path} is no object file, or only a part of one: {error}") from error
    try:
        _refuse_others([*metadata, *tensors], ("program", "image"))
        return _program(image, json.loads(metadata["program"]))
    except (_Damaged, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, _Damaged) else "its fields are not those of a program"
        raise PentaryError(f"{path} is damaged or of another version: {why}") from error


def load_program(path: Path, defines: Mapping[str, int] | None = None) -> Program:
    """Read a program from a source, if the file is called .s or .asm, or else from an object file.

    Args:
        path: of the file.
        defines: values for constants that the source declares with .param.

    Returns:
        The program.

    Raises:
        PentaryError: the file cannot be read, or is wrong, or is an object file and values are given.
    """
    if path.suffix.lower() in (".s", ".asm"):
        return assemble(path, defines)
    if defines:
        raise PentaryError(f"{path} is an object file: its constants were fixed when it was assembled")
    if path.is_dir():
        raise PentaryError(f"cannot read {path}: it is a folder, not a program")
    return load(path)


class _Damaged(Exception):
    """What is wrong with the contents of an object file."""


def _refuse_others(names: Iterable[str], known: Collection[str]) -> None:
    others = [name for name in names if name not in known]
    if others:
        raise _Damaged(f"it holds {', '.join(map(repr, others))} too")


def _program(image: NDArray[np.int64], fields: dict[str, Any]) -> Program:
    if fields["format"] != FORMAT or fields["version"] != VERSION:
        raise _Damaged(f"it is {fields['format']!r} version {fields['version']!r}, not {FORMAT!r} version {VERSION}")
    _refuse_others(fields, _FIELDS)
    text, size, symbols, labels = fields["text"], fields["size"], fields["symbols"], tuple(fields["labels"])
    sources = tuple(Source(*source) for source in fields["sources"])
    if image.dtype != np.int64 or image.ndim != 1 or ((image < -WORD_MAX) | (image > WORD_MAX)).any():
        raise _Damaged("its image is not a row of words")
    if {type(value) for value in (text, size, *symbols.values())} - {int}:
        raise _Damaged("a size, an address or a constant is not an integer")
    if not 0 <= text <= image.size <= size <= WORD_MAX:
        raise _Damaged(f"{text} instructions, {image.size} words and a size of {size} do not go together")
    addresses = [symbols.get(label, -1) for label in labels]
    if addresses != sorted(addresses) or not all(0 <= address <= size for address in addresses):
        raise _Damaged("its labels are not in the order of their addresses, or outside of the program")
    if [tuple(map(type, source)) for source in sources] not in ([], [(str, int, str)] * text):
        raise _Damaged("its source lines are not one for each instruction")
    return Program(image, text, size, symbols, labels, sources)
