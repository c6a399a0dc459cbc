"""Retire records: what each instruction did and when, as numbers in a file that any core can write or be checked with.

`architecture/retire.md` describes them.
"""

import io
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import PentaryError
from pentary.support.files import GrowingFile
from pentary.support.messages import shortened

Records = dict[str, NDArray[np.int64]]
"""Values of each column of COLUMNS, (n,) int64."""

COLUMNS: Final = {
    "order": "number of the record, from 0",
    "cycle": "cycle in which the instruction retires; if a trap is taken in its place, that of its EX",
    "execute": "cycle in which it enters EX",
    "pc": "its address",
    "word": "the instruction word; 0 outside the program",
    "trap": "0, or the number in CAUSE of the trap taken in its place",
    "register": "scalar register that it writes, 0 if none; for POP the one that it names",
    "value": "what is written to it, 0 if none",
    "address": "address in memory or of a device, of a vector the first; -1 if there is none",
    "data": "scalar word loaded or stored, 0 if there is none",
    "flags": "what FLAGS would give after it",
}
"""Columns of the file and what they hold."""


class RetireFile:
    """Retire records of a run, written as comma-separated values with a line of names.

    Args:
        path: the file, which appears when this is closed.

    Raises:
        PentaryError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        """Create the file, with the line of column names."""
        try:
            self._file = GrowingFile(path)
        except OSError as error:
            raise PentaryError(f"cannot write the records {path}: {error.strerror}") from None
        self._write(",".join(COLUMNS) + "\n")

    def add(self, records: Records) -> None:
        """Write the records of some instructions, in program order.

        Raises:
            PentaryError: the file cannot be written; it is discarded.
        """
        text = io.StringIO()
        np.savetxt(text, np.column_stack([records[column] for column in COLUMNS]), "%d", ",")
        self._write(text.getvalue())

    def close(self) -> None:
        """Complete the file, which then appears under its name.

        Raises:
            PentaryError: it cannot be written; it is discarded.
        """
        try:
            self._file.close()
        except OSError as error:
            raise self._failure(error) from None

    def discard(self) -> None:
        """Close the file and delete it."""
        self._file.discard()

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError as error:
            self._file.discard()
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> PentaryError:
        return PentaryError(f"cannot write the records {self._file.name}: {error.strerror or error}")


def read(path: Path) -> Records:
    """Return the retire records of a file, in the order of its columns.

    Raises:
        PentaryError: the file cannot be read, or has other columns or values than numbers.
    """
    name = shortened(str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PentaryError(f"cannot read the records {name}: {getattr(error, 'strerror', None) or error}") from None
    lines = text.splitlines()
    columns = [column.strip() for column in lines[0].split(",")] if lines else []
    unknown = [column for column in columns if column not in COLUMNS]
    if not columns or unknown or len({*columns}) < len(columns) or "pc" not in columns:
        told = f"column {shortened(unknown[0])!r}" if unknown else "such a first line"
        raise PentaryError(f"{name}:1: there is no {told}; it names columns, pc among them: {', '.join(COLUMNS)}")
    values = np.empty((len(lines) - 1, len(columns)), np.int64)
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split(",")
        try:
            values[number - 2] = [int(cell) for cell, _ in zip(cells, columns, strict=True)]
        except (ValueError, OverflowError):
            expected = f"{len(columns)} numbers, one for each column"
            raise PentaryError(f"{name}:{number}: expected {expected}, not {shortened(line)!r}") from None
    return {column: values[:, place].copy() for place, column in enumerate(columns)}
