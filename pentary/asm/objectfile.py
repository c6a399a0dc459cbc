"""Object files: programs on disk, or from a pipe.

An object file is a safetensors file: the tensor `image` holds the words, and the metadata entry `program` all other
fields as a JSON object.
"""

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from pentary.asm import assemble
from pentary.isa.program import Program, Source
from pentary.numbers.word import WORD_MAX, PentaryError
from pentary.runs.tensorfile import to_bytes
from pentary.support.files import write_whole
from pentary.support.messages import some

FORMAT: Final = "pentary program"
VERSION: Final = 1
STANDARD_INPUT: Final = Path("<stdin>")
"""Name in messages of a program from standard input."""

_LENGTH: Final = 8  # bytes of the header length at the start of a safetensors file
_FIELDS: Final = ("format", "version", "text", "size", "symbols", "labels", "sources")


def save(program: Program, path: Path) -> None:
    """Write a program to an object file atomically; the same program gives the same bytes.

    Args:
        program: to be written.
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
    """Read a program from an object file.

    Args:
        path: of the object file.

    Returns:
        The program.

    Raises:
        PentaryError: the file cannot be read, is no object file, is damaged, or is of another version.
    """
    return _loaded(path, _read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise PentaryError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _loaded(path: Path, content: bytes) -> Program:
    """Return the program in the content of an object file."""
    try:
        tensors = dict(deserialize(content))
        header = json.loads(content[_LENGTH : _LENGTH + int.from_bytes(content[:_LENGTH], "little")])
    except SafetensorError as error:
        raise PentaryError(f"{path} is no object file, or only a part of one: {error}") from error
    metadata = header.get("__metadata__") or {}
    if "program" not in metadata:
        raise PentaryError(f"{path} is no object file: it holds other tensors")
    if "image" not in tensors:
        raise PentaryError(f"{path} is no object file, or only a part of one: it holds no image")
    try:
        fields = json.loads(metadata["program"])
        if fields["format"] == FORMAT and fields["version"] != VERSION:
            raise PentaryError(
                f"{path} is an object file of version {fields['version']!r}, and this pentary reads version {VERSION}: "
                f"assemble it again with pentary asm SOURCE -o {path}"
            )
        _refuse_others([*metadata, *tensors], ("program", "image"))
        return _program(_image(**tensors["image"]), fields)
    except PentaryError:  # which is a ValueError
        raise
    except (_Damaged, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, _Damaged) else "its fields are not those of a program"
        raise PentaryError(f"{path} is damaged: {why}") from error


def load_program(path: Path, defines: Mapping[str, int] | None = None) -> Program:
    """Read a program from a source if the file's suffix is .s or .asm, otherwise from an object file.

    For a pipe the content decides which it is, not the name.

    Args:
        path: of the file, or - for standard input.
        defines: values for constants that the source declares with .param.

    Returns:
        The program.

    Raises:
        PentaryError: the file cannot be read, or is wrong, or is an object file and values are given.
    """
    name, content = read_pipe(path) or (path, None)
    if path.suffix.lower() in (".s", ".asm") if content is None else not is_object(content):
        return assemble(name, defines, content)
    if defines:
        raise PentaryError(f"{name} is an object file: its constants were fixed when it was assembled")
    if path.is_dir():
        raise PentaryError(f"cannot read {path}: it is a folder, not a program")
    return load(path) if content is None else _loaded(name, content)


def is_standard_input(path: Path) -> bool:
    """Return whether a path stands for standard input."""
    return str(path) in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


def read_pipe(path: Path) -> tuple[Path, bytes] | None:
    """Read a file that can be read only once: standard input or a named pipe.

    Args:
        path: of any file.

    Returns:
        A name for messages, and the content; None for any other file, which is not read.

    Raises:
        PentaryError: it cannot be read.
    """
    if is_standard_input(path):
        if sys.stdin is None:
            raise PentaryError("the program is read from standard input, and it is closed")
        return STANDARD_INPUT, sys.stdin.buffer.read()
    return (path, _read(path)) if path.is_fifo() else None


def is_object(content: bytes) -> bool:
    """Return whether a program is an object file, or the beginning of one, rather than a source.

    Args:
        content: of the file. An object file begins with its header length, 8 bytes of which the high ones are null;
            text never holds a null byte.
    """
    return 0 in content[:_LENGTH]


class _Damaged(Exception):
    """An object file with invalid content; the message says what is wrong."""


def _refuse_others(names: Iterable[str], known: Collection[str]) -> None:
    others = [name for name in names if name not in known]
    if others:
        raise _Damaged(f"it holds {some(map(repr, others), 5)} too")


def _image(dtype: str, shape: list[int], data: bytes) -> NDArray[np.int64]:
    if dtype != "I64" or len(shape) != 1:
        raise _Damaged("its image is not a row of words")
    return np.frombuffer(data, "<i8").astype(np.int64)


def _program(image: NDArray[np.int64], fields: dict[str, Any]) -> Program:
    if fields["format"] != FORMAT:
        raise _Damaged(f"it is {fields['format']!r}, not {FORMAT!r}")
    _refuse_others(fields, _FIELDS)
    text, size, symbols, labels = fields["text"], fields["size"], fields["symbols"], tuple(fields["labels"])
    sources = tuple(Source(*source) for source in fields["sources"])
    if ((image < -WORD_MAX) | (image > WORD_MAX)).any():
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
